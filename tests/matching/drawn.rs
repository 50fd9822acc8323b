//! What somebody drew on the paper: strokes, ticks, figures in their hand; and what a scanner draws.

use image::RgbImage;
use vouchsafe::matching::Verdict;
use vouchsafe::render::Renderer;

use crate::ink::{DOTS_PER_INCH, UNITS, origin, paper, print, stroke, verdict};
use crate::scans::random::Random;
use crate::scans::{Printed, own_mark, vouchers};

const BLUE: [u8; 3] = [20, 30, 120];

/// Figures as a hand writes them: points from the left and from above, as parts of their height.
const TWO_AND_EIGHT: [&[(f32, f32)]; 2] = [
    &[
        (0.02, 0.22),
        (0.15, 0.03),
        (0.38, 0.02),
        (0.5, 0.2),
        (0.42, 0.45),
        (0.03, 0.98),
        (0.55, 0.95),
    ],
    &[
        (1.15, 0.15),
        (0.95, 0.02),
        (0.75, 0.15),
        (0.8, 0.35),
        (1.1, 0.62),
        (1.15, 0.85),
        (0.95, 1.0),
        (0.72, 0.86),
        (0.8, 0.62),
        (1.1, 0.35),
        (1.15, 0.15),
    ],
];
const FIVE: &[(f32, f32)] = &[
    (0.55, 0.0),
    (0.12, 0.02),
    (0.08, 0.42),
    (0.35, 0.36),
    (0.55, 0.6),
    (0.4, 0.95),
    (0.02, 0.9),
];
const TICK: &[(f32, f32)] = &[(0.0, 0.62), (0.25, 1.0), (0.81, 0.0)];

/// A shape of lines so tall, from its upper left corner on.
fn draw(picture: &RgbImage, lines: &[&[(f32, f32)]], (x, y): (f32, f32), tall: f32) -> RgbImage {
    let mut drawn = picture.clone();
    for line in lines {
        let points: Vec<_> = line
            .iter()
            .map(|(right, down)| (x + right * tall, y + down * tall))
            .collect();
        stroke(&mut drawn, &points, 5, BLUE);
    }
    drawn
}

/// A place that is empty: its left edge, its top, its width and its height in pixels.
fn places(printed: &Printed, is_wanted: impl Fn(&str) -> bool) -> Vec<[f32; 4]> {
    let fields = printed.drawing.fields().iter();
    let empty = fields.filter(|it| it.text.is_empty() && is_wanted(&it.name));
    empty
        .map(|it| &it.rectangle)
        .map(|at| [at.x, at.y, at.width, at.height].map(|it| it as f32 / UNITS))
        .collect()
}

fn is_amount(name: &str) -> bool {
    name.starts_with("lines[") && (name.ends_with("debit") || name.ends_with("credit"))
}

/// Up and down around a place, as initials are.
fn scrawl(picture: &RgbImage, (x, y): (f32, f32)) -> RgbImage {
    let mut scrawled = picture.clone();
    let points: Vec<_> = (-60..=60)
        .map(|step| step as f32 / 60.0)
        .map(|part| (x + 45.0 * part, y + 20.0 * (part * 9.0).sin()))
        .collect();
    stroke(&mut scrawled, &points, 5, BLUE);
    scrawled
}

#[test]
fn a_stroke_of_a_pen_across_rows_is_no_amount_and_hides_none() {
    let (renderer, printed, form, page) = paper(71);
    let field = ["lines[0].debit", "lines[0].credit"];
    let mut fields = printed.drawing.fields().iter();
    let is_amount = |name: &str| field.contains(&name);
    let field = fields.find(|it| is_amount(&it.name) && !it.text.is_empty());
    let ((x, y), size) = origin(&printed, &field.unwrap().name);
    // Down the column beside the first digit.
    let middle = (x - 0.55 * size, y - 0.35 * size);
    let struck = |picture: &RgbImage| {
        let mut struck = picture.clone();
        let (dx, dy) = (1.9 * size, 3.6 * size);
        let ends = [
            (middle.0 - dx, middle.1 - dy),
            (middle.0 + dx, middle.1 + dy),
        ];
        stroke(&mut struck, &ends, 5, BLUE);
        struck
    };
    assert_eq!(verdict(&form, &struck(&page)), Verdict::Match);
    for digit in "2568".chars() {
        let mut forged = page.clone();
        let at = (middle.0 - 0.25 * size, y);
        print(&renderer, &mut forged, digit, at, (size, [0; 3]));
        assert_ne!(verdict(&form, &struck(&forged)), Verdict::Match, "{digit}");
    }
}

