//! What the paper shows decides, whatever happened to the paper.

use std::sync::Mutex;

use vouchsafe::matching::{Comparison, FieldReport, Matcher, Report, Thresholds, Verdict};
use vouchsafe::render::Renderer;

use crate::scans::condition::Condition;
use crate::scans::{self, Case, Printed, foreign, forge::FORGERIES};

/// Seeds that the thresholds were not calibrated with.
pub const SEED: u64 = 770_000;

pub fn matcher() -> Matcher {
    let reader =
        scans::reader().expect("the network is not there; `make test` brings it (build/models.sh)");
    Matcher::new(Some(reader), Thresholds::default())
}

pub fn compare(matcher: &Matcher, renderer: &Renderer, case: &Case) -> Comparison {
    matcher
        .compare(&case.claimed.form(renderer), &case.scan)
        .unwrap()
}

fn report(matcher: &Matcher, renderer: &Renderer, case: &Case) -> Report {
    compare(matcher, renderer, case).report
}

/// Cases of some kinds on two threads; `check` says what is wrong with a report.
fn each(
    kinds: &[&'static str],
    forgery: impl Fn(u64) -> Option<&'static str> + Sync,
    of_each: u64,
    check: impl Fn(&Case, &Report) -> Option<String> + Sync,
) -> Vec<String> {
    let work: Vec<(u64, &'static str)> = kinds
        .iter()
        .enumerate()
        .flat_map(|(at, kind)| {
            (0..of_each).map(move |index| (SEED + 100 * at as u64 + index, *kind))
        })
        .collect();
    let (work, wrong) = (Mutex::new(work), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let (renderer, matcher) = (Renderer::new(), matcher());
                let fonts = foreign::fonts();
                loop {
                    let next = work.lock().unwrap().pop();
                    let Some((seed, kind)) = next else { break };
                    let Some(case) = scans::case(&renderer, &fonts, seed, kind, forgery(seed))
                    else {
                        continue;
                    };
                    let report = report(&matcher, &renderer, &case);
                    if let Some(why) = check(&case, &report) {
                        let fields = report.fields.iter();
                        let doubtful: Vec<String> = fields
                            .filter(|it| it.verdict != Verdict::Match)
                            .map(|it| format!("{} {:?} {:?}", it.name, it.expected, it.votes))
                            .collect();
                        let line = format!("{kind} {seed} {:?}: {why}: {doubtful:?}", case.forgery);
                        wrong.lock().unwrap().push(line);
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

#[test]
fn true_vouchers_match_on_ordinary_scans() {
    let kinds = [
        "clean", "rotated", "turned", "fine", "seals", "dirty", "blurred", "jpeg",
    ];
    let wrong = each(
        &kinds,
        |_| None,
        3,
        |_, report| (report.verdict != Verdict::Match).then(|| format!("{:?}", report.verdict)),
    );
    // The figures have the rates; one signature may lie so that nobody could read the name beneath.
    assert!(wrong.len() <= 1, "{wrong:#?}");
    assert!(
        !wrong.iter().any(|it| it.contains("Mismatch")),
        "{wrong:#?}"
    );
}

#[test]
fn a_name_under_a_signature_and_an_october_in_another_type_are_found() {
    let (renderer, matcher) = (Renderer::new(), matcher());
    let verdict = |index: u64, kind, field: &str| {
        let seed = 901 * 1_000_003 + index;
        let case = scans::case(&renderer, &foreign::fonts(), seed, kind, None).unwrap();
        let report = report(&matcher, &renderer, &case);
        let found = report.fields.iter().find(|it| it.name == field).unwrap();
        (found.expected.clone(), found.verdict)
    };
    let signed = verdict(90, "clean", "bookkeeper");
    assert_eq!(signed, ("范伟梅".to_owned(), Verdict::Match));
    let october = verdict(58, "foreign", "date");
    assert_eq!(october, ("15 October 2024".to_owned(), Verdict::Match));
}

/// Every one of these true vouchers, told by how it was scanned and by the seed and the index in the figures, is a match.
fn each_matches(cases: &[(&'static str, u64, u64)]) {
    let (renderer, matcher) = (Renderer::new(), matcher());
    for (kind, run, index) in cases {
        let seed = run * 1_000_003 + index;
        let case = scans::case(&renderer, &foreign::fonts(), seed, kind, None).unwrap();
        let report = report(&matcher, &renderer, &case);
        let why = format!("{kind} {run} {index}: {}", report.reason);
        assert_eq!(report.verdict, Verdict::Match, "{why}");
    }
}

#[test]
fn what_shines_through_a_crease_and_a_seal_beside_a_text_say_nothing() {
    each_matches(&[
        ("dirty", 1156, 108),
        ("dirty", 1156, 258),
        ("folded", 1146, 84),
        ("folded", 1146, 144),
        ("seals", 1144, 434),
        ("seals", 1144, 794),
        ("grey", 1144, 250),
        ("grey", 1144, 1_330),
        ("grey", 1144, 1_510),
    ]);
}

#[test]
fn a_mark_that_the_network_reads_over_the_code_of_a_currency_says_nothing() {
    each_matches(&[("blurred", 1187, 380), ("jpeg", 1192, 382)]);
}

#[test]
fn what_a_crease_hides_is_not_called_otherwise() {
    let (renderer, matcher) = (Renderer::new(), matcher());
    // A crease along `一`.
    let seed = 1131 * 1_000_003 + 204;
    let case = scans::case(&renderer, &[], seed, "folded", None).unwrap();
    let report = report(&matcher, &renderer, &case);
    let summary = |it: &&FieldReport| it.name == "lines[2].summary";
    let found = report.fields.iter().find(summary).unwrap();
    assert_eq!(found.expected, "购入钢材一批");
    assert_eq!(found.verdict, Verdict::Unsure, "{found:?}");
    assert_eq!(found.reason, "a crease lies over it");
}

#[test]
fn words_of_a_date_that_stand_nearer_in_another_type_make_no_other_date() {
    let (renderer, matcher) = (Renderer::new(), matcher());
    let seed = 1141 * 1_000_003 + 298;
    let case = scans::case(&renderer, &foreign::fonts(), seed, "foreign", None).unwrap();
    let report = report(&matcher, &renderer, &case);
    let date = report.fields.iter().find(|it| it.name == "date");
    let date = date.unwrap();
    assert_eq!(date.expected, "2024-02-13");
    assert_ne!(date.verdict, Verdict::Mismatch, "{date:?}");
}

#[test]
fn in_another_type_what_says_nothing_of_a_value_casts_no_doubt_on_it() {
    let (renderer, matcher, fonts) = (Renderer::new(), matcher(), foreign::fonts());
    for (run, index, why) in [
        (912, 298, "a tick of the form and the letters of a currency"),
        (913, 388, "small letters for large ones"),
        (915, 58, "a rule read as a comma after a name"),
        (916, 328, "the sign before an amount read as a character"),
        (917, 28, "the sign before an amount in another shape"),
        (918, 238, "a figure read as a letter"),
        (1144, 118, "the letter l read as a figure in million"),
    ] {
        let seed = run * 1_000_003 + index;
        let case = scans::case(&renderer, &fonts, seed, "foreign", None).unwrap();
        let report = report(&matcher, &renderer, &case);
        // What the network may misread is another matter.
        let known = |it: &&FieldReport| !it.reason.starts_with("the network may read");
        let untold = report.fields.iter().filter(known);
        let untold = untold.filter(|it| it.verdict != Verdict::Match);
        let untold: Vec<_> = untold.map(|it| (&it.expected, &it.reason)).collect();
        assert!(untold.is_empty(), "{why}: {untold:?}");
    }
}

#[test]
fn what_a_scan_in_black_and_white_has_lost_is_known() {
    let wrong = each(
        &["bilevel"],
        |_| None,
        12,
        |case, report| {
            let told = |it: &&FieldReport| it.verdict == Verdict::Match;
            let doubtful = report.fields.len() - report.fields.iter().filter(told).count();
            // Where the lost strokes are all that tells a character from another, a person looks.
            let fine = case.condition.dots_per_inch == 300;
            (fine && doubtful > 2 || report.verdict == Verdict::Mismatch).then(String::new)
        },
    );
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn on_a_coarse_scan_characters_are_told_from_others_with_their_neighbours() {
    let wrong = each(
        &["low-resolution"],
        |_| None,
        12,
        |case, report| {
            let readable = case.condition.dots_per_inch > 100;
            (readable && report.verdict != Verdict::Match).then(String::new)
        },
    );
    assert!(wrong.len() <= 2, "{wrong:#?}");
}

#[test]
fn paper_that_hangs_lower_between_the_corners_of_its_table_is_followed() {
    each_matches(&[
        ("photo", 903, 476),
        ("photo", 905, 386),
        // Half of the paper lies flat, and a corner hangs.
        ("folded", 1181, 264),
        ("folded", 1181, 354),
        // A jump of half a millimetre, beside a crease.
        ("folded", 1185, 474),
        // A long text where no anchor is near.
        ("folded", 1186, 144),
        // One anchor is found a column of the grid off.
        ("photo", 1183, 26),
    ]);
}

#[test]
fn what_the_ink_is_likest_to_and_what_lies_over_it_are_told_apart() {
    let (renderer, matcher) = (Renderer::new(), matcher());
    for (index, kind, why) in [
        (486, "low-resolution", "a character among all others"),
        (130, "grey", "a seal over the rules of an amount"),
        (414, "folded", "the shade of a crease"),
        (136, "pen", "a scrawl in a row that has no line"),
    ] {
        let seed = 961 * 1_000_003 + index;
        let case = scans::case(&renderer, &foreign::fonts(), seed, kind, None).unwrap();
        let report = report(&matcher, &renderer, &case);
        assert_eq!(report.verdict, Verdict::Match, "{why}: {}", report.reason);
    }
}

#[test]
fn hard_scans_of_true_vouchers_are_never_called_otherwise() {
    let kinds = [
        "low-resolution",
        "grey",
        "bilevel",
        "pen",
        "folded",
        "photo",
    ];
    let wrong = each(
        &kinds,
        |_| None,
        2,
        |_, report| (report.verdict == Verdict::Mismatch).then(|| "a mismatch".to_owned()),
    );
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn a_forged_voucher_never_matches_and_the_forged_field_is_named() {
    // The last is done to the print; see `added`.
    let (kinds, data) = (
        ["clean", "seals", "photo"],
        FORGERIES.split_last().unwrap().1,
    );
    let forgery = |seed: u64| Some(data[(seed % data.len() as u64) as usize]);
    let wrong = each(&kinds, forgery, data.len() as u64, |case, report| {
        if report.verdict == Verdict::Match {
            return Some("it matched".to_owned());
        }
        if case.condition.name != "clean" {
            return None;
        }
        if report.verdict != Verdict::Mismatch {
            return Some("a clean scan did not tell".to_owned());
        }
        // What differs is called so, and what does not is not.
        let base = |name: &str| {
            if name.starts_with("date.") {
                "date".to_owned()
            } else {
                name.to_owned()
            }
        };
        let differing: Vec<String> = case.differing.iter().map(|it| base(&it.0)).collect();
        let called = report
            .fields
            .iter()
            .filter(|field| field.verdict == Verdict::Mismatch);
        let invented: Vec<&str> = called
            .clone()
            .map(|field| field.name.as_str())
            .filter(|name| !differing.iter().any(|it| it == name) && *name != "lines")
            .collect();
        if !invented.is_empty() {
            return Some(format!("invented {invented:?}"));
        }
        (called.count() == 0).then(|| "nothing named".to_owned())
    });
    assert_eq!(wrong, Vec::<String>::new());
}

/// What is printed instead of what is claimed looks like it, and on a clean scan all ink of the claim is nearly there.
#[test]
fn a_character_that_looks_like_the_claimed_one_never_matches() {
    use serde_json::{Value, json};
    let (renderer, matcher) = (Renderer::new(), matcher());
    let mut random = scans::random::Random::new(SEED);
    let mut printed = scans::vouchers::voucher(&mut random, "payment");
    printed["company"] = json!("深圳样例科技有限公司");
    printed["ledger"] = json!("主账套");
    printed["lines"][0]["summary"] = json!("缴纳增值税");
    printed["lines"][0]["account"] = json!("生产成本");
    printed["preparer"] = json!("贾钢用");
    let paper = Printed::new(&renderer, &printed, None);
    let page = paper.page(&renderer, 300);
    let scan = scans::paper::scan(page, &Condition::clean(), &[], &mut random);
    let verdict = |claim: &Value| {
        // The mark says nothing: the forger has the claim's.
        let mark = scans::own_mark(&printed);
        let claimed = Printed::new(&renderer, claim, Some(&mark)).form(&renderer);
        let report = matcher.compare(&claimed, &scan).unwrap().report;
        report.verdict
    };
    assert_eq!(verdict(&printed), Verdict::Match);
    for (field, printed_as, claimed_as) in [
        ("/ledger", '账', '胀'),
        ("/ledger", '套', '膏'),
        ("/company", '技', '枝'),
        ("/company", '司', '遢'),
        ("/lines/0/summary", '值', '僖'),
        ("/lines/0/summary", '税', '蜕'),
        ("/lines/0/account", '产', '严'),
        ("/lines/0/account", '生', '坐'),
        ("/preparer", '钢', '锏'),
        ("/preparer", '用', '瑁'),
    ] {
        let mut claim = printed.clone();
        let text = claim.pointer_mut(field).unwrap();
        let changed = text
            .as_str()
            .unwrap()
            .replace(printed_as, &claimed_as.to_string());
        *text = json!(changed);
        assert_ne!(verdict(&claim), Verdict::Match, "{changed} in {field}");
    }
}

#[test]
fn without_the_network_a_clean_scan_is_told_and_a_forged_one_never_matches() {
    let renderer = Renderer::new();
    let matcher = Matcher::new(None, Thresholds::default());
    let mut matched = 0;
    for seed in 0..4 {
        let case = scans::case(&renderer, &[], SEED + 900 + seed, "rotated", None).unwrap();
        let found = report(&matcher, &renderer, &case);
        assert!(
            !found.reader && found.verdict != Verdict::Mismatch,
            "{}",
            found.reason
        );
        matched += u32::from(found.verdict == Verdict::Match);
    }
    assert!(matched >= 2, "only {matched} of 4");
    for (seed, forgery) in ["digit", "name", "digit-before", "other-voucher"]
        .into_iter()
        .enumerate()
    {
        let case = scans::case(
            &renderer,
            &[],
            SEED + 950 + seed as u64,
            "clean",
            Some(forgery),
        );
        let case = case.unwrap();
        let found = report(&matcher, &renderer, &case);
        assert_ne!(found.verdict, Verdict::Match, "{forgery}");
    }
}
