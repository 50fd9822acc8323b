//! Ed25519 keys of the signed-note format: of logs and people (C2SP signed-note, signature type 0x01) and of
//! witnesses (C2SP tlog-cosignature, type 0x04).

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::digest::{Digest, from_hex, to_hex};

/// What a key's signatures are over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// The note's text: type 0x01.
    Note,
    /// The note's text and the time of signing, in seconds since 1970-01-01 UTC: type 0x04, of witnesses.
    Cosignature,
}

impl KeyKind {
    /// The signature type byte.
    fn byte(self) -> u8 {
        match self {
            KeyKind::Note => 1,
            KeyKind::Cosignature => 4,
        }
    }

    fn of(byte: u8) -> Option<KeyKind> {
        [KeyKind::Note, KeyKind::Cosignature]
            .into_iter()
            .find(|kind| kind.byte() == byte)
    }
}

/// Why a text is not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `name+hash+base64` (or `PRIVATE+KEY+name+hash+base64`).
    #[error("not a key of the form name+id+base64")]
    Form,
    /// The name is empty or has a space or a plus sign.
    #[error("a key name must not be empty nor contain spaces or +")]
    Name,
    /// The id does not belong to this name and public key.
    #[error("the key id does not belong to this name and public key")]
    Id,
    /// The bytes are no Ed25519 key.
    #[error("not an Ed25519 key")]
    Key,
}

/// A public key with the name that stands beside its signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    public: VerifyingKey,
}

/// A private key with its name. Its debug form shows no secret.
#[derive(Clone)]
pub struct SigningNoteKey {
    verifier: VerifierKey,
    secret: SigningKey,
}

fn check_name(name: &str) -> Result<(), KeyError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(bad) {
        Err(KeyError::Name)
    } else {
        Ok(())
    }
}

/// First four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key).
fn key_id(name: &str, kind: KeyKind, public: &VerifyingKey) -> [u8; 4] {
    let mut message = name.as_bytes().to_vec();
    message.extend([b'\n', kind.byte()]);
    message.extend(public.as_bytes());
    let [a, b, c, d, ..] = Digest::sha256(&message).0;
    [a, b, c, d]
}

/// What a cosignature is over (C2SP tlog-cosignature, Ed25519).
fn cosigned_message(text: &[u8], time: u64) -> Vec<u8> {
    [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat()
}

/// `id`, type, and the 32 bytes behind the type byte of `id+base64(type ‖ 32 bytes)`.
fn parse_id_and_bytes(text: &str) -> Result<([u8; 4], KeyKind, [u8; 32]), KeyError> {
    let (id, bytes) = text.split_once('+').ok_or(KeyError::Form)?;
    let id = from_hex(id)
        .and_then(|id| id.try_into().ok())
        .ok_or(KeyError::Form)?;
    let bytes = BASE64.decode(bytes).map_err(|_| KeyError::Form)?;
    let (kind, key) = bytes.split_first().ok_or(KeyError::Key)?;
    let kind = KeyKind::of(*kind).ok_or(KeyError::Key)?;
    Ok((id, kind, key.try_into().map_err(|_| KeyError::Key)?))
}

impl VerifierKey {
    /// The key of this name with these 32 bytes.
    pub fn new(name: &str, kind: KeyKind, public: &[u8; 32]) -> Result<VerifierKey, KeyError> {
        check_name(name)?;
        let public = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Key)?;
        Ok(VerifierKey {
            name: name.to_owned(),
            kind,
            public,
        })
    }

    /// Reads `name+id+base64`, the form of Go's `sumdb/note` and of `/log/vkey`.
    pub fn parse(text: &str) -> Result<VerifierKey, KeyError> {
        let (name, rest) = text
            .trim_end_matches('\n')
            .split_once('+')
            .ok_or(KeyError::Form)?;
        check_name(name)?;
        let (id, kind, bytes) = parse_id_and_bytes(rest)?;
        let public = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Key)?;
        if key_id(name, kind, &public) != id {
            return Err(KeyError::Id);
        }
        Ok(VerifierKey {
            name: name.to_owned(),
            kind,
            public,
        })
    }

    /// What its signatures are over.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The key name; for a log it is the origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The four bytes that stand before each signature.
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.kind, &self.public)
    }

    /// Whether `signature` is this key's signature over the note's `text` (RFC 8032; weak keys are refused).
    pub fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        let is_signature = |message: &[u8], signature: &[u8]| {
            Signature::from_slice(signature)
                .is_ok_and(|signature| self.public.verify_strict(message, &signature).is_ok())
        };
        match self.kind {
            KeyKind::Note => is_signature(text, signature),
            KeyKind::Cosignature => signature.split_first_chunk().is_some_and(|(time, rest)| {
                is_signature(&cosigned_message(text, u64::from_be_bytes(*time)), rest)
            }),
        }
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = vec![self.kind.byte()];
        bytes.extend(self.public.as_bytes());
        write!(
            f,
            "{}+{}+{}",
            self.name,
            to_hex(&self.id()),
            BASE64.encode(bytes)
        )
    }
}

