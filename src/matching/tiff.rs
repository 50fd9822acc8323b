//! TIFF as scanners and office programs write it (TIFF 6.0): many pages, many kinds of samples. The decoder reads neither
//! palettes nor bits in reverse order; both are made up for here, within limits.

use std::borrow::Cow;
use std::io::Cursor;

use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult};

use super::decode::{DecodeError, SCAN_MAX_PAGES, SCAN_MAX_PIXELS, check_size, damaged, decoded};
use crate::render::PagePixels;

/// Tags, and values of them.
const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const STRIP_OFFSETS: u16 = 273;
const STRIP_SIZES: u16 = 279;
const COLOUR_MAP: u16 = 320;
const TILE_OFFSETS: u16 = 324;
const TILE_SIZES: u16 = 325;
const BLACK_IS_ZERO: u32 = 1;
const PALETTE: u32 = 3;
const LOW_BITS_FIRST: u32 = 2;
const JPEG: [u32; 2] = [6, 7];
/// Most values of one tag that are looked at: strips of one line each on the longest page.
const VALUES_MAX: usize = 1 << 17;

/// Colours by their number.
type Palette = Vec<[u8; 3]>;

/// Hands over the pages of a TIFF in order until `each` says `false`.
pub(super) fn tiff_pages(
    content: &[u8],
    each: &mut impl FnMut(usize, PagePixels) -> bool,
) -> Result<(), DecodeError> {
    let mut limits = tiff::decoder::Limits::default();
    limits.decoding_buffer_size = SCAN_MAX_PIXELS as usize * 4;
    limits.intermediate_buffer_size = SCAN_MAX_PIXELS as usize * 4;
    let (content, palettes) = prepared(content);
    let mut decoder = decoded(1, || {
        let decoder = Decoder::new(Cursor::new(&content[..])).map_err(|error| damaged(1, error))?;
        Ok(decoder.with_limits(limits))
    })?;
    for page in 1..=SCAN_MAX_PAGES {
        let palette = palettes.get(page - 1).and_then(Option::as_deref);
        let picture = decoded(page, || tiff_page(&mut decoder, page, palette))?;
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

fn tiff_page(
    decoder: &mut Decoder<Cursor<&[u8]>>,
    page: usize,
    palette: Option<&[[u8; 3]]>,
) -> Result<PagePixels, DecodeError> {
    let fault = |error: tiff::TiffError| damaged(page, error);
    let (width, height) = decoder.dimensions().map_err(fault)?;
    check_size(page, u64::from(width), u64::from(height))?;
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

/// The file as the decoder can read it: numbers of colours are called shades of grey, bits are in their usual order. With
/// the palettes of its pages.
fn prepared(content: &[u8]) -> (Cow<'_, [u8]>, Vec<Option<Palette>>) {
    let mut file = Cow::Borrowed(content);
    let mut palettes = Vec::new();
    let source = Source {
        content,
        is_big_endian: content.starts_with(b"MM"),
    };
    let mut reversed = 0;
    let mut next = source.u32_at(4);
    while let Some(at) = next.filter(|at| *at != 0 && palettes.len() < SCAN_MAX_PAGES) {
        let Some(directory) = source.directory(at as usize) else {
            break;
        };
        let palette = directory.palette();
        if let (Some(_), Some(at)) = (&palette, directory.place(PHOTOMETRIC)) {
            let grey = match source.is_big_endian {
                true => (BLACK_IS_ZERO as u16).to_be_bytes(),
                false => (BLACK_IS_ZERO as u16).to_le_bytes(),
            };
            if let Some(value) = file.to_mut().get_mut(at..at + 2) {
                value.copy_from_slice(&grey);
            }
        }
        palettes.push(palette);
        for (start, size) in directory.in_reverse() {
            // A file whose strips are more than itself means harm.
            reversed += size;
            if reversed <= content.len()
                && let Some(bytes) = file.to_mut().get_mut(start..start + size)
            {
                bytes.iter_mut().for_each(|it| *it = it.reverse_bits());
            }
        }
        next = source.u32_at(directory.end);
    }
    (file, palettes)
}

/// A file, and in which order its numbers have their bytes.
#[derive(Clone, Copy)]
struct Source<'a> {
    content: &'a [u8],
    is_big_endian: bool,
}

/// Tag, type, how many values, and where these are, or where it says where.
struct Entry {
    tag: u16,
    kind: u16,
    count: usize,
    place: usize,
}

/// What is said of one page.
struct Directory<'a> {
    source: Source<'a>,
    entries: Vec<Entry>,
    /// Where it says where the next one is.
    end: usize,
}

impl<'a> Source<'a> {
    fn u16_at(&self, at: usize) -> Option<u16> {
        let bytes = *self.content.get(at..)?.first_chunk()?;
        Some(match self.is_big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        })
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        let bytes = *self.content.get(at..)?.first_chunk()?;
        Some(match self.is_big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        })
    }

    fn directory(self, at: usize) -> Option<Directory<'a>> {
        let count = usize::from(self.u16_at(at)?);
        let entry = |index: usize| {
            let at = at + 2 + 12 * index;
            Some(Entry {
                tag: self.u16_at(at)?,
                kind: self.u16_at(at + 2)?,
                count: self.u32_at(at + 4)? as usize,
                place: at + 8,
            })
        };
        Some(Directory {
            source: self,
            entries: (0..count).map(entry).collect::<Option<_>>()?,
            end: at + 2 + 12 * count,
        })
    }
}

