//! Marked pages of scans as TIFF and PDF files of a length that is known beforehand: each page a JPEG.

use std::fmt::Write as _;

use super::{MarkError, jpeg};
use crate::render::PagePixels;

/// Quality, and how often the sides are halved, in the order in which they are tried.
const WAYS: [(u8, u32); 8] = [
    (80, 0),
    (60, 0),
    (40, 0),
    (55, 1),
    (35, 1),
    (45, 2),
    (25, 2),
    (25, 3),
];
/// Longer side of a page at first, in pixels: 200 dots per inch on A4.
const SIDE_MAX: usize = 2_400;
/// A page's longer side in points, as A5 and A4 are between.
const LONGER_SIDE_POINTS: f64 = 680.0;

/// Length of the marked file, from the length of the archived one.
pub(super) fn length(stored: u64) -> u64 {
    stored * 2 + (1 << 20)
}

/// Pages as a TIFF of baseline JPEG strips (TIFF Technical Note 2).
pub(super) fn tiff(pages: Vec<PagePixels>, length: u64) -> Result<Vec<u8>, MarkError> {
    fitting(pages, |pages| {
        let mut out = b"II*\0".to_vec();
        out.extend_from_slice(&[0; 4]);
        let mut link = 4;
        for (width, height, jpeg) in pages {
            let strip = out.len() as u32;
            out.extend_from_slice(jpeg);
            out.resize(out.len().next_multiple_of(2), 0);
            let bits = out.len() as u32;
            [8u16; 3]
                .iter()
                .for_each(|it| out.extend_from_slice(&it.to_le_bytes()));
            let directory = out.len() as u32;
            out[link..link + 4].copy_from_slice(&directory.to_le_bytes());
            // Tag, type (3 short, 4 long), count, value.
            let entries: [(u16, u16, u32, u32); 9] = [
                (256, 4, 1, *width as u32),
                (257, 4, 1, *height as u32),
                (258, 3, 3, bits),
                (259, 3, 1, 7),
                (262, 3, 1, 6),
                (273, 4, 1, strip),
                (277, 3, 1, 3),
                (278, 4, 1, *height as u32),
                (279, 4, 1, jpeg.len() as u32),
            ];
            out.extend_from_slice(&(entries.len() as u16).to_le_bytes());
            for (tag, kind, count, value) in entries {
                out.extend_from_slice(&tag.to_le_bytes());
                out.extend_from_slice(&kind.to_le_bytes());
                out.extend_from_slice(&count.to_le_bytes());
                out.extend_from_slice(&value.to_le_bytes());
            }
            link = out.len();
            out.extend_from_slice(&[0; 4]);
        }
        // What no directory names is room.
        let room = usize::try_from(length).ok()?.checked_sub(out.len())?;
        out.resize(out.len() + room, 0);
        Some(out)
    })
}

/// Pages as a PDF of pictures.
pub(super) fn pdf(pages: Vec<PagePixels>, length: u64) -> Result<Vec<u8>, MarkError> {
    fitting(pages, |pages| {
        let mut out = b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n".to_vec();
        let mut offsets = Vec::new();
        let mut object = |out: &mut Vec<u8>, head: String, content: Option<&[u8]>| {
            offsets.push(out.len());
            out.extend_from_slice(format!("{} 0 obj\n{head}\n", offsets.len()).as_bytes());
            if let Some(content) = content {
                out.extend_from_slice(b"stream\n");
                out.extend_from_slice(content);
                out.extend_from_slice(b"\nendstream\n");
            }
            out.extend_from_slice(b"endobj\n");
        };
        object(&mut out, "<</Type/Catalog/Pages 2 0 R>>".to_owned(), None);
        let kids: String = (0..pages.len())
            .map(|page| format!("{} 0 R ", 3 + 3 * page))
            .collect();
        object(
            &mut out,
            format!("<</Type/Pages/Kids[{kids}]/Count {}>>", pages.len()),
            None,
        );
        for (number, (width, height, jpeg)) in pages.iter().enumerate() {
            let (picture, content) = (4 + 3 * number, 5 + 3 * number);
            let scale = LONGER_SIDE_POINTS / *width.max(height) as f64;
            let (across, down) = (*width as f64 * scale, *height as f64 * scale);
            object(
                &mut out,
                format!(
                    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {across:.2} {down:.2}]/Contents {content} 0 R\
                     /Resources<</XObject<</P {picture} 0 R>>>>>>"
                ),
                None,
            );
            let head = format!(
                "<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceRGB\
                 /BitsPerComponent 8/Filter/DCTDecode/Length {}>>",
                jpeg.len()
            );
            object(&mut out, head, Some(jpeg));
            let drawing = format!("q {across:.2} 0 0 {down:.2} 0 0 cm /P Do Q");
            object(
                &mut out,
                format!("<</Length {}>>", drawing.len()),
                Some(drawing.as_bytes()),
            );
        }
        let table = |start: usize| {
            let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1);
            for offset in &offsets {
                let _ = writeln!(table, "{offset:010} 00000 n ");
            }
            let _ = write!(
                table,
                "trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{start:010}\n%%EOF\n",
                offsets.len() + 1
            );
            table
        };
        let room = usize::try_from(length)
            .ok()?
            .checked_sub(out.len() + table(0).len())?;
        if room >= 2 {
            out.push(b'%');
            out.resize(out.len() + room - 2, b' ');
            out.push(b'\n');
        } else {
            out.resize(out.len() + room, b'\n');
        }
        let table = table(out.len());
        out.extend_from_slice(table.as_bytes());
        Some(out)
    })
}

/// The first of the ways to pack pages that fits into the length.
fn fitting(
    pages: Vec<PagePixels>,
    pack: impl Fn(&[(usize, usize, Vec<u8>)]) -> Option<Vec<u8>>,
) -> Result<Vec<u8>, MarkError> {
    let mut pages = pages;
    let mut halved = 0;
    for (quality, halvings) in WAYS {
        while halved < halvings {
            pages = pages.iter().map(super::halved).collect();
            halved += 1;
        }
        let encode =
            |page: &PagePixels| Ok((page.width, page.height, jpeg::encode(page, quality)?));
        let jpegs = pages
            .iter()
            .map(encode)
            .collect::<Result<Vec<_>, MarkError>>()?;
        if let Some(file) = pack(&jpegs) {
            return Ok(file);
        }
    }
    Err(MarkError::TooLarge)
}

pub(super) fn within(mut page: PagePixels) -> PagePixels {
    while page.width.max(page.height) > SIDE_MAX * 2 {
        page = super::halved(&page);
    }
    page
}
