//! The outlines of what is printed together: the form's frame is four corners, seen from anywhere.

use super::homography::Spot;
use super::plane::Plane;

/// Ink from which on a pixel counts as printed.
const PRINTED: u8 = 70;
/// Most outlines of one page.
const OUTLINES_MAX: usize = 6;

/// The four corners, clockwise as seen, of the largest connected prints that are at least `side` pixels across or
/// down; the largest first.
pub(super) fn outlines(ink: &Plane, side: usize) -> Vec<[Spot; 4]> {
    let (runs, parents) = components(ink);
    let mut extents: Vec<Option<[usize; 4]>> = vec![None; parents.len()];
    for run in &runs {
        let extent = &mut extents[root(&parents, run.label)];
        let [left, top, right, bottom] = extent.unwrap_or([run.start, run.row, run.end, run.row]);
        *extent = Some([
            left.min(run.start),
            top.min(run.row),
            right.max(run.end),
            bottom.max(run.row),
        ]);
    }
    let area = |[left, top, right, bottom]: [usize; 4]| (right - left) * (bottom - top + 1);
    let mut largest: Vec<(usize, usize)> = extents
        .iter()
        .enumerate()
        .filter_map(|(label, extent)| extent.map(|extent| (label, extent)))
        .filter(|(_, [left, top, right, bottom])| {
            right - left >= side && bottom - top >= side / 3
                || bottom - top >= side && right - left >= side / 3
        })
        .map(|(label, extent)| (label, area(extent)))
        .collect();
    largest.sort_by_key(|(label, area)| (std::cmp::Reverse(*area), *label));
    largest
        .into_iter()
        .take(OUTLINES_MAX)
        .filter_map(|(label, _)| {
            let own = runs.iter().filter(|run| root(&parents, run.label) == label);
            let edge = border(own, ink.width);
            let rough = quadrilateral(hull(edge.clone()))?;
            Some(straightened(&rough, &edge).unwrap_or(rough))
        })
        .collect()
}

/// The outermost pixels of a print, of each row and of each column.
fn border<'a>(runs: impl Iterator<Item = &'a Run>, width: usize) -> Vec<Spot> {
    let mut rows: Vec<(usize, usize, usize)> = Vec::new();
    let mut columns = vec![(usize::MAX, 0); width];
    for run in runs {
        match rows.last_mut() {
            Some((row, left, right)) if *row == run.row => {
                *left = run.start.min(*left);
                *right = (run.end - 1).max(*right);
            }
            _ => rows.push((run.row, run.start, run.end - 1)),
        }
        for (top, bottom) in &mut columns[run.start..run.end] {
            *top = run.row.min(*top);
            *bottom = run.row.max(*bottom);
        }
    }
    let spot = |x: usize, y: usize| Spot {
        x: x as f64,
        y: y as f64,
    };
    let sides = rows
        .iter()
        .flat_map(|(row, left, right)| [spot(*left, *row), spot(*right, *row)]);
    let ends = columns
        .iter()
        .enumerate()
        .filter(|(_, (top, _))| *top != usize::MAX);
    let ends = ends.flat_map(|(x, (top, bottom))| [spot(x, *top), spot(x, *bottom)]);
    sides.chain(ends).collect()
}

/// The quadrilateral whose sides are the straight lines that most of the border lies on: what reaches over the
/// frame (a seal, a stroke of a pen) draws its hull outwards, but is no line.
fn straightened(rough: &[Spot; 4], border: &[Spot]) -> Option<[Spot; 4]> {
    let mut lines = [[0.0f64; 3]; 4];
    for (side, line) in lines.iter_mut().enumerate() {
        let (a, b) = (rough[side], rough[(side + 1) % 4]);
        let length = a.distance(b);
        let reach = (length * 0.1).max(6.0);
        let offset = |spot: &Spot| turn(a, b, *spot) / length;
        let near: Vec<Spot> = border
            .iter()
            .filter(|spot| offset(spot).abs() < reach)
            .copied()
            .collect();
        *line = longest_line(&near, length)?;
    }
    let mut corners = *rough;
    for (index, corner) in corners.iter_mut().enumerate() {
        let ([a, b, c], [d, e, f]) = (lines[(index + 3) % 4], lines[index]);
        let determinant = a * e - b * d;
        if determinant.abs() < 1e-6 {
            return None;
        }
        *corner = Spot {
            x: (b * f - c * e) / determinant,
            y: (c * d - a * f) / determinant,
        };
    }
    Some(corners)
}

/// The line `ax + by + c = 0` of unit normal that most spots lie on to within a pixel and a half, of lines through
/// two of them that are far apart.
fn longest_line(spots: &[Spot], length: f64) -> Option<[f64; 3]> {
    let mut best: Option<(usize, [f64; 3])> = None;
    let count = spots.len();
    for draw in 0..120usize {
        let (a, b) = (
            spots.get(draw * 7_919 % count.max(1))?,
            spots.get((draw * 104_729 + count / 2) % count)?,
        );
        let apart = a.distance(*b);
        if apart < length * 0.3 {
            continue;
        }
        let (nx, ny) = ((b.y - a.y) / apart, (a.x - b.x) / apart);
        let line = [nx, ny, -(nx * a.x + ny * a.y)];
        let on = |spot: &&Spot| (line[0] * spot.x + line[1] * spot.y + line[2]).abs() < 1.5;
        let votes = spots.iter().filter(on).count();
        if best.is_none_or(|(most, _)| votes > most) {
            best = Some((votes, line));
        }
    }
    best.map(|it| it.1)
}

