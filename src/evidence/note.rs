//! Signed notes (C2SP signed-note): a text and the signatures under it. Every signature of the
//! product, checkpoint or review, has this one form.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::key::{KeyKind, SigningNoteKey, VerifierKey};

/// Longest note that is read.
pub const NOTE_MAX_BYTES: usize = 1 << 20;
/// Most signatures that are looked at.
pub const SIGNATURES_MAX: usize = 100;

/// Why a note is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a text, a blank line and signature lines.
    #[error("not a signed note")]
    Form,
    /// None of its signatures is by the key.
    #[error("no signature by {0}")]
    NotSigned(String),
    /// A signature claims to be by the key and is not.
    #[error("the signature by {0} is wrong")]
    WrongSignature(String),
}

/// One line under a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub id: [u8; 4],
    /// What the key's algorithm made.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    fn is_by(&self, key: &VerifierKey) -> bool {
        self.name == key.name() && self.id == key.id()
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = [&self.id[..], &self.signature].concat();
        writeln!(f, "— {} {}", self.name, BASE64.encode(bytes))
    }
}

/// A note as it is written; nothing is verified until [`Note::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// A note over `text`, which must end with a newline, that nobody has signed yet.
    pub fn new(text: String) -> Note {
        debug_assert!(text.ends_with('\n'));
        Note {
            text,
            signatures: Vec::new(),
        }
    }

    /// Adds what `key` made over the text; it is believed only when it is verified.
    pub fn add(&mut self, key: &VerifierKey, signature: Vec<u8>) {
        self.signatures.push(NoteSignature {
            name: key.name().to_owned(),
            id: key.id(),
            signature,
        });
    }

    /// A note over `text`, which must end with a newline, signed by `key` at this time (seconds since
    /// 1970-01-01 UTC, which only witnesses sign).
    pub fn sign(text: String, key: &SigningNoteKey, seconds: u64) -> Note {
        let mut note = Note::new(text);
        let signature = key.sign(note.text.as_bytes(), seconds);
        note.add(key.verifier(), signature);
        note
    }

    /// Takes over the signature by `key` from `other`, a note over the same text, if it is right: one line,
    /// however many there are.
    pub fn adopt(&mut self, other: &Note, key: &VerifierKey) -> Result<(), NoteError> {
        other.verify(key)?;
        if other.text != self.text {
            return Err(NoteError::Form);
        }
        self.signatures.retain(|line| !line.is_by(key));
        let mut lines = other.signatures.iter().filter(|line| line.is_by(key));
        self.signatures.extend(lines.next().cloned());
        Ok(())
    }

    /// The lines below the text, as they are written.
    pub fn signature_lines(&self) -> String {
        self.signatures.iter().map(ToString::to_string).collect()
    }

    /// Ids of the keys that are said to have signed the text, in the order of their lines.
    pub fn key_ids(&self) -> impl Iterator<Item = [u8; 4]> {
        self.signatures.iter().map(|line| line.id)
    }

    /// When `key`, a witness's, signed the text: seconds since 1970-01-01 UTC.
    pub fn cosigned_at(&self, key: &VerifierKey) -> Result<u64, NoteError> {
        self.verify(key)?;
        let mut lines = self.signatures.iter().filter(|line| line.is_by(key));
        let time = lines.find_map(|line| line.signature.first_chunk());
        match (key.kind(), time) {
            (KeyKind::Cosignature, Some(time)) => Ok(u64::from_be_bytes(*time)),
            _ => Err(NoteError::NotSigned(key.name().to_owned())),
        }
    }

    /// Takes a note apart.
    pub fn parse(bytes: &[u8]) -> Result<Note, NoteError> {
        let whole = std::str::from_utf8(bytes).map_err(|_| NoteError::Form)?;
        if whole.len() > NOTE_MAX_BYTES || whole.contains(|c: char| c < ' ' && c != '\n') {
            return Err(NoteError::Form);
        }
        let split = whole.rfind("\n\n").ok_or(NoteError::Form)?;
        let (text, lines) = (&whole[..=split], &whole[split + 2..]);
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
        let signatures = lines
            .split('\n')
            .map(parse_signature)
            .collect::<Option<Vec<_>>>()
            .filter(|signatures| signatures.len() <= SIGNATURES_MAX)
            .ok_or(NoteError::Form)?;
        Ok(Note {
            text: text.to_owned(),
            signatures,
        })
    }

    /// The text, if `key` signed it.
    pub fn verify(&self, key: &VerifierKey) -> Result<&str, NoteError> {
        let mut by_key = self
            .signatures
            .iter()
            .filter(|line| line.is_by(key))
            .peekable();
        if by_key.peek().is_none() {
            return Err(NoteError::NotSigned(key.name().to_owned()));
        }
        if by_key.all(|line| key.verifies(self.text.as_bytes(), &line.signature)) {
            Ok(&self.text)
        } else {
            Err(NoteError::WrongSignature(key.name().to_owned()))
        }
    }

    /// The text without any claim about who signed it.
    pub fn unverified_text(&self) -> &str {
        &self.text
    }
}

