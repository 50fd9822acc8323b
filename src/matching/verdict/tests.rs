use super::super::competition::Tried;
use super::super::form::Area;
use super::*;

/// A scan with greys whose labels correlate so much and lack this part of their ink.
fn scan((usual, absent): (f32, f32)) -> Optics {
    Optics {
        blur: 0.8,
        cut: None,
        dark: 200.0,
        usual,
        absent,
        scatter: 0.0,
    }
}

/// The verdict on a digit, of whose ink this part is not there, with the next that explain the ink so well;
/// `read` is how much likelier the network finds the digit than any other, if it was asked, and whether it reads labels.
fn decided_on(
    optics: &Optics,
    fits: (f32, f32),
    absent: f32,
    read: (Option<f32>, bool),
) -> Verdict {
    decided_among_all(optics, fits, (absent, false), read)
}

/// A digit that was seen, and the next that explains the ink as well as that.
fn one_digit((fit, other_fit): (f32, f32), absent: f32, first: bool) -> Sighting {
    Sighting {
        glyphs: vec![Seen {
            claimed: '3',
            fit,
            other: '8',
            other_fit,
            decided: fit - other_fit,
            absent,
            refuted: 0.1,
            tried: Tried::All,
            first,
            area: Area {
                left: 0.0,
                top: 0.0,
                right: 10.0,
                bottom: 20.0,
            },
            index: (0, 0),
            offset: (0, 0),
        }],
        offset: (0, 0),
    }
}

/// The same where no character may explain the ink better.
fn decided_among_all(
    optics: &Optics,
    (fit, other_fit): (f32, f32),
    (absent, first): (f32, bool),
    (read, reads_labels): (Option<f32>, bool),
) -> Verdict {
    let sighting = one_digit((fit, other_fit), absent, first);
    let said = ("total.debit", "3");
    let at = Thresholds::default();
    let reading = read.map(|margin| reads("3", margin));
    let besides = (&readings(reading, f32::MAX), &Extra::None);
    let trust = (true, reads_labels);
    decide(said, &sighting, optics, besides, trust, &at).verdict
}

fn readings(printed: Option<Reading>, only: f32) -> Readings {
    Readings {
        printed,
        only,
        with_words: false,
    }
}

fn decided(fits: (f32, f32), labels: (f32, f32), read: Option<f32>) -> Verdict {
    decided_on(&scan(labels), fits, 0.0, (read, true))
}

/// Labels in a typeface that is much alike.
const ALIKE: (f32, f32) = (0.92, 0.05);

/// A good scan in the form's own type.
const GOOD: (f32, f32) = (0.95, 0.05);

#[test]
fn a_scan_that_has_lost_strokes_refutes_nothing() {
    let another = (0.3, 0.9);
    assert_eq!(decided(another, GOOD, None), Verdict::Mismatch);
    assert_eq!(decided(another, (0.95, 0.5), None), Verdict::Unsure);
}

#[test]
fn what_is_missing_in_black_and_white_refutes_only_where_labels_are_all_there() {
    let cut = |usual| Optics {
        cut: Some(0.55),
        ..scan((usual, 0.05))
    };
    let said = |usual| decided_on(&cut(usual), (0.3, 0.3), 0.9, (None, false));
    assert_eq!(said(0.96), Verdict::Mismatch);
    assert_eq!(said(0.92), Verdict::Unsure);
}

#[test]
fn a_network_that_cannot_read_labels_says_only_what_glyphs_say() {
    let said =
        |fits, read, reads_labels| decided_on(&scan(GOOD), fits, 0.0, (Some(read), reads_labels));
    let (clear, leans, another) = ((0.9, 0.3), (0.9, 0.85), (0.3, 0.9));
    assert_eq!(said(clear, -8.0, true), Verdict::Unsure);
    assert_eq!(said(clear, -8.0, false), Verdict::Match);
    assert_eq!(said(leans, 0.5, true), Verdict::Match);
    assert_eq!(said(leans, 0.5, false), Verdict::Unsure);
    assert_eq!(said(leans, 1.5, false), Verdict::Match);
    assert_eq!(said(leans, -8.0, false), Verdict::Unsure);
    assert_eq!(said(another, -2.0, true), Verdict::Mismatch);
    assert_eq!(said(another, -2.0, false), Verdict::Unsure);
    assert_eq!(said(another, -8.0, false), Verdict::Unsure);
    let cut = Optics {
        cut: Some(0.55),
        ..scan(GOOD)
    };
    let said = |read| decided_on(&cut, another, 0.0, (Some(read), false));
    assert_eq!(
        (said(-4.0), said(8.0)),
        (Verdict::Mismatch, Verdict::Unsure)
    );
}

