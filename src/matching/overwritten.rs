//! Ink over the characters of a claim: what was written over one may make another of it, though little sticks out.

use super::claim::Claim;
use super::competition::Sighting;
use super::form::{Area, FORM_INK, pixels, run_area};
use super::glyphs::AROUND;
use super::look::Look;
use super::patch::Patch;
use super::plane::Plane;
use super::tone::Tone;
use super::wording::is_strict;
use crate::render::GlyphRun;

/// How far beside what the form prints nothing is looked at, in pixels.
const BESIDE_FORM: i32 = 2;
/// How far around a character, in pixels.
const AROUND_GLYPH: f32 = 2.0;
/// Labels that are looked at, and how many of ten have no more ink over them than is usual.
const LABELS_MAX: usize = 24;
const TENTHS: usize = 9;
/// Ink over a character beyond what is usual, in squares of its size, from which on something is written over it. Of figures of
/// amounts, numbers and dates, where nothing may be, all of it counts where there is any, for of what is pale little is darker
/// than what is left of print: of 156 true scans in thirteen conditions none had 0.0012, but under pens, seals and folds.
const OVER_FIGURES: f32 = 0.002;
/// The same of a text, which the network then has to read. Its strokes are dense, and a part of a pixel's misplacement is 0.01 of
/// all ink; of what is darker alone no true one had 0.001, but under signatures, pens, seals and folds.
const OVER_TEXT: f32 = 0.003;
/// The same in a typeface that is only much like the form's, whose strokes lie elsewhere: there none had 0.009.
const OVER_ALIKE: f32 = 0.012;
/// What goes on beyond a character passes over it: how far beside its cell that is looked for, in pixels, where a wider character
/// that is written over it does not reach, and how much ink it is, in pixels of full ink.
const BEYOND: (f32, f32) = (4.0, 8.0);
const PASSING: f32 = 0.5;
/// Part of full ink that was taken away with a crease, from which on nothing is said of what is over a character.
const SHADED: f32 = 0.1;

/// The pixels of an area.
fn places_of(area: &Area) -> impl Iterator<Item = (i32, i32)> {
    let (left, right) = (area.left as i32, area.right as i32);
    let (top, bottom) = (area.top as i32, area.bottom as i32);
    (top..bottom).flat_map(move |y| (left..right).map(move |x| (x, y)))
}

/// A run as the scan shows it, for what is darker on a plane.
struct Shown<'a> {
    line: Patch,
    plane: &'a Plane,
    fixed: &'a Plane,
    /// Full ink, and the part of it that blur, noise and a pixel's misplacement leave.
    full: f32,
    faint: f32,
    /// Whether that part of ink over a character counts as well.
    counts_all: bool,
}

impl Shown<'_> {
    /// Ink of an area that is neither the run's nor the form's, in pixels of full ink, at the places that `counts` has.
    fn ink_over(&self, area: &Area, counts: impl Fn(i32, i32) -> bool) -> f32 {
        let places = places_of(area).filter(|(x, y)| counts(*x, *y));
        places.map(|(x, y)| self.over(x, y)).sum()
    }

    fn over(&self, x: i32, y: i32) -> f32 {
        let beyond = (f32::from(self.plane.get(x, y)) / self.full).min(1.0) - self.faint;
        if beyond <= self.line.get(x, y) || self.is_near_form(x, y) {
            return 0.0;
        }
        let own = AROUND.map(|(dx, dy)| self.line.get(x + dx, y + dy));
        let beyond = beyond - own.into_iter().fold(0.0, f32::max);
        let least = if self.counts_all { self.faint } else { 0.0 };
        if beyond > 0.0 { beyond + least } else { 0.0 }
    }

    fn is_near_form(&self, x: i32, y: i32) -> bool {
        let near = -BESIDE_FORM..=BESIDE_FORM;
        let is_ink = |dx: i32, dy: i32| self.fixed.get(x + dx, y + dy) > FORM_INK;
        near.clone().any(|dy| near.clone().any(|dx| is_ink(dx, dy)))
    }
}

