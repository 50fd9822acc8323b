//! The first vote: are the glyphs that should be there a better explanation of the ink than any other?
//!
//! The claimed glyph and every other that could be mistaken for it are drawn as this scan would show them (position,
//! blur) and correlated with the ink. What a true glyph scores on this very scan is known from the form's own labels.

use super::form::{Area, Claim, pixels};
use super::optics::Optics;
use super::patch::{Ink, Patch, correlate};
use super::plane::Plane;
use super::seek::product;
use super::wording::Wording;
use crate::render::{GlyphRun, Renderer, Typeface};

/// How far a field's text may lie from where the registration has it, in pixels: 0.7 mm.
const LINE_SEARCH: i32 = 5;

/// How far it is sought where nothing like it is nearer, and how like it must not be.
const FAR_SEARCH: i32 = 11;
const ELSEWHERE: f32 = 0.45;

/// A place and those around it.
pub(super) const AROUND: [(i32, i32); 9] = [
    (0, 0),
    (-1, 0),
    (1, 0),
    (0, -1),
    (0, 1),
    (-1, -1),
    (1, 1),
    (-1, 1),
    (1, -1),
];

/// Correlation of a line that need not be sought further off.
const WELL_PLACED: f32 = 0.8;

/// Characters of a line that are placed together.
const SECTION: usize = 6;

/// How far a character may lie from where its line has it.
const GLYPH_SEARCH: i32 = 1;

/// Ink of its own by which a glyph can be ruled out, as a part of the claimed glyph's.
const RIVAL_INK: f32 = 0.12;

/// How much less a glyph may correlate where the claimed one is, to be sought around there as well.
const NEAR_FIT: f32 = 0.3;

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
    /// Where it is, in pixels of the form.
    pub area: Area,
}

/// What the first vote saw of a field.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sighting {
    pub glyphs: Vec<Seen>,
    /// How far the text lies from where it should be, in pixels.
    pub offset: (i32, i32),
}

/// Blur in pixels from which on the ink of a character's neighbours is seen in its own cell.
const BLURRED: f32 = 1.0;

/// Characters whose kind matters more than their shape.
pub(super) fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation() || "、，。：；（）·…—".contains(character)
}

/// Whether a run is red, as negative amounts are.
pub(super) fn is_red(run: &GlyphRun) -> bool {
    let colour = run.colour;
    colour.red > 0x70 && colour.red > colour.green.saturating_add(0x30)
}

/// The first vote over the fields of one registered page.
pub(super) struct GlyphVote<'a> {
    pub renderer: &'a Renderer,
    /// The scan as the form sees it: ink that is not red.
    pub black: &'a Plane,
    /// All ink, if something red is printed.
    pub print: Option<&'a Plane>,
    /// Whether the scan has no colour.
    pub grey: bool,
    /// Whether it has no greys either.
    pub bilevel: bool,
}

