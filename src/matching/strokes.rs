//! Ink that hides in what the form explains: a line ruled through an amount, and a character that stands right on a
//! rule between two cells of its grid.

use super::form::Area;
use super::patch::Patch;
use super::plane::Plane;

/// Part of the ink of a stroke that must be there along each piece of its way.
const THROUGH: f32 = 0.45;
/// How steep a line that is ruled through may be: steps, and the height of all of them in sizes of type.
const SLOPES: i32 = 4;
const RISE: f32 = 0.35;
/// Columns that a piece must leave open for the line to be seen, and pieces that there must be.
const OPEN_COLUMNS: usize = 3;
const PIECES_MIN: usize = 2;
/// Ink of the form up to which a pixel tells of other ink.
const OPEN: f32 = 0.5;

/// How far beside a rule a character that stands on it is looked for, in sizes of type.
const BESIDE: f32 = 0.26;
/// Ink beside a rule, more than is beside others on this scan, from which on something stands on it, in squares of
/// the size of type.
const ON_RULE: f32 = 0.045;
/// Part of a row's height that a rule between two cells goes through.
const RULE: f32 = 0.9;

/// A row of an amount: the scan as the form sees it, the form, and how the scan shows it.
pub(super) struct Row<'a> {
    pub seen: &'a Plane,
    /// Everything that the form has printed.
    pub form: &'a Plane,
    /// What it has printed besides the values.
    pub fixed: &'a Plane,
    pub blur: f32,
    pub dark: f32,
    /// Size of type, in pixels.
    pub size: f32,
    /// The line that the digits stand on.
    pub baseline: f32,
}

