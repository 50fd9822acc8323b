//! A PDF's pages as pixels, drawn from the very file that is archived.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_interpret::util::TransformExt;
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::PremulRgba8;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{
    self, Level, Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit,
};
use hayro::{RenderCache, RenderSettings};

use super::RenderError;
use super::drawing::Drawing;
use crate::voucher::template::UNITS_PER_INCH;

const POINTS_PER_INCH: f64 = 72.0;
/// Most pixels down a column of pages: browsers draw no taller picture.
const COLUMN_MAX_PIXELS: usize = 32_767;
/// Most pixels of all pages that are compared with paper, three bytes each.
const PAGES_MAX_PIXELS: u64 = 100_000_000;
/// Resolutions that are tried, in dots per inch, where all pages in one picture would be too many pixels.
const COARSER: [u32; 4] = [150, 100, 75, 50];

/// How the pages of a document lie in one picture: one below the other, and as many columns of them as it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) page_width: usize,
    pub(super) page_height: usize,
    pub(super) pages: usize,
}

impl Sheet {
    /// Pages in a column; the last column may have fewer.
    pub(super) fn rows(&self) -> usize {
        let fitting = COLUMN_MAX_PIXELS / self.page_height.max(1);
        fitting.clamp(1, self.pages.max(1))
    }

    pub(super) fn columns(&self) -> usize {
        self.pages.div_ceil(self.rows())
    }

    /// Pixels across.
    pub(super) fn width(&self) -> usize {
        self.page_width * self.columns()
    }

    /// Pixels down.
    pub(super) fn height(&self) -> usize {
        self.page_height * self.rows()
    }

    fn pixels(&self) -> u64 {
        self.width() as u64 * self.height() as u64
    }
}

/// The resolution, at most `wanted`, at which all pages of a drawing are one picture of at most `pixels_max` pixels.
pub(super) fn fitting_resolution(drawing: &Drawing, wanted: u32, pixels_max: u64) -> u32 {
    let fits = |dots: &u32| {
        let scale = f64::from(*dots) / f64::from(UNITS_PER_INCH);
        let sheet = Sheet {
            page_width: pixels(f64::from(drawing.width().0) * scale),
            page_height: pixels(f64::from(drawing.height().0) * scale),
            pages: drawing.pages().len(),
        };
        sheet.pixels() <= pixels_max
    };
    let coarser = COARSER.into_iter().filter(|dots| *dots < wanted);
    let coarsest = coarser.clone().next_back().unwrap_or(wanted);
    let mut tried = std::iter::once(wanted).chain(coarser);
    tried.find(fits).unwrap_or(coarsest)
}

/// A page as red, green and blue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagePixels {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Row after row.
    pub pixels: Vec<[u8; 3]>,
}

pub(super) fn pages(pdf: &[u8], dots_per_inch: u32) -> Result<Vec<PagePixels>, RenderError> {
    let raster = Raster::open(pdf, dots_per_inch, PAGES_MAX_PIXELS)?;
    let mut pages = Vec::with_capacity(raster.sheet.pages);
    raster.each_page(|pixels| {
        pages.push(PagePixels {
            width: raster.sheet.page_width,
            height: raster.sheet.page_height,
            pixels: pixels.iter().map(|it| [it.r, it.g, it.b]).collect(),
        });
    });
    Ok(pages)
}

/// A PDF about to be drawn at one resolution.
pub(super) struct Raster {
    pdf: Pdf,
    scale: f64,
    pub(super) sheet: Sheet,
}

impl Raster {
    pub(super) fn open(
        pdf: &[u8],
        dots_per_inch: u32,
        pixels_max: u64,
    ) -> Result<Raster, RenderError> {
        if !(50..=600).contains(&dots_per_inch) {
            return Err(RenderError::Resolution(dots_per_inch));
        }
        let scale = f64::from(dots_per_inch) / POINTS_PER_INCH;
        let pdf =
            Pdf::new(pdf.to_vec()).map_err(|error| RenderError::Picture(format!("{error:?}")))?;
        let mut sizes = pdf.pages().iter().map(|page| size(page, scale));
        let Some(first) = sizes.next() else {
            return Err(RenderError::Picture("the PDF has no pages".to_owned()));
        };
        if sizes.any(|other| other != first) {
            return Err(RenderError::Picture("the pages differ in size".to_owned()));
        }
        let sheet = Sheet {
            page_width: usize::from(first.0),
            page_height: usize::from(first.1),
            pages: pdf.pages().len(),
        };
        if sheet.pixels() > pixels_max {
            return Err(RenderError::PictureTooLarge {
                width: sheet.width() as u64,
                height: sheet.height() as u64,
            });
        }
        Ok(Raster { pdf, scale, sheet })
    }

    /// Hands over the pixels of each page in order, row after row.
    pub(super) fn each_page(&self, mut each: impl FnMut(&[PremulRgba8])) {
        let cache = RenderCache::new();
        let settings = InterpreterSettings::default();
        let mut pixels = Pixmap::new(self.sheet.page_width as u16, self.sheet.page_height as u16);
        for page in self.pdf.pages().iter() {
            draw(page, self.scale, &cache, &settings, &mut pixels);
            each(pixels.data());
        }
    }
}

fn size(page: &Page, scale: f64) -> (u16, u16) {
    let (width, height) = page.render_dimensions();
    let pixels = |points: f32| pixels(f64::from(points) * scale) as u16;
    (pixels(width), pixels(height))
}

/// A length as whole pixels, of which a picture's side has at least one.
fn pixels(length: f64) -> usize {
    length.round().clamp(1.0, 65_535.0) as usize
}

fn draw<'a>(
    page: &'a Page<'a>,
    scale: f64,
    cache: &RenderCache<'a>,
    settings: &InterpreterSettings,
    pixels: &mut Pixmap,
) {
    // The level that every processor of an architecture has: a faster one on a newer machine could
    // round differently, and a picture must not depend on who draws it.
    let context = vello_cpu::RenderSettings {
        level: Level::baseline(),
        num_threads: 0,
    };
    let mut context = RenderContext::new_with(pixels.width(), pixels.height(), context);
    let transform = Affine::scale(scale) * page.initial_transform(true).to_kurbo();
    // Hinting and the glyph cache move strokes to one resolution's pixel grid, away from the layout;
    // hayro 0.9.0's cache also draws some glyphs inverted (a closing bracket, at 200 dots per inch).
    let render = RenderSettings {
        hinting: false,
        glyph_caching: false,
        ..RenderSettings::default()
    };
    hayro::render_into(page, cache, settings, &render, &mut context, transform);
    context.flush();
    let raster = RasterizerSettings {
        target_init: TargetInit::Clear(WHITE),
        ..Default::default()
    };
    context.render_with(pixels, &mut Resources::default(), raster);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(page_height: usize, pages: usize) -> (usize, usize, usize, usize) {
        let sheet = Sheet {
            page_width: 100,
            page_height,
            pages,
        };
        (sheet.columns(), sheet.rows(), sheet.width(), sheet.height())
    }

    #[test]
    fn pages_lie_below_each_other_and_then_beside_each_other() {
        assert_eq!(sheet(1_102, 1), (1, 1, 100, 1_102));
        assert_eq!(sheet(1_102, 29), (1, 29, 100, 31_958));
        assert_eq!(sheet(1_102, 30), (2, 29, 200, 31_958));
        // A voucher of a thousand lines on the built-in forms.
        assert_eq!(sheet(1_102, 143), (5, 29, 500, 31_958));
        assert_eq!(sheet(40_000, 3), (3, 1, 300, 40_000));
    }
}
