//! Paths of the share in URLs: percent-encoded UTF-8 below [`PREFIX`](super::PREFIX).

use axum::http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::PREFIX;
use crate::catalog::{PathError, TreePath};
use crate::http::Refusal;

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The place that a URL's path names.
pub fn decode(path: &str) -> Result<TreePath, Refusal> {
    let below = path.strip_prefix(PREFIX).unwrap_or(path);
    let mut decoded = String::with_capacity(below.len());
    for segment in below.split('/').skip(1) {
        let segment = percent_decode_str(segment).decode_utf8().map_err(|_| {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "the path is not UTF-8",
                "percent-encode the path as UTF-8",
            )
        })?;
        if segment.contains('/') {
            return Err(PathError::Slash.into());
        }
        decoded.push('/');
        decoded.push_str(&segment);
    }
    Ok(TreePath::parse(&decoded)?)
}

/// The version that a URL's query asks for: `version=2`.
pub fn version(query: Option<&str>) -> Result<Option<u32>, Refusal> {
    let Some(query) = query else {
        return Ok(None);
    };
    let version = query
        .strip_prefix("version=")
        .and_then(|number| number.parse().ok());
    match version {
        Some(version) if version > 0 => Ok(Some(version)),
        _ => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "the query is not understood",
            "ask for an older version with ?version=1",
        )),
    }
}

/// Writes one step of a path as it stands in a URL; letters, digits, `-`, `.`, `_` and `~` stay.
pub fn encode_step(out: &mut String, step: &str) {
    out.extend(utf8_percent_encode(step, ENCODED));
}

/// The URL of a place, without a slash at its end.
pub fn encode(path: &TreePath) -> String {
    let mut url = PREFIX.to_owned();
    for step in path.segments() {
        url.push('/');
        encode_step(&mut url, step);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn encoded_names_in_both_normal_forms_are_one_place() {
        let nfc = decode("/dav/Caf%C3%A9/%E8%B4%A6").unwrap();
        assert_eq!(nfc, decode("/dav/Cafe%CC%81/%E8%B4%A6/").unwrap());
        assert_eq!(encode(&nfc), "/dav/Caf%C3%A9/%E8%B4%A6");
        assert_eq!(decode("/dav").unwrap(), TreePath::default());
    }

    #[test]
    fn paths_that_lead_astray_are_refused() {
        for path in [
            "/dav/a%2Fb",
            "/dav/a%00b",
            "/dav/%2E%2E/b",
            "/dav/a//b",
            "/dav/%FF",
            "/dav/a%0Ab",
        ] {
            assert!(decode(path).is_err(), "{path}");
        }
    }

    #[test]
    fn versions_count_from_one() {
        assert_eq!(version(Some("version=2")).unwrap(), Some(2));
        for query in ["version=0", "version=", "x=1", ""] {
            assert!(version(Some(query)).is_err(), "{query}");
        }
    }

    proptest! {
        #[test]
        fn a_path_survives_its_url(text in "(/[a-z%账é ~+?#&]{1,8}){0,5}") {
            if let Ok(path) = TreePath::parse(&text) {
                prop_assert_eq!(decode(&encode(&path)).unwrap(), path);
            }
        }
    }
}
