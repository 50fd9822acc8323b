//! A scan held against the form: found, registered, and compared field by field.

use std::sync::Arc;

use super::decode::{DecodeError, each_page};
use super::extra::{Blob, blobs};
use super::form::{Area, Claim, FormPage, pixels, run_area};
use super::glyphs::{GlyphVote, Optics, Sighting, is_red};
use super::homography::Homography;
use super::plane::{Picture, Plane};
use super::reader::{Line, Reader, Reading};
use super::register::{self, Pyramid, Registration, ScanPage, rectify};
use super::report::{FieldReport, PageReport, Report, SlotReport, Verdict, bounds, original};
use super::verdict::{
    Decision, Extra, Leaning, Thresholds, decide, decide_empty, is_amount, leaning,
};
use crate::render::{Drawing, GlyphRun, RenderError, Renderer};

/// Size of type where a place has none of its own, in pixels: 9.5 points.
const USUAL_SIZE: f32 = 26.4;
/// Pixels of the scan for one of the form below which the network must show that it can read the scan: 150 dots per
/// inch.
const COARSE: f64 = 0.72;
/// Labels that the network has to read before it decides alone.
const LABELS_TRIED: usize = 6;
/// The form's own ink from which on a pixel says nothing of a value.
const FIXED_INK: u8 = 40;
/// Most readings of one field of a scan.
const READ_MAX: usize = 16;
/// What a field's name must not begin with to be a value of the voucher.
const NO_VALUES: [&str; 3] = ["place", "digest", "page."];

/// A voucher's form, drawn and ready to be held against scans.
pub struct Form {
    pub(super) place: String,
    pub(super) pages: Vec<FormPage>,
}

impl Form {
    /// Prepares a drawing; `pdf` is the file made from it.
    pub fn new(renderer: &Renderer, drawing: &Drawing, pdf: &[u8]) -> Result<Form, RenderError> {
        let drawn = renderer.pages(pdf, super::DOTS_PER_INCH)?;
        let pages = drawn.into_iter().enumerate();
        Ok(Form {
            place: drawing.place().to_owned(),
            pages: pages
                .map(|(index, pixels)| FormPage::new(drawing, index, pixels))
                .collect(),
        })
    }
}

/// What compares: typefaces, the network if there is one, and where the verdicts part.
pub struct Matcher {
    renderer: Renderer,
    reader: Option<Reader>,
    thresholds: Thresholds,
}

/// A page of the form as it was found on a page of the scan.
pub(super) struct FoundPage {
    pub form_page: usize,
    pub scan_page: usize,
    /// The scan's file, where there are several.
    pub scan_name: String,
    pub registration: Registration,
    /// The page of the scan.
    pub picture: Arc<Picture>,
    pub factor: f64,
    pub own_type: bool,
    pub type_fit: f32,
    pub slots: Vec<SlotReport>,
    pub fields: Vec<(String, String, Area, Decision)>,
    pub sound: bool,
}

/// A comparison: what it says, and what it was made from, for a picture of it.
pub struct Comparison {
    /// What it says.
    pub report: Report,
    pub(super) found: Vec<Option<FoundPage>>,
}

impl Matcher {
    /// A matcher with the built-in typefaces.
    pub fn new(reader: Option<Reader>, thresholds: Thresholds) -> Matcher {
        Matcher {
            renderer: Renderer::new(),
            reader,
            thresholds,
        }
    }

    /// What draws.
    pub fn renderer(&self) -> &Renderer {
        &self.renderer
    }

    /// Whether there is a network for the second vote.
    pub fn reads(&self) -> bool {
        self.reader.is_some()
    }

    /// Compares a scan, JPEG, PNG, TIFF or PDF, with the form.
    pub fn compare(&self, form: &Form, scan: &[u8]) -> Result<Comparison, DecodeError> {
        let mut found: Vec<Option<FoundPage>> = form.pages.iter().map(|_| None).collect();
        each_page(scan, |index, picture| {
            let page = ScanPage::new(picture);
            self.page(form, index, &page, &mut found);
            // All found and nothing better to find.
            !found
                .iter()
                .all(|it| it.as_ref().is_some_and(|it| it.verdict() == Verdict::Match))
        })?;
        Ok(Comparison {
            report: self.report(form, &found),
            found,
        })
    }

