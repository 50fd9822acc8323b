//! Who a caller is: passwords and tokens against the credentials, with a short memory of what was right.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use unicode_normalization::UnicodeNormalization as _;

use super::credentials::{Credentials, PASSWORD_MAX_BYTES};
use super::kind::{self, Draft, NOBODY};
use super::{Archive, ArchiveError, random};
use crate::access::{Permissions, Right, Time};

/// How long a right password is remembered, in milliseconds. Argon2id takes tens of milliseconds by
/// design, and a drive sends the password with every request.
const REMEMBERED_MS: Time = 5 * 60 * 1_000;
/// Right passwords remembered at most.
const REMEMBERED_MAX: usize = 10_000;
/// Failures from one address are one entry in so many milliseconds; the next entry says how many there
/// were since.
const FAILURE_WINDOW_MS: Time = 10_000;
/// Addresses whose failures are counted at most.
const ADDRESSES_MAX: usize = 10_000;

/// Somebody who has signed in, and what they may do at this moment.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The id by which the log knows them.
    pub id: String,
    /// The name with which they signed in.
    pub name: String,
    /// What they may do.
    pub permissions: Permissions,
}

impl Caller {
    /// Whether there is an inbox: it is the caller's alone, and only for those who may file somewhere.
    pub fn has_inbox(&self) -> bool {
        self.permissions.allow_somewhere(Right::Upload)
    }
}

struct Remembered {
    id: String,
    until: Time,
}

struct Failures {
    logged: Time,
    since: u64,
}

/// What is remembered of earlier sign-ins, in memory only.
pub(super) struct SignedIn {
    /// Keys the hash under which a password is remembered, so that memory holds none.
    secret: [u8; 32],
    known: Mutex<HashMap<[u8; 32], Remembered>>,
    failures: Mutex<HashMap<String, Failures>>,
    /// Held while hashing: wrong passwords wait for each other, not for everybody's processors.
    hashing: Mutex<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SignedIn {
    pub fn new() -> Result<SignedIn, ArchiveError> {
        let secret = random()?;
        Ok(SignedIn {
            secret,
            known: Mutex::default(),
            failures: Mutex::default(),
            hashing: Mutex::default(),
        })
    }

    /// Forgets all, because some password changed.
    pub fn forget_all(&self) {
        lock(&self.known).clear();
    }

    fn key(&self, name: &str, password: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        hasher.update(&(name.len() as u64).to_be_bytes());
        hasher.update(name.as_bytes());
        hasher.update(password.as_bytes());
        *hasher.finalize().as_bytes()
    }

    fn recall(&self, key: &[u8; 32], now: Time) -> Option<String> {
        let known = lock(&self.known);
        let remembered = known.get(key).filter(|known| now < known.until)?;
        Some(remembered.id.clone())
    }

    fn remember(&self, key: [u8; 32], id: String, now: Time) {
        let mut known = lock(&self.known);
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        let until = now + REMEMBERED_MS;
        known.insert(key, Remembered { id, until });
    }

    /// Counts a failure; gives how many there were since the last entry if it is time for one.
    fn count_failure(&self, from: &str, now: Time) -> Option<u64> {
        let mut failures = lock(&self.failures);
        if failures.len() >= ADDRESSES_MAX {
            failures.retain(|_, failures| now < failures.logged + FAILURE_WINDOW_MS);
        }
        match failures.get_mut(from) {
            Some(failures) if now < failures.logged + FAILURE_WINDOW_MS => {
                failures.since += 1;
                None
            }
            before => {
                let count = 1 + before.map_or(0, |failures| failures.since);
                let (logged, since) = (now, 0);
                failures.insert(from.to_owned(), Failures { logged, since });
                Some(count)
            }
        }
    }
}

/// The user id behind a name and a password or token, if they are right.
fn check(
    archive: &Archive,
    credentials: &Credentials,
    name: &str,
    secret: &str,
    now: Time,
) -> Option<String> {
    let name = &name.nfc().collect::<String>();
    let people = archive.records.people();
    let user = people.named(name);
    if Credentials::is_token(secret) {
        let owner = credentials.user_of_token(secret, now)?;
        return user
            .filter(|user| user.id == owner)
            .map(|user| user.id.clone());
    }
    let key = archive.signed_in.key(name, secret);
    if let Some(id) = archive.signed_in.recall(&key, now) {
        return Some(id);
    }
    let right = {
        let _one_at_a_time = lock(&archive.signed_in.hashing);
        credentials.verifies(user.map(|user| user.id.as_str()), secret)
    };
    let id = user.filter(|_| right)?.id.clone();
    archive.signed_in.remember(key, id.clone(), now);
    Some(id)
}

impl Archive {
    /// The caller, if this very password was right a moment ago: takes no time, and never blocks.
    pub fn recall(&self, name: &str, secret: &str) -> Option<Caller> {
        let now = self.now();
        let name: String = name.nfc().collect();
        let id = self
            .signed_in
            .recall(&self.signed_in.key(&name, secret), now)?;
        self.caller(&id, now)
    }