#[test]
fn scrawls_and_ticks_where_nothing_is_claimed_are_nothing_and_words_are() {
    let (renderer, printed, form, page) = paper(71);
    let rows = places(&printed, |name| name == "lines");
    let middle = |index: usize| {
        let [x, y, width, height] = rows[index];
        (x + width / 2.0, y + height / 2.0)
    };
    assert_eq!(middle(0).1, middle(1).1);
    let scrawled = scrawl(&scrawl(&page, middle(0)), middle(1));
    assert_eq!(verdict(&form, &scrawled), Verdict::Match);
    let [x, y, width, height] = places(&printed, is_amount)[0];
    let ticked = draw(&page, &[TICK], (x + width / 3.0, y + 4.0), height - 8.0);
    let ticked = draw(
        &ticked,
        &[TICK],
        (rows[0][0] + 30.0, rows[0][1] + 4.0),
        height - 8.0,
    );
    assert_eq!(verdict(&form, &ticked), Verdict::Match);
    // A figure wider than any print, in one stroke: no amount stands beside it where words would, and in an amount's place it
    // may be one.
    let wide: Vec<_> = FIVE
        .iter()
        .map(|(right, down)| (3.0 * right, *down))
        .collect();
    let words = rows[0];
    let amounts = rows
        .iter()
        .find(|it| it[1] == words[1] && it[0] > middle(1).0 + 300.0);
    for ([x, y, width, height], expected) in [
        (words, Verdict::Match),
        (*amounts.unwrap(), Verdict::Unsure),
    ] {
        let at = (x + width / 3.0, y + 0.2 * height);
        let written = draw(&page, &[&wide], at, 0.5 * height);
        assert_eq!(verdict(&form, &written), expected, "{at:?}");
    }
    // A dash where there is no amount says so.
    let [x, y, width, height] = places(&printed, is_amount)[0];
    let dash = [
        (x + 0.4 * width, y + 0.5 * height),
        (x + 0.4 * width + 14.0, y + 0.5 * height),
    ];
    let mut dashed = page.clone();
    stroke(&mut dashed, &dash, 2, [0; 3]);
    assert_eq!(verdict(&form, &dashed), Verdict::Match);
    // Whether it is a word or hangs together in a single character.
    let (x, y) = middle(1);
    for word in ["租金", "租"] {
        let mut written = page.clone();
        for (index, character) in word.chars().enumerate() {
            let at = (x + (index as f32 - 1.0) * 44.0, y + 14.0);
            print(&renderer, &mut written, character, at, (40.0, [0; 3]));
        }
        assert_ne!(verdict(&form, &written), Verdict::Match, "{word}");
    }
}

#[test]
fn figures_in_somebodys_hand_where_nothing_is_claimed_are_seen() {
    let (_, printed, form, page) = paper(71);
    let amount = places(&printed, is_amount)[0];
    let row = places(&printed, |name| name == "lines")[0];
    // In a cell of an amount, small below its upper rule, in a row without a line, and between two of these.
    let places = [
        (amount, 0.15, 0.6),
        (amount, 0.0, 0.3),
        (row, 0.2, 0.6),
        (row, 0.72, 0.6),
    ];
    for ([x, y, width, height], down, tall) in places {
        let at = (x + width / 3.0, y + down * height);
        let written = draw(&page, &TWO_AND_EIGHT, at, tall * height);
        assert_eq!(verdict(&form, &written), Verdict::Unsure, "{at:?}");
    }
}

