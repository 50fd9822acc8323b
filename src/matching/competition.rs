//! The first vote: are the glyphs that should be there a better explanation of the ink than any other?
//!
//! The claimed glyph and every other that could be mistaken for it are drawn as this scan would show them (position,
//! blur) and correlated with the ink. What a true glyph scores on this very scan is known from the form's own labels.

use super::alike::{ALTERNATIVES, LIKENESS_BLUR, LIKENESS_SIZE, correlates_at_most, likeness};
use super::cells::{Cells, Glyph, cell};
use super::claim::Claim;
use super::form::{Area, pixels};
use super::glyphs::{AROUND, GlyphVote, is_punctuation};
use super::looks::{Looks, Place, is_han};
use super::optics::Optics;
use super::patch::{Ink, Patch, correlate};
use super::plane::Plane;
use super::same::is_sign;
use super::seek::product;
use super::wording::Wording;
use crate::render::{GlyphRun, Typeface};

/// Characters of a line that are placed together.
const SECTION: usize = 6;

/// How many look-alikes a Han character has to beat that fits as it should; any other has to beat all that are known.
const ALIKE: usize = 8;

/// How far from the middle between a Han character and the hardest of its look-alikes the ink must be, for no others to
/// be tried.
const DECIDED: f32 = 0.5;

/// How much less than the claimed glyph another must correlate with the ink at least, not to be drawn at all.
const FAR: f32 = 0.03;

/// How much less ink may be like a glyph than labels are like themselves and be looked for among all characters: where
/// something is written over it, it looks like denser ones.
const HIDDEN: f32 = 0.2;
/// How much less, for the claim to be held against all characters as a part of the ink.
const COVERED: f32 = 0.1;

/// How far from where its line has it a character is sought that does not fit there, in pixels.
const FARTHER: i32 = 3;

/// Ink of its own by which a glyph can be ruled out, as a part of the claimed glyph's.
const RIVAL_INK: f32 = 0.12;

/// How much less a glyph may correlate where the claimed one is, to be sought around there as well.
const NEAR_FIT: f32 = 0.3;

/// Blur in pixels from which on the ink of a character's neighbours is seen in its own cell.
const BLURRED: f32 = 1.0;

/// Which characters a claimed one was held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tried {
    /// Those that look most like it.
    Alike,
    /// Those, and of all common characters those that the ink looks most like.
    Likest,
    /// Every one that could stand there instead.
    All,
}

/// A character of a claim as it was seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub claimed: char,
    /// Correlation of the ink with the claimed glyph, -1 to 1.
    pub fit: f32,
    /// The best of the others.
    pub other: char,
    /// Its correlation.
    pub other_fit: f32,
    /// How far the ink is from the middle between the claimed glyph and the hardest rival: 1 where it is exactly the
    /// claimed one, -1 where it is exactly the rival, whatever the two have in common.
    pub decided: f32,
    /// Part of the claimed glyph's ink that is not there, 0 to 1: nothing that is written over a glyph takes ink away.
    pub absent: f32,
    /// The part of its own ink that is not there, 0 to 1, of the glyph that is hardest to rule out by that.
    pub refuted: f32,
    /// Which others were tried.
    pub tried: Tried,
    /// Whether no common character explains the ink better, where something may be written over it.
    pub first: bool,
    /// Where it is, in pixels of the form.
    pub area: Area,
    /// Which of the claim's runs and which glyph of that it is.
    pub index: (usize, usize),
    /// How far from where the form has it, in pixels.
    pub offset: (i32, i32),
}

/// What the first vote saw of a field.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sighting {
    pub glyphs: Vec<Seen>,
    /// How far the text lies from where it should be, in pixels.
    pub offset: (i32, i32),
}

impl Sighting {
    /// The same without the sign before an amount.
    pub fn unsigned(mut self) -> Sighting {
        self.glyphs.retain(|seen| !is_sign(seen.claimed));
        self
    }
}

/// Another character in a claimed one's place, or the hardest of several in each respect.
#[derive(Debug, Clone, Copy)]
struct Rival {
    character: char,
    fit: f32,
    decided: f32,
    refuted: f32,
}

impl Rival {
    /// None at all.
    const NONE: Rival = Rival {
        character: ' ',
        fit: -1.0,
        decided: 1.0,
        refuted: 1.0,
    };

    /// One that is as like the claimed glyph as is known, where that correlates with the ink by `claimed`, as hard as it can be.
    fn at_most(character: char, claimed: f32, likeness: f32) -> Rival {
        let fit = correlates_at_most(claimed, likeness);
        Rival {
            character,
            fit,
            decided: (claimed - fit) / (1.0 - likeness).max(0.01),
            refuted: 1.0,
        }
    }

    /// Whether nothing but the claimed glyph comes into question, without a closer look.
    fn is_far_from(&self, claimed: f32) -> bool {
        self.decided >= DECIDED && claimed - self.fit >= FAR
    }

