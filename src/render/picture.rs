//! Pixels as PNG and JPEG files.

use std::io::Write;

use hayro::vello_cpu::color::PremulRgba8;
use jpeg_encoder::{PixelDensity, SamplingFactor};
use png::{BitDepth, ColorType, DeflateCompression, Encoder, Filter, PixelDimensions, Unit};

use super::RenderError;
use super::raster::{Raster, Sheet};

/// Most pixels of a PNG: a thousand lines on the largest built-in forms have 331 million at 200 dots per inch.
pub(super) const PNG_MAX_PIXELS: u64 = 400_000_000;
/// Most pixels of a JPEG, which is made from all of them at once, three bytes each.
pub(super) const JPEG_MAX_PIXELS: u64 = 64_000_000;

/// JPEG quality from 1 to 100: clean text at a quarter of the bytes that 95 would need.
const JPEG_QUALITY: u8 = 85;
/// Of the levels 1 to 9, the last one before the time doubles.
const DEFLATE_LEVEL: u8 = 3;
const METRES_PER_INCH: f64 = 0.0254;

/// Red, green and blue in four bits each: anti-aliased text needs no more steps, template colours
/// have no more, and the files shrink to a third.
type Colour = u16;
const COLOURS: usize = 1 << 12;
const PAPER: Colour = 0xFFF;

/// Runs of equal pixels of one page, row after row: a form is mostly paper, and a voucher of a thousand lines has
/// three hundred million pixels.
type Runs = Vec<(Colour, u16)>;

/// The pages of a document as one picture.
struct Picture {
    sheet: Sheet,
    pages: Vec<Runs>,
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
    let picture = Picture::draw(pdf, dots_per_inch)?;
    encode(&picture, dots_per_inch).map_err(|error| RenderError::Picture(error.to_string()))
}

fn encode(picture: &Picture, dots_per_inch: u32) -> Result<Vec<u8>, png::EncodingError> {
    let (format, width) = (picture.format(), picture.sheet.width());
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width as u32, picture.sheet.height() as u32);
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
            let mut packed = Vec::with_capacity(width.div_ceil(2));
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

impl Picture {
    fn draw(pdf: &[u8], dots_per_inch: u32) -> Result<Picture, RenderError> {
        let raster = Raster::open(pdf, dots_per_inch, PNG_MAX_PIXELS)?;
        let mut pages = Vec::with_capacity(raster.sheet.pages);
        raster.each_page(|pixels| pages.push(runs(pixels)));
        Ok(Picture {
            sheet: raster.sheet,
            pages,
        })
    }

    /// Hands over the rows, each pixel as what `value` makes of its colour.
    fn each_row<T: Copy, E>(
        &self,
        value: impl Fn(Colour) -> T,
        mut each: impl FnMut(&[T]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (width, rows) = (self.sheet.page_width, self.sheet.rows());
        let mut line = Vec::with_capacity(self.sheet.width());
        for row in 0..rows {
            // One page of each column; the last column may be shorter.
            let beside = self.pages.iter().skip(row).step_by(rows);
            let mut cursors: Vec<Cursor> = beside.map(|runs| Cursor::new(runs)).collect();
            for _ in 0..self.sheet.page_height {
                line.clear();
                for cursor in &mut cursors {
                    cursor.take(width, |colour, length| {
                        line.resize(line.len() + length, value(colour));
                    });
                }
                line.resize(self.sheet.width(), value(PAPER));
                each(&line)?;
            }
        }
        Ok(())
    }

    /// The smallest of grey, palette and full colour that holds the picture.
    fn format(&self) -> Format {
        let mut used = [false; COLOURS];
        for (colour, _) in self.pages.iter().flatten() {
            used[usize::from(*colour)] = true;
        }
        // Where the last column is shorter than the others.
        used[usize::from(PAPER)] |= self.pages.len() < self.sheet.columns() * self.sheet.rows();
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

/// A place in a page's runs.
struct Cursor<'a> {
    runs: std::slice::Iter<'a, (Colour, u16)>,
    colour: Colour,
    left: usize,
}

impl Cursor<'_> {
    fn new(runs: &Runs) -> Cursor<'_> {
        Cursor {
            runs: runs.iter(),
            colour: PAPER,
            left: 0,
        }
    }

