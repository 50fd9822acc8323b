use serde::Deserialize;
use toml::Spanned;

use super::geometry::{Colour, Length, Point, Rectangle, points};
use super::locale::Locale;
use super::picture::{Picture, PictureText};
use super::table::Table;
use super::value::Value;

/// A form: a page, what is printed on it for every voucher, and where the voucher's values go.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The form's name, such as 付款凭证; the title of the documents drawn from it.
    pub title: String,
    /// How dates and amounts in words are written.
    pub locale: Locale,
    /// The paper.
    pub page: Page,
    /// The colours.
    pub inks: Inks,
    /// Constant texts.
    pub labels: Vec<Label>,
    /// Values of the voucher.
    pub fields: Vec<Field>,
    /// Straight lines.
    pub rules: Vec<Rule>,
    /// Frames.
    pub frames: Vec<Frame>,
    /// Logos.
    pub pictures: Vec<Picture>,
    /// Places for seals and signatures.
    pub slots: Vec<Slot>,
    /// The lines of the voucher.
    pub table: Table,
    /// The QR mark.
    pub mark: Option<MarkPlace>,
}

/// The document as written, with the places of what is checked across keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) format: Spanned<u32>,
    pub(super) title: Spanned<String>,
    #[serde(default)]
    pub(super) locale: Locale,
    pub(super) page: Spanned<Page>,
    #[serde(default)]
    pub(super) inks: Inks,
    #[serde(default)]
    pub(super) labels: Vec<Spanned<Label>>,
    #[serde(default)]
    pub(super) fields: Vec<Spanned<Field>>,
    #[serde(default)]
    pub(super) rules: Vec<Spanned<Rule>>,
    #[serde(default)]
    pub(super) frames: Vec<Spanned<Frame>>,
    #[serde(default)]
    pub(super) pictures: Vec<Spanned<PictureText>>,
    #[serde(default)]
    pub(super) slots: Vec<Spanned<Slot>>,
    pub(super) table: Spanned<Table>,
    pub(super) mark: Option<Spanned<MarkPlace>>,
}

/// The paper, in units; [`Template::from_toml`] rounds it to whole hundredths of an inch, so that it
/// is whole pixels at 100, 200 and 300 dots per inch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Units across.
    pub width: Length,
    /// Units down.
    pub height: Length,
}

/// The colours of a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Inks {
    /// What a printer's shop would have printed: labels, rules, frames.
    pub form: Colour,
    /// The voucher's values.
    pub value: Colour,
    /// Negative amounts.
    pub negative: Colour,
    /// The rule before the hundredths in a digit grid.
    pub accent: Colour,
}

impl Default for Inks {
    fn default() -> Inks {
        Inks {
            form: Colour::BLACK,
            value: Colour::BLACK,
            negative: Colour::RED,
            accent: Colour::RED,
        }
    }
}

/// One of the form's colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ink {
    /// [`Inks::form`]
    #[default]
    Form,
    /// [`Inks::value`]
    Value,
    /// [`Inks::accent`]
    Accent,
}

/// A typeface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Face {
    /// 宋体
    #[default]
    Serif,
    /// 黑体
    Sans,
    /// 粗宋
    Bold,
}

/// Where a text stands in its box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Centre,
    /// At the right edge.
    Right,
    /// Its characters spread evenly from edge to edge (分散对齐).
    Spread,
}

/// What happens to a text that is too long for its box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Smaller type.
    #[default]
    Shrink,
    /// More lines, then smaller type.
    Wrap,
    /// Cut off, with an ellipsis and a warning.
    Ellipsis,
}

/// Which way a text runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Flow {
    /// From left to right.
    #[default]
    Across,
    /// From top to bottom, upright characters (直排).
    Down,
}

/// A constant text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The text.
    pub text: String,
    /// Where it stands.
    #[serde(rename = "box")]
    pub rectangle: Rectangle,
    /// Size of type in units.
    #[serde(deserialize_with = "points")]
    pub size: i32,
    /// Typeface.
    #[serde(default)]
    pub face: Face,
    /// Place in the box.
    #[serde(default)]
    pub align: Align,
    /// Direction.
    #[serde(default)]
    pub flow: Flow,
    /// Colour.
    #[serde(default)]
    pub ink: Ink,
}

/// A value of the voucher.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Which value.
    pub value: Value,
    /// Where it stands.
    #[serde(rename = "box")]
    pub rectangle: Rectangle,
    /// Size of type in units.
    #[serde(deserialize_with = "points")]
    pub size: i32,
    /// Typeface.
    #[serde(default)]
    pub face: Face,
    /// Place in the box.
    #[serde(default)]
    pub align: Align,
    /// Direction.
    #[serde(default)]
    pub flow: Flow,
    /// What to do with a value that is too long.
    #[serde(default)]
    pub fit: Fit,
    /// Colour.
    #[serde(default = "value_ink")]
    pub ink: Ink,
}

fn value_ink() -> Ink {
    Ink::Value
}

/// A straight line, horizontal or vertical.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// One end.
    pub from: Point,
    /// The other end.
    pub to: Point,
    /// Thickness.
    pub weight: Length,
    /// Colour.
    #[serde(default)]
    pub ink: Ink,
}

/// An outlined rectangle.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// The upper and left edges of its four lines.
    #[serde(rename = "box")]
    pub rectangle: Rectangle,
    /// Thickness.
    pub weight: Length,
    /// Colour.
    #[serde(default)]
    pub ink: Ink,
}

/// A place kept free for a seal or a signature.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// What goes there, such as `signature.reviewer` or `seal`.
    pub name: String,
    /// Where.
    #[serde(rename = "box")]
    pub rectangle: Rectangle,
}

/// Where the QR mark stands; at most this large.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarkPlace {
    /// Its square, quiet zone not included.
    #[serde(rename = "box")]
    pub rectangle: Rectangle,
}
