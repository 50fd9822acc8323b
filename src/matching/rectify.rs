//! A scan as the form sees it: sampled through a homography, and along the bends of the paper.

use std::sync::OnceLock;

use super::homography::{Homography, Spot};
use super::plane::Plane;
use super::seek::Sight;

/// Side of the squares in which displacements are kept, in pixels.
const BEND_CELL: usize = 64;

/// How far apart the displacements of two neighbouring squares may be on paper that is only bent, in pixels.
const BENT_MOST: f32 = 8.0;

/// Most sizes of one plane.
const LEVELS_MAX: usize = 5;
/// Shorter side below which a plane is not halved any more, in pixels.
const SIDE_MIN: usize = 64;

/// A plane, and again and again at half its size, as far as somebody asks for it.
pub(super) struct Pyramid {
    /// Pixels of the page in one of the first plane, along a side.
    base: f64,
    first: Plane,
    smaller: Vec<OnceLock<Plane>>,
}

impl Pyramid {
    pub fn new(first: Plane, base: f64) -> Pyramid {
        let side = first.width.min(first.height);
        let halvings = (0..LEVELS_MAX - 1).take_while(|level| side >> level > SIDE_MIN);
        Pyramid {
            base,
            smaller: halvings.map(|_| OnceLock::new()).collect(),
            first,
        }
    }

    /// How many sizes there are.
    pub fn levels(&self) -> usize {
        self.smaller.len() + 1
    }

    /// The plane, halved so often; at most as often as there are sizes.
    pub fn plane(&self, level: usize) -> &Plane {
        match level.checked_sub(1).and_then(|at| self.smaller.get(at)) {
            Some(plane) => plane.get_or_init(|| self.plane(level - 1).halved()),
            None => &self.first,
        }
    }
}

/// Small displacements, in pixels of the form, that lead from the homography to the bent paper.
#[derive(Debug, Clone)]
pub(super) struct Bends {
    columns: usize,
    cells: Vec<(f32, f32)>,
}

impl Bends {
    pub fn none(width: usize, height: usize) -> Bends {
        let (columns, rows) = (width / BEND_CELL + 2, height / BEND_CELL + 2);
        Bends {
            columns,
            cells: vec![(0.0, 0.0); columns * rows],
        }
    }

    /// The displacement at a point.
    pub fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x / BEND_CELL as f32, y / BEND_CELL as f32);
        let rows = self.cells.len() / self.columns;
        let (left, top) = (
            (x as usize).min(self.columns - 2),
            (y as usize).min(rows - 2),
        );
        let (fx, fy) = (
            (x - left as f32).clamp(0.0, 1.0),
            (y - top as f32).clamp(0.0, 1.0),
        );
        let cell = |column: usize, row: usize| self.cells[row * self.columns + column];
        let mix = |a: (f32, f32), b: (f32, f32), part: f32| {
            (a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part)
        };
        let upper = mix(cell(left, top), cell(left + 1, top), fx);
        let lower = mix(cell(left, top + 1), cell(left + 1, top + 1), fx);
        mix(upper, lower, fy)
    }

    /// Whether the paper is bent no more around a point than paper bends: what is found further off from one square to
    /// the next is not what was sought.
    pub fn is_smooth_at(&self, x: f32, y: f32) -> bool {
        let (column, row) = (
            (x / BEND_CELL as f32) as usize,
            (y / BEND_CELL as f32) as usize,
        );
        let rows = self.cells.len() / self.columns;
        let cell = |column: usize, row: usize| {
            let (column, row) = (column.min(self.columns - 1), row.min(rows - 1));
            self.cells[row * self.columns + column]
        };
        let apart = |a: (f32, f32), b: (f32, f32)| (a.0 - b.0).hypot(a.1 - b.1) > BENT_MOST;
        let near = |at: usize| at.saturating_sub(1)..at + 2;
        near(row).all(|row| {
            near(column).all(|column| {
                let here = cell(column, row);
                !apart(here, cell(column + 1, row)) && !apart(here, cell(column, row + 1))
            })
        })
    }

    /// Adds the displacements that were seen at some points, fading with the distance from them; of those in `level` only
    /// how far up or down they are.
    pub fn add(&mut self, seen: &[Sight], level: &[Sight], reach: f32) {
        let columns = self.columns;
        for (index, cell) in self.cells.iter_mut().enumerate() {
            let x = (index % columns * BEND_CELL) as f32;
            let y = (index / columns * BEND_CELL) as f32;
            let fading = |sight: &Sight| {
                let (dx, dy) = (sight.at.0 - x, sight.at.1 - y);
                let near = (dx * dx + dy * dy) / (reach * reach);
                (near < 9.0).then(|| (-near).exp() * sight.score)
            };
            let (mut sum, mut across, mut down) = ((0.0, 0.0), 0.5, 0.5);
            for sight in seen {
                if let Some(own) = fading(sight) {
                    sum = (sum.0 + own * sight.off.0, sum.1 + own * sight.off.1);
                    (across, down) = (across + own, down + own);
                }
            }
            for sight in level {
                if let Some(own) = fading(sight) {
                    sum.1 += own * sight.off.1;
                    down += own;
                }
            }
            *cell = (cell.0 + sum.0 / across, cell.1 + sum.1 / down);
        }
    }
}

