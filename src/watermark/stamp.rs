//! What people read on a marked copy: one line, to be repeated over the page.

use crate::render::{Coverage, Renderer, Shape, Typeface};

/// Height of the type in millimetres, from line to line.
pub(super) const TYPE_MM: f64 = 3.4;
/// Longest line in millimetres; a longer one is drawn in smaller type.
pub(super) const LINE_MAX_MM: f64 = 84.0;
/// Space from the baseline to the upper edge of a line, as a part of the type's height.
const ASCENT: f32 = 0.95;
/// Height of a line, as a part of the type's height.
const HEIGHT: f32 = 1.25;

/// A line of text as pixels: which part of each is covered, from 0 to 1.
pub(super) struct Line {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
    /// Pixels a millimetre, of the type as it was drawn.
    pub per_mm: f64,
}

impl Line {
    /// Draws the text, at about `per_mm` pixels a millimetre; fewer where it would be too long.
    pub(super) fn draw(renderer: &Renderer, text: &str, per_mm: f64) -> Line {
        let glyphs: Vec<Shape> = text.chars().filter_map(|it| shape(renderer, it)).collect();
        let ems: f64 = glyphs.iter().map(|it| f64::from(it.advance)).sum::<f64>() / 1_000.0;
        let size = TYPE_MM.min(LINE_MAX_MM / ems.max(1.0)) * per_mm;
        let width = (ems * size).ceil() as usize + 2;
        let height = (size as f32 * HEIGHT).ceil() as usize;
        let mut line = Line {
            width,
            height,
            values: vec![0.0; width * height],
            per_mm,
        };
        let mut x = 1.0;
        for glyph in glyphs {
            let thousandth = size as f32 / 1_000.0;
            let origin = (x + glyph.shift as f32 * thousandth, size as f32 * ASCENT);
            let drawn = renderer.coverage(glyph.typeface, glyph.id, size as f32, origin);
            line.add(&drawn);
            x += glyph.advance as f32 * thousandth;
        }
        line
    }

    fn add(&mut self, drawn: &Coverage) {
        for (index, value) in drawn.values.iter().enumerate() {
            let x = drawn.left + (index % drawn.width) as i32;
            let y = drawn.top + (index / drawn.width) as i32;
            if x >= 0 && y >= 0 && (x as usize) < self.width && (y as usize) < self.height {
                let place = &mut self.values[y as usize * self.width + x as usize];
                *place = place.max(*value);
            }
        }
    }

    /// The part that is covered at a point between pixels; 0 outside.
    pub(super) fn at(&self, x: f64, y: f64) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = ((x - left) as f32, (y - top) as f32);
        let pixel = |dx: f64, dy: f64| {
            let (x, y) = (left + dx, top + dy);
            let inside = x >= 0.0 && y >= 0.0 && x < self.width as f64 && y < self.height as f64;
            if inside {
                self.values[y as usize * self.width + x as usize]
            } else {
                0.0
            }
        };
        let upper = pixel(0.0, 0.0) * (1.0 - fx) + pixel(1.0, 0.0) * fx;
        let lower = pixel(0.0, 1.0) * (1.0 - fx) + pixel(1.0, 1.0) * fx;
        upper * (1.0 - fy) + lower * fy
    }
}

/// The character in the first typeface that has it, else a square.
fn shape(renderer: &Renderer, character: char) -> Option<Shape> {
    let typefaces = [
        Typeface::Sans,
        Typeface::Serif,
        Typeface::Latin,
        Typeface::Rare,
    ]
    .into_iter();
    let mut shapes = typefaces.filter_map(|typeface| renderer.shape(typeface, character));
    shapes
        .next()
        .or_else(|| renderer.shape(Typeface::Sans, '□'))
}
