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

fn glyph_leaning(seen: &Seen, optics: &Optics, at: &Thresholds) -> Leaning {
    let margin = seen.fit - seen.other_fit;
    let fits = seen.fit >= optics.usual - at.fit;
    let other_fits = seen.other_fit >= optics.usual - at.fit;
    let there = seen.absent <= optics.absent.min(at.fading) + at.absent;
    // A rival is ruled out by what it lacks only where it lacks more than the claim does.
    let ruled_out = seen.refuted >= at.refuted + seen.absent;
    // Punctuation has no alternatives: its kind matters, not its shape.
    let alone = seen.other == ' ';
    let clear = fits && margin >= at.margin && seen.decided >= at.decided;
    if seen.absent > at.missing && !other_fits {
        Leaning::Missing
    } else if there && (alone || clear || ruled_out) {
        Leaning::Clear
    } else if !alone && other_fits && -margin >= at.margin && -seen.decided >= at.decided {
        Leaning::Against
    } else if margin >= 0.0 && seen.fit >= optics.usual - 2.0 * at.fit {
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
