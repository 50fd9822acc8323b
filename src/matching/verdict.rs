//! The decision: from what the votes saw of a field to a verdict. Pure.

use serde::{Deserialize, Serialize};

use super::competition::{Seen, Sighting};
use super::leaning::{Leaning, leaning, shown};
use super::optics::Optics;
use super::reader::Reading;
use super::report::{Verdict, thousandths};
use super::thresholds::Thresholds;
use super::wording::{is_amount, is_strict};

/// Ink in a field that the form does not explain.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) enum Extra {
    #[default]
    None,
    /// Something the size of a character, which may be a pen's.
    Perhaps,
    /// Such a thing beside a text, so pale or so near a seal that a network has to tell whether it says anything.
    Faint,
    /// Ink over a character, which may make another of it.
    Over,
    /// Printed characters, before what is claimed and behind it.
    Printed { before: String, behind: String },
}

/// The numbers that a field's verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
pub struct Votes {
    /// By how much the worst glyph correlates more than any other in its place.
    pub margin: f32,
    /// How far the worst glyph is from the middle between it and its hardest rival.
    pub decided: f32,
    /// The worst glyph's correlation, less what labels usually have on this scan.
    pub fit: f32,
    /// The largest part of a claimed glyph's ink that is not there.
    pub absent: f32,
    /// The part of the hardest rival's own ink that is not there.
    pub refuted: f32,
    /// How much likelier the network finds the claim than any other string; none if it was not asked.
    pub reader: Option<f32>,
}

/// What the network reads of a field.
#[derive(Debug)]
pub(super) struct Readings {
    /// What is printed there; none if it was not asked.
    pub printed: Option<Reading>,
    /// How much likelier the claim alone is than anything else, also in all of the ink in its place where there is more of that.
    pub only: f32,
    /// Whether it is the claim, alone or with words of the form, which stand elsewhere in another type.
    pub with_words: bool,
}

impl Readings {
    /// Nothing was read.
    pub fn none() -> Readings {
        Readings {
            printed: None,
            only: f32::MAX,
            with_words: false,
        }
    }
}

/// The verdict on one field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Decision {
    pub verdict: Verdict,
    pub score: f64,
    pub seen: String,
    pub reason: String,
    pub votes: Votes,
    /// Whether another character fits there as labels do and is nearer: nothing is written over it that might be taken away.
    pub displaced: bool,
}

impl Decision {
    /// This, or another look at the same if it is a match.
    pub fn or_match(self, again: Decision) -> Decision {
        match again.verdict {
            Verdict::Match => again,
            _ => self,
        }
    }

    /// The same, of which it cannot be said that something else is there.
    pub fn untold(self, why: &str) -> Decision {
        Decision {
            verdict: Verdict::Unsure,
            score: self.score.max(0.2),
            reason: why.to_owned(),
            ..self
        }
    }
}

fn votes(sighting: &Sighting, optics: &Optics, reading: Option<&Reading>) -> Votes {
    let worst = |of: fn(&Seen) -> f32| sighting.glyphs.iter().map(of).fold(1.0, f32::min);
    let reader = reading.map(|it| it.margin.clamp(-99.0, 99.0));
    if sighting.glyphs.is_empty() {
        return Votes {
            reader,
            ..Votes::default()
        };
    }
    Votes {
        reader,
        margin: worst(|seen| seen.fit - seen.other_fit),
        decided: worst(|seen| seen.decided),
        fit: worst(|seen| seen.fit) - optics.usual,
        absent: -worst(|seen| -seen.absent),
        refuted: worst(|seen| seen.refuted),
    }
}

