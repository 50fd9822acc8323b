//! Forgeries that only add to a true print, or that change what its values mean.

use image::{DynamicImage, Rgb};
use vouchsafe::matching::{Matcher, Thresholds, Verdict};
use vouchsafe::render::Renderer;

use crate::files::printed;
use crate::ink::{DOTS_PER_INCH, UNITS, origin, paper, print, verdict};
use crate::scans;
use crate::scans::Printed;
use crate::scans::scanner::{jpeg, pdf};

#[test]
fn a_character_that_was_added_is_seen_in_any_ink_and_whatever_it_touches() {
    let (renderer, printed, form, page) = paper(71);
    assert_eq!(verdict(&form, &page), Verdict::Match);
    let field = ["lines[0].debit", "lines[0].credit"];
    let field = field.into_iter().find(|name| {
        let mut fields = printed.drawing.fields().iter();
        fields.any(|it| it.name == *name && !it.text.is_empty())
    });
    let ((x, y), size) = origin(&printed, field.unwrap());
    // A cell of the grid is as wide as from the first digit to the second.
    let cell = 0.83 * size;
    for ink in [[0, 0, 0], [20, 30, 140], [0, 110, 40], [90, 90, 90]] {
        for across in [-cell, -0.88 * cell, -1.12 * cell] {
            let mut forged = page.clone();
            print(&renderer, &mut forged, '9', (x + across, y), (size, ink));
            assert_ne!(
                verdict(&form, &forged),
                Verdict::Match,
                "{ink:?} at {across}"
            );
        }
    }
    let mut negative = page.clone();
    for row in (y - 0.33 * size) as u32..(y - 0.25 * size) as u32 {
        for column in (x - 0.95 * cell) as u32..(x - 0.5 * cell) as u32 {
            negative.put_pixel(column, row, Rgb([0; 3]));
        }
    }
    assert_ne!(verdict(&form, &negative), Verdict::Match);
    // A word behind a text, a gap away.
    let ((x, y), size) = origin(&printed, "lines[0].summary");
    let mut longer = page.clone();
    for (index, character) in "退款".chars().enumerate() {
        let x = x + (6.0 + index as f32) * size;
        print(&renderer, &mut longer, character, (x, y), (size, [0; 3]));
    }
    assert_ne!(verdict(&form, &longer), Verdict::Match);
    // One character in another ink, which is not in what is looked at for black print.
    let mut fields = printed.drawing.fields().iter();
    let text = fields.find(|it| it.name == "lines[0].summary").unwrap();
    let behind = x + text.text.chars().count() as f32 * size;
    for ink in [[20, 30, 140], [30, 60, 230], [0, 110, 40], [110, 110, 110]] {
        for character in "费款工".chars() {
            let mut longer = page.clone();
            print(&renderer, &mut longer, character, (behind, y), (size, ink));
            assert_ne!(
                verdict(&form, &longer),
                Verdict::Match,
                "{character} in {ink:?}"
            );
        }
    }
}

#[test]
fn what_is_printed_behind_a_text_never_matches() {
    let (renderer, fonts) = (Renderer::new(), scans::foreign::fonts());
    let matcher = Matcher::new(scans::reader(), Thresholds::default());
    let mut tried = 0;
    let one_case = |seed: u64, index: u64| seed * 1_000_003 + index..=seed * 1_000_003 + index;
    for (kind, seeds) in [
        ("clean", 770_000..=770_005),
        ("photo", 770_200..=770_205),
        // A green digit on a form in dark ink.
        ("clean", one_case(1133, 481)),
        // A dense blue character on such a form, which is no seal.
        ("rotated", one_case(1142, 483)),
        // Thin strokes in green and grey of which pieces are left, and black ones near a seal without colour.
        ("low-resolution", one_case(1131, 487)),
        ("seals", one_case(1133, 495)),
        ("grey", one_case(1133, 491)),
        ("grey", one_case(1132, 491)),
        // In another type, black and blue; in black and white, one that touches nothing, a broken figure, and specks.
        ("foreign", one_case(1144, 569)),
        ("foreign", one_case(1144, 1_319)),
        ("bilevel", one_case(1144, 793)),
        ("bilevel", one_case(1144, 553)),
        ("bilevel", one_case(1144, 43)),
        // Paler than ink usually is, by blur, a photo or few pixels; and as dark as a seal that is near.
        ("blurred", one_case(1154, 111)),
        ("photo", one_case(1154, 117)),
        ("low-resolution", one_case(1154, 457)),
        ("grey", one_case(1154, 221)),
        ("grey", one_case(1154, 671)),
    ] {
        for seed in seeds {
            let forgery = Some(scans::added::FORGERY);
            let case = scans::case(&renderer, &fonts, seed, kind, forgery);
            let Some(case) = case else { continue };
            let form = case.claimed.form(&renderer);
            let report = matcher.compare(&form, &case.scan).unwrap().report;
            assert_ne!(
                report.verdict,
                Verdict::Match,
                "{seed}: {:?}",
                case.differing
            );
            tried += 1;
        }
    }
    assert!(tried >= 24, "{tried}");
}