#[test]
fn an_amount_that_was_added_in_the_place_of_a_seal_is_seen() {
    let renderer = Renderer::new();
    let hidden = |printed: &Printed| {
        let slots = printed.drawing.slots().iter();
        let seals: Vec<_> = slots.filter(|it| it.name == "seal").collect();
        let [x, y, _, height] = places(printed, is_amount).into_iter().find(|place| {
            seals.iter().any(|seal| {
                let at = &seal.rectangle;
                let edge = |it: i32| it as f32 / UNITS;
                edge(at.x) < place[0]
                    && place[0] + 100.0 < edge(at.x + at.width)
                    && edge(at.y) < place[1] + 0.4 * place[3]
                    && place[1] + place[3] < edge(at.y + at.height)
            })
        })?;
        Some((x + 15.0, y + 0.75 * height))
    };
    let (printed, (x, y)) = (0..60)
        .map(|seed| vouchers::voucher(&mut Random::new(seed), "general"))
        .map(|voucher| Printed::new(&renderer, &voucher, None))
        .find_map(|printed| hidden(&printed).map(|at| (printed, at)))
        .unwrap();
    let form = printed.form(&renderer);
    let page = printed.page(&renderer, DOTS_PER_INCH);
    assert_eq!(verdict(&form, &page), Verdict::Match);
    let mut forged = page.clone();
    for (index, digit) in "580".chars().enumerate() {
        let at = (x + 20.0 * index as f32, y);
        print(&renderer, &mut forged, digit, at, (40.0, [0; 3]));
    }
    assert_ne!(verdict(&form, &forged), Verdict::Match);
}

#[test]
fn a_name_under_the_ink_of_a_pen_is_told_by_its_colour() {
    let (renderer, printed, form, page) = paper(71);
    let ((x, y), size) = origin(&printed, "preparer");
    let signed = |picture: &RgbImage| {
        let mut signed = picture.clone();
        for row in 0..4 {
            let points: Vec<_> = (0..=24)
                .map(|step| step as f32)
                .map(|step| {
                    let down = 0.1 + 0.2 * row as f32 + 0.13 * (step * 1.9 + row as f32).sin();
                    (x + (step / 7.0 - 0.3) * size, y - down * size)
                })
                .collect();
            stroke(&mut signed, &points, 5, BLUE);
        }
        signed
    };
    assert_eq!(verdict(&form, &signed(&page)), Verdict::Match);
    let mut claim: serde_json::Value = serde_json::from_slice(&printed.data).unwrap();
    let name = claim["preparer"].as_str().unwrap();
    let other: String = name.chars().take(1).chain("冰山".chars()).collect();
    claim["preparer"] = serde_json::json!(other);
    let mark = own_mark(&serde_json::from_slice(&printed.data).unwrap());
    let forged = Printed::new(&renderer, &claim, Some(&mark));
    let forged = forged.page(&renderer, DOTS_PER_INCH);
    assert_ne!(verdict(&form, &signed(&forged)), Verdict::Match);
}

#[test]
fn lines_that_dust_on_a_scanner_draws_are_no_ink() {
    let (renderer, printed, form, page) = paper(71);
    let (bottom, right) = (page.height() as f32 - 2.0, page.width() as f32 - 2.0);
    let ((x, y), size) = origin(&printed, "lines[0].debit");
    let [empty_x, empty_y, width, height] = places(&printed, |name| name == "lines")[1];
    // Along a row of text, and down the columns of an amount and of an empty place.
    let streaked = |picture: &RgbImage| {
        let mut scanned = picture.clone();
        for x in [x + 0.3 * size, empty_x + 0.3 * width] {
            stroke(&mut scanned, &[(x, 0.0), (x, bottom)], 2, [120; 3]);
        }
        for row in [0.0, height] {
            let y = y - 0.6 * size + row;
            stroke(&mut scanned, &[(0.0, y), (right, y)], 2, [100; 3]);
        }
        scanned
    };
    assert_eq!(verdict(&form, &streaked(&page)), Verdict::Match);
    let mut forged = page.clone();
    let at = (empty_x + 0.3 * width - 0.3 * size, empty_y + 0.6 * height);
    print(&renderer, &mut forged, '7', at, (size, [0; 3]));
    assert_ne!(verdict(&form, &streaked(&forged)), Verdict::Match);
}
