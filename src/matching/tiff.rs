//! TIFF as scanners, fax machines and office programs write it (TIFF 6.0): many pages, many kinds of samples. The decoder
//! reads neither palettes nor bits in reverse order nor group 3 fax; that is made up for here, within limits.

mod directory;

use std::io::Cursor;

use directory::{Fax, prepared};
use hayro_ccitt::{DecodeSettings, DecoderContext};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};

use super::decode::{DecodeError, SCAN_MAX_PAGES, SCAN_MAX_PIXELS, check_size, damaged, decoded};
use crate::render::PagePixels;

/// Hands over the pages of a TIFF in order until `each` says `false`.
pub(super) fn tiff_pages(
    content: &[u8],
    each: &mut impl FnMut(usize, PagePixels) -> bool,
) -> Result<(), DecodeError> {
    let mut limits = tiff::decoder::Limits::default();
    limits.decoding_buffer_size = SCAN_MAX_PIXELS as usize * 4;
    limits.intermediate_buffer_size = SCAN_MAX_PIXELS as usize * 4;
    let (content, pages) = prepared(content);
    let mut decoder = decoded(1, || {
        let decoder = Decoder::new(Cursor::new(&content[..])).map_err(|error| damaged(1, error))?;
        Ok(decoder.with_limits(limits))
    })?;
    for page in 1..=SCAN_MAX_PAGES {
        let known = pages.get(page - 1);
        let palette = known.and_then(|it| it.palette.as_deref());
        let picture = decoded(page, || match known.and_then(|it| it.fax.as_ref()) {
            Some(fax) => fax_page(&mut decoder, page, fax, &content),
            None => tiff_page(&mut decoder, page, palette),
        })?;
        if !each(page - 1, picture) {
            return Ok(());
        }
        let more = decoded(page, || {
            if !decoder.more_images() {
                return Ok(false);
            }
            decoder
                .next_image()
                .map_err(|error| damaged(page + 1, error))?;
            Ok(true)
        })?;
        if !more {
            return Ok(());
        }
    }
    Ok(())
}

/// Width and height of a page, within the limit.
fn size(decoder: &mut Decoder<Cursor<&[u8]>>, page: usize) -> Result<(u32, u32), DecodeError> {
    let (width, height) = decoder.dimensions().map_err(|error| damaged(page, error))?;
    check_size(page, u64::from(width), u64::from(height))?;
    Ok((width, height))
}

fn tiff_page(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    page: usize,
    palette: Option<&[[u8; 3]]>,
) -> Result<PagePixels, DecodeError> {
    let fault = |error: tiff::TiffError| damaged(page, error);
    let (width, height) = size(decoder, page)?;
    let colour = decoder.colortype().map_err(fault)?;
    let samples = match decoder.read_image().map_err(fault)? {
        DecodingResult::U8(samples) => samples,
        DecodingResult::U16(samples) => samples.into_iter().map(|it| (it >> 8) as u8).collect(),
        _ => return Err(damaged(page, "samples of more than 16 bits")),
    };
    let (width, height) = (width as usize, height as usize);
    let cut = || damaged(page, "fewer samples than pixels");
    // Where white is zero the decoder has turned the samples over.
    let shade = |value: u8| match palette {
        Some(colours) => colours.get(usize::from(value)).copied().unwrap_or_default(),
        None => [value; 3],
    };
    let each = |count: usize, pixel: &dyn Fn(&[u8]) -> [u8; 3]| -> Vec<[u8; 3]> {
        samples.chunks_exact(count).map(pixel).collect()
    };
    let mut pixels = match colour {
        ColorType::Gray(bits @ (1 | 2 | 4)) => {
            // A palette has colours for the numbers themselves.
            let step = if palette.is_some() {
                1
            } else {
                255 / ((1 << bits) - 1)
            };
            let values = unpacked(&samples, (width, height), usize::from(bits));
            values
                .ok_or_else(cut)?
                .into_iter()
                .map(|it| shade(it * step))
                .collect()
        }
        ColorType::Gray(8 | 16) => each(1, &|it| shade(it[0])),
        ColorType::GrayA(8 | 16) => each(2, &|it| shade(it[0])),
        ColorType::Multiband {
            bit_depth: 8 | 16,
            num_samples: count @ 2..,
        } => each(usize::from(count), &|it| shade(it[0])),
        ColorType::RGB(8 | 16) | ColorType::YCbCr(8) => each(3, &|it| [it[0], it[1], it[2]]),
        ColorType::RGBA(8 | 16) => each(4, &|it| [it[0], it[1], it[2]]),
        ColorType::CMYK(8) => {
            let light = |ink: u8, black: u8| {
                ((255 - u32::from(ink)) * (255 - u32::from(black)) / 255) as u8
            };
            each(4, &|it| [0, 1, 2].map(|ink| light(it[ink], it[3])))
        }
        other => return Err(damaged(page, format!("{other:?} is not read"))),
    };
    pixels.truncate(width * height);
    if pixels.len() < width * height {
        return Err(cut());
    }
    Ok(PagePixels {
        width,
        height,
        pixels,
    })
}

