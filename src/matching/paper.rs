//! The paper of a scan, and what is darker than it.

use fearless_simd::{Level, dispatch};

use super::plane::Plane;

/// Side of a block of paper whose brightness is taken as one, in pixels.
const BLOCK: usize = 16;
/// Darkest paper that is still taken for paper: below, a shadow or a table is.
const PAPER_MIN: f32 = 24.0;

impl Plane {
    /// How dark each pixel is against the paper around it: 0 paper, 255 black.
    pub fn ink(mut self) -> Plane {
        let (columns, paper) = self.paper();
        dispatch!(Level::new(), _ => self.set_against(columns, &paper));
        self
    }

    /// Makes of each pixel how dark it is against paper of this brightness in blocks, so many in a row.
    #[inline(always)]
    fn set_against(&mut self, columns: usize, paper: &[f32]) {
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
            let row = &mut self.values[y * self.width..][..self.width];
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
                let stretch = &mut row[start..end];
                match stretch.first_chunk_mut() {
                    Some(block) => darken::<BLOCK>(block, white, slope),
                    None => {
                        for (offset, value) in stretch.iter_mut().enumerate() {
                            let white = white + slope * offset as f32;
                            darken(std::array::from_mut(value), white, 0.0);
                        }
                    }
                }
            }
        }
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
        let wide = around_each(&bright, columns, rows, |around| around.fold(0.0, f32::max));
        let smooth = around_each(&wide, columns, rows, |around| {
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

/// Makes of pixels how dark they are against paper that changes evenly: of known length, so that all are worked on at once.
#[inline(always)]
fn darken<const N: usize>(pixels: &mut [u8; N], white: f32, slope: f32) {
    let mut dark = [0.0f32; N];
    for (offset, (dark, value)) in dark.iter_mut().zip(&*pixels).enumerate() {
        let white = white + slope * offset as f32;
        *dark = (254.5 - f32::from(*value) * 255.0 / white).max(0.0);
    }
    for (ink, dark) in pixels.iter_mut().zip(dark) {
        *ink = (dark + TO_BYTE).to_bits() as u8;
    }
}

/// What `of` makes of each cell and the cells around it.
fn around_each(
    cells: &[f32],
    columns: usize,
    rows: usize,
    of: impl Fn(&mut dyn Iterator<Item = f32>) -> f32,
) -> Vec<f32> {
    let mut all = Vec::with_capacity(cells.len());
    for row in 0..rows {
        for column in 0..columns {
            let (top, bottom) = (row.saturating_sub(1), (row + 2).min(rows));
            let (left, right) = (column.saturating_sub(1), (column + 2).min(columns));
            let mut around = (top..bottom).flat_map(|row| {
                cells[row * columns + left..row * columns + right]
                    .iter()
                    .copied()
            });
            all.push(of(&mut around));
        }
    }
    all
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
}
