//! The two content digests of an object: BLAKE3, by which it is addressed, and SHA-256, so that an
//! auditor needs nothing but `sha256sum`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::Digest as _;

/// 32 bytes, written in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest of 64 lower-case hexadecimal digits")]
pub struct NotADigest;

impl Digest {
    /// BLAKE3 of `bytes`.
    pub fn blake3(bytes: &[u8]) -> Digest {
        Digest(*blake3::hash(bytes).as_bytes())
    }

    /// SHA-256 of `bytes`.
    pub fn sha256(bytes: &[u8]) -> Digest {
        Digest(sha2::Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(hex_digits(&self.0, &mut [0; 64]))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Digest, NotADigest> {
        let mut digest = [0; 32];
        if text.len() != 64 {
            return Err(NotADigest);
        }
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = byte_of(pair).ok_or(NotADigest)?;
        }
        Ok(Digest(digest))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(hex_digits(&self.0, &mut [0; 64]))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        // A visitor sees the text where it stands; verifying reads millions of these.
        deserializer.deserialize_str(DigestVisitor)
    }
}

struct DigestVisitor;

impl serde::de::Visitor<'_> for DigestVisitor {
    type Value = Digest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("64 lower-case hexadecimal digits")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Digest, E> {
        text.parse().map_err(E::custom)
    }
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The digits of a digest, written into `text`.
fn hex_digits<'a>(bytes: &[u8; 32], text: &'a mut [u8; 64]) -> &'a str {
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    // Digits are ASCII.
    std::str::from_utf8(text).unwrap_or_default()
}

/// The byte that two lower-case hexadecimal digits stand for.
fn byte_of(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    Some(digit(pair[0])? << 4 | digit(pair[1])?)
}

/// Lower-case hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
    text
}

/// Bytes of a lower-case hexadecimal text, or `None`.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes().chunks_exact(2).map(byte_of).collect()
}

/// Whether a text is lower-case hexadecimal for whole bytes.
pub fn is_hex(text: &str) -> bool {
    let mut pairs = text.as_bytes().chunks_exact(2);
    text.len().is_multiple_of(2) && pairs.all(|pair| byte_of(pair).is_some())
}

/// Both digests and the size of one content, computed in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentDigests {
    /// The content's address.
    pub blake3: Digest,
    /// For tools that know only SHA-256.
    pub sha256: Digest,
    /// Bytes.
    pub size: u64,
}

/// Computes [`ContentDigests`] from a content that arrives piece by piece.
#[derive(Default)]
pub struct ContentHasher {
    blake3: blake3::Hasher,
    sha256: sha2::Sha256,
    size: u64,
}

impl ContentHasher {
    /// Takes in the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.blake3.update(bytes);
        self.sha256.update(bytes);
        self.size += bytes.len() as u64;
    }

    /// The digests of everything taken in.
    pub fn finish(self) -> ContentDigests {
        ContentDigests {
            blake3: Digest(*self.blake3.finalize().as_bytes()),
            sha256: Digest(self.sha256.finalize().into()),
            size: self.size,
        }
    }
}

/// [`ContentDigests`] of a content at hand.
pub fn content_digests(bytes: &[u8]) -> ContentDigests {
    let mut hasher = ContentHasher::default();
    hasher.update(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_lower_case_and_strict() {
        let digest = Digest::sha256(b"");
        assert_eq!(
            digest.to_string(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(
            digest.to_string().to_uppercase().parse::<Digest>(),
            Err(NotADigest)
        );
        assert_eq!("ab".parse::<Digest>(), Err(NotADigest));
    }

    #[test]
    fn pieces_and_whole_agree() {
        let mut hasher = ContentHasher::default();
        hasher.update(b"vouch");
        hasher.update(b"safe");
        assert_eq!(hasher.finish(), content_digests(b"vouchsafe"));
    }
}
