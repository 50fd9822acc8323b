//! Names that are printed where people sign: a signature and a seal may be there, another name may not.

use super::claim::Claim;
use super::form::{Area, pixels};
use super::lines::place_as_line;
use super::look::Look;
use super::patch::{Ink, correlate};
use crate::render::Typeface;

/// Characters that a name may have.
const NAME_MAX: usize = 6;
/// How far beside a name another character of it may be printed, in squares of its size.
const BESIDE: f32 = 2.0;
/// How far above or below the line of the other names one may be printed, in pixels.
const STRAY: i32 = 4;

impl Look<'_> {
    /// The name that is printed in the form's own type in a place for one that must be empty.
    pub(super) fn printed_name(&self, claim: &Claim) -> Option<String> {
        let reader = self.matcher.reader.as_ref()?;
        let plane = self.all_ink();
        // Other names of the same row tell where one would be printed, and how large.
        let beside = self.form.fields.iter().find(|other| {
            (other.area.top - claim.area.top).abs() < 2.0
                && (other.area.bottom - claim.area.bottom).abs() < 2.0
                && !other.runs.is_empty()
        });
        let run = beside.or_else(|| self.form.fields.iter().find(|it| !it.runs.is_empty()))?;
        let run = run.runs.first()?;
        let line = place_as_line(plane, &self.form.fixed, &claim.area)?;
        let read = reader.read_freely(&line)?;
        let name: Vec<char> = read.chars().filter(|it| !it.is_ascii()).collect();
        if !(2..=NAME_MAX).contains(&name.len()) {
            return None;
        }
        let size = pixels(run.size);
        let middle = claim.area.middle().1 + 0.35 * size;
        let stands =
            |character: &char| self.stands(*character, run.typeface, (size, middle), &claim.area);
        name.iter().all(stands).then(|| name.iter().collect())
    }

    /// Whether a character of the form's own type stands right beside a name: it is another name then, whoever signed.
    pub(super) fn is_longer_name(&self, claim: &Claim) -> bool {
        let (Some(reader), Some(run)) = (self.matcher.reader.as_ref(), claim.runs.first()) else {
            return false;
        };
        let plane = self.all_ink();
        let (text, size) = (self.area(claim), pixels(run.size));
        let before = Area {
            // Further off is the form's own word.
            left: (text.left - BESIDE * size).max(claim.area.left),
            right: text.left,
            ..text
        };
        let behind = Area {
            left: text.right,
            right: text.right + BESIDE * size,
            ..text
        };
        [before, behind].iter().any(|area| {
            let line = place_as_line(plane, &self.form.fixed, area);
            let read = line.and_then(|line| reader.read_freely(&line));
            let at = (size, pixels(run.baseline));
            // None of the name's own characters, not even a part of one.
            let clear = Area {
                right: area.right - 0.45 * size,
                ..*area
            };
            let stands = |it: char| !it.is_ascii() && self.stands(it, run.typeface, at, &clear);
            read.is_some_and(|read| read.chars().any(stands))
        })
    }

    /// Whether a character of the form's own type stands somewhere on a line.
    fn stands(
        &self,
        character: char,
        typeface: Typeface,
        (size, baseline): (f32, f32),
        area: &Area,
    ) -> bool {
        let Some(shape) = self.vote.renderer.shape(typeface, character) else {
            return false;
        };
        let origin = (area.left, baseline);
        let drawn = self.vote.glyph(shape.typeface, shape.id, size, origin);
        let drawn = self.optics.shows(&drawn, 1.0);
        let pattern = drawn.centred();
        let least = self.optics.usual - self.matcher.thresholds.fit;
        let plane = self.all_ink();
        let across = (area.right - area.left - 0.5 * size) as i32;
        (-2..across).any(|dx| {
            (-STRAY..=STRAY)
                .any(|dy| correlate(&pattern, &Ink::cut(plane, &drawn, (dx, dy))) >= least)
        })
    }
}