impl GlyphVote<'_> {
    pub fn glyph(&self, typeface: Typeface, id: u16, size: f32, origin: (f32, f32)) -> Patch {
        let drawn = self.renderer.coverage(typeface, id, size, origin);
        Patch {
            left: drawn.left,
            top: drawn.top,
            width: drawn.width,
            height: drawn.height,
            values: drawn.values,
        }
    }

    /// The plane that shows a run's colour.
    pub fn plane(&self, run: &GlyphRun) -> &Plane {
        match self.print {
            Some(print) if is_red(run) => print,
            _ => self.black,
        }
    }

    /// How dark a run's colour is on its plane: 1 for black.
    pub fn darkness(&self, run: &GlyphRun) -> f32 {
        let [red, green, blue] = [run.colour.red, run.colour.green, run.colour.blue].map(f32::from);
        let bright = if self.grey {
            0.299 * red + 0.587 * green + 0.114 * blue
        } else if is_red(run) {
            green
        } else {
            red.max(green).max(blue)
        };
        (1.0 - bright / 255.0).max(0.2)
    }

    /// All glyphs of some runs as one picture with a margin.
    pub fn line(&self, runs: &[GlyphRun], margin: i32) -> Patch {
        let glyphs: Vec<Patch> = runs
            .iter()
            .flat_map(|run| {
                run.glyphs.iter().map(|glyph| {
                    let origin = (pixels(glyph.x), pixels(run.baseline));
                    self.glyph(run.typeface, glyph.id, pixels(run.size), origin)
                })
            })
            .collect();
        let edge = |of: fn(&Patch) -> i32| glyphs.iter().map(of);
        let mut line = Patch::blank(
            edge(|it| it.left).min().unwrap_or(0) - margin,
            edge(|it| it.top).min().unwrap_or(0) - margin,
            edge(|it| it.left + it.width as i32).max().unwrap_or(0) + margin,
            edge(|it| it.top + it.height as i32).max().unwrap_or(0) + margin,
        );
        for glyph in &glyphs {
            line.add(glyph);
        }
        line
    }

    /// Where a line really is: the offset at which it correlates best, near an expected one.
    pub fn place(&self, line: &Patch, plane: &Plane, near: (i32, i32)) -> (i32, i32) {
        let pattern = line.centred();
        let score = |offset: (i32, i32)| {
            // What is near is preferred to what is as good further off.
            let off = ((offset.0 - near.0) as f32).hypot((offset.1 - near.1) as f32);
            correlate(&pattern, &Ink::cut(plane, line, offset)) - 0.004 * off
        };
        let mut best = (f32::MIN, near);
        for offset in AROUND.map(|(dx, dy)| (near.0 + dx, near.1 + dy)) {
            let score = score(offset);
            if score > best.0 {
                best = (score, offset);
            }
        }
        // Where the registration is good, that was it.
        if best.0 >= WELL_PLACED && best.1 == near {
            return best.1;
        }
        for reach in [LINE_SEARCH, FAR_SEARCH] {
            for dy in (-reach..=reach).step_by(2) {
                for dx in (-reach..=reach).step_by(2) {
                    let offset = (near.0 + dx, near.1 + dy);
                    let score = score(offset);
                    if score > best.0 {
                        best = (score, offset);
                    }
                }
            }
            if best.0 >= ELSEWHERE {
                break;
            }
        }
        let (x, y) = best.1;
        for offset in AROUND.map(|(dx, dy)| (x + dx, y + dy)) {
            let score = score(offset);
            if score > best.0 {
                best = (score, offset);
            }
        }
        best.1
    }

    /// The digit that stands in an area, if one clearly does.
    pub fn digit(&self, area: &Area, size: f32, optics: &Optics) -> Option<char> {
        let middle = area.middle();
        let mut best = (optics.usual - 0.2, None);
        for digit in '0'..='9' {
            let Some(shape) = self.renderer.shape(Typeface::Serif, digit) else {
                continue;
            };
            let drawn = self.glyph(shape.typeface, shape.id, size, (0.0, 0.0));
            let own = (
                drawn.left as f32 + drawn.width as f32 / 2.0,
                drawn.top as f32 + drawn.height as f32 / 2.0,
            );
            let origin = (middle.0 - own.0, middle.1 - own.1);
            let drawn = self.glyph(shape.typeface, shape.id, size, origin);
            let pattern = optics.shows(&drawn, 1.0).centred();
            for dy in -2..=2 {
                for dx in -2..=2 {
                    let score = correlate(&pattern, &Ink::cut(self.black, &drawn, (dx, dy)));
                    if score > best.0 {
                        best = (score, Some(digit));
                    }
                }
            }
        }
        best.1
    }

    /// What is seen of a claim.
    pub fn sight(&self, claim: &Claim, optics: &Optics) -> Sighting {
        let Some(first) = claim.runs.first() else {
            return Sighting::default();
        };
        let plane = self.plane(first);
        let darkness = self.darkness(first);
        let line = optics.shows(&self.line(&claim.runs, 2), darkness);
        let offset = self.place(&line, plane, (0, 0));
        let mut glyphs = Vec::new();
        let wording = Wording::of(&claim.name);
        for run in &claim.runs {
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
                    glyphs.extend(self.glyph_seen(
                        (run, &text, index),
                        (plane, offset),
                        wording,
                        optics,
                    ));
                }
            }
        }
        Sighting { glyphs, offset }
    }

    /// What a blurred scan shows of a character's neighbours in its cell; none where the scan is sharp.
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
            cell.top,
            cell.left + cell.width as i32 + reach,
            cell.top + cell.height as i32,
        );
        let neighbours = [index.checked_sub(1), index.checked_add(1)];
        for neighbour in neighbours.into_iter().flatten() {
            if let Some(glyph) = run.glyphs.get(neighbour) {
                let origin = (pixels(glyph.x), pixels(run.baseline));
                wide.add(&self.glyph(run.typeface, glyph.id, pixels(run.size), origin));
            }
        }
        let mut within = Patch::blank(
            cell.left,
            cell.top,
            cell.left + cell.width as i32,
            cell.top + cell.height as i32,
        );
        within.add(&wide.blurred(optics.blur));
        Some(within)
    }

    fn glyph_seen(
        &self,
        (run, text, index): (&GlyphRun, &[char], usize),
        (plane, offset): (&Plane, (i32, i32)),
        wording: Wording,
        optics: &Optics,
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
        // The cell: the glyph's own, as wide as its advance, as tall as digits or Han characters are.
        let wide = character.is_ascii() && !matches!(character, 'W' | 'M' | '@');
        let (above, below) = if wide { (0.80, 0.06) } else { (0.90, 0.14) };
        let right = next.map_or(start + advance, |next| next.min(start + advance));
        let mut cell = Patch::blank(
            (start - 1.0).floor() as i32,
            (baseline - above * size).floor() as i32,
            (right + 1.0).ceil() as i32,
            (baseline + below * size).ceil() as i32,
        );
        // A glyph that reaches beyond its cell is seen whole.
        cell = Patch::blank(
            cell.left.min(claimed.left),
            cell.top.min(claimed.top),
            (cell.left + cell.width as i32).max(claimed.left + claimed.width as i32),
            (cell.top + cell.height as i32).max(claimed.top + claimed.height as i32),
        );
        let inks: Vec<Ink> = (-GLYPH_SEARCH..=GLYPH_SEARCH)
            .flat_map(|dy| (-GLYPH_SEARCH..=GLYPH_SEARCH).map(move |dx| (dx, dy)))
            .map(|(dx, dy)| Ink::cut(plane, &cell, (offset.0 + dx, offset.1 + dy)))
            .collect();
        let darkness = self.darkness(run);
        let pattern = |glyph: &Patch| {
            let mut pattern = Patch::blank(
                cell.left,
                cell.top,
                cell.left + cell.width as i32,
                cell.top + cell.height as i32,
            );
            pattern.add(glyph);
            optics.shows(&pattern, darkness)
        };
        let best = |centred: &(Vec<f32>, f32)| {
            let scores = inks.iter().map(|ink| correlate(centred, ink));
            scores.enumerate().fold(
                (0, -1.0f32),
                |best, it| if it.1 > best.1 { it } else { best },
            )
        };
        let own = pattern(&claimed);
        let beside = self.beside((run, index), &cell, optics);
        let centred = |drawn: &Patch| match &beside {
            Some(beside) => drawn.with(beside).centred(),
            None => drawn.centred(),
        };
        let own_centred = centred(&own);
        let (at, fit) = best(&own_centred);
        let dark = optics.full(darkness);
        let absent = inks
            .iter()
            .map(|ink| own.absent(ink, dark, None))
            .fold(1.0, f32::min);
        let (mut other, mut refuted, mut decided) = ((' ', -1.0f32), 1.0f32, 1.0f32);
        let alternatives = if is_punctuation(character) {
            Vec::new()
        } else {
            wording.instead_of(text, index)
        };
        for alternative in alternatives {
            let found = self.renderer.shape(run.typeface, alternative);
            let Some(shape) = found.or_else(|| self.renderer.shape(Typeface::Serif, alternative))
            else {
                continue;
            };
            // In the middle of the same place.
            let ems = size / 1000.0;
            let origin =
                start + (advance - shape.advance as f32 * ems) / 2.0 + shape.shift as f32 * ems;
            let drawn = pattern(&self.glyph(shape.typeface, shape.id, size, (origin, baseline)));
            // Most alternatives are so far off that a pixel to the side does not help them.
            let centred = centred(&drawn);
            let mut score = correlate(&centred, &inks[at]);
            if score > fit - NEAR_FIT {
                score = best(&centred).1;
            }
            if score > other.1 {
                other = (alternative, score);
            }
            let common = product(&centred.0, &own_centred.0);
            let common = common / (centred.1 * own_centred.1).max(1e-3);
            decided = decided.min((fit - score) / (1.0 - common).max(0.01));
            let own_ink = drawn.beyond(&own);
            let lacking = if own_ink >= RIVAL_INK * own.mass() {
                drawn.absent(&inks[at], dark, Some(&own))
            } else {
                1.0 - own.absent(&inks[at], dark, Some(&drawn))
            };
            refuted = refuted.min(lacking);
        }
        let area = |at: i32, more: i32| (at + more) as f32;
        Some(Seen {
            claimed: character,
            fit,
            other: other.0,
            other_fit: other.1,
            decided,
            absent,
            refuted,
            area: Area {
                left: area(cell.left, offset.0),
                top: area(cell.top, offset.1),
                right: area(cell.left + cell.width as i32, offset.0),
                bottom: area(cell.top + cell.height as i32, offset.1),
            },
        })
    }
}
