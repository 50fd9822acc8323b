//! A scan held against the form: found, registered, and compared field by field.

use std::cell::OnceCell;
use std::sync::Arc;

use super::cells::Cells;
use super::decode::{DecodeError, Decoder, InProcess};
use super::form::{FormPage, run_area};
use super::found::{FoundField, FoundPage, is_value, lost, merge, reason, unfound, with_one_date};
use super::glyphs::{GlyphVote, is_red};
use super::homography::Homography;
use super::lines::place_as_line;
use super::look::Look;
use super::mark::FoundMark;
use super::reader::Reader;
use super::register::{self, Registration};
use super::report::{FieldReport, PageReport, Report, Verdict};
use super::scan_page::ScanPage;
use super::thresholds::Thresholds;
use super::tone::Tone;
use super::verdict::{Decision, decide_other_paper};
use crate::render::{Drawing, RenderError, Renderer};

/// Pixels of the scan for one of the form from which on a scan is taken to be legible; below, the network must show that it
/// can read it: 150 dots per inch.
const LEGIBLE: f64 = 0.72;

/// Most readings of one field of a scan.
const READ_MAX: usize = 16;

/// A voucher's form, drawn and ready to be held against scans.
pub struct Form {
    pub(super) place: String,
    digest: String,
    pub(super) pages: Vec<FormPage>,
}

impl Form {
    /// Prepares a drawing; `pdf` is the file made from it.
    pub fn new(renderer: &Renderer, drawing: &Drawing, pdf: &[u8]) -> Result<Form, RenderError> {
        let drawn = renderer.pages(pdf, super::DOTS_PER_INCH)?;
        let pages = drawn.into_iter().enumerate();
        Ok(Form {
            place: drawing.place().to_owned(),
            digest: drawing.digest().to_owned(),
            pages: pages
                .map(|(index, pixels)| FormPage::new(drawing, index, pixels))
                .collect(),
        })
    }
}

impl Form {
    /// The mark where the form has its own, if it is another one.
    fn other_mark(
        &self,
        page: &FormPage,
        scan: &ScanPage,
        registration: &Registration,
    ) -> Option<FoundField> {
        let area = page.mark_area?;
        let (x, y) = area.middle();
        let (at, edge) = (
            registration.locate(x, y),
            registration.locate(area.right, y),
        );
        let near = |mark: &&FoundMark| mark.middle().distance(at) < at.distance(edge);
        let mark = scan.marks.iter().find(near)?;
        let why = mark.differs(&self.place, &self.digest)?;
        Some(FoundField {
            name: "mark".to_owned(),
            text: format!("{} B3:{}", self.place, self.digest),
            area,
            decision: decide_other_paper(format!("{} B3:{}", mark.place, mark.digest), why),
        })
    }
}

/// What compares: typefaces, the network if there is one, and where the verdicts part.
pub struct Matcher {
    pub(super) renderer: Renderer,
    decoder: Arc<dyn Decoder>,
    pub(super) reader: Option<Reader>,
    pub(super) thresholds: Thresholds,
}

/// A comparison: what it says, and what it was made from, for a picture of it.
pub struct Comparison {
    /// What it says.
    pub report: Report,
    pub(super) found: Vec<Option<FoundPage>>,
}

impl Matcher {
    /// A matcher with the built-in typefaces that decodes scans in its own process.
    pub fn new(reader: Option<Reader>, thresholds: Thresholds) -> Matcher {
        Matcher {
            renderer: Renderer::new(),
            decoder: Arc::new(InProcess),
            reader,
            thresholds,
        }
    }

