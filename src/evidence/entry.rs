//! One record of the log, in the only form in which it exists: canonical JSON bytes.
//!
//! The form is a subset of RFC 8785 (JSON Canonicalization Scheme): object keys are ASCII and sorted,
//! numbers are integers within ±(2^53 − 1), no white space. The bytes are kept and hashed as first
//! written; [`Entry::decode`] accepts only bytes that [`Entry::encode`] would write.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;

/// Longest entry: bundles prefix each entry with a 16-bit length (C2SP tlog-tiles).
pub const ENTRY_MAX_BYTES: usize = 65_535;
/// The version of this format.
pub const VERSION: u8 = 1;
/// Deepest nesting that a body may have.
const BODY_MAX_DEPTH: usize = 16;
/// The largest integer that every JSON reader keeps exact (RFC 8785, section 3.2.2.3).
const INTEGER_MAX: i64 = (1 << 53) - 1;

/// A record of the log. Fields stand in the order in which they are written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Id of the user who acted; names live in objects, so that they can be destroyed.
    pub actor: String,
    /// What the kind adds; its keys are described in `docs/format.md`.
    pub body: Map<String, Value>,
    /// What happened, such as `voucher.filed`.
    pub kind: String,
    /// The contents that the entry vouches for.
    pub objects: Vec<Object>,
    /// The place in the tree that it happened to; empty where it happened to no place.
    pub path: String,
    /// BLAKE3 of the previous entry's bytes; zeros in the first entry.
    pub prev: Digest,
    /// 128 or more random bits in hexadecimal, so that nobody guesses a hidden entry from its hash.
    pub salt: String,
    /// The entry's number, counted from 0: its index in the Merkle tree.
    pub seq: u64,
    /// Milliseconds since 1970-01-01 UTC, never earlier than the entry before.
    pub time: u64,
    /// [`VERSION`].
    pub v: u8,
}

/// A content that an entry vouches for, kept outside the entry so that it can one day be destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Object {
    /// The content's address.
    pub blake3: Digest,
    /// Its media type (RFC 6838), such as `application/pdf`.
    pub media_type: String,
    /// The name under which the tree shows it.
    pub name: String,
    /// The same content's SHA-256.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// Why bytes are not an entry, or an entry cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Not JSON of the entry's shape.
    #[error("not an entry: {0}")]
    Shape(String),
    /// JSON of the right shape, but not in the one canonical form.
    #[error("not in canonical form")]
    NotCanonical,
    /// A value that the format excludes.
    #[error("field {field}: {problem}")]
    Value {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Entry {
    /// The canonical bytes. Refuses what [`Entry::decode`] would refuse.
    pub fn encode(&self) -> Result<Vec<u8>, EntryError> {
        self.check()?;
        let bytes =
            serde_json::to_vec(self).map_err(|error| EntryError::Shape(error.to_string()))?;
        if bytes.len() > ENTRY_MAX_BYTES {
            return Err(EntryError::Value {
                field: "body",
                problem: "the entry has more than 65535 bytes",
            });
        }
        Ok(bytes)
    }

    /// Reads canonical bytes; any other form of the same content is refused.
    pub fn decode(bytes: &[u8]) -> Result<Entry, EntryError> {
        let entry: Entry =
            serde_json::from_slice(bytes).map_err(|error| EntryError::Shape(error.to_string()))?;
        entry.check()?;
        // What would be written is compared as it comes, and never kept.
        let mut same = Compared(bytes);
        match serde_json::to_writer(&mut same, &entry) {
            Ok(()) if same.0.is_empty() && bytes.len() <= ENTRY_MAX_BYTES => Ok(entry),
            _ => Err(EntryError::NotCanonical),
        }
    }

    fn check(&self) -> Result<(), EntryError> {
        let refuse = |field, problem| Err(EntryError::Value { field, problem });
        if self.v != VERSION {
            return refuse("v", "not a version that this program knows");
        }
        let integer_max = INTEGER_MAX.unsigned_abs();
        if self.seq > integer_max {
            return refuse("seq", "an integer beyond 2^53 - 1");
        }
        if self.time > integer_max {
            return refuse("time", "an integer beyond 2^53 - 1");
        }
        if self.objects.iter().any(|object| object.size > integer_max) {
            return refuse("objects", "a size beyond 2^53 - 1");
        }
        if self.salt.len() < 32 || !crate::digest::is_hex(&self.salt) {
            return refuse("salt", "not 128 or more bits in hexadecimal");
        }
        if !self
            .body
            .iter()
            .all(|(key, value)| key.is_ascii() && is_canonical(value, 1))
        {
            return refuse(
                "body",
                "only ASCII keys, integers within 2^53 and 16 levels are written",
            );
        }
        Ok(())
    }
}

/// Takes in what is expected, and fails on anything else.
struct Compared<'a>(&'a [u8]);

