//! Creases along a text, which hide a part of it: that something else is there cannot be said then.

use super::claim::Claim;
use super::form::run_area;
use super::look::Look;

/// Part of full ink that the shade of a crease has at least, and part of a text's columns that it lies over.
const SHADE: f32 = 0.1;
const CREASED: f32 = 0.8;

impl Look<'_> {
    /// Whether a crease lies along a text. Paper is lost in it, and with it strokes as thin as `一`.
    pub(super) fn is_creased(&self, claim: &Claim) -> bool {
        if self.vote.bilevel {
            return false;
        }
        let all = self.all_ink();
        let without = self.creaseless.get_or_init(|| all.without_creases());
        let faint = SHADE * self.optics.full(1.0);
        let is_shaded = |x: i32, y: i32| {
            let shade = all.get(x, y).saturating_sub(without.get(x, y));
            f32::from(shade) > faint && self.form.fixed.get(x, y) == 0
        };
        claim.runs.iter().any(|run| {
            let place = run_area(run);
            let rows = place.top as i32..place.bottom as i32;
            let columns = place.left as i32..place.right as i32;
            let least = CREASED * columns.len() as f32;
            let shaded = columns.filter(|x| rows.clone().any(|y| is_shaded(*x, y)));
            shaded.count() as f32 >= least
        })
    }
}
