//! How this scan shows type, which is known from the form's own labels: what they say is sure.

use super::glyphs::{AROUND, GlyphVote};
use super::patch::{Ink, Patch, correlate};
use super::plane::Plane;
use super::seek::product;
use super::thresholds::Thresholds;
use crate::render::GlyphRun;

/// How blurred a scan may be, in pixels (standard deviation). The best of these is refined half a step each way.
const BLURS: [f32; 8] = [0.45, 0.8, 1.15, 1.55, 2.0, 2.6, 3.2, 3.8];

/// Labels that the blur is measured on.
const LABELS_MAX: usize = 24;

/// Parts of full ink from which on a scan in black and white may show it. Below, it is paper.
const CUTS: [f32; 6] = [0.25, 0.35, 0.45, 0.55, 0.65, 0.75];

/// How unevenly a scan cuts, as a part of full ink: noise, and where a stroke falls between two rows of pixels.
const CUT_EDGE: f32 = 0.2;

/// How much less labels may correlate where thin strokes are lost.
const CUT_LOST: f32 = 0.1;

/// Blur in pixels of what was cut, from laying it on the form.
const CUT_BLUR: f32 = 0.5;

/// Part of the ink in a word's place that must be its own, on a scan in black and white.
const OWN_INK: f32 = 0.75;

/// Blur in pixels from which on a dense character has ink wherever another has.
const COVERING: f32 = 1.8;

/// How many times what the labels lack of a perfect correlation a glyph may lack and be no less like itself, and what
/// every glyph may lack.
const USUAL_MISFITS: f32 = 1.8;
const MISFIT_LEAST: f32 = 0.002;
/// How many times for one that may be what is printed there.
const POSSIBLE_MISFITS: f32 = 2.6;

/// How this scan shows type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Optics {
    /// Blur in pixels (standard deviation).
    pub blur: f32,
    /// Part of full ink from which on it is black, if the scan is in black and white: thin strokes are lost.
    pub cut: Option<f32>,
    /// Darkness of full ink, 0 to 255.
    pub dark: f32,
    /// Correlation of a true glyph: the median of the labels.
    pub usual: f32,
    /// Part of their ink that is not there: nine of ten labels lack less.
    pub absent: f32,
    /// How far labels lie from each other's offset, in pixels: the median.
    pub scatter: f32,
}

/// The value below which so many tenths of the values are: 5 for the median.
fn reached_by(tenths: usize, mut values: Vec<f32>) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    values.get(values.len() * tenths / 10).copied()
}

impl Optics {
    /// What the scan makes of a drawing in a colour that is so dark.
    pub fn shows(&self, drawn: &Patch, darkness: f32) -> Patch {
        let blurred = drawn.blurred(self.blur);
        let Some(cut) = self.cut else {
            return blurred;
        };
        let black = |ink: &f32| ((ink * darkness - cut) / CUT_EDGE + 0.5).clamp(0.0, 1.0);
        let values = blurred.values.iter().map(black).collect();
        Patch { values, ..blurred }.blurred(CUT_BLUR)
    }

    /// Whether labels look as in the form's own type, and lie where it has them.
    pub fn shows_own_type(&self, at: &Thresholds) -> bool {
        let lost = if self.cut.is_some() { CUT_LOST } else { 0.0 };
        self.usual >= at.own_type - lost && self.scatter <= at.scatter
    }

    /// Whether a dense character has ink wherever another has: that all of a claim's ink is there says nothing then.
    pub fn is_covering(&self) -> bool {
        self.blur >= COVERING
    }

    /// Whether strokes run into each other, or get lost.
    pub fn is_coarse(&self) -> bool {
        self.is_covering() || self.cut.is_some()
    }

    /// Whether ink is as like a glyph as labels are like themselves on this scan, or not much less.
    pub fn is_usual(&self, fit: f32) -> bool {
        self.misfits(fit) <= USUAL_MISFITS
    }

    /// Whether it may be that glyph: a thin one on a sharp scan is less like itself than most labels are.
    pub fn is_possible(&self, fit: f32) -> bool {
        self.misfits(fit) <= POSSIBLE_MISFITS
    }

    /// How many times what labels lack of a perfect correlation a glyph lacks.
    fn misfits(&self, fit: f32) -> f32 {
        (1.0 - fit) / (1.0 - self.usual + MISFIT_LEAST)
    }

    /// How much ink is in the place of a character on a scan in black and white, and how much of it is its own: strokes
    /// are lost there, but none come up.
    fn all_and_own(&self, character: &Patch, ink: &Ink) -> (f32, f32) {
        let near = character.blurred(1.0);
        let (mut all, mut own) = (0.0, 0.0);
        for (seen, near) in ink.values.iter().zip(&near.values) {
            let seen = (seen / self.dark).min(1.0);
            all += seen;
            own += seen.min(4.0 * near);
        }
        (all, own)
    }

