//! Pixels as PNG and JPEG files.

use std::io::Write;

use image::ExtendedColorType;
use image::codecs::jpeg::{JpegEncoder, PixelDensity};
use png::{BitDepth, ColorType, DeflateCompression, Encoder, Filter, PixelDimensions, Unit};

use super::RenderError;
use super::raster::Raster;

/// JPEG quality from 1 to 100: clean text at a quarter of the bytes that 95 would need.
const JPEG_QUALITY: u8 = 85;
/// Of the levels 1 to 9, the last one before the time doubles.
const DEFLATE_LEVEL: u8 = 3;
/// Longest side of a JPEG in pixels; its header has two bytes for it.
const JPEG_SIDE_MAX: usize = 65_535;
const METRES_PER_INCH: f64 = 0.0254;

/// Red, green and blue in four bits each: anti-aliased text needs no more steps, template colours
/// have no more, and the files shrink to a third.
type Colour = u16;
const COLOURS: usize = 1 << 12;

/// A picture as runs of equal pixels, row after row: a form is mostly paper, and a voucher of a
/// thousand lines has three hundred million pixels.
struct Runs {
    width: usize,
    height: usize,
    runs: Vec<(Colour, u16)>,
}

/// How a PNG holds a picture's colours.
struct Format {
    color: ColorType,
    depth: BitDepth,
    palette: Vec<u8>,
    /// The sample of each colour, for all but full colour.
    samples: Vec<u8>,
}

pub(super) fn png(pdf: &[u8], dots_per_inch: u32) -> Result<Vec<u8>, RenderError> {
    let picture = Runs::draw(pdf, dots_per_inch)?;
    encode(&picture, dots_per_inch).map_err(|error| RenderError::Picture(error.to_string()))
}

fn encode(picture: &Runs, dots_per_inch: u32) -> Result<Vec<u8>, png::EncodingError> {
    let format = picture.format();
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, picture.width as u32, picture.height as u32);
    encoder.set_color(format.color);
    encoder.set_depth(format.depth);
    encoder.set_deflate_compression(DeflateCompression::Level(DEFLATE_LEVEL));
    encoder.set_filter(Filter::NoFilter);
    // So that a print has the paper's size.
    let per_metre = (f64::from(dots_per_inch) / METRES_PER_INCH).round() as u32;
    encoder.set_pixel_dims(Some(PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: Unit::Meter,
    }));
    if format.color == ColorType::Indexed {
        encoder.set_palette(format.palette.as_slice());
    }
    let mut writer = encoder.write_header()?;
    let mut stream = writer.stream_writer()?;
    let sample = |colour| format.samples[usize::from(colour)];
    match (format.color, format.depth) {
        (ColorType::Rgb, _) => {
            picture.each_row(channels, |row| stream.write_all(row.as_flattened()))?;
        }
        (_, BitDepth::Four) => {
            let mut packed = Vec::with_capacity(picture.width.div_ceil(2));
            picture.each_row(sample, |row| {
                let (pairs, odd) = row.as_chunks::<2>();
                packed.clear();
                packed.extend(pairs.iter().map(|[left, right]| (left << 4) | right));
                packed.extend(odd.iter().map(|left| left << 4));
                stream.write_all(&packed)
            })?;
        }
        _ => picture.each_row(sample, |row| stream.write_all(row))?,
    }
    stream.finish()?;
    writer.finish()?;
    Ok(bytes)
}

impl Runs {
    fn draw(pdf: &[u8], dots_per_inch: u32) -> Result<Runs, RenderError> {
        let raster = Raster::open(pdf, dots_per_inch)?;
        let mut runs: Vec<(Colour, u16)> = Vec::new();
        raster.each_page(|pixels| {
            // Pixels have four bytes each, so nothing remains.
            let (mut pixels, _) = pixels.as_chunks::<4>();
            while let Some([red, green, blue, _]) = pixels.first() {
                let length = equal_pixels(pixels);
                let colour = reduce([*red, *green, *blue]);
                match runs.last_mut() {
                    Some((last, held)) if *last == colour && u16::MAX - *held >= length => {
                        *held += length;
                    }
                    _ => runs.push((colour, length)),
                }
                pixels = &pixels[usize::from(length)..];
            }
        });
        Ok(Runs {
            width: raster.width,
            height: raster.height,
            runs,
        })
    }

