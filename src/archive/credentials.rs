//! What people prove themselves with: password hashes and token digests, in one file beside the store.
//!
//! None of it is in the log: a log that auditors read must not help anybody to guess a password.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher as _, PasswordVerifier as _, SaltString};
use serde::{Deserialize, Serialize};
use vouchsafe_evidence::digest::Digest;

use super::folder::replace;
use super::sealed_key::SealedKey;
use super::{ArchiveError, random};
use crate::access::Time;
use crate::voucher::Invalid;

/// Shortest password, in characters.
pub const PASSWORD_MIN_CHARS: usize = 8;
/// Longest password or token, in bytes.
pub const PASSWORD_MAX_BYTES: usize = 1_000;
/// What every token begins with, so that a leaked one can be searched for.
const TOKEN_PREFIX: &str = "vouchsafe-token-";

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Person {
    /// PHC string of an Argon2id hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(default)]
    tokens: Vec<Token>,
    /// What they sign with. It opens with the password, so one that is set without the old one ends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<SealedKey>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Token {
    id: String,
    /// SHA-256 of the token. It has 256 random bits, so that a slow hash would add nothing.
    sha256: Digest,
    until: Option<Time>,
    /// The only part of the tree that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// What is behind a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TokenOwner {
    /// Id of the user.
    pub user: String,
    /// The only part of the tree that the token is for.
    pub scope: Option<String>,
    /// When it ends.
    pub until: Option<Time>,
}

/// The file of credentials.
pub(super) struct Credentials {
    path: PathBuf,
    people: Mutex<BTreeMap<String, Person>>,
}

/// Checks that a password may be set.
pub(super) fn check_password(password: &str) -> Result<(), ArchiveError> {
    let refuse = |error: String, hint: &str| Err(Invalid::new("password", error, hint).into());
    if password.chars().count() < PASSWORD_MIN_CHARS {
        return refuse(
            format!("the password has fewer than {PASSWORD_MIN_CHARS} characters"),
            "choose a longer one",
        );
    }
    if password.len() > PASSWORD_MAX_BYTES {
        return refuse(
            format!("the password has more than {PASSWORD_MAX_BYTES} bytes"),
            "choose a shorter one",
        );
    }
    Ok(())
}

fn hash(password: &str) -> Result<String, ArchiveError> {
    let fault = |error: &dyn std::fmt::Display| ArchiveError::Fault(format!("hashing: {error}"));
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| fault(&error))?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| fault(&error))?;
    Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| fault(&error))
}

