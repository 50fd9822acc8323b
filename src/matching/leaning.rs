//! What the glyphs of a field say of the claim, before the network is asked. Pure.

use super::competition::{Seen, Sighting, Tried};
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

/// Part of what labels lack of a perfect correlation by which a glyph must correlate more than another: noise differs by
/// less.
const NOISE: f32 = 0.3;
/// The least of that, for a scan that shows labels perfectly, and where all characters were tried.
const MARGIN_LEAST: f32 = 0.003;
const MARGIN_OF_LIKEST: f32 = 0.001;

/// How much further the ink must be from another glyph where it is less like the claimed one than labels are like
/// themselves.
const UNUSUAL: f32 = 1.7;

/// How much less than labels the ink may be like the claimed glyph, and how far it must be from any other.
fn demanded(seen: &Seen, optics: &Optics, at: &Thresholds) -> (f32, f32) {
    match seen.tried {
        // Of what is written over, more must be told; in black and white nothing of it can be.
        Tried::All if seen.fit < optics.usual - at.fit && optics.cut.is_none() => {
            (2.0 * at.fit, at.decided)
        }
        Tried::All => (at.fit, at.decided_likest),
        // Where strokes are lost, two characters may be left alike.
        Tried::Likest if optics.usual < at.legible => (at.fit / 2.0, at.decided_frayed),
        Tried::Likest if seen.fit >= optics.usual - at.fit / 2.0 => {
            (at.fit / 2.0, at.decided_likest)
        }
        Tried::Likest => (at.fit, at.decided_coarse),
        // Ink that is none of those that were tried either is less like the claim than labels are like themselves.
        Tried::Alike => {
            let covering = optics.is_covering();
            let usual = optics.is_usual(seen.fit);
            // Letters are tried against all letters, but those of other widths move all that follows.
            let less = match (seen.claimed.is_ascii_alphabetic(), usual || !covering) {
                (true, _) => at.fit,
                (false, true) => at.fit / 2.0,
                (false, false) => at.fit / 4.0,
            };
            let decided = if covering {
                at.decided_coarse
            } else {
                at.decided
            };
            (less, if usual { decided } else { UNUSUAL * decided })
        }
    }
}

/// Whether the ink is the claimed glyph, and neither one of those that look like it nor any that was not tried.
fn is_claimed(seen: &Seen, optics: &Optics, at: &Thresholds) -> bool {
    // Punctuation has no alternatives: its kind matters, not its shape.
    if seen.other == ' ' {
        return true;
    }
    let (less, decided) = demanded(seen, optics, at);
    let margin = match seen.tried {
        Tried::Likest | Tried::All => MARGIN_OF_LIKEST,
        Tried::Alike => (NOISE * (1.0 - optics.usual)).clamp(MARGIN_LEAST, at.margin),
    };
    seen.fit >= optics.usual - less
        && seen.fit - seen.other_fit >= margin
        && seen.decided >= decided
}

