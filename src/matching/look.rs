//! Looking at a registered page: what each field shows, and what is there besides.

use super::compare::Matcher;
use super::extra::{Blob, blobs};
use super::form::{Area, Claim, FormPage, pixels, run_area};
use super::glyphs::{GlyphVote, Optics, Sighting};
use super::plane::Plane;
use super::reader::{Line, Reading};
use super::register::Registration;
use super::report::SlotReport;
use super::scan_page::ScanPage;
use super::verdict::{Decision, Extra, Leaning, decide, decide_empty, is_amount, leaning};
use super::wording::Wording;
use crate::render::GlyphRun;

/// Size of type where a place has none of its own, in pixels: 9.5 points.
const USUAL_SIZE: f32 = 26.4;

/// Labels that the network has to read before it decides alone.
const LABELS_TRIED: usize = 6;

/// The form's own ink from which on a pixel says nothing of a value.
const FIXED_INK: u8 = 40;

/// All of a place as a line of text, the form's own print taken out.
pub(super) fn place_as_line(seen: &Plane, form: &Plane, area: &Area) -> Option<Line> {
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
pub(super) struct Look<'a> {
    pub matcher: &'a Matcher,
    pub form: &'a FormPage,
    pub vote: GlyphVote<'a>,
    pub optics: Optics,
    pub own_type: bool,
    /// Whether the network can be relied on here, where it decides alone.
    pub readable: bool,
}

impl Look<'_> {
    /// Whether the network reads the form's own labels, of which is known what they say.
    pub fn reads_labels(&self) -> bool {
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
            line.and_then(|line| reader.read(&line, &claim.text, Wording::Free))
                .is_some_and(|it| it.margin > 0.0)
        });
        read.count() * 3 >= tried * 2 && tried > 0
    }

    pub fn field(&self, claim: &Claim) -> Decision {
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
    pub fn area(&self, claim: &Claim) -> Area {
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
        let dark = self.optics.dark * if self.vote.grey { 0.75 } else { 0.5 };
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
        let (_, middle) = claim.area.middle();
        let text = self.area(claim);
        // A character that was added to a text stands on its line and near it; one that was added to an amount, in
        // its row.
        let in_line = |blob: &Blob| {
            let (x, y) = blob.area.middle();
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
            let level = (blob.area.middle().1 - middle).abs() < 0.22 * size;
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
        reader.read(&line, &claim.text, Wording::of(&claim.name))
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
        let mut lines: Vec<i32> = claim.runs.iter().map(|run| run.baseline).collect();
        lines.sort_unstable();
        lines.dedup();
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
    pub fn slots(&self, scan: &ScanPage, registration: &Registration) -> Vec<SlotReport> {
        let dark = self.optics.dark * 0.4;
        let half = (self.form.ink[1].width, self.form.ink[1].height);
        let print = registration.rectified(&scan.print, half, 2);
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
