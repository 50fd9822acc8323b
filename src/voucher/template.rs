//! The typed form of a template (电子凭证样式): where a voucher's values stand on the paper form.
//!
//! The grammar is described for authors in `templates/README.md`. Reading a template checks all that
//! can be checked without a voucher; drawing belongs to the render room.

mod check;
mod form;
mod geometry;
mod locale;
mod picture;
mod table;
mod value;

pub use form::{
    Align, Face, Field, Fit, Flow, Frame, Ink, Inks, Label, MarkPlace, Page, Rule, Slot, Template,
};
pub use geometry::{Colour, Length, Point, Rectangle, UNITS_PER_INCH};
pub use locale::Locale;
pub use picture::{PICTURE_MAX_PIXELS, Picture, Pixels};
pub use table::{Column, Cross, Table};
pub use value::{ColumnValue, Value};

use serde::Deserialize;

/// Longest template in bytes, pictures included; the built-in ones have about 6,000.
pub const TEMPLATE_MAX_BYTES: usize = 256 << 10;
/// Most pictures.
pub const PICTURES_MAX: usize = 4;
/// Most labels, fields, rules, boxes and slots together.
pub const ITEMS_MAX: usize = 400;
/// Most columns of the table.
pub const COLUMNS_MAX: usize = 16;
/// Most lines of a voucher on one page.
pub const ROWS_MAX: u32 = 60;

const BUILTIN: [(&str, &str); 7] = [
    ("receipt", include_str!("../../templates/receipt.toml")),
    ("payment", include_str!("../../templates/payment.toml")),
    ("transfer", include_str!("../../templates/transfer.toml")),
    (
        "receivable",
        include_str!("../../templates/receivable.toml"),
    ),
    ("payable", include_str!("../../templates/payable.toml")),
    ("general", include_str!("../../templates/general.toml")),
    ("journal", include_str!("../../templates/journal.toml")),
];

/// Why a text is not a template, and where: the place in the file is the author's to mend.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {key}{}{error}", if key.is_empty() { "" } else { ": " })]
pub struct TemplateError {
    /// Line in the text, from 1.
    pub line: usize,
    /// Column in the line in characters, from 1.
    pub column: usize,
    /// The key, such as `fields[2].value`; empty for a fault of the whole text.
    pub key: String,
    /// What is wrong with it.
    pub error: String,
}

impl TemplateError {
    fn at(text: &str, offset: usize, key: String, error: String) -> TemplateError {
        // A parser may report an offset inside a character; its beginning is what an editor shows.
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        TemplateError {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            key,
            error,
        }
    }
}

impl Template {
    /// Reads and checks a template. The error names the key and its line and column.
    pub fn from_toml(text: &str) -> Result<Template, TemplateError> {
        Template::read(text).map_err(|mut errors| errors.swap_remove(0))
    }

    /// Reads and checks a template, and gives everything that is wrong with it, in the order of the text: at
    /// least one error. Where the text is not TOML of the grammar's shape, that hides all else.
    pub fn read(text: &str) -> Result<Template, Vec<TemplateError>> {
        let document = Template::document(text).map_err(|error| vec![error])?;
        check::check(document).map_err(|faults| {
            let error = |fault: check::Fault| {
                TemplateError::at(text, fault.span.start, fault.key, fault.error)
            };
            faults.into_iter().map(error).collect()
        })
    }

    fn document(text: &str) -> Result<form::Document, TemplateError> {
        if text.len() > TEMPLATE_MAX_BYTES {
            let error = format!("a template has at most {TEMPLATE_MAX_BYTES} bytes");
            return Err(TemplateError::at(text, 0, String::new(), error));
        }
        let fault = |key: String, error: &toml::de::Error| {
            let offset = error.span().map_or(0, |span| span.start);
            TemplateError::at(text, offset, key, error.message().to_owned())
        };
        let deserializer =
            toml::Deserializer::parse(text).map_err(|error| fault(String::new(), &error))?;
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        form::Document::deserialize(tracked)
            .map_err(|error| fault(readable_key(&track.path().to_string()), &error))
    }

    /// The names of the forms that come with the product: voucher types such as `payment`.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.into_iter().map(|(name, _)| name)
    }

    /// The text of the form that comes with the product for a voucher type such as `payment`.
    pub fn builtin(voucher_type: &str) -> Option<&'static str> {
        BUILTIN
            .iter()
            .find(|(name, _)| *name == voucher_type)
            .map(|(_, text)| *text)
    }
}

/// The key without the steps that the span-keeping wrapper adds to it.
fn readable_key(path: &str) -> String {
    path.split('.')
        .filter(|step| !step.is_empty() && !step.starts_with("$__"))
        .collect::<Vec<_>>()
        .join(".")
}

#[cfg(test)]
mod tests;
