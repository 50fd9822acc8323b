//! The discrete Fourier transform of a square of real numbers, by Cooley and Tukey's algorithm.

use std::f32::consts::PI;

/// A complex number.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Complex {
    pub re: f32,
    pub im: f32,
}

impl Complex {
    pub(super) fn turn(angle: f32) -> Complex {
        let (im, re) = angle.sin_cos();
        Complex { re, im }
    }

    pub(super) fn times(self, other: Complex) -> Complex {
        Complex {
            re: self.re * other.re - self.im * other.im,
            im: self.re * other.im + self.im * other.re,
        }
    }

    pub(super) fn plus(self, other: Complex) -> Complex {
        Complex {
            re: self.re + other.re,
            im: self.im + other.im,
        }
    }

    pub(super) fn power(self) -> f32 {
        self.re * self.re + self.im * self.im
    }

    pub(super) fn angle(self) -> f32 {
        self.im.atan2(self.re)
    }
}

/// Power at each frequency of a square of `side` values a row, `side` a power of two: row after row, frequency 0 first.
pub(super) fn spectrum(values: &[f32], side: usize) -> Vec<f32> {
    let roots: Vec<Complex> = (0..side / 2)
        .map(|k| Complex::turn(-2.0 * PI * k as f32 / side as f32))
        .collect();
    let real = |re: &f32| Complex { re: *re, im: 0.0 };
    let mut rows: Vec<Complex> = values.iter().map(real).collect();
    rows.chunks_exact_mut(side)
        .for_each(|row| transform(row, &roots));
    // Columns are transformed a few at a time, so that what is fetched from memory is used whole.
    const TOGETHER: usize = 8;
    let mut column = vec![Complex::default(); side * TOGETHER];
    for first in (0..side).step_by(TOGETHER) {
        let count = TOGETHER.min(side - first);
        for y in 0..side {
            for x in 0..count {
                column[x * side + y] = rows[y * side + first + x];
            }
        }
        for x in 0..count {
            transform(&mut column[x * side..(x + 1) * side], &roots);
        }
        for y in 0..side {
            for x in 0..count {
                rows[y * side + first + x] = column[x * side + y];
            }
        }
    }
    rows.into_iter().map(Complex::power).collect()
}

fn transform(values: &mut [Complex], roots: &[Complex]) {
    let count = values.len();
    let mut reversed = 0;
    for place in 1..count {
        let mut bit = count >> 1;
        while reversed & bit != 0 {
            reversed ^= bit;
            bit >>= 1;
        }
        reversed |= bit;
        if place < reversed {
            values.swap(place, reversed);
        }
    }
    let mut half = 1;
    while half < count {
        let stride = count / (2 * half);
        for block in values.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (k, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let turned = b.times(roots[k * stride]);
                *b = Complex {
                    re: a.re - turned.re,
                    im: a.im - turned.im,
                };
                *a = a.plus(turned);
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_is_one_frequency() {
        let side = 32;
        let wave =
            |at: usize| (2.0 * PI * (3 * (at % side) + 5 * (at / side)) as f32 / side as f32).cos();
        let values: Vec<f32> = (0..side * side).map(wave).collect();
        let power = spectrum(&values, side);
        let strong: Vec<usize> = (0..power.len()).filter(|at| power[*at] > 1.0).collect();
        assert_eq!(strong, [5 * side + 3, 27 * side + 29]);
    }
}
