//! What every common Han character looks like, small: to find those that ink could be, among all of them.

use std::sync::OnceLock;

use super::patch::{Patch, spread};
use super::plane::Plane;
use super::seek::{product, total};
use crate::render::{Renderer, Typeface};

/// Side of the squares in which characters are compared, in pixels: one em.
const SIDE: usize = 20;
/// Part of the em above the line that characters stand on.
const ABOVE: f32 = 0.88;
/// Blurs of the looks, in their pixels, and up to which blur of the scan each serves, in pixels at 200 dots per inch.
const BLURS: [(f32, f32); 3] = [(0.55, 1.2), (1.2, 2.2), (2.0, f32::INFINITY)];
/// How much worse ink is that a character has and the scan has not than ink that something may have been written with.
const LACKING: f32 = 4.0;
/// How many characters [`Looks::likest`] gives.
pub(super) const LIKEST: usize = 48;

/// A small picture of ink, 0 to 1, row after row.
type Small = [f32; SIDE * SIDE];

/// A place on a plane that a character of this size may stand in, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Where the character begins.
    pub left: f32,
    /// The line that it stands on.
    pub baseline: f32,
    pub size: f32,
}

/// The looks of all characters, as a scan of some blur shows them.
pub(super) struct Looks {
    characters: Vec<char>,
    looks: Vec<Small>,
    /// How far each look's values are from their mean.
    spreads: Vec<f32>,
}

impl Looks {
    /// Those on a scan that is so blurred, in pixels. They are drawn when first asked for, and kept.
    pub fn at_blur(renderer: &Renderer, blur: f32) -> &'static Looks {
        static LOOKS: [OnceLock<Looks>; BLURS.len()] = [const { OnceLock::new() }; BLURS.len()];
        let serving = BLURS.iter().position(|(_, most)| blur < *most);
        let which = serving.unwrap_or(BLURS.len() - 1);
        LOOKS[which].get_or_init(|| Looks::drawn(renderer, BLURS[which].0))
    }

    fn drawn(renderer: &Renderer, blur: f32) -> Looks {
        let all = renderer.characters(Typeface::Serif);
        let mut characters: Vec<char> = all.filter(|it| is_han(*it)).collect();
        characters.sort_unstable();
        let look = |character: &char| {
            let mut sharp = Patch::blank(0, 0, SIDE as i32, SIDE as i32);
            if let Some(shape) = renderer.shape(Typeface::Serif, *character) {
                let ems = SIDE as f32;
                let origin = (shape.shift as f32 * ems / 1000.0, ABOVE * ems);
                let drawn = renderer.coverage(shape.typeface, shape.id, ems, origin);
                sharp.add(&drawn.into());
            }
            let mut look = [0.0; SIDE * SIDE];
            look.copy_from_slice(&sharp.blurred(blur).values);
            look
        };
        let looks: Vec<Small> = characters.iter().map(look).collect();
        Looks {
            spreads: looks.iter().map(|look| spread(look).max(1e-3)).collect(),
            characters,
            looks,
        }
    }

    /// The characters that correlate most with the ink in a place, the likest first.
    pub fn likest(&self, plane: &Plane, place: Place) -> Vec<char> {
        let ink = seen(plane, place, 255.0);
        let mut scores: Vec<(f32, usize)> = self.correlations(&ink).zip(0..).collect();
        let count = LIKEST.min(scores.len());
        if count == 0 {
            return Vec::new();
        }
        scores.select_nth_unstable_by(count - 1, |a, b| b.0.total_cmp(&a.0));
        scores.truncate(count);
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        let found = scores.into_iter().map(|it| self.characters[it.1]);
        found.collect()
    }

    /// Whether no other character is a better explanation of the ink in a place, where full ink is `dark` of 255: as all
    /// of the ink, or as a part of it over which something was written.
    pub fn is_first(&self, character: char, plane: &Plane, place: Place, dark: f32) -> bool {
        let ink = seen(plane, place, dark);
        let Ok(own) = self.characters.binary_search(&character) else {
            return false;
        };
        let correlations: Vec<f32> = self.correlations(&ink).collect();
        if correlations.iter().all(|it| *it <= correlations[own]) {
            return true;
        }
        let misfit = |look: &Small| -> f32 {
            let each = look.iter().zip(&ink).map(|(own, ink)| {
                let beyond = ink - own;
                beyond.max(-LACKING * beyond)
            });
            each.sum()
        };
        let least = misfit(&self.looks[own]);
        self.looks.iter().all(|look| misfit(look) >= least)
    }

    fn correlations(&self, ink: &Small) -> impl Iterator<Item = f32> {
        let mean = total(ink) / ink.len() as f32;
        let level = ink.map(|it| it - mean);
        let each = self.looks.iter().zip(&self.spreads);
        each.map(move |(look, spread)| product(look, &level) / spread)
    }
}

