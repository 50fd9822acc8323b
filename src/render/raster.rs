//! A PDF's pages as pixels, drawn from the very file that is archived.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_interpret::util::TransformExt;
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{
    self, Level, Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit,
};
use hayro::{RenderCache, RenderSettings};

use super::RenderError;

const POINTS_PER_INCH: f64 = 72.0;
/// Most pixels of a picture with all its pages: a thousand lines on the built-in forms, at 200 dots per
/// inch, have 298 million.
const PIXELS_MAX: u64 = 320_000_000;

/// A PDF about to be drawn at one resolution, its pages one below the other.
pub(super) struct Raster {
    pdf: Pdf,
    scale: f64,
    /// Pixels across.
    pub(super) width: usize,
    /// Pixels down, all pages together.
    pub(super) height: usize,
}

impl Raster {
    pub(super) fn open(pdf: &[u8], dots_per_inch: u32) -> Result<Raster, RenderError> {
        if !(50..=600).contains(&dots_per_inch) {
            return Err(RenderError::Resolution(dots_per_inch));
        }
        let scale = f64::from(dots_per_inch) / POINTS_PER_INCH;
        let pdf =
            Pdf::new(pdf.to_vec()).map_err(|error| RenderError::Picture(format!("{error:?}")))?;
        let mut sizes = pdf.pages().iter().map(|page| size(page, scale));
        let (first, second) = sizes.next().unwrap_or((0, 0));
        let (width, mut height) = (u64::from(first), u64::from(second));
        for (other, tall) in sizes {
            if other != first {
                return Err(RenderError::Picture("the pages differ in width".to_owned()));
            }
            height += u64::from(tall);
        }
        if width == 0 || width * height > PIXELS_MAX {
            return Err(RenderError::PictureTooLarge { width, height });
        }
        Ok(Raster {
            pdf,
            scale,
            width: width as usize,
            height: height as usize,
        })
    }

    /// Hands over the pixels of each page, four bytes each: red, green, blue and opacity.
    pub(super) fn each_page(&self, mut each: impl FnMut(&[u8])) {
        let cache = RenderCache::new();
        let settings = InterpreterSettings::default();
        for page in self.pdf.pages().iter() {
            let pixels = draw(page, self.scale, &cache, &settings);
            each(pixels.data_as_u8_slice());
        }
    }
}

fn size(page: &Page, scale: f64) -> (u16, u16) {
    let (width, height) = page.render_dimensions();
    let pixels = |points: f32| (f64::from(points) * scale).round().clamp(1.0, 65_535.0) as u16;
    (pixels(width), pixels(height))
}

fn draw<'a>(
    page: &'a Page<'a>,
    scale: f64,
    cache: &RenderCache<'a>,
    settings: &InterpreterSettings,
) -> Pixmap {
    let (width, height) = size(page, scale);
    // The level that every processor of an architecture has: a faster one on a newer machine could
    // round differently, and a picture must not depend on who draws it.
    let context = vello_cpu::RenderSettings {
        level: Level::baseline(),
        num_threads: 0,
    };
    let mut context = RenderContext::new_with(width, height, context);
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
    let mut pixels = Pixmap::new(width, height);
    let raster = RasterizerSettings {
        target_init: TargetInit::Clear(WHITE),
        ..Default::default()
    };
    context.render_with(&mut pixels, &mut Resources::default(), raster);
    pixels
}
