//! The watermark room: marks that tell of who was shown a picture, and reading them from a photograph of a part of it.
//!
//! It does not know who people are, where pictures are kept, or what time it is.

mod code;
mod find;
mod fourier;
mod jpeg;
mod lattice;
mod pages;
mod paper;
mod pdf;
mod png;
mod stamp;
mod tile;
mod view_id;
mod warp;
mod waves;

pub use find::find;
pub use view_id::{ViewId, ViewIdError};

use crate::render::{PagePixels, Renderer};
use tile::Tile;

/// Changes with everything that changes the bytes of a marked copy: it is part of its entity tag.
pub const VERSION: u32 = 1;
/// Bytes from the beginning of a file that [`Kind::length`] looks at.
pub const BEGINNING_BYTES: usize = png::BEGINNING;
/// Most pixels of a picture that is marked.
pub const PIXELS_MAX: u64 = 64_000_000;

/// A page that has no resolution of its own is taken for one of this width or height, in inches: a voucher's.
const LONGER_SIDE_INCHES: f64 = 9.45;

/// What a marked copy says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// What is hidden in it, and written on it.
    pub id: ViewId,
    /// Who was shown it.
    pub name: String,
    /// When.
    pub date: String,
}

impl Mark {
    /// What people read.
    fn line(&self) -> String {
        format!("{}  {}  {}", self.name, self.date, self.id)
    }
}

/// Kinds of files that are marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Pixels without loss.
    Png,
    /// Photographs and scans.
    Jpeg,
    /// Pages of scans.
    Tiff,
    /// A form that this program drew: the mark is added to it, and what was archived stays its beginning.
    Form,
    /// A PDF from outside: its pages become pictures.
    Pdf,
}

/// Why a picture could not be marked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarkError {
    /// It is not what it should be.
    #[error("it cannot be read: {0}")]
    Damaged(String),
    /// More than can be marked.
    #[error("it is too large")]
    TooLarge,
}

impl Kind {
    /// Length in bytes of the marked file, from the length of the archived one and its first [`BEGINNING_BYTES`]. What
    /// is marked has exactly this length, whatever the mark says. None if it is no file of this kind, or too large.
    pub fn length(self, stored: u64, beginning: &[u8]) -> Option<u64> {
        match self {
            Kind::Png => png::length(stored, beginning, PIXELS_MAX),
            Kind::Jpeg => Some(jpeg::length(stored)),
            Kind::Tiff | Kind::Pdf => Some(pages::length(stored)),
            Kind::Form => Some(pdf::length(stored)),
        }
    }
}

/// The marked copy of a form: PNG or PDF from [`Renderer`]. None for a PNG that is none, which [`pictures`] marks.
pub fn form(
    renderer: &Renderer,
    mark: &Mark,
    kind: Kind,
    content: &[u8],
    length: u64,
) -> Result<Option<Vec<u8>>, MarkError> {
    match kind {
        Kind::Png => png::form(renderer, mark, content, length),
        Kind::Form => pdf::form(renderer, mark, content, length).map(Some),
        Kind::Jpeg | Kind::Tiff | Kind::Pdf => Ok(None),
    }
}

/// The marked copy of any file, from its pages, in order.
pub fn pictures(
    renderer: &Renderer,
    mark: &Mark,
    kind: Kind,
    mut pages: Vec<PagePixels>,
    length: u64,
) -> Result<Vec<u8>, MarkError> {
    for page in &mut pages {
        let dots = dots_of(page.width, page.height);
        Tile::draw(renderer, mark, dots).darken(&mut page.pixels, page.width);
    }
    let first = pages
        .first()
        .ok_or_else(|| MarkError::Damaged("no page".to_owned()))?;
    match kind {
        Kind::Png => png::picture(first, length),
        Kind::Jpeg => jpeg::picture(first, length),
        Kind::Tiff => pages::tiff(pages, length),
        Kind::Pdf | Kind::Form => pages::pdf(pages, length),
    }
}

/// A page of several, no larger than it is kept.
pub fn reduced(page: PagePixels) -> PagePixels {
    pages::within(page)
}

/// The resolution at which a page of so many pixels is as large as a voucher, in dots per inch.
fn dots_of(width: usize, height: usize) -> f64 {
    (width.max(height) as f64 / LONGER_SIDE_INCHES).clamp(50.0, 600.0)
}

/// What `pack` makes of a picture, or of the picture at half its size as often as it does not fit.
fn fitting(
    page: &PagePixels,
    pack: impl Fn(&PagePixels) -> Result<Option<Vec<u8>>, MarkError>,
) -> Result<Vec<u8>, MarkError> {
    let mut smaller = None;
    loop {
        let page = smaller.as_ref().unwrap_or(page);
        if let Some(file) = pack(page)? {
            return Ok(file);
        }
        if page.width < 32 || page.height < 32 {
            return Err(MarkError::TooLarge);
        }
        smaller = Some(halved(page));
    }
}

fn halved(page: &PagePixels) -> PagePixels {
    let (width, height) = (page.width / 2, page.height / 2);
    let mut pixels = Vec::with_capacity(width * height);
    for y in 0..height {
        let row = |y: usize| &page.pixels[y * page.width..][..2 * width];
        let (upper, lower) = (
            row(2 * y).as_chunks::<2>().0,
            row(2 * y + 1).as_chunks::<2>().0,
        );
        for ([a, b], [c, d]) in upper.iter().zip(lower) {
            let mean = |channel: usize| {
                let sum = [a, b, c, d]
                    .iter()
                    .map(|it| u32::from(it[channel]))
                    .sum::<u32>();
                ((sum + 2) / 4) as u8
            };
            pixels.push([mean(0), mean(1), mean(2)]);
        }
    }
    PagePixels {
        width,
        height,
        pixels,
    }
}
