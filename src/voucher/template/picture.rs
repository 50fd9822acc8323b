use std::io::Cursor;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use png::{ColorType, Decoder, Limits, Transformations};
use serde::Deserialize;
use toml::Spanned;

use super::geometry::Rectangle;

/// Most pixels of a picture: a logo of 30 by 20 mm has a tenth of it at 300 dots per inch.
pub const PICTURE_MAX_PIXELS: u32 = 1 << 20;
/// What decoding a picture may take, in bytes: eight for each pixel.
const DECODER_MAX_BYTES: usize = (PICTURE_MAX_PIXELS as usize) * 8;

/// A picture that is part of the form, such as the company's logo; as large as its box allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Where it stands, in the middle, without distortion.
    pub rectangle: Rectangle,
    /// Its pixels.
    pub pixels: Arc<Pixels>,
}

/// A picture as written. It is decoded only after the pictures were counted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PictureText {
    #[serde(rename = "box")]
    pub(super) rectangle: Rectangle,
    /// A PNG in Base64 (RFC 4648, section 4), with line breaks or without.
    pub(super) png: Spanned<String>,
}

/// An opaque picture in sRGB, row after row from its upper left corner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Red, green and blue of each pixel.
    pub rgb: Vec<u8>,
}

impl Pixels {
    /// Reads a PNG (ISO/IEC 15948). What is transparent shows the white of the paper.
    fn from_png(png: &[u8]) -> Result<Pixels, String> {
        let unreadable = |error: png::DecodingError| format!("not a PNG that can be read: {error}");
        let limits = Limits {
            bytes: DECODER_MAX_BYTES,
        };
        let mut decoder = Decoder::new_with_limits(Cursor::new(png), limits);
        decoder.set_transformations(Transformations::normalize_to_color8());
        let header = decoder.read_header_info().map_err(unreadable)?;
        let (width, height) = (header.width, header.height);
        if u64::from(width) * u64::from(height) > u64::from(PICTURE_MAX_PIXELS) {
            return Err(format!(
                "a picture has at most {PICTURE_MAX_PIXELS} pixels, this one is {width} by {height}"
            ));
        }
        let mut reader = decoder.read_info().map_err(unreadable)?;
        // Three or four samples a pixel at most, of eight bits.
        let size = reader.output_buffer_size().unwrap_or(0);
        let mut samples = vec![0; size];
        let frame = reader.next_frame(&mut samples).map_err(unreadable)?;
        samples.truncate(frame.buffer_size());
        let rgb = match frame.color_type {
            ColorType::Rgb => samples,
            ColorType::Grayscale => samples.iter().flat_map(|grey| [*grey; 3]).collect(),
            ColorType::GrayscaleAlpha => on_paper(samples.as_chunks::<2>().0, |[grey, opacity]| {
                ([*grey; 3], *opacity)
            }),
            ColorType::Rgba => {
                on_paper(samples.as_chunks::<4>().0, |[red, green, blue, opacity]| {
                    ([*red, *green, *blue], *opacity)
                })
            }
            // Expanded by the transformation that was asked for.
            ColorType::Indexed => return Err("a palette that was not expanded".to_owned()),
        };
        Ok(Pixels { width, height, rgb })
    }
}

fn on_paper<const N: usize>(
    pixels: &[[u8; N]],
    colour: impl Fn(&[u8; N]) -> ([u8; 3], u8),
) -> Vec<u8> {
    let opaque = pixels.iter().flat_map(|pixel| {
        let (channels, opacity) = colour(pixel);
        let opacity = u32::from(opacity);
        channels.map(|channel| {
            ((u32::from(channel) * opacity + 255 * (255 - opacity) + 127) / 255) as u8
        })
    });
    opaque.collect()
}

pub(super) fn png_in_base64(text: &str) -> Result<Arc<Pixels>, String> {
    let text: String = text.split_ascii_whitespace().collect();
    let png = STANDARD
        .decode(&text)
        .map_err(|error| format!("not Base64: {error}"))?;
    Pixels::from_png(&png).map(Arc::new)
}
