//! Rare characters printed for common ones in another type: how often each summary is called what.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use vouchsafe::matching::{FieldReport, Matcher, Thresholds, Verdict};
use vouchsafe::render::Renderer;

use crate::peer::number;
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

/// How often it was called each of these.
const CALLED: [Verdict; 3] = [Verdict::Match, Verdict::Unsure, Verdict::Mismatch];

/// What is read, and what is printed.
type Pair = (char, char);

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

/// So many pairs of each table.
fn pairs(count: usize, random: &mut Random) -> Vec<Pair> {
    let row = |line: &str| {
        let mut characters = line.split(' ').map(|it| it.chars().next().unwrap());
        (characters.next().unwrap(), characters.next().unwrap())
    };
    let mut pairs = Vec::new();
    for table in TABLES {
        let rows = table.lines().map(row);
        let mut rows: Vec<Pair> = rows.filter(|it| !PARTS.contains(it.1)).collect();
        for _ in 0..count.min(rows.len()) {
            pairs.push(rows.swap_remove(random.below(rows.len())));
        }
    }
    pairs
}

/// What is said of each summary of a payment that is claimed with the first characters, and printed with the others.
fn compared(
    (renderer, matcher): (&Renderer, &Matcher),
    (claimed, shown): (&[char], &[char]),
    font: &[u8],
    random: &mut Random,
) -> Vec<FieldReport> {
    let claim = payment(claimed);
    let form = Printed::new(renderer, &claim, None).form(renderer);
    let mark = scans::own_mark(&claim);
    let printed = Printed::new(renderer, &payment(shown), Some(&mark));
    let setting = Setting {
        shift: 0.4,
        wider: None,
    };
    let page = foreign::print(&printed.drawing, 0, font, 300, setting, random);
    let scan = paper::scan(page, &Condition::clean(), &[], random);
    let report = matcher.compare(&form, &scan).unwrap().report;
    let name = |at: usize| format!("lines[{at}].summary");
    let field = |at| report.fields.iter().find(|it| it.name == name(at)).cloned();
    (0..claimed.len()).map(|at| field(at).unwrap()).collect()
}

/// `CASES` pairs of characters from the table of each network, in every typeface: the rare one printed for the common
/// one, and the common one for itself.
pub fn measure() {
    let loud = std::env::var("LOUD").is_ok();
    let pairs = pairs(number("CASES", 200), &mut Random::new(number("SEED", 1)));
    let vouchers = pairs.chunks(SUMMARIES.len()).filter(|it| it.len() > 1);
    let vouchers: Vec<&[Pair]> = vouchers.collect();
    let fonts = foreign::fonts();
    let next = AtomicUsize::new(0);
    let tallies = Mutex::new(vec![[[0; 3]; 2]; fonts.len()]);
    let work = || {
        let (renderer, reader) = (Renderer::new(), scans::reader());
        let matcher = Matcher::new(reader, Thresholds::default());
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(pairs) = vouchers.get(index / (2 * fonts.len())) else {
                break;
            };
            let (font, forged) = (index / 2 % fonts.len(), index % 2 == 1);
            let claimed: Vec<char> = pairs.iter().map(|it| it.0).collect();
            let rare: Vec<char> = pairs.iter().map(|it| it.1).collect();
            let shown = if forged { &rare } else { &claimed };
            let by = (&renderer, &matcher);
            let mut random = Random::new(index as u64);
            let fields = compared(by, (&claimed, shown), &fonts[font], &mut random);
            for (field, (claimed, shown)) in fields.iter().zip(claimed.iter().zip(shown)) {
                if !foreign::has(&fonts[font], *shown) {
                    continue;
                }
                let called = CALLED.iter().position(|it| *it == field.verdict).unwrap();
                tallies.lock().unwrap()[font][usize::from(forged)][called] += 1;
                if loud && (field.verdict == Verdict::Match) == forged {
                    println!("{claimed} shown as {shown} in font {font}: {field:?}");
                }
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    for (name, tallies) in ["Song", "Kai", "Hei"]
        .iter()
        .zip(tallies.into_inner().unwrap())
    {
        for (title, [matched, unsure, mismatched]) in ["common", "rare"].iter().zip(tallies) {
            println!(
                "match     {title:7} {name:18} match {matched:4}  unsure {unsure:4}  mismatch {mismatched:4}"
            );
        }
    }
}