    /// The same matcher, decoding scans by `decoder`.
    pub fn decoding_by(self, decoder: Arc<dyn Decoder>) -> Matcher {
        Matcher { decoder, ..self }
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
        self.decoder.each_page(scan, &mut |index, picture| {
            let page = ScanPage::new(picture);
            self.page(form, index, &page, &mut found);
            true
        })?;
        Ok(Comparison {
            report: self.report(form, &found, Vec::new()),
            found,
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
        self.decoder.each_page(scan, &mut |_, picture| {
            let scan = ScanPage::new(picture);
            for registration in register::find(page, &scan, "", false) {
                let size = (page.ink[0].width, page.ink[0].height);
                let black = registration.rectified(&scan.black, size, 1);
                let line = place_as_line(&black, &page.fixed, &claim.area);
                read.extend(line.and_then(|line| reader.read_freely(&line)));
            }
            read.len() < READ_MAX
        })?;
        Ok(read)
    }

    fn page(&self, form: &Form, index: usize, scan: &ScanPage, found: &mut [Option<FoundPage>]) {
        for (number, page) in form.pages.iter().enumerate() {
            // Where the page was found, only another that names this voucher has anything to add: it may show
            // something else.
            let done = found[number]
                .as_ref()
                .is_some_and(|it| it.verdict() == Verdict::Match);
            for registration in register::find(page, scan, &form.place, done) {
                let marked = form.other_mark(page, scan, &registration);
                let mut compared = self.compare_page(page, (number, index), scan, registration);
                compared.fields.extend(marked.filter(|_| compared.sound));
                let better = found[number]
                    .as_ref()
                    .is_none_or(|known| compared.outweighs(known));
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
        let black = registration.rectified(&scan.black, size, 1);
        let runs = form.fields.iter().flat_map(|claim| &claim.runs);
        let red = !scan.grey && runs.chain(&form.labels).any(is_red);
        let print = red.then(|| registration.rectified(scan.full_print(), size, 1));
        let vote = GlyphVote {
            renderer: &self.renderer,
            black: &black,
            fixed: &form.fixed,
            print: print.as_ref(),
            grey: scan.grey,
            bilevel: scan.bilevel,
        };
        let optics = vote.optics(&form.labels);
        let own_type = optics.shows_own_type(at);
        // In another type words are elsewhere, and in black and white thin rules are lost.
        let strict = own_type && optics.cut.is_none();
        // Of what is as pale as this, nothing can be said: something darker may stand over it.
        let sound = registration.residual <= at.residual
            && optics.dark >= at.pale
            && registration.found >= if strict { at.found } else { at.found / 2.0 };
        let explained = [&form.explained, &form.explained_cold];
        let added = sound && scan.has_cold_ink(&form.fields, explained, &registration);
        let cold = added.then(|| registration.rectified(scan.cold(), size, 1));
        let mut look = Look {
            reads_labels: true,
            matcher: self,
            form,
            scan,
            registration: &registration,
            vote,
            optics,
            own_type,
            cold: cold.as_ref(),
            has_colour: added,
            strokes: OnceCell::new(),
            pen: OnceCell::new(),
            seals: OnceCell::new(),
            tone: None,
            creaseless: OnceCell::new(),
            sealless: OnceCell::new(),
            shade: OnceCell::new(),
            labels_over: OnceCell::new(),
            cells: Cells::default(),
        };
        let legible = registration.map.scale_at(form.middle()) >= LEGIBLE;
        look.reads_labels = (strict && legible) || !sound || look.finds_labels_read();
        let cleared = Tone::ALL.map(|_| OnceCell::new());
        let through = Tone::ALL.map(|_| OnceCell::new());
        let mut fields = Vec::new();
        for claim in form.fields.iter().filter(|claim| is_value(&claim.name)) {
            let area = look.area(claim);
            let mut decision = if sound { look.field(claim) } else { unfound() };
            // What cannot be told is looked at again without what may lie over it.
            for (tone, (plane, again)) in Tone::ALL.iter().zip(cleared.iter().zip(&through)) {
                let is_unsure = decision.verdict == Verdict::Unsure;
                let is_open = sound && is_unsure && !decision.displaced;
                if is_open && tone.may_lie_over(claim, scan) {
                    let clear = || tone.taken_from(&black, form, scan, &registration);
                    let again = again.get_or_init(|| look.through(*tone, plane.get_or_init(clear)));
                    decision = decision.or_match(again.field(claim));
                }
            }
            let middle = area.middle();
            if !registration.is_within(&area, &scan.picture) {
                decision = Decision {
                    reason: "the scan ends before it".to_owned(),
                    ..unfound()
                };
            }
            if decision.verdict == Verdict::Mismatch && !registration.holds_at(middle.0, middle.1) {
                decision = Decision {
                    votes: decision.votes,
                    ..unfound()
                };
            }
            if decision.verdict == Verdict::Mismatch && look.is_creased(claim) {
                decision = decision.untold("a crease lies over it");
            }
            let (text, seen) = claim.as_written(&decision.seen);
            fields.push(FoundField {
                name: claim.name.clone(),
                text,
                area,
                decision: Decision { seen, ..decision },
            });
        }
        if let Some(label) = (sound && own_type)
            .then(|| look.vote.other_label(&form.labels, &optics, at))
            .flatten()
        {
            fields.push(FoundField {
                name: "form".to_owned(),
                text: label.glyphs.iter().map(|glyph| glyph.character).collect(),
                area: run_area(label),
                decision: decide_other_paper(
                    String::new(),
                    "the form itself says something else there",
                ),
            });
        }
        let slots = look.slots();
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

    /// What the pages that were found say of the voucher, beside scans that were not read.
    pub(super) fn report(
        &self,
        form: &Form,
        found: &[Option<FoundPage>],
        unread: Vec<String>,
    ) -> Report {
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
                let claims = form.pages[number].fields.iter();
                for claim in claims.filter(|claim| is_value(&claim.name)) {
                    merge(&mut fields, lost(claim));
                }
                continue;
            };
            pages.push(page.report());
            for field in &page.fields {
                merge(&mut fields, page.field(field));
            }
        }
        let fields = with_one_date(fields);
        // A scan that was not read may show anything.
        let best = match unread.is_empty() {
            true => Verdict::Match,
            false => Verdict::Unsure,
        };
        let verdict = fields.iter().fold(best, |worst, it| worst.and(it.verdict));
        let score = fields.iter().map(|it| it.score).fold(1.0, f64::min);
        let homography = pages.iter().find_map(|page| page.homography);
        Report {
            verdict,
            score,
            reason: reason(&fields, found, &unread),
            unread,
            fields,
            homography: homography.unwrap_or(Homography::IDENTITY.0),
            pages,
            reader: self.reads(),
        }
    }
}