    /// Hands over the next `count` pixels, as stretches of one colour.
    fn take(&mut self, mut count: usize, mut each: impl FnMut(Colour, usize)) {
        while count > 0 {
            if self.left == 0 {
                // A page has as many pixels as its rows hold.
                let (colour, length) = self.runs.next().copied().unwrap_or((PAPER, u16::MAX));
                (self.colour, self.left) = (colour, usize::from(length));
            }
            let taken = self.left.min(count);
            each(self.colour, taken);
            (self.left, count) = (self.left - taken, count - taken);
        }
    }
}

fn runs(mut pixels: &[PremulRgba8]) -> Runs {
    let mut runs = Runs::new();
    while let Some(first) = pixels.first() {
        let length = equal_pixels(*first, pixels);
        let colour = reduce([first.r, first.g, first.b]);
        match runs.last_mut() {
            Some((last, held)) if *last == colour && u16::MAX - *held >= length => {
                *held += length;
            }
            _ => runs.push((colour, length)),
        }
        pixels = &pixels[usize::from(length)..];
    }
    runs
}

/// How many pixels from the first on are the same, as far as a run can be long.
fn equal_pixels(first: PremulRgba8, pixels: &[PremulRgba8]) -> u16 {
    let pixels = &pixels[..pixels.len().min(usize::from(u16::MAX))];
    // Paper comes in long runs: sixteen pixels are compared at once, by their bits and without branches.
    let different = |pixel: &PremulRgba8| pixel.to_u32() ^ first.to_u32();
    let (wide, _) = pixels.as_chunks::<16>();
    let skipped = 16
        * wide
            .iter()
            .take_while(|chunk| chunk.iter().fold(0, |all, pixel| all | different(pixel)) == 0)
            .count();
    let rest = pixels[skipped..]
        .iter()
        .take_while(|pixel| different(pixel) == 0)
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
    let raster = Raster::open(pdf, dots_per_inch, JPEG_MAX_PIXELS)?;
    let sheet = raster.sheet;
    let width = sheet.width();
    let fault = |error: &dyn std::fmt::Display| RenderError::Picture(error.to_string());
    let side = |pixels: usize| u16::try_from(pixels).map_err(|error| fault(&error));
    let mut pixels = vec![u8::MAX; width * sheet.height() * 3];
    let mut page = 0;
    raster.each_page(|drawn| {
        let (column, row) = (page / sheet.rows(), page % sheet.rows());
        for (line, drawn) in drawn.chunks_exact(sheet.page_width).enumerate() {
            let start = (row * sheet.page_height + line) * width + column * sheet.page_width;
            let place = &mut pixels[start * 3..][..sheet.page_width * 3];
            let (place, _) = place.as_chunks_mut::<3>();
            for (place, pixel) in place.iter_mut().zip(drawn) {
                *place = [pixel.r, pixel.g, pixel.b];
            }
        }
        page += 1;
    });
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, JPEG_QUALITY);
    encoder.set_density(PixelDensity::dpi(dots_per_inch as u16));
    // Coloured rules of one pixel need their colour in every pixel.
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    let (width, height) = (side(width)?, side(sheet.height())?);
    encoder
        .encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb)
        .map_err(|error| fault(&error))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The picture and its PNG read back as red, green, blue.
    fn there_and_back(width: usize, colours: &[Colour]) -> (Vec<u8>, ColorType, Vec<u8>) {
        let picture = Picture {
            sheet: Sheet {
                page_width: width,
                page_height: colours.len() / width,
                pages: 1,
            },
            pages: vec![colours.iter().map(|colour| (*colour, 1)).collect()],
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
