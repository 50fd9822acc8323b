//! One channel of a picture, and the few operations that registration and comparison are made of.

/// Pixels that are sampled together.
const TOGETHER: usize = 32;

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
    #[inline(always)]
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
        let width = self.width as i32;
        for into in into.chunks_mut(TOGETHER) {
            // First all places are reckoned, then all are fetched, then all are mixed. Beyond the end of the line, which is
            // inside, there may be any places.
            let mut at = [0u32; TOGETHER];
            let (mut across, mut down) = ([0u16; TOGETHER], [0u16; TOGETHER]);
            for index in 0..TOGETHER {
                let after = |at: i32, step: i32| at.wrapping_add(step.wrapping_mul(index as i32));
                let (x, y) = (after(x, dx), after(y, dy));
                at[index] = (y >> 16).wrapping_mul(width).wrapping_add(x >> 16) as u32;
                (across[index], down[index]) = ((x >> 8) as u16 & 0xFF, (y >> 8) as u16 & 0xFF);
            }
            (x, y) = (
                x.wrapping_add(dx.wrapping_mul(TOGETHER as i32)),
                y.wrapping_add(dy.wrapping_mul(TOGETHER as i32)),
            );
            let (mut upper, mut lower) = ([[0u8; 2]; TOGETHER], [[0u8; 2]; TOGETHER]);
            for (index, at) in at.iter().take(into.len()).enumerate() {
                let pair = |at: usize| self.values.get(at..at + 2)?.first_chunk();
                // The line is inside, so there always are four.
                let at = *at as usize;
                if let (Some(above), Some(below)) = (pair(at), pair(at + self.width)) {
                    (upper[index], lower[index]) = (*above, *below);
                }
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
}

#[cfg(test)]
mod tests {
    use super::*;

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
