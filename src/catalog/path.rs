use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// Most steps in a path; the deepest file of a voucher has six.
pub const PATH_MAX_SEGMENTS: usize = 16;
/// Longest step in bytes, as on every common file system.
pub const SEGMENT_MAX_BYTES: usize = 255;

/// A place in the tree: its steps from the root, each in Unicode NFC, none empty, `.` or `..`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath {
    segments: Vec<String>,
}

/// Why a text is not a path of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// `.` or `..`, which a client should have resolved.
    #[error("a path must not contain the steps . and ..")]
    Dots,
    /// A slash inside a step.
    #[error("a step of a path must not contain a slash")]
    Slash,
    /// A control character.
    #[error("a path must not contain control characters")]
    Control,
    /// A step longer than [`SEGMENT_MAX_BYTES`].
    #[error("a step of a path has at most {SEGMENT_MAX_BYTES} bytes in UTF-8")]
    TooLong,
    /// More than [`PATH_MAX_SEGMENTS`] steps.
    #[error("a path has at most {PATH_MAX_SEGMENTS} steps")]
    TooDeep,
    /// Two slashes in a row.
    #[error("a path must not contain empty steps")]
    Empty,
}

impl TreePath {
    /// Reads `/a/b` or `/a/b/`; both name the same place.
    pub fn parse(text: &str) -> Result<TreePath, PathError> {
        let text = text.strip_prefix('/').unwrap_or(text);
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.is_empty() {
            return Ok(TreePath::default());
        }
        let mut segments = Vec::new();
        for segment in text.split('/') {
            match segment {
                "" => return Err(PathError::Empty),
                "." | ".." => return Err(PathError::Dots),
                _ if segment.chars().any(char::is_control) => return Err(PathError::Control),
                _ => {}
            }
            let segment: String = segment.nfc().take(SEGMENT_MAX_BYTES + 1).collect();
            if segment.len() > SEGMENT_MAX_BYTES {
                return Err(PathError::TooLong);
            }
            segments.push(segment);
        }
        if segments.len() > PATH_MAX_SEGMENTS {
            return Err(PathError::TooDeep);
        }
        Ok(TreePath { segments })
    }

    /// The path of these steps, which must be valid ones (names of a voucher are).
    pub fn from_segments(segments: Vec<String>) -> TreePath {
        TreePath { segments }
    }

    /// The steps from the root.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The last step; empty for the root.
    pub fn name(&self) -> &str {
        self.segments.last().map_or("", String::as_str)
    }

    /// The place above; the root is above itself.
    pub fn parent(&self) -> TreePath {
        let above = self.segments.len().saturating_sub(1);
        TreePath {
            segments: self.segments[..above].to_vec(),
        }
    }

    /// The place one step below. The step must be a valid one.
    pub fn child(&self, name: &str) -> TreePath {
        let mut segments = self.segments.clone();
        segments.push(name.to_owned());
        TreePath { segments }
    }
}

/// `/a/b`, and `/` for the root: the form in which entries and messages write paths.
impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.segments.is_empty() {
            return f.write_str("/");
        }
        self.segments
            .iter()
            .try_for_each(|segment| write!(f, "/{segment}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_place_has_one_path() {
        let path = TreePath::parse("/Cafe\u{301}/b/").unwrap();
        assert_eq!(path, TreePath::parse("Café/b").unwrap());
        assert_eq!(path.to_string(), "/Café/b");
        assert_eq!(
            (path.name(), path.parent().to_string().as_str()),
            ("b", "/Café")
        );
        assert_eq!(TreePath::parse("/").unwrap().to_string(), "/");
    }

    #[test]
    fn refuses_what_leads_astray() {
        for (text, error) in [
            ("/a/../b", PathError::Dots),
            ("/./b", PathError::Dots),
            ("/a//b", PathError::Empty),
            ("/a\0b", PathError::Control),
        ] {
            assert_eq!(TreePath::parse(text), Err(error), "{text}");
        }
        assert_eq!(TreePath::parse(&"x".repeat(300)), Err(PathError::TooLong));
        assert_eq!(TreePath::parse(&"x/".repeat(20)), Err(PathError::TooDeep));
    }

    proptest! {
        #[test]
        fn a_path_reads_back(text in "[/.a\u{e9}\u{301}账]{0,40}") {
            if let Ok(path) = TreePath::parse(&text) {
                prop_assert_eq!(TreePath::parse(&path.to_string()), Ok(path));
            }
        }
    }
}
