use serde::Deserialize;

use super::TreePath;
use crate::voucher::{Invalid, Name, PeriodGrammar, Voucher};

const BUILTIN: &str = include_str!("../../archive-layout/default.toml");
/// Longest layout file in bytes.
const LAYOUT_MAX_BYTES: usize = 64 << 10;

/// How the tree of an archive is laid out, read from `archive-layout/*.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layout {
    levels: Vec<Level>,
    period: PeriodGrammar,
    renditions: Vec<Rendition>,
    types: Vec<VoucherType>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Company,
    Ledger,
    Period,
    Type,
    Number,
}

/// A rendition that a voucher's folder shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Rendition {
    /// `voucher.png`
    #[serde(rename = "voucher.png")]
    Png,
    /// `voucher.jpg`
    #[serde(rename = "voucher.jpg")]
    Jpeg,
    /// `voucher.pdf`
    #[serde(rename = "voucher.pdf")]
    Pdf,
}

impl Rendition {
    /// The file name.
    pub fn name(self) -> &'static str {
        match self {
            Rendition::Png => "voucher.png",
            Rendition::Jpeg => "voucher.jpg",
            Rendition::Pdf => "voucher.pdf",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Rendition::Png => "image/png",
            Rendition::Jpeg => "image/jpeg",
            Rendition::Pdf => "application/pdf",
        }
    }
}

/// A type of voucher.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoucherType {
    /// As it stands in paths and in `voucher.json`.
    pub name: String,
    /// As people call it.
    pub title: String,
}

/// Why a layout file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Not TOML of the layout's shape; the message has line and column.
    #[error("layout: {0}")]
    Shape(String),
    /// A value that makes no tree.
    #[error("layout, {field}: {problem}")]
    Value {
        /// The key in the file.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Layout {
    /// The layout that is built in.
    pub fn builtin() -> Layout {
        // A test reads the built-in file, so reading it here cannot fail.
        Layout::from_toml(BUILTIN).unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// The text of the built-in layout, copied into every new archive.
    pub fn builtin_toml() -> &'static str {
        BUILTIN
    }

    /// Reads and checks a layout file.
    pub fn from_toml(text: &str) -> Result<Layout, LayoutError> {
        if text.len() > LAYOUT_MAX_BYTES {
            return Err(LayoutError::Shape("longer than 64 KiB".to_owned()));
        }
        let layout: Layout =
            toml::from_str(text).map_err(|error| LayoutError::Shape(error.to_string()))?;
        let refuse = |field, problem| Err(LayoutError::Value { field, problem });
        let mut sorted = layout.levels.clone();
        sorted.sort();
        let all = [
            Level::Company,
            Level::Ledger,
            Level::Period,
            Level::Type,
            Level::Number,
        ];
        if sorted != all {
            return refuse(
                "levels",
                "each of company, ledger, period, type and number stands there once",
            );
        }
        if layout.levels.last() != Some(&Level::Number) {
            return refuse("levels", "the number comes last");
        }
        if layout.types.is_empty() {
            return refuse("types", "at least one type is needed");
        }
        for (at, voucher_type) in layout.types.iter().enumerate() {
            if Name::new(&voucher_type.name).is_err() || voucher_type.title.is_empty() {
                return refuse(
                    "types",
                    "a type needs a name that can stand in a path, and a title",
                );
            }
            if layout.types[..at]
                .iter()
                .any(|other| other.name == voucher_type.name)
            {
                return refuse("types", "a type stands there twice");
            }
        }
        Ok(layout)
    }

    /// Number of steps to a voucher's folder.
    pub fn levels(&self) -> usize {
        self.levels.len()
    }

    /// The renditions that a voucher's folder shows.
    pub fn renditions(&self) -> &[Rendition] {
        &self.renditions
    }

    /// Whether a voucher's folder shows a rendition of this name.
    pub fn shows(&self, name: &str) -> bool {
        self.renditions
            .iter()
            .any(|rendition| rendition.name() == name)
    }

    /// The voucher types.
    pub fn types(&self) -> &[VoucherType] {
        &self.types
    }

    /// The folder in which a voucher belongs; refuses unknown types and periods, and a date outside
    /// the period.
    pub fn place(&self, voucher: &Voucher) -> Result<TreePath, Invalid> {
        if !self
            .types
            .iter()
            .any(|known| known.name == *voucher.voucher_type)
        {
            let known: Vec<&str> = self.types.iter().map(|known| known.name.as_str()).collect();
            return Err(Invalid::new(
                "type",
                format!(
                    "{} is no voucher type of this archive",
                    voucher.voucher_type
                ),
                format!("use one of {}", known.join(", ")),
            ));
        }
        let Some(period) = self.period.parse(&voucher.period) else {
            return Err(Invalid::new(
                "period",
                format!("{} is no period", voucher.period),
                format!("write the period as {}", self.period.pattern()),
            ));
        };
        if !period.contains(voucher.date) {
            return Err(Invalid::new(
                "date",
                format!("{} is outside the period {}", voucher.date, voucher.period),
                format!(
                    "a date from {} to {} belongs there",
                    period.first, period.last
                ),
            ));
        }
        let steps = self
            .levels
            .iter()
            .map(|level| step(voucher, *level).to_string());
        Ok(TreePath::from_segments(steps.collect()))
    }

    /// Checks that the content belongs to the path that it was sent to, and names the field that differs.
    pub fn agrees(&self, place: &TreePath, sent_to: &TreePath) -> Result<(), Invalid> {
        for ((level, content), path) in self
            .levels
            .iter()
            .zip(place.segments())
            .zip(sent_to.segments())
        {
            if content != path {
                let field = format!("{level:?}").to_lowercase();
                return Err(Invalid::new(
                    field.clone(),
                    format!("the content says {content}, the path says {path}"),
                    format!("send it to {place}/, or correct the {field}"),
                ));
            }
        }
        Ok(())
    }
}