impl std::io::Write for Compared<'_> {
    fn write(&mut self, written: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .strip_prefix(written)
            .ok_or(std::io::ErrorKind::InvalidData)?;
        Ok(written.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn is_canonical(value: &Value, depth: usize) -> bool {
    if depth > BODY_MAX_DEPTH {
        return false;
    }
    match value {
        Value::Number(number) => number
            .as_i64()
            .is_some_and(|number| (-INTEGER_MAX..=INTEGER_MAX).contains(&number)),
        Value::Array(items) => items.iter().all(|item| is_canonical(item, depth + 1)),
        Value::Object(items) => items
            .iter()
            .all(|(key, item)| key.is_ascii() && is_canonical(item, depth + 1)),
        Value::Null | Value::Bool(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    pub(crate) fn sample(seq: u64, prev: Digest) -> Entry {
        Entry {
            actor: "u2".into(),
            body: json!({"version": 1, "note": "账\u{1f}\"\\"})
                .as_object()
                .unwrap()
                .clone(),
            kind: "voucher.filed".into(),
            objects: vec![Object {
                blake3: Digest::blake3(b"x"),
                media_type: "application/json".into(),
                name: "voucher.json".into(),
                sha256: Digest::sha256(b"x"),
                size: 1,
            }],
            path: "/acme/gl/2024-03/payment/0001".into(),
            prev,
            salt: "00112233445566778899aabbccddeeff".into(),
            seq,
            time: 1_700_000_000_000 + seq,
            v: 1,
        }
    }

    #[test]
    fn the_written_form_is_canonical() {
        let bytes = sample(0, Digest([0; 32])).encode().unwrap();
        let text = std::str::from_utf8(&bytes).unwrap();
        assert!(text.starts_with(r#"{"actor":"u2","body":{"note":"账\u001f\"\\","version":1},"kind":"voucher.filed","objects":[{"blake3":""#), "{text}");
        assert_eq!(Entry::decode(&bytes).unwrap().encode().unwrap(), bytes);
    }

    #[test]
    fn other_forms_of_the_same_content_are_refused() {
        let bytes = sample(0, Digest([0; 32])).encode().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        for changed in [
            text.replacen(':', ": ", 1),
            text.replace("账", "\\u8d26"),
            text.replace("\\u001f", "\\u001F"),
            text.replace(
                r#""note":"账\u001f\"\\","version":1"#,
                r#""version":1,"note":"账\u001f\"\\""#,
            ),
            text.replace(r#""version":1"#, r#""version":1,"version":1"#),
        ] {
            assert_ne!(changed, text);
            assert!(Entry::decode(changed.as_bytes()).is_err(), "{changed}");
        }
    }

    #[test]
    fn floats_large_integers_and_short_salts_are_refused() {
        let mut entry = sample(0, Digest([0; 32]));
        for value in [json!(1.5), json!(1u64 << 53), json!({"é": 1})] {
            entry.body = json!({ "x": value }).as_object().unwrap().clone();
            assert!(entry.encode().is_err(), "{value}");
        }
        entry.body.clear();
        entry.salt = "00".into();
        assert!(entry.encode().is_err());
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Entry::decode(&bytes);
        }

        #[test]
        fn every_flipped_bit_is_refused_or_another_entry(bit in 0usize..4000) {
            let entry = sample(3, Digest::blake3(b"before"));
            let mut bytes = entry.encode().unwrap();
            let bit = bit % (bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Ok(other) = Entry::decode(&bytes) {
                prop_assert_ne!(other, entry);
            }
        }
    }
}
