//! Matching: true and forged vouchers, degraded in every way; how often each is called what, and how long it takes.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use vouchsafe::matching::{Matcher, Report, Thresholds, Verdict};
use vouchsafe::render::Renderer;

use crate::peer::{number, seconds};
use crate::scans::condition::Condition;
use crate::scans::foreign::Setting;
use crate::scans::{self, foreign, forge, paper};

/// Between which shares, in percent, the true one lies with 95 % (Wilson's score interval, 1927).
fn interval(hits: u64, count: u64) -> (f64, f64) {
    let (n, z) = (count.max(1) as f64, 1.96f64);
    let p = hits as f64 / n;
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    (100.0 * (middle - half).max(0.0), 100.0 * (middle + half))
}

#[derive(Default, Clone, Copy)]
struct Tally {
    matched: u64,
    unsure: u64,
    mismatched: u64,
}

/// Milliseconds of each of some works, the middle one of several rounds. They take turns, so that a machine that is slower
/// for a while is so for all of them.
fn milliseconds<const N: usize>(works: [&dyn Fn(); N]) -> [f64; N] {
    works.iter().for_each(|work| work());
    let mut times = [(); N].map(|()| Vec::new());
    for _ in 0..15 {
        for (work, times) in works.iter().zip(&mut times) {
            let start = Instant::now();
            work();
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

/// How many fields the network was asked about.
fn fields_read(report: &Report) -> usize {
    let votes = report.fields.iter().map(|field| &field.votes);
    votes.filter(|votes| votes.reader.is_some()).count()
}

/// One scan at 300 dots per inch, on one thread, beside tesseract reading the same page on one thread.
pub fn speed() {
    let renderer = Renderer::new();
    let matcher = Matcher::new(scans::reader(), Thresholds::default());
    let mut random = scans::random::Random::new(4);
    let voucher = scans::vouchers::voucher(&mut random, "payment");
    let printed = scans::Printed::new(&renderer, &voucher, None);
    let page = printed.page(&renderer, 300);
    let condition = Condition::clean();
    let scan = paper::scan(page, &condition, &[], &mut random);
    let form = printed.form(&renderer);
    let report = matcher.compare(&form, &scan).unwrap().report;
    assert_eq!(report.verdict, Verdict::Match, "{}", report.reason);
    let read = fields_read(&report);
    let mut random = scans::random::Random::new(4);
    let fonts = foreign::fonts();
    let setting = Setting {
        shift: 0.4,
        wider: None,
    };
    let other = foreign::print(&printed.drawing, 0, &fonts[0], 300, setting, &mut random);
    let other = paper::scan(other, &condition, &[], &mut random);
    let report = matcher.compare(&form, &other).unwrap().report;
    let other_read = fields_read(&report);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scan.jpg");
    std::fs::write(&file, &scan).unwrap();
    let tesseract = || {
        let output = Command::new("tesseract")
            .env("OMP_THREAD_LIMIT", "1")
            .arg(&file)
            .args(["-", "-l", "chi_sim"])
            .output()
            .expect("tesseract is not there: build/packages.sh bench");
        assert!(output.status.success());
    };
    let [make, own, foreign, peer] = milliseconds([
        &|| drop(printed.form(&renderer)),
        &|| drop(matcher.compare(&form, &scan).unwrap()),
        &|| drop(matcher.compare(&form, &other).unwrap()),
        &tesseract,
    ]);
    println!("match     the form           {make:8.1} ms");
    println!(
        "match     A5 at 300 dpi      {own:8.1} ms   {read} fields read, {} bytes",
        scan.len()
    );
    println!(
        "match     in another type    {foreign:8.1} ms   {other_read} fields read, {:?}",
        report.verdict
    );
    // Of the program itself: here the forger's own pictures would be the peak.
    let memory = [&scan, &other].map(|scan| {
        std::fs::write(&file, scan).unwrap();
        std::fs::write(folder.path().join("voucher.json"), voucher.to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
        command.env("VOUCHSAFE_MODELS", scans::models());
        command.arg("match").arg(folder.path().join("voucher.json"));
        seconds(command.arg(&file)).1 as f64 / 1e6
    });
    println!(
        "match     peak memory        {:8.1} MB   in another type {:.1} MB",
        memory[0], memory[1]
    );
    println!(
        "match     tesseract          {peer:8.1} ms   {:.1} times as long",
        peer / own
    );
}

pub fn measure() {
    let (count, first) = (number("CASES", 400), number("SEED", 1));
    let only = std::env::var("KIND").ok();
    let forger = std::env::var("FORGERY").ok();
    let forgeries: Vec<&'static str> = forge::FORGERIES
        .into_iter()
        .filter(|it| forger.as_ref().is_none_or(|only| only == it))
        .collect();
    assert!(
        !forgeries.is_empty(),
        "FORGERY is none of {:?}",
        forge::FORGERIES
    );
    let loud = std::env::var("LOUD").is_ok();
    let fonts = foreign::fonts();
    let mut kinds: Vec<&'static str> = Condition::KINDS.to_vec();
    if !fonts.is_empty() {
        kinds.push("foreign");
    }
    let next = AtomicU64::new(0);
    let truth: Mutex<BTreeMap<&str, Tally>> = Mutex::default();
    let forged: Mutex<BTreeMap<&str, Tally>> = Mutex::default();
    let spent: Mutex<BTreeMap<&str, (f64, u64)>> = Mutex::default();
    let scores: Mutex<Vec<(bool, f64)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let renderer = Renderer::new();
                let reader = scans::reader();
                let reader = if std::env::var("NO_READER").is_ok() { None } else { reader };
                let matcher = Matcher::new(reader, Thresholds::default());
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= 2 * count {
                        break;
                    }
                    let kind = kinds[(index / 2) as usize % kinds.len()];
                    if only.as_ref().is_some_and(|only| only != kind) {
                        continue;
                    }
                    let forgery = (index % 2 == 1).then(|| forgeries[(index / 2 / kinds.len() as u64) as usize % forgeries.len()]);
                    let Some(case) = scans::case(&renderer, &fonts, first * 1_000_003 + index, kind, forgery) else {
                        continue;
                    };
                    let form = case.claimed.form(&renderer);
                    let start = Instant::now();
                    let report = match matcher.compare(&form, &case.scan) {
                        Ok(comparison) => comparison.report,
                        Err(error) => panic!("{error}"),
                    };
                    let time = start.elapsed().as_secs_f64() * 1e3;
                    let mut spent = spent.lock().unwrap();
                    let entry = spent.entry(kind).or_default();
                    (entry.0, entry.1) = (entry.0 + time, entry.1 + 1);
                    drop(spent);
                    let tally = |map: &Mutex<BTreeMap<&'static str, Tally>>, key: &'static str| {
                        let mut map = map.lock().unwrap();
                        let tally = map.entry(key).or_default();
                        match report.verdict {
                            Verdict::Match => tally.matched += 1,
                            Verdict::Unsure => tally.unsure += 1,
                            Verdict::Mismatch => tally.mismatched += 1,
                        }
                    };
                    scores.lock().unwrap().push((forgery.is_none(), report.score));
                    match forgery {
                        None => tally(&truth, kind),
                        Some(forgery) => tally(&forged, forgery),
                    }
                    let wrong = match forgery {
                        None => report.verdict != Verdict::Match,
                        Some(_) => report.verdict != Verdict::Mismatch,
                    };
                    if wrong && loud {
                        let page = &report.pages[0];
                        println!(
                            "case {index} {kind} {forgery:?} {}: {:?} {} found {:.2} residual {:.2} own {} {:?} usual {:.2}",
                            case.claim["type"], report.verdict, report.reason, page.found, page.residual, page.own_type, case.condition.dots_per_inch, page.type_fit
                        );
                        let mut wrong: Vec<_> = report.fields.iter().filter(|it| it.verdict != Verdict::Match).collect();
                        wrong.sort_by_key(|it| it.verdict != Verdict::Mismatch);
                        for field in wrong.iter().take(5) {
                            println!("    {} {:?} expected {:?} seen {:?} {:?} {}", field.name, field.verdict, field.expected, field.seen, field.votes, field.reason);
                        }
                        for (name, seen) in case.differing.iter().take(4) {
                            let field = report.fields.iter().find(|it| it.name == *name);
                            let said = field.map(|it| (it.verdict, it.expected.as_str(), it.votes));
                            println!("    forged {name} reads {seen:?} {said:?}");
                        }
                        if let Ok(folder) = std::env::var("KEEP") {
                            std::fs::write(format!("{folder}/{index}.jpg"), &case.scan).unwrap();
                            std::fs::write(format!("{folder}/{index}.json"), case.claim.to_string()).unwrap();
                        }
                    }
                }
            });
        }
    });
    for (title, map) in [("true", truth), ("forged", forged)] {
        let map = map.into_inner().unwrap();
        let mut all = Tally::default();
        for (kind, tally) in &map {
            println!(
                "match     {title:7} {kind:18} match {:4}  unsure {:4}  mismatch {:4}",
                tally.matched, tally.unsure, tally.mismatched
            );
            all.matched += tally.matched;
            all.unsure += tally.unsure;
            all.mismatched += tally.mismatched;
        }
        println!(
            "match     {title:7} {:18} match {:4}  unsure {:4}  mismatch {:4}",
            "all", all.matched, all.unsure, all.mismatched
        );
        let count = all.matched + all.unsure + all.mismatched;
        let (what, wrong) = match title {
            "true" => ("mismatch", all.mismatched),
            _ => ("match", all.matched),
        };
        let (low, high) = interval(wrong, count);
        println!(
            "match     {title:7} called {what}: {:.2} % (95 % between {low:.2} and {high:.2} %)",
            100.0 * wrong as f64 / count.max(1) as f64
        );
    }
    // What would be called a match if nothing but the worst field's score decided.
    let scores = scores.into_inner().unwrap();
    for step in 1..10 {
        let at = f64::from(step) / 10.0;
        let share = |truth: bool| {
            let own = scores.iter().filter(|it| it.0 == truth);
            let above = own.clone().filter(|it| it.1 >= at).count();
            100.0 * above as f64 / own.count().max(1) as f64
        };
        println!(
            "match     score at least {at:.1}: {:5.1} % of the true, {:5.1} % of the forged",
            share(true),
            share(false)
        );
    }
    for (kind, (time, count)) in spent.into_inner().unwrap() {
        println!("match     time    {kind:18} {:8.1} ms", time / count as f64);
    }
}
