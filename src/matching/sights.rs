//! Where places of the form are on a scan that is nearly where the form has them.

use super::bends::Bends;
use super::form::FormPage;
use super::homography::Homography;
use super::plane::Plane;
use super::rectify::rectify;
use super::scan_page::ScanPage;
use super::seek::{Sight, seek};

/// Correlation from which on an anchor is taken to be found.
pub(super) const FOUND_MIN: f32 = 0.55;

/// Fewest anchors that a guess must find to be refined, and that a registration must rest on.
pub(super) const GUESS_ANCHORS_MIN: usize = 8;

/// Anchors that are sought at each step.
pub(super) const ANCHORS: usize = 130;

/// The scan's print as the form sees it, halved so often.
pub(super) fn as_form_sees(
    form: &FormPage,
    scan: &ScanPage,
    map: &Homography,
    bends: Option<&Bends>,
    level: usize,
) -> Plane {
    let plane = &form.ink[level];
    let size = (plane.width, plane.height);
    rectify(&scan.print, map, bends, ((0, 0), size), 1 << level)
}

/// Some places of the form, each where it correlates best in what is seen; blank places with score 0. How often what is
/// seen is halved, half the side of the patch and the reach of the search in its pixels.
pub(super) fn sights(
    form: &FormPage,
    seen: &Plane,
    places: &[(i32, i32)],
    (level, reach, search): (usize, i32, i32),
) -> Vec<Sight> {
    let step = 1i32 << level;
    let sought = places.iter().map(|(x, y)| {
        let at = (x / step, y / step);
        let found = seek(&form.ink[level], at, reach, seen, search);
        let (dx, dy, score) = found.unwrap_or_default();
        let full = step as f32;
        Sight {
            at: (*x as f32, *y as f32),
            off: (dx * full, dy * full),
            score,
        }
    });
    sought.collect()
}