    /// Hands over the rows, each pixel as what `value` makes of its colour.
    fn each_row<T: Copy, E>(
        &self,
        value: impl Fn(Colour) -> T,
        mut each: impl FnMut(&[T]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut row = Vec::with_capacity(self.width);
        for (colour, length) in &self.runs {
            let (value, mut left) = (value(*colour), usize::from(*length));
            while left > 0 {
                let taken = left.min(self.width - row.len());
                row.resize(row.len() + taken, value);
                left -= taken;
                if row.len() == self.width {
                    each(&row)?;
                    row.clear();
                }
            }
        }
        Ok(())
    }

    /// The smallest of grey, palette and full colour that holds the picture.
    fn format(&self) -> Format {
        let mut used = [false; COLOURS];
        for (colour, _) in &self.runs {
            used[usize::from(*colour)] = true;
        }
        // From white down, so that paper is index 0.
        let colours: Vec<Colour> = (0..COLOURS as u16)
            .rev()
            .filter(|colour| used[usize::from(*colour)])
            .collect();
        let mut samples = vec![0; COLOURS];
        let grey = |colour: &Colour| channels(*colour) == [(colour & 0xF) as u8 * 0x11; 3];
        if colours.iter().all(grey) {
            for colour in &colours {
                samples[usize::from(*colour)] = (colour & 0xF) as u8;
            }
            return Format::new(ColorType::Grayscale, BitDepth::Four, Vec::new(), samples);
        }
        if colours.len() > 256 {
            return Format::new(ColorType::Rgb, BitDepth::Eight, Vec::new(), samples);
        }
        for (index, colour) in colours.iter().enumerate() {
            samples[usize::from(*colour)] = index as u8;
        }
        let depth = if colours.len() <= 16 {
            BitDepth::Four
        } else {
            BitDepth::Eight
        };
        let palette = colours.into_iter().flat_map(channels).collect();
        Format::new(ColorType::Indexed, depth, palette, samples)
    }
}

impl Format {
    fn new(color: ColorType, depth: BitDepth, palette: Vec<u8>, samples: Vec<u8>) -> Format {
        Format {
            color,
            depth,
            palette,
            samples,
        }
    }
}

/// How many pixels from the first on are the same, as far as a run can be long.
fn equal_pixels(pixels: &[[u8; 4]]) -> u16 {
    let Some(first) = pixels.first().copied().map(u32::from_ne_bytes) else {
        return 0;
    };
    let pixels = &pixels[..pixels.len().min(usize::from(u16::MAX))];
    let same = |pixel: &[u8; 4]| u32::from_ne_bytes(*pixel) == first;
    // Paper comes in long runs: eight pixels are compared at once.
    let (wide, _) = pixels.as_chunks::<8>();
    let skipped = 8 * wide
        .iter()
        .take_while(|eight| eight.iter().all(same))
        .count();
    let rest = pixels[skipped..]
        .iter()
        .take_while(|pixel| same(pixel))
        .count();
    (skipped + rest) as u16
}

/// The nearest colour of four bits a channel.
fn reduce(channels: [u8; 3]) -> Colour {
    channels.iter().fold(0, |colour, channel| {
        (colour << 4) | ((u16::from(*channel) * 15 + 127) / 255)
    })
}

/// The colour in eight bits a channel.
fn channels(colour: Colour) -> [u8; 3] {
    [8, 4, 0].map(|shift| ((colour >> shift) & 0xF) as u8 * 0x11)
}

pub(super) fn jpeg(pdf: &[u8], dots_per_inch: u32) -> Result<Vec<u8>, RenderError> {
    let raster = Raster::open(pdf, dots_per_inch)?;
    let (width, height) = (raster.width, raster.height);
    if width.max(height) > JPEG_SIDE_MAX {
        return Err(RenderError::PictureTooLarge {
            width: width as u64,
            height: height as u64,
        });
    }
    let mut pixels = Vec::with_capacity(width * height * 3);
    raster.each_page(|page| {
        let opaque = page.chunks_exact(4).flat_map(|pixel| &pixel[..3]);
        pixels.extend(opaque);
    });
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
    encoder.set_pixel_density(PixelDensity::dpi(dots_per_inch as u16));
    encoder
        .encode(
            &pixels,
            width as u32,
            height as u32,
            ExtendedColorType::Rgb8,
        )
        .map_err(|error| RenderError::Picture(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The picture and its PNG read back as red, green, blue.
    fn there_and_back(width: usize, colours: &[Colour]) -> (Vec<u8>, ColorType, Vec<u8>) {
        let picture = Runs {
            width,
            height: colours.len() / width,
            runs: colours.iter().map(|colour| (*colour, 1)).collect(),
        };
        let png = encode(&picture, 200).unwrap();
        let read = image::load_from_memory(&png).unwrap().to_rgb8().into_raw();
        let written = colours.iter().copied().flat_map(channels).collect();
        (written, picture.format().color, read)
    }

    #[test]
    fn grey_palette_and_full_colour_are_lossless() {
        let few: Vec<Colour> = (0..15).map(|index| index * 0x111).collect();
        let some: Vec<Colour> = (0..60).map(|index| index * 61).collect();
        let many: Vec<Colour> = (0..COLOURS as u16).collect();
        for (width, colours, expected) in [
            (5, few, ColorType::Grayscale),
            (3, vec![0xFFF, 0x147, 0xC00], ColorType::Indexed),
            (15, some, ColorType::Indexed),
            (64, many, ColorType::Rgb),
        ] {
            let (written, color, read) = there_and_back(width, &colours);
            assert_eq!((color, read), (expected, written));
        }
    }

    #[test]
    fn a_reduced_colour_keeps_what_templates_can_say() {
        for colour in 0..COLOURS as u16 {
            assert_eq!(reduce(channels(colour)), colour);
        }
    }

    proptest! {
        #[test]
        fn any_picture_is_lossless(width in 1usize..9, colours in proptest::collection::vec(0u16..0x1000, 9..90)) {
            let whole = colours.len() / width * width;
            let (written, _, read) = there_and_back(width, &colours[..whole]);
            prop_assert_eq!(read, written);
        }
    }
}
