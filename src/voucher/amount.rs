use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;

/// Digits before the decimal point that an amount may have: up to 千万亿, more than any form can print.
const INTEGER_DIGITS_MAX: usize = 15;
/// Digits after the decimal point: the most any ISO 4217 currency uses.
const FRACTION_DIGITS_MAX: usize = 4;

/// An exact amount of money in the voucher's currency, in the decimal form in which it was written:
/// `12000.00` stays `12000.00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(Decimal);

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Anything but an optional minus, digits, and optionally a point with digits.
    #[error("not a decimal amount")]
    Grammar,
    /// More digits than an amount may have.
    #[error(
        "more than {INTEGER_DIGITS_MAX} digits before or {FRACTION_DIGITS_MAX} after the point"
    )]
    Digits,
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(Decimal::ZERO);

    /// The exact sum, or `None` beyond what an amount can hold.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).map(Amount)
    }

    /// Whether the amount is below zero (printed in red).
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }

    /// Whether the amount is exactly zero.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Digits after the decimal point that carry value: 1 for `1.50`, 0 for `7.00` and 2 for `1.05`.
    pub fn fraction_digits(self) -> u32 {
        self.0.normalize().scale()
    }

    /// Sign, whole units and hundredths, or `None` when the amount has a finer fraction.
    pub fn hundredths(self) -> Option<i128> {
        let mut scaled = self.0.normalize();
        if scaled.scale() > 2 {
            return None;
        }
        scaled.rescale(2);
        Some(scaled.mantissa())
    }

    /// The amount with thousands separators and at least two decimals: `12,000.00`.
    pub fn grouped(self) -> String {
        let mut value = self.0;
        if value.scale() < 2 {
            value.rescale(2);
        }
        let text = value.abs().to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, "00"));
        let mut out = String::from(if self.is_negative() { "-" } else { "" });
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                out.push(',');
            }
            out.push(digit);
        }
        out + "." + fraction
    }
}

impl FromStr for Amount {
    type Err = AmountError;

    /// Grammar: `-?(0|[1-9][0-9]*)(\.[0-9]+)?`.
    fn from_str(text: &str) -> Result<Amount, AmountError> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(AmountError::Grammar),
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) {
            return Err(AmountError::Grammar);
        }
        if whole.len() > 1 && whole.starts_with('0') {
            return Err(AmountError::Grammar);
        }
        if whole.len() > INTEGER_DIGITS_MAX || fraction.len() > FRACTION_DIGITS_MAX {
            return Err(AmountError::Digits);
        }
        Decimal::from_str_exact(text)
            .map(Amount)
            .map_err(|_| AmountError::Digits)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_the_written_form() {
        for text in ["0", "0.00", "12000.00", "-3.5", "999999999999999.9999"] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn refuses_what_is_not_a_plain_decimal() {
        for text in [
            "", "-", ".5", "5.", "+1", "1e3", "1,000", "01", "1 ", "１", "--1", "1.2.3", "NaN",
        ] {
            assert_eq!(text.parse::<Amount>(), Err(AmountError::Grammar), "{text}");
        }
        for text in ["1234567890123456", "1.00001"] {
            assert_eq!(text.parse::<Amount>(), Err(AmountError::Digits), "{text}");
        }
    }

    #[test]
    fn groups_thousands() {
        for (text, grouped) in [
            ("0", "0.00"),
            ("12000.5", "12,000.50"),
            ("-1234567.891", "-1,234,567.891"),
            ("999", "999.00"),
        ] {
            assert_eq!(text.parse::<Amount>().unwrap().grouped(), grouped);
        }
    }

    #[test]
    fn minus_zero_is_not_negative() {
        assert!(!"-0.00".parse::<Amount>().unwrap().is_negative());
    }

    proptest! {
        #[test]
        fn sums_of_hundredths_are_exact(a in -10i128.pow(15)..10i128.pow(15), b in -10i128.pow(15)..10i128.pow(15)) {
            let amount = |cents: i128| {
                let sign = if cents < 0 { "-" } else { "" };
                format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100).parse::<Amount>().unwrap()
            };
            let sum = amount(a).checked_add(amount(b)).unwrap();
            prop_assert_eq!(sum.hundredths(), Some(a + b));
        }

        #[test]
        fn any_text_parses_or_is_refused(text in ".{0,40}") {
            if let Ok(amount) = text.parse::<Amount>() {
                prop_assert_eq!(amount.to_string(), text);
            }
        }
    }
}
