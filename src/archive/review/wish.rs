//! What a reviewer sends.

use serde::Deserialize;
use vouchsafe_evidence::statement::Decision;

use crate::archive::ArchiveError;
use crate::voucher::Invalid;

/// Longest comment, in bytes.
const COMMENT_MAX_BYTES: usize = 2_000;

/// The body as it comes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    decision: String,
    #[serde(default)]
    comment: String,
    /// The reviewer's password, where they did not sign in with it: it opens their key.
    password: Option<String>,
    /// The statement, signed with a key that the reviewer keeps (C2SP signed-note).
    note: Option<String>,
}

/// How a review is signed.
pub enum Signing {
    /// With the key that the password opens with which they signed in.
    SignedIn(String),
    /// With the key that this password opens, which is to be proven.
    Password(String),
    /// It is signed already: a note.
    Note(String),
    /// Neither came.
    Nothing,
}

/// What a reviewer sends, checked.
pub struct Wish {
    pub decision: Decision,
    pub comment: String,
    pub signing: Signing,
}

/// Reads it; `secret` is what the reviewer signed in with.
pub fn read(content: &[u8], secret: Option<&str>) -> Result<Wish, ArchiveError> {
    let hint =
        r#"send {"decision":"approve","comment":"…"} or {"decision":"reject","comment":"…"}"#;
    let invalid = |field: &str, why: String| ArchiveError::from(Invalid::new(field, why, hint));
    let sent: Sent = Invalid::read(content, hint)?;
    let decision = Decision::parse(&sent.decision).ok_or_else(|| {
        invalid(
            "decision",
            "neither approve nor reject nor submit".to_owned(),
        )
    })?;
    let comment = sent.comment.trim().to_owned();
    if comment.len() > COMMENT_MAX_BYTES {
        let why = format!("a comment has at most {COMMENT_MAX_BYTES} bytes");
        return Err(invalid("comment", why));
    }
    if decision == Decision::Reject && comment.is_empty() {
        let hint = "say in the comment what has to be mended";
        return Err(Invalid::new("comment", "a rejection has a reason", hint).into());
    }
    let signing = match (sent.note, sent.password, secret) {
        (Some(note), _, _) => Signing::Note(note),
        (None, Some(password), _) => Signing::Password(password),
        (None, None, Some(secret)) => Signing::SignedIn(secret.to_owned()),
        (None, None, None) => Signing::Nothing,
    };
    Ok(Wish {
        decision,
        comment,
        signing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_names_its_fault() {
        let field = |content: &str| match read(content.as_bytes(), None) {
            Err(ArchiveError::Invalid(invalid)) => invalid.field.clone(),
            Err(other) => panic!("{content}: {other:?}"),
            Ok(_) => panic!("{content} was read"),
        };
        assert_eq!(field("nonsense"), "");
        assert_eq!(field("{}"), "decision");
        assert_eq!(field(r#"{"decision":"maybe"}"#), "decision");
        assert_eq!(field(r#"{"decision":"approve","stamp":1}"#), "stamp");
        assert_eq!(field(r#"{"decision":"reject","comment":"  "}"#), "comment");
        let long = format!(
            r#"{{"decision":"approve","comment":"{}"}}"#,
            "x".repeat(2_001)
        );
        assert_eq!(field(&long), "comment");
        let right = read(br#"{"decision":"approve"}"#, Some("secret")).unwrap();
        assert_eq!(
            (right.decision, right.comment.as_str()),
            (Decision::Approve, "")
        );
        assert!(matches!(right.signing, Signing::SignedIn(secret) if secret == "secret"));
    }
}
