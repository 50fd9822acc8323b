use std::fmt;
use std::ops::Deref;

use unicode_normalization::UnicodeNormalization;

/// Longest name in bytes of NFC UTF-8; five of them and a file name stay below every client's path limit.
pub const NAME_MAX_BYTES: usize = 200;

/// One step of a path: Unicode NFC, non-empty, and such that every drive client (Windows included)
/// can show it unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

/// Why a text cannot be a step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No characters at all.
    #[error("a name must not be empty")]
    Empty,
    /// Longer than [`NAME_MAX_BYTES`].
    #[error("a name has at most {NAME_MAX_BYTES} bytes in UTF-8")]
    TooLong,
    /// A slash, a control character, or a character that Windows keeps for itself.
    #[error(
        "a name must not contain {0:?}: slashes, control characters and \\ : * ? \" < > | are refused"
    )]
    Character(char),
    /// An invisible character that changes how neighbours are shown (Unicode TR 36, bidirectional spoofing).
    #[error("a name must not contain the invisible character U+{0:04X}")]
    Invisible(u32),
    /// Leading or trailing space or trailing dot, `.` and `..`.
    #[error("a name must not begin or end with a space, nor end with a dot")]
    Edge,
    /// What Windows keeps for devices: `CON`, `nul.txt`, `COM1`.
    #[error("a name must not be that of a Windows device (CON, PRN, AUX, NUL, COM1 …, LPT1 …)")]
    Device,
    /// `_` at the start is kept for the archive's own folders.
    #[error("a name must not begin with an underscore")]
    Reserved,
}

impl Name {
    /// Checks `text` and normalises it to NFC, so that NFD from macOS names the same place.
    pub fn new(text: &str) -> Result<Name, NameError> {
        let name: String = text.nfc().take(NAME_MAX_BYTES + 1).collect();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > NAME_MAX_BYTES {
            return Err(NameError::TooLong);
        }
        for character in name.chars() {
            if character.is_control() || "/\\:*?\"<>|".contains(character) {
                return Err(NameError::Character(character));
            }
            if is_invisible(character) {
                return Err(NameError::Invisible(character.into()));
            }
        }
        if name.starts_with(char::is_whitespace)
            || name.ends_with(char::is_whitespace)
            || name.ends_with('.')
        {
            return Err(NameError::Edge);
        }
        if is_device(&name) {
            return Err(NameError::Device);
        }
        if name.starts_with('_') {
            return Err(NameError::Reserved);
        }
        Ok(Name(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether Windows takes the name, with any ending, for a device.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let numbered = |prefix: &str| {
        stem.get(..3)
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            && stem.len() == 4
            && stem.ends_with(|c: char| c.is_ascii_digit())
    };
    ["CON", "PRN", "AUX", "NUL"]
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
        || numbered("COM")
        || numbered("LPT")
}

/// Formatting characters (general category Cf and the line and paragraph separators) that a reader
/// cannot see but that reorder, join or hide what is next to them; blank letters; private characters.
pub(super) fn is_invisible(character: char) -> bool {
    // The last two of each plane are no characters, and XML cannot hold them.
    let last_two = u32::from(character) & 0xFFFE == 0xFFFE;
    last_two
        || matches!(character,
        '\u{115F}' | '\u{FDD0}'..='\u{FDEF}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}'
        | '\u{0600}'..='\u{0605}' | '\u{06DD}' | '\u{08E2}' | '\u{E000}'..='\u{F8FF}'
        | '\u{00AD}' | '\u{061C}' | '\u{070F}' | '\u{180E}' | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E007F}')
}

impl Deref for Name {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nfd_and_nfc_name_the_same_place() {
        assert_eq!(Name::new("Cafe\u{301}"), Name::new("Café"));
    }

    #[test]
    fn refuses_what_some_client_cannot_show() {
        assert_eq!(Name::new(""), Err(NameError::Empty));
        assert_eq!(Name::new(&"账".repeat(100)), Err(NameError::TooLong));
        for text in ["a/b", "a\0b", "a\nb", "a:b", "a*"] {
            assert!(
                matches!(Name::new(text), Err(NameError::Character(_))),
                "{text}"
            );
        }
        assert_eq!(Name::new("a\u{202E}b"), Err(NameError::Invisible(0x202E)));
        for text in ["..", ".", "a.", " a", "a "] {
            assert_eq!(Name::new(text), Err(NameError::Edge), "{text}");
        }
        assert_eq!(Name::new("_inbox"), Err(NameError::Reserved));
        for text in ["CON", "nul.txt", "com1", "Lpt9.a.b"] {
            assert_eq!(Name::new(text), Err(NameError::Device), "{text}");
        }
        assert!(Name::new("CONTO").is_ok() && Name::new("COM10").is_ok());
        assert_eq!(Name::new("a\u{3164}"), Err(NameError::Invisible(0x3164)));
    }

    proptest! {
        #[test]
        fn an_accepted_name_is_stable(text in "\\PC{0,80}") {
            if let Ok(name) = Name::new(&text) {
                prop_assert_eq!(Name::new(name.as_str()), Ok(name.clone()));
                prop_assert!(name.len() <= NAME_MAX_BYTES && !name.contains('/'));
            }
        }
    }
}
