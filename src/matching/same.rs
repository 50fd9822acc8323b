//! What counts as the same character: what prints so alike that nobody means a difference by it.

/// Whether a character is the sign before an amount.
pub(super) fn is_sign(character: char) -> bool {
    matches!(character, '¥' | '￥')
}

/// What counts as the same beside a claim.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Same {
    /// The letter O, large or small, and the figure, where the claim has the letter, as in October.
    letter_o: bool,
    /// The letter l and the figure one, where the claim has the letter, as in million.
    letter_l: bool,
    /// The sign of the currency and letters that it is like on a coarse scan, where the claim begins with the sign.
    sign: bool,
    /// The letter C with a háček and without one, where the claim ends in a currency's code that begins with it: networks read `ČNY`.
    currency: bool,
    /// Large letters and small ones, where the claim is known: nobody means a difference by them.
    case: bool,
    /// Commas between the figures of an amount, where the claim is one: where its point is, they say nothing.
    groups: bool,
}

impl Same {
    pub fn of(claim: &str) -> Same {
        Same {
            letter_o: claim.contains(['O', 'o']),
            letter_l: claim.contains('l'),
            sign: claim.starts_with(is_sign),
            currency: claim.rsplit_once(' ').is_some_and(|(_, code)| {
                code.len() == 3
                    && code.starts_with('C')
                    && code.chars().all(|it| it.is_ascii_uppercase())
            }),
            case: true,
            groups: claim.contains(',')
                && claim
                    .chars()
                    .all(|it| it.is_ascii_digit() || "¥￥,.-".contains(it)),
        }
    }

    /// Whether a character counts as none: a space between two words is no more of a character than a pause between
    /// two letters, and the sign before an amount says nothing that the form does not.
    pub fn is_none(self, character: char) -> bool {
        character.is_whitespace()
            || is_sign(character)
            || self.sign && matches!(character, 'V' | 'v' | 'Y' | 'y')
            || self.groups && matches!(character, ',' | '，' | '、')
    }

    /// The one of those that are the same that stands for all of them.
    pub fn folded(self, character: char) -> char {
        match character {
            'O' | 'o' if self.letter_o => '0',
            'l' if self.letter_l => '1',
            'Č' | 'č' if self.currency => 'c',
            'A'..='Z' if self.case => character.to_ascii_lowercase(),
            '\u{FF01}'..='\u{FF5E}' => {
                let half = char::from_u32(u32::from(character) - 0xFEE0);
                half.map_or(character, |it| self.folded(it))
            }
            '—' | '–' | '−' => '-',
            '・' | '•' => '·',
            '“' | '”' => '"',
            '‘' | '’' => '\'',
            '。' => '.',
            '、' => ',',
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_before_an_amount_is_a_letter_a_sign_and_only_beside_a_letter_is_a_figure_one() {
        let amount = Same::of("¥542,423.36");
        assert!(amount.is_none('V') && amount.is_none('¥') && !amount.is_none('7'));
        assert!(!amount.is_none('X') && amount.folded('O') == 'o');
        let name = Same::of("Victor");
        assert!(!name.is_none('V') && name.is_none('￥') && name.is_none('\u{3000}'));
        let date = Same::of("15 October 2024");
        assert_eq!((date.folded('O'), date.folded('o')), ('0', '0'));
        assert_eq!(date.folded('M'), date.folded('m'));
        assert_eq!(Same::default().folded('M'), 'M');
        assert!(!date.is_none('Y'));
    }

    #[test]
    fn only_beside_the_letter_l_is_it_the_figure_one() {
        let words = Same::of("Eight million and 31/100 CNY");
        assert_eq!((words.folded('l'), words.folded('1')), ('1', '1'));
        assert_eq!((words.folded('L'), words.folded('I')), ('l', 'i'));
        assert_eq!(Same::of("Nine and 31/100 CNY").folded('l'), 'l');
    }

    #[test]
    fn only_beside_a_code_of_a_currency_is_a_letter_without_its_mark() {
        let words = Same::of("Nine and 31/100 CNY");
        assert_eq!((words.folded('Č'), words.folded('C')), ('c', 'c'));
        assert_eq!(words.folded('Ş'), 'Ş');
        for other in ["Capek Co", "CNY", "Eva Capek", "Nine and 31/100 EUR"] {
            assert_eq!(Same::of(other).folded('Č'), 'Č', "{other}");
        }
    }

    #[test]
    fn commas_between_the_figures_of_an_amount_say_nothing_and_its_point_does() {
        let amount = Same::of("¥3,982,235.59");
        assert!(amount.is_none(',') && amount.is_none('，') && !amount.is_none('.'));
        // Where a comma may be a point, it says something.
        assert!(!Same::of("982.59").is_none(','));
        assert!(!Same::of("甲,乙").is_none(','));
    }

    #[test]
    fn full_width_characters_are_those_of_half_width() {
        let same = Same::default();
        let folded: String = "（１２３）－４，５。６"
            .chars()
            .map(|it| same.folded(it))
            .collect();
        assert_eq!(folded, "(123)-4,5.6");
    }
}
