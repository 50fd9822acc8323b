//! Seeking a small picture in a larger one by normalised cross-correlation.

use fearless_simd::{Level, dispatch};

use super::plane::Plane;

/// An anchor that was found, in pixels of the form: where it should be, and how far from there it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight {
    pub at: (f32, f32),
    pub off: (f32, f32),
    pub score: f32,
}

/// Seeks a patch of `form` around `at` in `seen`, up to `search` pixels away: where it is, to a part of a pixel, and
/// how well it correlates there. None where the patch is blank or reaches over the edge.
pub(super) fn seek(
    form: &Plane,
    (x, y): (i32, i32),
    reach: i32,
    seen: &Plane,
    search: i32,
) -> Option<(f32, f32, f32)> {
    let side = (2 * reach + 1) as usize;
    let (left, top) = (x - reach, y - reach);
    let fits = |left: i32, top: i32, side: usize, plane: &Plane| {
        left >= 0
            && top >= 0
            && left as usize + side <= plane.width
            && top as usize + side <= plane.height
    };
    if !fits(left, top, side, form) {
        return None;
    }
    // Rows are filled up to whole lanes with zeros, which add nothing to a product.
    let stride = side.next_multiple_of(LANES);
    let mut patch = vec![0.0f32; side * stride];
    for (row, line) in patch.chunks_exact_mut(stride).enumerate() {
        let at = (top as usize + row) * form.width + left as usize;
        for (value, ink) in line.iter_mut().zip(&form.values[at..at + side]) {
            *value = f32::from(*ink);
        }
    }
    let count = (side * side) as f32;
    let mean = patch.iter().sum::<f32>() / count;
    for line in patch.chunks_exact_mut(stride) {
        line[..side].iter_mut().for_each(|it| *it -= mean);
    }
    let norm = patch.iter().map(|it| it * it).sum::<f32>().sqrt();
    if norm < 4.0 * side as f32 {
        return None;
    }
    // The part of what is seen that the search reaches, with paper beyond the edge.
    let wide = side + 2 * search as usize;
    let room = wide + stride - side;
    let mut window = vec![0.0f32; wide * room];
    let first = left - search;
    let from = first.clamp(0, seen.width as i32) as usize;
    let until = (first + wide as i32).clamp(0, seen.width as i32) as usize;
    let margin = (from as i32 - first) as usize;
    for (row, line) in window.chunks_exact_mut(room).enumerate() {
        let y = top - search + row as i32;
        if y < 0 || y as usize >= seen.height {
            continue;
        }
        let source = &seen.values[y as usize * seen.width..][..seen.width];
        for (value, ink) in line[margin..].iter_mut().zip(&source[from..until]) {
            *value = f32::from(*ink);
        }
    }
    let sums = Sums::of(&window, room, wide);
    let steps = (2 * search + 1) as usize;
    let mut scores = products((&patch, stride), (&window, room), steps);
    for (at, score) in scores.iter_mut().enumerate() {
        let (sum, squares) = sums.within(at % steps, at / steps, side);
        let spread = (squares - sum * sum / count).max(1.0).sqrt();
        *score /= norm * spread.max(2.0 * side as f32);
    }
    let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]))?;
    let (column, row) = (best % steps, best / steps);
    let peak = |before: Option<f32>, at: f32, after: Option<f32>| match (before, after) {
        (Some(before), Some(after)) => {
            let bend = before - 2.0 * at + after;
            if bend < -1e-6 {
                ((before - after) / (2.0 * bend)).clamp(-0.5, 0.5)
            } else {
                0.0
            }
        }
        _ => 0.0,
    };
    let at = |column: usize, row: usize| {
        (column < steps && row < steps).then(|| scores[row * steps + column])
    };
    let score = scores[best];
    let dx = peak(
        column.checked_sub(1).and_then(|it| at(it, row)),
        score,
        at(column + 1, row),
    );
    let dy = peak(
        row.checked_sub(1).and_then(|it| at(column, it)),
        score,
        at(column, row + 1),
    );
    let search = search as f32;
    Some((column as f32 + dx - search, row as f32 + dy - search, score))
}