    /// Compares several scans with the form: attachments, pages one by one, the same page again. A page of the form
    /// that some scan shows otherwise is not shown, whatever the others show. An error names the scan.
    pub fn compare_all<'a>(
        &self,
        form: &Form,
        scans: &[(&'a str, &[u8])],
    ) -> Result<Comparison, (&'a str, DecodeError)> {
        let mut all: Vec<Option<FoundPage>> = form.pages.iter().map(|_| None).collect();
        for (name, scan) in scans {
            let comparison = self.compare(form, scan).map_err(|error| (*name, error))?;
            for (known, mut found) in all.iter_mut().zip(comparison.found) {
                if let Some(found) = &mut found {
                    found.scan_name = (*name).to_owned();
                }
                let weight = |it: &FoundPage| match (it.sound, it.verdict()) {
                    (true, Verdict::Mismatch) => 3,
                    (true, Verdict::Match) => 2,
                    (true, Verdict::Unsure) => 1,
                    (false, _) => 0,
                };
                if let Some(new) = found
                    && known
                        .as_ref()
                        .is_none_or(|known| weight(&new) > weight(known))
                {
                    *known = Some(new);
                }
            }
        }
        Ok(Comparison {
            report: self.report(form, &all),
            found: all,
        })
    }

    /// What a scan of an unknown voucher on this form says in one field, as far as the network reads it: one answer for
    /// each region of each page that looks like the form's first page.
    pub fn read_field(
        &self,
        form: &Form,
        scan: &[u8],
        name: &str,
    ) -> Result<Vec<String>, DecodeError> {
        let mut read = Vec::new();
        let (Some(page), Some(reader)) = (form.pages.first(), &self.reader) else {
            return Ok(read);
        };
        let Some(claim) = page.fields.iter().find(|claim| claim.name == name) else {
            return Ok(read);
        };
        each_page(scan, |_, picture| {
            let scan = ScanPage::new(picture);
            for registration in register::find(page, &scan, "") {
                let size = (page.ink[0].width, page.ink[0].height);
                let black = rectify(
                    &scan.black,
                    &registration.map,
                    Some(&registration.bends),
                    size,
                    1,
                );
                let line = place_as_line(&black, &page.fixed, &claim.area);
                read.extend(line.and_then(|line| reader.read_freely(&line)));
            }
            read.len() < READ_MAX
        })?;
        Ok(read)
    }

    /// What there is to say where no comparison could be made.
    pub fn undecided(&self, form: &Form, why: &str) -> Comparison {
        let found: Vec<Option<FoundPage>> = form.pages.iter().map(|_| None).collect();
        let mut report = self.report(form, &found);
        why.clone_into(&mut report.reason);
        Comparison { report, found }
    }

    fn page(&self, form: &Form, index: usize, scan: &ScanPage, found: &mut [Option<FoundPage>]) {
        for (number, page) in form.pages.iter().enumerate() {
            for registration in register::find(page, scan, &form.place) {
                let compared = self.compare_page(page, (number, index), scan, registration);
                let better = found[number]
                    .as_ref()
                    .is_none_or(|known| compared.rank() > known.rank());
                if better {
                    found[number] = Some(compared);
                }
            }
        }
    }

    fn compare_page(
        &self,
        form: &FormPage,
        (form_page, scan_page): (usize, usize),
        scan: &ScanPage,
        registration: Registration,
    ) -> FoundPage {
        let at = &self.thresholds;
        let size = (form.ink[0].width, form.ink[0].height);
        let see = |planes: &Pyramid| {
            rectify(
                planes,
                &registration.map,
                Some(&registration.bends),
                size,
                1,
            )
        };
        let black = see(&scan.black);
        let runs = form.fields.iter().flat_map(|claim| &claim.runs);
        let red = !scan.grey && runs.chain(&form.labels).any(is_red);
        let print = if red {
            Some(see(scan.full_print()))
        } else {
            None
        };
        let vote = GlyphVote {
            renderer: &self.renderer,
            black: &black,
            print: print.as_ref(),
            grey: scan.grey,
        };
        let optics = vote.optics(&form.labels);
        let own_type = optics.usual >= at.own_type && optics.scatter <= at.scatter;
        let sound = registration.residual <= at.residual
            && registration.found >= if own_type { at.found } else { at.found / 2.0 };
        let mut look = Look {
            readable: true,
            matcher: self,
            form,
            vote,
            optics,
            own_type,
            grey: scan.grey,
        };
        let coarse = register_scale(&look, &registration) < COARSE;
        look.readable = (own_type && !coarse) || !sound || look.reads_labels();
        let mut fields = Vec::new();
        for claim in &form.fields {
            if NO_VALUES
                .iter()
                .any(|prefix| claim.name.starts_with(prefix))
            {
                continue;
            }
            let area = look.area(claim);
            let mut decision = if sound { look.field(claim) } else { unfound() };
            let middle = (
                (area.left + area.right) / 2.0,
                (area.top + area.bottom) / 2.0,
            );
            if decision.verdict == Verdict::Mismatch && !registration.holds_at(middle.0, middle.1) {
                decision = Decision {
                    votes: decision.votes,
                    ..unfound()
                };
            }
            fields.push((claim.name.clone(), claim.text.clone(), area, decision));
        }
        let slots = look.slots(scan, &registration);
        FoundPage {
            form_page,
            scan_page,
            scan_name: String::new(),
            registration,
            picture: Arc::clone(&scan.picture),
            factor: scan.factor,
            own_type,
            type_fit: optics.usual,
            slots,
            fields,
            sound,
        }
    }

    fn report(&self, form: &Form, found: &[Option<FoundPage>]) -> Report {
        let mut fields: Vec<FieldReport> = Vec::new();
        let mut pages = Vec::new();
        for (number, page) in found.iter().enumerate() {
            let Some(page) = page else {
                pages.push(PageReport {
                    page: number + 1,
                    scan: String::new(),
                    scan_page: None,
                    homography: None,
                    found: 0.0,
                    residual: 0.0,
                    own_type: false,
                    type_fit: 0.0,
                    slots: Vec::new(),
                });
                for claim in &form.pages[number].fields {
                    let report = lost(claim);
                    merge(&mut fields, report);
                }
                continue;
            };
            pages.push(page.report());
            for (name, text, area, decision) in &page.fields {
                merge(&mut fields, page.field(name, text, area, decision));
            }
        }
        let verdict = fields
            .iter()
            .fold(Verdict::Match, |worst, it| worst.and(it.verdict));
        let score = fields.iter().map(|it| it.score).fold(1.0, f64::min);
        let homography = pages.iter().find_map(|page| page.homography);
        Report {
            verdict,
            score,
            reason: reason(verdict, &fields, found),
            fields,
            homography: homography.unwrap_or(Homography::IDENTITY.0),
            pages,
            reader: self.reads(),
        }
    }
}

/// The report's first sentence.
fn reason(verdict: Verdict, fields: &[FieldReport], found: &[Option<FoundPage>]) -> String {
    if found.iter().all(Option::is_none) {
        return "the voucher was not found on the scan".to_owned();
    }
    if let Some(missing) = found.iter().position(Option::is_none) {
        return format!(
            "page {} of the voucher was not found on the scan",
            missing + 1
        );
    }
    if let Some(page) = found.iter().flatten().find(|page| !page.sound) {
        return format!(
            "page {} lies on the scan in a way that cannot be relied on",
            page.form_page + 1
        );
    }
    let count = |of: Verdict| fields.iter().filter(|it| it.verdict == of).count();
    match verdict {
        Verdict::Match => format!("all {} fields agree", fields.len()),
        Verdict::Mismatch => {
            let differing = count(Verdict::Mismatch);
            format!("{differing} of {} fields differ", fields.len())
        }
        Verdict::Unsure => {
            let open = count(Verdict::Unsure);
            format!("{open} of {} fields cannot be told", fields.len())
        }
    }
}

/// A field of a page that was not found.
fn lost(claim: &Claim) -> FieldReport {
    FieldReport {
        name: claim.name.clone(),
        verdict: Verdict::Unsure,
        score: 0.5,
        expected: claim.text.clone(),
        seen: String::new(),
        area: [0; 4],
        reason: "its page was not found on the scan".to_owned(),
        votes: Default::default(),
    }
}

fn unfound() -> Decision {
    Decision {
        verdict: Verdict::Unsure,
        score: 0.5,
        seen: String::new(),
        reason: "the form was not found well enough".to_owned(),
        votes: Default::default(),
    }
}

/// Puts a field beside the others, or into the one of the same value: a date in three places is one date, and a
/// value on two pages is one value.
fn merge(fields: &mut Vec<FieldReport>, mut next: FieldReport) {
    if NO_VALUES.iter().any(|prefix| next.name.starts_with(prefix)) {
        return;
    }
    let part_of_date = next.name.starts_with("date.");
    if part_of_date {
        next.name = "date".to_owned();
    }
    let Some(known) = fields.iter_mut().find(|known| known.name == next.name) else {
        fields.push(next);
        return;
    };
    if part_of_date && !known.expected.contains(&next.expected) {
        known.expected = format!("{}-{}", known.expected, next.expected);
        known.seen = format!("{}-{}", known.seen, next.seen);
        let right = (known.area[0] + known.area[2]).max(next.area[0] + next.area[2]);
        let bottom = (known.area[1] + known.area[3]).max(next.area[1] + next.area[3]);
        known.area[0] = known.area[0].min(next.area[0]);
        known.area[1] = known.area[1].min(next.area[1]);
        known.area[2] = right - known.area[0];
        known.area[3] = bottom - known.area[1];
    }
    if next.score < known.score || next.verdict.and(known.verdict) != known.verdict {
        known.score = known.score.min(next.score);
        known.reason = next.reason;
        known.votes = next.votes;
        if !part_of_date {
            (known.area, known.seen, known.expected) = (next.area, next.seen, next.expected);
        }
    }
    known.verdict = known.verdict.and(next.verdict);
}

impl FoundPage {
    fn verdict(&self) -> Verdict {
        let each = self.fields.iter().map(|field| field.3.verdict);
        each.fold(Verdict::Match, Verdict::and)
    }

