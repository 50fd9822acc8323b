use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::catalog::TreePath;

/// Longest scope in bytes.
const SCOPE_MAX_BYTES: usize = 1_000;
/// Most steps of a scope.
const SCOPE_MAX_SEGMENTS: usize = 6;

/// A part of the tree: a path whose steps may contain `*` or be ranges such as `2024-01..2024-06`,
/// and everything below it. `/` is the whole tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    /// One name.
    Name(String),
    /// All names that begin so, written with a `*` at the end.
    Beginning(String),
    /// A text in which each `*` stands for any characters.
    Pattern(String),
    /// All names from the first to the last, both included, in the order of their characters.
    Range(String, String),
}

/// Why a text is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// Scopes are absolute.
    #[error("a scope begins with a slash, such as /acme/*/2024-*/")]
    Relative,
    /// Longer than any path.
    #[error("a scope has at most {SCOPE_MAX_SEGMENTS} steps and {SCOPE_MAX_BYTES} bytes")]
    TooLong,
    /// An empty step, `.`, `..`, a control character.
    #[error("a scope must not contain empty steps, . or .. or control characters")]
    Step,
    /// A range without a start or an end, or that ends before it starts.
    #[error("a range is written first..last, such as 2024-01..2024-06")]
    Range,
}

impl Scope {
    /// Reads `/acme/*/2024-*/`.
    pub fn parse(text: &str) -> Result<Scope, ScopeError> {
        let text: String = text.nfc().take(SCOPE_MAX_BYTES + 1).collect();
        if text.len() > SCOPE_MAX_BYTES {
            return Err(ScopeError::TooLong);
        }
        let rest = text.strip_prefix('/').ok_or(ScopeError::Relative)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return Ok(Scope {
                segments: Vec::new(),
            });
        }
        let segments = rest
            .split('/')
            .map(Segment::parse)
            .collect::<Result<Vec<_>, _>>()?;
        if segments.len() > SCOPE_MAX_SEGMENTS {
            return Err(ScopeError::TooLong);
        }
        Ok(Scope { segments })
    }

    /// Whether `path` and everything below it lies in the scope.
    pub fn covers(&self, path: &TreePath) -> bool {
        self.segments.len() <= path.segments().len() && self.agrees(path)
    }

    /// Whether the scope may have places below `path`, or covers it.
    pub fn reaches_below(&self, path: &TreePath) -> bool {
        self.agrees(path)
    }

    /// What every name begins with that the scope has `depth` steps below the root; none where it is a range, or where the
    /// scope ends above and has everything.
    pub(super) fn beginning(&self, depth: usize) -> Option<&str> {
        match self.segments.get(depth)? {
            Segment::Name(text) | Segment::Beginning(text) => Some(text),
            Segment::Pattern(pattern) => pattern.split('*').next(),
            Segment::Range(..) => None,
        }
    }

    /// What a name needs only begin with for the scope to have it and everything below it, `depth` steps below the root.
    pub(super) fn all_that_begin(&self, depth: usize) -> Option<&str> {
        match self.segments.get(depth)? {
            Segment::Beginning(text) if self.segments.len() == depth + 1 => Some(text),
            _ => None,
        }
    }

    /// Steps from the root to where the scope's own part of the tree begins.
    pub(super) fn depth(&self) -> usize {
        self.segments.len()
    }

    /// Whether a name fits `depth` steps below the root, in a folder that the scope reaches below.
    pub(super) fn has_name(&self, depth: usize, name: &str) -> bool {
        let fits = |segment: &Segment| segment.matches(name);
        !(depth == 0 && name.starts_with('_')) && self.segments.get(depth).is_none_or(fits)
    }

    /// Whether the steps that both have agree.
    fn agrees(&self, path: &TreePath) -> bool {
        // The archive's own folders are in no scope that does not name them.
        let reserved = path
            .segments()
            .first()
            .is_some_and(|first| first.starts_with('_'));
        !reserved
            && self
                .segments
                .iter()
                .zip(path.segments())
                .all(|(segment, name)| segment.matches(name))
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Segment, ScopeError> {
        if text.is_empty() || text == "." || text == ".." || text.chars().any(char::is_control) {
            return Err(ScopeError::Step);
        }
        match text.split_once("..") {
            None => Ok(match text.split_once('*') {
                None => Segment::Name(text.to_owned()),
                Some((beginning, "")) => Segment::Beginning(beginning.to_owned()),
                Some(_) => Segment::Pattern(text.to_owned()),
            }),
            Some((first, last)) if !first.is_empty() && first <= last && !text.contains('*') => {
                Ok(Segment::Range(first.to_owned(), last.to_owned()))
            }
            Some(_) => Err(ScopeError::Range),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Segment::Name(text) => text == name,
            Segment::Beginning(text) => name.starts_with(text),
            Segment::Pattern(pattern) => matches_pattern(pattern, name),
            Segment::Range(first, last) => first.as_str() <= name && name <= last.as_str(),
        }
    }
}