/// Printed pixels side by side.
struct Run {
    row: usize,
    start: usize,
    end: usize,
    label: usize,
}

fn root(parents: &[usize], mut label: usize) -> usize {
    while parents[label] != label {
        label = parents[label];
    }
    label
}

/// The runs of each row, and which belong together (He, Chao and Suzuki, 2008).
fn components(ink: &Plane) -> (Vec<Run>, Vec<usize>) {
    let (mut runs, mut parents): (Vec<Run>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut above = 0..0;
    for row in 0..ink.height {
        let line = &ink.values[row * ink.width..][..ink.width];
        let first = runs.len();
        let mut candidate = above.start;
        let mut x = 0;
        while x < line.len() {
            if line[x] < PRINTED {
                x += 1;
                continue;
            }
            let start = x;
            while x < line.len() && line[x] >= PRINTED {
                x += 1;
            }
            let label = parents.len();
            parents.push(label);
            while candidate < above.end && runs[candidate].end < start {
                candidate += 1;
            }
            let mut touching = candidate;
            while touching < above.end && runs[touching].start <= x {
                let other = root(&parents, runs[touching].label);
                let own = root(&parents, label);
                parents[own.max(other)] = own.min(other);
                touching += 1;
            }
            runs.push(Run {
                row,
                start,
                end: x,
                label,
            });
        }
        above = first..runs.len();
    }
    // Every label points at its root, so that looking one up is one step.
    for label in 0..parents.len() {
        parents[label] = root(&parents, label);
    }
    (runs, parents)
}

fn turn(a: Spot, b: Spot, c: Spot) -> f64 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// The convex hull, clockwise as seen (Andrew's monotone chain, 1979).
fn hull(mut spots: Vec<Spot>) -> Vec<Spot> {
    spots.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    spots.dedup();
    let half = |spots: &mut dyn Iterator<Item = Spot>| {
        let mut chain: Vec<Spot> = Vec::new();
        for spot in spots {
            while let [.., a, b] = chain[..]
                && turn(a, b, spot) <= 0.0
            {
                chain.pop();
            }
            chain.push(spot);
        }
        chain.pop();
        chain
    };
    let mut hull = half(&mut spots.iter().copied());
    hull.extend(half(&mut spots.iter().rev().copied()));
    hull
}

/// The quadrilateral around a convex polygon that is left when, again and again, the side goes whose neighbours
/// meet nearest beyond it.
fn quadrilateral(mut polygon: Vec<Spot>) -> Option<[Spot; 4]> {
    while polygon.len() > 4 {
        let count = polygon.len();
        let removal = |side: usize| {
            let at = |offset: usize| polygon[(side + offset) % count];
            // Side `at(1)` to `at(2)` goes.
            let meeting = crossing(at(0), at(1), at(3), at(2))?;
            let added = turn(at(1), at(2), meeting).abs();
            Some((added, side, meeting))
        };
        let (_, side, meeting) = (0..count)
            .filter_map(removal)
            .min_by(|a, b| a.0.total_cmp(&b.0))?;
        let (first, second) = ((side + 1) % count, (side + 2) % count);
        polygon[first] = meeting;
        polygon.remove(second);
    }
    <[Spot; 4]>::try_from(polygon).ok()
}

/// Where the line from `a` through `b`, and that from `c` through `d`, meet beyond `b` and `d`.
fn crossing(a: Spot, b: Spot, c: Spot, d: Spot) -> Option<Spot> {
    let (ab, cd) = ((b.x - a.x, b.y - a.y), (d.x - c.x, d.y - c.y));
    let determinant = ab.0 * cd.1 - ab.1 * cd.0;
    if determinant.abs() < 1e-9 {
        return None;
    }
    let along = ((c.x - a.x) * cd.1 - (c.y - a.y) * cd.0) / determinant;
    let other = ((c.x - a.x) * ab.1 - (c.y - a.y) * ab.0) / determinant;
    (along >= 1.0 && other >= 1.0).then_some(Spot {
        x: a.x + along * ab.0,
        y: a.y + along * ab.1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(plane: &mut Plane, from: Spot, to: Spot) {
        let steps = (from.distance(to) * 2.0) as usize;
        for step in 0..=steps {
            let part = step as f64 / steps as f64;
            let x = (from.x + (to.x - from.x) * part).round() as usize;
            let y = (from.y + (to.y - from.y) * part).round() as usize;
            plane.values[y * plane.width + x] = 255;
        }
    }

    #[test]
    fn the_corners_of_a_frame_seen_askew_are_found() {
        let mut plane = Plane::new(500, 400);
        let corners = [(60.0, 50.0), (430.0, 90.0), (400.0, 330.0), (90.0, 300.0)]
            .map(|(x, y)| Spot { x, y });
        for side in 0..4 {
            line(&mut plane, corners[side], corners[(side + 1) % 4]);
        }
        // Something inside that does not touch it, and dust outside.
        line(
            &mut plane,
            Spot { x: 200.0, y: 150.0 },
            Spot { x: 300.0, y: 150.0 },
        );
        plane.values[10 * 500 + 10] = 255;
        let found = outlines(&plane, 150);
        assert_eq!(found.len(), 1);
        for corner in corners {
            assert!(
                found[0].iter().any(|it| it.distance(corner) < 2.0),
                "{corner:?}: {found:?}"
            );
        }
    }
}
