//! Rare characters printed for common ones in another type: how often each summary is called what.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use vouchsafe::matching::{Matcher, Thresholds, Verdict};
use vouchsafe::render::Renderer;

use crate::scans::condition::Condition;
use crate::scans::foreign::Setting;
use crate::scans::random::Random;
use crate::scans::{self, Printed, foreign, paper};

/// What the networks take for what: the character that is read, and the one that is printed.
const TABLES: [&str; 2] = [
    include_str!("../../src/matching/misread/tiny.txt"),
    include_str!("../../src/matching/misread/small.txt"),
];
/// Characters that are no words.
const PARTS: &str = include_str!("../../src/matching/misread/parts.txt");
/// What is said before and after a character.
const SUMMARIES: [(&str, &str); 4] = [
    ("购", "一批"),
    ("付", "司款"),
    ("", "先生报销"),
    ("收到", "款"),
];

/// How the summaries that show something were called.
#[derive(Default, Clone, Copy)]
struct Tally([u64; 3]);

/// A payment for things that have these characters.
fn payment(characters: &[char]) -> Value {
    let mut voucher = scans::vouchers::voucher(&mut Random::new(7), "payment");
    let line = voucher["lines"][0].clone();
    let last = characters.len() - 1;
    let lines = characters.iter().zip(SUMMARIES).enumerate();
    let lines = lines.map(|(at, (character, (before, after)))| {
        let mut line = line.clone();
        line["summary"] = json!(format!("{before}{character}{after}"));
        let side = if at == last { "credit" } else { "debit" };
        let amount = if at == last { 700 * last } else { 700 };
        line.as_object_mut()
            .unwrap()
            .retain(|key, _| key != "debit" && key != "credit");
        line[side] = json!(format!("{amount}.00"));
        line
    });
    voucher["lines"] = lines.collect();
    voucher
}

/// `CASES` pairs of characters from the table of each network, in every typeface: the rare one printed for the common
/// one, and the common one for itself.
pub fn measure() {
    let number = |name: &str, default: usize| {
        let given = std::env::var(name).ok().and_then(|it| it.parse().ok());
        given.unwrap_or(default)
    };
    let loud = std::env::var("LOUD").is_ok();
    let mut random = Random::new(number("SEED", 1) as u64);
    let mut pairs: Vec<(char, char)> = Vec::new();
    for table in TABLES {
        let row = |line: &str| {
            let mut characters = line.split(' ').map(|it| it.chars().next().unwrap());
            (characters.next().unwrap(), characters.next().unwrap())
        };
        let mut rows: Vec<_> = table
            .lines()
            .map(row)
            .filter(|it| !PARTS.contains(it.1))
            .collect();
        for _ in 0..number("CASES", 200).min(rows.len()) {
            pairs.push(rows.swap_remove(random.below(rows.len())));
        }
    }
    let fonts = foreign::fonts();
    let vouchers: Vec<&[(char, char)]> = pairs
        .chunks(SUMMARIES.len())
        .filter(|it| it.len() > 1)
        .collect();
    let next = AtomicUsize::new(0);
    let tallies = Mutex::new(vec![[Tally::default(); 2]; fonts.len()]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let renderer = Renderer::new();
                let matcher = Matcher::new(scans::reader(), Thresholds::default());
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(pairs) = vouchers.get(index / (2 * fonts.len())) else {
                        break;
                    };
                    let (font, forged) = (index / 2 % fonts.len(), index % 2 == 1);
                    let claimed: Vec<char> = pairs.iter().map(|it| it.0).collect();
                    let rare: Vec<char> = pairs.iter().map(|it| it.1).collect();
                    let claim = payment(&claimed);
                    let form = Printed::new(&renderer, &claim, None).form(&renderer);
                    let shown = if forged { &rare } else { &claimed };
                    let mark = scans::own_mark(&claim);
                    let printed = Printed::new(&renderer, &payment(shown), Some(&mark));
                    let mut random = Random::new(index as u64);
                    let setting = Setting {
                        shift: 0.4,
                        wider: None,
                    };
                    let page = foreign::print(
                        &printed.drawing,
                        0,
                        &fonts[font],
                        300,
                        setting,
                        &mut random,
                    );
                    let scan = paper::scan(page, &Condition::clean(), &[], &mut random);
                    let report = matcher.compare(&form, &scan).unwrap().report;
                    for (at, (claimed, shown)) in claimed.iter().zip(shown).enumerate() {
                        if !foreign::has(&fonts[font], *shown) {
                            continue;
                        }
                        let name = format!("lines[{at}].summary");
                        let field = report.fields.iter().find(|it| it.name == name).unwrap();
                        let called = [Verdict::Match, Verdict::Unsure, Verdict::Mismatch];
                        let called = called.iter().position(|it| *it == field.verdict).unwrap();
                        tallies.lock().unwrap()[font][usize::from(forged)].0[called] += 1;
                        if loud && (called == 0) == forged {
                            println!(
                                "{claimed} shown as {shown} in font {font}: {:?} {:?} {}",
                                field.verdict, field.votes, field.reason
                            );
                        }
                    }
                }
            });
        }
    });
    let names = ["Song", "Kai", "Hei"];
    for (name, tallies) in names.iter().zip(tallies.into_inner().unwrap()) {
        for (title, Tally([matched, unsure, mismatched])) in ["common", "rare"].iter().zip(tallies)
        {
            println!(
                "match     {title:7} {name:18} match {matched:4}  unsure {unsure:4}  mismatch {mismatched:4}"
            );
        }
    }
}