/// Rows of a fax.
struct Rows {
    width: usize,
    pixels: Vec<[u8; 3]>,
    white: [u8; 3],
    black: [u8; 3],
}

impl hayro_ccitt::Decoder for Rows {
    fn push_row(&mut self, changes: &[u32]) {
        let start = self.pixels.len();
        self.pixels.resize(start + self.width, self.white);
        for run in changes.chunks(2) {
            let from = (run[0] as usize).min(self.width);
            let to = run.get(1).map_or(self.width, |to| *to as usize);
            self.pixels[start + from..start + to.clamp(from, self.width)].fill(self.black);
        }
    }
}

fn fax_page(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    page: usize,
    fax: &Fax,
    content: &[u8],
) -> Result<PagePixels, DecodeError> {
    let (width, height) = size(decoder, page)?;
    let (white, black) = match fax.is_inverse {
        true => ([0; 3], [255; 3]),
        false => ([255; 3], [0; 3]),
    };
    let (across, down) = (width as usize, height as usize);
    let mut rows = Rows {
        width: across,
        pixels: Vec::with_capacity(across * down),
        white,
        black,
    };
    for &(start, size) in &fax.strips {
        let left = height - (rows.pixels.len() / across) as u32;
        let strip = content.get(start..start.saturating_add(size));
        let (1.., Some(strip)) = (left, strip) else {
            break;
        };
        let settings = DecodeSettings {
            columns: width,
            rows: fax.rows_per_strip.min(left),
            end_of_block: true,
            end_of_line: false,
            rows_are_byte_aligned: fax.is_aligned,
            encoding: fax.encoding,
            strict: true,
        };
        hayro_ccitt::decode(strip, &mut rows, &mut DecoderContext::new(settings))
            .map_err(|error| damaged(page, format!("group 3 fax: {error:?}")))?;
    }
    if rows.pixels.len() != across * down {
        return Err(damaged(page, "fewer rows of fax than the page has"));
    }
    Ok(PagePixels {
        width: across,
        height: down,
        pixels: rows.pixels,
    })
}

/// Values of 1, 2 or 4 bits, rows padded to whole bytes; none if there are too few.
fn unpacked(samples: &[u8], (width, height): (usize, usize), bits: usize) -> Option<Vec<u8>> {
    let stride = (width * bits).div_ceil(8);
    if samples.len() < stride * height {
        return None;
    }
    let (in_byte, mask) = (8 / bits, (1u8 << bits) - 1);
    let mut values = Vec::with_capacity(width * height);
    for row in samples.chunks_exact(stride).take(height) {
        let value = |x: usize| (row[x / in_byte] >> (8 - bits * (x % in_byte + 1))) & mask;
        values.extend((0..width).map(value));
    }
    Some(values)
}