    /// Darkness of full ink in a colour that is so dark.
    pub fn full(&self, darkness: f32) -> f32 {
        match self.cut {
            Some(_) => self.dark,
            None => self.dark * darkness,
        }
    }
}

/// A label's picture, where it is looked for and how far from there it is, and how dark its colour is.
type LabelSeen<'a> = (Patch, &'a Plane, (i32, i32), f32);

/// A scan of this blur and cut: how dark it is then, and how much labels correlate.
fn seen_through(labels: &[LabelSeen], optics: Optics) -> Optics {
    let (mut fits, mut darks) = (Vec::new(), Vec::new());
    for (label, plane, offset, darkness) in labels {
        let centred = optics.shows(label, *darkness).centred();
        let ink = Ink::cut(plane, label, *offset);
        fits.push(correlate(&centred, &ink));
        let (own, norm) = centred;
        let dark = product(&own, &ink.values) / (norm * norm).max(1e-3);
        let pale = if optics.cut.is_some() { 1.0 } else { *darkness };
        darks.push(dark / pale);
    }
    Optics {
        dark: reached_by(5, darks).unwrap_or(200.0).clamp(20.0, 255.0),
        usual: reached_by(5, fits).unwrap_or(0.0),
        ..optics
    }
}

impl GlyphVote<'_> {
    /// How the scan shows the form's own labels.
    pub fn optics(&self, labels: &[GlyphRun]) -> Optics {
        let step = (labels.len() / LABELS_MAX).max(1);
        let chosen: Vec<&GlyphRun> = labels.iter().step_by(step).take(LABELS_MAX).collect();
        let mut best = Optics {
            blur: BLURS[0],
            cut: None,
            dark: 200.0,
            usual: 0.0,
            absent: 0.0,
            scatter: 0.0,
        };
        let lines: Vec<LabelSeen> = chosen
            .iter()
            .map(|run| {
                let line = self.line(std::slice::from_ref(*run), 2);
                let plane = self.plane(run);
                let offset = self.place(&line.blurred(1.0), plane, (0, 0));
                (line, plane, offset, self.darkness(run))
            })
            .collect();
        let cuts = CUTS.iter().copied().map(Some).filter(|_| self.bilevel);
        for cut in std::iter::once(None).chain(cuts) {
            let mut most = 0.0;
            for blur in BLURS {
                let tried = seen_through(&lines, Optics { blur, cut, ..best });
                if tried.usual < most - 0.02 {
                    break;
                }
                most = tried.usual.max(most);
                if tried.usual > best.usual {
                    best = tried;
                }
            }
        }
        let at = BLURS.iter().position(|it| *it == best.blur).unwrap_or(0);
        let steps = [at.wrapping_sub(1), at + 1];
        for step in steps.into_iter().filter_map(|it| BLURS.get(it)) {
            let blur = (step + BLURS[at]) / 2.0;
            let tried = seen_through(&lines, Optics { blur, ..best });
            if tried.usual > best.usual {
                best = tried;
            }
        }
        let absent: Vec<f32> = lines
            .iter()
            .map(|(line, plane, offset, darkness)| {
                let ink = Ink::cut(plane, line, *offset);
                let shown = best.shows(line, *darkness);
                shown.absent(&ink, best.full(*darkness), None)
            })
            .collect();
        best.absent = reached_by(9, absent).unwrap_or(0.0);
        let middle = |of: fn(&(i32, i32)) -> i32| {
            let mut values: Vec<i32> = lines.iter().map(|it| of(&it.2)).collect();
            values.sort_unstable();
            values.get(values.len() / 2).copied().unwrap_or(0)
        };
        let (x, y) = (middle(|it| it.0), middle(|it| it.1));
        let off: Vec<f32> = lines
            .iter()
            .map(|it| ((it.2.0 - x) as f32).hypot((it.2.1 - y) as f32))
            .collect();
        best.scatter = reached_by(5, off).unwrap_or(0.0);
        best
    }

    /// Whether ink in the places of a word's characters is another word's, on a scan in black and white.
    fn is_other(&self, run: &GlyphRun, (dx, dy): (i32, i32), optics: &Optics) -> bool {
        let (mut all, mut own) = (0.0, 0.0);
        for glyph in &run.glyphs {
            let drawn = self.printed(run, glyph);
            let part = optics.all_and_own(&drawn, &Ink::cut(self.plane(run), &drawn, (dx, dy)));
            (all, own) = (all + part.0, own + part.1);
        }
        own < OWN_INK * all
    }

    /// A label of the form whose ink is not there: something else stands in its place. What is only written over is.
    pub fn other_label<'l>(
        &self,
        labels: &'l [GlyphRun],
        optics: &Optics,
        at: &Thresholds,
    ) -> Option<&'l GlyphRun> {
        let most = optics.absent.min(at.fading) + at.other_word;
        labels.iter().find(|run| {
            let line = self.line(std::slice::from_ref(*run), 2);
            let plane = self.plane(run);
            let offset = self.place(&line.blurred(1.0), plane, (0, 0));
            let darkness = self.darkness(run);
            if optics.cut.is_some() {
                // Of a pale word too little may be left to place it by. What is only written over has its own ink as well.
                let shown = optics.shows(&line, darkness);
                let is_gone = |place: &(i32, i32)| {
                    let ink = Ink::cut(plane, &line, *place);
                    shown.absent(&ink, optics.full(darkness), None) > most
                };
                let places = [offset, (0, 0)];
                return places
                    .iter()
                    .all(|at| self.is_other(run, *at, optics) && is_gone(at));
            }
            // In a typeface that is only much alike, no single character tells, not as a word either.
            if optics.usual < at.sure_type {
                if run.glyphs.len() < 2 {
                    return false;
                }
                let ink = Ink::cut(plane, &line, offset);
                let all = line.blurred(optics.blur).centred();
                return correlate(&all, &ink) < optics.usual - 2.0 * at.fit;
            }
            run.glyphs.iter().any(|glyph| {
                let drawn = optics.shows(&self.printed(run, glyph), darkness);
                let mut around = AROUND.iter();
                let is_gone = |(dx, dy): &(i32, i32)| {
                    let ink = Ink::cut(plane, &drawn, (offset.0 + dx, offset.1 + dy));
                    drawn.absent(&ink, optics.full(darkness), None) > most
                };
                glyph.character.is_alphanumeric() && around.all(is_gone)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scan in black and white that shows ink from this part of full ink on.
    fn cutting(cut: f32) -> Optics {
        Optics {
            blur: 0.5,
            cut: Some(cut),
            dark: 200.0,
            usual: 0.9,
            absent: 0.1,
            scatter: 0.0,
        }
    }

    /// A thick upright stroke and a hairline beside it, with ink that is so dark.
    fn strokes(thick: f32, hairline: f32) -> Patch {
        let mut patch = Patch::blank(0, 0, 24, 24);
        for row in patch.values.chunks_exact_mut(24) {
            row[5..9].fill(thick);
            row[16] = hairline;
        }
        patch
    }

    #[test]
    fn a_scan_in_black_and_white_loses_thin_and_pale_strokes_and_thickens_no_paper() {
        let at = |patch: &Patch, x: usize| patch.values[12 * 24 + x];
        let shown = cutting(0.65).shows(&strokes(1.0, 0.6), 1.0);
        assert!(
            at(&shown, 7) > 0.9 && at(&shown, 16) < 0.05,
            "{:?}",
            &shown.values[..24]
        );
        let shown = cutting(0.25).shows(&strokes(1.0, 0.6), 1.0);
        assert!(at(&shown, 7) > 0.9 && at(&shown, 16) > 0.4);
        let pale = cutting(0.65).shows(&strokes(1.0, 1.0), 0.5);
        assert!(at(&pale, 7) < 0.05);
        // With greys, both are as dark as they are.
        let grey = Optics {
            cut: None,
            ..cutting(0.5)
        };
        assert!(at(&grey.shows(&strokes(1.0, 0.6), 1.0), 16) > 0.3);
    }

    #[test]
    fn a_word_that_has_lost_strokes_is_itself_and_one_that_has_others_is_not() {
        let word = strokes(1.0, 1.0);
        let seen = |patch: &Patch| {
            let mut plane = Plane::new(24, 24);
            for (into, from) in plane.values.iter_mut().zip(&patch.values) {
                *into = (from * 200.0) as u8;
            }
            Ink::cut(&plane, patch, (0, 0))
        };
        let optics = cutting(0.65);
        let own_part = |patch: &Patch| {
            let (all, own) = optics.all_and_own(&word, &seen(patch));
            own / all
        };
        assert!(own_part(&word) > 0.99 && own_part(&strokes(1.0, 0.0)) > 0.99);
        let mut another = strokes(0.0, 1.0);
        for row in another.values.chunks_exact_mut(24) {
            row[10..14].fill(1.0);
        }
        assert!(own_part(&another) < OWN_INK);
    }
}
