//! Small pictures of ink: glyphs as they are drawn, places as they are seen, and how alike the two are.

use fearless_simd::{Level, dispatch};

use super::plane::Plane;
use super::seek::{LANES, product, total};
use crate::render::Coverage;

/// Ink that may be lacking everywhere without being noticed, of full ink.
pub(super) const FAINT: f32 = 0.2;

/// A picture of a glyph or a line of them: values row after row, and where its corner is.
pub(super) struct Patch {
    pub left: i32,
    pub top: i32,
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Patch {
    pub fn blank(left: i32, top: i32, right: i32, bottom: i32) -> Patch {
        let (width, height) = (
            (right - left).max(1) as usize,
            (bottom - top).max(1) as usize,
        );
        Patch {
            left,
            top,
            width,
            height,
            values: vec![0.0; width * height],
        }
    }

    /// All of some pictures as one with a margin.
    pub fn around(parts: &[Patch], margin: i32) -> Patch {
        let edge = |of: fn(&Patch) -> i32| parts.iter().map(of);
        let mut all = Patch::blank(
            edge(|it| it.left).min().unwrap_or(0) - margin,
            edge(|it| it.top).min().unwrap_or(0) - margin,
            edge(|it| it.left + it.width as i32).max().unwrap_or(0) + margin,
            edge(|it| it.top + it.height as i32).max().unwrap_or(0) + margin,
        );
        parts.iter().for_each(|part| all.add(part));
        all
    }

    /// The value at a place of the page; nothing beyond its edges.
    pub fn get(&self, x: i32, y: i32) -> f32 {
        let (x, y) = (x - self.left, y - self.top);
        let inside = x >= 0 && y >= 0 && x < self.width as i32 && y < self.height as i32;
        if !inside {
            return 0.0;
        }
        self.values[y as usize * self.width + x as usize]
    }

    /// A blank one of the same place.
    pub fn blank_beneath(&self) -> Patch {
        Patch {
            values: vec![0.0; self.values.len()],
            ..*self
        }
    }

    /// The part of a plane, moved by an offset; beyond its edge is paper.
    pub fn cut(
        plane: &Plane,
        &Patch {
            left,
            top,
            width,
            height,
            ..
        }: &Patch,
        (dx, dy): (i32, i32),
    ) -> Patch {
        let mut values = Vec::with_capacity(width * height);
        let (from, first) = (left + dx, top + dy);
        let inside = from >= 0
            && first >= 0
            && from as usize + width <= plane.width
            && first as usize + height <= plane.height;
        if inside {
            let rows = plane.values.chunks_exact(plane.width).skip(first as usize);
            for row in rows.take(height) {
                let row = &row[from as usize..][..width];
                values.extend(row.iter().map(|it| f32::from(*it)));
            }
        } else {
            let rows = first..first + height as i32;
            values.extend(rows.flat_map(|y| {
                (from..from + width as i32).map(move |x| f32::from(plane.get(x, y)))
            }));
        }
        Patch {
            left,
            top,
            width,
            height,
            values,
        }
    }

    pub fn add(&mut self, other: &Patch) {
        for row in 0..other.height as i32 {
            let y = other.top + row - self.top;
            if y < 0 || y >= self.height as i32 {
                continue;
            }
            for column in 0..other.width as i32 {
                let x = other.left + column - self.left;
                if x >= 0 && x < self.width as i32 {
                    let value = &mut self.values[y as usize * self.width + x as usize];
                    let more = other.values[row as usize * other.width + column as usize];
                    *value = (*value + more).min(1.0);
                }
            }
        }
    }

    /// This and another of the same place.
    pub fn with(&self, other: &Patch) -> Patch {
        let both = self.values.iter().zip(&other.values);
        Patch {
            values: both.map(|(own, other)| (own + other).min(1.0)).collect(),
            ..*self
        }
    }

    /// Blurred by a Gaussian.
    pub fn blurred(&self, deviation: f32) -> Patch {
        let reach = (deviation * 2.5).ceil() as usize;
        let weight = |at: i32| (-((at * at) as f32) / (2.0 * deviation * deviation)).exp();
        let mut kernel: Vec<f32> = (-(reach as i32)..=reach as i32).map(weight).collect();
        let total: f32 = kernel.iter().sum();
        kernel.iter_mut().for_each(|it| *it /= total);
        let (width, height) = (self.width, self.height);
        let values = dispatch!(Level::new(), _ => folded(&self.values, (width, height), &kernel));
        Patch {
            left: self.left,
            top: self.top,
            width,
            height,
            values,
        }
    }

    pub fn mass(&self) -> f32 {
        total(&self.values)
    }

    /// Ink that this has and the other has not.
    pub fn beyond(&self, other: &Patch) -> f32 {
        excess(&self.values, &other.values)
    }

    /// The part of this ink, as far as it is not another's too, that is not there where full ink is `dark`.
    pub fn absent(&self, ink: &Ink, dark: f32, besides: Option<&Patch>) -> f32 {
        let others = besides.map(|it| &it.values[..]);
        let (absent, all) =
            dispatch!(Level::new(), _ => absent_and_all(&self.values, &ink.values, others, dark));
        absent / (all + 1e-3)
    }

    /// Values with their mean taken away, and the square root of the sum of their squares.
    pub fn centred(&self) -> (Vec<f32>, f32) {
        let mean = self.mass() / self.values.len() as f32;
        let values: Vec<f32> = self.values.iter().map(|it| it - mean).collect();
        let norm = product(&values, &values).sqrt();
        (values, norm)
    }
}

/// The sum of what the values of one row are more than those of another.
fn excess(values: &[f32], others: &[f32]) -> f32 {
    #[inline(always)]
    fn all(values: &[f32], others: &[f32]) -> f32 {
        let more = |value: f32, other: f32| (value - other).max(0.0);
        let mut lanes = [0.0f32; LANES];
        let (whole, rest) = values.as_chunks::<LANES>();
        let (others, others_rest) = others.as_chunks::<LANES>();
        for (values, others) in whole.iter().zip(others) {
            for (lane, (value, other)) in lanes.iter_mut().zip(values.iter().zip(others)) {
                *lane += more(*value, *other);
            }
        }
        let rest = rest.iter().zip(others_rest);
        lanes.iter().sum::<f32>() + rest.map(|(value, other)| more(*value, *other)).sum::<f32>()
    }
    dispatch!(Level::new(), _ => all(values, others))
}

/// The ink of one row that is not another's too, as far as it is neither seen nor faint; and all of it that is not faint.
#[inline(always)]
fn absent_and_all(own: &[f32], seen: &[f32], others: Option<&[f32]>, dark: f32) -> (f32, f32) {
    let lacks = |own: f32, seen: f32, other: f32| {
        // Where another has as much ink, nothing is more than that either.
        let there = (seen / dark).min(1.0).max(other);
        (
            (own - there - FAINT).max(0.0),
            (own - other - FAINT).max(0.0),
        )
    };
    let (own, own_rest) = own.as_chunks::<LANES>();
    let (seen, seen_rest) = seen.as_chunks::<LANES>();
    let others = others.map(|it| it.as_chunks::<LANES>());
    let (mut absent, mut all) = ([0.0f32; LANES], [0.0f32; LANES]);
    for (at, (own, seen)) in own.iter().zip(seen).enumerate() {
        let other = others.map_or([0.0; LANES], |it| it.0[at]);
        for lane in 0..LANES {
            let (lacking, whole) = lacks(own[lane], seen[lane], other[lane]);
            absent[lane] += lacking;
            all[lane] += whole;
        }
    }
    for (at, (own, seen)) in own_rest.iter().zip(seen_rest).enumerate() {
        let (lacking, whole) = lacks(*own, *seen, others.map_or(0.0, |it| it.1[at]));
        absent[0] += lacking;
        all[0] += whole;
    }
    (absent.iter().sum(), all.iter().sum())
}

/// A picture folded with a kernel across and down, with nothing beyond its edges.
#[inline(always)]
fn folded(sharp: &[f32], (width, height): (usize, usize), kernel: &[f32]) -> Vec<f32> {
    let reach = kernel.len() / 2;
    let mut across = vec![0.0f32; width * height];
    let mut padded = vec![0.0f32; width + 2 * reach];
    for (row, blurred) in sharp
        .chunks_exact(width)
        .zip(across.chunks_exact_mut(width))
    {
        padded[reach..reach + width].copy_from_slice(row);
        for (offset, weight) in kernel.iter().enumerate() {
            for (value, from) in blurred.iter_mut().zip(&padded[offset..offset + width]) {
                *value += weight * from;
            }
        }
    }
    let mut values = vec![0.0f32; width * height];
    for (y, blurred) in values.chunks_exact_mut(width).enumerate() {
        for (offset, weight) in kernel.iter().enumerate() {
            let Some(from) = (y + offset)
                .checked_sub(reach)
                .filter(|from| *from < height)
            else {
                continue;
            };
            for (value, from) in blurred.iter_mut().zip(&across[from * width..][..width]) {
                *value += weight * from;
            }
        }
    }
    values
}

impl From<Coverage> for Patch {
    fn from(drawn: Coverage) -> Patch {
        Patch {
            left: drawn.left,
            top: drawn.top,
            width: drawn.width,
            height: drawn.height,
            values: drawn.values,
        }
    }
}

/// The square root of the sum of the squares of how far values are from their mean.
pub(super) fn spread(values: &[f32]) -> f32 {
    let sum = total(values);
    let squares = product(values, values) - sum * sum / values.len() as f32;
    squares.max(0.0).sqrt()
}

/// A place as it is seen: ink from 0 to 255.
pub(super) struct Ink {
    pub values: Vec<f32>,
    /// How far its values are from their mean.
    spread: f32,
}

impl Ink {
    /// The place of a patch on a plane, moved by an offset.
    pub fn cut(plane: &Plane, patch: &Patch, offset: (i32, i32)) -> Ink {
        let values = Patch::cut(plane, patch, offset).values;
        Ink {
            spread: spread(&values),
            values,
        }
    }
}

/// Correlation of a centred pattern with ink.
pub(super) fn correlate((pattern, norm): &(Vec<f32>, f32), ink: &Ink) -> f32 {
    // Ink as faint as noise correlates with nothing.
    let least = 6.0 * (pattern.len() as f32).sqrt();
    product(pattern, &ink.values) / (norm.max(1e-3) * ink.spread.max(least))
}
