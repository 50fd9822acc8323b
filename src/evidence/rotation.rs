//! Changing a log's key: the old key signs the new one, and whoever trusts one of them can follow the others.

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::key::VerifierKey;
use crate::note::{Note, NoteError};

const HEADER: &str = "vouchsafe/key-rotation/v1";
/// Most changes of a key that are followed.
const ROTATIONS_MAX: usize = 10_000;

/// One change: from `old` to `new`, under the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The key that signed until then.
    pub old: VerifierKey,
    /// The key that signs from then on.
    pub new: VerifierKey,
}

/// Why a note does not hand a log over from one key to the next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    /// Its text does not name two keys of one name.
    #[error("not a key rotation")]
    Form,
    /// One of the two keys did not sign it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// It does not begin where the one before ended.
    #[error("rotation {0} does not lead from the key before it to the next")]
    Gap(usize),
    /// There are more than are followed.
    #[error("more than {ROTATIONS_MAX} rotations")]
    TooMany,
}

impl Rotation {
    /// The text that both keys sign.
    pub fn text(&self) -> String {
        format!("{HEADER}\n{}\n{}\n", self.old, self.new)
    }

    /// Reads a note that both of its keys signed.
    pub fn verify(note: &[u8]) -> Result<Rotation, RotationError> {
        let note = Note::parse(note)?;
        let lines: Vec<&str> = note.unverified_text().split('\n').collect();
        let [HEADER, old, new, ""] = lines.as_slice() else {
            return Err(RotationError::Form);
        };
        let key = |text: &str| VerifierKey::parse(text).map_err(|_| RotationError::Form);
        let (old, new) = (key(old)?, key(new)?);
        if old.name() != new.name() || old == new {
            return Err(RotationError::Form);
        }
        note.verify(&old)?;
        note.verify(&new)?;
        Ok(Rotation { old, new })
    }
}

/// The keys that a log has had, from the first to the current; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHistory {
    keys: Vec<VerifierKey>,
    current: VerifierKey,
}

impl KeyHistory {
    /// A log that never changed its key.
    pub fn new(key: VerifierKey) -> KeyHistory {
        KeyHistory {
            keys: vec![key.clone()],
            current: key,
        }
    }

    /// Follows `notes`, from the first change to the one that brought `current`.
    pub fn read<'a>(
        current: VerifierKey,
        notes: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<KeyHistory, RotationError> {
        let mut keys: Vec<VerifierKey> = Vec::new();
        for (number, note) in (1..).zip(notes) {
            if number > ROTATIONS_MAX {
                return Err(RotationError::TooMany);
            }
            let rotation = Rotation::verify(note)?;
            if keys.is_empty() {
                keys.push(rotation.old.clone());
            }
            if keys.last() != Some(&rotation.old) {
                return Err(RotationError::Gap(number));
            }
            keys.push(rotation.new);
        }
        match keys.last() {
            None => Ok(KeyHistory::new(current)),
            Some(last) if *last == current => Ok(KeyHistory { keys, current }),
            Some(_) => Err(RotationError::Gap(keys.len())),
        }
    }

    /// Every key, from the first to the current.
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// The last of them.
    pub fn current(&self) -> &VerifierKey {
        &self.current
    }

    /// Checks that one of the keys signed a checkpoint; the newest that has a line in it decides.
    pub fn verify(&self, note: &[u8]) -> Result<Checkpoint, CheckpointError> {
        let mut refused = None;
        for key in self.keys.iter().rev() {
            match Checkpoint::verify(note, key) {
                Err(CheckpointError::Note(error @ NoteError::NotSigned(_))) => {
                    refused.get_or_insert(CheckpointError::Note(error));
                }
                decided => return decided,
            }
        }
        Err(refused.unwrap_or(CheckpointError::Form))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::key::{KeyKind, SigningNoteKey};
    use proptest::prelude::*;

    fn key(seed: u8) -> SigningNoteKey {
        SigningNoteKey::from_seed("vouchsafe/test", KeyKind::Note, &[seed; 32]).unwrap()
    }

    fn rotation(old: u8, new: u8, signers: &[u8]) -> Vec<u8> {
        let rotation = Rotation {
            old: key(old).verifier().clone(),
            new: key(new).verifier().clone(),
        };
        let mut note = Note::new(rotation.text());
        for signer in signers {
            let signature = key(*signer).sign(rotation.text().as_bytes(), 0);
            note.add(key(*signer).verifier(), signature);
        }
        note.to_string().into_bytes()
    }

    #[test]
    fn whoever_trusts_one_key_can_follow_the_others() {
        let notes = [rotation(1, 2, &[1, 2]), rotation(2, 3, &[2, 3])];
        let notes = || notes.iter().map(Vec::as_slice);
        let current = key(3).verifier().clone();
        let history = KeyHistory::read(current.clone(), notes()).unwrap();
        assert_eq!(history.keys().len(), 3);
        let checkpoint = Checkpoint {
            origin: "vouchsafe/test".into(),
            size: 1,
            root: Digest::sha256(b""),
        };
        for seed in [1, 2, 3] {
            assert!(
                history
                    .verify(checkpoint.sign(&key(seed)).as_bytes())
                    .is_ok()
            );
        }
        assert!(history.verify(checkpoint.sign(&key(4)).as_bytes()).is_err());
        assert_eq!(
            KeyHistory::read(current, notes().skip(1))
                .unwrap()
                .keys()
                .len(),
            2
        );
    }

    #[test]
    fn a_rotation_that_one_side_did_not_sign_is_refused() {
        for signers in [&[1][..], &[2], &[3, 2], &[]] {
            let note = rotation(1, 2, signers);
            assert!(KeyHistory::read(key(2).verifier().clone(), [&note[..]]).is_err());
        }
        let gap = [rotation(1, 2, &[1, 2]), rotation(3, 4, &[3, 4])];
        let read = KeyHistory::read(key(4).verifier().clone(), gap.iter().map(Vec::as_slice));
        assert_eq!(read, Err(RotationError::Gap(2)));
        let note = rotation(1, 2, &[1, 2]);
        let read = KeyHistory::read(key(9).verifier().clone(), [&note[..]]);
        assert_eq!(read, Err(RotationError::Gap(2)));
    }

    proptest! {
        #[test]
        fn hostile_notes_never_panic(text in "(vouchsafe/key-rotation/v1|\n|— a AAAAAAAA|\\PC){0,20}") {
            prop_assert!(Rotation::verify(text.as_bytes()).is_err());
        }
    }
}
