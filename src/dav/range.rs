//! Byte ranges (RFC 9110, section 14). One range is served; several are answered with the whole.

/// What part of a content a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// All of it.
    Whole,
    /// Bytes from the first to the last, both included.
    Part(u64, u64),
    /// A part that the content does not have.
    Beyond,
}

/// Reads a `Range` header for a content of `size` bytes.
pub fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some(range) = header.and_then(|value| value.trim().strip_prefix("bytes=")) else {
        return Wanted::Whole;
    };
    // What is not understood is ignored, as the RFC asks.
    let Some((first, last)) = range.split_once('-').filter(|_| !range.contains(',')) else {
        return Wanted::Whole;
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let part = match (first.trim(), last.trim()) {
        ("", count) => number(count).map(|count| (size.saturating_sub(count), u64::MAX)),
        (first, "") => number(first).map(|first| (first, u64::MAX)),
        (first, last) => number(first).zip(number(last)),
    };
    match part {
        Some((first, last)) if first <= last => match size.checked_sub(1) {
            Some(end) if first <= end => Wanted::Part(first, last.min(end)),
            _ => Wanted::Beyond,
        },
        _ => Wanted::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ranges_are_those_of_the_rfc() {
        for (header, expected) in [
            ("bytes=0-3", Wanted::Part(0, 3)),
            ("bytes=4-", Wanted::Part(4, 9)),
            ("bytes=-3", Wanted::Part(7, 9)),
            ("bytes=-30", Wanted::Part(0, 9)),
            ("bytes=8-99", Wanted::Part(8, 9)),
            ("bytes=10-", Wanted::Beyond),
            ("bytes=10-20", Wanted::Beyond),
            ("bytes=-0", Wanted::Beyond),
            ("bytes=3-2", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("lines=0-3", Wanted::Whole),
        ] {
            assert_eq!(wanted(Some(header), 10), expected, "{header}");
        }
        assert_eq!(wanted(None, 10), Wanted::Whole);
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Beyond);
    }

    proptest! {
        #[test]
        fn a_part_lies_inside(header in "bytes=[0-9, -]{0,24}", size in 0u64..100) {
            if let Wanted::Part(first, last) = wanted(Some(&header), size) {
                prop_assert!(first <= last && last < size);
            }
        }
    }
}