#[test]
fn on_a_sharp_scan_a_thin_character_that_is_nearer_is_no_ink_over_the_claimed_one() {
    // `冖` where `一` is claimed: it fits nearly as labels do, and all ink of the claimed one is there.
    let said = |other_fit| {
        let fits = (0.7, other_fit);
        decided_among_all(&scan((0.989, 0.0)), fits, (0.0, true), (Some(2.1), true))
    };
    assert_eq!(said(0.975), Verdict::Unsure);
    assert_eq!(said(0.955), Verdict::Match);
}

#[test]
fn a_typeface_that_is_much_alike_refutes_little() {
    let another = (0.75, 0.85);
    let read = Some(-2.7);
    assert_eq!(decided(another, GOOD, read), Verdict::Unsure);
    let another = (0.3, 0.9);
    assert_eq!(decided(another, GOOD, read), Verdict::Mismatch);
    assert_eq!(decided(another, ALIKE, read), Verdict::Unsure);
    assert_eq!(decided(another, ALIKE, Some(-7.0)), Verdict::Mismatch);
}

#[test]
fn in_a_typeface_that_is_much_alike_a_sure_reading_counts_for_more_than_glyphs() {
    let another = (0.1, 0.8);
    assert_eq!(decided(another, ALIKE, Some(5.0)), Verdict::Match);
    assert_eq!(decided(another, ALIKE, Some(3.0)), Verdict::Unsure);
    assert_eq!(decided((0.3, 0.9), GOOD, Some(5.0)), Verdict::Unsure);
}

#[test]
fn what_glyphs_are_against_is_not_read_there() {
    // 菅 is printed, which the network reads as 管: no glyph fits well, under a seal, and 管 less than 菅.
    assert_eq!(decided((0.3, 0.84), GOOD, Some(3.5)), Verdict::Unsure);
    assert_eq!(decided((0.8, 0.84), GOOD, Some(3.5)), Verdict::Match);
}

#[test]
fn the_surer_the_network_is_of_something_else_the_less_ink_must_lack() {
    // None that was tried fits well.
    let said = |absent, read| decided_on(&scan(GOOD), (0.4, 0.45), absent, (Some(read), true));
    assert_eq!(said(0.1, -20.0), Verdict::Mismatch);
    assert_eq!(said(0.1, -8.0), Verdict::Unsure);
    assert_eq!(said(0.2, -8.0), Verdict::Mismatch);
    // Under a stroke of a pen nothing lacks.
    assert_eq!(said(0.0, -20.0), Verdict::Unsure);
}

#[test]
fn under_a_stroke_of_a_pen_both_votes_must_find_it() {
    let under = (0.5, 0.45);
    assert_eq!(decided(under, GOOD, Some(1.5)), Verdict::Match);
    assert_eq!(decided(under, GOOD, Some(0.5)), Verdict::Unsure);
    assert_eq!(decided((0.45, 0.5), GOOD, Some(1.5)), Verdict::Unsure);
}
#[test]
fn what_no_character_explains_better_is_found_under_what_is_written_over_it() {
    let said = |absent, first, read| {
        let ink = (0.5, 0.7);
        decided_among_all(&scan(GOOD), ink, (absent, first), (Some(read), false))
    };
    assert_eq!(said(0.01, true, 1.5), Verdict::Match);
    assert_eq!(said(0.01, false, 1.5), Verdict::Unsure);
    assert_eq!(said(0.01, true, 0.5), Verdict::Unsure);
    // Some of its ink lacks: the network must be surer.
    assert_eq!(said(0.1, true, 1.5), Verdict::Unsure);
    assert_eq!(said(0.1, true, 2.5), Verdict::Match);
    assert_eq!(said(0.2, true, 2.5), Verdict::Unsure);
}