    /// Which of two findings of a page is the voucher: the one that agrees in more fields.
    fn rank(&self) -> (bool, usize, usize) {
        let count = |of: Verdict| self.fields.iter().filter(|it| it.3.verdict == of).count();
        (self.sound, count(Verdict::Match), count(Verdict::Unsure))
    }

    fn report(&self) -> PageReport {
        PageReport {
            page: self.form_page + 1,
            scan: self.scan_name.clone(),
            scan_page: Some(self.scan_page + 1),
            homography: Some(original(&self.registration.map, self.factor)),
            found: f64::from(self.registration.found),
            residual: f64::from(self.registration.residual),
            own_type: self.own_type,
            type_fit: f64::from(self.type_fit),
            slots: self.slots.clone(),
        }
    }

    fn field(&self, name: &str, text: &str, area: &Area, decision: &Decision) -> FieldReport {
        let corners = [
            (area.left, area.top),
            (area.right, area.top),
            (area.right, area.bottom),
            (area.left, area.bottom),
        ]
        .map(|(x, y)| self.registration.locate(x, y));
        FieldReport {
            name: name.to_owned(),
            verdict: decision.verdict,
            score: decision.score,
            expected: text.to_owned(),
            seen: decision.seen.clone(),
            area: bounds(corners, self.factor),
            reason: decision.reason.clone(),
            votes: decision.votes,
        }
    }
}

/// Pixels of the scan for one of the form.
fn register_scale(look: &Look, registration: &Registration) -> f64 {
    let ink = &look.form.ink[0];
    registration.map.scale_at(super::Spot {
        x: ink.width as f64 / 2.0,
        y: ink.height as f64 / 2.0,
    })
}

/// All of a place as a line of text, the form's own print taken out.
fn place_as_line(seen: &Plane, form: &Plane, area: &Area) -> Option<Line> {
    let (left, top) = (area.left as i32, area.top as i32);
    let (width, height) = (area.right as i32 - left, area.bottom as i32 - top);
    if width < 8 || height < 8 {
        return None;
    }
    let value = |x: i32, y: i32| match form.get(x, y) > FIXED_INK {
        true => 255.0,
        false => 255.0 - f32::from(seen.get(x, y)),
    };
    let rows = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
    Some(Line {
        width: width as usize,
        height: height as usize,
        values: rows.map(|(x, y)| value(x, y)).collect(),
    })
}

/// Everything that looking at a registered page needs.
struct Look<'a> {
    matcher: &'a Matcher,
    form: &'a FormPage,
    vote: GlyphVote<'a>,
    optics: Optics,
    own_type: bool,
    grey: bool,
    /// Whether the network can be relied on here, where it decides alone.
    readable: bool,
}

