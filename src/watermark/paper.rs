//! What a picture's paper shows beyond its own brightness: the lattice, if there is one, without ink and shadows.

use crate::render::PagePixels;

/// How far around a pixel paper is looked at for its brightness, in pixels.
const AROUND: usize = 26;
/// Side of the blocks whose median is the first guess at paper, in pixels.
const BLOCK: usize = 24;
/// Difference from paper that is certainly ink, in levels of 255.
const INK_LEVELS: f32 = 18.0;
/// The same, as a multiple of what the paper itself scatters, and its bounds.
const INK_SPREADS: f32 = 4.0;
const INK_BOUNDS: (f32, f32) = (7.0, 22.0);
/// How far from ink paper is not trusted, in pixels: JPEG rings there.
const MARGIN: usize = 2;

/// One value a pixel.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plane {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

/// How much darker each pixel is than the paper around it, 0 where `trusted` is 0.
pub(super) struct Paper {
    pub darker: Plane,
    pub trusted: Plane,
}

impl Plane {
    fn of(width: usize, height: usize, values: Vec<f32>) -> Plane {
        Plane {
            width,
            height,
            values,
        }
    }

    /// Brightness of a picture.
    pub(super) fn grey(picture: &PagePixels) -> Plane {
        let luma = |[r, g, b]: &[u8; 3]| {
            0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b)
        };
        let values = picture.pixels.iter().map(luma).collect();
        Plane::of(picture.width, picture.height, values)
    }

    /// The same picture with its longer side at most `side` pixels, each the mean of what it covers.
    pub(super) fn reduced(&self, side: usize) -> Plane {
        let longer = self.width.max(self.height);
        if longer <= side {
            return self.clone();
        }
        let factor = side as f32 / longer as f32;
        let to = |length: usize| ((length as f32 * factor).round() as usize).max(1);
        let across = shrunk(&self.values, self.width, to(self.width));
        let turned = transposed(&across, to(self.width), self.height);
        let down = shrunk(&turned, self.height, to(self.height));
        let values = transposed(&down, to(self.height), to(self.width));
        Plane::of(to(self.width), to(self.height), values)
    }

    /// The mean of the square of `2 * around + 1` values around each, as far as it lies inside.
    pub(super) fn local_means(&self, around: usize) -> Plane {
        let ones = Plane::of(self.width, self.height, vec![1.0; self.values.len()]);
        self.summed(around)
            .map(&ones.summed(around), |sum, count| sum / count)
    }

    fn map(&self, other: &Plane, of: impl Fn(f32, f32) -> f32) -> Plane {
        let pairs = self.values.iter().zip(&other.values);
        let values = pairs.map(|(a, b)| of(*a, *b)).collect();
        Plane::of(self.width, self.height, values)
    }

    /// The sum over the square of `2 * around + 1` pixels around each pixel, as far as it lies inside.
    fn summed(&self, around: usize) -> Plane {
        let across = sums(&self.values, self.width, around);
        let turned = transposed(&across, self.width, self.height);
        let down = sums(&turned, self.height, around);
        let values = transposed(&down, self.height, self.width);
        Plane::of(self.width, self.height, values)
    }
}

/// Rows of `width` as rows of `to`, fewer; each value the mean of what it covers.
fn shrunk(values: &[f32], width: usize, to: usize) -> Vec<f32> {
    let step = width as f32 / to as f32;
    let mut out = Vec::with_capacity(values.len() / width * to);
    for row in values.chunks_exact(width) {
        for place in 0..to {
            let (from, until) = (place as f32 * step, (place + 1) as f32 * step);
            let (first, last) = (from as usize, (until.ceil() as usize).min(width));
            let mut sum = 0.0;
            let mut covered = 0.0;
            for (at, value) in row.iter().enumerate().take(last).skip(first) {
                let part = (until.min(at as f32 + 1.0) - from.max(at as f32)).max(0.0);
                sum += value * part;
                covered += part;
            }
            out.push(sum / covered.max(f32::EPSILON));
        }
    }
    out
}

fn transposed(values: &[f32], width: usize, height: usize) -> Vec<f32> {
    let mut out = vec![0.0; values.len()];
    for (y, row) in values.chunks_exact(width).enumerate() {
        for (x, value) in row.iter().enumerate() {
            out[x * height + y] = *value;
        }
    }
    out
}

fn sums(values: &[f32], width: usize, around: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for row in values.chunks_exact(width) {
        // In double precision: what is added is taken away again thousands of pixels later.
        let mut sum: f64 = row.iter().take(around).map(|it| f64::from(*it)).sum();
        for x in 0..width {
            sum += row.get(x + around).map_or(0.0, |it| f64::from(*it));
            out.push(sum as f32);
            sum -= x
                .checked_sub(around)
                .map_or(0.0, |gone| f64::from(row[gone]));
        }
    }
    out
}