impl Credentials {
    /// Reads the file; an absent one is empty.
    pub fn open(path: &Path) -> Result<Credentials, ArchiveError> {
        let people = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                ArchiveError::Broken(format!("{}: line {}", path.display(), error.line()))
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(ArchiveError::io(path, error)),
        };
        Ok(Credentials {
            path: path.to_owned(),
            people: Mutex::new(people),
        })
    }

    fn people(&self) -> MutexGuard<'_, BTreeMap<String, Person>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Person)) -> Result<(), ArchiveError> {
        let mut people = self.people();
        let mut changed = people.clone();
        change(changed.entry(id.to_owned()).or_default());
        let bytes = serde_json::to_vec_pretty(&changed)
            .map_err(|error| ArchiveError::Fault(error.to_string()))?;
        replace(&self.path, &bytes)?;
        *people = changed;
        Ok(())
    }

    /// Gives a user a password, in place of any before, and the key that it opens, if there is one.
    pub fn set_password(
        &self,
        id: &str,
        password: &str,
        key: Option<SealedKey>,
    ) -> Result<(), ArchiveError> {
        check_password(password)?;
        let hash = hash(password)?;
        self.change(id, |person| {
            person.password = Some(hash);
            person.key = key;
        })
    }

    /// The user's sealed key, if they have one.
    pub fn sealed_key(&self, id: &str) -> Option<SealedKey> {
        self.people().get(id)?.key.clone()
    }

    /// Keeps a key for a user, unless they got another meanwhile; gives the one that is kept.
    pub fn keep_key(&self, id: &str, key: SealedKey) -> Result<SealedKey, ArchiveError> {
        let mut kept = key.clone();
        self.change(id, |person| kept = person.key.get_or_insert(key).clone())?;
        Ok(kept)
    }

    /// Keeps a key for a user in place of any before.
    pub fn set_key(&self, id: &str, key: SealedKey) -> Result<(), ArchiveError> {
        self.change(id, |person| person.key = Some(key))
    }

    /// Makes a token for a user; it is returned once and kept nowhere.
    pub fn add_token(
        &self,
        user: &str,
        id: &str,
        until: Option<Time>,
        scope: Option<String>,
    ) -> Result<String, ArchiveError> {
        let secret = random::<32>()?;
        let token = format!("{TOKEN_PREFIX}{}", Digest(secret));
        let kept = Token {
            id: id.to_owned(),
            sha256: Digest::sha256(token.as_bytes()),
            until,
            scope,
        };
        self.change(user, |person| person.tokens.push(kept))?;
        Ok(token)
    }

    /// Whether `secret` has the form of a token.
    pub fn is_token(secret: &str) -> bool {
        secret.starts_with(TOKEN_PREFIX)
    }

    /// Whose token this is, if it holds at `now`.
    pub fn owner_of_token(&self, token: &str, now: Time) -> Option<TokenOwner> {
        let digest = Digest::sha256(token.as_bytes());
        let people = self.people();
        people.iter().find_map(|(id, person)| {
            let mut tokens = person.tokens.iter();
            let token = tokens.find(|token| {
                token.sha256 == digest && token.until.is_none_or(|until| now < until)
            })?;
            Some(TokenOwner {
                user: id.clone(),
                scope: token.scope.clone(),
                until: token.until,
            })
        })
    }

    /// Whether this is the user's password. Takes as long for a user that does not exist (`None`).
    pub fn verifies(&self, id: Option<&str>, password: &str) -> bool {
        let known = id.and_then(|id| self.people().get(id)?.password.clone());
        let (hash, exists) = match known {
            Some(hash) => (hash, true),
            None => (NOBODYS_HASH.to_owned(), false),
        };
        let Ok(hash) = PasswordHash::new(&hash) else {
            return false;
        };
        let right = Argon2::default()
            .verify_password(password.as_bytes(), &hash)
            .is_ok();
        right && exists
    }
}

/// A hash with the same parameters that no password is checked against in earnest.
const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_and_tokens_survive_a_restart_and_are_not_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("credentials.json");
        let credentials = Credentials::open(&path).unwrap();
        credentials
            .set_password("u1", "Correct-Horse-9", None)
            .unwrap();
        let token = credentials.add_token("u2", "t1", Some(100), None).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("Correct-Horse-9") && !text.contains(&token));
        let again = Credentials::open(&path).unwrap();
        assert!(again.verifies(Some("u1"), "Correct-Horse-9"));
        assert!(!again.verifies(Some("u1"), "Correct-Horse-8"));
        assert!(!again.verifies(Some("u2"), "Correct-Horse-9"));
        assert!(!again.verifies(None, "Correct-Horse-9"));
        let owner = again.owner_of_token(&token, 99);
        assert_eq!(owner.map(|owner| owner.user).as_deref(), Some("u2"));
        assert_eq!(again.owner_of_token(&token, 100), None);
    }

    #[test]
    fn the_hash_of_nobody_can_be_computed() {
        assert!(PasswordHash::new(NOBODYS_HASH).is_ok());
        let own = hash("Correct-Horse-9").unwrap();
        assert_eq!(own.split('$').nth(3), NOBODYS_HASH.split('$').nth(3));
    }

    #[test]
    fn short_passwords_are_refused() {
        let error = check_password("1234567").unwrap_err();
        assert!(matches!(error, ArchiveError::Invalid(invalid) if invalid.field == "password"));
    }
}
