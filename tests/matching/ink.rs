//! Printed pages, and ink that is put on them.

use image::RgbImage;
use vouchsafe::matching::{Form, Matcher, Thresholds, Verdict};
use vouchsafe::render::{Item, Renderer, Typeface};
use vouchsafe::voucher::template::Colour;

use crate::files::{printed, verdict_of};
use crate::scans;
use crate::scans::Printed;
use crate::scans::scanner::jpeg;

pub const DOTS_PER_INCH: u32 = 300;
/// Units of a drawing in a pixel.
pub const UNITS: f32 = 7_200.0 / DOTS_PER_INCH as f32;

/// What a comparison says of a scan.
pub fn verdict(form: &Form, picture: &RgbImage) -> Verdict {
    let matcher = Matcher::new(scans::reader(), Thresholds::default());
    verdict_of(&matcher, form, &jpeg(picture))
}

/// Prints a character with its origin at a place, in pixels, in a colour.
pub fn print(
    renderer: &Renderer,
    picture: &mut RgbImage,
    character: char,
    (x, y): (f32, f32),
    (size, ink): (f32, [u8; 3]),
) {
    let shape = renderer.shape(Typeface::Serif, character).unwrap();
    let glyph = renderer.coverage(shape.typeface, shape.id, size, (x, y));
    let [red, green, blue] = ink;
    scans::foreign::cover(picture, &glyph, Colour { red, green, blue });
}

/// Where the first character of a field stands, and the size of its type, in pixels.
pub fn origin(printed: &Printed, field: &str) -> ((f32, f32), f32) {
    let first = place(printed, field, |_| true);
    first.unwrap_or_else(|| panic!("{field} is empty"))
}

/// The same of the first of a field's characters that is sought.
pub fn place(
    printed: &Printed,
    field: &str,
    is_sought: impl Fn(char) -> bool,
) -> Option<((f32, f32), f32)> {
    let found = printed
        .drawing
        .fields()
        .iter()
        .find(|it| it.name == field)
        .unwrap();
    let items = &printed.drawing.pages()[found.page][found.items.clone()];
    items.iter().find_map(|item| {
        let Item::Glyphs(run) = item else { return None };
        let glyph = run.glyphs.iter().find(|it| is_sought(it.character))?;
        let at = (glyph.x as f32 / UNITS, run.baseline as f32 / UNITS);
        Some((at, run.size as f32 / UNITS))
    })
}

/// A voucher, its form, and its page on paper.
pub fn paper(seed: u64) -> (Renderer, Printed, Form, RgbImage) {
    let renderer = Renderer::new();
    let printed = printed(&renderer, seed);
    let form = printed.form(&renderer);
    let page = printed.page(&renderer, DOTS_PER_INCH);
    (renderer, printed, form, page)
}

/// Draws a line from point to point, as a pen so wide does, all in pixels.
pub fn stroke(picture: &mut RgbImage, points: &[(f32, f32)], width: u32, ink: [u8; 3]) {
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let steps = (2.0 * (to.0 - from.0).hypot(to.1 - from.1)).ceil() as u32;
        for step in 0..=steps {
            let part = step as f32 / steps.max(1) as f32;
            let (x, y) = (
                from.0 + (to.0 - from.0) * part,
                from.1 + (to.1 - from.1) * part,
            );
            for dx in 0..width {
                for dy in 0..width {
                    let pixel = picture.get_pixel_mut(x as u32 + dx, y as u32 + dy);
                    for (value, ink) in pixel.0.iter_mut().zip(ink) {
                        *value = (*value).min(ink);
                    }
                }
            }
        }
    }
}
