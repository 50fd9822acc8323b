//! What stands in a field's place besides its text: added characters, strokes over it, lines through it.

use std::cell::OnceCell;
use std::ops::Range;

use super::claim::Claim;
use super::competition::Sighting;
use super::extra::{Blob, SPECK, are_a_broken_character, blobs};
use super::form::{Area, FORM_INK, pixels};
use super::look::Look;
use super::patch::{FAINT, Patch};
use super::pen::{Pen, Stroke};
use super::plane::Plane;
use super::strokes::Row;
use super::verdict::Extra;
use super::wording::{is_amount, is_strict};
use crate::render::Typeface;

/// Size of type where a place has none of its own, in pixels: 9.5 points.
const USUAL_SIZE: f32 = 26.4;

/// Ink over a character of an amount, a number or a date that its form does not explain, in squares of its size, from
/// which on something was written over it.
const OVERWRITTEN: f32 = 0.04;

/// Pieces of ink that are no character, in squares of the size of type, from which on they are something.
const LOOSE: f32 = 0.06;

/// Part of full ink from which on nothing explains it, on bare paper and where a seal without colour may lie.
pub(super) const BARE: f32 = 0.37;
pub(super) const SEALED: f32 = 0.75;
/// Part of full ink that a seal has at least, where it is wider than print.
const TONED: f32 = 0.15;
/// How far from there it has thin strokes, in pixels: 7.6 mm. And the side of the squares in which that is known.
const OF_A_SEAL: f32 = 60.0;
const SQUARE: usize = 16;

/// The claim that a row has no line.
const NO_LINE: &str = "lines";

/// How the names of places for signatures begin.
const SIGNATURE: &str = "signature.";

/// How far a digit that was added may stand above or below the line of the others, in sizes of type.
const LEVEL: f32 = 0.22;

