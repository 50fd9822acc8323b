//! Ed25519 keys of the signed-note format (C2SP signed-note, signature type 0x01).

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::digest::{Digest, from_hex, to_hex};

/// Signature type byte of plain Ed25519.
const ED25519: u8 = 1;

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

/// First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key).
fn key_id(name: &str, public: &VerifyingKey) -> [u8; 4] {
    let mut message = name.as_bytes().to_vec();
    message.extend([b'\n', ED25519]);
    message.extend(public.as_bytes());
    let [a, b, c, d, ..] = Digest::sha256(&message).0;
    [a, b, c, d]
}

/// `id` and the 32 bytes behind the type byte of `id+base64(type ‖ 32 bytes)`.
fn parse_id_and_bytes(text: &str) -> Result<([u8; 4], [u8; 32]), KeyError> {
    let (id, bytes) = text.split_once('+').ok_or(KeyError::Form)?;
    let id = from_hex(id)
        .and_then(|id| id.try_into().ok())
        .ok_or(KeyError::Form)?;
    let bytes = BASE64.decode(bytes).map_err(|_| KeyError::Form)?;
    match bytes.split_first() {
        Some((&ED25519, key)) => Ok((id, key.try_into().map_err(|_| KeyError::Key)?)),
        _ => Err(KeyError::Key),
    }
}

impl VerifierKey {
    /// Reads `name+id+base64`, the form of Go's `sumdb/note` and of `/log/vkey`.
    pub fn parse(text: &str) -> Result<VerifierKey, KeyError> {
        let (name, rest) = text
            .trim_end_matches('\n')
            .split_once('+')
            .ok_or(KeyError::Form)?;
        check_name(name)?;
        let (id, bytes) = parse_id_and_bytes(rest)?;
        let public = VerifyingKey::from_bytes(&bytes).map_err(|_| KeyError::Key)?;
        if key_id(name, &public) != id {
            return Err(KeyError::Id);
        }
        Ok(VerifierKey {
            name: name.to_owned(),
            public,
        })
    }

    /// The key name; for a log it is the origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The four bytes that stand before each signature.
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, &self.public)
    }

    /// Whether `signature` is this key's signature over `text` (RFC 8032; weak keys are refused).
    pub fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.public.verify_strict(text, &signature).is_ok())
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut bytes = vec![ED25519];
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
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<SigningNoteKey, KeyError> {
        check_name(name)?;
        let secret = SigningKey::from_bytes(seed);
        let verifier = VerifierKey {
            name: name.to_owned(),
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
        let (id, seed) = parse_id_and_bytes(rest)?;
        let key = SigningNoteKey::from_seed(name, &seed)?;
        if key.verifier.id() == id {
            Ok(key)
        } else {
            Err(KeyError::Id)
        }
    }

    /// The text that [`SigningNoteKey::parse`] reads: a secret, for the key file only.
    pub fn secret_text(&self) -> String {
        let mut bytes = vec![ED25519];
        bytes.extend(self.secret.as_bytes());
        let (name, id) = (&self.verifier.name, to_hex(&self.verifier.id()));
        format!("PRIVATE+KEY+{name}+{id}+{}", BASE64.encode(bytes))
    }

    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signature over `text`.
    pub fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.secret.sign(text).to_bytes()
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
        let key = SigningNoteKey::from_seed("vouchsafe/test", &[7; 32]).unwrap();
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
        let key = SigningNoteKey::from_seed("one", &[7; 32])
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