fn parse_signature(line: &str) -> Option<NoteSignature> {
    let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
    let signature = BASE64.decode(signature).ok()?;
    let (id, signature) = signature.split_first_chunk::<4>()?;
    (!name.is_empty()
        && !name.contains(|c: char| c.is_whitespace() || c == '+')
        && !signature.is_empty())
    .then(|| NoteSignature {
        name: name.to_owned(),
        id: *id,
        signature: signature.to_vec(),
    })
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        f.write_str(&self.signature_lines())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(name: &str) -> SigningNoteKey {
        SigningNoteKey::from_seed(name, KeyKind::Note, &[3; 32]).unwrap()
    }

    #[test]
    fn a_signed_note_verifies_after_a_round_trip() {
        let note = Note::sign(
            "If you think cryptography\n\nis the answer\n".into(),
            &key("PeterNeumann"),
            0,
        );
        let read = Note::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(read, note);
        assert_eq!(
            read.verify(key("PeterNeumann").verifier()),
            Ok(note.unverified_text())
        );
        assert_eq!(
            read.verify(key("other").verifier()),
            Err(NoteError::NotSigned("other".into()))
        );
    }

    #[test]
    fn reads_the_note_of_the_go_documentation() {
        let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
        let key = VerifierKey::parse(vkey).unwrap();
        assert!(Note::parse(text.as_bytes()).unwrap().verify(&key).is_ok());
        let altered = text.replace("answer", "Answer");
        assert_eq!(
            Note::parse(altered.as_bytes()).unwrap().verify(&key),
            Err(NoteError::WrongSignature("PeterNeumann".into()))
        );
    }

    #[test]
    fn a_witness_signs_the_time_too() {
        let text = "example.com/log\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
        let witness =
            SigningNoteKey::from_seed("w.example", KeyKind::Cosignature, &[9; 32]).unwrap();
        let mut note = Note::sign(text.into(), &key("example.com/log"), 0);
        let mut answer = Note::sign(text.into(), &witness, 1_700_000_000);
        note.adopt(&answer, witness.verifier()).unwrap();
        note.adopt(&answer, witness.verifier()).unwrap();
        let note = Note::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(note.signature_lines().lines().count(), 2);
        assert_eq!(note.cosigned_at(witness.verifier()), Ok(1_700_000_000));
        assert!(note.cosigned_at(key("example.com/log").verifier()).is_err());
        // Another time was not signed.
        answer.signatures[0].signature[7] ^= 1;
        assert!(answer.verify(witness.verifier()).is_err());
    }

    #[test]
    fn what_is_not_a_note_is_refused() {
        for text in [
            "",
            "text\n",
            "text\n\n",
            "text\n\n— name\n",
            "text\n\n— name AAAA\n",
            "a\tb\n\n— n AAAAAAAA\n",
        ] {
            assert_eq!(
                Note::parse(text.as_bytes()),
                Err(NoteError::Form),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(text in "(\\PC|\n|— a AAAAAAAA){0,60}") {
            if let Ok(note) = Note::parse(text.as_bytes()) {
                prop_assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note));
            }
        }
    }
}