fn step(voucher: &Voucher, level: Level) -> &Name {
    match level {
        Level::Company => &voucher.company,
        Level::Ledger => &voucher.ledger,
        Level::Period => &voucher.period,
        Level::Type => &voucher.voucher_type,
        Level::Number => &voucher.number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voucher(change: (&str, &str)) -> Voucher {
        let text = r#"{"company":"acme","ledger":"gl","period":"2024-03","type":"payment","number":"0001",
            "date":"2024-03-05","currency":"CNY","preparer":"张三","lines":[
            {"summary":"a","account":"b","debit":"1"},{"summary":"a","account":"b","credit":"1"}]}"#;
        Voucher::from_json(text.replace(change.0, change.1).as_bytes()).unwrap()
    }

    #[test]
    fn a_voucher_has_one_place() {
        let layout = Layout::builtin();
        let place = layout.place(&voucher(("", ""))).unwrap();
        assert_eq!(place.to_string(), "/acme/gl/2024-03/payment/0001");
        let other = TreePath::parse("/acme/gl/2024-04/payment/0001").unwrap();
        assert_eq!(layout.agrees(&place, &other).unwrap_err().field, "period");
        assert_eq!(layout.agrees(&place, &place), Ok(()));
    }

    #[test]
    fn what_has_no_place_is_refused_by_field() {
        for (change, field) in [
            (("payment", "cheque"), "type"),
            (("2024-03\"", "2024-13\""), "period"),
            (("2024-03-05", "2024-04-01"), "date"),
        ] {
            assert_eq!(
                Layout::builtin().place(&voucher(change)).unwrap_err().field,
                field
            );
        }
    }

    #[test]
    fn a_layout_that_makes_no_tree_is_refused() {
        for (from, to) in [
            ("\"company\", ", ""),
            ("\"type\", \"number\"", "\"number\", \"type\""),
            ("YYYY-MM\"\n", "MM\"\n"),
            ("name = \"payment\"", "name = \"receipt\""),
            ("name = \"payment\"", "name = \"a/b\""),
            ("levels", "colour = 1\nlevels"),
        ] {
            let text = BUILTIN.replacen(from, to, 1);
            assert_ne!(text, BUILTIN);
            assert!(Layout::from_toml(&text).is_err(), "{from} -> {to}");
        }
    }
}
