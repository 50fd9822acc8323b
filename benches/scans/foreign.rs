//! A voucher as another system prints it: the same form in another font, everything a little elsewhere.

use std::path::Path;

use image::{Rgb, RgbImage};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use vouchsafe::render::{Coverage, Drawing, GlyphRun, Item};
use vouchsafe::voucher::template::{Colour, Rectangle};

use super::random::Random;

/// Fonts of Debian's packages fonts-arphic-gbsn00lp, fonts-arphic-gkai00mp and fonts-wqy-microhei.
pub const FONTS: [&str; 3] = [
    "/usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf",
    "/usr/share/fonts/truetype/arphic-gkai00mp/gkai00mp.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
];

pub fn fonts() -> Vec<Vec<u8>> {
    FONTS
        .iter()
        .filter(|path| Path::new(path).exists())
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}

/// Whether a font has a character.
pub fn has(font: &[u8], character: char) -> bool {
    let font = FontRef::from_index(font, 0).unwrap();
    font.charmap()
        .map(character)
        .is_some_and(|id| id.to_u32() != 0)
}

fn mix(page: &mut RgbImage, x: i32, y: i32, colour: Colour, part: f32) {
    if x < 0 || y < 0 || x >= page.width() as i32 || y >= page.height() as i32 {
        return;
    }
    let Rgb(pixel) = page.get_pixel_mut(x as u32, y as u32);
    for (value, ink) in pixel
        .iter_mut()
        .zip([colour.red, colour.green, colour.blue])
    {
        *value = (f32::from(*value) * (1.0 - part) + f32::from(ink) * part) as u8;
    }
}

/// Puts a glyph on a page.
pub fn cover(page: &mut RgbImage, glyph: &Coverage, colour: Colour) {
    for (at, part) in glyph.values.iter().enumerate() {
        let x = glyph.left + (at % glyph.width) as i32;
        let y = glyph.top + (at / glyph.width) as i32;
        mix(page, x, y, colour, *part);
    }
}

/// How another system sets its texts.
#[derive(Clone, Copy)]
pub struct Setting {
    /// How far each text may be from where the form has it, in millimetres.
    pub shift: f64,
    /// How much wider than its font has them each character is set, one after another; none if each stands where the form
    /// has it. Amounts end where the form ends them.
    pub wider: Option<f32>,
}

/// From where to where the glyphs of a run follow each other without a gap, as characters of one word do.
fn words(run: &GlyphRun) -> Vec<std::ops::Range<usize>> {
    let mut words: Vec<std::ops::Range<usize>> = Vec::new();
    for at in 0..run.glyphs.len() {
        let follows = at > 0 && {
            let before = &run.glyphs[at - 1];
            let most = match before.character {
                'A'..='Z' => 1.0,
                '¥' | '\0'..='~' => 0.75,
                _ => 1.3,
            };
            ((run.glyphs[at].x - before.x) as f32) < most * run.size as f32
        };
        match words.last_mut().filter(|_| follows) {
            Some(word) => word.end = at + 1,
            None => words.push(at..at + 1),
        }
    }
    words
}

/// Where each glyph of a run is set, in units of the drawing.
fn set(run: &GlyphRun, font: &FontRef, wider: Option<f32>) -> Vec<f32> {
    let mut places: Vec<f32> = run.glyphs.iter().map(|glyph| glyph.x as f32).collect();
    let Some(wider) = wider else {
        return places;
    };
    let metrics = font.glyph_metrics(Size::new(run.size as f32), LocationRef::default());
    for word in words(run) {
        let advance = |at: usize| {
            let id = font.charmap().map(run.glyphs[at].character);
            id.and_then(|it| metrics.advance_width(it)).unwrap_or(0.0) * wider
        };
        let (first, last) = (word.start, word.end - 1);
        let end = places[last];
        for at in first..last {
            places[at + 1] = places[at] + advance(at);
        }
        let is_amount = |at: usize| "0123456789.,".contains(run.glyphs[at].character);
        if word.clone().all(is_amount) && word.clone().any(|at| run.glyphs[at].character == '.') {
            let by = end - places[last];
            places[word].iter_mut().for_each(|it| *it += by);
        }
    }
    places
}

/// A page of a drawing in another font.
pub fn print(
    drawing: &Drawing,
    page: usize,
    font: &[u8],
    dots_per_inch: u32,
    setting: Setting,
    random: &mut Random,
) -> RgbImage {
    let scale = dots_per_inch as f32 / 7_200.0;
    let font = FontRef::from_index(font, 0).unwrap();
    let side = |length: i32| (length as f32 * scale).round() as u32;
    let mut paper = RgbImage::from_pixel(
        side(drawing.width().0),
        side(drawing.height().0),
        Rgb([255; 3]),
    );
    let move_by = |random: &mut Random| {
        let reach = setting.shift * 7_200.0 / 25.4;
        (
            random.between(-reach, reach) as f32,
            (random.between(-reach, reach) / 2.0) as f32,
        )
    };
    let fill = |paper: &mut RgbImage, shape: &Rectangle, colour: Colour| {
        let (left, top) = (shape.x as f32 * scale, shape.y as f32 * scale);
        let (right, bottom) = (shape.right() as f32 * scale, shape.bottom() as f32 * scale);
        for y in top as i32..=bottom as i32 {
            for x in left as i32..=right as i32 {
                let over = |low: f32, high: f32, at: i32| {
                    (high.min(at as f32 + 1.0) - low.max(at as f32)).clamp(0.0, 1.0)
                };
                mix(
                    paper,
                    x,
                    y,
                    colour,
                    over(left, right, x) * over(top, bottom, y),
                );
            }
        }
    };
    for item in &drawing.pages()[page] {
        match item {
            Item::Fill { rectangles, colour } => {
                for shape in rectangles {
                    fill(&mut paper, shape, *colour);
                }
            }
            Item::Stroke {
                from,
                to,
                weight,
                colour,
            } => {
                let steps =
                    ((to.x - from.x).abs().max((to.y - from.y).abs()) as f32 * scale) as i32 + 1;
                for step in 0..steps {
                    let part = step as f32 / steps as f32;
                    let x = from.x as f32 + (to.x - from.x) as f32 * part;
                    let y = from.y as f32 + (to.y - from.y) as f32 * part;
                    let dot = Rectangle {
                        x: x as i32,
                        y: y as i32,
                        width: *weight,
                        height: *weight,
                    };
                    fill(&mut paper, &dot, *colour);
                }
            }
            Item::Glyphs(run) => {
                let (dx, dy) = move_by(random);
                let places = set(run, &font, setting.wider);
                for (glyph, x) in run.glyphs.iter().zip(places) {
                    let Some(id) = font.charmap().map(glyph.character) else {
                        continue;
                    };
                    let size = run.size as f32 * scale;
                    let origin = ((x + dx) * scale, (run.baseline as f32 + dy) * scale);
                    let drawn = Coverage::draw(&font, id, size, origin);
                    cover(&mut paper, &drawn, run.colour);
                }
            }
            Item::Picture { .. } => {}
        }
    }
    paper
}
