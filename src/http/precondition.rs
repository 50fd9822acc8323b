//! Conditional requests (RFC 9110, section 13): reading only what is new, writing only over what is known.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, StatusCode, header};

use super::text;
use crate::access::Time;
use crate::archive::{ArchiveError, Condition, File};
use crate::http::Refusal;

/// What the conditions of a request say about reading a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Send it.
    Send,
    /// The client has it (304).
    Known,
    /// It is not what the client expects (412).
    Changed,
}

/// A time of the archive as a time of the system.
pub fn system_time(time: Time) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(time)
}

/// Whether one of the tags in a list is `tag`; `*` stands for any. Weak tags match where `weak` says so.
fn lists(list: &str, tag: &str, weak: bool) -> bool {
    list.trim() == "*"
        || list.split(',').map(str::trim).any(|item| {
            let item = if weak {
                item.strip_prefix("W/").unwrap_or(item)
            } else {
                item
            };
            item.strip_prefix('"')
                .and_then(|item| item.strip_suffix('"'))
                == Some(tag)
        })
}

/// Seconds, as dates in headers have them.
fn date(headers: &HeaderMap, name: header::HeaderName) -> Option<u64> {
    let time = httpdate::parse_http_date(text(headers, name)?).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

/// Evaluates the conditions in the order of RFC 9110, section 13.2.2.
pub fn reading(headers: &HeaderMap, file: &File) -> Reading {
    let modified = file.modified / 1_000;
    if let Some(list) = text(headers, header::IF_MATCH) {
        if !lists(list, &file.etag, false) {
            return Reading::Changed;
        }
    } else if date(headers, header::IF_UNMODIFIED_SINCE).is_some_and(|since| modified > since) {
        return Reading::Changed;
    }
    if let Some(list) = text(headers, header::IF_NONE_MATCH) {
        if lists(list, &file.etag, true) {
            return Reading::Known;
        }
    } else if date(headers, header::IF_MODIFIED_SINCE).is_some_and(|since| modified <= since) {
        return Reading::Known;
    }
    Reading::Send
}

/// Whether the tag that a request makes a condition of reading is the file's; none if it names no tag.
pub fn names(headers: &HeaderMap, file: &File) -> Option<bool> {
    let condition = text(headers, header::IF_MATCH).filter(|list| list.trim() != "*");
    let range = text(headers, header::IF_RANGE).filter(|value| value.contains('"'));
    Some(lists(condition.or(range)?, &file.etag, false))
}

/// Whether a `Range` may be answered: with `If-Range`, only if the file is still the one it is about.
pub fn range_holds(headers: &HeaderMap, file: &File) -> bool {
    match text(headers, header::IF_RANGE) {
        None => true,
        Some(value) if value.contains('"') => lists(value, &file.etag, false),
        Some(_) => date(headers, header::IF_RANGE) == Some(file.modified / 1_000),
    }
}

/// What a request makes a condition of writing over what is there; `modified` tells when that was last
/// changed, and is asked only if it matters.
pub fn writing(
    headers: &HeaderMap,
    modified: impl FnOnce() -> Option<Time>,
) -> Result<Condition, Refusal> {
    let tags = |list: &str| {
        let tags = list
            .split(',')
            .map(|tag| tag.trim().trim_matches('"').to_owned());
        tags.collect::<Vec<_>>()
    };
    let by_tag = match (
        text(headers, header::IF_MATCH),
        text(headers, header::IF_NONE_MATCH),
    ) {
        (None, None) => Condition::Always,
        (Some(list), None) if list.trim() == "*" => Condition::Present,
        (Some(list), None) => Condition::Current(tags(list)),
        (None, Some(list)) if list.trim() == "*" => Condition::Absent,
        (None, Some(list)) => Condition::Other(tags(list)),
        (Some(_), Some(_)) => {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "If-Match and If-None-Match together are not understood for writing",
                "use one of them",
            ));
        }
    };
    let since = date(headers, header::IF_UNMODIFIED_SINCE);
    if by_tag == Condition::Always
        && since.is_some_and(|since| modified().is_none_or(|modified| modified / 1_000 > since))
    {
        let error = ArchiveError::Precondition("it has changed since then, or is not there".into());
        return Err(error.into());
    }
    Ok(by_tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::Content;

    fn file() -> File {
        File {
            size: 1,
            media_type: String::new(),
            etag: "abc".to_owned(),
            created: 0,
            modified: 784_111_777_500,
            content: Content::Derived([0u8; 1].as_slice().into()),
        }
    }

    fn reads(pairs: &[(header::HeaderName, &str)]) -> Reading {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        reading(&HeaderMap::from_iter(pairs), &file())
    }

    #[test]
    fn reading_conditions_are_those_of_the_rfc() {
        let (date, before) = (
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:36 GMT",
        );
        assert_eq!(reads(&[]), Reading::Send);
        assert_eq!(
            reads(&[(header::IF_NONE_MATCH, "\"x\", W/\"abc\"")]),
            Reading::Known
        );
        assert_eq!(reads(&[(header::IF_NONE_MATCH, "\"x\"")]), Reading::Send);
        assert_eq!(reads(&[(header::IF_MATCH, "W/\"abc\"")]), Reading::Changed);
        assert_eq!(reads(&[(header::IF_MATCH, "*")]), Reading::Send);
        assert_eq!(reads(&[(header::IF_MODIFIED_SINCE, date)]), Reading::Known);
        assert_eq!(reads(&[(header::IF_MODIFIED_SINCE, before)]), Reading::Send);
        assert_eq!(
            reads(&[(header::IF_UNMODIFIED_SINCE, before)]),
            Reading::Changed
        );
        let both = [
            (header::IF_NONE_MATCH, "\"x\""),
            (header::IF_MODIFIED_SINCE, date),
        ];
        assert_eq!(reads(&both), Reading::Send, "tags go before dates");
    }
}