/// Whether a character is Han, of those that vouchers are commonly written with.
pub(super) fn is_han(character: char) -> bool {
    ('\u{4E00}'..='\u{9FFF}').contains(&character)
}

/// The ink in a place, as small as looks are.
fn seen(plane: &Plane, place: Place, dark: f32) -> Small {
    let step = place.size / SIDE as f32;
    let top = place.baseline - ABOVE * place.size;
    // Four samples a pixel.
    let within = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
    std::array::from_fn(|at| {
        let (x, y) = ((at % SIDE) as f32, (at / SIDE) as f32);
        let samples = within.map(|(dx, dy)| {
            let across = place.left + (x + dx) * step - 0.5;
            plane.sample(across, top + (y + dy) * step - 0.5)
        });
        (samples.iter().sum::<f32>() / 4.0 / dark).min(1.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A character as a scan of some blur shows it, 26.4 pixels large, and something written over it.
    fn print(renderer: &Renderer, character: char, blur: f32, over: f32) -> (Plane, Place) {
        let place = Place {
            left: 12.0,
            baseline: 34.0,
            size: 26.4,
        };
        let mut patch = Patch::blank(0, 0, 52, 48);
        let shape = renderer.shape(Typeface::Serif, character).unwrap();
        let shift = shape.shift as f32 * place.size / 1000.0;
        let origin = (place.left + shift, place.baseline);
        let drawn = renderer.coverage(shape.typeface, shape.id, place.size, origin);
        patch.add(&drawn.into());
        for at in 0..48 {
            for beside in 0..3 {
                let value = &mut patch.values[at * 52 + at + beside];
                *value = value.max(over);
            }
        }
        let mut plane = Plane::new(52, 48);
        let blurred = patch.blurred(blur);
        for (into, from) in plane.values.iter_mut().zip(&blurred.values) {
            *into = (from * 220.0) as u8;
        }
        (plane, place)
    }

    #[test]
    fn what_is_printed_is_among_the_likest_however_blurred() {
        let renderer = Renderer::new();
        for blur in [0.6, 1.6, 2.6] {
            let looks = Looks::at_blur(&renderer, blur);
            for printed in "管菅鹏凯收账增噌叶吐一丿".chars() {
                let (plane, place) = print(&renderer, printed, blur, 0.0);
                let likest = looks.likest(&plane, place);
                assert_eq!(likest.len(), LIKEST);
                let rank = likest.iter().position(|it| *it == printed);
                assert!(rank.is_some_and(|it| it < 8), "{printed} {blur} {rank:?}");
            }
        }
    }

    #[test]
    fn what_is_written_over_is_still_the_best_explanation() {
        let renderer = Renderer::new();
        let looks = Looks::at_blur(&renderer, 0.6);
        for (printed, claimed) in [('管', '菅'), ('账', '胀'), ('鹏', '腾'), ('玉', '王')] {
            let (plane, place) = print(&renderer, printed, 0.6, 1.0);
            assert!(looks.is_first(printed, &plane, place, 220.0), "{printed}");
            assert!(!looks.is_first(claimed, &plane, place, 220.0), "{claimed}");
        }
        assert!(!looks.is_first(
            'A',
            &Plane::new(52, 48),
            print(&renderer, '一', 0.6, 0.0).1,
            220.0
        ));
    }
}
