//! The `If` header (RFC 4918, section 10.4): state tokens and entity tags as conditions of a change.

/// One condition of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Token(String),
    Tag(String),
}

/// A header: it holds when every condition of one of its lists does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfHeader {
    lists: Vec<List>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct List {
    /// The URL that the list is about; without one, that of the request.
    resource: Option<String>,
    /// With `true` for those that stand behind `Not`.
    conditions: Vec<(bool, State)>,
}

/// Longest header that is read, in bytes.
const HEADER_MAX_BYTES: usize = 8_192;

impl IfHeader {
    /// Reads the header; `None` if it is malformed.
    pub fn parse(text: &str) -> Option<IfHeader> {
        let (mut lists, mut resource) = (Vec::new(), None);
        let mut rest = text.trim();
        if rest.len() > HEADER_MAX_BYTES {
            return None;
        }
        while !rest.is_empty() {
            if let Some(url) = rest.strip_prefix('<') {
                let (url, after) = url.split_once('>')?;
                resource = Some(url.to_owned());
                rest = after.trim_start();
                // A URL without a list is nothing.
                rest.strip_prefix('(')?;
            }
            let (conditions, after) = conditions(rest.strip_prefix('(')?)?;
            lists.push(List {
                resource: resource.clone(),
                conditions,
            });
            rest = after.trim_start();
        }
        (!lists.is_empty()).then_some(IfHeader { lists })
    }

    /// Every state token that the header submits.
    pub fn tokens(&self) -> Vec<String> {
        let states = self.lists.iter().flat_map(|list| &list.conditions);
        let tokens = states.filter_map(|(not, state)| match state {
            State::Token(token) if !not => Some(token.clone()),
            _ => None,
        });
        tokens.collect()
    }

    /// Whether the header holds. `is_request` tells whether a URL is that of the request; lists about
    /// other resources do not speak for it. `locked` and `tagged` tell whether a lock with a token, or
    /// content with an entity tag, is there.
    pub fn holds(
        &self,
        is_request: impl Fn(&str) -> bool,
        locked: impl Fn(&str) -> bool,
        tagged: impl Fn(&str) -> bool,
    ) -> bool {
        let about = |list: &&List| list.resource.as_deref().is_none_or(&is_request);
        self.lists.iter().filter(about).any(|list| {
            list.conditions.iter().all(|(not, state)| {
                *not != match state {
                    State::Token(token) => locked(token),
                    State::Tag(tag) => tagged(tag),
                }
            })
        })
    }
}

/// The conditions of a list, whose opening parenthesis is read already, and what follows it.
fn conditions(text: &str) -> Option<(Vec<(bool, State)>, &str)> {
    let (mut conditions, mut rest) = (Vec::new(), text.trim_start());
    loop {
        if let Some(after) = rest.strip_prefix(')') {
            return (!conditions.is_empty()).then_some((conditions, after));
        }
        let not = rest
            .get(..3)
            .is_some_and(|word| word.eq_ignore_ascii_case("not"));
        if not {
            rest = rest[3..].trim_start();
        }
        let state = if let Some(token) = rest.strip_prefix('<') {
            let (token, after) = token.split_once('>')?;
            rest = after;
            State::Token(token.to_owned())
        } else {
            let (tag, after) = rest.strip_prefix('[')?.split_once(']')?;
            rest = after;
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            State::Tag(tag.strip_prefix('"')?.strip_suffix('"')?.to_owned())
        };
        conditions.push((not, state));
        rest = rest.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn holds(text: &str) -> Option<bool> {
        let header = IfHeader::parse(text)?;
        Some(header.holds(|url| url == "/here", |token| token == "t", |tag| tag == "e"))
    }

    #[test]
    fn one_list_must_hold_whole() {
        for (text, expected) in [
            ("(<t>)", true),
            ("(<t> [\"e\"])", true),
            ("(<t> [\"x\"])", false),
            ("(<x>) ([\"e\"])", true),
            ("(Not <x>)", true),
            ("(Not <t>)", false),
            ("(<DAV:no-lock>)", false),
            ("(<x>) (Not <DAV:no-lock>)", true),
            ("</here> (<t>)", true),
            ("</there> (<t>)", false),
            ("</there> (<x>) </here> ([W/\"e\"])", true),
        ] {
            assert_eq!(holds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for text in [
            "",
            "garbage((",
            "(",
            "()",
            "(<t>",
            "<t>",
            "([e])",
            "(<t>) x",
            "(Not)",
        ] {
            assert_eq!(holds(text), None, "{text}");
        }
        let submitted = IfHeader::parse("(<a> Not <b>) (<c>)").unwrap().tokens();
        assert_eq!(submitted, ["a", "c"]);
    }

    proptest! {
        #[test]
        fn hostile_headers_never_panic(text in "(<|>|\\(|\\)|\\[|\\]|\"|Not|t| |\\PC){0,30}") {
            let _ = holds(&text);
        }
    }
}