/// Pixels of a line between which places on the scan are interpolated: a homography is straight enough that long.
const STRIDE: usize = 32;

/// Pixels of the scan in one of the form below which the scan is so coarse that it is worth more than bilinear
/// interpolation.
const COARSE: f64 = 0.8;

/// The scan as the form sees it: `planes` through the map, at one `step`th of the form's resolution.
pub(super) fn rectify(
    pyramid: &Pyramid,
    map: &Homography,
    bends: Option<&Bends>,
    (width, height): (usize, usize),
    step: usize,
) -> Plane {
    let step_f = step as f64;
    let middle = Spot {
        x: (width * step) as f64 / 2.0,
        y: (height * step) as f64 / 2.0,
    };
    let mut level = 0;
    let mut reduction = pyramid.base;
    while map.scale_at(middle) * step_f > 1.6 * reduction && level + 1 < pyramid.levels() {
        level += 1;
        reduction *= 2.0;
    }
    let coarse = map.scale_at(middle) * step_f < COARSE * reduction;
    let plane = pyramid.plane(level);
    let mut seen = Plane::new(width, height);
    let m = &map.0;
    let centre = (step_f - 1.0) / 2.0;
    let shift = (reduction - 1.0) / 2.0 / reduction;
    let place = |u: usize, v: usize| -> (f32, f32) {
        let (mut x, mut y) = (u as f64 * step_f + centre, v as f64 * step_f + centre);
        if let Some(bends) = bends {
            let (dx, dy) = bends.at(x as f32, y as f32);
            x += f64::from(dx);
            y += f64::from(dy);
        }
        let depth = reduction * (m[6] * x + m[7] * y + m[8]);
        (
            ((m[0] * x + m[1] * y + m[2]) / depth - shift) as f32,
            ((m[3] * x + m[4] * y + m[5]) / depth - shift) as f32,
        )
    };
    for (v, line) in seen.values.chunks_exact_mut(width).enumerate() {
        let mut from = place(0, v);
        for (index, stretch) in line.chunks_mut(STRIDE).enumerate() {
            let to = place((index + 1) * STRIDE, v);
            let (dx, dy) = (
                (to.0 - from.0) / STRIDE as f32,
                (to.1 - from.1) / STRIDE as f32,
            );
            if coarse {
                for (index, value) in stretch.iter_mut().enumerate() {
                    let (x, y) = (from.0 + dx * index as f32, from.1 + dy * index as f32);
                    *value = plane.sample_smoothly(x, y).round() as u8;
                }
            } else {
                plane.along(from, (dx, dy), stretch);
            }
            from = to;
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(x: f32, y: f32, off: (f32, f32)) -> Sight {
        Sight {
            at: (x, y),
            off,
            score: 0.9,
        }
    }

    #[test]
    fn a_level_rule_bends_paper_down_and_never_aside() {
        let corners = [
            sight(64.0, 256.0, (4.0, 6.0)),
            sight(448.0, 256.0, (4.0, 6.0)),
        ];
        // Between the two corners the paper hangs lower.
        let rules: Vec<Sight> = (160..384)
            .step_by(32)
            .map(|x| sight(x as f32, 256.0, (0.0, 9.0)))
            .collect();
        let mut bends = Bends::none(512, 512);
        bends.add(&corners, &rules, 90.0);
        let middle = bends.at(256.0, 256.0);
        assert!(middle.1 > 7.0, "{middle:?}");
        let mut without = Bends::none(512, 512);
        without.add(&corners, &[], 90.0);
        assert_eq!(without.at(256.0, 256.0).0, middle.0);
        assert!(without.at(256.0, 256.0).1 < 3.0);
    }

    #[test]
    fn what_is_found_a_row_off_is_no_bend() {
        let mut bends = Bends::none(1024, 512);
        // Paper that hangs 24 pixels lower at one end.
        let places = (0..512)
            .step_by(64)
            .flat_map(|y| (0..1024).step_by(64).map(move |x| (x, y)));
        let bent: Vec<Sight> = places
            .map(|(x, y)| sight(x as f32, y as f32, (0.0, 24.0 * x as f32 / 1024.0)))
            .collect();
        bends.add(&bent, &[], 60.0);
        assert!((0..14).all(|at| bends.is_smooth_at(at as f32 * 64.0, 256.0)));
        bends.add(&[sight(512.0, 256.0, (0.0, 42.0))], &[], 40.0);
        assert!(!bends.is_smooth_at(500.0, 256.0) && !bends.is_smooth_at(530.0, 300.0));
        assert!(bends.is_smooth_at(128.0, 256.0) && bends.is_smooth_at(832.0, 256.0));
    }
}
