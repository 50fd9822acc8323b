//! The way back: from a picture of a part of a marked page to the id, or to "it cannot be told".

use super::ViewId;
use super::code::{self, CODED_BITS};
use super::lattice::{CELLS, KNOWN, Plan, TILE};
use super::paper::{Paper, Plane};
use super::warp::Warp;
use super::waves;
use crate::render::PagePixels;

/// Longer sides of the picture at which it is looked at, in pixels.
const SIDES: [usize; 2] = [2_000, 1_000];
/// Pairs of waves that are tried at each.
const PAIRS_MAX: usize = 6;
/// Ways to lay the tile that are tried for each pair.
const LAYINGS_MAX: usize = 6;
/// Most cells that are looked at.
const CELLS_MAX: usize = 200_000;
/// Points along a cell's side in which it is sampled.
const SAMPLES: usize = 5;
/// How far from the middle of a cell the outermost are, in cells.
const SAMPLED: f64 = 0.36;
/// What the known cells must agree to, in standard deviations of what chance gives.
const KNOWN_MIN: f32 = 4.2;
/// What all coded cells together must agree to, as a correlation. The nearest of all codes to mere noise reaches
/// about 0.55.
const LIKENESS_MIN: f32 = 0.62;

/// Looks for a lattice in a picture of any scale, turn and mild slant. Takes less than three seconds for any picture of
/// up to 64 million pixels, and tells of none rather than of a wrong one.
pub fn find(picture: &PagePixels) -> Option<ViewId> {
    let grey = Plane::grey(picture);
    let plan = Plan::new();
    SIDES.iter().find_map(|side| {
        if *side < SIDES[0] && grey.width.max(grey.height) <= *side {
            return None;
        }
        let paper = Paper::of(&grey.reduced(*side));
        let mut pairs = waves::pairs(&paper);
        pairs.truncate(PAIRS_MAX);
        pairs.into_iter().find_map(|pair| {
            let (warp, scale) = waves::warp(&paper, pair)?;
            read(&plan, &paper, &warp, scale)
        })
    })
}

/// The sum of what was seen of each cell of the tile, and how much was seen.
type Tile = [f32; CELLS];

fn read(plan: &Plan, paper: &Paper, warp: &Warp, scale: f64) -> Option<ViewId> {
    let cells = cells(paper, warp, scale)?;
    let mut layings = Vec::new();
    for turn in 0..4 {
        let tile = folded(&cells, turn);
        for offset in 0..CELLS / 4 {
            let (right, down) = (offset % (TILE / 2) * 2, offset / (TILE / 2) * 2);
            let mut sum = 0.0;
            let mut power = 0.0;
            for cell in &plan.known {
                let value = tile[shifted(*cell, right, down)];
                sum += value * plan.flips[*cell];
                power += value * value;
            }
            if power > 0.0 {
                layings.push((sum / power.sqrt(), turn, right, down));
            }
        }
    }
    layings.sort_by(|a, b| b.0.total_cmp(&a.0));
    layings.truncate(LAYINGS_MAX);
    layings.retain(|it| it.0 >= KNOWN_MIN);
    debug_assert!(plan.known.len() == KNOWN);
    layings.into_iter().find_map(|(_, turn, right, down)| {
        let tile = folded(&cells, turn);
        let mut soft = [0.0; CODED_BITS];
        for (soft, cell) in soft.iter_mut().zip(&plan.coded) {
            *soft = tile[shifted(*cell, right, down)] * plan.flips[*cell];
        }
        let (id, likeness) = code::decode(&soft)?;
        (likeness >= LIKENESS_MIN).then_some(id)
    })
}

fn shifted(cell: usize, right: usize, down: usize) -> usize {
    let (column, row) = (cell % TILE, cell / TILE);
    (row + down) % TILE * TILE + (column + right) % TILE
}

/// A cell of the grid as the picture shows it: where it is, the mean of its pixels, and which part of them is paper.
struct Cell {
    column: i64,
    row: i64,
    darker: f32,
    trusted: f32,
}

fn cells(paper: &Paper, warp: &Warp, scale: f64) -> Option<Vec<Cell>> {
    let (width, height) = (paper.darker.width, paper.darker.height);
    let corners = [(0, 0), (width, 0), (0, height), (width, height)]
        .map(|(x, y)| warp.apply(x as f64 / scale, y as f64 / scale));
    let bounds = |of: fn(&(f64, f64)) -> f64| {
        let values = corners.iter().map(of);
        let (least, most) = values.fold((f64::MAX, f64::MIN), |(least, most), it| {
            (least.min(it), most.max(it))
        });
        ((least.floor()) as i64, (most.ceil()) as i64)
    };
    let (left, right) = bounds(|it| it.0);
    let (top, bottom) = bounds(|it| it.1);
    let count = right
        .checked_sub(left)?
        .checked_mul(bottom.checked_sub(top)?)?;
    if !(1..=CELLS_MAX as i64 * 2).contains(&count) {
        return None;
    }
    let back = warp.inverse();
    let mut cells = Vec::new();
    for row in top..bottom {
        for column in left..right {
            let (mut sum, mut trusted) = (0.0, 0.0);
            for sample in 0..SAMPLES * SAMPLES {
                let off = |place: usize| {
                    0.5 + SAMPLED * (2.0 * place as f64 / (SAMPLES - 1) as f64 - 1.0)
                };
                let (u, v) = (
                    column as f64 + off(sample % SAMPLES),
                    row as f64 + off(sample / SAMPLES),
                );
                let (x, y) = back.apply(u, v);
                let (x, y) = ((x * scale).round(), (y * scale).round());
                if x >= 0.0 && y >= 0.0 && x < width as f64 && y < height as f64 {
                    let at = y as usize * width + x as usize;
                    sum += paper.darker.values[at];
                    trusted += paper.trusted.values[at];
                }
            }
            if trusted >= 4.0 {
                cells.push(Cell {
                    column,
                    row,
                    darker: sum / trusted,
                    trusted: trusted / (SAMPLES * SAMPLES) as f32,
                });
            }
        }
    }
    Some(cells)
}

/// All cells laid onto one tile, turned by quarters, as means around 0 in about the same scale.
fn folded(cells: &[Cell], turn: usize) -> Tile {
    let mut sums = [0.0; CELLS];
    let mut weights = [0.0; CELLS];
    for cell in cells {
        let (column, row) = match turn {
            0 => (cell.column, cell.row),
            1 => (cell.row, -1 - cell.column),
            2 => (-1 - cell.column, -1 - cell.row),
            _ => (-1 - cell.row, cell.column),
        };
        let wrapped = |place: i64| place.rem_euclid(TILE as i64) as usize;
        let at = wrapped(row) * TILE + wrapped(column);
        sums[at] += cell.darker * cell.trusted;
        weights[at] += cell.trusted;
    }
    let mut tile = [0.0; CELLS];
    for ((value, sum), weight) in tile.iter_mut().zip(sums).zip(weights) {
        // What was seen often is more certain: a mean times the root of its weight has the same error everywhere.
        *value = if weight > 0.0 {
            sum / f32::sqrt(weight)
        } else {
            0.0
        };
    }
    tile
}