impl Row<'_> {
    /// The row between two columns.
    fn part(&self, left: f32, right: f32) -> Patch {
        let (above, below) = (0.75 * self.size, 0.05 * self.size);
        Patch::blank(
            left as i32,
            (self.baseline - above) as i32,
            right.ceil() as i32,
            (self.baseline + below) as i32,
        )
    }

    /// What should be there, as the scan shows it, 0 to 1.
    fn expected(&self, part: &Patch) -> Patch {
        let mut ink = Patch::cut(self.form, part, (0, 0)).blurred(self.blur);
        let shown = |value: &mut f32| *value = (*value * 1.3 / 255.0).min(1.0);
        ink.values.iter_mut().for_each(shown);
        ink
    }

    fn seen(&self, part: &Patch, off: (i32, i32)) -> Patch {
        let mut ink = Patch::cut(self.seen, part, off);
        let shown = |value: &mut f32| *value = (*value / self.dark).min(1.0);
        ink.values.iter_mut().for_each(shown);
        ink
    }

    /// Whether a straight, level stroke goes through all of the text between two columns.
    pub fn is_ruled_through(&self, left: f32, right: f32) -> bool {
        let part = self.part(left, right);
        let (expected, seen) = (self.expected(&part), self.seen(&part, (0, 0)));
        let (width, height) = (part.width as i32, part.height as i32);
        let open = |x: i32, y: i32| {
            // The form's ink may lie a pixel elsewhere.
            let near = [(-1, 0), (1, 0), (0, -1), (0, 1), (0, 0)].map(|(dx, dy)| {
                let (x, y) = ((x + dx).clamp(0, width - 1), (y + dy).clamp(0, height - 1));
                expected.values[(y * width + x) as usize]
            });
            let most = near.into_iter().fold(0.0, f32::max);
            (most < OPEN).then_some(most)
        };
        let pieces = (width as f32 / (0.8 * self.size)).round().max(1.0) as i32;
        let goes = |y: i32, slope: i32| {
            let rise = slope as f32 / SLOPES as f32 * RISE * self.size;
            let mut told = 0;
            for piece in 0..pieces {
                let (mut columns, mut ink, mut room) = (0, 0.0, 0.0);
                for x in piece * width / pieces..(piece + 1) * width / pieces {
                    let y = y + (rise * (x as f32 / width as f32 - 0.5)).round() as i32;
                    if !(0..height).contains(&y) {
                        return false;
                    }
                    if let Some(form) = open(x, y) {
                        columns += 1;
                        ink += (seen.values[(y * width + x) as usize] - form).max(0.0);
                        room += 1.0 - form;
                    }
                }
                if columns >= OPEN_COLUMNS {
                    told += 1;
                    if ink < THROUGH * room {
                        return false;
                    }
                }
            }
            told >= PIECES_MIN
        };
        (0..height).any(|y| (-SLOPES..=SLOPES).any(|slope| goes(y, slope)))
    }

    /// Whether more ink is beside one of the grid's rules than beside the others.
    pub fn is_on_a_rule(&self, area: &Area) -> bool {
        let mut beside: Vec<f32> = self.rules(area).map(|x| self.beside(x)).collect();
        beside.sort_by(f32::total_cmp);
        let usual = beside.get(beside.len() / 2).copied().unwrap_or_default();
        let most = beside.last().copied().unwrap_or_default();
        most - usual > ON_RULE * self.size * self.size
    }

    /// The columns in which a rule goes through the row, within an area.
    fn rules(&self, area: &Area) -> impl Iterator<Item = f32> {
        let (top, bottom) = (
            (self.baseline - 0.7 * self.size) as i32,
            self.baseline as i32,
        );
        let is_rule = move |x: i32| {
            let inked = (top..bottom).filter(|y| self.fixed.get(x, *y) > 60).count();
            inked as f32 >= RULE * (bottom - top) as f32
        };
        let columns = area.left as i32 + 2..area.right as i32 - 2;
        columns
            .filter(move |x| is_rule(*x) && !is_rule(x - 1))
            .map(move |x| {
                let end = (x..x + 6).find(|x| !is_rule(*x)).unwrap_or(x + 6);
                (x + end) as f32 / 2.0
            })
    }

    /// Ink beside a rule that the form does not explain, wherever within two pixels the rule lies.
    fn beside(&self, x: f32) -> f32 {
        let part = self.part(x - BESIDE * self.size, x + BESIDE * self.size);
        let expected = self.expected(&part);
        (-2..=2)
            .map(|dx| self.seen(&part, (dx, 0)).beyond(&expected))
            .fold(f32::MAX, f32::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of cells 22 pixels wide with a rule between each two and a block in each, as digits are.
    fn grid() -> Plane {
        let mut plane = Plane::new(260, 60);
        for y in 0..60 {
            for x in (20..240).step_by(22) {
                plane.values[y * 260 + x..][..2].fill(200);
                if (22..42).contains(&y) {
                    plane.values[y * 260 + x + 7..][..3].fill(230);
                    plane.values[y * 260 + x + 13..][..3].fill(230);
                }
            }
        }
        plane
    }

    fn row<'a>(seen: &'a Plane, form: &'a Plane) -> Row<'a> {
        Row {
            seen,
            form,
            fixed: form,
            blur: 0.8,
            dark: 230.0,
            size: 26.4,
            baseline: 42.0,
        }
    }

    const CELLS: Area = Area {
        left: 10.0,
        top: 5.0,
        right: 230.0,
        bottom: 55.0,
    };

    #[test]
    fn a_line_through_all_is_seen_and_one_through_a_part_is_not() {
        let form = grid();
        assert!(!row(&form, &form).is_ruled_through(24.0, 216.0));
        for (rise, right, seen_there) in [(0, 230, true), (5, 230, true), (0, 120, false)] {
            let mut seen = form.clone();
            for x in 15..right {
                let y = 30 + rise * x / 260;
                for y in y..y + 2 {
                    seen.values[y * 260 + x] = 230;
                }
            }
            let through = row(&seen, &form).is_ruled_through(24.0, 216.0);
            assert_eq!(through, seen_there, "{rise} {right}");
        }
    }

    #[test]
    fn a_stroke_on_a_rule_is_seen() {
        let form = grid();
        assert!(!row(&form, &form).is_on_a_rule(&CELLS));
        let mut seen = form.clone();
        for y in 24..42 {
            seen.values[y * 260 + 106..][..6].fill(230);
        }
        assert!(row(&seen, &form).is_on_a_rule(&CELLS));
    }
}
