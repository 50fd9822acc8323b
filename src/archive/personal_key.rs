//! People's own keys: made when they first sign something and sealed under their password, or kept by themselves. The
//! public half is an entry; what was signed stays verifiable after the person has gone.

use vouchsafe_evidence::key::{KeyKind, SigningNoteKey, VerifierKey};

use super::kind::{self, Draft};
use super::people::{PersonalKey, place_of};
use super::rows::{UserRow, key};
use super::sealed_key::{SealError, SealedKey, SealingInput};
use super::{Archive, ArchiveError, Caller, random};
use crate::voucher::Invalid;

impl From<SealError> for ArchiveError {
    fn from(error: SealError) -> ArchiveError {
        ArchiveError::Fault(format!("a personal key: {error}"))
    }
}

impl Archive {
    fn sealed(&self, seed: [u8; 32], password: &str, id: &str) -> Result<SealedKey, ArchiveError> {
        let input = SealingInput {
            seed,
            salt: random()?,
            nonce: random()?,
        };
        Ok(SealedKey::seal(&input, password, id)?)
    }

    /// The user's sealed key, if they have one, sealed under another password.
    pub(super) fn resealed_key(
        &self,
        id: &str,
        old: &str,
        password: &str,
    ) -> Result<Option<SealedKey>, ArchiveError> {
        let Some(sealed) = self.credentials.sealed_key(id) else {
            return Ok(None);
        };
        self.sealed(sealed.open(old, id)?, password, id).map(Some)
    }

    /// The caller's key, opened with the password that they signed in with; made if they have none. Its public half is
    /// in the log, durably, when this returns.
    pub(super) fn personal_key(
        &self,
        caller: &Caller,
        password: &str,
    ) -> Result<SigningNoteKey, ArchiveError> {
        if self.current_key(caller).is_some_and(|key| key.outside) {
            return Err(ArchiveError::denied(
                format!(
                    "{} keeps their signing key outside of the archive",
                    caller.name
                ),
                "sign with `vouchsafe review --key`, or in the browser that has the key",
            ));
        }
        let sealed = match self.credentials.sealed_key(&caller.id) {
            Some(sealed) => sealed,
            None => {
                let sealed = self.sealed(random()?, password, &caller.id)?;
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
        let signing = self.signing_key(caller, &seed)?;
        self.publish_key(caller, signing.verifier().to_string(), false)?;
        Ok(signing)
    }

    fn signing_key(
        &self,
        caller: &Caller,
        seed: &[u8; 32],
    ) -> Result<SigningNoteKey, ArchiveError> {
        SigningNoteKey::from_seed(&self.key_name(caller), KeyKind::Note, seed)
            .map_err(|error| ArchiveError::Fault(format!("a personal key: {error}")))
    }

    /// The name that every key of the caller has.
    pub fn key_name(&self, caller: &Caller) -> String {
        format!("{}/{}", self.records.verifier_key().name(), caller.id)
    }

    /// The key with which the caller signs now, if they ever signed.
    pub fn current_key(&self, caller: &Caller) -> Option<PersonalKey> {
        let people = self.records.people();
        people.user(&caller.id)?.keys.last().cloned()
    }

    /// From now on the caller signs with a key whose private half they keep; only its public half, `vkey` (C2SP
    /// signed-note), is known here. Whoever calls this has made sure that it is they who ask, as by
    /// [`Archive::prove_password`].
    pub fn keep_key_outside(&self, caller: &Caller, vkey: &str) -> Result<(), ArchiveError> {
        let name = self.key_name(caller);
        let invalid = |why: String| {
            let hint = format!("send the public half of an Ed25519 key with the name {name}");
            ArchiveError::from(Invalid::new("vkey", why, hint))
        };
        let key = VerifierKey::parse(vkey).map_err(|error| invalid(error.to_string()))?;
        if key.name() != name || key.kind() != KeyKind::Note {
            return Err(invalid(format!("the key has the name {}", key.name())));
        }
        self.publish_key(caller, key.to_string(), true)
    }

    /// From now on the caller signs with a new key that the archive keeps under their password.
    pub fn keep_key_inside(&self, caller: &Caller, password: &str) -> Result<(), ArchiveError> {
        self.prove_password(caller, password)?;
        let seed = random()?;
        let sealed = self.sealed(seed, password, &caller.id)?;
        let signing = self.signing_key(caller, &seed)?;
        self.credentials.set_key(&caller.id, sealed)?;
        self.publish_key(caller, signing.verifier().to_string(), false)
    }

    /// Refuses unless this is the caller's password, and not merely a token or a session of theirs.
    pub fn prove_password(&self, caller: &Caller, password: &str) -> Result<(), ArchiveError> {
        if !self.is_password(caller, password)? {
            return Err(ArchiveError::denied(
                "this needs the caller's own password",
                "send the password that holds now; a token does not do",
            ));
        }
        Ok(())
    }

    /// Puts a public key into the log, unless it is the user's current one there.
    fn publish_key(
        &self,
        caller: &Caller,
        vkey: String,
        outside: bool,
    ) -> Result<(), ArchiveError> {
        let known = self.current_key(caller);
        if known.is_some_and(|known| known.vkey == vkey) {
            return Ok(());
        }
        let id = caller.id.clone();
        self.commit(move |desk| {
            let row: Option<UserRow> = desk.rows.get(&key::user(&id))?;
            if row.is_some_and(|row| row.keys.last().is_some_and(|last| last.vkey == vkey)) {
                return Ok(());
            }
            let body = kind::UserKeyAdded { vkey, outside };
            desk.write(Draft::new(&id, kind::USER_KEY_ADDED, place_of(&id), &body)?);
            Ok(())
        })
    }
}
