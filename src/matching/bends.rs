//! How paper bends beyond what a homography says: a field of small displacements.

use super::seek::Sight;

/// Side of the squares in which displacements are kept, in pixels.
const BEND_CELL: usize = 32;

/// How far apart the displacements of two neighbouring squares may be on paper that is only bent, in pixels.
const BENT_MOST: f32 = 6.0;

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
    /// how far up or down they are. With the first reach as they are, with each further one what the former have left of them (a
    /// hierarchy as in Lee, Wolberg and Shin, Scattered Data Interpolation with Multilevel B-Splines, 1997).
    pub fn add(&mut self, seen: &[Sight], level: &[Sight], reaches: &[f32]) {
        let Some((reach, others)) = reaches.split_first() else {
            return;
        };
        let mut added = Bends {
            columns: self.columns,
            cells: vec![(0.0, 0.0); self.cells.len()],
        };
        added.fit(seen, level, *reach);
        for (cell, added) in self.cells.iter_mut().zip(&added.cells) {
            *cell = (cell.0 + added.0, cell.1 + added.1);
        }
        let left = |it: &Sight| {
            let (dx, dy) = added.at(it.at.0, it.at.1);
            Sight {
                off: (it.off.0 - dx, it.off.1 - dy),
                ..*it
            }
        };
        if !others.is_empty() {
            let [seen, level] = [seen, level].map(|all| all.iter().map(left).collect::<Vec<_>>());
            self.add(&seen, &level, others);
        }
    }

    /// The displacements that were seen at some points, fading with the distance from them.
    fn fit(&mut self, seen: &[Sight], level: &[Sight], reach: f32) {
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
            *cell = (sum.0 / across, sum.1 / down);
        }
    }
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
        bends.add(&corners, &rules, &[90.0]);
        let middle = bends.at(256.0, 256.0);
        assert!(middle.1 > 7.0, "{middle:?}");
        let mut without = Bends::none(512, 512);
        without.add(&corners, &[], &[90.0]);
        assert_eq!(without.at(256.0, 256.0).0, middle.0);
        assert!(without.at(256.0, 256.0).1 < 3.0);
    }

    #[test]
    fn anchors_far_off_say_how_paper_bends_where_none_is_near() {
        let rows = (64..512).step_by(64);
        let anchors: Vec<Sight> = rows
            .flat_map(|y| [(128, y), (192, y)])
            .map(|(x, y)| sight(x as f32, y as f32, (0.0, 6.0)))
            .collect();
        let bent = |reaches: &[f32]| {
            let mut bends = Bends::none(1024, 512);
            bends.add(&anchors, &[], reaches);
            [bends.at(160.0, 256.0).1, bends.at(512.0, 256.0).1]
        };
        let [near, far] = bent(&[90.0]);
        assert!(near > 5.0 && far < 0.1, "{near} {far}");
        let [near, far] = bent(&[330.0, 90.0]);
        assert!((5.5..6.5).contains(&near) && far > 4.0, "{near} {far}");
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
        bends.add(&bent, &[], &[60.0]);
        assert!((0..14).all(|at| bends.is_smooth_at(at as f32 * 64.0, 256.0)));
        bends.add(&[sight(512.0, 256.0, (0.0, 42.0))], &[], &[40.0]);
        assert!(!bends.is_smooth_at(500.0, 256.0) && !bends.is_smooth_at(530.0, 300.0));
        assert!(bends.is_smooth_at(128.0, 256.0) && bends.is_smooth_at(832.0, 256.0));
    }
}