/// The products of a patch with each place of a window that is `steps` larger, row after row. The length of the rows of
/// each is beside it.
fn products(
    (patch, stride): (&[f32], usize),
    (window, room): (&[f32], usize),
    steps: usize,
) -> Vec<f32> {
    #[inline(always)]
    fn all(
        (patch, stride): (&[f32], usize),
        (window, room): (&[f32], usize),
        steps: usize,
    ) -> Vec<f32> {
        let mut products = Vec::with_capacity(steps * steps);
        for dy in 0..steps {
            for dx in 0..steps {
                let mut lanes = [0.0f32; LANES];
                let lines = window[dy * room..].chunks(room);
                for (patch, line) in patch.chunks_exact(stride).zip(lines) {
                    multiply(patch, &line[dx..dx + stride], &mut lanes);
                }
                products.push(lanes.iter().sum::<f32>());
            }
        }
        products
    }
    dispatch!(Level::new(), _ => all((patch, stride), (window, room), steps))
}

/// Sums of the values, and of their squares, of rectangles of a window of whole numbers from 0 to 255 (Crow, 1984).
struct Sums {
    width: usize,
    sums: Vec<(u32, u32)>,
}

impl Sums {
    /// Of the first `side` columns and rows of a window whose rows are `room` long.
    fn of(window: &[f32], room: usize, side: usize) -> Sums {
        let width = side + 1;
        let mut sums = vec![(0, 0); width * width];
        for y in 0..side {
            let (mut sum, mut squares) = (0, 0);
            for x in 0..side {
                let value = window[y * room + x] as u32;
                (sum, squares) = (sum + value, squares + value * value);
                let above = sums[y * width + x + 1];
                sums[(y + 1) * width + x + 1] = (above.0 + sum, above.1 + squares);
            }
        }
        Sums { width, sums }
    }

    /// Sum and sum of squares of a square.
    fn within(&self, left: usize, top: usize, side: usize) -> (f32, f32) {
        let at = |x: usize, y: usize| self.sums[y * self.width + x];
        let (a, b) = (at(left, top), at(left + side, top));
        let (c, d) = (at(left, top + side), at(left + side, top + side));
        let of = |a: u32, b: u32, c: u32, d: u32| (d + a - b - c) as f32;
        (of(a.0, b.0, c.0, d.0), of(a.1, b.1, c.1, d.1))
    }
}

/// Numbers that are worked on at once, so that the compiler can use wide registers, several of them.
pub(super) const LANES: usize = 32;

/// Adds the products of two rows to lanes; what fills no whole lanes is left out.
#[inline(always)]
fn multiply(a: &[f32], b: &[f32], lanes: &mut [f32; LANES]) {
    for (a, b) in a
        .as_chunks::<LANES>()
        .0
        .iter()
        .zip(b.as_chunks::<LANES>().0)
    {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
}

/// The sum of a row.
pub(super) fn total(row: &[f32]) -> f32 {
    #[inline(always)]
    fn all(row: &[f32]) -> f32 {
        let mut lanes = [0.0f32; LANES];
        let (whole, rest) = row.as_chunks::<LANES>();
        for values in whole {
            for (lane, it) in lanes.iter_mut().zip(values) {
                *lane += it;
            }
        }
        lanes.iter().chain(rest).sum()
    }
    dispatch!(Level::new(), _ => all(row))
}

/// The sum of the products of two rows of the same length.
pub(super) fn product(a: &[f32], b: &[f32]) -> f32 {
    #[inline(always)]
    fn all(a: &[f32], b: &[f32]) -> f32 {
        let mut lanes = [0.0f32; LANES];
        multiply(a, b, &mut lanes);
        let whole = a.len() / LANES * LANES;
        let rest = a[whole..].iter().zip(&b[whole..]).map(|(a, b)| a * b);
        lanes.iter().sum::<f32>() + rest.sum::<f32>()
    }
    dispatch!(Level::new(), _ => all(a, b))
}
