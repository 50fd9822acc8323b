//! Places of a form that are found again on a scan of it: corners of its print, and its level rules.

use super::plane::Plane;

/// Side of the squares of which each may have one anchor, in pixels at half resolution.
const ANCHOR_CELL: usize = 32;
/// Half the side of the square around an anchor that must have corners in it.
const ANCHOR_REACH: usize = 10;
/// Least cornerness of an anchor: the weaker direction's mean squared gradient.
const ANCHOR_MIN: f32 = 60.0;

/// Ink from which on a pixel is a rule's.
const RULE_INK: u8 = 60;
/// Pixels of a rule for each place on it.
const RULE_STEP: i32 = 64;
/// Room around such a place that must be blank but for the rule, in pixels, and how thick a rule may be.
const RULE_ROOM: i32 = 17;
const RULE_THICK: i32 = 7;

/// Where the picture changes in both directions (Shi and Tomasi, Good Features to Track, 1994), one place for each
/// square, the strongest first.
pub(super) fn anchors(half: &Plane) -> Vec<(i32, i32)> {
    let (width, height) = (half.width, half.height);
    if width <= 2 * ANCHOR_CELL || height <= 2 * ANCHOR_CELL {
        return Vec::new();
    }
    // Sums of the three products of the gradient over rectangles, from their upper left corner (Crow, 1984).
    let stride = width + 1;
    let mut sums = vec![[0.0f64; 3]; stride * (height + 1)];
    for y in 0..height {
        let mut line = [0.0f64; 3];
        for x in 0..width {
            let inside = x > 0 && y > 0 && x + 1 < width && y + 1 < height;
            if inside {
                let at = |x: usize, y: usize| f64::from(half.values[y * width + x]);
                let gx = (at(x + 1, y) - at(x - 1, y)) / 2.0;
                let gy = (at(x, y + 1) - at(x, y - 1)) / 2.0;
                line[0] += gx * gx;
                line[1] += gy * gy;
                line[2] += gx * gy;
            }
            let above = sums[y * stride + x + 1];
            sums[(y + 1) * stride + x + 1] = std::array::from_fn(|it| above[it] + line[it]);
        }
    }
    let reach = ANCHOR_REACH;
    let cornerness = |x: usize, y: usize| {
        let (left, top, right, bottom) = (x - reach, y - reach, x + reach, y + reach);
        let [xx, yy, xy] = std::array::from_fn(|it| {
            sums[bottom * stride + right][it]
                - sums[top * stride + right][it]
                - sums[bottom * stride + left][it]
                + sums[top * stride + left][it]
        });
        let area = (4 * reach * reach) as f64;
        let trace = (xx + yy) / 2.0;
        ((trace - ((xx - yy).powi(2) / 4.0 + xy * xy).sqrt()) / area) as f32
    };
    let mut found: Vec<(f32, (i32, i32))> = Vec::new();
    for top in (0..height).step_by(ANCHOR_CELL) {
        for left in (0..width).step_by(ANCHOR_CELL) {
            let ys = (top.max(reach)..(top + ANCHOR_CELL).min(height - reach)).step_by(2);
            let best = ys
                .flat_map(|y| {
                    let xs = (left.max(reach)..(left + ANCHOR_CELL).min(width - reach)).step_by(2);
                    xs.map(move |x| (x, y))
                })
                .map(|(x, y)| (cornerness(x, y), (2 * x as i32, 2 * y as i32)))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            found.extend(best.filter(|best| best.0 >= ANCHOR_MIN));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|it| it.1).collect()
}

/// Places, the strongest first, in another order: each comes the earlier the farther the nearest stronger one is, so that
/// the first so many are spread out over all (adaptive non-maximal suppression: Brown, Szeliski and Winder, Multi-Image
/// Matching using Multi-Scale Oriented Patches, 2005).
pub(super) fn spread_out(places: &[(i32, i32)]) -> Vec<(i32, i32)> {
    let apart = |a: &(i32, i32), b: &(i32, i32)| (a.0 - b.0).pow(2) + (a.1 - b.1).pow(2);
    let room = |at: usize| {
        let stronger = places[..at].iter().map(|it| apart(it, &places[at]));
        stronger.min().unwrap_or(i32::MAX)
    };
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_cached_key(|at| std::cmp::Reverse(room(*at)));
    order.into_iter().map(|at| places[at]).collect()
}

/// Places on level rules of what the form itself has printed, with nothing else near.
pub(super) fn on_rules(fixed: &Plane) -> Vec<(i32, i32)> {
    let (width, height) = (fixed.width as i32, fixed.height as i32);
    let is_dark = |x: i32, y: i32| fixed.get(x, y) > RULE_INK;
    let is_blank = |x: i32, y: i32| fixed.get(x, y) <= RULE_INK;
    let mut places = Vec::new();
    for y in RULE_ROOM..height - RULE_ROOM {
        let mut long = 0;
        for x in 0..width {
            let begins = is_dark(x, y) && is_blank(x, y - 1);
            long = if begins { long + 1 } else { 0 };
            if long < RULE_STEP {
                continue;
            }
            long = 0;
            let middle = x - RULE_STEP / 2;
            let above = y - RULE_ROOM..y - 1;
            let below = y + RULE_THICK..y + RULE_ROOM;
            let mut around = above.chain(below);
            let beside = middle - RULE_ROOM..middle + RULE_ROOM;
            if around.all(|y| beside.clone().all(|x| is_blank(x, y))) {
                places.push((middle, y));
            }
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_places_are_spread_out() {
        // Three strong ones side by side, and two weaker ones far off.
        let places = vec![(0, 0), (10, 0), (20, 0), (400, 0), (400, 300)];
        let first: Vec<(i32, i32)> = spread_out(&places).into_iter().take(3).collect();
        assert_eq!(first, [(0, 0), (400, 0), (400, 300)]);
    }

    #[test]
    fn places_on_rules_have_nothing_else_near() {
        let mut fixed = Plane::new(400, 200);
        for y in [60, 61, 140, 141] {
            fixed.values[y * 400 + 20..][..360].fill(200);
        }
        // A word over the second rule, and an upright rule through both.
        for y in 126..134 {
            fixed.values[y * 400 + 30..][..120].fill(220);
        }
        for y in 20..180 {
            fixed.values[y * 400 + 300] = 200;
        }
        let places = on_rules(&fixed);
        assert!(places.iter().any(|(x, y)| *x < 150 && *y == 60));
        assert!(
            places
                .iter()
                .any(|(x, y)| (170..280).contains(x) && *y == 140)
        );
        assert!(!places.iter().any(|(x, y)| *x < 150 && *y == 140));
        assert!(!places.iter().any(|(x, _)| (x - 300).abs() < RULE_ROOM));
    }
}
