//! Glyphs as they are drawn on a form, and where a text really is on a scan of it.

use super::form::{Area, pixels};
use super::optics::Optics;
use super::patch::{Ink, Patch, correlate};
use super::plane::Plane;
use crate::render::{GlyphRun, PlacedGlyph, Renderer, Typeface};

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
    /// What the form prints besides the values.
    pub fixed: &'a Plane,
    /// All ink, if something red is printed.
    pub print: Option<&'a Plane>,
    /// Whether the scan has no colour.
    pub grey: bool,
    /// Whether it has no greys either.
    pub bilevel: bool,
}

impl GlyphVote<'_> {
    pub fn glyph(&self, typeface: Typeface, id: u16, size: f32, origin: (f32, f32)) -> Patch {
        self.renderer.coverage(typeface, id, size, origin).into()
    }

    /// A glyph where its run has it.
    pub fn printed(&self, run: &GlyphRun, glyph: &PlacedGlyph) -> Patch {
        let origin = (pixels(glyph.x), pixels(run.baseline));
        self.glyph(run.typeface, glyph.id, pixels(run.size), origin)
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
        let glyphs = runs
            .iter()
            .flat_map(|run| run.glyphs.iter().map(|glyph| self.printed(run, glyph)));
        Patch::around(&glyphs.collect::<Vec<_>>(), margin)
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
}