impl Look<'_> {
    /// Whether something is written over a character of a claim. What goes on beyond it is a pen's stroke, a fold or a seal, which
    /// are looked at as such.
    pub(super) fn is_written_over(&self, claim: &Claim, sighting: &Sighting) -> bool {
        // In black and white, strokes grow as much as that.
        if !self.own_type || self.vote.bilevel {
            return false;
        }
        let all = self.all_ink();
        let creaseless = (self.tone == Some(Tone::Crease))
            .then(|| self.creaseless.get_or_init(|| all.without_creases()));
        let in_colour = self.has_colour && matches!(self.tone, None | Some(Tone::Pen));
        let (beyond_usual, counts_all) = match (self.sure_type(), is_strict(&claim.name)) {
            (false, _) => (OVER_ALIKE, false),
            (true, true) => (OVER_FIGURES, true),
            (true, false) => (OVER_TEXT, false),
        };
        let most = || self.usual_over(all) + beyond_usual;
        claim.runs.iter().enumerate().any(|(of, run)| {
            let glyphs = || sighting.glyphs.iter().filter(|seen| seen.index.0 == of);
            // What is as like its characters as labels are like theirs has nothing over it, but of ink that was not looked at for
            // that because of its colour.
            if !in_colour && glyphs().all(|seen| self.optics.is_usual(seen.fit)) {
                return false;
            }
            let offset = |at: usize| {
                let seen = glyphs().find(|seen| seen.index.1 == at);
                seen.map_or(sighting.offset, |seen| seen.offset)
            };
            let faint = self.dark_in(&claim.place());
            let (shown, places) = self.shown(run, offset, (all, faint));
            let shown = Shown {
                counts_all,
                ..shown
            };
            let square = pixels(run.size).powi(2);
            let is_shaded = |place: &Area| {
                let least = SHADED * shown.full;
                let shade = |without: &Plane, (x, y): (i32, i32)| {
                    all.get(x, y).saturating_sub(without.get(x, y))
                };
                creaseless.is_some_and(|without| {
                    places_of(place).any(|at| f32::from(shade(without, at)) > least)
                })
            };
            let passes = |cell: &Area| {
                let near = cell.widened(BEYOND.0);
                let is_beyond = |x: i32, y: i32| {
                    !near.holds(x, y)
                        && !self.form.explained.at(x.max(0) as usize, y.max(0) as usize)
                };
                shown.ink_over(&cell.widened(BEYOND.1), is_beyond) >= PASSING
            };
            glyphs().any(|seen| {
                // All of its cell: a flat character has much of one that is empty.
                let place = seen.area.with(&places[seen.index.1]);
                let over = shown.ink_over(&place, |_, _| true) / square;
                let is_over = over > beyond_usual && over > most();
                is_over && !passes(&seen.area) && !is_shaded(&places[seen.index.1])
            })
        })
    }

    /// Ink over the form's own labels.
    fn usual_over(&self, plane: &Plane) -> f32 {
        *self.labels_over.get_or_init(|| {
            let labels = &self.form.labels;
            let step = (labels.len() / LABELS_MAX).max(1);
            let mut over = Vec::new();
            for run in labels.iter().step_by(step).take(LABELS_MAX) {
                let line = self.vote.line(std::slice::from_ref(run), 2);
                let line = self.optics.shows(&line, self.vote.darkness(run));
                let offset = self.vote.place(&line, self.vote.plane(run), (0, 0));
                let faint = self.dark_in(&run_area(run));
                let (shown, places) = self.shown(run, |_| offset, (plane, faint));
                let square = pixels(run.size).powi(2);
                over.extend(
                    places
                        .iter()
                        .map(|it| shown.ink_over(it, |_, _| true) / square),
                );
            }
            over.sort_by(f32::total_cmp);
            over.get(over.len() * TENTHS / 10).copied().unwrap_or(0.0)
        })
    }

    /// A run each of whose glyphs lies so far from where the form has it, and where each is; ink that is no darker than `faint` is
    /// nothing.
    fn shown<'p>(
        &'p self,
        run: &GlyphRun,
        offset: impl Fn(usize) -> (i32, i32),
        (plane, faint): (&'p Plane, f32),
    ) -> (Shown<'p>, Vec<Area>) {
        let moved = |(at, glyph)| {
            let ((dx, dy), drawn) = (offset(at), self.vote.printed(run, glyph));
            Patch {
                left: drawn.left + dx,
                top: drawn.top + dy,
                ..drawn
            }
        };
        let glyphs: Vec<Patch> = run.glyphs.iter().enumerate().map(moved).collect();
        let darkness = self.vote.darkness(run);
        let full = self.optics.full(darkness);
        let margin = AROUND_GLYPH as i32 + 1;
        let shown = Shown {
            line: self.optics.shows(&Patch::around(&glyphs, margin), darkness),
            plane,
            fixed: &self.form.fixed,
            full,
            faint: faint / full,
            counts_all: false,
        };
        let place = |glyph: &Patch| {
            let area = Area {
                left: glyph.left as f32,
                top: glyph.top as f32,
                right: (glyph.left + glyph.width as i32) as f32,
                bottom: (glyph.top + glyph.height as i32) as f32,
            };
            area.widened(AROUND_GLYPH)
        };
        (shown, glyphs.iter().map(place).collect())
    }
}
