//! Marked JPEG files of a length that is known beforehand.

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::MarkError;
use crate::render::PagePixels;

/// Qualities that are tried, until one fits.
const QUALITIES: [u8; 5] = [88, 75, 60, 45, 30];
/// Longest comment of one segment, in bytes, its length included.
const COMMENT_MAX: u64 = 0xFFFF;
/// Its marker and its length.
const COMMENT_HEAD: u64 = 4;

/// Length of the marked file, from the length of the archived one.
pub(super) fn length(stored: u64) -> u64 {
    stored + stored / 4 + (64 << 10)
}

/// A picture, marked already, in the best quality that fits; at half its size as often as none does.
pub(super) fn picture(page: &PagePixels, length: u64) -> Result<Vec<u8>, MarkError> {
    super::fitting(page, |page| {
        for quality in QUALITIES {
            let file = encode(page, quality)?;
            if file.len() as u64 <= length {
                return Ok(Some(padded(&file, length)));
            }
        }
        Ok(None)
    })
}

/// A picture as JPEG.
pub(super) fn encode(page: &PagePixels, quality: u8) -> Result<Vec<u8>, MarkError> {
    let side = |pixels: usize| u16::try_from(pixels).map_err(|_| MarkError::TooLarge);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(
            page.pixels.as_flattened(),
            side(page.width)?,
            side(page.height)?,
            ColorType::Rgb,
        )
        .map_err(|error| MarkError::Damaged(error.to_string()))?;
    Ok(bytes)
}

/// The file with comments after its first marker, so that it has this length. Fewer bytes than a comment has are filled
/// up before the next marker, as every marker may be (ITU-T T.81, B.1.1.2).
fn padded(file: &[u8], length: u64) -> Vec<u8> {
    let (start, rest) = file.split_at(2.min(file.len()));
    let mut out = Vec::with_capacity(length as usize);
    out.extend_from_slice(start);
    let mut room = length.saturating_sub(file.len() as u64);
    while room >= COMMENT_HEAD {
        let segment = room.min(COMMENT_MAX + 2);
        out.extend_from_slice(&[0xFF, 0xFE]);
        out.extend_from_slice(&((segment - 2) as u16).to_be_bytes());
        out.resize(out.len() + (segment - COMMENT_HEAD) as usize, b' ');
        room -= segment;
    }
    out.resize(out.len() + room as usize, 0xFF);
    out.extend_from_slice(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_reached_and_the_picture_stays() {
        let page = PagePixels {
            width: 40,
            height: 30,
            pixels: (0..1_200).map(|at| [(at % 40 * 6) as u8; 3]).collect(),
        };
        let file = encode(&page, 80).unwrap();
        let plain = image::load_from_memory(&file).unwrap();
        for more in [0, 1, 2, 3, 4, 5, 65_536, 65_537, 65_538, 65_540, 200_000] {
            let longer = padded(&file, file.len() as u64 + more);
            assert_eq!(longer.len() as u64, file.len() as u64 + more);
            assert_eq!(image::load_from_memory(&longer).unwrap(), plain, "{more}");
        }
    }
}
