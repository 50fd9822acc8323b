//! Looking at a registered page: what each field shows, and what is there besides.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use super::cells::Cells;
use super::claim::Claim;
use super::compare::Matcher;
use super::competition::Sighting;
use super::doubted::Shape;
use super::form::{Area, FormPage, run_area};
use super::glyphs::GlyphVote;
use super::leaning::{Leaning, leaning};
use super::lines::{ONE_MORE, TEXT_ALONE, WHOLE_PLACE};
use super::optics::Optics;
use super::pen::{Pen, Stroke};
use super::plane::Plane;
use super::reader::Reading;
use super::register::Registration;
use super::report::SlotReport;
use super::scan_page::ScanPage;
use super::tone::Tone;
use super::verdict::{Decision, Extra, decide, decide_empty};
use super::wording::{Wording, is_amount, is_date};
use crate::render::GlyphRun;

/// Labels that the network has to read before it decides alone.
const LABELS_TRIED: usize = 6;

/// Everything that looking at a registered page needs.
pub(super) struct Look<'a> {
    pub matcher: &'a Matcher,
    pub form: &'a FormPage,
    pub vote: GlyphVote<'a>,
    pub optics: Optics,
    pub own_type: bool,
    /// All ink but red, if there may be any that is not black.
    pub cold: Option<&'a Plane>,
    /// Whether ink in some place may have a colour that is not red, also where the scan counts as without any.
    pub has_colour: bool,
    /// Whether the network reads the form's own labels here: else it must not decide alone.
    pub reads_labels: bool,
    /// Everything on the page that the form does not explain, and the strokes of a pen among it that go on across the page:
    /// sought when something is there that they may explain.
    pub strokes: OnceCell<Vec<Stroke>>,
    pub pen: OnceCell<Option<Pen>>,
    /// Where a seal may lie on a scan without colour: in tones that are wider than print and not the form's.
    pub seals: OnceCell<Vec<Area>>,
    /// What was taken away from the page.
    pub tone: Option<Tone>,
    /// All of its ink without creases.
    pub creaseless: OnceCell<Plane>,
    /// How dark paper is where the form has nothing.
    pub shade: OnceCell<f32>,
    /// How much ink is over the form's own labels: nine of ten have less.
    pub labels_over: OnceCell<f32>,
    /// Figures as these optics show them.
    pub cells: Cells,
}

