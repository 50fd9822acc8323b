//! How this scan shows type, which is known from the form's own labels: what they say is sure.

use super::form::pixels;
use super::glyphs::{AROUND, GlyphVote, is_punctuation};
use super::patch::{Ink, Patch, correlate};
use super::plane::Plane;
use super::seek::product;
use super::thresholds::Thresholds;
use crate::render::GlyphRun;

/// How blurred a scan may be, in pixels (standard deviation).
const BLURS: [f32; 6] = [0.45, 0.8, 1.15, 1.55, 2.0, 2.6];

/// Labels that the blur is measured on.
const LABELS_MAX: usize = 24;

/// How this scan shows type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Optics {
    /// Blur in pixels (standard deviation).
    pub blur: f32,
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

impl GlyphVote<'_> {
    /// How the scan shows the form's own labels.
    pub fn optics(&self, labels: &[GlyphRun]) -> Optics {
        let step = (labels.len() / LABELS_MAX).max(1);
        let chosen: Vec<&GlyphRun> = labels.iter().step_by(step).take(LABELS_MAX).collect();
        let mut best = Optics {
            blur: BLURS[0],
            dark: 200.0,
            usual: 0.0,
            absent: 0.0,
            scatter: 0.0,
        };
        let lines: Vec<(Patch, &Plane, (i32, i32), f32)> = chosen
            .iter()
            .map(|run| {
                let line = self.line(std::slice::from_ref(*run), 2);
                let plane = self.plane(run);
                let offset = self.place(&line.blurred(1.0), plane, (0, 0));
                (line, plane, offset, self.darkness(run))
            })
            .collect();
        for blur in BLURS {
            let mut fits = Vec::new();
            let mut darks = Vec::new();
            for (line, plane, offset, dark) in &lines {
                let centred = line.blurred(blur).centred();
                let ink = Ink::cut(plane, line, *offset);
                fits.push(correlate(&centred, &ink));
                let (own, norm) = centred;
                darks.push(product(&own, &ink.values) / (norm * norm).max(1e-3) / dark);
            }
            let usual = reached_by(5, fits).unwrap_or(0.0);
            if usual < best.usual - 0.02 {
                break;
            }
            if usual > best.usual {
                best = Optics {
                    blur,
                    dark: reached_by(5, darks).unwrap_or(200.0).clamp(20.0, 255.0),
                    usual,
                    ..best
                };
            }
        }
        let absent: Vec<f32> = lines
            .iter()
            .map(|(line, plane, offset, dark)| {
                let ink = Ink::cut(plane, line, *offset);
                line.blurred(best.blur).absent(&ink, best.dark * dark, None)
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
            let dark = optics.dark * self.darkness(run);
            // In a typeface that is only much alike, and where strokes are lost, no single character tells.
            if optics.usual < at.sure_label {
                let all = line.blurred(optics.blur).centred();
                let fit = correlate(&all, &Ink::cut(plane, &line, offset));
                return fit < optics.usual - 2.0 * at.fit;
            }
            run.glyphs.iter().any(|glyph| {
                let origin = (pixels(glyph.x), pixels(run.baseline));
                let drawn = self.glyph(run.typeface, glyph.id, pixels(run.size), origin);
                let drawn = drawn.blurred(optics.blur);
                let mut around = AROUND.iter();
                let is_gone = |(dx, dy): &(i32, i32)| {
                    let ink = Ink::cut(plane, &drawn, (offset.0 + dx, offset.1 + dy));
                    drawn.absent(&ink, dark, None) > most
                };
                !is_punctuation(glyph.character) && around.all(is_gone)
            })
        })
    }
}
