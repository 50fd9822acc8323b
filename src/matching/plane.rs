//! One channel of a picture, and the few operations that registration and comparison are made of.

use crate::render::PagePixels;

/// Most pixels along the longer side of what is compared; larger pictures are halved until they fit. An A5 voucher
/// at 300 dots per inch has 2,835.
const SIDE_MAX_PIXELS: usize = 4_200;
/// Side of a block of paper whose brightness is taken as one, in pixels.
const BLOCK: usize = 16;
/// Pixels that are sampled together.
const TOGETHER: usize = 32;
/// Darkest paper that is still taken for paper: below, a shadow or a table is.
const PAPER_MIN: f32 = 24.0;

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

/// One value from 0 to 255 for each pixel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<u8>,
}

impl Plane {
    pub fn new(width: usize, height: usize) -> Plane {
        Plane {
            width,
            height,
            values: vec![0; width * height],
        }
    }

    pub fn get(&self, x: i32, y: i32) -> u8 {
        let inside = x >= 0 && y >= 0 && (x as usize) < self.width && (y as usize) < self.height;
        if inside {
            self.values[y as usize * self.width + x as usize]
        } else {
            0
        }
    }

    /// The value between pixels, whose centres have whole coordinates; 0 outside.
    pub fn sample(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = (x - left, y - top);
        let (left, top) = (left as i32, top as i32);
        let inside = left >= 0
            && top >= 0
            && (left as usize) + 1 < self.width
            && (top as usize) + 1 < self.height;
        let [a, b, c, d] = if inside {
            let at = top as usize * self.width + left as usize;
            let below = at + self.width;
            [
                self.values[at],
                self.values[at + 1],
                self.values[below],
                self.values[below + 1],
            ]
        } else {
            [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(x, y)| self.get(left + x, top + y))
        }
        .map(f32::from);
        let upper = a + (b - a) * fx;
        let lower = c + (d - c) * fx;
        upper + (lower - upper) * fy
    }

    /// The same along cubics through the pixels (Catmull and Rom, 1974): of a coarse scan it keeps more.
    pub fn sample_smoothly(&self, x: f32, y: f32) -> f32 {
        let (left, top) = (x.floor(), y.floor());
        let weights = |t: f32| {
            [
                ((2.0 - t) * t - 1.0) * t,
                (3.0 * t - 5.0) * t * t + 2.0,
                ((4.0 - 3.0 * t) * t + 1.0) * t,
                (t - 1.0) * t * t,
            ]
            .map(|it| it / 2.0)
        };
        let (across, down) = (weights(x - left), weights(y - top));
        let (left, top) = (left as i32 - 1, top as i32 - 1);
        let rows = (0i32..).zip(down).map(|(row, part)| {
            let line = (0i32..).zip(across);
            let line = line.map(|(column, it)| it * f32::from(self.get(left + column, top + row)));
            part * line.sum::<f32>()
        });
        rows.sum::<f32>().clamp(0.0, 255.0)
    }

    /// Samples along a line, from a place on in equal steps.
    pub fn along(&self, (mut x, mut y): (f32, f32), (dx, dy): (f32, f32), into: &mut [u8]) {
        let last = (x + dx * into.len() as f32, y + dy * into.len() as f32);
        let (wide, high) = ((self.width - 1) as f32, (self.height - 1) as f32);
        let inside = |(x, y): (f32, f32)| x >= 0.0 && y >= 0.0 && x < wide - 1.0 && y < high - 1.0;
        if !(inside((x, y)) && inside(last)) {
            for value in into {
                *value = self.sample(x, y) as u8;
                (x, y) = (x + dx, y + dy);
            }
            return;
        }
        // In 65,536ths of a pixel; pictures have at most some thousand pixels across.
        let fixed = |value: f32| (value * 65_536.0) as i32;
        let (mut x, mut y, dx, dy) = (fixed(x), fixed(y), fixed(dx), fixed(dy));
        for into in into.chunks_mut(TOGETHER) {
            // First all are fetched, then all are mixed at once.
            let (mut upper, mut lower) = ([[0u8; 2]; TOGETHER], [[0u8; 2]; TOGETHER]);
            let (mut across, mut down) = ([0u16; TOGETHER], [0u16; TOGETHER]);
            for index in 0..into.len() {
                let at = (y >> 16) as usize * self.width + (x >> 16) as usize;
                let pair = |at: usize| self.values.get(at..).and_then(|it| it.first_chunk());
                // The line is inside, so there always are four.
                if let (Some(above), Some(below)) = (pair(at), pair(at + self.width)) {
                    (upper[index], lower[index]) = (*above, *below);
                }
                (across[index], down[index]) = ((x >> 8) as u16 & 0xFF, (y >> 8) as u16 & 0xFF);
                (x, y) = (x + dx, y + dy);
            }
            let mut mixed = [0u8; TOGETHER];
            for index in 0..TOGETHER {
                let (fx, fy) = (across[index], u32::from(down[index]));
                let mix = |pair: [u8; 2]| {
                    let [left, right] = pair.map(u16::from);
                    u32::from(left * (256 - fx) + right * fx)
                };
                let value = mix(upper[index]) * (256 - fy) + mix(lower[index]) * fy;
                mixed[index] = ((value + 0x8000) >> 16) as u8;
            }
            into.copy_from_slice(&mixed[..into.len()]);
        }
    }