#[test]
fn what_is_seen_of_an_amount_has_the_digit_that_was_added_before_it() {
    let renderer = Renderer::new();
    let matcher = Matcher::new(scans::reader(), Thresholds::default());
    let mut told = 0;
    for seed in 0..4 {
        let mut random = scans::random::Random::new(900 + seed);
        let claim = scans::vouchers::voucher(&mut random, "payment");
        let forged = scans::forge::forge(&claim, "digit-before", &mut random).unwrap();
        let form = Printed::new(&renderer, &claim, None).form(&renderer);
        let forged = Printed::new(&renderer, &forged, None);
        let page = forged.page(&renderer, DOTS_PER_INCH);
        let report = matcher.compare(&form, &jpeg(&page)).unwrap().report;
        let digits = |text: &str| text.replace(|it: char| !it.is_ascii_digit(), "");
        for field in &report.fields {
            if field.reason.ends_with("printed there as well") {
                let mut fields = forged.drawing.fields().iter();
                let printed = fields.find(|it| it.name == field.name).unwrap();
                assert_eq!(digits(&field.seen), digits(&printed.text), "{}", field.name);
                told += 1;
            }
        }
    }
    assert!(told >= 2, "{told}");
}

#[test]
fn of_two_pages_that_name_the_voucher_the_one_that_shows_something_else_counts() {
    let (renderer, printed, form, page) = paper(72);
    let mut claim: serde_json::Value = serde_json::from_slice(&printed.data).unwrap();
    claim["preparer"] = serde_json::json!("王大力");
    let forged = Printed::new(&renderer, &claim, Some(&scans::own_mark(&claim)));
    let forged = forged.page(&renderer, DOTS_PER_INCH);
    let matcher = Matcher::new(scans::reader(), Thresholds::default());
    for pages in [[page.clone(), forged.clone()], [forged, page.clone()]] {
        let report = matcher.compare(&form, &pdf(&pages)).unwrap().report;
        assert_eq!(report.verdict, Verdict::Mismatch, "{}", report.reason);
    }
    let twice = matcher.compare(&form, &pdf(&[page.clone(), page])).unwrap();
    assert_eq!(twice.report.verdict, Verdict::Match);
}

#[test]
fn what_the_form_itself_says_and_where_the_scan_ends_are_looked_at() {
    let (renderer, printed, form, page) = paper(73);
    // The first character of the title, 付, becomes 收.
    let labels = printed.drawing.pages()[0]
        .iter()
        .filter_map(|item| match item {
            vouchsafe::render::Item::Glyphs(run) => Some(run),
            _ => None,
        });
    let title = labels.max_by_key(|run| run.size).unwrap();
    assert_eq!(title.glyphs[0].character, '付');
    let (x, y) = (
        title.glyphs[0].x as f32 / UNITS,
        title.baseline as f32 / UNITS,
    );
    let size = title.size as f32 / UNITS;
    let mut renamed = page.clone();
    for row in (y - 0.9 * size) as u32..(y + 0.15 * size) as u32 {
        for column in x as u32..(x + size) as u32 {
            renamed.put_pixel(column, row, Rgb([255; 3]));
        }
    }
    print(
        &renderer,
        &mut renamed,
        '收',
        (x, y),
        (size, [0x11, 0x33, 0x66]),
    );
    assert_eq!(verdict(&form, &renamed), Verdict::Unsure);
    // What lies beyond the edge of a scan is not called missing.
    let height = page.height() * 87 / 100;
    let cut = image::imageops::crop_imm(&page, 0, 0, page.width(), height).to_image();
    assert_eq!(verdict(&form, &cut), Verdict::Unsure);
}