impl Look<'_> {
    /// Whether the network reads the form's own labels, of which is known what they say.
    fn reads_labels(&self) -> bool {
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
        let read = labels.iter().take(tried).filter(|run| {
            let text: String = run.glyphs.iter().map(|glyph| glyph.character).collect();
            let claim = Claim {
                name: String::new(),
                area: run_area(run),
                runs: vec![(**run).clone()],
                text,
            };
            let line = self.line(&claim, ((0, 0), 0.6), None);
            line.and_then(|line| reader.read(&line, &claim.text))
                .is_some_and(|it| it.margin > 0.0)
        });
        read.count() * 3 >= tried * 2 && tried > 0
    }

    fn field(&self, claim: &Claim) -> Decision {
        let at = &self.matcher.thresholds;
        if claim.text.trim().is_empty() {
            return decide_empty(&self.extra(claim, None));
        }
        let sighting = match self.own_type {
            true => self.vote.sight(claim, &self.optics),
            false => Sighting::default(),
        };
        let extra = if self.own_type {
            self.extra(claim, Some(&sighting))
        } else {
            Extra::None
        };
        let clear = self.own_type
            && leaning(&sighting, &self.optics, at) == Leaning::Clear
            && extra == Extra::None;
        let beside = if extra == Extra::None { 0.6 } else { 1.5 };
        let reading = if clear || !self.readable {
            None
        } else {
            self.read(claim, &sighting, beside)
        };
        decide(
            (&claim.name, &claim.text),
            &sighting,
            &self.optics,
            (reading.as_ref(), &extra),
            (self.own_type, self.readable),
            at,
        )
    }

    /// Where a claim is, for people to see.
    fn area(&self, claim: &Claim) -> Area {
        let mut runs = claim.runs.iter().map(run_area);
        let Some(first) = runs.next() else {
            return claim.area;
        };
        runs.fold(first, |all, one| Area {
            left: all.left.min(one.left),
            top: all.top.min(one.top),
            right: all.right.max(one.right),
            bottom: all.bottom.max(one.bottom),
        })
    }

    /// Ink in a field's place that is neither the form's nor the claim's.
    fn extra(&self, claim: &Claim, sighting: Option<&Sighting>) -> Extra {
        let size = claim
            .runs
            .first()
            .map_or(USUAL_SIZE, |run| pixels(run.size));
        // Seals are lighter than print where there is no colour to know them by.
        let dark = self.optics.dark * if self.grey { 0.75 } else { 0.5 };
        let inner = Area {
            left: claim.area.left + 1.0,
            top: claim.area.top + 1.0,
            right: claim.area.right - 1.0,
            bottom: claim.area.bottom - 1.0,
        };
        let known = |blob: &Blob| {
            let near = |area: &Area| {
                let wide = Area {
                    left: area.left - 1.0,
                    right: area.right + 1.0,
                    ..*area
                };
                wide.overlaps(&blob.area)
            };
            let claimed =
                sighting.is_some_and(|it| it.glyphs.iter().any(|glyph| near(&glyph.area)));
            claimed
                || self
                    .form
                    .slots
                    .iter()
                    .any(|slot| slot.1.overlaps(&blob.area))
        };
        let like_a_character = |blob: &Blob| {
            let (width, height) = (
                blob.area.right - blob.area.left,
                blob.area.bottom - blob.area.top,
            );
            height >= 0.35 * size
                && height <= 1.2 * size
                && width <= 1.3 * size
                && blob.size as f32 >= 0.03 * size * size
        };
        let amount = is_amount(&claim.name) || claim.text.is_empty();
        let middle = (claim.area.top + claim.area.bottom) / 2.0;
        let text = self.area(claim);
        // A character that was added to a text stands on its line and near it; one that was added to an amount, in
        // its row.
        let in_line = |blob: &Blob| {
            let (x, y) = (
                (blob.area.left + blob.area.right) / 2.0,
                (blob.area.top + blob.area.bottom) / 2.0,
            );
            match claim.runs.is_empty() || amount {
                true => (y - middle).abs() < 0.6 * size,
                false => {
                    let level = y > text.top - 0.1 * size && y < text.bottom + 0.1 * size;
                    level && x > text.left - 1.4 * size && x < text.right + 1.4 * size
                }
            }
        };
        let found = blobs(self.vote.black, &self.form.explained, &inner, dark);
        let candidates = found
            .iter()
            .filter(|it| !it.passing && like_a_character(it) && !known(it) && in_line(it));
        let (mut count, mut read) = (0, String::new());
        for blob in candidates {
            count += 1;
            let level = ((blob.area.top + blob.area.bottom) / 2.0 - middle).abs() < 0.22 * size;
            if amount
                && level
                && let Some(digit) = self.vote.digit(&blob.area, size, &self.optics)
            {
                read.push(digit);
            }
        }
        // A single stroke of a pen may look like a digit where nothing was claimed.
        let printed = read.chars().count() >= if claim.text.is_empty() { 2 } else { 1 };
        match (count, printed) {
            (0, _) => Extra::None,
            (_, true) => Extra::Printed(read),
            _ => Extra::Perhaps,
        }
    }

    /// Lets the network read a field.
    fn read(&self, claim: &Claim, sighting: &Sighting, beside: f32) -> Option<Reading> {
        let reader = self.matcher.reader.as_ref()?;
        let line = self.line(claim, (sighting.offset, beside), Some(&self.form.fixed))?;
        reader.read(&line, &claim.text)
    }

    /// The field's place as a line of text: the form's own print taken out, the cells of a digit grid moved together.
    fn line(
        &self,
        claim: &Claim,
        ((dx, dy), beside): ((i32, i32), f32),
        form: Option<&Plane>,
    ) -> Option<Line> {
        let first = claim.runs.first()?;
        let size = pixels(first.size);
        let baselines: Vec<i32> = claim.runs.iter().map(|run| run.baseline).collect();
        let lines = {
            let mut distinct = baselines.clone();
            distinct.sort_unstable();
            distinct.dedup();
            distinct
        };
        let plane = self.vote.black;
        let value = |x: i32, y: i32| {
            let printed = form.is_some_and(|form| form.get(x, y) > FIXED_INK);
            if printed {
                255.0
            } else {
                255.0 - (f32::from(plane.get(x, y)) / self.optics.dark * 255.0).min(255.0)
            }
        };
        let mut strips: Vec<(i32, i32, i32)> = Vec::new();
        let above = (0.95 * size) as i32;
        let below = (0.25 * size) as i32;
        let height = above + below;
        for baseline in lines {
            let glyphs: Vec<(f32, char)> = claim
                .runs
                .iter()
                .filter(|run| run.baseline == baseline)
                .flat_map(|run| {
                    run.glyphs
                        .iter()
                        .map(|glyph| (pixels(glyph.x), glyph.character))
                })
                .collect();
            let top = pixels(baseline) as i32 + dy - above;
            let spaced = glyphs.len() > 1
                && glyphs
                    .windows(2)
                    .all(|pair| pair[0].1.is_ascii() && pair[1].0 - pair[0].0 > 0.8 * size)
                || glyphs.len() == 1
                    && claim.area.right - claim.area.left > 3.0 * size
                    && claim.name.ends_with("it");
            if spaced {
                for (x, _) in &glyphs {
                    let left = (*x - 0.12 * size) as i32 + dx;
                    strips.push((left, top, left + (0.8 * size) as i32));
                }
            } else {
                let left = glyphs.iter().map(|it| it.0).fold(f32::MAX, f32::min);
                let right = glyphs.iter().map(|it| it.0).fold(f32::MIN, f32::max) + size;
                let left = (left - beside * size).max(claim.area.left - 2.0) as i32 + dx;
                let right = (right + beside * size).min(claim.area.right + 2.0) as i32 + dx;
                strips.push((left, top, right.max(left + 4)));
            }
        }
        let width: i32 = strips.iter().map(|it| it.2 - it.0).sum();
        let mut values = Vec::with_capacity((width * height) as usize);
        for row in 0..height {
            for (left, top, right) in &strips {
                values.extend((*left..*right).map(|x| value(x, top + row)));
            }
        }
        Some(Line {
            width: width as usize,
            height: height as usize,
            values,
        })
    }

    /// Whether there is ink in the places for seals and signatures that the form has not printed.
    fn slots(&self, scan: &ScanPage, registration: &Registration) -> Vec<SlotReport> {
        let dark = self.optics.dark * 0.4;
        let half = (self.form.ink[1].width, self.form.ink[1].height);
        let print = rectify(
            &scan.print,
            &registration.map,
            Some(&registration.bends),
            half,
            2,
        );
        self.form
            .slots
            .iter()
            .map(|(name, area)| {
                let (mut all, mut black, mut surface) = (0u32, 0u32, 1u32);
                for y in (area.top as usize / 2)..(area.bottom as usize / 2) {
                    for x in (area.left as usize / 2)..(area.right as usize / 2) {
                        surface += 1;
                        let inked = |plane: &Plane, x: usize, y: usize| {
                            f32::from(plane.get(x as i32, y as i32)) > dark
                        };
                        if !self.form.explained.at(2 * x, 2 * y) {
                            all += u32::from(inked(&print, x, y));
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