#[test]
fn between_two_characters_that_fit_as_labels_do_the_network_tells() {
    let said = |fits, read| decided_on(&scan(GOOD), fits, 0.0, (Some(read), false));
    assert_eq!(said((0.95, 0.952), 3.5), Verdict::Match);
    assert_eq!(said((0.95, 0.952), 0.5), Verdict::Unsure);
    assert_eq!(said((0.85, 0.952), 3.5), Verdict::Unsure);
}

#[test]
fn what_another_character_fits_as_labels_do_is_not_read_as_the_common_one() {
    // 帏 is printed, and 冖: the network reads 韩 and 一 by 10 and by 8, and their glyphs fit less.
    let labels = (0.96, 0.05);
    assert_eq!(decided((0.59, 0.98), labels, Some(10.0)), Verdict::Unsure);
    assert_eq!(decided((0.60, 0.98), labels, Some(8.0)), Verdict::Unsure);
    // In a type that is only much like the form's, another may well fit as labels do.
    let much_alike = (0.945, 0.05);
    assert_eq!(
        decided((0.59, 0.98), much_alike, Some(10.0)),
        Verdict::Match
    );
    // What is hardly nearer to another is read.
    assert_eq!(decided((0.9, 0.98), labels, Some(8.0)), Verdict::Match);
    // Nor is 一 found under something, where 冖 is there and no more.
    let part = decided_among_all(&scan(labels), (0.6, 0.98), (0.0, true), (Some(8.0), true));
    assert_eq!(part, Verdict::Unsure);
    // Under a seal no other fits as labels do.
    assert_eq!(decided((0.65, 0.8), labels, Some(8.0)), Verdict::Match);
}

/// What the network says where it is as sure of the text as by a margin.
fn reads(text: &str, margin: f32) -> Reading {
    Reading {
        text: text.to_owned(),
        margin,
        alone: margin,
        doubt: None,
    }
}

#[test]
fn with_ink_beside_clear_glyphs_the_network_must_find_nothing_but_the_claim() {
    let beside = |name: &str, fits, margin: f32| {
        let reading = reads("3", margin);
        let besides = (&readings(Some(reading), margin), &Extra::Perhaps);
        let (sighting, at) = (one_digit(fits, 0.0, false), Thresholds::default());
        decide(
            (name, "3"),
            &sighting,
            &scan(GOOD),
            besides,
            (true, true),
            &at,
        )
        .verdict
    };
    let (clear, covered) = ((0.95, 0.3), (0.5, 0.45));
    assert_eq!(beside("date", clear, 1.5), Verdict::Match);
    assert_eq!(beside("date", clear, 0.5), Verdict::Unsure);
    assert_eq!(beside("date", covered, 1.5), Verdict::Unsure);
    assert_eq!(beside("date", covered, 2.5), Verdict::Match);
    // What stands beside an amount may be a part of it.
    assert_eq!(beside("total.debit", clear, 20.0), Verdict::Unsure);
}

#[test]
fn in_black_and_white_no_network_says_what_specks_beside_a_text_were() {
    let with = |optics: Optics| {
        let besides = (&readings(Some(reads("3", 20.0)), 20.0), &Extra::Perhaps);
        let (sighting, at) = (one_digit((0.95, 0.3), 0.0, false), Thresholds::default());
        decide(
            ("number", "3"),
            &sighting,
            &optics,
            besides,
            (true, true),
            &at,
        )
        .verdict
    };
    assert_eq!(with(scan(GOOD)), Verdict::Match);
    let bilevel = Optics {
        cut: Some(0.5),
        ..scan(GOOD)
    };
    assert_eq!(with(bilevel), Verdict::Unsure);
}

#[test]
fn where_labels_are_not_read_clear_glyphs_and_more_beside_them_are_no_match() {
    let clear_but = |text: &str| {
        let reading = reads(text, -7.8);
        let besides = (&readings(Some(reading), f32::MAX), &Extra::None);
        let (sighting, at) = (one_digit((0.95, 0.3), 0.0, false), Thresholds::default());
        decide(
            ("number", "3"),
            &sighting,
            &scan(GOOD),
            besides,
            (true, false),
            &at,
        )
        .verdict
    };
    assert_eq!(clear_but("8"), Verdict::Match);
    assert_ne!(clear_but("34"), Verdict::Match);
}