fn glyph_leaning(seen: &Seen, optics: &Optics, at: &Thresholds) -> Leaning {
    let margin = seen.fit - seen.other_fit;
    let covering = optics.is_covering();
    // Under a stroke of a pen another glyph may fit better, but none fits well.
    let less = match (seen.tried == Tried::All, covering) {
        (true, _) => at.fit,
        (false, false) => at.fit / 2.0,
        (false, true) => at.fit / 4.0,
    };
    let other_fits = seen.other_fit >= optics.usual - less;
    let there = seen.absent <= optics.absent.min(at.fading) + at.absent;
    // What is written over a glyph leaves its own ink there, and some of every rival's lacks: more than the claim lacks.
    // Of characters that were not tried nothing is known.
    let ruled_out = there && !covering && seen.refuted >= at.refuted + seen.absent;
    let under = seen.tried == Tried::All && ruled_out && seen.decided >= at.decided_other;
    if seen.absent > at.missing && !other_fits {
        Leaning::Missing
    } else if there && is_claimed(seen, optics, at) || under {
        Leaning::Clear
    } else if seen.other != ' '
        && other_fits
        && -margin >= at.margin
        && -seen.decided >= at.decided_other
    {
        Leaning::Against
    } else if margin >= 0.0 && (ruled_out || seen.fit >= optics.usual - 2.0 * at.fit) {
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

    /// A scan whose labels correlate so much, and how blurred it is.
    fn scan(usual: f32, blur: f32) -> Optics {
        Optics {
            blur,
            cut: None,
            dark: 200.0,
            usual,
            absent: 0.05,
            scatter: 0.0,
        }
    }

    /// A claimed character and its best rival: how well they fit, how decided it is between them, and what part of its
    /// own ink the rival lacks.
    fn seen(
        (claimed, other): (char, char),
        (fit, other_fit): (f32, f32),
        decided: f32,
        (absent, refuted): (f32, f32),
    ) -> Seen {
        Seen {
            claimed,
            fit,
            other,
            other_fit,
            decided,
            absent,
            refuted,
            tried: match claimed.is_ascii_digit() {
                true => Tried::All,
                false => Tried::Alike,
            },
            first: false,
            area: Area {
                left: 0.0,
                top: 0.0,
                right: 26.0,
                bottom: 26.0,
            },
            index: (0, 0),
            offset: (0, 0),
        }
    }

    fn says(seen: &Seen, optics: &Optics) -> Leaning {
        glyph_leaning(seen, optics, &Thresholds::default())
    }

    #[test]
    fn a_character_that_looks_like_the_claimed_one_is_not_taken_for_it() {
        let sharp = scan(0.998, 1.55);
        // 人 is printed: all ink of 入 is nearly where its own is.
        let enters = seen(('入', '人'), (0.951, 0.998), -0.946, (0.0, 0.676));
        assert_eq!(says(&enters, &sharp), Leaning::Against);
        // 套 is printed, which is none of those that look most like 膏.
        let paste = seen(('膏', '督'), (0.867, 0.864), 0.028, (0.01, 0.548));
        assert_eq!(says(&paste, &sharp), Leaning::For);
        // 费 is printed: as far from 普, but not as like 曹 as labels are like themselves.
        let coarse = scan(0.996, 2.6);
        let cao = seen(('曹', '普'), (0.974, 0.959), 0.48, (0.0, 1.0));
        assert_eq!(says(&cao, &coarse), Leaning::For);
        let itself = seen(('曹', '普'), (0.992, 0.977), 0.48, (0.0, 1.0));
        assert_eq!(says(&itself, &coarse), Leaning::Clear);
    }

    #[test]
    fn a_figure_which_every_other_is_tried_against_need_not_fit_as_well() {
        let scan = scan(0.98, 1.2);
        let of = |claimed, fit: f32, decided| {
            let other_fit = fit - 0.05;
            says(
                &seen((claimed, '已'), (fit, other_fit), decided, (0.0, 0.0)),
                &scan,
            )
        };
        assert_eq!(of('3', 0.9, 0.1), Leaning::Clear);
        assert_eq!(of('3', 0.9, 0.05), Leaning::For);
        assert_eq!(of('己', 0.9, 0.3), Leaning::For);
        assert_eq!(of('己', 0.9, 0.5), Leaning::Clear);
        // Under a seal more must be told.
        assert_eq!(of('3', 0.65, 0.3), Leaning::Clear);
        assert_eq!(of('3', 0.65, 0.2), Leaning::For);
    }

    #[test]
    fn among_all_characters_little_tells_where_labels_are_legible() {
        let of = |optics: &Optics, (fit, other_fit), decided| {
            let seen = Seen {
                tried: Tried::Likest,
                ..seen(('吐', '叶'), (fit, other_fit), decided, (0.02, 0.3))
            };
            says(&seen, optics)
        };
        let coarse = scan(0.992, 2.6);
        assert_eq!(of(&coarse, (0.993, 0.991), 0.1), Leaning::Clear);
        assert_eq!(of(&coarse, (0.993, 0.9925), 0.1), Leaning::For);
        assert_eq!(of(&coarse, (0.993, 0.991), 0.04), Leaning::For);
        // Ink that is less like it may be one that is written over.
        assert_eq!(of(&coarse, (0.85, 0.83), 0.2), Leaning::For);
        assert_eq!(of(&coarse, (0.85, 0.83), 0.35), Leaning::Clear);
        // 叶 is printed, on a scan in black and white that has lost the strokes which would tell.
        let frayed = Optics {
            cut: Some(0.45),
            ..scan(0.879, 1.0)
        };
        assert_eq!(of(&frayed, (0.899, 0.875), 0.438), Leaning::For);
    }

    #[test]
    fn under_a_stroke_of_a_pen_figures_alone_are_told_by_what_others_lack() {
        let scan = scan(0.99, 0.8);
        let under = |claimed| seen((claimed, '鄙'), (0.55, 0.4), 0.6, (0.01, 0.5));
        assert_eq!(says(&under('8'), &scan), Leaning::Clear);
        assert_eq!(says(&under('鹏'), &scan), Leaning::For);
    }

    #[test]
    fn on_a_coarse_scan_a_dense_character_does_not_pass_for_another() {
        // 凯 where 鹏 is claimed, at 150 dots per inch: nothing of 鹏 is lacking, and it has other rivals than 凯.
        let dense = seen(('鹏', '腾'), (0.876, 0.8762), -0.005, (0.016, 0.4));
        assert_eq!(says(&dense, &scan(0.99, 2.0)), Leaning::Open);
        let itself = seen(('鹏', '腾'), (0.985, 0.96), 0.7, (0.016, 0.4));
        assert_eq!(says(&itself, &scan(0.99, 2.0)), Leaning::Clear);
    }

    #[test]
    fn on_a_coarse_scan_what_is_written_over_a_character_makes_no_other_of_it() {
        // 海 under a signature at 120 dots per inch.
        let signed = seen(('海', '诲'), (0.75, 0.82), -1.33, (0.0, 0.0));
        assert_eq!(says(&signed, &scan(0.99, 2.0)), Leaning::Open);
        let other = seen(('海', '诲'), (0.9, 0.98), -1.0, (0.0, 0.0));
        assert_eq!(says(&other, &scan(0.99, 2.0)), Leaning::Against);
        // 鹏 under one at 150.
        let signed = seen(('鹏', '眠'), (0.765, 0.803), -0.57, (0.0, 0.0));
        assert_eq!(says(&signed, &scan(0.99, 1.35)), Leaning::Open);
    }
}
