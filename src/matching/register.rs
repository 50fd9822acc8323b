//! Registration: where on the scan each point of the form is, and how sure that is.
//!
//! First guesses come from the QR mark, from the corners of the form's frame and from the edges of the picture. Each
//! is refined from coarse to fine: corners of the form's own print are sought near where they should be, by normalised
//! cross-correlation (Lewis, Fast Template Matching, 1995), and the homography is fitted to those that agree. What
//! paper bends beyond a homography is kept as a smooth field of small displacements.

use super::bending::follow;
use super::bends::Bends;
use super::form::{Area, FormPage};
use super::guess::{guesses_by_edge, guesses_by_mark, guesses_by_outline};
use super::homography::{Homography, Pair, Spot};
use super::plane::Plane;
use super::rectify::{Pyramid, rectify};
use super::scan_page::ScanPage;
use super::seek::Sight;
use super::sights::{ANCHORS, FOUND_MIN, GUESS_ANCHORS_MIN, as_form_sees, sights};
use crate::render::PagePixels;

/// Anchors that a guess is judged by.
const GUESS_ANCHORS: usize = 40;

/// Anchors around a point that say whether the registration holds there.
const NEAR_ANCHORS: usize = 7;

/// Most regions of a page that are looked at as the voucher.
const REGIONS_MAX: usize = 4;

/// Where a page of the form is on a page of the scan.
#[derive(Debug, Clone)]
pub(super) struct Registration {
    /// From pixels of the form to pixels of the (reduced) scan.
    pub map: Homography,
    pub bends: Bends,
    /// Part of the form's own print that was found where it should be, 0 to 1.
    pub found: f32,
    /// How far it is from there, in pixels of the form: the median.
    pub residual: f32,
    /// Whether a mark that names this very voucher led here.
    pub named: bool,
    /// The anchors, in pixels of the form, and whether each was found.
    pub anchors: Vec<((f32, f32), bool)>,
}

impl Registration {
    /// Whether an area of the form lies within the picture of the scan.
    pub fn is_within(&self, area: &Area, picture: &PagePixels) -> bool {
        let corners = [
            (area.left, area.top),
            (area.right, area.top),
            (area.left, area.bottom),
            (area.right, area.bottom),
        ];
        corners.into_iter().all(|(x, y)| {
            let at = self.map.map(Spot {
                x: f64::from(x),
                y: f64::from(y),
            });
            let inside = |value: f64, side: usize| value >= -1.0 && value <= side as f64;
            inside(at.x, picture.width) && inside(at.y, picture.height)
        })
    }

    /// Whether most anchors around a point were found: where the paper is bent beyond what could be followed, nothing
    /// can be said of what is printed there.
    pub fn holds_at(&self, x: f32, y: f32) -> bool {
        let mut near: Vec<(f32, bool)> = self
            .anchors
            .iter()
            .map(|((ax, ay), found)| ((ax - x).hypot(ay - y), *found))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        let near = &near[..near.len().min(NEAR_ANCHORS)];
        self.bends.is_smooth_at(x, y) && near.iter().filter(|it| it.1).count() * 3 >= near.len() * 2
    }

    /// A plane of the scan as the form sees it, of a size at one `step`th of the form's resolution.
    pub fn rectified(&self, pyramid: &Pyramid, size: (usize, usize), step: usize) -> Plane {
        self.rectified_part(pyramid, ((0, 0), size), step)
    }

    /// The part of it from a corner on that is so large.
    pub fn rectified_part(
        &self,
        pyramid: &Pyramid,
        part: ((usize, usize), (usize, usize)),
        step: usize,
    ) -> Plane {
        rectify(pyramid, &self.map, Some(&self.bends), part, step)
    }

    /// A point of the form on the scan.
    pub fn locate(&self, x: f32, y: f32) -> Spot {
        let (dx, dy) = self.bends.at(x, y);
        self.map.map(Spot {
            x: f64::from(x + dx),
            y: f64::from(y + dy),
        })
    }
}

/// The best places for the form on the page, the best first; none where nothing looks like it.
/// With `only_named` nothing but what a mark with this voucher's name leads to.
pub(super) fn find(
    form: &FormPage,
    scan: &ScanPage,
    place: &str,
    only_named: bool,
) -> Vec<Registration> {
    // What names this voucher is taken at its word, if the form is there.
    let mut judged = judge_all(form, scan, guesses_by_mark(form, scan, place, true));
    let named = !judged.is_empty();
    if !named && only_named {
        return Vec::new();
    }
    if judged.is_empty() {
        judged = judge_all(form, scan, guesses_by_outline(form, scan));
    }
    if judged.is_empty() {
        judged = judge_all(form, scan, guesses_by_mark(form, scan, place, false));
    }
    if judged.is_empty() {
        judged = judge_all(form, scan, guesses_by_edge(form, scan));
    }
    judged.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    let mut regions: Vec<Homography> = Vec::new();
    let most = judged.first().map_or(0, |best| best.0);
    let middle = form.middle();
    for (count, _, map) in judged {
        let apart = |known: &Homography| {
            let side = known.scale_at(middle) * middle.y;
            known.map(middle).distance(map.map(middle)) > side
        };
        if count * 2 >= most && regions.iter().all(apart) && regions.len() < REGIONS_MAX {
            regions.push(map);
        }
    }
    regions
        .into_iter()
        .filter_map(|map| refine(form, scan, map))
        .map(|found| Registration { named, ..found })
        .collect()
}

