use serde::Serialize;
use serde::de::DeserializeOwned;

/// An error of reading JSON, with the path of the key.
pub(super) type PathError = serde_path_to_error::Error<serde_json::Error>;

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

    /// Reads a JSON document; a refusal names the key that it is about, tells `hint`, and repeats no value, which may be
    /// a password.
    pub fn read<T: DeserializeOwned>(content: &[u8], hint: &str) -> Result<T, Invalid> {
        let deserializer = &mut serde_json::Deserializer::from_slice(content);
        let read = serde_path_to_error::deserialize(&mut *deserializer).map_err(|error| {
            let mut invalid = Invalid::from_json_error(error, hint);
            if invalid.error.starts_with("invalid ")
                && let Some((_, expected)) = invalid.error.rsplit_once(", expected ")
            {
                invalid.error = format!("expected {expected}");
            }
            invalid
        })?;
        deserializer
            .end()
            .map_err(|error| Invalid::not_json(&error))?;
        Ok(read)
    }

    pub(super) fn from_json_error(error: PathError, hint: &str) -> Invalid {
        let path = error.path().to_string();
        let inner = error.into_inner();
        if inner.is_syntax() || inner.is_eof() {
            return Invalid::not_json(&inner);
        }
        // The path of an unknown key ends with that key; of a missing or repeated one, with its parent.
        let message = inner.to_string();
        let key = ["missing field `", "duplicate field `"]
            .iter()
            .find_map(|start| message.strip_prefix(start)?.split('`').next());
        let parent = if path == "." { "" } else { &path };
        let field = match key {
            Some(key) if parent.is_empty() || parent.ends_with(key) => key.to_owned(),
            Some(key) => format!("{parent}.{key}"),
            None => parent.to_owned(),
        };
        Invalid::new(field, message, hint)
    }

    pub(super) fn not_json(error: &serde_json::Error) -> Invalid {
        Invalid::new(
            "",
            format!("not JSON: {error}"),
            "send one JSON object in UTF-8, complete to the closing brace",
        )
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        #[expect(dead_code, reason = "only whether it can be read is looked at")]
        password: String,
    }

    #[test]
    fn a_refusal_names_the_key_and_repeats_no_value() {
        for (content, field, says) in [
            (r#"{"password":81726354}"#, "password", "expected a string"),
            (
                r#"{"password":["81726354"]}"#,
                "password",
                "expected a string",
            ),
            (r#""81726354""#, "", "expected struct"),
            (r#"{}"#, "password", "missing field"),
            (
                r#"{"password":"a","passwort":"81726354"}"#,
                "passwort",
                "unknown field",
            ),
            (r#"{"password":"81726354" "#, "", "not JSON"),
            (r#"{"password":"81726354"} x"#, "", "not JSON"),
        ] {
            let invalid = Invalid::read::<Wish>(content.as_bytes(), "send it").unwrap_err();
            assert_eq!(invalid.field, field, "{content}");
            assert!(invalid.error.starts_with(says), "{content}: {invalid}");
            assert!(!invalid.to_string().contains("8172"), "{invalid}");
        }
    }
}
