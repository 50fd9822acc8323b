//! People's own keys: made when they first sign something, sealed under their password. The public half is an entry;
//! what was signed stays verifiable after the person has gone.

use vouchsafe_evidence::key::{KeyKind, SigningNoteKey};

use super::kind::{self, Draft};
use super::people::place_of;
use super::rows::{UserRow, key};
use super::sealed_key::{SealError, SealedKey, SealingInput};
use super::{Archive, ArchiveError, Caller, random};

impl From<SealError> for ArchiveError {
    fn from(error: SealError) -> ArchiveError {
        ArchiveError::Fault(format!("a personal key: {error}"))
    }
}

impl Archive {
    /// The caller's key, opened with the password that they signed in with; made if they have none. Its public half is
    /// in the log, durably, when this returns.
    pub(super) fn personal_key(
        &self,
        caller: &Caller,
        password: &str,
    ) -> Result<SigningNoteKey, ArchiveError> {
        let sealed = match self.credentials.sealed_key(&caller.id) {
            Some(sealed) => sealed,
            None => {
                let input = SealingInput {
                    seed: random()?,
                    salt: random()?,
                    nonce: random()?,
                };
                let sealed = SealedKey::seal(&input, password, &caller.id)?;
                self.credentials.keep_key(&caller.id, sealed)?
            }
        };
        let seed = sealed
            .open(password, &caller.id)
            .map_err(|error| match error {
                // Their password was changed between signing in and this.
                SealError::Closed => ArchiveError::denied(
                    "the signing key does not open with this password",
                    "sign in with the password that holds now, and try again",
                ),
                SealError::Form => error.into(),
            })?;
        let origin = self.records.verifier_key().name().to_owned();
        let signing =
            SigningNoteKey::from_seed(&format!("{origin}/{}", caller.id), KeyKind::Note, &seed)
                .map_err(|error| ArchiveError::Fault(format!("a personal key: {error}")))?;
        self.publish_key(caller, signing.verifier().to_string())?;
        Ok(signing)
    }

    /// Puts a public key into the log, unless it is the user's current one there.
    fn publish_key(&self, caller: &Caller, vkey: String) -> Result<(), ArchiveError> {
        let people = self.records.people();
        let known = people.user(&caller.id).and_then(|user| user.keys.last());
        if known == Some(&vkey) {
            return Ok(());
        }
        let id = caller.id.clone();
        self.commit(move |desk| {
            let row: Option<UserRow> = desk.rows.get(&key::user(&id))?;
            if row.is_some_and(|row| row.keys.last().is_some_and(|last| last.vkey == vkey)) {
                return Ok(());
            }
            let body = kind::UserKeyAdded { vkey };
            desk.write(Draft::new(&id, kind::USER_KEY_ADDED, place_of(&id), &body)?);
            Ok(())
        })
    }
}
