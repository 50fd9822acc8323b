//! Where the verdicts part: all thresholds of the decision.

use serde::{Deserialize, Serialize};

/// Where the verdicts part. The defaults are calibrated with `make bench PART=match` (see docs/matching.md).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// Part of the form's own print that must be found in its place.
    pub found: f32,
    /// How far from there it may be, in pixels at 200 dots per inch.
    pub residual: f32,
    /// Correlation of labels from which on the form is printed in its own type.
    pub own_type: f32,
    /// Correlation of labels from which on that is sure and single characters tell: between the two it may be a typeface
    /// that is much alike, or a scan that has lost strokes.
    pub sure_type: f32,
    /// Correlation of labels from which on another character that fits as they do and is nearer is what is printed there.
    pub displaced: f32,
    /// How far such labels may lie apart from where the form has them, in pixels.
    pub scatter: f32,
    /// How much less a glyph may correlate than labels usually do and be clearly there.
    pub fit: f32,
    /// How much more one glyph must correlate than another to be clearly it, whatever the noise.
    pub margin: f32,
    /// How far the ink must be from the middle between the claimed glyph and any that looks like it to be clearly the
    /// claimed one, 0 to 1.
    pub decided: f32,
    /// How far on a scan so coarse that a dense character covers others, where not all were tried; and where all common ones
    /// were, if the ink is less like it than labels are like themselves.
    pub decided_coarse: f32,
    /// How far where all common characters, or all that could stand there, were tried, and the ink is as like it as labels are
    /// like themselves or little less.
    pub decided_likest: f32,
    /// How far there on a scan in black and white that has lost many strokes.
    pub decided_frayed: f32,
    /// Correlation of labels below which a scan has lost so many.
    pub legible: f32,
    /// How far to be clearly the other glyph.
    pub decided_other: f32,
    /// Part of its ink that a glyph must lack to be missing.
    pub missing: f32,
    /// Part of its ink that a glyph may lack, more than labels do, and be clearly there.
    pub absent: f32,
    /// Part of its ink that a claim may lack and still be all there.
    pub whole: f32,
    /// Part of their ink that labels may lack and still tell what a value may lack. Where they lack more, it is their
    /// colour that has faded.
    pub fading: f32,
    /// Part of their ink that labels must lack, on a hard black-and-white scan, before a stroke that is not there says nothing.
    pub frayed: f32,
    /// Darkness of the form's print, of 255, below which nothing is said.
    pub pale: f32,
    /// Part of the ink that a word of the form may lack, more than such words do on the scan, before it is another word.
    pub other_word: f32,
    /// Part of the ink that every other glyph would have to have and has not, from which on it is ruled out, whatever
    /// is written over it.
    pub refuted: f32,
    /// How much likelier (natural logarithm) the network must find the claim than any other string, where the glyphs
    /// lean the same way.
    pub reads: f32,
    /// How much likelier where the glyphs lean the same way and all of their ink is there, with something written over it.
    pub reads_under: f32,
    /// How much likelier where the network decides alone, because the type is not the form's own.
    pub reads_alone: f32,
    /// How much likelier the quick network must find it there, so that the careful one need not look.
    pub reads_quickly: f32,
    /// How much likelier another string must be to be clearly there instead; twice as much in another type.
    pub reads_other: f32,
    /// How much likelier where the glyphs are against the claim as well.
    pub reads_against: f32,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds {
            found: 0.5,
            residual: 1.6,
            own_type: 0.85,
            sure_type: 0.93,
            displaced: 0.95,
            scatter: 1.5,
            fit: 0.2,
            margin: 0.012,
            decided: 0.25,
            decided_coarse: 0.3,
            decided_likest: 0.06,
            decided_frayed: 0.5,
            legible: 0.9,
            decided_other: 0.5,
            missing: 0.8,
            absent: 0.12,
            whole: 0.02,
            fading: 0.2,
            frayed: 0.3,
            pale: 60.0,
            other_word: 0.3,
            refuted: 0.35,
            reads: 0.3,
            reads_under: 1.0,
            reads_alone: 2.0,
            reads_quickly: 4.0,
            reads_other: 3.0,
            reads_against: 1.0,
        }
    }
}