impl Paper {
    /// Looks at a picture's brightness.
    pub(super) fn of(grey: &Plane) -> Paper {
        let guess = medians(grey);
        let near = grey.map(&guess, |value, paper| {
            f32::from(u8::from((value - paper).abs() < INK_LEVELS))
        });
        let paper = mean(grey, &near);
        let off = grey.map(&paper, |value, paper| value - paper);
        let limit = (spread(&off, &near) * INK_SPREADS).clamp(INK_BOUNDS.0, INK_BOUNDS.1);
        let ink = off.map(&near, |off, near| {
            f32::from(u8::from(near == 0.0 || off.abs() > limit))
        });
        let beside = ink.summed(MARGIN);
        let clean = ink.map(&beside, |_, beside| f32::from(u8::from(beside < 0.5)));
        let paper = mean(grey, &clean);
        let darker = paper.map(grey, |paper, value| (paper - value).clamp(-limit, limit));
        let darker = darker.map(&clean, |value, clean| value * clean);
        Paper {
            darker,
            trusted: clean,
        }
    }
}

/// The mean of what is trusted around each pixel.
fn mean(grey: &Plane, trusted: &Plane) -> Plane {
    let kept = grey.map(trusted, |value, trusted| value * trusted);
    let counts = trusted.summed(AROUND);
    let sums = kept.summed(AROUND);
    let mean = sums.map(
        &counts,
        |sum, count| if count > 0.5 { sum / count } else { -1.0 },
    );
    mean.map(grey, |mean, value| if mean < 0.0 { value } else { mean })
}

/// What half of the trusted differences are smaller than, made comparable to a standard deviation.
fn spread(off: &Plane, trusted: &Plane) -> f32 {
    let mut counts = [0u32; 256];
    for (off, trusted) in off.values.iter().zip(&trusted.values) {
        if *trusted > 0.0 {
            counts[(off.abs() * 8.0).min(255.0) as usize] += 1;
        }
    }
    let half = counts.iter().sum::<u32>() / 2;
    let mut seen = 0;
    let median = counts.iter().position(|count| {
        seen += count;
        seen >= half
    });
    1.48 * (median.unwrap_or(0) as f32 + 0.5) / 8.0
}

/// The median of each block, between blocks gone over from one into the other.
fn medians(grey: &Plane) -> Plane {
    let (across, down) = (grey.width.div_ceil(BLOCK), grey.height.div_ceil(BLOCK));
    let mut medians = Vec::with_capacity(across * down);
    for row in 0..down {
        for column in 0..across {
            let mut counts = [0u32; 256];
            let mut total = 0;
            for y in row * BLOCK..((row + 1) * BLOCK).min(grey.height) {
                let end = ((column + 1) * BLOCK).min(grey.width);
                for value in &grey.values[y * grey.width + column * BLOCK..y * grey.width + end] {
                    counts[value.clamp(0.0, 255.0) as usize] += 1;
                    total += 1;
                }
            }
            // Somewhat above the middle, where paper is: ink is darker.
            let mut seen = 0;
            let median = counts.iter().position(|count| {
                seen += count;
                seen * 5 >= total * 3
            });
            medians.push(median.unwrap_or(0) as f32);
        }
    }
    let mut values = Vec::with_capacity(grey.values.len());
    for y in 0..grey.height {
        let (upper, lower, part_down) = between(y, down);
        for x in 0..grey.width {
            let (left, right, part) = between(x, across);
            let row = |row: usize| {
                let (a, b) = (medians[row * across + left], medians[row * across + right]);
                a + (b - a) * part
            };
            let (a, b) = (row(upper), row(lower));
            values.push(a + (b - a) * part_down);
        }
    }
    Plane::of(grey.width, grey.height, values)
}

/// The blocks before and after a pixel, counted by their middles, and how far it is from the one to the other.
fn between(pixel: usize, blocks: usize) -> (usize, usize, f32) {
    let place = ((pixel as f32 + 0.5) / BLOCK as f32 - 0.5).clamp(0.0, (blocks - 1) as f32);
    let first = place as usize;
    (first, (first + 1).min(blocks - 1), place - first as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_and_shadow_are_not_paper() {
        let value = |x: usize, y: usize| match (x, y) {
            (60..70, _) => 10.0,
            _ => {
                200.0
                    + y as f32 / 4.0
                    + if (x / 6 + y / 6).is_multiple_of(2) {
                        2.0
                    } else {
                        -2.0
                    }
            }
        };
        let values = (0..160 * 120).map(|at| value(at % 160, at / 160)).collect();
        let paper = Paper::of(&Plane::of(160, 120, values));
        let at = |x: usize, y: usize| {
            (
                paper.darker.values[y * 160 + x],
                paper.trusted.values[y * 160 + x],
            )
        };
        assert_eq!(at(65, 60), (0.0, 0.0));
        let (light, trusted) = at(26, 62);
        assert!((light + 2.0).abs() < 0.8 && trusted == 1.0, "{light}");
        assert!((at(32, 62).0 - 2.0).abs() < 0.8);
    }

    #[test]
    fn a_smaller_picture_has_the_same_mean() {
        let plane = Plane::of(100, 50, (0..5_000).map(|at| (at % 100) as f32).collect());
        let small = plane.reduced(40);
        assert_eq!((small.width, small.height), (40, 20));
        let mean = small.values.iter().sum::<f32>() / 800.0;
        assert!((mean - 49.5).abs() < 0.1, "{mean}");
    }
}
