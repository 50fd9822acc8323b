//! What a field can say instead: an amount in words is made of few words, and no forger gains by any others.

use super::alike::{CAPITALS, alike};
use crate::render::english_numerals;

/// What amounts in figures have beside these and capital numerals, and what would make another amount of one.
const FIGURES_BESIDES: &str = "¥￥$€£%,.-+()十百千圆KkMmWw";
/// What amounts have in English beside the numerals below a hundred.
const POWERS: [&str; 4] = ["hundred", "thousand", "million", "billion"];

/// What amounts are written with, in English.
fn numerals() -> impl Iterator<Item = &'static str> {
    english_numerals().chain(POWERS)
}

/// Whether a field is an amount in figures.
pub(super) fn is_amount(name: &str) -> bool {
    let side = name.ends_with("debit") || name.ends_with("credit");
    side && !name.starts_with("accounts") || name == "total"
}

/// Whether a field is a date or a part of one.
pub(super) fn is_date(name: &str) -> bool {
    name == "date" || name.starts_with("date.")
}

/// Whether nothing may be added to a field, not even by a pen: an amount, a number, a count, a date or a part of one.
pub(super) fn is_strict(name: &str) -> bool {
    is_amount(name) || is_date(name) || matches!(name, "number" | "period" | "attachments")
}

/// What the network reads of strokes up and down that are no characters, and of ticks.
const OF_SCRAWLS: &str = "MmNnWwUuVvHhrkKxX^√✓ ";
/// What it reads of strokes of any kind, and of what is left of a figure under something else.
const OF_STROKES: &str = "~-_—–一'`\"";
/// Numerals that are no letters of a word.
const LONE_NUMERALS: &str = "〇二三四五六七八九十百千万亿元";

/// What something that was drawn is like, beside a character of print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawn {
    /// No larger.
    Small,
    /// Larger.
    Large,
    /// Wider, and in one stroke.
    WideStroke,
}

/// Whether what was read of something drawn where nothing is claimed may be a value: figures, or a word. In a wide stroke
/// of a pen the network may see a letter of our words, but a word is more than one.
pub(super) fn may_be_a_value(read: &str, drawn: Drawn) -> bool {
    let numeral = |it: char| CAPITALS.contains(it) || LONE_NUMERALS.contains(it);
    let letter = |it: char| is_of_our_words(it) && !numeral(it);
    let is_nothing =
        |it: char| OF_SCRAWLS.contains(it) || drawn != Drawn::Small && OF_STROKES.contains(it);
    let mut rest = read.chars().filter(|it| !is_nothing(*it));
    match (rest.next(), rest.next()) {
        (None, _) => false,
        (Some(only), None) => !(letter(only) && drawn == Drawn::WideStroke),
        _ => true,
    }
}

/// Whether what was read of strokes wider than any character may be something that somebody noted: several figures, or letters of
/// our words; in a single stroke more than one.
pub(super) fn may_be_a_note(read: &str, drawn: Drawn) -> bool {
    let letters = read.chars().filter(|it| is_of_our_words(*it)).count();
    let figures = read.chars().filter(char::is_ascii_digit).count();
    figures > 1 || letters > usize::from(drawn == Drawn::WideStroke)
}

fn is_of_our_words(character: char) -> bool {
    character.is_alphabetic() && !character.is_ascii()
}

/// What kind of text a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wording {
    /// Anything.
    Free,
    /// An amount in words, as the totals of the forms are.
    Amount,
    /// An amount in figures, or a count.
    Figures,
    /// The name of a person.
    Name,
}

impl Wording {
    /// That of a field by its name.
    pub fn of(field: &str) -> Wording {
        match field {
            "total.words" => Wording::Amount,
            "attachments" => Wording::Figures,
            position if position.ends_with(".position") => Wording::Figures,
            "preparer" | "reviewer" | "bookkeeper" | "cashier" => Wording::Name,
            other if is_amount(other) => Wording::Figures,
            _ => Wording::Free,
        }
    }

    /// The characters that could stand in the place of one of a text's; of a Han character at most so many that look like it.
    pub fn instead_of(self, text: &[char], at: usize, most: usize) -> Vec<char> {
        let Some(character) = text.get(at).copied() else {
            return Vec::new();
        };
        match self {
            Wording::Amount if CAPITALS.contains(character) => {
                CAPITALS.chars().filter(|it| *it != character).collect()
            }
            Wording::Amount if character.is_ascii_alphabetic() => {
                in_words(text, at).unwrap_or_else(|| alike(character, most))
            }
            _ => alike(character, most),
        }
    }

    /// Whether nothing but what [`Wording::instead_of`] gives could stand in a character's place and pass for another value.
    pub fn is_closed(self, character: char) -> bool {
        character.is_ascii_digit() || self == Wording::Amount && CAPITALS.contains(character)
    }

    /// Whether a text of this kind can hold a character.
    pub fn may_hold(self, character: char) -> bool {
        match self {
            Wording::Free => true,
            Wording::Amount => character.is_ascii() || CAPITALS.contains(character),
            Wording::Figures => {
                character.is_ascii_digit()
                    || FIGURES_BESIDES.contains(character)
                    || CAPITALS.contains(character)
            }
            Wording::Name => character.is_alphabetic() || "·.-' ".contains(character),
        }
    }
}

