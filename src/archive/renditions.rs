//! What a voucher's folder shows of it: the renditions, drawn from data and template alone.

use vouchsafe_evidence::digest::Digest;

use super::ArchiveError;
use crate::catalog::{Rendition, TreePath};
use crate::render::{Mark, Renderer, Warning};
use crate::voucher::Voucher;
use crate::voucher::template::Template;

/// Dots per inch of `voucher.png` and `voucher.jpg`; fewer where that would make too large a picture.
const DOTS_PER_INCH: u32 = 200;

/// The renditions of a voucher, in the order in which they were asked for.
pub(super) struct Renditions {
    pub files: Vec<(Rendition, Vec<u8>)>,
    /// What could not be drawn as it should be, such as a character that no font has.
    pub warnings: Vec<Warning>,
}

impl Renditions {
    /// Draws a voucher: `data` are the bytes of `voucher.json`, `place` is its folder.
    pub fn draw(
        renderer: &Renderer,
        template: &Template,
        voucher: &Voucher,
        place: &TreePath,
        data: &[u8],
        wanted: impl IntoIterator<Item = Rendition>,
    ) -> Result<Renditions, ArchiveError> {
        let mark = Mark {
            place: place.to_string(),
            digest: Digest::blake3(data).to_string(),
        };
        let drawing = renderer.draw(template, voucher, &mark)?;
        let pdf = renderer.pdf(&drawing, data)?;
        let file = |rendition| {
            let content = match rendition {
                Rendition::Pdf => pdf.clone(),
                Rendition::Png => renderer.png(&pdf, drawing.png_resolution(DOTS_PER_INCH))?,
                Rendition::Jpeg => renderer.jpeg(&pdf, drawing.jpeg_resolution(DOTS_PER_INCH))?,
            };
            Ok::<_, ArchiveError>((rendition, content))
        };
        Ok(Renditions {
            files: wanted.into_iter().map(file).collect::<Result<_, _>>()?,
            warnings: drawing.warnings().to_vec(),
        })
    }
}
