//! The render room: draws a voucher on its template, as a display list, a PDF/A-3b file and pictures.
//!
//! It does not know where vouchers are kept, who may see them, or what time it is: the same template
//! and the same voucher give the same bytes on every machine and every day.

mod drawing;
mod error;
mod fit;
mod grid;
mod layout;
mod mark;
mod paginate;
mod paint;
mod pdf;
mod picture;
mod raster;
mod shape;
mod stamp;
mod table;
mod typeset;
mod values;
mod warning;
mod words;

pub use drawing::{Drawing, FieldBox, GlyphRun, Item, PlacedGlyph};
pub use error::RenderError;
pub use raster::PagePixels;
pub use shape::{Coverage, Shape};
pub use stamp::Stamp;
pub use typeset::Typeface;
pub use warning::{Shortfall, Warning};

use crate::voucher::Voucher;
use crate::voucher::template::Template;

/// The English numerals below a hundred, each a word, as amounts in words have them.
pub fn english_numerals() -> impl Iterator<Item = &'static str> {
    words::english_numerals()
}

/// The drawing machine with its built-in typefaces. Cheap to share by reference between threads;
/// the fonts' tables are read when they are first needed (milliseconds).
pub struct Renderer {
    faces: typeset::Faces,
    fonts: pdf::Fonts,
}

/// What the QR mark says, so that a scan of the printed form finds its voucher by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The voucher's path in the archive, such as `/acme/gl/2024-03/payment/0001`.
    pub place: String,
    /// The BLAKE3 digest of the voucher's data, 64 hexadecimal digits.
    pub digest: String,
}

impl Renderer {
    /// A renderer with the built-in typefaces.
    pub fn new() -> Renderer {
        Renderer {
            faces: typeset::Faces::builtin(),
            fonts: pdf::Fonts::builtin(),
        }
    }

    /// Lays the voucher out on the form. What had to give way (a shortened text, a character that no
    /// typeface has) is in [`Drawing::warnings`]; [`RenderError::TooManyPages`] if the lines need
    /// more pages than a document may have.
    pub fn draw(
        &self,
        template: &Template,
        voucher: &Voucher,
        mark: &Mark,
    ) -> Result<Drawing, RenderError> {
        layout::draw(&self.faces, template, voucher, mark)
    }

    /// The same drawing with seals in its form's places, on every page.
    pub fn stamped(&self, drawing: &Drawing, stamps: &[Stamp]) -> Drawing {
        stamp::stamped(&self.faces, drawing, stamps)
    }

    /// The drawing as a PDF/A-3b file (ISO 19005-3) with selectable text and `data`, the bytes of
    /// `voucher.json`, attached as the source it was made from. Its dates are the voucher's.
    pub fn pdf(&self, drawing: &Drawing, data: &[u8]) -> Result<Vec<u8>, RenderError> {
        pdf::write(&self.fonts, drawing, data)
    }

    /// A PDF from [`Renderer::pdf`] as a PNG, its pages one below the other and where that is taller than 32,767
    /// pixels in several columns, in the smallest of grey, palette and full colour that holds it. Resolutions from
    /// 50 to 600 are drawn.
    pub fn png(&self, pdf: &[u8], dots_per_inch: u32) -> Result<Vec<u8>, RenderError> {
        picture::png(pdf, dots_per_inch)
    }

    /// A PDF from [`Renderer::pdf`] as a JPEG, its pages as in the PNG.
    pub fn jpeg(&self, pdf: &[u8], dots_per_inch: u32) -> Result<Vec<u8>, RenderError> {
        picture::jpeg(pdf, dots_per_inch)
    }

    /// The pages of a PDF from [`Renderer::pdf`] as pixels, one after the other.
    pub fn pages(&self, pdf: &[u8], dots_per_inch: u32) -> Result<Vec<PagePixels>, RenderError> {
        raster::pages(pdf, dots_per_inch)
    }

    /// The glyph of a character in one typeface; none if that typeface lacks it.
    pub fn shape(&self, typeface: Typeface, character: char) -> Option<Shape> {
        shape::of(&self.faces, typeface, character)
    }

    /// Every character of a typeface, ascending.
    pub fn characters(&self, typeface: Typeface) -> impl Iterator<Item = char> {
        self.faces.characters(typeface)
    }

    /// A glyph's pixels, its origin at `origin` (right and down, in pixels), at a size in pixels an em.
    pub fn coverage(
        &self,
        typeface: Typeface,
        id: u16,
        pixels_per_em: f32,
        origin: (f32, f32),
    ) -> Coverage {
        shape::coverage(typeface, id, pixels_per_em, origin)
    }
}

impl Default for Renderer {
    fn default() -> Renderer {
        Renderer::new()
    }
}

#[cfg(test)]
mod tests;
