//! Looking at a registered page: what each field shows, and what is there besides.

use std::cell::OnceCell;

use super::cells::Cells;
use super::claim::Claim;
use super::compare::Matcher;
use super::competition::Sighting;
use super::form::{Area, FormPage, run_area};
use super::glyphs::GlyphVote;
use super::optics::Optics;
use super::pen::{Pen, Stroke};
use super::plane::Plane;
use super::reader::Reading;
use super::register::Registration;
use super::report::SlotReport;
use super::scan_page::ScanPage;
use super::tone::Tone;
use super::verdict::{Decision, decide, decide_empty};

/// Everything that looking at a registered page needs.
pub(super) struct Look<'a> {
    pub matcher: &'a Matcher,
    pub form: &'a FormPage,
    /// The page of the scan, and how it lies on it.
    pub scan: &'a ScanPage,
    pub registration: &'a Registration,
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
    /// All of its ink without creases, and without what seals leave of themselves.
    pub creaseless: OnceCell<Plane>,
    pub sealless: OnceCell<Plane>,
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
            sealless: OnceCell::new(),
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
        let (readings, extra) = self.readings(claim, &sighting, extra);
        // What the network is sure of says the rest where the sign before an amount is of another type.
        let sure = |it: &Reading| self.reads_labels && it.margin >= at.reads_alone;
        let sighting = match readings.printed.as_ref().is_some_and(sure) {
            true => sighting.unsigned(),
            false => sighting,
        };
        decide(
            (&claim.name, &claim.text),
            &sighting,
            &self.optics,
            (&readings, &extra),
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

    /// Whether there is ink in the places for seals and signatures that the form has not printed.
    pub fn slots(&self) -> Vec<SlotReport> {
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
                let print =
                    (self.registration).rectified_part(&self.scan.print, ((left, top), size), 2);
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
