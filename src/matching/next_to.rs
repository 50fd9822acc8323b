//! What stands right beside a text of another type than the form's, of which is not known where it ends.

use super::claim::Claim;
use super::extra::SPECK;
use super::form::run_area;
use super::lines::{ONE_MORE, TEXT_ALONE};
use super::look::Look;
use super::network::Line;

/// How much darker a pixel is in all ink than in black alone where it has a colour, of 255.
const COLOURED: f32 = 60.0;
/// How far beside a field's place words of the form are near it, in pixels: 6.4 mm.
const NEAR_WORDS: f32 = 50.0;

/// Whether there is ink right beside a text, and whether some of it has a colour.
#[derive(Default)]
pub(super) struct NextTo {
    pub in_black: bool,
    pub in_colour: bool,
}

impl Look<'_> {
    /// What ink there is beside a text where one more character would stand.
    pub(super) fn next_to(&self, claim: &Claim, offset: (i32, i32)) -> NextTo {
        let line =
            |plane, beside| self.line(claim, (offset, beside), (plane, Some(&self.form.fixed)));
        let [Some(text), Some(black)] = [TEXT_ALONE, ONE_MORE].map(|it| line(self.vote.black, it))
        else {
            return NextTo::default();
        };
        let all = self.cold.filter(|_| self.has_colour);
        let is_coloured = |all: Line| {
            let pairs = all.values.iter().zip(&black.values);
            let darker = pairs.filter(|(all, black)| **all + COLOURED < **black);
            all.width != black.width || darker.count() >= SPECK
        };
        NextTo {
            in_black: black.width > text.width,
            in_colour: all
                .and_then(|all| line(all, ONE_MORE))
                .is_some_and(is_coloured),
        }
    }

    /// Whether what was read is the claim, alone or with words that the form prints near it, which another system prints elsewhere.
    pub(super) fn is_with_words_of_form(&self, claim: &Claim, read: &str) -> bool {
        let Some((before, behind)) = read.split_once(&claim.text) else {
            return false;
        };
        let near = claim.area.widened(NEAR_WORDS);
        let words = self.form.labels.iter();
        let words = words.filter(|run| run_area(run).overlaps(&near));
        let words: Vec<char> = words
            .flat_map(|run| run.glyphs.iter().map(|glyph| glyph.character))
            .collect();
        let mut added = before.chars().chain(behind.chars());
        added.all(|it| words.contains(&it))
    }
}
