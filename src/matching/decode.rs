//! Scans as they come, JPEG, PNG, TIFF or PDF, into pictures, one page after the other, within limits.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_interpret::util::TransformExt;
use hayro::hayro_syntax::Pdf;
use hayro::hayro_syntax::page::Page;
use hayro::kurbo::Affine;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::vello_cpu::{Pixmap, RasterizerSettings, RenderContext, Resources, TargetInit};
use hayro::{RenderCache, RenderSettings};
use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::{DynamicImage, ImageDecoder, Limits, metadata::Orientation};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::tiff::tiff_pages;
use crate::render::PagePixels;

/// Most pixels of one page: A4 at 600 dots per inch has 35 million.
pub const SCAN_MAX_PIXELS: u64 = 64_000_000;
/// Most pages of one file that are looked at.
pub const SCAN_MAX_PAGES: usize = 64;
/// Largest file that is looked at, in bytes.
pub const MATCH_MAX_BYTES: u64 = 128 << 20;
/// Longer side of a page of a PDF, in pixels: 300 dots per inch on A4.
const PDF_SIDE_PIXELS: f64 = 3_508.0;
/// Resolution that no PDF needs more than: an A5 voucher then has 2,835 pixels across.
const PDF_MAX_SCALE: f64 = 300.0 / 72.0;

/// Why a scan could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum DecodeError {
    /// Not JPEG, PNG, TIFF or PDF.
    #[error("neither JPEG, PNG, TIFF nor PDF")]
    Unknown,
    /// Damaged or of a kind that is not read.
    #[error("page {page}: {why}")]
    Damaged {
        /// From 1.
        page: usize,
        /// What the decoder says.
        why: String,
    },
    /// More pixels than [`SCAN_MAX_PIXELS`].
    #[error("page {page} has more than {SCAN_MAX_PIXELS} pixels")]
    TooManyPixels {
        /// From 1.
        page: usize,
    },
    /// More bytes than [`MATCH_MAX_BYTES`].
    #[error("more than {MATCH_MAX_BYTES} bytes")]
    TooLarge,
    /// It takes more than one file may take.
    #[error("reading it takes {0}")]
    Limit(String),
    /// It could not be read at this moment, whatever is in it.
    #[error("it cannot be read at this moment: {0}")]
    Busy(String),
}

/// Hands over the pages of scans; how far it guards against files that mean harm is its own.
pub trait Decoder: Send + Sync {
    /// Hands over the pages of a scan in order, at most [`SCAN_MAX_PAGES`], until `each` has seen enough and says
    /// `false`.
    fn each_page(
        &self,
        content: &[u8],
        each: &mut dyn FnMut(usize, PagePixels) -> bool,
    ) -> Result<(), DecodeError>;
}

/// Decodes in this very process, which a PDF can drive into using up its memory and its stack: for files that are
/// trusted, and within a process that has limits.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

impl Decoder for InProcess {
    fn each_page(
        &self,
        content: &[u8],
        each: &mut dyn FnMut(usize, PagePixels) -> bool,
    ) -> Result<(), DecodeError> {
        each_page(content, each)
    }
}

/// Whether a content claims to be a PDF. The decoders of the other kinds keep limits of their own.
pub fn is_pdf(content: &[u8]) -> bool {
    content.starts_with(b"%PDF")
}

pub(super) fn damaged(page: usize, why: impl ToString) -> DecodeError {
    DecodeError::Damaged {
        page,
        why: why.to_string(),
    }
}

/// What [`InProcess`] does.
pub fn each_page(
    content: &[u8],
    mut each: impl FnMut(usize, PagePixels) -> bool,
) -> Result<(), DecodeError> {
    if content.len() as u64 > MATCH_MAX_BYTES {
        return Err(DecodeError::TooLarge);
    }
    match content {
        [0xFF, 0xD8, 0xFF, ..] => {
            if !is_whole_jpeg(content) {
                return Err(damaged(
                    1,
                    "the file ends before the picture does: send it again",
                ));
            }
            let picture = decoded(1, || jpeg_or_png(JpegDecoder::new(Cursor::new(content))))?;
            each(0, picture);
        }
        [0x89, b'P', b'N', b'G', ..] => {
            let picture = decoded(1, || jpeg_or_png(PngDecoder::new(Cursor::new(content))))?;
            each(0, picture);
        }
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => tiff_pages(content, &mut each)?,
        _ if is_pdf(content) => pdf_pages(content, &mut each)?,
        _ => return Err(DecodeError::Unknown),
    }
    Ok(())
}

