//! Ink beside a text that is paler than ink usually is: what a pale, thin or blurred character leaves, what shines through, dirt.

use std::ops::Range;

use super::beside::{BARE, SEALED};
use super::claim::Claim;
use super::competition::Sighting;
use super::look::Look;
use super::plane::Plane;
use super::verdict::Extra;
use super::wording::is_amount;

/// Part of full ink from which on something may be said.
const PALE: f32 = 0.15;
/// But so many times as dark as 99 of 100 places are where the form has nothing: what shines through has half of that at most.
const DARKER: f32 = 2.0;
/// The part of those places that may be darker, and how far apart, in pixels, they are looked at.
const DARKEST: f32 = 0.01;
const APART: usize = 3;

impl Look<'_> {
    /// What is paler than ink usually is, and near a seal without colour what is as dark as that: beside a text, the network tells
    /// whether it says anything.
    pub(super) fn extra_faint(&self, claim: &Claim, sighting: Option<&Sighting>) -> Extra {
        // In another type, the form's words and rules lie elsewhere as well.
        let is_read = self.matcher.reader.is_some() && self.sure_type() && !self.vote.bilevel;
        if !is_read || claim.text.is_empty() || is_amount(&claim.name) {
            return Extra::None;
        }
        let is_there = |plane: &Plane, inks: Range<f32>| {
            self.extra_on(plane, (claim, sighting), inks, &|| false) != Extra::None
        };
        let (all, bare) = (self.all_ink(), self.optics.dark * BARE);
        let is_there = match self.dark_in(&claim.place()) > bare {
            true => {
                let inks = || bare..f32::MAX;
                is_there(all, inks()) && is_there(self.sealless(), inks())
            }
            false => {
                let pale = (DARKER * self.shade()).clamp(self.optics.dark * PALE, bare);
                // What is as dark as print was looked at already. Most of what is as pale is the shade of a crease, or what a seal
                // leaves of itself.
                let inks = || pale..self.optics.dark * SEALED;
                let creaseless = || self.creaseless.get_or_init(|| all.without_creases());
                is_there(all, inks())
                    && is_there(creaseless(), inks())
                    && is_there(self.sealless(), inks())
            }
        };
        if is_there { Extra::Faint } else { Extra::None }
    }

    /// All ink but what a seal leaves of itself: where there is colour, in a channel in which red is paper.
    fn sealless(&self) -> &Plane {
        self.sealless.get_or_init(|| {
            let all = self.all_ink();
            if self.vote.grey {
                return all.without_wide_tones();
            }
            // Of a form in red it was made already.
            if let Some(green) = self.vote.print {
                return all.without_red(green);
            }
            let size = (all.width, all.height);
            let green = self.registration.rectified(self.scan.full_print(), size, 1);
            all.without_red(&green)
        })
    }

    /// How dark, of 255, 99 of 100 places are at most where the form has nothing: what shines through, dirt, texture, values.
    fn shade(&self) -> f32 {
        *self.shade.get_or_init(|| {
            let all = self.all_ink();
            let mut counts = [0usize; 256];
            for y in (0..all.height).step_by(APART) {
                let row = (0..all.width).step_by(APART);
                for x in row.filter(|x| !self.form.explained.at(*x, y)) {
                    counts[usize::from(all.values[y * all.width + x])] += 1;
                }
            }
            let mut rest = (counts.iter().sum::<usize>() as f32 * DARKEST) as usize;
            let darker = counts.iter().enumerate().rev().find(|(_, count)| {
                let is_within = **count > rest;
                rest = rest.saturating_sub(**count);
                is_within
            });
            darker.map_or(0.0, |(ink, _)| ink as f32)
        })
    }
}
