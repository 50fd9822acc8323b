use std::fmt;

/// Something that could not be drawn as it should be: never silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The field, such as `lines[0].summary`, or the label with its text.
    pub field: String,
    /// What gave way.
    pub shortfall: Shortfall,
}

/// What gave way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortfall {
    /// The text was too long for its box and ends with an ellipsis.
    Shortened,
    /// A box stands in for a character that no typeface has.
    NoGlyph(char),
    /// The amount was too large for its digit grid and is written across it.
    BeyondGrid,
    /// The cell has no room for the amount in type that can be read.
    TooWide,
    /// The path was too long for the QR mark, which has the digest alone.
    MarkWithoutPath,
    /// There was no room for a QR mark.
    NoMark,
}

impl Warning {
    /// The warning without any of the voucher's own text, which the log does not keep.
    pub fn for_log(&self) -> String {
        let Warning { field, shortfall } = self;
        match shortfall {
            Shortfall::NoGlyph(_) => format!("{field}: a box stands in for a character"),
            shortfall => format!("{field}: {shortfall}"),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.shortfall)
    }
}

impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Shortfall::Shortened => f.write_str("shortened to fit its box"),
            Shortfall::NoGlyph(character) => {
                let code = u32::from(*character);
                write!(f, "no typeface has U+{code:04X}, a box stands in for it")
            }
            Shortfall::BeyondGrid => f.write_str("does not fit the digit grid, written across it"),
            Shortfall::TooWide => f.write_str("the cell has no room for the amount"),
            Shortfall::MarkWithoutPath => {
                f.write_str("the path is too long for the QR mark, which has the digest only")
            }
            Shortfall::NoMark => f.write_str("no room for a QR mark, left out"),
        }
    }
}