/// The guesses of each place that find enough of the form; of the turns of one place, the first that finds most of it.
fn judge_all(
    form: &FormPage,
    scan: &ScanPage,
    places: Vec<Vec<Homography>>,
) -> Vec<(usize, f32, Homography)> {
    let mut judged = Vec::new();
    for turns in places {
        for guess in turns {
            let Some(found) = judge(form, scan, guess) else {
                continue;
            };
            judged.push(found);
            if found.0 * 3 >= form.anchors.len().min(GUESS_ANCHORS) * 2 {
                break;
            }
        }
    }
    judged
}

/// How many anchors a guess finds, at the coarsest resolution, and the map that they agree on.
fn judge(form: &FormPage, scan: &ScanPage, guess: Homography) -> Option<(usize, f32, Homography)> {
    let mut map = guess;
    let mut outcome = None;
    for (search, tolerance) in [(9, 14.0), (5, 6.0)] {
        if !plausible(form, &map) {
            return None;
        }
        let seen = as_form_sees(form, scan, &map, None, 2);
        let places = &form.spread[..form.spread.len().min(GUESS_ANCHORS)];
        let seen = sights(form, &seen, places, (2, 12, search));
        let (fitted, count, score) = fit(&map, &seen, tolerance)?;
        if count < GUESS_ANCHORS_MIN {
            return None;
        }
        map = fitted;
        outcome = Some((count, score, map));
    }
    outcome
}

/// Whether a map shows the form as a page: not turned inside out, and no speck.
fn plausible(form: &FormPage, map: &Homography) -> bool {
    let (width, height) = (form.ink[0].width, form.ink[0].height);
    let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(x, y)| {
        map.map(Spot {
            x: (x * width) as f64,
            y: (y * height) as f64,
        })
    });
    map.0.iter().all(|it| it.is_finite())
        && (0..4).all(|index| {
            let [a, b, c] = [0, 1, 2].map(|offset| corners[(index + offset) % 4]);
            (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x) > 2_500.0
        })
}

/// The map that the anchors found agree on, how many do, and the sum of their scores.
fn fit(map: &Homography, sought: &[Sight], tolerance: f64) -> Option<(Homography, usize, f32)> {
    let spot = |(x, y): (f32, f32)| Spot {
        x: f64::from(x),
        y: f64::from(y),
    };
    let seen: Vec<Sight> = sought
        .iter()
        .filter(|it| it.score >= FOUND_MIN)
        .copied()
        .collect();
    // In pixels of the form, so that a tolerance means the same on every scan.
    let pairs: Vec<Pair> = seen
        .iter()
        .map(|it| Pair {
            from: spot(it.at),
            to: spot((it.at.0 + it.off.0, it.at.1 + it.off.1)),
            weight: f64::from(it.score),
        })
        .collect();
    let (moved, agreeing) = Homography::ransac(&pairs, tolerance)?;
    let chosen = seen.iter().zip(&agreeing).filter(|it| *it.1);
    let (count, score) = chosen.fold((0, 0.0), |(count, score), it| {
        (count + 1, score + it.0.score)
    });
    Some((map.after(&moved), count, score))
}

/// From a guess to the last tenth of a pixel.
fn refine(form: &FormPage, scan: &ScanPage, guess: Homography) -> Option<Registration> {
    let mut map = guess;
    for (level, reach, search, tolerance) in [(2, 12, 4, 6.0), (1, 14, 5, 4.0)] {
        if !plausible(form, &map) {
            return None;
        }
        let seen = as_form_sees(form, scan, &map, None, level);
        let places = form.strongest(ANCHORS);
        let seen = sights(form, &seen, places, (level, reach, search));
        let (fitted, count, _) = fit(&map, &seen, tolerance)?;
        if count < GUESS_ANCHORS_MIN {
            return None;
        }
        map = fitted;
    }
    let bent = follow(form, scan, &map)?;
    Some(Registration {
        named: false,
        map,
        bends: bent.bends,
        found: bent.found,
        residual: bent.residual,
        anchors: bent.anchors,
    })
}
