//! A page of a scan as a picture in colour: made smaller, and taken apart into channels.

use super::plane::Plane;
use crate::render::PagePixels;

/// Most pixels along the longer side of what is compared; larger pictures are halved until they fit. An A5 voucher
/// at 300 dots per inch has 2,835.
const SIDE_MAX_PIXELS: usize = 4_200;

impl PagePixels {
    /// The picture at half its size as often as it is too large, and how many of its pixels are one of those.
    pub(super) fn reduced(self) -> (PagePixels, f64) {
        let (mut picture, mut factor) = (self, 1.0);
        while picture.width.max(picture.height) > SIDE_MAX_PIXELS {
            picture = picture.halved();
            factor *= 2.0;
        }
        (picture, factor)
    }

    fn halved(&self) -> PagePixels {
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = |y: usize| &self.pixels[y.min(self.height - 1) * self.width..];
            let (upper, lower) = (row(2 * y), row(2 * y + 1));
            for x in 0..width {
                let (left, right) = (2 * x, (2 * x + 1).min(self.width - 1));
                pixels.push(std::array::from_fn(|c| {
                    let sum = [upper[left], upper[right], lower[left], lower[right]]
                        .iter()
                        .fold(2, |sum, pixel| sum + u16::from(pixel[c]));
                    (sum / 4) as u8
                }));
            }
        }
        PagePixels {
            width,
            height,
            pixels,
        }
    }

    /// The green channel, and the brightest of each pixel, in which dark is only what is dark in every colour.
    pub(super) fn green_and_brightest(&self) -> (Plane, Plane) {
        let blank = || Plane::new(self.width, self.height);
        let (mut green, mut brightest) = (blank(), blank());
        let values = green.values.iter_mut().zip(&mut brightest.values);
        for ([r, g, b], (green, brightest)) in self.pixels.iter().zip(values) {
            (*green, *brightest) = (*g, *r.max(g).max(b));
        }
        (green, brightest)
    }

    /// One channel: 0 red, 1 green, 2 blue.
    pub(super) fn channel(&self, channel: usize) -> Plane {
        Plane {
            width: self.width,
            height: self.height,
            values: self.pixels.iter().map(|pixel| pixel[channel]).collect(),
        }
    }
}