#[test]
fn an_amount_that_is_ruled_through_and_a_digit_on_a_rule_of_its_grid_are_seen() {
    let (renderer, printed, form, page) = paper(71);
    let field = ["lines[0].debit", "lines[0].credit"];
    let field = field.into_iter().find(|name| {
        let mut fields = printed.drawing.fields().iter();
        fields.any(|it| it.name == *name && !it.text.is_empty())
    });
    let field = field.unwrap();
    let ((x, y), size) = origin(&printed, field);
    let text = printed.drawing.fields().iter().find(|it| it.name == field);
    let (count, cell) = (text.unwrap().text.chars().count() as f32, 0.83 * size);
    for (rise, ink) in [(0.0, [0, 0, 0]), (0.25, [20, 30, 140])] {
        let mut ruled = page.clone();
        let (left, right) = (x - 0.2 * size, x + count * cell);
        for column in left as u32..right as u32 {
            let up = rise * size * ((column as f32 - left) / (right - left) - 0.5);
            let middle = (y - 0.33 * size - up) as u32;
            (middle - 1..middle + 3).for_each(|row| ruled.put_pixel(column, row, Rgb(ink)));
        }
        assert_ne!(verdict(&form, &ruled), Verdict::Match, "{rise}");
    }
    for digit in "1479".chars() {
        let mut forged = page.clone();
        let at = (x - 0.5 * cell, y);
        print(&renderer, &mut forged, digit, at, (size, [0; 3]));
        assert_ne!(verdict(&form, &forged), Verdict::Match, "{digit}");
        // Without colour, where the tone of a seal is taken away.
        let grey = DynamicImage::from(forged).into_luma8();
        let grey = DynamicImage::from(grey).into_rgb8();
        assert_ne!(verdict(&form, &grey), Verdict::Match, "{digit} in grey");
    }
}

#[test]
fn a_name_that_is_printed_where_nobody_signed_is_seen() {
    let renderer = Renderer::new();
    let mut claim: serde_json::Value =
        serde_json::from_slice(&printed(&renderer, 74).data).unwrap();
    claim["reviewer"] = serde_json::Value::Null;
    let printed = Printed::new(&renderer, &claim, None);
    let form = printed.form(&renderer);
    let page = printed.page(&renderer, DOTS_PER_INCH);
    assert_eq!(verdict(&form, &page), Verdict::Match);
    let slots = printed.drawing.slots().iter();
    let slot = slots.clone().find(|it| it.name == "signature.reviewer");
    let left = slot.unwrap().rectangle.x as f32 / UNITS;
    let ((_, y), size) = origin(&printed, "preparer");
    for name in ["王小明", "赵敏"] {
        let mut forged = page.clone();
        for (index, character) in name.chars().enumerate() {
            let at = (left + (0.4 + index as f32) * size, y);
            print(&renderer, &mut forged, character, at, (size, [0; 3]));
        }
        assert_ne!(verdict(&form, &forged), Verdict::Match, "{name}");
    }
    // A character more makes another name.
    let ((x, y), size) = origin(&printed, "preparer");
    let length = claim["preparer"].as_str().unwrap().chars().count();
    for (character, ink) in [('丰', [0, 0, 0]), ('敏', [0, 0, 0]), ('丰', [20, 30, 140])] {
        let mut forged = page.clone();
        let at = (x + length as f32 * size, y);
        print(&renderer, &mut forged, character, at, (size, ink));
        assert_ne!(
            verdict(&form, &forged),
            Verdict::Match,
            "{character} in {ink:?}"
        );
    }
}

#[test]
fn a_mark_of_other_data_or_of_another_voucher_is_seen() {
    let renderer = Renderer::new();
    let printed = printed(&renderer, 75);
    let form = printed.form(&renderer);
    let claim: serde_json::Value = serde_json::from_slice(&printed.data).unwrap();
    let (mut other_data, mut other_place) = (scans::own_mark(&claim), scans::own_mark(&claim));
    other_data.digest = "0123456789abcdef".repeat(4);
    other_place.place += "9";
    for (mark, why) in [(other_data, "other data"), (other_place, "another voucher")] {
        let page = Printed::new(&renderer, &claim, Some(&mark)).page(&renderer, DOTS_PER_INCH);
        let matcher = Matcher::new(scans::reader(), Thresholds::default());
        let report = matcher.compare(&form, &jpeg(&page)).unwrap().report;
        assert_eq!(report.verdict, Verdict::Unsure, "{}", report.reason);
        let mark = report.fields.iter().find(|field| field.name == "mark");
        assert!(mark.unwrap().reason.contains(why), "{mark:?}");
    }
}
