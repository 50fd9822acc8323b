//! Single glyphs as pixels: what a character looks like where somebody looks for it on paper.

use ab_glyph_rasterizer::{Point, Rasterizer, point};
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, GlyphId, MetadataProvider};

use super::typeset::{Faces, Typeface};

/// How much of each pixel of a rectangle a glyph covers, from 0 to 1, row after row.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// The first column, in pixels from where the origin was counted.
    pub left: i32,
    /// The first row.
    pub top: i32,
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// One value a pixel.
    pub values: Vec<f32>,
}

/// A glyph of a typeface, as the forms place it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The font.
    pub typeface: Typeface,
    /// Index in the typeface.
    pub id: u16,
    /// From this character's origin to the next one's, in thousandths of an em.
    pub advance: i32,
    /// From the character's origin to the glyph's, in thousandths of an em.
    pub shift: i32,
}

/// Most pixels of a side: larger type is not drawn for comparison.
const SIDE_MAX_PIXELS: f32 = 512.0;

/// An outline with its rasteriser's origin, collected as lines and curves.
struct Pen {
    raster: Rasterizer,
    offset: (f32, f32),
    start: Point,
    at: Point,
}

impl Pen {
    fn point(&self, x: f32, y: f32) -> Point {
        point(x + self.offset.0, self.offset.1 - y)
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.start = self.point(x, y);
        self.at = self.start;
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let to = self.point(x, y);
        self.raster.draw_line(self.at, to);
        self.at = to;
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        let (control, to) = (self.point(cx, cy), self.point(x, y));
        self.raster.draw_quad(self.at, control, to);
        self.at = to;
    }

    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        let (a, b, to) = (self.point(ax, ay), self.point(bx, by), self.point(x, y));
        self.raster.draw_cubic(self.at, a, b, to);
        self.at = to;
    }

    fn close(&mut self) {
        self.raster.draw_line(self.at, self.start);
        self.at = self.start;
    }
}

/// The glyph `id` with its origin at `origin`, at a size in pixels an em.
pub(super) fn coverage(
    typeface: Typeface,
    id: u16,
    pixels_per_em: f32,
    origin: (f32, f32),
) -> Coverage {
    // The fonts are part of the program, and a test reads each of them.
    let font = FontRef::new(typeface.file()).expect("a built-in font is a font");
    Coverage::draw(&font, GlyphId::from(id), pixels_per_em, origin)
}

impl Coverage {
    /// A glyph of any font with its origin at `origin` (right and down, in pixels), at a size in pixels an em. What
    /// cannot be drawn is blank.
    pub fn draw(font: &FontRef, id: GlyphId, pixels_per_em: f32, origin: (f32, f32)) -> Coverage {
        let size = Size::new(pixels_per_em);
        let bounds = font
            .glyph_metrics(size, LocationRef::default())
            .bounds(id)
            .unwrap_or_default();
        let left = (origin.0 + bounds.x_min).floor() - 1.0;
        let top = (origin.1 - bounds.y_max).floor() - 1.0;
        let right = (origin.0 + bounds.x_max).ceil() + 1.0;
        let bottom = (origin.1 - bounds.y_min).ceil() + 1.0;
        let side = |length: f32| length.clamp(1.0, SIDE_MAX_PIXELS) as usize;
        let (width, height) = (side(right - left), side(bottom - top));
        let mut pen = Pen {
            raster: Rasterizer::new(width, height),
            offset: (origin.0 - left, origin.1 - top),
            start: point(0.0, 0.0),
            at: point(0.0, 0.0),
        };
        let settings = DrawSettings::unhinted(size, LocationRef::default());
        if let Some(outline) = font.outline_glyphs().get(id) {
            // An outline is drawn or it is blank.
            let _ = outline.draw(settings, &mut pen);
        }
        let mut values = vec![0.0; width * height];
        pen.raster.for_each_pixel(|index, value| {
            if let Some(pixel) = values.get_mut(index) {
                *pixel = value.clamp(0.0, 1.0);
            }
        });
        Coverage {
            left: left as i32,
            top: top as i32,
            width,
            height,
            values,
        }
    }
}

/// The glyph of a character in one typeface; none if that typeface lacks it.
pub(super) fn of(faces: &Faces, typeface: Typeface, character: char) -> Option<Shape> {
    let glyph = faces.own(typeface, character)?;
    Some(Shape {
        typeface,
        id: glyph.id,
        advance: glyph.advance,
        shift: glyph.shift,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glyph_covers_what_its_outline_says() {
        let faces = Faces::builtin();
        let full = of(&faces, Typeface::Serif, '█').or(of(&faces, Typeface::Serif, '一'));
        let stroke = coverage(Typeface::Serif, full.unwrap().id, 100.0, (10.25, 90.0));
        assert!(stroke.left >= 0 && stroke.width > 50);
        assert!(stroke.values.iter().any(|value| *value > 0.99));
        // Half a pixel to the right is a little more on the right of everything.
        let moved = coverage(Typeface::Serif, full.unwrap().id, 100.0, (10.75, 90.0));
        let centre = |it: &Coverage| {
            let columns = it.values.iter().enumerate();
            let (sum, mass) = columns.fold((0.0, 0.0), |(sum, mass), (index, value)| {
                let x = (index % it.width) as f32 + it.left as f32;
                (sum + x * value, mass + value)
            });
            sum / mass
        };
        assert!((centre(&moved) - centre(&stroke) - 0.5).abs() < 0.02);
    }
}
