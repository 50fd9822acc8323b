//! Matching: true and forged vouchers, degraded in every way; how often each is called what, and how long it takes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use vouchsafe::matching::{Matcher, Thresholds, Verdict};
use vouchsafe::render::Renderer;

use crate::scans::{self, foreign, forge, paper};

#[derive(Default, Clone, Copy)]
struct Tally {
    matched: u64,
    unsure: u64,
    mismatched: u64,
}

pub fn measure() {
    let number = |name: &str, default: u64| {
        std::env::var(name)
            .ok()
            .and_then(|it| it.parse().ok())
            .unwrap_or(default)
    };
    let (count, first) = (number("CASES", 400), number("SEED", 1));
    let only = std::env::var("KIND").ok();
    let loud = std::env::var("LOUD").is_ok();
    let fonts = foreign::fonts();
    let mut kinds: Vec<&'static str> = paper::Condition::KINDS.to_vec();
    if !fonts.is_empty() {
        kinds.push("foreign");
    }
    kinds.retain(|kind| only.as_ref().is_none_or(|only| only == kind));
    let next = AtomicU64::new(0);
    let truth: Mutex<BTreeMap<&str, Tally>> = Mutex::default();
    let forged: Mutex<BTreeMap<&str, Tally>> = Mutex::default();
    let spent: Mutex<BTreeMap<&str, (f64, u64)>> = Mutex::default();
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
                    let forgery = (index % 2 == 1).then(|| forge::FORGERIES[(index / 2 / kinds.len() as u64) as usize % forge::FORGERIES.len()]);
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
                        for field in report.fields.iter().filter(|it| it.verdict != Verdict::Match).take(5) {
                            println!("    {} {:?} expected {:?} seen {:?} {:?} {}", field.name, field.verdict, field.expected, field.seen, field.votes, field.reason);
                        }
                        for (name, seen) in case.differing.iter().take(4) {
                            println!("    forged {name} reads {seen:?}");
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
    }
    for (kind, (time, count)) in spent.into_inner().unwrap() {
        println!("match     time    {kind:18} {:8.1} ms", time / count as f64);
    }
}
