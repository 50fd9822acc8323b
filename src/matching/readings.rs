//! What the network reads of a field, of what stands beside it, and of the form's own labels.

use std::cell::RefCell;
use std::collections::HashMap;

use super::claim::Claim;
use super::competition::Sighting;
use super::doubted::Shape;
use super::form::run_area;
use super::leaning::{Leaning, leaning};
use super::lines::{ONE_MORE, TEXT_ALONE, WHOLE_PLACE};
use super::look::Look;
use super::plane::Plane;
use super::reader::Reading;
use super::verdict::{Extra, Readings};
use super::wording::{Wording, is_amount, is_date};
use crate::render::GlyphRun;

/// Labels that the network has to read before it decides alone.
const LABELS_TRIED: usize = 6;

impl Look<'_> {
    /// Whether the network reads the form's own labels, of which is known what they say.
    pub fn finds_labels_read(&self) -> bool {
        let Some(reader) = self.matcher.reader.as_ref() else {
            return false;
        };
        let mut labels: Vec<&GlyphRun> = self
            .form
            .labels
            .iter()
            .filter(|run| run.glyphs.len() >= 2)
            .collect();
        labels.sort_by_key(|run| std::cmp::Reverse(run.glyphs.len()));
        let tried = labels.len().min(LABELS_TRIED);
        let is_read = |run: &&&GlyphRun| {
            let text: String = run.glyphs.iter().map(|glyph| glyph.character).collect();
            let claim = Claim {
                name: String::new(),
                area: run_area(run),
                runs: vec![(**run).clone()],
                in_grid: false,
                unused_words: false,
                text,
            };
            [TEXT_ALONE, WHOLE_PLACE].into_iter().any(|beside| {
                let line = self.line(&claim, ((0, 0), beside), (self.vote.black, None));
                line.is_some_and(|line| reader.finds(&line, &claim.text))
            })
        };
        // Two of three; no more are read when there are enough.
        let enough = (tried * 2).div_ceil(3);
        let read = labels.iter().take(tried).filter(is_read).take(enough);
        tried > 0 && read.count() == enough
    }

    /// What the network reads of a claim, where the glyphs do not say all, and whether there is more beside it than was seen there.
    pub(super) fn readings(
        &self,
        claim: &Claim,
        sighting: &Sighting,
        extra: Extra,
    ) -> (Readings, Extra) {
        let at = &self.matcher.thresholds;
        // In a typeface that is only much alike, nothing is clear.
        let is_clear = self.sure_type()
            && leaning(sighting, &self.optics, at) == Leaning::Clear
            && extra == Extra::None;
        if is_clear || !(self.own_type || self.reads_labels) {
            return (Readings::none(), extra);
        }
        // Where there is ink beside it, the network sees the whole place.
        let beside = match extra {
            Extra::None | Extra::Over => TEXT_ALONE,
            _ => WHOLE_PLACE,
        };
        let read = |plane, beside| self.read(claim, sighting, (plane, beside));
        let Some(printed) = read(self.vote.black, beside) else {
            return (Readings::none(), extra);
        };
        let is_more = match extra {
            Extra::Perhaps | Extra::Over => !is_amount(&claim.name),
            // What was taken away was a tone that is no ink.
            Extra::Faint => self.tone.is_none() || self.has_colour,
            Extra::None | Extra::Printed { .. } => false,
        };
        // Where a text ends in another type is not known: what stands right beside it is read as well. Beside a date are words.
        let is_open = beside == TEXT_ALONE && !self.sure_type();
        let is_open = is_open && !self.is_signed(&claim.area) && !is_date(&claim.name);
        let next = is_open.then(|| self.next_to(claim, sighting.offset));
        let next = next.unwrap_or_default();
        // What has a colour may be beside it as well: it is not in the plane that tells what is printed.
        let in_colour = match (is_more, next.in_colour) {
            (_, true) => Some(ONE_MORE),
            (true, false) => Some(beside),
            (false, false) => None,
        };
        let all_ink = (self.cold.zip(in_colour)).and_then(|(all, beside)| read(all, beside));
        let is_with_words = |it: &Reading| self.is_with_words_of_form(claim, &it.text);
        let says_more = |it: &Reading| it.margin < at.reads_alone && !is_with_words(it);
        let extra = match extra {
            Extra::None if all_ink.as_ref().is_some_and(says_more) => Extra::Perhaps,
            extra => extra,
        };
        let more = next.in_black.then(|| read(self.vote.black, ONE_MORE));
        let printed = more.flatten().filter(says_more).unwrap_or(printed);
        let margins = [Some(&printed), all_ink.as_ref()].into_iter().flatten();
        let readings = Readings {
            only: margins.map(|it| it.margin).fold(f32::MAX, f32::min),
            with_words: !self.own_type && is_with_words(&printed),
            printed: Some(printed),
        };
        (readings, extra)
    }

    /// Lets the network read a field on a plane.
    fn read(
        &self,
        claim: &Claim,
        sighting: &Sighting,
        (plane, beside): (&Plane, f32),
    ) -> Option<Reading> {
        let reader = self.matcher.reader.as_ref()?;
        let wording = Wording::of(&claim.name);
        let at = &self.matcher.thresholds;
        // In another type there are many fields to read, and the glyphs have not been looked at yet.
        let other_type = !self.sure_type();
        let known = RefCell::new(HashMap::new());
        let shape = |doubt| match other_type {
            true => *known
                .borrow_mut()
                .entry(doubt)
                .or_insert_with(|| self.shape_of(claim, doubt)),
            false => Shape::Untold,
        };
        let read = |beside| {
            let planes = (plane, Some(&self.form.fixed));
            let line = self.line(claim, (sighting.offset, beside), planes)?;
            reader.read(&line, &claim.text, wording, (other_type, &shape), at)
        };
        let reading = read(beside)?;
        // A wider type takes more room: what was cut at the edge of the text's place is read with what is beside it.
        let again = (!self.own_type && reading.margin <= 0.0 && beside < WHOLE_PLACE)
            .then(|| read(WHOLE_PLACE))
            .flatten();
        Some(match again {
            Some(again) if again.margin > reading.margin => again,
            _ => reading,
        })
    }
}
