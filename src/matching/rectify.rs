//! A scan as the form sees it: sampled through a homography, and along the bends of the paper.

use std::sync::OnceLock;

use fearless_simd::{Level, dispatch};

use super::bends::Bends;
use super::homography::{Homography, Spot};
use super::plane::Plane;

/// Most sizes of one plane.
const LEVELS_MAX: usize = 5;
/// Shorter side below which a plane is not halved any more, in pixels.
const SIDE_MIN: usize = 64;

/// A plane, and again and again at half its size, as far as somebody asks for it.
pub(super) struct Pyramid {
    /// Pixels of the page in one of the first plane, along a side.
    base: f64,
    first: Plane,
    smaller: Vec<OnceLock<Plane>>,
}

impl Pyramid {
    pub fn new(first: Plane, base: f64) -> Pyramid {
        let side = first.width.min(first.height);
        let halvings = (0..LEVELS_MAX - 1).take_while(|level| side >> level > SIDE_MIN);
        Pyramid {
            base,
            smaller: halvings.map(|_| OnceLock::new()).collect(),
            first,
        }
    }

    /// How many sizes there are.
    pub fn levels(&self) -> usize {
        self.smaller.len() + 1
    }

    /// The plane, halved so often; at most as often as there are sizes.
    pub fn plane(&self, level: usize) -> &Plane {
        match level.checked_sub(1).and_then(|at| self.smaller.get(at)) {
            Some(plane) => plane.get_or_init(|| self.plane(level - 1).halved()),
            None => &self.first,
        }
    }
}

/// Pixels of a line between which places on the scan are interpolated: a homography is straight enough that long.
const STRIDE: usize = 32;

/// Pixels of the scan in one of the form below which the scan is so coarse that it is worth more than bilinear
/// interpolation.
const COARSE: f64 = 0.8;

/// The scan as the form sees it: a pyramid's planes through the map, at one `step`th of the form's resolution; the part of it from a
/// corner on that is so large.
pub(super) fn rectify(
    pyramid: &Pyramid,
    map: &Homography,
    bends: Option<&Bends>,
    ((left, top), (width, height)): ((usize, usize), (usize, usize)),
    step: usize,
) -> Plane {
    let step_f = step as f64;
    let middle = Spot {
        x: ((2 * left + width) * step) as f64 / 2.0,
        y: ((2 * top + height) * step) as f64 / 2.0,
    };
    let mut level = 0;
    let mut reduction = pyramid.base;
    while map.scale_at(middle) * step_f > 1.6 * reduction && level + 1 < pyramid.levels() {
        level += 1;
        reduction *= 2.0;
    }
    let coarse = map.scale_at(middle) * step_f < COARSE * reduction;
    let plane = pyramid.plane(level);
    let mut seen = Plane::new(width, height);
    let m = &map.0;
    let centre = (step_f - 1.0) / 2.0;
    let shift = (reduction - 1.0) / 2.0 / reduction;
    let place = |u: usize, v: usize| -> (f32, f32) {
        let (u, v) = (left + u, top + v);
        let (mut x, mut y) = (u as f64 * step_f + centre, v as f64 * step_f + centre);
        if let Some(bends) = bends {
            let (dx, dy) = bends.at(x as f32, y as f32);
            x += f64::from(dx);
            y += f64::from(dy);
        }
        let depth = reduction * (m[6] * x + m[7] * y + m[8]);
        (
            ((m[0] * x + m[1] * y + m[2]) / depth - shift) as f32,
            ((m[3] * x + m[4] * y + m[5]) / depth - shift) as f32,
        )
    };
    let lines = seen.values.chunks_exact_mut(width).enumerate();
    dispatch!(Level::new(), _ => {
        for (v, line) in lines {
            sample_line(plane, coarse, line, |u| place(u, v));
        }
    });
    seen
}

/// Samples a line of what the form sees, each of whose pixels has its `place` on the plane.
#[inline(always)]
fn sample_line(plane: &Plane, coarse: bool, line: &mut [u8], place: impl Fn(usize) -> (f32, f32)) {
    let mut from = place(0);
    for (index, stretch) in line.chunks_mut(STRIDE).enumerate() {
        let to = place((index + 1) * STRIDE);
        let (dx, dy) = (
            (to.0 - from.0) / STRIDE as f32,
            (to.1 - from.1) / STRIDE as f32,
        );
        if coarse {
            for (index, value) in stretch.iter_mut().enumerate() {
                let (x, y) = (from.0 + dx * index as f32, from.1 + dy * index as f32);
                *value = plane.sample_smoothly(x, y).round() as u8;
            }
        } else {
            plane.along(from, (dx, dy), stretch);
        }
        from = to;
    }
}
