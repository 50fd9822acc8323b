//! First guesses of where the form lies on a page: from its mark, its outline, and the picture's edges.

use super::form::FormPage;
use super::frame;
use super::homography::{Homography, Pair, Spot};
use super::plane::Plane;
use super::scan_page::ScanPage;

/// The map that takes four corners to four others, of which the first is `turn` places further on.
fn corners_to(from: &[Spot; 4], to: &[Spot; 4], turn: usize) -> Option<Homography> {
    let pairs: [Pair; 4] = std::array::from_fn(|index| Pair {
        from: from[index],
        to: to[(index + turn) % 4],
        weight: 1.0,
    });
    Homography::fit(&pairs)
}

/// Guesses from the QR marks that name this voucher, or from the others.
pub(super) fn guesses_by_mark(
    form: &FormPage,
    scan: &ScanPage,
    place: &str,
    named: bool,
) -> Vec<Vec<Homography>> {
    let Some(own) = &form.mark else {
        return Vec::new();
    };
    let marks = scan
        .marks
        .iter()
        .filter(|mark| (mark.place == place) == named);
    marks
        .map(|mark| corners_to(own, &mark.corners, 0).into_iter().collect())
        .collect()
}

/// Guesses from the outlines of what is printed together.
pub(super) fn guesses_by_outline(form: &FormPage, scan: &ScanPage) -> Vec<Vec<Homography>> {
    let Some(own) = &form.frame else {
        return Vec::new();
    };
    // Seals reach over the frame; in the colours that they have not, they do not.
    let black = &scan.black;
    let small = |plane: &&Plane| plane.width.max(plane.height) <= 2_400;
    let Some(plane) = (0..black.levels()).map(|it| black.plane(it)).find(small) else {
        return Vec::new();
    };
    let reduced = plane.halved_to_darkest();
    let factor = black.plane(0).width as f64 / reduced.width as f64;
    let side = reduced.width.max(reduced.height) / 6;
    let outlines = frame::outlines(&reduced, side).into_iter().map(|outline| {
        let outline = outline.map(|it| Spot {
            x: (it.x + 0.5) * factor - 0.5,
            y: (it.y + 0.5) * factor - 0.5,
        });
        (0..4)
            .filter_map(|turn| corners_to(own, &outline, turn))
            .collect()
    });
    outlines.collect()
}

/// Guesses from the edges of the picture: the page fills it.
pub(super) fn guesses_by_edge(form: &FormPage, scan: &ScanPage) -> Vec<Vec<Homography>> {
    let corners = |width: usize, height: usize| {
        let (right, bottom) = (width as f64 - 1.0, height as f64 - 1.0);
        [(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)].map(|(x, y)| Spot { x, y })
    };
    let page = corners(form.ink[0].width, form.ink[0].height);
    let picture = corners(scan.picture.width, scan.picture.height);
    vec![
        (0..4)
            .filter_map(|turn| corners_to(&page, &picture, turn))
            .collect(),
    ]
}