    /// The hardest of this and others.
    fn or_harder(self, others: impl Iterator<Item = Rival>) -> Rival {
        others.fold(self, |hardest, other| {
            let better = if other.fit > hardest.fit {
                other
            } else {
                hardest
            };
            Rival {
                decided: hardest.decided.min(other.decided),
                refuted: hardest.refuted.min(other.refuted),
                ..better
            }
        })
    }
}

impl GlyphVote<'_> {
    /// What is seen of a claim.
    pub fn sight(&self, claim: &Claim, optics: &Optics, cells: &Cells) -> Sighting {
        let Some(first) = claim.runs.first() else {
            return Sighting::default();
        };
        let plane = self.plane(first);
        let darkness = self.darkness(first);
        let line = optics.shows(&self.line(&claim.runs, 2), darkness);
        let offset = self.place(&line, plane, (0, 0));
        let mut glyphs = Vec::new();
        let wording = Wording::of(&claim.name);
        for (of, run) in claim.runs.iter().enumerate() {
            let text: Vec<char> = run.glyphs.iter().map(|it| it.character).collect();
            for part in 0..run.glyphs.len().div_ceil(SECTION) {
                let section = part * SECTION..((part + 1) * SECTION).min(run.glyphs.len());
                // Paper bends within a long line, too.
                let offset = if run.glyphs.len() > SECTION {
                    let own = GlyphRun {
                        glyphs: run.glyphs[section.clone()].to_vec(),
                        ..run.clone()
                    };
                    let line = self.line(std::slice::from_ref(&own), 2);
                    self.place(&optics.shows(&line, darkness), plane, offset)
                } else {
                    offset
                };
                for index in section {
                    let seen = self.glyph_seen(
                        (run, &text, index),
                        (plane, offset),
                        wording,
                        (optics, cells),
                    );
                    glyphs.extend(seen.map(|seen| Seen {
                        index: (of, index),
                        ..seen
                    }));
                }
            }
        }
        Sighting { glyphs, offset }
    }

    /// What a blurred scan shows in a character's cell of its neighbours and of the form's own print; none where the scan
    /// is sharp.
    fn beside(
        &self,
        (run, index): (&GlyphRun, usize),
        cell: &Patch,
        optics: &Optics,
    ) -> Option<Patch> {
        if optics.blur < BLURRED || optics.cut.is_some() {
            return None;
        }
        let reach = (3.0 * optics.blur).ceil() as i32;
        let mut wide = Patch::blank(
            cell.left - reach,
            cell.top - reach,
            cell.left + cell.width as i32 + reach,
            cell.top + cell.height as i32 + reach,
        );
        let neighbours = [index.checked_sub(1), index.checked_add(1)];
        for neighbour in neighbours.into_iter().flatten() {
            if let Some(glyph) = run.glyphs.get(neighbour) {
                wide.add(&self.printed(run, glyph));
            }
        }
        let mut printed = Patch::cut(self.fixed, &wide, (0, 0));
        let full = 255.0 * self.darkness(run);
        printed.values.iter_mut().for_each(|it| *it /= full);
        let mut within = cell.blank_beneath();
        within.add(&wide.with(&printed).blurred(optics.blur));
        Some(within)
    }

    fn glyph_seen(
        &self,
        (run, text, index): (&GlyphRun, &[char], usize),
        (plane, offset): (&Plane, (i32, i32)),
        wording: Wording,
        (optics, cells): (&Optics, &Cells),
    ) -> Option<Seen> {
        let glyph = run.glyphs.get(index)?;
        let (id, character, x) = (glyph.id, glyph.character, pixels(glyph.x));
        let next = run.glyphs.get(index + 1).map(|next| pixels(next.x));
        let hyphen = wording == Wording::Amount && is_punctuation(character);
        if character.is_whitespace() || hyphen {
            return None;
        }
        let size = pixels(run.size);
        let baseline = pixels(run.baseline);
        let claimed = self.glyph(run.typeface, id, size, (x, baseline));
        let shape = self.renderer.shape(run.typeface, character);
        let advance = shape.map_or(size, |shape| shape.advance as f32 * size / 1000.0);
        // Where the character begins; its glyph may be shifted from there.
        let start = x - shape.map_or(0.0, |shape| shape.shift as f32 * size / 1000.0);
        let right = next.map_or(start + advance, |next| next.min(start + advance));
        let cell = cell(character, (start, right), (baseline, size), &claimed);
        let cut = |(dx, dy)| Ink::cut(plane, &cell, (offset.0 + dx, offset.1 + dy));
        let darkness = self.darkness(run);
        let again = wording.is_closed(character);
        let shown = |typeface: Typeface, id: u16, origin: (f32, f32)| {
            let glyph = Glyph {
                typeface,
                id,
                size,
                origin,
            };
            let draw = |it: Glyph| self.glyph(it.typeface, it.id, it.size, it.origin);
            cells.shown((glyph, again), &cell, (optics, darkness), draw)
        };
        let best = |centred: &(Vec<f32>, f32), inks: &[Ink]| {
            let scores = inks.iter().map(|ink| correlate(centred, ink));
            scores.enumerate().fold(
                (0, -1.0f32),
                |best, it| if it.1 > best.1 { it } else { best },
            )
        };
        let own_shown = shown(run.typeface, id, (x, baseline));
        let own = &own_shown.drawn;
        let beside = self.beside((run, index), &cell, optics);
        let own_centred = own_shown.centred(beside.as_ref());
        let mut inks: Vec<Ink> = AROUND.map(cut).into();
        let (mut at, mut fit) = best(&own_centred, &inks);
        // On bent paper a character may lie farther from where its line has it, and then so may its rivals.
        let moved = !optics.is_usual(fit) && !optics.is_coarse();
        let mut places = AROUND.to_vec();
        if moved {
            let all =
                (-FARTHER..=FARTHER).flat_map(|dy| (-FARTHER..=FARTHER).map(move |dx| (dx, dy)));
            places.extend(all.filter(|place| !AROUND.contains(place)));
            inks.extend(places[AROUND.len()..].iter().copied().map(cut));
            (at, fit) = best(&own_centred, &inks);
        }
        let dark = optics.full(darkness);
        let absent = inks
            .iter()
            .map(|ink| own.absent(ink, dark, None))
            .fold(1.0, f32::min);
        // What fits as labels do is it, unless one of its likest fits as well.
        let sure = optics.is_usual(fit) && !optics.is_coarse();
        let as_measured = run.typeface == Typeface::Serif
            && size >= LIKENESS_SIZE
            && optics.blur <= LIKENESS_BLUR;
        let rival = |alternative: char| -> Option<Rival> {
            let likeness = if sure && as_measured {
                likeness(character, alternative)
            } else {
                None
            };
            let far = likeness.map(|likeness| Rival::at_most(alternative, fit, likeness));
            if let Some(far) = far.filter(|it| it.is_far_from(fit)) {
                return Some(far);
            }
            let found = self.renderer.shape(run.typeface, alternative);
            let shape = found.or_else(|| self.renderer.shape(Typeface::Serif, alternative))?;
            // In the middle of the same place.
            let ems = size / 1000.0;
            let origin =
                start + (advance - shape.advance as f32 * ems) / 2.0 + shape.shift as f32 * ems;
            let shown = shown(shape.typeface, shape.id, (origin, baseline));
            let drawn = &shown.drawn;
            // Most alternatives are so far off that a pixel to the side does not help them.
            let centred = shown.centred(beside.as_ref());
            let mut score = correlate(&centred, &inks[at]);
            if moved || score > fit - NEAR_FIT {
                score = best(&centred, &inks).1;
            }
            let common = product(&centred.0, &own_centred.0);
            let common = common / (centred.1 * own_centred.1).max(1e-3);
            let own_ink = drawn.beyond(own);
            let lacking = if own_ink >= RIVAL_INK * own.mass() {
                drawn.absent(&inks[at], dark, Some(own))
            } else {
                1.0 - own.absent(&inks[at], dark, Some(drawn))
            };
            Some(Rival {
                character: alternative,
                fit: score,
                decided: (fit - score) / (1.0 - common).max(0.01),
                refuted: lacking,
            })
        };
        let alike = match is_punctuation(character) {
            true => Vec::new(),
            false => wording.instead_of(text, index, if sure { ALIKE } else { ALTERNATIVES }),
        };
        let mut hardest = Rival::NONE.or_harder(alike.iter().copied().filter_map(rival));
        let han = is_han(character);
        let place = Place {
            left: start + (offset.0 + places[at].0) as f32,
            baseline: baseline + (offset.1 + places[at].1) as f32,
            size,
        };
        let looks = || Looks::at_blur(self.renderer, optics.blur);
        let clear = sure && hardest.decided >= DECIDED && !alike.is_empty();
        let tried = match wording.is_closed(character) {
            true => Tried::All,
            false if han && fit >= optics.usual - HIDDEN && !clear => Tried::Likest,
            false => Tried::Alike,
        };
        if tried == Tried::Likest {
            let others = looks().likest(plane, place).into_iter();
            let others = others.filter(|it| *it != character && !alike.contains(it));
            hardest = hardest.or_harder(others.filter_map(rival));
        }
        let area = |at: i32, more: i32| (at + more) as f32;
        Some(Seen {
            claimed: character,
            fit,
            other: hardest.character,
            other_fit: hardest.fit,
            decided: hardest.decided,
            absent,
            refuted: hardest.refuted,
            tried,
            first: han
                && fit < optics.usual - COVERED
                && looks().is_first(character, plane, place, dark),
            area: Area {
                left: area(cell.left, offset.0),
                top: area(cell.top, offset.1),
                right: area(cell.left + cell.width as i32, offset.0),
                bottom: area(cell.top + cell.height as i32, offset.1),
            },
            index: (0, index),
            offset: (offset.0 + places[at].0, offset.1 + places[at].1),
        })
    }
}
