//! What the glyphs of a field say of the claim, before the network is asked. Pure.

use super::competition::{Seen, Sighting};
use super::optics::Optics;
use super::thresholds::Thresholds;

/// What the first vote says by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leaning {
    /// Every glyph is clearly the claimed one.
    Clear,
    /// Every glyph is the claimed one rather than another.
    For,
    /// It cannot tell.
    Open,
    /// Some glyph is clearly another.
    Against,
    /// Some glyph's place is blank.
    Missing,
}

/// Blur in pixels from which on a dense character has ink wherever another has: that all of the claim's ink is there, and
/// some of every rival's is not, then says nothing, and what does not fit well is not it.
const COVERING: f32 = 1.8;

fn glyph_leaning(seen: &Seen, optics: &Optics, at: &Thresholds) -> Leaning {
    let margin = seen.fit - seen.other_fit;
    let sharp = optics.blur < COVERING;
    let fit = if sharp { at.fit } else { at.fit / 2.0 };
    let fits = seen.fit >= optics.usual - fit;
    let other_fits = seen.other_fit >= optics.usual - at.fit;
    let there = seen.absent <= optics.absent.min(at.fading) + at.absent;
    // A rival is ruled out by what it lacks only where it lacks more than the claim does.
    let ruled_out = sharp && seen.refuted >= at.refuted + seen.absent;
    // Punctuation has no alternatives: its kind matters, not its shape.
    let alone = seen.other == ' ';
    let clear = fits && margin >= at.margin && seen.decided >= at.decided;
    if seen.absent > at.missing && !other_fits {
        Leaning::Missing
    } else if there && (alone || clear || ruled_out) {
        Leaning::Clear
    } else if !alone && other_fits && -margin >= at.margin && -seen.decided >= at.decided {
        Leaning::Against
    } else if margin >= 0.0 && seen.fit >= optics.usual - 2.0 * fit {
        Leaning::For
    } else {
        Leaning::Open
    }
}

/// What the glyphs of a field say together.
pub(super) fn leaning(sighting: &Sighting, optics: &Optics, at: &Thresholds) -> Leaning {
    let each = sighting
        .glyphs
        .iter()
        .map(|seen| glyph_leaning(seen, optics, at));
    each.fold(Leaning::Clear, |worst, one| {
        let rank = |it: Leaning| match it {
            Leaning::Clear => 0,
            Leaning::For => 1,
            Leaning::Open => 2,
            Leaning::Missing => 3,
            Leaning::Against => 4,
        };
        if rank(one) > rank(worst) { one } else { worst }
    })
}

/// What the glyphs show, as far as the first vote can tell.
pub(super) fn shown(sighting: &Sighting, optics: &Optics, at: &Thresholds) -> String {
    let mut text = String::new();
    for seen in &sighting.glyphs {
        match glyph_leaning(seen, optics, at) {
            Leaning::Clear | Leaning::For => text.push(seen.claimed),
            Leaning::Against => text.push(seen.other),
            Leaning::Missing => {}
            Leaning::Open => text.push('?'),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::form::Area;
    use super::*;

    #[test]
    fn on_a_coarse_scan_a_dense_character_does_not_pass_for_another() {
        // 凯 where 鹏 is claimed, at 150 dots per inch: nothing of 鹏 is lacking, and it has other rivals than 凯.
        let seen = Seen {
            claimed: '鹏',
            fit: 0.876,
            other: '腾',
            other_fit: 0.8762,
            decided: -0.005,
            absent: 0.016,
            refuted: 0.4,
            area: Area {
                left: 0.0,
                top: 0.0,
                right: 26.0,
                bottom: 26.0,
            },
        };
        let at = Thresholds::default();
        let says = |blur, seen: &Seen| {
            let optics = Optics {
                blur,
                cut: None,
                dark: 200.0,
                usual: 0.99,
                absent: 0.05,
                scatter: 0.0,
            };
            glyph_leaning(seen, &optics, &at)
        };
        assert_eq!(says(2.0, &seen), Leaning::Open);
        // On a sharp scan it is what a signature over the character makes of it.
        assert_eq!(says(0.8, &seen), Leaning::Clear);
        let fitting = Seen {
            fit: 0.96,
            other_fit: 0.93,
            decided: 0.7,
            ..seen
        };
        assert_eq!(says(2.0, &fitting), Leaning::Clear);
    }
}
