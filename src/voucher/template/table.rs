use serde::Deserialize;
use toml::Spanned;

use super::form::{Align, Fit};
use super::geometry::{Length, Point, points};
use super::value::ColumnValue;

/// The repeating lines of a voucher: a heading, equal rows, and a row of totals.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Upper left corner.
    pub at: Point,
    /// Height of the heading.
    pub heading_height: Length,
    /// Height of a row.
    pub row_height: Length,
    /// Height of the row of totals.
    pub total_height: Length,
    /// Rows on a page, totals not counted.
    pub rows: u32,
    /// Size of type of the values, in units.
    #[serde(deserialize_with = "points")]
    pub size: i32,
    /// Size of type of the headings, in units.
    #[serde(deserialize_with = "points")]
    pub heading_size: i32,
    /// Thickness of the outer frame.
    pub frame_weight: Length,
    /// Thickness of the rules inside.
    pub rule_weight: Length,
    /// What the row of totals says on the last page.
    pub total_label: String,
    /// What it says on the pages before.
    #[serde(default = "carried_forward")]
    pub carried_forward: String,
    /// What the first row of a following page says.
    #[serde(default = "brought_forward")]
    pub brought_forward: String,
    /// Whether the row of totals also says the amount in words.
    #[serde(default)]
    pub total_words: bool,
    /// How unused amount cells are cancelled.
    #[serde(default)]
    pub cross: Cross,
    /// The columns, from left to right.
    pub columns: Vec<Spanned<Column>>,
}

fn carried_forward() -> String {
    "过次页".to_owned()
}

fn brought_forward() -> String {
    "承前页".to_owned()
}

/// How the unused amount cells between the last line and the totals are cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cross {
    /// Left empty.
    #[default]
    None,
    /// One slanting stroke (划斜线注销), so that nothing can be added later.
    Stroke,
}

/// A column of the table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// What it shows.
    pub value: ColumnValue,
    /// Its heading.
    pub title: String,
    /// A heading above it that it shares with its neighbours of the same group.
    #[serde(default)]
    pub group: Option<String>,
    /// Units across; for a digit grid, of all digits together.
    pub width: Length,
    /// For an amount: a grid of this many digits (亿千百十万千百十元角分), else grouped figures.
    #[serde(default)]
    pub digits: Option<u32>,
    /// Place in the cell.
    #[serde(default)]
    pub align: Align,
    /// What to do with a value that is too long.
    #[serde(default)]
    pub fit: Fit,
}

impl Table {
    /// Units across.
    pub fn width(&self) -> i32 {
        self.columns.iter().map(|c| c.get_ref().width.0).sum()
    }

    /// Units down, heading and totals included.
    pub fn height(&self) -> i32 {
        let rows = i32::try_from(self.rows).unwrap_or(i32::MAX);
        let rows = self.row_height.0.saturating_mul(rows);
        // Heading and totals are at most 420 mm each.
        rows.saturating_add(self.heading_height.0 + self.total_height.0)
    }
}
