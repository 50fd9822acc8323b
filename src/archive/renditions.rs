//! What a voucher's folder shows of it: the renditions, drawn from data and template alone.

use vouchsafe_evidence::digest::Digest;

use super::ArchiveError;
use crate::catalog::{Rendition, TreePath};
use crate::render::{Drawing, Mark, Renderer, Warning};
use crate::store::{Truth, get_object};
use crate::voucher::template::{TEMPLATE_MAX_BYTES, Template};
use crate::voucher::{VOUCHER_MAX_BYTES, Voucher};

/// Dots per inch of `voucher.png` and `voucher.jpg`; fewer where that would make too large a picture.
pub(super) const DOTS_PER_INCH: u32 = 200;

/// What a voucher was filed from: its data, and the template of that day.
pub(super) struct Source {
    pub template: Template,
    pub voucher: Voucher,
    /// The bytes of `voucher.json`.
    pub data: Vec<u8>,
}

impl Source {
    /// Reads both from the store.
    pub fn read(
        store: &(impl Truth + ?Sized),
        data: Option<&Digest>,
        template: &Digest,
    ) -> Result<Source, ArchiveError> {
        let content = |digest: Option<&Digest>, most: usize, what: &str| {
            let content = digest.map(|digest| get_object(store, digest, most as u64));
            let missing = || ArchiveError::Broken(format!("the {what} is missing"));
            content.transpose()?.flatten().ok_or_else(missing)
        };
        let broken = |error: String| ArchiveError::Broken(format!("the template: {error}"));
        let data = content(data, VOUCHER_MAX_BYTES, "data")?;
        let template = content(Some(template), TEMPLATE_MAX_BYTES, "template")?;
        let template = String::from_utf8(template).map_err(|error| broken(error.to_string()))?;
        Ok(Source {
            template: Template::from_toml(&template).map_err(|error| broken(error.to_string()))?,
            voucher: Voucher::from_json(&data)?,
            data,
        })
    }
}

/// A voucher laid out on its form; `data` are the bytes of `voucher.json`, `place` is its folder.
pub(super) fn draw(
    renderer: &Renderer,
    template: &Template,
    voucher: &Voucher,
    place: &TreePath,
    data: &[u8],
) -> Result<Drawing, ArchiveError> {
    let mark = Mark {
        place: place.to_string(),
        digest: Digest::blake3(data).to_string(),
    };
    Ok(renderer.draw(template, voucher, &mark)?)
}

/// The same, and the PDF.
pub(super) fn lay_out(
    renderer: &Renderer,
    template: &Template,
    voucher: &Voucher,
    place: &TreePath,
    data: &[u8],
) -> Result<(Drawing, Vec<u8>), ArchiveError> {
    let drawing = draw(renderer, template, voucher, place, data)?;
    let pdf = renderer.pdf(&drawing, data)?;
    Ok((drawing, pdf))
}

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
        let (drawing, pdf) = lay_out(renderer, template, voucher, place, data)?;
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
