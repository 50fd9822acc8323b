//! What a form claims: a value of the voucher in its place.

use super::form::{Area, pixels};
use super::wording::{is_amount, is_strict};
use crate::render::GlyphRun;

/// A value that must be found in its place.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub name: String,
    pub text: String,
    pub area: Area,
    pub runs: Vec<GlyphRun>,
    /// Whether it is an amount in a digit grid.
    pub in_grid: bool,
    /// Whether it is a place for words in a row without a line.
    pub unused_words: bool,
}

impl Claim {
    /// Where something may stand besides it: what was added to a text may reach out of its place.
    pub fn place(&self) -> Area {
        let run = self.runs.first();
        // Nothing of a table is beside a number or a date.
        let far = match is_strict(&self.name) && !is_amount(&self.name) {
            true => 1.2,
            false => 0.6,
        };
        let beyond = run.map_or(-1.0, |run| far * pixels(run.size));
        Area {
            top: self.area.top + 1.0,
            bottom: self.area.bottom - 1.0,
            ..self.area.widened(beyond)
        }
    }

    /// What should be there and what is seen there as a person writes them: amounts in a digit grid with their point.
    pub fn as_written(&self, seen: &str) -> (String, String) {
        let both = [&self.text, seen].map(|text| match self.in_grid {
            true => with_point(text).unwrap_or_else(|| text.to_owned()),
            false => text.to_owned(),
        });
        match both {
            // They differ in what a digit grid has beside the digits.
            [text, written] if text == written && self.text != seen => {
                (self.text.clone(), seen.to_owned())
            }
            [text, written] => (text, written),
        }
    }
}

/// The digits of a grid, without the sign of a currency, as an amount; none of what is something else.
fn with_point(cells: &str) -> Option<String> {
    let cells = cells.trim_start_matches(['¥', '￥']);
    let (sign, digits) = match cells.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", cells),
    };
    let is_amount = digits.len() >= 3 && digits.bytes().all(|it| it.is_ascii_digit());
    let (whole, hundredths) = is_amount.then(|| digits.split_at(digits.len() - 2))?;
    Some(format!("{sign}{whole}.{hundredths}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voucher::template::Rectangle;

    #[test]
    fn amounts_in_grids_are_written_with_their_point() {
        let claim = |text: &str, in_grid| Claim {
            name: "total.debit".to_owned(),
            text: text.to_owned(),
            area: Area::of(Rectangle {
                x: 0,
                y: 0,
                width: 1,
                height: 1,
            }),
            runs: Vec::new(),
            in_grid,
            unused_words: false,
        };
        for (text, seen, written) in [
            ("¥1200000", "1290000", ("12000.00", "12900.00")),
            ("-005", "5", ("-0.05", "5")),
            ("1200000", "12 0000O", ("12000.00", "12 0000O")),
            // What differs stays to be seen.
            ("¥1200000", "1200000", ("¥1200000", "1200000")),
            ("", "700", ("", "7.00")),
        ] {
            let (text, seen) = claim(text, true).as_written(seen);
            assert_eq!((&text[..], &seen[..]), written);
        }
        let (text, seen) = claim("0001", false).as_written("0007");
        assert_eq!((&text[..], &seen[..]), ("0001", "0007"));
    }
}
