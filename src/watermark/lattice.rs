//! The lattice: a faint pattern of cells that stand on their corners, and how dark each point of a page is made by it.
//!
//! Cells are the squares of a grid whose axes are the page's diagonals: people see such patterns least, and what
//! documents and JPEG are made of lies along the page's sides. A tile of cells repeats over the page, so that every
//! part of it holds the whole. Two waves along the grid's axes, of a period of two cells, show where the cells are in
//! whatever way the picture was turned, scaled or slanted. A wave is 0 in the middle of its cells' sum, so that waves
//! and cells do not disturb each other.

use super::ViewId;
use super::code::{self, CODED_BITS};

/// Cells along a side of the tile. Even, so that the waves repeat with it.
pub(super) const TILE: usize = 20;
/// Cells of a tile.
pub(super) const CELLS: usize = TILE * TILE;
/// Cells of a tile that are the same in all marks, and show how a tile lies.
pub(super) const KNOWN: usize = CELLS - CODED_BITS;
/// The diagonal of a tile in millimetres: 448 pixels at 200 dots per inch, so that rows of pixels repeat there.
pub(super) const DIAGONAL_MM: f64 = 448.0 * 25.4 / 200.0;
/// How much darker than its mean a cell makes paper, or lighter, in levels of 255.
pub(super) const CELL_LEVELS: f32 = 2.2;
/// The same of each of the two waves.
pub(super) const WAVE_LEVELS: f32 = 1.1;
/// The part of a cell on each side in which it goes over into its neighbour.
const EDGE: f32 = 0.2;

/// What each cell of the tile is for.
pub(super) struct Plan {
    /// The cells of the coded bits, in their order.
    pub coded: Vec<usize>,
    /// The cells that are the same in all marks.
    pub known: Vec<usize>,
    /// What turns each cell over, so that no id makes the tile light or dark as a whole; what known cells are.
    pub flips: Vec<f32>,
}

impl Plan {
    /// The plan of all marks: from a fixed generator of numbers (SplitMix64, by Sebastiano Vigna), so never changed.
    pub(super) fn new() -> Plan {
        let mut state = 0x766F_7563_6873_6166u64;
        let mut random = move || {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            mixed ^ (mixed >> 31)
        };
        let mut cells: Vec<usize> = (0..CELLS).collect();
        for last in (1..CELLS).rev() {
            let other = (random() % (last as u64 + 1)) as usize;
            cells.swap(last, other);
        }
        let flips = (0..CELLS).map(|_| if random() & 1 == 1 { 1.0 } else { -1.0 });
        let flips = flips.collect();
        let known = cells.split_off(CODED_BITS);
        Plan {
            coded: cells,
            known,
            flips,
        }
    }
}

/// The lattice of one id.
pub(super) struct Lattice {
    cells: Vec<f32>,
}

impl Lattice {
    pub(super) fn new(id: ViewId) -> Lattice {
        let plan = Plan::new();
        let mut cells = plan.flips.clone();
        for (cell, one) in plan.coded.iter().zip(code::encode(id)) {
            if !one {
                cells[*cell] = -cells[*cell];
            }
        }
        Lattice { cells }
    }

    fn cell(&self, column: i64, row: i64) -> f32 {
        let wrapped = |place: i64| place.rem_euclid(TILE as i64) as usize;
        self.cells[wrapped(row) * TILE + wrapped(column)]
    }

    /// Whether a cell of the grid darkens.
    pub(super) fn is_dark(&self, column: i64, row: i64) -> bool {
        self.cell(column, row) > 0.0
    }

    /// How much darker the lattice makes the point at `x` and `y` millimetres from the upper left corner of a page of
    /// white paper, in levels of 255; never lighter.
    pub(super) fn darkness(&self, x: f64, y: f64) -> f32 {
        let (u, v) = grid(x, y);
        let (column, across) = stretch(u);
        let (row, down) = stretch(v);
        let mix = |from: f32, to: f32, part: f32| from + (to - from) * part;
        let upper = mix(self.cell(column, row), self.cell(column + 1, row), across);
        let lower = mix(
            self.cell(column, row + 1),
            self.cell(column + 1, row + 1),
            across,
        );
        let waves = (u * std::f64::consts::PI).cos() + (v * std::f64::consts::PI).cos();
        let signal = CELL_LEVELS * mix(upper, lower, down) + WAVE_LEVELS * waves as f32;
        signal + CELL_LEVELS + 2.0 * WAVE_LEVELS
    }
}

/// A point of the page, in millimetres, in cells along the grid's axes.
pub(super) fn grid(x: f64, y: f64) -> (f64, f64) {
    let cells = TILE as f64 / DIAGONAL_MM;
    ((x + y) * cells, (y - x) * cells)
}

/// The cell in whose domain a place lies or that before it, and how far it has gone over into the next.
fn stretch(place: f64) -> (i64, f32) {
    let from_middle = place - 0.5;
    let cell = from_middle.floor();
    let part = (from_middle - cell) as f32;
    let over = ((part - 0.5) / (2.0 * EDGE) + 0.5).clamp(0.0, 1.0);
    (cell as i64, over * over * (3.0 - 2.0 * over))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lattice_only_darkens_and_never_by_more_than_its_swing() {
        let lattice = Lattice::new(ViewId::new(0x3_0F0F_1234_ABCD));
        let most = 2.0 * CELL_LEVELS + 4.0 * WAVE_LEVELS;
        let values = (0..40_000)
            .map(|at| lattice.darkness(f64::from(at % 200) / 2.0, f64::from(at / 200) / 2.0));
        for value in values {
            assert!((-0.01..=most + 0.01).contains(&value), "{value}");
        }
    }

    #[test]
    fn every_cell_is_known_or_coded_once() {
        let plan = Plan::new();
        let mut cells: Vec<usize> = plan.coded.iter().chain(&plan.known).copied().collect();
        cells.sort_unstable();
        assert_eq!(cells, (0..CELLS).collect::<Vec<_>>());
        assert_eq!((plan.coded.len(), plan.known.len()), (CODED_BITS, KNOWN));
    }
}
