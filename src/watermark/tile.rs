//! Lattice and stamp together, as the tile of darkness that repeats over a picture.

use super::Mark;
use super::lattice::{DIAGONAL_MM, Lattice};
use super::stamp::Line;
use crate::render::Renderer;

/// How much darker the stamp's line makes paper, in levels of 255.
pub(super) const STAMP_LEVELS: f32 = 30.0;
/// How steeply the line rises, in radians.
pub(super) const SLOPE: f64 = 0.42;
/// Tiles of the lattice that the tile is wide, and high: two lines stand in it, one shifted against the other.
pub(super) const ACROSS: usize = 2;
/// Pixels of both the lattice's directions that are the same, so that what is packed is half as long.
const COARSE: usize = 2;

/// How much darker each pixel of white paper becomes, in levels of 255.
pub(super) struct Tile {
    pub width: usize,
    pub height: usize,
    values: Vec<u8>,
}

/// Pixels of a lattice's tile at this resolution: a whole number, so that it can be repeated.
fn side(dots_per_inch: f64) -> usize {
    ((DIAGONAL_MM / 25.4 * dots_per_inch / 2.0).round() as usize * 2).max(2 * COARSE)
}

impl Tile {
    pub(super) fn draw(renderer: &Renderer, mark: &Mark, dots_per_inch: f64) -> Tile {
        let side = side(dots_per_inch);
        let (width, height) = (side * ACROSS, side);
        let millimetre = DIAGONAL_MM / side as f64;
        let lattice = Lattice::new(mark.id);
        // Where pixels are fine, each value serves for several.
        let coarse = if millimetre > 0.2 { 1 } else { COARSE };
        let middle = |place: usize| (place as f64 + 0.5) * coarse as f64 * millimetre;
        let mut values: Vec<f32> = Vec::with_capacity(width * height);
        for row in 0..side / coarse {
            let start = values.len();
            for column in 0..side / coarse {
                let darkness = lattice.darkness(middle(column), middle(row));
                values.extend([darkness; COARSE].iter().take(coarse));
            }
            for _ in 1..ACROSS {
                values.extend_from_within(start..start + side);
            }
            for _ in 1..coarse {
                values.extend_from_within(start..start + width);
            }
        }
        let line = Line::draw(renderer, &mark.line(), 1.0 / millimetre);
        let (sine, cosine) = SLOPE.sin_cos();
        let (long, thick) = (line.width as f64 / 2.0, line.height as f64);
        let reach_x = (long * cosine + thick) as i64;
        let reach_y = (long * sine + thick) as i64;
        for (middle_x, middle_y) in [(width / 4, height / 4), (3 * width / 4, 3 * height / 4)] {
            for dy in -reach_y..=reach_y {
                for dx in -reach_x..=reach_x {
                    let (x, y) = (dx as f64, dy as f64);
                    let along = x * cosine - y * sine + line.width as f64 / 2.0;
                    let down = x * sine + y * cosine + line.height as f64 / 2.0;
                    let covered = line.at(along, down);
                    if covered > 0.0 {
                        let wrap =
                            |place: i64, length: usize| place.rem_euclid(length as i64) as usize;
                        let at = wrap(middle_y as i64 + dy, height) * width
                            + wrap(middle_x as i64 + dx, width);
                        values[at] += STAMP_LEVELS * covered;
                    }
                }
            }
        }
        Tile {
            width,
            height,
            values: values
                .into_iter()
                .map(|it| it.round().clamp(0.0, 255.0) as u8)
                .collect(),
        }
    }

    /// The darkest that it makes white paper.
    pub(super) fn darkest(&self) -> u8 {
        self.values.iter().copied().max().unwrap_or(0)
    }

    /// The darkness of a row of a picture; it repeats with the tile's width.
    pub(super) fn row(&self, y: usize) -> &[u8] {
        &self.values[y % self.height * self.width..][..self.width]
    }

    /// Darkens pixels in rows of `width`: ink, which is dark already, less than paper.
    pub(super) fn darken(&self, pixels: &mut [[u8; 3]], width: usize) {
        for (y, row) in pixels.chunks_exact_mut(width).enumerate() {
            for (pixel, darkness) in row.iter_mut().zip(self.row(y).iter().cycle()) {
                let left = 255 - u32::from(*darkness);
                *pixel = pixel.map(|it| ((u32::from(it) * left + 127) / 255) as u8);
            }
        }
    }
}
