//! The log's keys: which it has had, and changing the current one, in which the old key signs the new.

use std::path::Path;

use arc_swap::ArcSwap;
use vouchsafe_evidence::digest::to_hex;
use vouchsafe_evidence::key::{KeyKind, SigningNoteKey, VerifierKey};
use vouchsafe_evidence::note::{NOTE_MAX_BYTES, Note};
use vouchsafe_evidence::rotation::{KeyHistory, Rotation};

use super::kind::{self, Draft, OPERATOR};
use super::rows::{FileRow, decode, key};
use super::{Archive, ArchiveError, Signer, folder};
use crate::store::{Store, get_object};
use crate::voucher::Invalid;

/// A new key of this name, or of a name that is made up: `vouchsafe/` and 12 random digits.
pub(super) fn new_key(name: Option<&str>) -> Result<SigningNoteKey, ArchiveError> {
    let random = super::random::<38>()?;
    let (made_up, seed) = random.split_at(6);
    let made_up = format!("vouchsafe/{}", to_hex(made_up));
    let fault = || ArchiveError::Fault("a signing key could not be made".to_owned());
    let seed: &[u8; 32] = seed.try_into().map_err(|_| fault())?;
    SigningNoteKey::from_seed(name.unwrap_or(&made_up), KeyKind::Note, seed).map_err(|_| fault())
}

/// The notes of all key changes, from the first on.
pub(super) fn rotations(store: &dyn Store) -> Result<Vec<Vec<u8>>, ArchiveError> {
    let count = key::count("rotation");
    let count: u64 = match store.get(&count)? {
        Some(row) => decode(&count, &row)?,
        None => 0,
    };
    let note = |number| {
        let absent = || ArchiveError::Broken(format!("the note of key change {number} is missing"));
        let key = key::rotation(number);
        let row: FileRow = decode(&key, &store.get(&key)?.ok_or_else(absent)?)?;
        get_object(store, &row.object.blake3, NOTE_MAX_BYTES as u64)?.ok_or_else(absent)
    };
    (1..=count).map(note).collect()
}

/// The keys of the log, as the log itself tells; `own` is its first before it tells anything.
pub(super) fn history(store: &dyn Store, own: &VerifierKey) -> Result<KeyHistory, ArchiveError> {
    let broken = |error: String| ArchiveError::Broken(format!("the log's keys: {error}"));
    let first = match store.head()?.size {
        0 => own.clone(),
        _ => {
            let created: kind::Created = kind::body(&super::open::entry(store, 0)?)?;
            VerifierKey::parse(&created.vkey).map_err(|error| broken(error.to_string()))?
        }
    };
    let notes = rotations(store)?;
    let current = match notes.last() {
        Some(note) => {
            let last = Rotation::verify(note).map_err(|error| broken(error.to_string()))?;
            last.new
        }
        None => first.clone(),
    };
    let history = KeyHistory::read(current, notes.iter().map(Vec::as_slice))
        .map_err(|error| broken(error.to_string()))?;
    if history.keys().first() != Some(&first) {
        return Err(broken(
            "the first change is not from the first key".to_owned(),
        ));
    }
    Ok(history)
}

/// The one of `signers` that has the log's current key. Where a change of the key was cut short there are
/// several, and this one takes its place alone.
pub(super) fn choose(
    folder: Option<&Path>,
    signers: Vec<Signer>,
    keys: &KeyHistory,
) -> Result<Signer, ArchiveError> {
    let several = signers.len() > 1;
    let current = |signer: &Signer| signer.verifier() == keys.current();
    let signer = signers.into_iter().find(current).ok_or_else(|| {
        let key = keys.current();
        ArchiveError::Broken(format!(
            "the log's key is {key}, and the folder has another"
        ))
    })?;
    if let Some(folder) = folder.filter(|_| several) {
        folder::take_signer(folder, &signer)?;
    }
    Ok(signer)
}

impl Archive {
    /// Gives the log another key: a new one, or one that a program has. The old key signs the new one, in an
    /// entry of the log.
    pub fn rotate_key(
        &self,
        next: Option<super::SigningProgram>,
    ) -> Result<VerifierKey, ArchiveError> {
        let folder = self.folder.clone().ok_or_else(|| {
            ArchiveError::Fault("an archive without a folder keeps its key".to_owned())
        })?;
        let old = self.records.verifier_key();
        let next = match next {
            Some(program) => Signer::Program(program),
            None => Signer::Key(new_key(Some(old.name()))?),
        };
        let rotation = Rotation {
            old,
            new: next.verifier().clone(),
        };
        if rotation.old.name() != rotation.new.name() || rotation.old == rotation.new {
            let error = format!("the new key is {}", rotation.new);
            let hint = format!(
                "it must be another one with the name {}",
                rotation.old.name()
            );
            return Err(Invalid::new("vkey", error, hint).into());
        }
        // The log may tell of a next key that only its file has: it is never written over.
        if !self.takes_writes() || folder::has_next_signer(&folder) {
            let error = "a change of the key was cut short; open the archive again to finish it";
            return Err(ArchiveError::Busy(error.to_owned()));
        }
        // Kept before the log tells of it, so that a crash in between finds it.
        folder::write_next_signer(&folder, &next)?;
        let (signer, new) = (next.clone(), rotation.new.clone());
        let store = std::sync::Arc::clone(&self.records.store);
        let logged = self.commit(move |desk| {
            if desk.signer.verifier() != &rotation.old {
                let hint = "look which key is current, and say again if it is to be changed";
                return Err(ArchiveError::conflict(
                    "the key was changed meanwhile",
                    hint,
                ));
            }
            let mut note = Note::new(rotation.text());
            desk.signer.sign(&mut note)?;
            next.sign(&mut note)?;
            let digests = crate::store::put_object(&*store, note.to_string().as_bytes())?;
            let object = kind::object("rotation", "text/plain", &digests);
            let body = kind::KeyRotated {
                vkey: rotation.new.to_string(),
            };
            let draft = Draft::new(OPERATOR, kind::KEY_ROTATED, "", &body)?;
            desk.write(draft.with(vec![object]));
            desk.hand_over(next);
            Ok(())
        });
        if let Err(error) = logged {
            // Whether a failed write is in the log is seen when the archive is opened again; a refusal is not.
            if self.takes_writes() {
                folder::drop_next_signer(&folder)?;
            }
            return Err(error);
        }
        folder::take_signer(&folder, &signer)?;
        Ok(new)
    }
}

/// Keeps the keys in step with the log.
pub(super) fn refresh(store: &dyn Store, keys: &ArcSwap<KeyHistory>) -> Result<(), ArchiveError> {
    let own = keys.load().current().clone();
    keys.store(std::sync::Arc::new(history(store, &own)?));
    Ok(())
}