/// Whether a JPEG's picture has an end. The decoder makes grey of what was cut off, and an empty place would then be called empty.
/// Within a picture's data 0xFF is followed by zero or a restart marker (ITU-T T.81, B.1.1.5), so that the last of these two
/// markers in a file that was cut is the start of its data.
fn is_whole_jpeg(content: &[u8]) -> bool {
    const END_OF_IMAGE: u8 = 0xD9;
    const START_OF_SCAN: u8 = 0xDA;
    let mut pairs = content.windows(2).rev();
    let marker = pairs.find(|it| it[0] == 0xFF && matches!(it[1], END_OF_IMAGE | START_OF_SCAN));
    marker.is_some_and(|it| it[1] == END_OF_IMAGE)
}

/// What a decoder makes of bytes from outside. One that gives up by panicking has found them damaged.
pub(super) fn decoded<T>(
    page: usize,
    decode: impl FnOnce() -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let outcome = catch_unwind(AssertUnwindSafe(decode));
    outcome.unwrap_or_else(|_| Err(damaged(page, "the decoder gave up")))
}

pub(super) fn check_size(page: usize, width: u64, height: u64) -> Result<(), DecodeError> {
    if width.saturating_mul(height) > SCAN_MAX_PIXELS {
        return Err(DecodeError::TooManyPixels { page });
    }
    if width < 16 || height < 16 {
        return Err(damaged(page, "smaller than 16 pixels"));
    }
    Ok(())
}

fn jpeg_or_png<D: ImageDecoder>(decoder: image::ImageResult<D>) -> Result<PagePixels, DecodeError> {
    let mut decoder = decoder.map_err(|error| damaged(1, error))?;
    let (width, height) = decoder.dimensions();
    check_size(1, u64::from(width), u64::from(height))?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(SCAN_MAX_PIXELS * 8);
    decoder
        .set_limits(limits)
        .map_err(|error| damaged(1, error))?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| damaged(1, error))?;
    picture.apply_orientation(orientation);
    Ok(rgb(picture))
}

fn rgb(picture: DynamicImage) -> PagePixels {
    // What is transparent is paper.
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = if picture.color().has_alpha() {
        let picture = picture.into_rgba8();
        let over = |pixel: &image::Rgba<u8>| {
            let [r, g, b, a] = pixel.0.map(u32::from);
            [r, g, b].map(|it| ((it * a + 255 * (255 - a)) / 255) as u8)
        };
        picture.pixels().map(over).collect()
    } else {
        let values = picture.into_rgb8().into_raw();
        // Nothing is copied where the memory is all pixels.
        bytemuck::allocation::try_cast_vec(values)
            .unwrap_or_else(|(_, values)| values.as_chunks().0.to_vec())
    };
    PagePixels {
        width,
        height,
        pixels,
    }
}

fn pdf_pages(
    content: &[u8],
    each: &mut impl FnMut(usize, PagePixels) -> bool,
) -> Result<(), DecodeError> {
    let pdf = decoded(1, || {
        Pdf::new(content.to_vec()).map_err(|error| damaged(1, format!("{error:?}")))
    })?;
    let count = pdf.pages().len();
    if count == 0 {
        return Err(damaged(1, "the PDF has no pages"));
    }
    for (index, page) in pdf.pages().iter().take(SCAN_MAX_PAGES).enumerate() {
        let picture = decoded(index + 1, || pdf_page(page, index + 1))?;
        if !each(index, picture) {
            break;
        }
    }
    Ok(())
}

fn pdf_page(page: &Page, number: usize) -> Result<PagePixels, DecodeError> {
    let (width, height) = page.render_dimensions();
    let longer = f64::from(width.max(height));
    if !(longer.is_finite() && longer >= 1.0) {
        return Err(damaged(number, "the page has no size"));
    }
    let scale = (PDF_SIDE_PIXELS / longer).min(PDF_MAX_SCALE);
    let side = |points: f32| (f64::from(points) * scale).round().clamp(1.0, 8_192.0) as u16;
    let (width, height) = (side(width), side(height));
    check_size(number, u64::from(width), u64::from(height))?;
    let mut pixels = Pixmap::new(width, height);
    let mut context = RenderContext::new(width, height);
    let transform = Affine::scale(scale) * page.initial_transform(true).to_kurbo();
    let settings = InterpreterSettings::default();
    hayro::render_into(
        page,
        &RenderCache::new(),
        &settings,
        &RenderSettings::default(),
        &mut context,
        transform,
    );
    context.flush();
    let raster = RasterizerSettings {
        target_init: TargetInit::Clear(WHITE),
        ..Default::default()
    };
    context.render_with(&mut pixels, &mut Resources::default(), raster);
    Ok(PagePixels {
        width: usize::from(width),
        height: usize::from(height),
        pixels: pixels.data().iter().map(|it| [it.r, it.g, it.b]).collect(),
    })
}
