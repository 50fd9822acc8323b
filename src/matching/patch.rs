//! Small pictures of ink: glyphs as they are drawn, places as they are seen, and how alike the two are.

use super::plane::Plane;
use super::seek::products;

/// Ink that may be lacking everywhere without being noticed, of full ink.
const FAINT: f32 = 0.2;

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
        for y in 0..height as i32 {
            values.extend(
                (0..width as i32).map(|x| f32::from(plane.get(left + dx + x, top + dy + y))),
            );
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

    /// Blurred by a Gaussian.
    pub fn blurred(&self, deviation: f32) -> Patch {
        let reach = (deviation * 2.5).ceil() as usize;
        let weight = |at: i32| (-((at * at) as f32) / (2.0 * deviation * deviation)).exp();
        let mut kernel: Vec<f32> = (-(reach as i32)..=reach as i32).map(weight).collect();
        let total: f32 = kernel.iter().sum();
        kernel.iter_mut().for_each(|it| *it /= total);
        let (width, height) = (self.width, self.height);
        let mut across = vec![0.0f32; width * height];
        let mut padded = vec![0.0f32; width + 2 * reach];
        for (row, blurred) in self
            .values
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
        Patch {
            left: self.left,
            top: self.top,
            width,
            height,
            values,
        }
    }

    pub fn mass(&self) -> f32 {
        self.values.iter().sum()
    }

    /// Ink that this has and the other has not.
    pub fn beyond(&self, other: &Patch) -> f32 {
        let pairs = self.values.iter().zip(&other.values);
        pairs.map(|(own, other)| (own - other).max(0.0)).sum()
    }

    /// The part of this ink, as far as it is not another's too, that is not there where full ink is `dark`.
    pub fn absent(&self, ink: &Patch, dark: f32, besides: Option<&Patch>) -> f32 {
        let (mut gone, mut all) = (0.0, 1e-3);
        for (at, own) in self.values.iter().enumerate() {
            let other = besides.map_or(0.0, |it| it.values[at]);
            if own - other > FAINT {
                let there = (ink.values[at] / dark).min(1.0);
                gone += (own - there.max(other) - FAINT).max(0.0);
                all += own - other - FAINT;
            }
        }
        gone / all
    }

    /// Values with their mean taken away, and the square root of the sum of their squares.
    pub fn centred(&self) -> (Vec<f32>, f32) {
        let mean = self.values.iter().sum::<f32>() / self.values.len() as f32;
        let values: Vec<f32> = self.values.iter().map(|it| it - mean).collect();
        let norm = values.iter().map(|it| it * it).sum::<f32>().sqrt();
        (values, norm)
    }
}

/// Correlation of a centred pattern with ink.
pub(super) fn correlate((pattern, norm): &(Vec<f32>, f32), ink: &Patch) -> f32 {
    let (sum, squares, product) = products(pattern, &ink.values);
    let spread = (squares - sum * sum / pattern.len() as f32).max(0.0).sqrt();
    // Ink as faint as noise correlates with nothing.
    let least = 6.0 * (pattern.len() as f32).sqrt();
    product / (norm.max(1e-3) * spread.max(least))
}
