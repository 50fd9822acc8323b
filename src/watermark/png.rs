//! Marked PNG files of a length that is known beforehand.

use png::{
    BitDepth, ColorType, Decoder, DeflateCompression, Encoder, Filter, PixelDimensions,
    Transformations,
};

use super::tile::Tile;
use super::{Mark, MarkError};
use crate::render::{PagePixels, Renderer};

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
/// First bytes of a PNG that tell its length when it is marked: signature and header.
pub(super) const BEGINNING: usize = 33;
/// A chunk that holds nothing but room: ancillary, private, safe to copy.
const ROOM: &[u8; 4] = b"vsRm";
/// Length, name and checksum of a chunk; and a last chunk, `IEND`.
const CHUNK: u64 = 12;
/// White, as forms have it.
const WHITE: [u8; 3] = [255; 3];
/// Levels of deflate: the first that is fast, the second if the first does not fit.
const DEFLATE_LEVELS: [u8; 2] = [1, 6];
const METRES_PER_INCH: f64 = 0.0254;

/// Length of the marked file, from the length of the archived one and its beginning. None if that is not one that is
/// marked.
pub(super) fn length(stored: u64, beginning: &[u8], pixels_max: u64) -> Option<u64> {
    let header = beginning.get(..BEGINNING)?;
    if !header.starts_with(SIGNATURE) || header.get(12..16) != Some(b"IHDR") {
        return None;
    }
    let number = |at: usize| {
        header
            .get(at..at + 4)
            .map(|it| it.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    };
    let pixels = number(16)?.checked_mul(number(20)?)?;
    if pixels > pixels_max {
        return None;
    }
    // A palette or grey takes a quarter of a byte for each pixel of the mark; full colour up to one.
    let colours = if matches!(header[25], 0 | 3) {
        pixels / 4
    } else {
        pixels
    };
    Some(stored + stored / 4 + colours + 4_096)
}

/// A form with few colours on white: the mark is laid beneath the ink, on white pixels only. None if the picture is
/// not of this kind.
pub(super) fn form(
    renderer: &Renderer,
    mark: &Mark,
    content: &[u8],
    length: u64,
) -> Result<Option<Vec<u8>>, MarkError> {
    let damaged = |error: png::DecodingError| MarkError::Damaged(error.to_string());
    let mut decoder = Decoder::new(std::io::Cursor::new(content));
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(damaged)?;
    let info = reader.info();
    let (width, height, depth) = (
        info.width as usize,
        info.height as usize,
        info.bit_depth as usize,
    );
    if info.trns.is_some() || info.interlaced || depth > 8 {
        return Ok(None);
    }
    let palette: Vec<[u8; 3]> = match (info.color_type, &info.palette) {
        (ColorType::Indexed, Some(palette)) => palette.as_chunks::<3>().0.to_vec(),
        (ColorType::Grayscale, _) if depth <= 4 => {
            let most = (1 << depth) - 1;
            (0..=most).map(|it| [(it * 255 / most) as u8; 3]).collect()
        }
        _ => return Ok(None),
    };
    let Some(white) = palette.iter().position(|it| *it == WHITE) else {
        return Ok(None);
    };
    let density = info.pixel_dims;
    let dots = density.map_or(super::dots_of(width, height), |it| {
        f64::from(it.xppu) * METRES_PER_INCH
    });
    let tile = Tile::draw(renderer, mark, dots.round().clamp(50.0, 600.0));
    // After the form's colours come the greys of marked paper.
    let first = palette.len();
    if first + usize::from(tile.darkest()) + 1 > 256 {
        return Ok(None);
    }
    let greys = (0..=tile.darkest()).map(|dark| [255 - dark; 3]);
    let palette: Vec<u8> = palette.iter().copied().chain(greys).flatten().collect();
    let mut rows = vec![0; width * height];
    for (y, row) in rows.chunks_exact_mut(width).enumerate() {
        let Some(read) = reader.next_row().map_err(damaged)? else {
            return Err(MarkError::Damaged("fewer rows than it says".to_owned()));
        };
        unpack(read.data(), depth, row);
        for part in row.chunks_mut(tile.width) {
            for (index, darkness) in part.iter_mut().zip(tile.row(y)) {
                *index = match *index == white as u8 {
                    true => first as u8 + darkness,
                    false => *index,
                };
            }
        }
    }
    let size = (width as u32, height as u32);
    for level in DEFLATE_LEVELS {
        let packed = pack(
            size,
            (ColorType::Indexed, Some(&palette)),
            density,
            &rows,
            level,
        )?;
        if let Some(padded) = padded(packed, length) {
            return Ok(Some(padded));
        }
    }
    Ok(None)
}

/// The values of a packed row, one in each byte.
fn unpack(packed: &[u8], depth: usize, row: &mut [u8]) {
    if depth == 8 {
        let length = row.len().min(packed.len());
        row[..length].copy_from_slice(&packed[..length]);
        return;
    }
    let mask = (0xFFu16 >> (8 - depth)) as u8;
    for (values, byte) in row.chunks_mut(8 / depth).zip(packed) {
        for (at, value) in values.iter_mut().enumerate() {
            *value = byte >> (8 - depth * (at + 1)) & mask;
        }
    }
}

/// Any picture, marked already; at half its size as often as it does not fit.
pub(super) fn picture(page: &PagePixels, length: u64) -> Result<Vec<u8>, MarkError> {
    super::fitting(page, |page| {
        let size = (page.width as u32, page.height as u32);
        let packed = pack(
            size,
            (ColorType::Rgb, None),
            None,
            page.pixels.as_flattened(),
            DEFLATE_LEVELS[0],
        )?;
        Ok(padded(packed, length))
    })
}

fn pack(
    (width, height): (u32, u32),
    (colour, palette): (ColorType, Option<&[u8]>),
    density: Option<PixelDimensions>,
    rows: &[u8],
    level: u8,
) -> Result<Vec<u8>, MarkError> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height);
    encoder.set_color(colour);
    encoder.set_depth(BitDepth::Eight);
    if let Some(palette) = palette {
        encoder.set_palette(palette);
    }
    encoder.set_pixel_dims(density);
    encoder.set_deflate_compression(DeflateCompression::Level(level));
    encoder.set_filter(if palette.is_some() {
        Filter::NoFilter
    } else {
        Filter::Up
    });
    let fault = |error: png::EncodingError| MarkError::Damaged(error.to_string());
    let mut writer = encoder.write_header().map_err(fault)?;
    writer.write_image_data(rows).map_err(fault)?;
    writer.finish().map_err(fault)?;
    Ok(bytes)
}