    /// Who this is, or `None` for a wrong name, a wrong password or a disabled user, which cannot be
    /// told apart. A failure is logged; `from` is the address that it came from. Blocks while a
    /// password is checked.
    pub fn sign_in(
        &self,
        name: &str,
        secret: &str,
        from: &str,
    ) -> Result<Option<Caller>, ArchiveError> {
        let now = self.now();
        let id = (secret.len() <= PASSWORD_MAX_BYTES)
            .then(|| check(self, &self.credentials, name, secret, now))
            .flatten();
        let caller = id.and_then(|id| self.caller(&id, now));
        if caller.is_none()
            && let Some(count) = self.signed_in.count_failure(from, now)
        {
            self.log_failure(count, from)?;
        }
        Ok(caller)
    }

    pub(super) fn caller(&self, id: &str, now: Time) -> Option<Caller> {
        let people = self.records.people();
        let user = people.user(id).filter(|user| user.disabled.is_none())?;
        Some(Caller {
            id: user.id.clone(),
            name: user.name.clone(),
            permissions: people.permissions(&user.id, now),
        })
    }

    /// The name that was tried is not logged: people type passwords there.
    fn log_failure(&self, count: u64, from: &str) -> Result<(), ArchiveError> {
        let body = kind::LoginFailed {
            count,
            from: from.to_owned(),
        };
        let draft = Draft::new(NOBODY, kind::LOGIN_FAILED, "", &body)?;
        let logged = self.commit(move |desk| {
            desk.write(draft);
            Ok(())
        });
        if let Err(error) = logged {
            // The answer to a wrong password does not tell the state of the disk.
            tracing::warn!(%error, "a failed sign-in could not be logged");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_one_address_are_one_entry_a_window() {
        let signed_in = SignedIn::new().unwrap();
        assert_eq!(signed_in.count_failure("a", 0), Some(1));
        assert_eq!(signed_in.count_failure("a", 1), None);
        assert_eq!(signed_in.count_failure("a", 9_999), None);
        assert_eq!(signed_in.count_failure("b", 9_999), Some(1));
        assert_eq!(signed_in.count_failure("a", 10_000), Some(3));
    }

    #[test]
    fn what_is_remembered_expires_and_is_forgotten() {
        let signed_in = SignedIn::new().unwrap();
        let key = signed_in.key("ann", "secret");
        assert_ne!(key, signed_in.key("anns", "ecret"));
        signed_in.remember(key, "u1".to_owned(), 0);
        assert_eq!(
            signed_in.recall(&key, REMEMBERED_MS - 1).as_deref(),
            Some("u1")
        );
        assert_eq!(signed_in.recall(&key, REMEMBERED_MS), None);
        signed_in.forget_all();
        assert_eq!(signed_in.recall(&key, 0), None);
    }
}
