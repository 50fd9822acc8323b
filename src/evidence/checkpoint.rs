//! Checkpoints (C2SP tlog-checkpoint): a signed note whose text is the log's origin, size and root.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::digest::Digest;
use crate::key::{SigningNoteKey, VerifierKey};
use crate::note::{Note, NoteError};

/// The signed head of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Names the log; equal to the name of its key.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the Merkle tree over them.
    pub root: Digest,
}

/// Why a checkpoint is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The text is not origin, size and root.
    #[error("the checkpoint's text is not origin, size and root")]
    Form,
    /// Signed by the right key for another log.
    #[error("the checkpoint is of the log {0}")]
    Origin(String),
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            BASE64.encode(self.root.0)
        )
    }

    /// The signed note.
    pub fn sign(&self, key: &SigningNoteKey) -> String {
        Note::sign(self.text(), key, 0).to_string()
    }

    /// Reads the text of a checkpoint; extension lines are allowed and ignored.
    pub fn parse_text(text: &str) -> Option<Checkpoint> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let origin = lines.next().filter(|origin| !origin.is_empty())?;
        let size = lines.next()?;
        let root: [u8; 32] = BASE64.decode(lines.next()?).ok()?.try_into().ok()?;
        let number: u64 = size
            .parse()
            .ok()
            .filter(|number: &u64| number.to_string() == size)?;
        lines.all(|line| !line.is_empty()).then(|| Checkpoint {
            origin: origin.to_owned(),
            size: number,
            root: Digest(root),
        })
    }

    /// Reads a signed checkpoint and checks that `key` signed it for the log that it names.
    pub fn verify(note: &[u8], key: &VerifierKey) -> Result<Checkpoint, CheckpointError> {
        let note = Note::parse(note)?;
        let checkpoint = Checkpoint::parse_text(note.verify(key)?).ok_or(CheckpointError::Form)?;
        if checkpoint.origin != key.name() {
            return Err(CheckpointError::Origin(checkpoint.origin));
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;

    #[test]
    fn signed_checkpoints_round_trip() {
        let key = SigningNoteKey::from_seed("vouchsafe/test", KeyKind::Note, &[3; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: "vouchsafe/test".into(),
            size: 7,
            root: Digest::sha256(b""),
        };
        let note = checkpoint.sign(&key);
        assert_eq!(
            Checkpoint::verify(note.as_bytes(), key.verifier()),
            Ok(checkpoint.clone())
        );
        let forged = note.replace("\n7\n", "\n8\n");
        assert!(Checkpoint::verify(forged.as_bytes(), key.verifier()).is_err());
        let elsewhere = Checkpoint {
            origin: "vouchsafe/other".into(),
            ..checkpoint
        }
        .sign(&key);
        assert!(matches!(
            Checkpoint::verify(elsewhere.as_bytes(), key.verifier()),
            Err(CheckpointError::Origin(_))
        ));
    }

    #[test]
    fn what_is_not_a_checkpoint_is_refused() {
        let root = BASE64.encode([0; 32]);
        for text in [
            format!("o\n07\n{root}\n"),
            format!("\n7\n{root}\n"),
            format!("o\n7\n{root}"),
            format!("o\n7\n{root}\n\n"),
            "o\n7\nAAAA\n".into(),
            "o\n-1\n".into(),
        ] {
            assert_eq!(Checkpoint::parse_text(&text), None, "{text:?}");
        }
        assert!(Checkpoint::parse_text(&format!("o\n7\n{root}\nextension\n")).is_some());
    }
}
