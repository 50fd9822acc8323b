//! Amounts in words as on cheques: the whole part in words, the hundredths as a fraction, the currency's code.

use crate::voucher::{Amount, Date, minor_unit_digits};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
/// The numerals below twenty.
pub(in crate::render) const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
/// The tens, by their digit; the first two have none.
pub(in crate::render) const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];
/// Powers of a thousand, from above; an amount has at most seventeen digits, so quadrillions are the most.
const GROUPS: [(u64, &str); 6] = [
    (1_000_000_000_000_000, "quadrillion"),
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
    (1, ""),
];

/// The name of the date's month.
pub(super) fn month(date: Date) -> &'static str {
    // A date's month is between 1 and 12.
    MONTHS[usize::from(date.month().unsigned_abs()) - 1]
}

/// The amount in words, such as `Twelve thousand and 50/100 CNY`, or `None` for one with parts below a hundredth.
pub(super) fn amount(amount: Amount, currency: &str) -> Option<String> {
    let hundredths = amount.hundredths()?;
    let magnitude = u64::try_from(hundredths.unsigned_abs()).ok()?;
    let mut words: Vec<String> = Vec::new();
    if hundredths < 0 {
        words.push("minus".to_owned());
    }
    write_whole(&mut words, magnitude / 100);
    if minor_unit_digits(currency) > 0 || !magnitude.is_multiple_of(100) {
        words.push(format!("and {:02}/100", magnitude % 100));
    }
    words.push(currency.to_owned());
    let words = words.join(" ");
    let mut characters = words.chars();
    let first = characters.next()?.to_ascii_uppercase();
    Some(std::iter::once(first).chain(characters).collect())
}

fn write_whole(words: &mut Vec<String>, number: u64) {
    if number == 0 {
        words.push(SMALL[0].to_owned());
    }
    for (power, name) in GROUPS {
        let group = number / power % 1_000;
        if group == 0 {
            continue;
        }
        let (hundreds, rest) = (group / 100, group % 100);
        if hundreds > 0 {
            words.push(format!("{} hundred", SMALL[hundreds as usize]));
        }
        // "One hundred and five", "one thousand and five", but "one hundred and five thousand".
        if rest > 0 && (hundreds > 0 || power == 1 && number >= 1_000) {
            words.push("and".to_owned());
        }
        match (rest as usize / 10, rest as usize % 10) {
            (0, 0) => {}
            (0 | 1, _) => words.push(SMALL[rest as usize].to_owned()),
            (tens, 0) => words.push(TENS[tens].to_owned()),
            (tens, ones) => words.push(format!("{}-{}", TENS[tens], SMALL[ones])),
        }
        if !name.is_empty() {
            words.push(name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_as_on_cheques() {
        for (figures, currency, expected) in [
            ("0", "USD", "Zero and 00/100 USD"),
            ("0.05", "EUR", "Zero and 05/100 EUR"),
            ("1", "USD", "One and 00/100 USD"),
            ("20.30", "USD", "Twenty and 30/100 USD"),
            (
                "-115.00",
                "GBP",
                "Minus one hundred and fifteen and 00/100 GBP",
            ),
            ("1005", "JPY", "One thousand and five JPY"),
            ("1000000", "CNY", "One million and 00/100 CNY"),
            (
                "105021",
                "CNY",
                "One hundred and five thousand and twenty-one and 00/100 CNY",
            ),
            (
                "999999999999999.99",
                "CNY",
                "Nine hundred and ninety-nine trillion nine hundred and ninety-nine billion nine hundred and \
                 ninety-nine million nine hundred and ninety-nine thousand nine hundred and ninety-nine and 99/100 CNY",
            ),
        ] {
            let words = amount(figures.parse().unwrap(), currency);
            assert_eq!(words.as_deref(), Some(expected), "{figures}");
        }
        assert_eq!(amount("0.001".parse().unwrap(), "KWD"), None);
    }

    /// Reads words back.
    fn read(words: &str) -> u64 {
        let (mut total, mut group) = (0, 0);
        for word in words.to_lowercase().split([' ', '-']) {
            let small = SMALL.iter().position(|small| *small == word);
            let tens = TENS
                .iter()
                .position(|tens| *tens == word && !word.is_empty());
            let power = GROUPS.iter().find(|(_, name)| *name == word);
            match (small, tens, power) {
                (Some(small), _, _) => group += small as u64,
                (_, Some(tens), _) => group += tens as u64 * 10,
                (_, _, Some((power, _))) => total += std::mem::take(&mut group) * power,
                _ if word == "hundred" => group *= 100,
                _ => assert!(
                    word == "and" || word.contains('/') || word == "cny",
                    "{word}"
                ),
            }
        }
        total + group
    }

    proptest! {
        #[test]
        fn words_say_the_amount(whole in prop_oneof![0u64..10u64.pow(15), 0u64..100_000], hundredths in 0u64..100) {
            let words = amount(format!("{whole}.{hundredths:02}").parse().unwrap(), "CNY").unwrap();
            prop_assert_eq!(read(&words), whole, "{}", words);
            let fraction = format!("and {hundredths:02}/100");
            prop_assert!(words.contains(&fraction));
        }
    }
}