/// Decides on a field that has a text. Where the network does not read the form's own labels, it may only say what the
/// glyphs say as well.
pub(super) fn decide(
    (name, claim): (&str, &str),
    sighting: &Sighting,
    optics: &Optics,
    (readings, extra): (&Readings, &Extra),
    (own_type, reads_labels): (bool, bool),
    at: &Thresholds,
) -> Decision {
    let reading = readings.printed.as_ref();
    let votes = votes(sighting, optics, reading);
    let lean = if own_type {
        leaning(sighting, optics, at)
    } else {
        Leaning::Open
    };
    let read = reading.map_or_else(|| shown(sighting, optics, at), |it| it.text.clone());
    // A typeface that is much alike is no reason to find other characters.
    let sure_type = own_type && optics.usual >= at.sure_type;
    // Where another character fits much as labels do, nothing is written over it: what is nearer to that one is no other, and
    // nothing that the network knows of what is common makes it the claimed one.
    let displaced = |seen: &Seen| optics.is_possible(seen.other_fit) && seen.decided < -at.decided;
    let displaced =
        own_type && optics.usual >= at.displaced && sighting.glyphs.iter().any(displaced);
    let decision = |verdict, score: f32, seen: &str, reason: String| Decision {
        verdict,
        score: thousandths(score.clamp(0.0, 1.0)),
        seen: seen.to_owned(),
        reason,
        votes,
        displaced,
    };
    let reads = reading.map_or(0.0, |it| it.margin);
    let alone = reading.map_or(0.0, |it| it.alone);
    let reads_other = at.reads_other * if sure_type { 1.0 } else { 2.0 };
    let against = reads_labels && reads <= -reads_other && !readings.with_words;
    // The surer the network is of something else, the less of the claim's ink must lack for it to be believed.
    let lacks = (votes.absent - optics.absent) * -reads;
    let (supports, opposes) = match reads_labels {
        true => (at.reads, at.reads_against),
        false => (at.reads_under, at.reads_other),
    };
    // On a scan that is too coarse for labels, glyphs and network may both take a character for another.
    let opposable = reads_labels || optics.cut.is_some();
    // Where no other character explains what is there as well, more of it may be hidden.
    let explained = |seen: &Seen| seen.first || seen.fit >= seen.other_fit;
    let first = sighting.glyphs.iter().all(explained);
    let usual = sighting.glyphs.iter().all(|seen| optics.is_usual(seen.fit));
    let under = votes.absent <= at.whole || votes.absent <= at.absent && reads >= at.reads_alone;
    // Half a point for each vote.
    let glyph_part = (0.25 + votes.margin * 2.0).clamp(0.0, 0.5);
    let part = |margin: f32| 0.25 + (margin / 24.0).clamp(-0.25, 0.25);
    let score = glyph_part
        + if reading.is_some() {
            part(reads)
        } else {
            glyph_part
        };
    if let Extra::Printed { before, behind } = extra {
        let reason = format!("{:?} is printed there as well", before.clone() + behind);
        // What was read of all of the place has it already.
        let seen = match read.chars().count() > claim.chars().count() {
            true => read,
            false => format!("{before}{read}{behind}"),
        };
        return decision(Verdict::Mismatch, 0.0, &seen, reason);
    }
    let found = |why: &str| (Verdict::Match, why.to_owned(), claim.to_owned());
    let differs = |why: &str, seen: String| (Verdict::Mismatch, why.to_owned(), seen);
    let untold = |why: &str| (Verdict::Unsure, why.to_owned(), read.clone());
    let reads_more = reads <= -at.reads_other
        && reading.is_some_and(|it| it.text.len() > claim.len() && it.text.contains(claim));
    let outcome = match (lean, reading) {
        (Leaning::Clear, _) if !(reads_labels || reads_more) || reads > -at.reads_other => {
            found("every character is there")
        }
        (Leaning::For, Some(_)) if reads >= supports => found("both votes find it there"),
        (Leaning::Open, Some(_))
            if own_type && under && first && !displaced && reads >= at.reads_under =>
        {
            found("both votes find it under what is written over it")
        }
        // Between two characters that fit as labels do and differ in next to nothing, the network tells.
        (Leaning::Open, Some(_))
            if own_type
                && usual
                && votes.decided >= -at.decided_likest
                && alone >= at.reads_other =>
        {
            found("both votes find it there")
        }
        // A rare character is read as the one that it looks like: where a glyph is clearly another, no reading helps.
        (Leaning::Open, Some(_))
            if reads_labels
                && alone >= at.reads_alone
                && votes.decided >= -at.decided_other
                && !displaced =>
        {
            found("it is read there, in another type")
        }
        // A typeface that is only much alike says little of single characters: the network must be twice as sure.
        (Leaning::Against | Leaning::Missing | Leaning::Open, Some(_))
            if own_type && !sure_type && reads_labels && alone >= 2.0 * at.reads_alone =>
        {
            found("it is read there, in a type much like the form's")
        }
        (Leaning::Against, None) if sure_type && reads_labels => differs(
            "other characters explain the ink better",
            shown(sighting, optics, at),
        ),
        // Where all of the claim's ink is there, what the network reads besides is written over it.
        (Leaning::Against | Leaning::Missing | Leaning::Open, Some(_))
            if against
                && (!own_type
                    || lean == Leaning::Against
                    || lacks >= 2.0 * at.absent * at.reads_other) =>
        {
            differs("something else is read there", read.clone())
        }
        (Leaning::Against, Some(_)) if sure_type && opposable && reads <= -opposes => differs(
            "other characters explain the ink better",
            shown(sighting, optics, at),
        ),
        // In black and white strokes are lost that the model of the scan does not know of.
        (Leaning::Missing, _) if reads <= 0.0 && (optics.cut.is_none() || sure_type) => {
            differs("characters are missing", read.clone())
        }
        (_, None) => untold("the ink is not clear enough"),
        (
            _,
            Some(Reading {
                doubt: Some(doubt), ..
            }),
        ) => untold(&doubt.to_string()),
        _ => untold("the votes do not agree clearly"),
    };
    let (mut verdict, mut reason, seen) = outcome;
    if verdict == Verdict::Mismatch && own_type && optics.absent > at.frayed {
        verdict = Verdict::Unsure;
        reason =
            "the scan has lost too many strokes to say that something else is there".to_owned();
    }
    let enough = match lean {
        Leaning::Clear => at.reads_under,
        _ => at.reads_alone,
    };
    // In black and white, specks may be all that is left of a character, and no network reads them.
    let is_shown = !is_amount(name) && optics.cut.is_none();
    let only_this = is_shown && reading.is_some() && readings.only >= enough;
    let unexplained = match extra {
        Extra::Over if is_strict(name) || !only_this => Some("something is written over it"),
        Extra::Perhaps | Extra::Faint if !only_this => {
            Some("there is ink beside it that the form does not explain")
        }
        _ => None,
    };
    if let Some(why) = unexplained.filter(|_| verdict == Verdict::Match) {
        verdict = Verdict::Unsure;
        reason = why.to_owned();
    }
    let score = match verdict {
        Verdict::Match => score.max(0.5),
        Verdict::Unsure => score.clamp(0.2, 0.6),
        Verdict::Mismatch => score.min(0.3),
    };
    decision(verdict, score, &seen, reason)
}

/// The decision where the paper itself is of something else: what the values on it mean is not sure.
pub(super) fn decide_other_paper(seen: String, why: &str) -> Decision {
    Decision {
        verdict: Verdict::Unsure,
        score: 0.3,
        seen,
        reason: why.to_owned(),
        votes: Votes::default(),
        displaced: false,
    }
}

/// Decides on a place that must be empty.
pub(super) fn decide_empty(extra: &Extra) -> Decision {
    let (verdict, score, seen, reason) = match extra {
        Extra::None => (Verdict::Match, 1.0, String::new(), "nothing is there"),
        Extra::Perhaps | Extra::Faint | Extra::Over => (
            Verdict::Unsure,
            0.5,
            String::new(),
            "there is ink where the voucher has nothing",
        ),
        Extra::Printed { before, behind } => (
            Verdict::Mismatch,
            0.0,
            before.clone() + behind,
            "something is printed where the voucher has nothing",
        ),
    };
    Decision {
        verdict,
        score,
        seen,
        reason: reason.to_owned(),
        votes: Votes::default(),
        displaced: false,
    }
}

#[cfg(test)]
mod tests;