impl Directory<'_> {
    /// Where the only value of a tag is, a number of two bytes.
    fn place(&self, tag: u16) -> Option<usize> {
        let entry = self.entries.iter().find(|it| it.tag == tag)?;
        (entry.kind == 3 && entry.count == 1).then_some(entry.place)
    }

    /// The values of a tag, numbers of two or four bytes; none if there is something else.
    fn values(&self, tag: u16) -> Option<Vec<u32>> {
        let entry = self.entries.iter().find(|it| it.tag == tag)?;
        let size = match entry.kind {
            3 => 2,
            4 => 4,
            _ => return None,
        };
        if entry.count > VALUES_MAX {
            return None;
        }
        let first = match entry.count * size <= 4 {
            true => entry.place,
            false => self.source.u32_at(entry.place)? as usize,
        };
        let value = |index: usize| match size {
            2 => self.source.u16_at(first + 2 * index).map(u32::from),
            _ => self.source.u32_at(first + 4 * index),
        };
        (0..entry.count).map(value).collect()
    }

    fn value(&self, tag: u16) -> Option<u32> {
        self.values(tag)?.first().copied()
    }

    /// The colours, if the samples are numbers of colours.
    fn palette(&self) -> Option<Palette> {
        if self.value(PHOTOMETRIC) != Some(PALETTE) {
            return None;
        }
        let bits = self.value(BITS_PER_SAMPLE).unwrap_or(1);
        let map = self.values(COLOUR_MAP)?;
        let count = 1usize << bits.min(16);
        if bits > 8 || map.len() != 3 * count {
            return None;
        }
        // Numbers of 16 bits; some programs write 8.
        let shift = if map.iter().all(|it| *it < 256) { 0 } else { 8 };
        let colour = |at: usize| [0, 1, 2].map(|part| (map[part * count + at] >> shift) as u8);
        Some((0..count).map(colour).collect())
    }

    /// Where the strips or tiles are whose bits are in reverse order, and their sizes.
    fn in_reverse(&self) -> Vec<(usize, usize)> {
        let is_jpeg = self.value(COMPRESSION).is_some_and(|it| JPEG.contains(&it));
        if is_jpeg || self.value(FILL_ORDER) != Some(LOW_BITS_FIRST) {
            return Vec::new();
        }
        let pairs = [(STRIP_OFFSETS, STRIP_SIZES), (TILE_OFFSETS, TILE_SIZES)];
        let both = pairs.map(|(offsets, sizes)| self.values(offsets).zip(self.values(sizes)));
        let of_one = |(offsets, sizes): (Vec<u32>, Vec<u32>)| {
            let each = offsets.into_iter().zip(sizes);
            each.map(|(offset, size)| (offset as usize, size as usize))
        };
        both.into_iter().flatten().flat_map(of_one).collect()
    }
}
