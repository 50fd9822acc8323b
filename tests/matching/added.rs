//! Forgeries that only add to a true print, or that change what its values mean.

use image::{DynamicImage, Rgb, RgbImage};
use vouchsafe::matching::{Form, Matcher, Thresholds, Verdict};
use vouchsafe::render::{Renderer, Typeface};

use crate::files::printed;
use crate::scans;
use crate::scans::Printed;
use crate::scans::scanner::{jpeg, pdf};

const DOTS_PER_INCH: u32 = 300;
/// Units of a drawing in a pixel.
const UNITS: f32 = 7_200.0 / DOTS_PER_INCH as f32;

fn verdict(form: &Form, picture: &RgbImage) -> Verdict {
    let reader = scans::reader();
    let matcher = Matcher::new(reader, Thresholds::default());
    let report = matcher.compare(form, &jpeg(picture)).unwrap().report;
    report.verdict
}

/// Prints a character with its origin at a place, in pixels, in a colour.
fn print(
    renderer: &Renderer,
    picture: &mut RgbImage,
    character: char,
    (x, y): (f32, f32),
    (size, ink): (f32, [u8; 3]),
) {
    let shape = renderer.shape(Typeface::Serif, character).unwrap();
    let glyph = renderer.coverage(shape.typeface, shape.id, size, (x, y));
    for row in 0..glyph.height {
        for column in 0..glyph.width {
            let (px, py) = (glyph.left + column as i32, glyph.top + row as i32);
            let cover = glyph.values[row * glyph.width + column];
            let pixel = picture.get_pixel_mut(px as u32, py as u32);
            for (value, ink) in pixel.0.iter_mut().zip(ink) {
                *value = (f32::from(*value) * (1.0 - cover) + f32::from(ink) * cover) as u8;
            }
        }
    }
}

/// Where the first character of a field stands, and the size of its type, in pixels.
fn origin(printed: &Printed, field: &str) -> ((f32, f32), f32) {
    let found = printed
        .drawing
        .fields()
        .iter()
        .find(|it| it.name == field)
        .unwrap();
    let items = &printed.drawing.pages()[found.page][found.items.clone()];
    let run = items.iter().find_map(|item| match item {
        vouchsafe::render::Item::Glyphs(run) => Some(run),
        _ => None,
    });
    let run = run.unwrap();
    let at = (run.glyphs[0].x as f32 / UNITS, run.baseline as f32 / UNITS);
    (at, run.size as f32 / UNITS)
}

#[test]
fn a_character_that_was_added_is_seen_in_any_ink_and_whatever_it_touches() {
    let renderer = Renderer::new();
    let printed = printed(&renderer, 71);
    let form = printed.form(&renderer);
    let page = printed.page(&renderer, DOTS_PER_INCH);
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
}

#[test]
fn of_two_pages_that_name_the_voucher_the_one_that_shows_something_else_counts() {
    let renderer = Renderer::new();
    let printed = printed(&renderer, 72);
    let form = printed.form(&renderer);
    let page = printed.page(&renderer, DOTS_PER_INCH);
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
    let renderer = Renderer::new();
    let printed = printed(&renderer, 73);
    let form = printed.form(&renderer);
    let page = printed.page(&renderer, DOTS_PER_INCH);
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
    let renderer = Renderer::new();
    let printed = printed(&renderer, 71);
    let form = printed.form(&renderer);
    let page = printed.page(&renderer, DOTS_PER_INCH);
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
fn a_stroke_of_a_pen_across_rows_is_no_amount_and_hides_none() {
    let renderer = Renderer::new();
    let printed = printed(&renderer, 71);
    let form = printed.form(&renderer);
    let page = printed.page(&renderer, DOTS_PER_INCH);
    let field = ["lines[0].debit", "lines[0].credit"];
    let mut fields = printed.drawing.fields().iter();
    let is_amount = |name: &str| field.contains(&name);
    let field = fields.find(|it| is_amount(&it.name) && !it.text.is_empty());
    let ((x, y), size) = origin(&printed, &field.unwrap().name);
    // Down the column beside the first digit.
    let middle = (x - 0.55 * size, y - 0.35 * size);
    let struck = |picture: &RgbImage| {
        let mut struck = picture.clone();
        for step in -400..400 {
            let part = step as f32 / 400.0;
            let at = (middle.0 + part * 1.9 * size, middle.1 + part * 3.6 * size);
            for dx in 0..5 {
                for dy in 0..5 {
                    struck.put_pixel(at.0 as u32 + dx, at.1 as u32 + dy, Rgb([20, 30, 120]));
                }
            }
        }
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
fn a_scrawl_in_a_row_that_has_no_line_is_none_and_two_may_be_one() {
    let renderer = Renderer::new();
    let printed = printed(&renderer, 71);
    let form = printed.form(&renderer);
    let page = printed.page(&renderer, DOTS_PER_INCH);
    // The cells of the first such row.
    let empty = printed.drawing.fields().iter();
    let cells: Vec<_> = empty.filter(|it| it.name == "lines").collect();
    let middle = |index: usize| {
        let at = &cells[index].rectangle;
        let x = (at.x + at.width / 2) as f32 / UNITS;
        (x, (at.y + at.height / 2) as f32 / UNITS)
    };
    assert_eq!(middle(0).1, middle(1).1);
    let scrawled = |picture: &RgbImage, (x, y): (f32, f32)| {
        let mut scrawled = picture.clone();
        for step in -300..300 {
            let part = step as f32 / 300.0;
            let (x, y) = (x + 45.0 * part, y + 20.0 * (part * 9.0).sin());
            for dx in 0..5 {
                for dy in 0..5 {
                    scrawled.put_pixel(x as u32 + dx, y as u32 + dy, Rgb([20, 30, 120]));
                }
            }
        }
        scrawled
    };
    let one = scrawled(&page, middle(0));
    assert_eq!(verdict(&form, &one), Verdict::Match);
    let two = scrawled(&one, middle(1));
    assert_eq!(verdict(&form, &two), Verdict::Unsure);
    let mut written = page.clone();
    let (x, y) = middle(1);
    for (at, character) in [(-1.2, '租'), (0.0, '金')] {
        let at = (x + at * 40.0, y + 14.0);
        print(&renderer, &mut written, character, at, (40.0, [0; 3]));
    }
    assert_ne!(verdict(&form, &written), Verdict::Match);
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