impl Look<'_> {
    /// Ink in a field's place that is neither the form's nor the claim's, nor a pen's.
    pub(super) fn extra(&self, claim: &Claim, sighting: Option<&Sighting>) -> Extra {
        let is_over = || sighting.is_some_and(|it| self.is_written_over(claim, it));
        match self.extra_beside(claim, sighting) {
            Extra::None if is_over() => Extra::Over,
            Extra::None => self.extra_faint(claim, sighting),
            beside => beside,
        }
    }

    fn extra_beside(&self, claim: &Claim, sighting: Option<&Sighting>) -> Extra {
        let plane = self.all_ink();
        // A pen takes no name away, so that it is read once.
        let named = OnceCell::new();
        let is_named = || *named.get_or_init(|| self.is_named_otherwise(claim));
        let dark = self.dark_in(&claim.place());
        let extra_on =
            |plane: &Plane| self.extra_on(plane, (claim, sighting), dark..f32::MAX, &is_named);
        let extra = extra_on(plane);
        if extra == Extra::None {
            return extra;
        }
        let is_text = !claim.text.is_empty() && !is_strict(&claim.name);
        let without = |pen: &Pen| match extra_on(&pen.without) {
            Extra::None if !is_text && self.digit_under(pen, plane, claim, sighting) => {
                Extra::Perhaps
            }
            without => without,
        };
        let pen = self.pen.get_or_init(|| self.large_strokes(plane)).as_ref();
        let pen = pen.filter(|pen| pen.is_near(&claim.area));
        let extra = pen.map_or(extra, without);
        // Over an amount, a number or a date a small thing of a pen's is a change.
        if extra != Extra::Perhaps || !(is_text || claim.text.is_empty()) {
            return extra;
        }
        let pen = self.without_scrawls(pen, plane, claim);
        pen.as_ref().map_or(extra, without)
    }

    /// Whether somebody else is named than the claim says, or somebody where it names nobody.
    fn is_named_otherwise(&self, claim: &Claim) -> bool {
        match claim.text.is_empty() {
            true => self.printed_name(claim).is_some(),
            false => self.is_longer_name(claim),
        }
    }

    /// All strokes on the page, sought when something is there that they may explain.
    pub(super) fn strokes(&self, plane: &Plane) -> &[Stroke] {
        self.strokes
            .get_or_init(|| Stroke::find_all(plane, &self.form.explained, self.dark()))
    }

    /// Those of a pen that go on across the page, if there are any.
    fn large_strokes(&self, plane: &Plane) -> Option<Pen> {
        let large = |stroke: &&Stroke| stroke.is_large();
        let mut strokes = self.strokes(plane).iter().filter(large).peekable();
        strokes.peek()?;
        let mut pen = Pen::none(plane);
        strokes.for_each(|stroke| pen.take(stroke, &self.form.ink[0]));
        Some(pen)
    }

    /// How dark ink in a place is that nothing explains. Seals are lighter than print where there is no colour to know them by.
    pub(super) fn dark_in(&self, place: &Area) -> f32 {
        let near = place.widened(OF_A_SEAL);
        let sealed = self.seals().iter().any(|it| it.overlaps(&near));
        self.optics.dark * if sealed { SEALED } else { BARE }
    }

    /// The same anywhere on the page.
    fn dark(&self) -> f32 {
        let sealed = !self.seals().is_empty();
        self.optics.dark * if sealed { SEALED } else { BARE }
    }

    /// Squares of the page with tones of a scan without colour that are wider than print and not the form's.
    fn seals(&self) -> &[Area] {
        self.seals.get_or_init(|| {
            let seen = self.all_ink();
            // Where there is any colour, a seal would be seen by its own.
            if !self.vote.grey || self.has_colour {
                return Vec::new();
            }
            let wide = seen.as_wide_as_a_seal();
            let is_toned = |x: usize, y: usize| {
                let tone = f32::from(wide.get(x as i32, y as i32));
                tone > TONED * self.optics.dark && !self.form.explained.at(x, y)
            };
            let corners = (0..wide.height)
                .step_by(SQUARE)
                .flat_map(|y| (0..wide.width).step_by(SQUARE).map(move |x| (x, y)));
            let squares = corners.filter(|(left, top)| {
                let rows = *top..(top + SQUARE).min(wide.height);
                let columns = *left..(left + SQUARE).min(wide.width);
                let mut places = rows.flat_map(|y| columns.clone().map(move |x| (x, y)));
                places.any(|(x, y)| is_toned(x, y))
            });
            let square = |(left, top): (usize, usize)| Area {
                left: left as f32,
                top: top as f32,
                right: (left + SQUARE) as f32,
                bottom: (top + SQUARE) as f32,
            };
            squares.map(square).collect()
        })
    }

    /// The same on a plane, of pieces all of which are darker than where `inks` starts and nothing of which is as dark as where it ends.
    pub(super) fn extra_on(
        &self,
        plane: &Plane,
        (claim, sighting): (&Claim, Option<&Sighting>),
        inks: Range<f32>,
        is_named: &dyn Fn() -> bool,
    ) -> Extra {
        let size = claim
            .runs
            .first()
            .map_or(USUAL_SIZE, |run| pixels(run.size));
        let amount = is_amount(&claim.name) || claim.text.is_empty();
        let inner = claim.place();
        let text = self.area(claim);
        let (_, middle) = claim.area.middle();
        let claimed = |blob: &Blob| {
            let mut glyphs = sighting.into_iter().flat_map(|it| &it.glyphs);
            // What only touches a character of the claim is another one.
            let (x, _) = blob.area.middle();
            let within =
                |area: Area| area.left <= x && x <= area.right && area.overlaps(&blob.area);
            if glyphs.any(|glyph| within(glyph.area.widened(0.05 * size))) {
                return true;
            }
            // In another type the claim's characters may stand a little elsewhere.
            let about = if amount { 0.25 } else { 0.5 } * size;
            !self.sure_type() && !claim.runs.is_empty() && text.widened(about).overlaps(&blob.area)
        };
        // A character that was added to a text stands on its line; one that was added to an amount, in its row; where nothing
        // is claimed, nothing stands anywhere but for what reaches in over a rule.
        let in_line = |blob: &Blob| {
            let y = blob.area.middle().1;
            let within = |place: &Area, by: f32| y > place.top + by && y < place.bottom - by;
            match (claim.text.is_empty(), amount) {
                (true, _) => claim.name == NO_LINE || within(&claim.area, 0.25 * size),
                (false, true) => (y - middle).abs() < 0.6 * size,
                (false, false) => within(&text, -0.1 * size),
            }
        };
        let strict = amount || is_strict(&claim.name);
        let (mut count, mut over) = (0, 0);
        let mut pieces: Vec<Blob> = Vec::new();
        // Digits, and how far to the right they stand.
        let mut read: Vec<(f32, char)> = Vec::new();
        let mut signs = false;
        let mut found = blobs(plane, &self.form.explained, &inner, inks.start);
        found.retain(|blob| f32::from(blob.darkest) < inks.end);
        for blob in found {
            if self.is_signed(&blob.area) {
                signs |= !is_amount(&claim.name);
                continue;
            }
            if !in_line(&blob) {
                continue;
            }
            // A minus where nothing is claimed makes no amount.
            let minus = amount && !claim.text.is_empty() && blob.is_like_a_minus(size);
            let shaped = blob.is_like_a_character(size) || minus;
            if claimed(&blob) {
                over += blob.size;
            } else if shaped {
                count += 1;
                let level = (blob.area.middle().1 - middle).abs() < LEVEL * size;
                if amount
                    && self.own_type
                    && !blob.passing
                    && level
                    && let Some(digit) = self.vote.digit(&blob.area, size, &self.optics)
                {
                    read.push((blob.area.middle().0, digit));
                }
            } else {
                pieces.push(blob);
            }
        }
        // A character that stands on a rule of the form, or is pale, is left in pieces.
        let loose = pieces.iter().map(|it| it.size).filter(|it| *it >= SPECK);
        if loose.sum::<usize>() as f32 >= LOOSE * size * size
            || are_a_broken_character(pieces, size)
        {
            count += 1;
        }
        // Something was written over these characters.
        if strict && self.sure_type() && over as f32 >= OVERWRITTEN * size * size {
            count += 1;
        }
        if is_amount(&claim.name) && self.own_type && self.hides(claim, plane, size) {
            count += 1;
        }
        if signs && self.own_type && count == 0 && is_named() {
            count += 1;
        }
        // A single stroke of a pen may look like a digit where nothing was claimed.
        let printed = read.len() >= if claim.text.is_empty() { 2 } else { 1 };
        match (count, printed) {
            (0, _) => Extra::None,
            (_, true) => {
                read.sort_by(|a, b| a.0.total_cmp(&b.0));
                let first = read.partition_point(|it| it.0 < text.middle().0);
                let digits = |part: &[(f32, char)]| part.iter().map(|it| it.1).collect();
                Extra::Printed {
                    before: digits(&read[..first]),
                    behind: digits(&read[first..]),
                }
            }
            _ => Extra::Perhaps,
        }
    }

    /// Whether people sign in a place, so that anything may be there. A seal has a colour, or a tone that is taken away; under it
    /// nothing may be.
    pub(super) fn is_signed(&self, place: &Area) -> bool {
        let slots = self.form.slots.iter();
        let mut signatures = slots.filter(|slot| slot.0.starts_with(SIGNATURE));
        signatures.any(|slot| slot.1.overlaps(place))
    }

    /// Whether there is ink in an amount's row that lies where the form has ink as well.
    fn hides(&self, claim: &Claim, plane: &Plane, size: f32) -> bool {
        let row = claim.runs.first().map(|run| pixels(run.baseline));
        let row = Row {
            // Without colour, it is the plane without a seal's tone that shows print alone.
            seen: if self.vote.grey {
                self.vote.black
            } else {
                plane
            },
            form: &self.form.ink[0],
            fixed: &self.form.fixed,
            blur: self.optics.blur,
            dark: self.optics.dark,
            size,
            baseline: row.unwrap_or(claim.area.middle().1 + 0.35 * size),
        };
        let text = self.area(claim);
        let ruled =
            !claim.runs.is_empty() && row.is_ruled_through(text.left, text.right - 0.4 * size);
        ruled || row.is_on_a_rule(&claim.area)
    }

    /// Whether under strokes of a pen all ink of some digit is there, level with an amount or a number and beside what
    /// is claimed.
    fn digit_under(
        &self,
        pen: &Pen,
        seen: &Plane,
        claim: &Claim,
        sighting: Option<&Sighting>,
    ) -> bool {
        // Where many lines may have been added, more of them is seen than what a stroke hides.
        if !is_strict(&claim.name) {
            return false;
        }
        let run = claim.runs.first();
        let size = run.map_or(USUAL_SIZE, |run| pixels(run.size));
        let typeface = run.map_or(Typeface::Serif, |run| run.typeface);
        let (_, middle) = claim.area.middle();
        let baseline = run.map_or(middle + 0.35 * size, |run| pixels(run.baseline));
        let at = &self.matcher.thresholds;
        let most = self.optics.absent.min(at.fading) + at.absent;
        let form = &self.form.ink[0];
        // Ink that the form has not, and whether a pen's is there.
        let there = |x: i32, y: i32| match form.get(x, y) > FORM_INK {
            true => 0.0,
            false => (f32::from(seen.get(x, y)) / self.optics.dark).min(1.0),
        };
        let is_pens = |x: i32, y: i32| {
            seen.get(x, y) > pen.without.get(x, y) && f32::from(seen.get(x, y)) > self.dark()
        };
        let stands = |drawn: &Patch| {
            let ink: Vec<(i32, i32, f32)> = drawn
                .values
                .iter()
                .enumerate()
                .filter(|(_, value)| **value > FAINT)
                .map(|(at, value)| {
                    let (x, y) = (at % drawn.width, at / drawn.width);
                    (drawn.left + x as i32, drawn.top + y as i32, value - FAINT)
                })
                .collect();
            let all: f32 = ink.iter().map(|it| it.2).sum();
            let left = (claim.area.left - 0.6 * size) as i32;
            let right = (claim.area.right + 0.6 * size) as i32 - drawn.width as i32;
            let level = (LEVEL * size) as i32;
            let is_free = |dx: i32, dy: i32| {
                let area = Area {
                    left: (drawn.left + dx) as f32,
                    top: (drawn.top + dy) as f32,
                    right: (drawn.left + dx) as f32 + drawn.width as f32,
                    bottom: (drawn.top + dy) as f32 + drawn.height as f32,
                };
                let mut glyphs = sighting.into_iter().flat_map(|it| &it.glyphs);
                !glyphs.any(|glyph| glyph.area.widened(-0.1 * size).overlaps(&area))
            };
            let is_there = |dx: i32, dy: i32| {
                let (mut gone, mut pens) = (0.0, false);
                for (x, y, own) in &ink {
                    let (x, y) = (x + dx, y + dy);
                    gone += (own - there(x, y)).max(0.0);
                    if gone > most * all {
                        return false;
                    }
                    pens |= is_pens(x, y);
                }
                pens
            };
            (left..=right).any(|dx| (-level..=level).any(|dy| is_there(dx, dy) && is_free(dx, dy)))
        };
        ('0'..='9').any(|digit| {
            let shape = self.vote.renderer.shape(typeface, digit);
            shape.is_some_and(|shape| {
                let drawn = self
                    .vote
                    .glyph(shape.typeface, shape.id, size, (0.0, baseline));
                stands(&self.optics.shows(&drawn, 1.0))
            })
        })
    }
}
