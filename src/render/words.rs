//! What a form puts into words, in the form's own language.

mod chinese;
mod english;

use crate::voucher::template::Locale;
use crate::voucher::{Amount, Date};

/// The English numerals below a hundred, each a word.
pub(super) fn english_numerals() -> impl Iterator<Item = &'static str> {
    let tens = english::TENS.into_iter().filter(|it| !it.is_empty());
    english::SMALL.into_iter().chain(tens)
}

impl Locale {
    /// The amount in words with its currency, or `None` where words cannot say it.
    pub(super) fn amount(self, amount: Amount, currency: &str) -> Option<String> {
        match self {
            Locale::Chinese => chinese::amount(amount, currency),
            Locale::British | Locale::American => english::amount(amount, currency),
        }
    }

    /// The date as the language writes it in full.
    pub(super) fn date(self, date: Date) -> String {
        let (year, day) = (date.year(), date.day());
        let month = english::month(date);
        match self {
            Locale::Chinese => format!("{year}年{}月{day}日", date.month()),
            Locale::British => format!("{day} {month} {year}"),
            Locale::American => format!("{month} {day}, {year}"),
        }
    }

    /// The date in words, where the language has a form for that: on Chinese bills.
    pub(super) fn date_in_words(self, date: Date) -> String {
        match self {
            Locale::Chinese => chinese::date(date),
            Locale::British | Locale::American => self.date(date),
        }
    }

    /// Yes or no.
    pub(super) fn truth(self, truth: bool) -> &'static str {
        match (self, truth) {
            (Locale::Chinese, true) => "是",
            (Locale::Chinese, false) => "否",
            (_, true) => "yes",
            (_, false) => "no",
        }
    }

    /// What stands between the items of a list.
    pub(super) fn separator(self) -> &'static str {
        match self {
            Locale::Chinese => "、",
            Locale::British | Locale::American => ", ",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_locale_has_its_own_words() {
        let date = "2024-03-05".parse().unwrap();
        let amount = "12345.60".parse().unwrap();
        for (locale, long, in_words, total) in [
            (
                Locale::Chinese,
                "2024年3月5日",
                "贰零贰肆年叁月零伍日",
                "人民币壹万贰仟叁佰肆拾伍元陆角整",
            ),
            (
                Locale::British,
                "5 March 2024",
                "5 March 2024",
                "Twelve thousand three hundred and forty-five and 60/100 CNY",
            ),
            (
                Locale::American,
                "March 5, 2024",
                "March 5, 2024",
                "Twelve thousand three hundred and forty-five and 60/100 CNY",
            ),
        ] {
            assert_eq!(locale.date(date), long);
            assert_eq!(locale.date_in_words(date), in_words);
            assert_eq!(locale.amount(amount, "CNY").as_deref(), Some(total));
        }
        assert_eq!(Locale::British.separator(), ", ");
        assert_eq!(Locale::American.truth(false), "no");
    }
}
