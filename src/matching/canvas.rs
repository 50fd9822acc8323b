//! A picture to draw on: areas, frames, other pictures and lines of text.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::DecodeError;
use crate::render::{PagePixels, Renderer, Typeface};

/// What is drawn on.
pub(super) struct Canvas<'a> {
    renderer: &'a Renderer,
    pub picture: PagePixels,
}

impl<'a> Canvas<'a> {
    /// One of so many pixels across and down, in one colour.
    pub fn blank(
        renderer: &'a Renderer,
        (width, height): (usize, usize),
        ground: [u8; 3],
    ) -> Canvas<'a> {
        Canvas {
            renderer,
            picture: PagePixels {
                width,
                height,
                pixels: vec![ground; width * height],
            },
        }
    }

    /// Fills an area from its left and upper edge to its right and lower one.
    pub fn fill(&mut self, area: [i64; 4], colour: [u8; 3]) {
        let clamp = |value: i64, most: usize| value.clamp(0, most as i64) as usize;
        let [left, top, right, bottom] = area;
        let (left, right) = (
            clamp(left, self.picture.width),
            clamp(right, self.picture.width),
        );
        for y in clamp(top, self.picture.height)..clamp(bottom, self.picture.height) {
            let row = y * self.picture.width;
            self.picture.pixels[row + left..row + right.max(left)].fill(colour);
        }
    }

    /// Draws an area's edges, so many pixels wide.
    pub fn frame(&mut self, [left, top, right, bottom]: [i64; 4], weight: i64, colour: [u8; 3]) {
        self.fill([left, top, right, top + weight], colour);
        self.fill([left, bottom - weight, right, bottom], colour);
        self.fill([left, top, left + weight, bottom], colour);
        self.fill([right - weight, top, right, bottom], colour);
    }

    /// Copies a picture from a row on.
    pub fn put(&mut self, picture: &PagePixels, top: usize) {
        for (row, line) in picture.pixels.chunks_exact(picture.width).enumerate() {
            let at = (top + row) * self.picture.width;
            let width = picture.width.min(self.picture.width);
            if let Some(target) = self.picture.pixels.get_mut(at..at + width) {
                target.copy_from_slice(&line[..width]);
            }
        }
    }

    /// As much of a text as fits in so many pixels across.
    pub fn fitting(&self, text: &str, size: f32, room: f32) -> String {
        if self.width(text, size) <= room {
            return text.to_owned();
        }
        let mut across = self.width("…", size);
        let fits = |character: &char| {
            across += self.glyph(*character).map_or(size, |it| it.1 * size);
            across <= room
        };
        text.chars().take_while(fits).chain(['…']).collect()
    }

    /// Pixels across of a text.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars()
            .map(|c| self.glyph(c).map_or(size, |it| it.1 * size))
            .sum()
    }

    fn glyph(&self, character: char) -> Option<((Typeface, u16), f32)> {
        let faces = [
            Typeface::Sans,
            Typeface::Serif,
            Typeface::Latin,
            Typeface::Rare,
        ];
        let shape = faces
            .into_iter()
            .find_map(|face| self.renderer.shape(face, character))?;
        Some(((shape.typeface, shape.id), shape.advance as f32 / 1000.0))
    }

    /// A line of text, its baseline at `y`; gives where it ends.
    pub fn text(&mut self, text: &str, (mut x, y): (f32, f32), size: f32, colour: [u8; 3]) -> f32 {
        for character in text.chars() {
            let Some(((face, id), advance)) = self.glyph(character) else {
                x += size;
                continue;
            };
            let drawn = self.renderer.coverage(face, id, size, (x, y));
            for row in 0..drawn.height {
                for column in 0..drawn.width {
                    let (px, py) = (drawn.left + column as i32, drawn.top + row as i32);
                    let inside = px >= 0
                        && py >= 0
                        && (px as usize) < self.picture.width
                        && (py as usize) < self.picture.height;
                    if inside {
                        let part = drawn.values[row * drawn.width + column];
                        let pixel = &mut self.picture.pixels
                            [py as usize * self.picture.width + px as usize];
                        for (value, ink) in pixel.iter_mut().zip(colour) {
                            *value =
                                (f32::from(*value) * (1.0 - part) + f32::from(ink) * part) as u8;
                        }
                    }
                }
            }
            x += advance * size;
        }
        x
    }
}

impl PagePixels {
    /// A PNG of it in few shades, and with paper quite white, so that noise does not make the file large.
    pub(super) fn few_shades(&self) -> Result<Vec<u8>, DecodeError> {
        let shade = |value: u8| if value > 214 { 255 } else { (value >> 4) * 17 };
        let bytes: Vec<u8> = self
            .pixels
            .iter()
            .flatten()
            .map(|value| shade(*value))
            .collect();
        let mut png = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Up);
        let (width, height) = (self.width as u32, self.height as u32);
        encoder
            .write_image(&bytes, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| DecodeError::Damaged {
                page: 1,
                why: error.to_string(),
            })?;
        Ok(png)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_text_there_is_as_much_as_fits() {
        let renderer = Renderer::new();
        let canvas = Canvas::blank(&renderer, (300, 40), [255; 3]);
        let fitting = |text: &str| canvas.fitting(text, 20.0, 200.0);
        assert_eq!(fitting("收回前欠货款"), "收回前欠货款");
        let long = "收回前欠货款".repeat(400);
        let cut = fitting(&long);
        assert!(cut.ends_with('…') && long.starts_with(cut.trim_end_matches('…')));
        let (across, more) = (canvas.width(&cut, 20.0), canvas.width("收", 20.0));
        assert!(across <= 200.0 && across + more > 200.0, "{across}");
    }
}