    /// Half the size, the mean of four pixels each.
    pub fn halved(&self) -> Plane {
        self.pooled(|four| {
            ((four.iter().map(|value| u16::from(*value)).sum::<u16>() + 2) / 4) as u8
        })
    }

    /// Half the size, the largest of four pixels each: thin lines stay.
    pub fn halved_to_darkest(&self) -> Plane {
        self.pooled(|four| four.into_iter().max().unwrap_or_default())
    }

    fn pooled(&self, pool: impl Fn([u8; 4]) -> u8) -> Plane {
        let (width, height) = ((self.width / 2).max(1), (self.height / 2).max(1));
        let mut values = Vec::with_capacity(width * height);
        for y in 0..height {
            let row = |y: usize| &self.values[y.min(self.height - 1) * self.width..][..self.width];
            let (upper, lower) = (row(2 * y), row(2 * y + 1));
            if self.width == 1 {
                values.push(pool([upper[0], upper[0], lower[0], lower[0]]));
                continue;
            }
            let pairs = upper
                .as_chunks::<2>()
                .0
                .iter()
                .zip(lower.as_chunks::<2>().0);
            values.extend(pairs.map(|([a, b], [c, d])| pool([*a, *b, *c, *d])));
        }
        Plane {
            width,
            height,
            values,
        }
    }

    /// How dark each pixel is against the paper around it: 0 paper, 255 black.
    pub fn ink(&self) -> Plane {
        let (columns, paper) = self.paper();
        let mut ink = Plane::new(self.width, self.height);
        let rows = paper.len() / columns;
        let step = 1.0 / BLOCK as f32;
        let mut line = vec![0.0f32; columns];
        for y in 0..self.height {
            let at = ((y as f32 + 0.5) * step - 0.5).clamp(0.0, (rows - 1) as f32);
            let (above, part) = (at as usize, at.fract());
            let below = (above + 1).min(rows - 1);
            for (column, value) in line.iter_mut().enumerate() {
                let (a, b) = (
                    paper[above * columns + column],
                    paper[below * columns + column],
                );
                *value = a + (b - a) * part;
            }
            let source = &self.values[y * self.width..][..self.width];
            let target = &mut ink.values[y * self.width..][..self.width];
            // From the middle of one block to the middle of the next the paper changes evenly.
            let half = BLOCK / 2;
            let stretches = std::iter::once((0, half.min(self.width))).chain(
                (half..self.width)
                    .step_by(BLOCK)
                    .map(|start| (start, (start + BLOCK).min(self.width))),
            );
            for (index, (start, end)) in stretches.enumerate() {
                let (left, right) = (index.saturating_sub(1), index.min(columns - 1));
                let left = left.min(columns - 1);
                let slope = (line[right] - line[left]) * step;
                let white = line[left] + slope * 0.5;
                let (source, target) = (&source[start..end], &mut target[start..end]);
                match (source.first_chunk(), target.first_chunk_mut()) {
                    (Some(source), Some(target)) => darkness::<BLOCK>(source, target, white, slope),
                    _ => {
                        for (offset, ink) in target.iter_mut().enumerate() {
                            let white = white + slope * offset as f32;
                            darkness(&[source[offset]], std::array::from_mut(ink), white, 0.0);
                        }
                    }
                }
            }
        }
        ink
    }

