use serde::Serialize;

/// Why outside data was refused: which field, what is wrong with it, how to mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {error}")]
pub struct Invalid {
    /// What is wrong, in words.
    pub error: String,
    /// The field in the sender's own terms, such as `lines[1].credit`; empty for the whole document.
    pub field: String,
    /// What the sender can do about it.
    pub hint: String,
}

impl Invalid {
    /// A refusal of `field`.
    pub fn new(
        field: impl Into<String>,
        error: impl Into<String>,
        hint: impl Into<String>,
    ) -> Invalid {
        Invalid {
            error: error.into(),
            field: field.into(),
            hint: hint.into(),
        }
    }
}