/// Matches piece by piece between the stars; the leftmost fit of each piece suffices, so this takes
/// no more than (pattern × name) steps on any input.
fn matches_pattern(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(head) else {
        return false;
    };
    let mut pieces = rest.split('*');
    let Some(tail) = pieces.next_back() else {
        return true;
    };
    for piece in pieces {
        match name.find(piece) {
            Some(at) => name = &name[at + piece.len()..],
            None => return false,
        }
    }
    name.ends_with(tail)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("/")?;
        self.segments.iter().try_for_each(|segment| match segment {
            Segment::Name(text) | Segment::Pattern(text) => write!(f, "{text}/"),
            Segment::Beginning(text) => write!(f, "{text}*/"),
            Segment::Range(first, last) => write!(f, "{first}..{last}/"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).unwrap()
    }

    #[test]
    fn scopes_cover_what_they_say() {
        let scope = Scope::parse("/acme/*/2024-*/").unwrap();
        assert!(scope.covers(&path("/acme/gl/2024-03/payment/0001")));
        assert!(scope.covers(&path("/acme/gl/2024-03")));
        assert!(!scope.covers(&path("/acme/gl")) && scope.reaches_below(&path("/acme/gl")));
        assert!(
            !scope.covers(&path("/acme/gl/2023-03"))
                && !scope.reaches_below(&path("/acme/gl/2023-03"))
        );
        assert!(!scope.reaches_below(&path("/acmex")));
        assert!(Scope::parse("/").unwrap().covers(&path("/")));
        assert!(!Scope::parse("/*/").unwrap().covers(&path("/_inbox")));
    }

    #[test]
    fn ranges_include_both_ends() {
        let scope = Scope::parse("/acme/gl/2024-02..2024-04").unwrap();
        let covered = ["2024-01", "2024-02", "2024-04", "2024-05"]
            .map(|p| scope.covers(&path(&format!("/acme/gl/{p}"))));
        assert_eq!(covered, [false, true, true, false]);
    }

    #[test]
    fn texts_that_are_no_scopes_are_refused() {
        assert_eq!(Scope::parse("acme"), Err(ScopeError::Relative));
        assert_eq!(Scope::parse("/a//b"), Err(ScopeError::Step));
        assert_eq!(Scope::parse("/a/../b"), Err(ScopeError::Step));
        assert_eq!(Scope::parse("/2024-06..2024-01/"), Err(ScopeError::Range));
        assert_eq!(Scope::parse("/a/b/c/d/e/f/g"), Err(ScopeError::TooLong));
    }

    /// The meaning of `*`, character by character.
    fn oracle(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|at| oracle(rest, &name[at..])),
            Some((c, rest)) => name
                .split_first()
                .is_some_and(|(n, name)| n == c && oracle(rest, name)),
        }
    }

    proptest! {
        #[test]
        fn patterns_match_as_defined(pattern in "[ab*]{0,8}", name in "[ab]{0,8}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let meant = oracle(&chars(&pattern), &chars(&name));
            prop_assert_eq!(matches_pattern(&pattern, &name), meant);
            if let Ok(segment) = Segment::parse(&pattern) {
                prop_assert_eq!(segment.matches(&name), meant);
            }
        }

        #[test]
        fn a_scope_reads_back(text in "/[a*.-]{0,12}(/[b*.]{0,5}){0,3}") {
            if let Ok(scope) = Scope::parse(&text) {
                prop_assert_eq!(Scope::parse(&scope.to_string()), Ok(scope));
            }
        }
    }
}