impl Look<'_> {
    /// The ink that is on the scan, whatever was taken away from the page since.
    pub fn all_ink(&self) -> &Plane {
        self.cold.unwrap_or(self.vote.black)
    }

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

    /// The same, looking at another plane of the page; what is there besides the form is still what this one sees.
    pub fn through<'p>(&'p self, tone: Tone, toneless: &'p Plane) -> Look<'p> {
        let vote = GlyphVote {
            black: toneless,
            print: None,
            ..self.vote
        };
        let optics = match tone {
            // Labels may have a colour, too.
            Tone::Pen => self.optics,
            Tone::Seal | Tone::Crease => vote.optics(&self.form.labels),
        };
        Look {
            vote,
            optics,
            cold: Some(self.all_ink()),
            strokes: OnceCell::new(),
            pen: OnceCell::new(),
            seals: OnceCell::new(),
            tone: Some(tone),
            creaseless: OnceCell::new(),
            shade: OnceCell::new(),
            labels_over: OnceCell::new(),
            cells: Cells::default(),
            ..*self
        }
    }

    pub fn field(&self, claim: &Claim) -> Decision {
        let at = &self.matcher.thresholds;
        if claim.text.trim().is_empty() {
            return decide_empty(&self.extra(claim, None));
        }
        let sighting = match self.own_type {
            true => self.vote.sight(claim, &self.optics, &self.cells),
            false => Sighting::default(),
        };
        let extra = self.extra(claim, Some(&sighting));
        // In a typeface that is only much alike, nothing is clear.
        let clear = self.sure_type()
            && leaning(&sighting, &self.optics, at) == Leaning::Clear
            && extra == Extra::None;
        // Where there is ink beside it, the network sees the whole place.
        let beside = match extra {
            Extra::None | Extra::Over => TEXT_ALONE,
            _ => WHOLE_PLACE,
        };
        let read = |plane, beside| self.read(claim, &sighting, (plane, beside));
        let is_read = !clear && (self.own_type || self.reads_labels);
        let reading = is_read.then(|| read(self.vote.black, beside)).flatten();
        let is_more = match extra {
            Extra::Perhaps | Extra::Over => !is_amount(&claim.name),
            // What was taken away was a tone that is no ink.
            Extra::Faint => self.tone.is_none() || self.has_colour,
            Extra::None | Extra::Printed { .. } => false,
        };
        // Where a text ends in another type is not known: what stands right beside it is read as well. Beside a date are words.
        let open = beside == TEXT_ALONE && !self.sure_type() && reading.is_some();
        let open = open && !self.is_signed(&claim.area) && !is_date(&claim.name);
        let next = open.then(|| self.next_to(claim, sighting.offset));
        let next = next.unwrap_or_default();
        // What has a colour may be beside it as well: it is not in the plane that tells what is printed.
        let all_ink = self.cold.filter(|_| reading.is_some());
        let all_ink = match (is_more, next.in_colour) {
            (_, true) => all_ink.and_then(|all| read(all, ONE_MORE)),
            (true, false) => all_ink.and_then(|all| read(all, beside)),
            (false, false) => None,
        };
        let says_more =
            |it: &Reading| it.margin < at.reads_alone && !self.adds_words_of_form(claim, &it.text);
        let extra = match extra {
            Extra::None if all_ink.as_ref().is_some_and(says_more) => Extra::Perhaps,
            extra => extra,
        };
        let more = next.in_black.then(|| read(self.vote.black, ONE_MORE));
        let reading = more.flatten().filter(says_more).or(reading);
        // The form's words that stand beside it in another type are nothing against it.
        let reading = reading.map(|it| match self.own_type || it.margin >= 0.0 {
            false if self.adds_words_of_form(claim, &it.text) => Reading {
                margin: 0.0,
                alone: 0.0,
                ..it
            },
            _ => it,
        });
        let margins = [&reading, &all_ink].into_iter().flatten();
        let only = margins.map(|it| it.margin).fold(f32::MAX, f32::min);
        // What the network is sure of says the rest where the sign before an amount is of another type.
        let sure = |it: &Reading| self.reads_labels && it.margin >= at.reads_alone;
        let sighting = match reading.as_ref().is_some_and(sure) {
            true => sighting.unsigned(),
            false => sighting,
        };
        decide(
            (&claim.name, &claim.text),
            &sighting,
            &self.optics,
            (reading.as_ref(), &extra, only),
            (self.own_type, self.reads_labels),
            at,
        )
    }

    /// Whether the values are printed in the form's own type for sure.
    pub fn sure_type(&self) -> bool {
        self.own_type && self.optics.usual >= self.matcher.thresholds.sure_type
    }

    /// Where a claim is, for people to see.
    pub fn area(&self, claim: &Claim) -> Area {
        let mut runs = claim.runs.iter().map(run_area);
        let Some(first) = runs.next() else {
            return claim.area;
        };
        runs.fold(first, |all, one| all.with(&one))
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

    /// Whether there is ink in the places for seals and signatures that the form has not printed.
    pub fn slots(&self, scan: &ScanPage, registration: &Registration) -> Vec<SlotReport> {
        let dark = self.optics.dark * 0.4;
        self.form
            .slots
            .iter()
            .map(|(name, area)| {
                let (mut all, mut black, mut surface) = (0u32, 0u32, 1u32);
                let [left, top, right, bottom] =
                    [area.left, area.top, area.right, area.bottom].map(|edge| edge as usize / 2);
                let size = (
                    right.saturating_sub(left).max(1),
                    bottom.saturating_sub(top).max(1),
                );
                let print = registration.rectified_part(&scan.print, ((left, top), size), 2);
                for y in top..bottom {
                    for x in left..right {
                        surface += 1;
                        let inked = |plane: &Plane, x: usize, y: usize| {
                            f32::from(plane.get(x as i32, y as i32)) > dark
                        };
                        if !self.form.explained.at(2 * x, 2 * y) {
                            all += u32::from(inked(&print, x - left, y - top));
                            black += u32::from(inked(self.vote.black, 2 * x, 2 * y));
                        }
                    }
                }
                let present = all * 100 > surface;
                SlotReport {
                    name: name.clone(),
                    present,
                    red: present && all > 2 * black,
                }
            })
            .collect()
    }
}