impl SigningNoteKey {
    /// A key from 32 random bytes.
    pub fn from_seed(
        name: &str,
        kind: KeyKind,
        seed: &[u8; 32],
    ) -> Result<SigningNoteKey, KeyError> {
        check_name(name)?;
        let secret = SigningKey::from_bytes(seed);
        let verifier = VerifierKey {
            name: name.to_owned(),
            kind,
            public: secret.verifying_key(),
        };
        Ok(SigningNoteKey { verifier, secret })
    }

    /// Reads `PRIVATE+KEY+name+id+base64`, the form of Go's `sumdb/note`.
    pub fn parse(text: &str) -> Result<SigningNoteKey, KeyError> {
        let rest = text
            .trim_end_matches('\n')
            .strip_prefix("PRIVATE+KEY+")
            .ok_or(KeyError::Form)?;
        let (name, rest) = rest.split_once('+').ok_or(KeyError::Form)?;
        let (id, kind, seed) = parse_id_and_bytes(rest)?;
        let key = SigningNoteKey::from_seed(name, kind, &seed)?;
        if key.verifier.id() == id {
            Ok(key)
        } else {
            Err(KeyError::Id)
        }
    }

    /// The text that [`SigningNoteKey::parse`] reads: a secret, for the key file only.
    pub fn secret_text(&self) -> String {
        let mut bytes = vec![self.verifier.kind.byte()];
        bytes.extend(self.secret.as_bytes());
        let (name, id) = (&self.verifier.name, to_hex(&self.verifier.id()));
        format!("PRIVATE+KEY+{name}+{id}+{}", BASE64.encode(bytes))
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signature over a note's `text`; `seconds` since 1970-01-01 UTC are part of it if the key is a
    /// witness's.
    pub fn sign(&self, text: &[u8], seconds: u64) -> Vec<u8> {
        match self.verifier.kind {
            KeyKind::Note => self.secret.sign(text).to_vec(),
            KeyKind::Cosignature => {
                let signature = self.secret.sign(&cosigned_message(text, seconds));
                [&seconds.to_be_bytes()[..], &signature.to_bytes()].concat()
            }
        }
    }
}

impl std::fmt::Debug for SigningNoteKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningNoteKey({})", self.verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_round_trip_and_show_no_secret() {
        let key = SigningNoteKey::from_seed("vouchsafe/test", KeyKind::Note, &[7; 32]).unwrap();
        let secret = key.secret_text();
        assert_eq!(
            SigningNoteKey::parse(&secret).unwrap().secret_text(),
            secret
        );
        let public = key.verifier().to_string();
        assert_eq!(&VerifierKey::parse(&public).unwrap(), key.verifier());
        assert!(!format!("{key:?}").contains(secret.rsplit('+').next().unwrap()));
    }

    #[test]
    fn reads_the_key_of_the_go_checksum_database() {
        let text = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8";
        assert_eq!(VerifierKey::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn a_key_under_another_name_is_refused() {
        let key = SigningNoteKey::from_seed("one", KeyKind::Note, &[7; 32])
            .unwrap()
            .verifier()
            .to_string();
        assert_eq!(
            VerifierKey::parse(&key.replace("one+", "two+")),
            Err(KeyError::Id)
        );
        assert_eq!(VerifierKey::parse("a b+00000000+AA=="), Err(KeyError::Name));
        assert_eq!(VerifierKey::parse("nonsense"), Err(KeyError::Form));
    }
}
