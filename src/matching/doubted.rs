//! A character that the network may have misread, told from the other one by its shape, in a type that is not the form's.
//!
//! Types of one kind draw a character much alike: where the ink is like the claimed one as our types draw it, and less
//! like the other, it is no other. In a type of another kind the ink is like neither, and nothing is said.

use super::claim::Claim;
use super::form::pixels;
use super::glyphs::AROUND;
use super::look::Look;
use super::misread::Doubt;
use super::patch::{Ink, Patch, correlate};
use super::seek::product;
use crate::render::{GlyphRun, PlacedGlyph, Typeface};

/// Types of different kinds: with feet, and without.
const KINDS: [Typeface; 2] = [Typeface::Serif, Typeface::Sans];
/// Sizes that another type may have, for the form's.
const SIZES: [f32; 3] = [0.94, 1.0, 1.06];
/// How far a character may lie from where the form has it, in squares of its size.
const REACH: f32 = 0.3;
/// How like a character the ink must be to be it; how much more than like the other one; and that as a part of how unlike the
/// two are. To have the claimed one's shape takes more than to have the other one's: that only asks a person to look. Of
/// 28,000 characters in a Song and a Hei type 96 and 99 % have their own shape by this and none that of another; of 450
/// that were printed for another 91 % have their own, and none the claimed one's (60 pairs of each network's table with
/// seeds 41 and 42 of `figures match-rare`). In a Kai type none has any.
const CLAIMED: (f32, f32, f32) = (0.78, 0.03, 0.35);
const OTHER: (f32, f32, f32) = (0.75, 0.02, 0.3);

/// How unlike the two must be at least: two types may draw one character as unlike (`天` in one is like `夭` in another).
const UNLIKE: f32 = 0.075;

/// A character as it may be printed: a pattern, and the square that it stands in.
struct Drawn {
    place: Patch,
    pattern: (Vec<f32>, f32),
}

/// Correlation of two patterns.
fn alike((one, norm): &(Vec<f32>, f32), (other, other_norm): &(Vec<f32>, f32)) -> f32 {
    product(one, other) / (norm * other_norm).max(1e-3)
}

/// What the shape of a character tells of a doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// It is the claimed one's.
    Claimed,
    /// It is the other one's.
    Other,
    /// It may be either's.
    Untold,
}

impl Look<'_> {
    /// Which of two characters the ink is like, wherever the claim has the first one, and clearly less like the other.
    pub(super) fn shape_of(&self, claim: &Claim, doubt: Doubt) -> Shape {
        let places = claim.runs.iter().flat_map(|run| {
            let own = run.glyphs.iter();
            own.filter(|glyph| glyph.character == doubt.claimed)
                .map(move |glyph| (run, glyph))
        });
        let shapes = places.map(|(run, glyph)| self.shape_at(run, glyph, doubt));
        let worst = |one, other| match (one, other) {
            (Shape::Other, _) | (_, Shape::Other) => Shape::Other,
            (Shape::Claimed, Shape::Claimed) => Shape::Claimed,
            _ => Shape::Untold,
        };
        shapes.reduce(worst).unwrap_or(Shape::Untold)
    }

    fn shape_at(&self, run: &GlyphRun, glyph: &PlacedGlyph, doubt: Doubt) -> Shape {
        let drawn = |character| self.as_types_draw(run, glyph, character);
        let (claimed, other) = (drawn(doubt.claimed), drawn(doubt.printed));
        // Of one that no type has, nothing is known.
        let (Some(first), Some(_)) = (claimed.first(), other.first()) else {
            return Shape::Untold;
        };
        let unlike = other
            .iter()
            .map(|it| 1.0 - alike(&first.pattern, &it.pattern));
        let unlike = unlike.fold(1.0, f32::min);
        if unlike < UNLIKE {
            return Shape::Untold;
        }
        let reach = (REACH * pixels(run.size)) as i32;
        let plane = self.vote.plane(run);
        let fits = |all: &[Drawn], ink: &Ink| {
            let fits = all.iter().map(|it| correlate(&it.pattern, ink));
            fits.fold(-1.0, f32::max)
        };
        let fits_at = |offset: (i32, i32)| {
            let ink = Ink::cut(plane, &first.place, offset);
            (fits(&claimed, &ink), fits(&other, &ink))
        };
        // Two that are taken for each other fit best in the same place.
        let coarse = (-reach..=reach).step_by(2);
        let coarse = coarse.flat_map(|dy| (-reach..=reach).step_by(2).map(move |dx| (dx, dy)));
        let scored = coarse.map(|offset| {
            let (fit, other) = fits_at(offset);
            (fit.max(other), offset)
        });
        let best = scored.max_by(|one, two| one.0.total_cmp(&two.0));
        let (x, y) = best.map_or((0, 0), |it| it.1);
        let fine = AROUND.map(|(dx, dy)| fits_at((x + dx, y + dy)));
        let (fit, other_fit) = fine.into_iter().fold((-1.0f32, -1.0f32), |best, it| {
            (best.0.max(it.0), best.1.max(it.1))
        });
        // What fits best as far off as was looked may fit better beyond.
        let within = x.abs().max(y.abs()) < reach - 1;
        let is = |(alike, by, part): (f32, f32, f32), fit: f32, more: f32| {
            fit >= alike && more >= by && more >= part * unlike
        };
        if is(CLAIMED, fit, fit - other_fit) {
            Shape::Claimed
        } else if within && is(OTHER, other_fit, other_fit - fit) {
            Shape::Other
        } else {
            Shape::Untold
        }
    }

    /// A character in a glyph's place, in types of different kinds and in several sizes.
    fn as_types_draw(&self, run: &GlyphRun, glyph: &PlacedGlyph, character: char) -> Vec<Drawn> {
        let size = pixels(run.size);
        let (left, baseline) = (pixels(glyph.x), pixels(run.baseline));
        let kinds = KINDS
            .iter()
            .filter_map(|kind| self.vote.renderer.shape(*kind, character));
        let sizes = kinds.flat_map(|shape| SIZES.map(|scale| (shape, scale)));
        sizes
            .map(|(shape, scale)| {
                let origin = (left + (1.0 - scale) * size / 2.0, baseline);
                let mut place = Patch::blank(
                    (left - 1.0) as i32,
                    (baseline - 0.95 * size) as i32,
                    (left + size + 1.0) as i32,
                    (baseline + 0.2 * size) as i32,
                );
                place.add(
                    &self
                        .vote
                        .glyph(shape.typeface, shape.id, scale * size, origin),
                );
                let shown = self.optics.shows(&place, self.vote.darkness(run));
                Drawn {
                    pattern: shown.centred(),
                    place,
                }
            })
            .collect()
    }
}
