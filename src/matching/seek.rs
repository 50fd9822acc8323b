//! Seeking a small picture in a larger one by normalised cross-correlation.

use super::plane::Plane;

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
    let mut patch: Vec<f32> = Vec::with_capacity(side * side);
    for row in 0..side {
        let at = (top as usize + row) * form.width + left as usize;
        patch.extend(form.values[at..at + side].iter().map(|it| f32::from(*it)));
    }
    let count = patch.len() as f32;
    let mean = patch.iter().sum::<f32>() / count;
    patch.iter_mut().for_each(|it| *it -= mean);
    let norm = patch.iter().map(|it| it * it).sum::<f32>().sqrt();
    if norm < 4.0 * side as f32 {
        return None;
    }
    // The part of what is seen that the search reaches, with paper beyond the edge.
    let wide = side + 2 * search as usize;
    let mut window = vec![0.0f32; wide * wide];
    let first = left - search;
    let from = first.clamp(0, seen.width as i32) as usize;
    let until = (first + wide as i32).clamp(0, seen.width as i32) as usize;
    let margin = (from as i32 - first) as usize;
    for (row, line) in window.chunks_exact_mut(wide).enumerate() {
        let y = top - search + row as i32;
        if y < 0 || y as usize >= seen.height {
            continue;
        }
        let source = &seen.values[y as usize * seen.width..][..seen.width];
        for (value, ink) in line[margin..].iter_mut().zip(&source[from..until]) {
            *value = f32::from(*ink);
        }
    }
    let steps = (2 * search + 1) as usize;
    let mut scores = vec![0.0f32; steps * steps];
    for dy in 0..steps {
        for dx in 0..steps {
            let (mut sum, mut squares, mut product) = (0.0, 0.0, 0.0);
            for (row, patch) in patch.chunks_exact(side).enumerate() {
                let line = &window[(dy + row) * wide + dx..][..side];
                let (s, q, p) = products(patch, line);
                (sum, squares, product) = (sum + s, squares + q, product + p);
            }
            let spread = (squares - sum * sum / count).max(1.0).sqrt();
            scores[dy * steps + dx] = product / (norm * spread.max(2.0 * side as f32));
        }
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

/// Sum, sum of squares and product with the patch of a line, in eight lanes so that the compiler can use wide
/// registers.
pub(super) fn products(patch: &[f32], line: &[f32]) -> (f32, f32, f32) {
    let (mut sums, mut squares, mut products) = ([0.0f32; 8], [0.0f32; 8], [0.0f32; 8]);
    let (patches, patch_rest) = patch.as_chunks::<8>();
    let (lines, line_rest) = line.as_chunks::<8>();
    for (a, b) in patches.iter().zip(lines) {
        for lane in 0..8 {
            sums[lane] += b[lane];
            squares[lane] += b[lane] * b[lane];
            products[lane] += a[lane] * b[lane];
        }
    }
    let add = |lanes: [f32; 8]| lanes.iter().sum::<f32>();
    let (mut sum, mut square, mut product) = (add(sums), add(squares), add(products));
    for (a, b) in patch_rest.iter().zip(line_rest) {
        sum += b;
        square += b * b;
        product += a * b;
    }
    (sum, square, product)
}