/// The file with a chunk of room before its end, so that it has this length; none if it is too long.
fn padded(mut file: Vec<u8>, length: u64) -> Option<Vec<u8>> {
    let room = length.checked_sub(file.len() as u64)?;
    if room == 0 {
        return Some(file);
    }
    let room = usize::try_from(room.checked_sub(CHUNK)?).ok()?;
    let end = file.split_off(file.len().checked_sub(CHUNK as usize)?);
    let start = file.len() + 4;
    file.extend_from_slice(&u32::try_from(room).ok()?.to_be_bytes());
    file.extend_from_slice(ROOM);
    file.resize(file.len() + room, 0);
    let checksum = crc32fast::hash(&file[start..]);
    file.extend_from_slice(&checksum.to_be_bytes());
    file.extend_from_slice(&end);
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_rows_are_unpacked_whatever_their_depth() {
        for (depth, expected) in [
            (1, vec![1, 0, 1, 1, 0, 0, 1, 0]),
            (2, vec![2, 3, 0, 2]),
            (4, vec![11, 2]),
            (8, vec![0xB2]),
        ] {
            let mut row = vec![0; expected.len()];
            unpack(&[0xB2], depth, &mut row);
            assert_eq!(row, expected);
        }
        let mut odd = [0; 3];
        unpack(&[0xB2, 0x10], 4, &mut odd);
        assert_eq!(odd, [11, 2, 1]);
    }
}
