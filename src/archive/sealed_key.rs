//! A private key, sealed under its owner's password. Pure: randomness comes from outside.

use argon2::Argon2;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};

/// Why a sealed key stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum SealError {
    /// Not this password, not this owner, or somebody changed the sealed bytes: they cannot be told apart.
    #[error("the key does not open with this password")]
    Closed,
    /// Not what sealing makes.
    #[error("not a sealed key")]
    Form,
}

/// A private key of 32 bytes, encrypted under its owner's password: Argon2id (RFC 9106, the parameters of the
/// passwords) makes a key for XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), which binds the owner's id as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SealedKey {
    salt: String,
    nonce: String,
    sealed: String,
}

/// Random bytes for one sealing.
pub(super) struct SealingInput {
    /// The private key.
    pub seed: [u8; 32],
    /// Salt of Argon2id.
    pub salt: [u8; 16],
    /// Nonce of the cipher.
    pub nonce: [u8; 24],
}

fn cipher(password: &str, salt: &[u8]) -> Result<XChaCha20Poly1305, SealError> {
    let mut key = [0; 32];
    Argon2::default()
        .hash_password_into(password.as_bytes(), salt, &mut key)
        .map_err(|_| SealError::Form)?;
    Ok(XChaCha20Poly1305::new(&key.into()))
}

impl SealedKey {
    /// Seals a key for its owner, named by their id. Takes tens of milliseconds by design.
    pub fn seal(input: &SealingInput, password: &str, owner: &str) -> Result<SealedKey, SealError> {
        let payload = Payload {
            msg: &input.seed,
            aad: owner.as_bytes(),
        };
        let sealed = cipher(password, &input.salt)?
            .encrypt(XNonce::from_slice(&input.nonce), payload)
            .map_err(|_| SealError::Form)?;
        Ok(SealedKey {
            salt: BASE64.encode(input.salt),
            nonce: BASE64.encode(input.nonce),
            sealed: BASE64.encode(sealed),
        })
    }

    /// Opens it again. Takes tens of milliseconds by design.
    pub fn open(&self, password: &str, owner: &str) -> Result<[u8; 32], SealError> {
        let bytes = |text: &str| BASE64.decode(text).map_err(|_| SealError::Form);
        let nonce: [u8; 24] = bytes(&self.nonce)?
            .try_into()
            .map_err(|_| SealError::Form)?;
        let payload = Payload {
            msg: &bytes(&self.sealed)?,
            aad: owner.as_bytes(),
        };
        let seed = cipher(password, &bytes(&self.salt)?)?
            .decrypt(XNonce::from_slice(&nonce), payload)
            .map_err(|_| SealError::Closed)?;
        seed.try_into().map_err(|_| SealError::Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_with_the_password_opens_it() {
        let input = SealingInput {
            seed: [7; 32],
            salt: [1; 16],
            nonce: [2; 24],
        };
        let sealed = SealedKey::seal(&input, "Correct-Horse-9", "u3").unwrap();
        assert_eq!(sealed.open("Correct-Horse-9", "u3"), Ok([7; 32]));
        assert_eq!(sealed.open("Correct-Horse-8", "u3"), Err(SealError::Closed));
        assert_eq!(sealed.open("Correct-Horse-9", "u4"), Err(SealError::Closed));
        let text = serde_json::to_string(&sealed).unwrap();
        assert!(!text.contains(&BASE64.encode([7; 32])));
        let mut damaged: SealedKey = serde_json::from_str(&text).unwrap();
        damaged.nonce = "AAAA".to_owned();
        assert_eq!(damaged.open("Correct-Horse-9", "u3"), Err(SealError::Form));
    }
}
