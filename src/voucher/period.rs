use jiff::civil::{Date, date};
use serde::Deserialize;

/// How a layout writes its periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum PeriodGrammar {
    /// `2024-03`
    #[serde(rename = "YYYY-MM")]
    Month,
    /// `2024-Q1`
    #[serde(rename = "YYYY-Qn")]
    Quarter,
    /// `2024`
    #[serde(rename = "YYYY")]
    Year,
}

/// An accounting period: a span of whole days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

impl PeriodGrammar {
    /// The grammar in the form that the layout file and error messages use.
    pub fn pattern(self) -> &'static str {
        match self {
            PeriodGrammar::Month => "YYYY-MM",
            PeriodGrammar::Quarter => "YYYY-Qn",
            PeriodGrammar::Year => "YYYY",
        }
    }

    /// The period that `text` names, or `None` if the grammar does not produce it.
    pub fn parse(self, text: &str) -> Option<Period> {
        let year: i16 = (text.get(..4)?.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text[..4].parse().ok())
            .flatten()
            .filter(|year| *year >= 1900)?;
        let (from, until) = match (self, &text[4..]) {
            (PeriodGrammar::Month, rest) => {
                let month = two_digits(rest.strip_prefix('-')?)?;
                (month, month)
            }
            (PeriodGrammar::Quarter, "-Q1") => (1, 3),
            (PeriodGrammar::Quarter, "-Q2") => (4, 6),
            (PeriodGrammar::Quarter, "-Q3") => (7, 9),
            (PeriodGrammar::Quarter, "-Q4") => (10, 12),
            (PeriodGrammar::Year, "") => (1, 12),
            _ => return None,
        };
        Some(Period {
            first: date(year, from, 1),
            last: date(year, until, 1).last_of_month(),
        })
    }
}

fn two_digits(text: &str) -> Option<i8> {
    let month = (text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()?;
    (1..=12).contains(&month).then_some(month)
}

impl Period {
    /// Whether `day` lies in the period.
    pub fn contains(&self, day: Date) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_quarters_and_years() {
        let february = PeriodGrammar::Month.parse("2024-02").unwrap();
        assert!(february.contains(date(2024, 2, 29)) && !february.contains(date(2024, 3, 1)));
        let quarter = PeriodGrammar::Quarter.parse("2023-Q4").unwrap();
        assert!(quarter.contains(date(2023, 12, 31)) && !quarter.contains(date(2023, 9, 30)));
        assert_eq!(
            PeriodGrammar::Year.parse("2024").unwrap().last,
            date(2024, 12, 31)
        );
    }

    #[test]
    fn refuses_what_the_grammar_does_not_produce() {
        for text in [
            "2024-13",
            "2024-00",
            "2024-3",
            "24-03",
            "2024-03-05",
            "2024",
            "二〇二四-03",
            "+024-03",
        ] {
            assert_eq!(PeriodGrammar::Month.parse(text), None, "{text}");
        }
        assert_eq!(PeriodGrammar::Quarter.parse("2024-Q5"), None);
    }
}