/// The letters that other numerals of the same length have where this one has the letter at `at`: one of another
/// length moves all that follows. None where the word is no numeral.
fn in_words(text: &[char], at: usize) -> Option<Vec<char>> {
    let letter = |it: &char| it.is_ascii_alphabetic();
    let before = text[..at].iter().rev().take_while(|it| letter(it)).count();
    let word: String = text[at - before..]
        .iter()
        .take_while(|it| letter(it))
        .collect();
    let lower = word.to_ascii_lowercase();
    if !numerals().any(|it| it == lower) {
        return None;
    }
    let upper = text[at].is_ascii_uppercase();
    let own = text[at].to_ascii_lowercase();
    let others = numerals().filter(|it| it.len() == lower.len());
    let mut letters: Vec<char> = others
        .filter_map(|it| it.chars().nth(before))
        .filter(|it| *it != own)
        .map(|it| if upper { it.to_ascii_uppercase() } else { it })
        .collect();
    letters.sort_unstable();
    letters.dedup();
    Some(letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_no_amounts() {
        assert!(is_amount("lines[0].debit") && is_amount("total.credit") && is_amount("total"));
        assert!(!is_amount("accounts.debit") && !is_amount("accounts.credit"));
    }

    #[test]
    fn a_name_has_no_figures_and_an_amount_no_letters_but_units() {
        let name = Wording::of("cashier");
        assert!(name.may_hold('薛') && name.may_hold('J') && name.may_hold('·'));
        assert!(!name.may_hold(',') && !name.may_hold('7') && !name.may_hold('|'));
        for field in [
            "lines[0].debit",
            "total",
            "attachments",
            "lines[2].position",
        ] {
            let figures = Wording::of(field);
            assert!(figures.may_hold('0') && figures.may_hold('.') && figures.may_hold('-'));
            assert!(!figures.may_hold('o') && !figures.may_hold('〇') && !figures.may_hold('夫'));
            // Ten thousand times as much.
            assert!(figures.may_hold('万') && figures.may_hold('K'));
        }
        assert!(Wording::of("accounts.debit").may_hold('元'));
    }

    #[test]
    fn figures_and_words_may_be_values_and_strokes_up_and_down_are_none() {
        // What the network reads of scrawls and ticks, and of figures in somebody's hand.
        for nothing in ["", "wm", "M", "√", "V"] {
            assert!(!may_be_a_value(nothing, Drawn::Small), "{nothing}");
        }
        for value in ["28", "6B8.59", "E", "5", "D", "¥", "收到货款", "壹", "三"] {
            assert!(may_be_a_value(value, Drawn::WideStroke), "{value}");
        }
        // Large strokes are a pen's, small ones may be left of a figure.
        for stroke in ["~n", "一", "-"] {
            assert!(!may_be_a_value(stroke, Drawn::Large), "{stroke}");
            assert!(may_be_a_value(stroke, Drawn::Small), "{stroke}");
        }
        // One character in one stroke wider than any is a pen's; else it may be somebody's word.
        assert!(!may_be_a_value("心", Drawn::WideStroke));
        assert!(may_be_a_value("心", Drawn::Large) && may_be_a_value("心", Drawn::Small));
    }

    #[test]
    fn a_single_figure_in_a_wide_stroke_is_no_note() {
        for nothing in ["5", "1~", "JE", "北", ""] {
            assert!(!may_be_a_note(nothing, Drawn::WideStroke), "{nothing}");
        }
        for note in ["28", "作废", "付5"] {
            let drawn = match note {
                "付5" => Drawn::Large,
                _ => Drawn::WideStroke,
            };
            assert!(may_be_a_note(note, drawn), "{note}");
        }
    }

    #[test]
    fn a_numeral_competes_with_numerals() {
        let text: Vec<char> = "人民币贰佰元整".chars().collect();
        let instead = Wording::of("total.words").instead_of(&text, 4, 8);
        assert!(instead.contains(&'仟') && !instead.contains(&'值') && !instead.contains(&'佰'));
        let free = Wording::of("lines[0].summary").instead_of(&text, 4, 8);
        assert_eq!(free, alike('佰', 8));
        assert!(!Wording::Amount.may_hold('值') && Wording::Free.may_hold('值'));
        assert!(Wording::Amount.is_closed('佰') && !Wording::Amount.is_closed('民'));
        assert!(Wording::Free.is_closed('7') && !Wording::Free.is_closed('佰'));
    }

    #[test]
    fn a_letter_of_a_numeral_competes_with_those_of_other_numerals() {
        let text: Vec<char> = "Nine thousand and 00/100 CNY".chars().collect();
        assert_eq!(Wording::Amount.instead_of(&text, 0, 8), ['F', 'Z']);
        assert_eq!(
            Wording::Amount.instead_of(&text, 1, 8),
            ['E', 'O'].map(|it| it.to_ascii_lowercase())
        );
        // "and" and the currency are no numerals.
        let and = text.iter().position(|it| *it == 'a').map(|_| 14).unwrap();
        assert_eq!(text[and], 'a');
        assert!(Wording::Amount.instead_of(&text, and, 8).len() > 50);
        assert!(Wording::Amount.instead_of(&text, text.len(), 8).is_empty());
    }

    #[test]
    fn every_numeral_but_those_alone_of_their_length_has_a_rival_in_some_letter() {
        for numeral in numerals() {
            let text: Vec<char> = numeral.chars().collect();
            let rivals: usize = (0..text.len())
                .map(|at| Wording::Amount.instead_of(&text, at, 8).len())
                .sum();
            let alone = numerals().filter(|it| it.len() == numeral.len()).count() == 1;
            assert_eq!(rivals == 0, alone, "{numeral}");
        }
    }
}