    /// The brightness of the paper in blocks: the brighter part of each and its neighbours, smoothed.
    fn paper(&self) -> (usize, Vec<f32>) {
        let (columns, rows) = (self.width.div_ceil(BLOCK), self.height.div_ceil(BLOCK));
        let mut bright = vec![0.0f32; columns * rows];
        for row in 0..rows {
            for column in 0..columns {
                let (top, left) = (row * BLOCK, column * BLOCK);
                let bottom = (top + BLOCK).min(self.height);
                let right = (left + BLOCK).min(self.width);
                let mut counts = [0u16; 64];
                let mut seen_pixels = 0;
                for y in (top..bottom).step_by(2) {
                    for value in self.values[y * self.width + left..y * self.width + right]
                        .iter()
                        .step_by(2)
                    {
                        counts[usize::from(value >> 2)] += 1;
                        seen_pixels += 1;
                    }
                }
                // A quarter of the pixels are brighter: neither a spark of noise nor text.
                let quarter = seen_pixels / 4;
                let mut seen = 0;
                let level = (0..64).rev().find(|level| {
                    seen += counts[*level];
                    seen > quarter
                });
                bright[row * columns + column] = (level.unwrap_or(0) * 4 + 2) as f32;
            }
        }
        // The table's own rules and dense text are no darker paper.
        let wide = spread(&bright, columns, rows, |around| around.fold(0.0, f32::max));
        let smooth = spread(&wide, columns, rows, |around| {
            let (sum, count) = around.fold((0.0, 0.0), |(sum, count), it| (sum + it, count + 1.0));
            sum / count
        });
        (
            columns,
            smooth.into_iter().map(|it| it.max(PAPER_MIN)).collect(),
        )
    }
}

/// Adding this to a number from 0 to 255 leaves it, rounded, in the lowest bits: the way to a byte that all lanes of a wide
/// register go at once.
const TO_BYTE: f32 = 8_388_608.0;

/// How dark pixels are against paper that changes evenly: of known length, so that all are worked on at once.
fn darkness<const N: usize>(source: &[u8; N], ink: &mut [u8; N], white: f32, slope: f32) {
    let mut dark = [0.0f32; N];
    for (offset, (dark, value)) in dark.iter_mut().zip(source).enumerate() {
        let white = white + slope * offset as f32;
        *dark = (254.5 - f32::from(*value) * 255.0 / white).max(0.0);
    }
    for (ink, dark) in ink.iter_mut().zip(dark) {
        *ink = (dark + TO_BYTE).to_bits() as u8;
    }
}

/// What `of` makes of each cell and the cells around it.
fn spread(
    cells: &[f32],
    columns: usize,
    rows: usize,
    of: impl Fn(&mut dyn Iterator<Item = f32>) -> f32,
) -> Vec<f32> {
    let mut spread = Vec::with_capacity(cells.len());
    for row in 0..rows {
        for column in 0..columns {
            let (top, bottom) = (row.saturating_sub(1), (row + 2).min(rows));
            let (left, right) = (column.saturating_sub(1), (column + 2).min(columns));
            let mut around = (top..bottom).flat_map(|row| {
                cells[row * columns + left..row * columns + right]
                    .iter()
                    .copied()
            });
            spread.push(of(&mut around));
        }
    }
    spread
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_does_not_depend_on_the_light() {
        // Black bars on paper that darkens to the right.
        let (width, height) = (320, 64);
        let mut plane = Plane::new(width, height);
        for y in 0..height {
            for x in 0..width {
                let paper = 250.0 - x as f32 * 0.5;
                let inked = x % 20 < 3;
                plane.values[y * width + x] = (paper * if inked { 0.2 } else { 1.0 }) as u8;
            }
        }
        let ink = plane.ink();
        for x in 40..280 {
            let value = ink.get(x, 32);
            if x % 20 < 3 {
                assert!((195..=215).contains(&value), "{x}: {value}");
            } else {
                assert!(value < 32, "{x}: {value}");
            }
        }
    }

    #[test]
    fn values_between_pixels_are_means() {
        let plane = Plane {
            width: 2,
            height: 2,
            values: vec![0, 100, 200, 100],
        };
        assert_eq!(plane.sample(0.5, 0.0), 50.0);
        assert_eq!(plane.sample(0.5, 0.5), 100.0);
        assert_eq!(plane.sample(-5.0, 0.0), 0.0);
        assert_eq!(plane.halved().values, [100]);
        assert_eq!(plane.halved_to_darkest().values, [200]);
    }

    #[test]
    fn cubics_go_through_the_pixels_and_keep_more_of_a_thin_stroke() {
        let mut plane = Plane::new(8, 8);
        for row in plane.values.chunks_exact_mut(8) {
            row.copy_from_slice(&[0, 0, 0, 200, 200, 0, 0, 0]);
        }
        let at = |x: f32| plane.sample_smoothly(x, 4.0);
        assert_eq!([at(2.0), at(3.0)], [0.0, 200.0]);
        assert!(plane.sample_smoothly(3.5, 4.5) > 220.0 && plane.sample(3.5, 4.5) == 200.0);
    }
}
