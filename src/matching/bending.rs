//! Bent paper: followed from what is found to what is not found yet.

use super::bends::Bends;
use super::form::FormPage;
use super::homography::Homography;
use super::plane::Plane;
use super::scan_page::ScanPage;
use super::seek::Sight;
use super::sights::{ANCHORS, FOUND_MIN, GUESS_ANCHORS_MIN, as_form_sees, sights};

/// How far off nine of ten anchors are at most on flat paper, in pixels: where paper hangs aside in one corner, half of them are not
/// moved. Of 83 flat scans in five conditions all were under 0.4, and of 37 bent or foreign ones all were over 0.9.
const FLAT: f32 = 0.6;

/// How bent paper is followed, step by step. The last step only measures; flat paper needs but the first.
const BEND_STEPS: [BendStep; 6] = [
    BendStep::new(1, 5, &[110.0], 13.0),
    BendStep {
        far: true,
        ..BendStep::new(2, 9, &[110.0], 34.0)
    },
    // What bends where no anchor is near is known from those far off, once they are found for sure.
    BendStep::new(1, 5, &[330.0, 90.0], 11.0),
    BendStep::new(1, 3, &[75.0], 7.0),
    BendStep::new(1, 3, &[35.0], 5.0),
    BendStep::new(1, 2, &[], 5.0),
];
/// Part of the anchors from which on there is nothing to look for far off; the same where half of them are not moved, in pixels:
/// what is a little off in one corner is no other column of a grid.
const FOUND_NEAR: f32 = 0.97;
const FOUND_MOST: f32 = 0.9;
const UNMOVED: f32 = 0.45;
/// Half the side of what is sought on a rule, in pixels of the step's level.
const RULE_REACH: i32 = 8;
/// How far off it is sought there, in such pixels: not as far as rows of a table are apart.
const RULE_SEARCH: i32 = 8;
/// How far up or down rules lie at most where paper is followed well enough, in pixels of the form.
const RULE_OFF: f32 = 1.5;
/// How far the bends that neighbours saw may lie apart, in pixels: grids repeat.
const APART: f32 = 6.0;

/// Neighbours of which half must agree.
const NEIGHBOURS: usize = 4;

/// One step of following bent paper.
struct BendStep {
    /// How often the scan is halved.
    level: usize,
    /// How far anchors are sought, in pixels of that level.
    search: i32,
    /// How far each bends the paper around it, in pixels: first by what they share, then by what is left of each.
    reaches: &'static [f32],
    /// How far off it may be, in pixels.
    most: f32,
    /// Whether it looks far off for what is not found yet.
    far: bool,
}

impl BendStep {
    const fn new(level: usize, search: i32, reaches: &'static [f32], most: f32) -> BendStep {
        BendStep {
            level,
            search,
            reaches,
            most,
            far: false,
        }
    }
}

/// How bent a page is found to be.
pub(super) struct Bent {
    pub bends: Bends,
    /// Part of the anchors that were found where bends and map have them, 0 to 1.
    pub found: f32,
    /// How far off they are from there, in pixels of the form: the median.
    pub residual: f32,
    /// The anchors, in pixels of the form, and whether each was found.
    pub anchors: Vec<((f32, f32), bool)>,
}

/// Follows the bends of the paper from a homography on; none where too little of the form is found.
pub(super) fn follow(form: &FormPage, scan: &ScanPage, map: &Homography) -> Option<Bent> {
    let mut bent = Bent {
        bends: Bends::none(form.ink[0].width, form.ink[0].height),
        found: 0.0,
        residual: f32::MAX,
        anchors: Vec::new(),
    };
    let mut places = form.strongest(ANCHORS);
    for (round, step) in BEND_STEPS.iter().enumerate() {
        let is_near = bent.found > FOUND_NEAR || bent.found > FOUND_MOST && bent.residual < UNMOVED;
        if step.far && is_near {
            continue;
        }
        let seen = as_form_sees(form, scan, map, Some(&bent.bends), step.level);
        let sought = sights(form, &seen, places, (step.level, 14, step.search));
        let is_found = |it: &Sight| it.score >= FOUND_MIN && it.off.0.hypot(it.off.1) < step.most;
        let found: Vec<Sight> = sought.iter().filter(|it| is_found(it)).copied().collect();
        if found.len() < GUESS_ANCHORS_MIN {
            return None;
        }
        if step.far {
            bent.bends.add(&agreeing(&found), &[], step.reaches);
            continue;
        }
        bent.anchors = sought.iter().map(|it| (it.at, is_found(it))).collect();
        let mut offs: Vec<f32> = found.iter().map(|it| it.off.0.hypot(it.off.1)).collect();
        offs.sort_by(f32::total_cmp);
        bent.found = found.len() as f32 / sought.len() as f32;
        bent.residual = offs[offs.len() / 2];
        let flat = offs[offs.len() * 9 / 10] < FLAT && bent.found > FOUND_MOST;
        if round + 1 < BEND_STEPS.len() {
            // Paper that is flat from the first is so between its corners, too.
            let level = match flat && round == 0 {
                true => Vec::new(),
                false => level_sights(form, &seen, step),
            };
            bent.bends.add(&agreeing(&found), &level, step.reaches);
            let lies = |it: &Sight| it.off.1.abs() < RULE_OFF;
            if flat && level.iter().all(lies) {
                break;
            }
        }
        // Between the strongest anchors paper may bend as well.
        places = &form.anchors;
    }
    Some(bent)
}

/// How far up or down level rules are where no corner tells; along a rule nothing can be said.
fn level_sights(form: &FormPage, seen: &Plane, step: &BendStep) -> Vec<Sight> {
    let how = (step.level, RULE_REACH, RULE_SEARCH);
    let mut found = sights(form, seen, form.on_rules(), how);
    found.retain(|it| it.score >= FOUND_MIN);
    found.iter_mut().for_each(|it| it.off.0 = 0.0);
    agreeing(&found)
}

/// The sights that some of those next to them agree with.
fn agreeing(seen: &[Sight]) -> Vec<Sight> {
    let agrees = |sight: &&Sight| {
        let mut others: Vec<(f32, f32)> = seen
            .iter()
            .map(|it| {
                let away = (it.at.0 - sight.at.0).hypot(it.at.1 - sight.at.1);
                (away, (it.off.0 - sight.off.0).hypot(it.off.1 - sight.off.1))
            })
            .filter(|it| it.0 > 0.0)
            .collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0));
        others.truncate(NEIGHBOURS);
        others.iter().filter(|it| it.1 < APART).count() * 2 >= NEIGHBOURS
    };
    seen.iter().filter(agrees).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_that_is_one_column_off_agrees_with_none() {
        let sight = |x: f32, off: f32| Sight {
            at: (x, 100.0),
            off: (off, 12.0),
            score: 0.9,
        };
        // The paper bends more and more, and one anchor was found in the next column of a grid.
        let mut seen: Vec<Sight> = (0..8)
            .map(|at| sight(at as f32 * 40.0, at as f32))
            .collect();
        seen[3].off.0 += 22.0;
        let agreed = agreeing(&seen);
        assert_eq!(agreed.len(), 7);
        assert!(agreed.iter().all(|it| it.off.0 < 10.0));
    }
}
