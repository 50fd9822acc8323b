//! Who a caller is: passwords and tokens against the credentials, with a short memory of what was right.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use unicode_normalization::UnicodeNormalization as _;
use vouchsafe_evidence::digest::Digest;

use super::credentials::{Credentials, PASSWORD_MAX_BYTES};
use super::guesses::{Guesses, network};
use super::kind::{self, Draft, NOBODY};
use super::sessions::Sessions;
use super::{Archive, ArchiveError, random};
use crate::access::{Permissions, Right, Scope, Time};

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
    /// By what they came in.
    pub origin: Origin,
}

/// By what somebody came in, so that it can be asked later whether that still holds.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Digest of their session.
    session: Option<Digest>,
    /// When their token ends.
    until: Option<Time>,
    /// How often their password or access had changed before.
    generation: u64,
}

impl Caller {
    /// The same person with these permissions, as for a part of the tree.
    pub(super) fn with(&self, permissions: Permissions) -> Caller {
        Caller {
            id: self.id.clone(),
            name: self.name.clone(),
            permissions,
            origin: self.origin.clone(),
        }
    }

    /// Whether there is an inbox: it is the caller's alone, and only for those who may file somewhere.
    pub fn has_inbox(&self) -> bool {
        // What an inbox holds may find any place of its owner's, so it is not for a token that is for one part.
        !self.permissions.is_limited() && self.permissions.allow_somewhere(Right::Upload)
    }
}

/// What comes of a name and a password.
#[derive(Debug)]
pub enum SigningIn {
    /// They are right.
    Welcome(Caller),
    /// A wrong name, a wrong password or a disabled user, which cannot be told apart.
    Refused,
    /// Too many wrong ones before: they were not looked at. How long to wait, in milliseconds.
    Wait(Time),
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
    guesses: Mutex<Guesses>,
    /// Held while somebody proves their password once more: one at a time.
    proving: Mutex<()>,
    /// How often the passwords and the access of users changed: what was proven before holds no more.
    generations: Mutex<HashMap<String, u64>>,
    pub(super) sessions: Mutex<Sessions>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SignedIn {
    pub fn new() -> Result<SignedIn, ArchiveError> {
        let secret = random()?;
        Ok(SignedIn {
            secret,
            known: Mutex::default(),
            failures: Mutex::default(),
            guesses: Mutex::new(Guesses::new()),
            proving: Mutex::default(),
            generations: Mutex::default(),
            sessions: Mutex::default(),
        })
    }

    /// Forgets all right passwords and the sessions of a user, whose password changed or whose access ended.
    pub fn forget(&self, user: &str) {
        *lock(&self.generations).entry(user.to_owned()).or_default() += 1;
        lock(&self.known).clear();
        lock(&self.sessions).end_all(user);
    }

    /// How often this user's password or access changed.
    fn generation(&self, user: &str) -> u64 {
        lock(&self.generations).get(user).copied().unwrap_or(0)
    }

    /// Under what a right password is remembered: only for where it came from.
    fn key(&self, name: &str, password: &str, from: &str) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for part in [name, &network(from), password] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
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
        let from = &network(from);
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
                failures.insert(from.clone(), Failures { logged, since });
                Some(count)
            }
        }
    }
}

/// The caller behind a name and a password, if they are right.
fn check(archive: &Archive, name: &str, secret: &str, from: &str, now: Time) -> Option<Caller> {
    let signed_in = &archive.signed_in;
    let people = archive.records.people();
    let user = people.named(name).map(|user| user.id.as_str());
    let before = user.map_or(0, |id| signed_in.generation(id));
    let right = archive.credentials.verifies(user, secret);
    let id = user.filter(|_| right)?.to_owned();
    // The password may have been changed while the old one was checked.
    if signed_in.generation(&id) != before {
        return None;
    }
    let caller = archive.caller(&id, now)?;
    signed_in.remember(signed_in.key(name, secret, from), id, now);
    Some(caller)
}

impl Archive {
    /// The caller, if this very password was right from there a moment ago, or is a token: takes no time, and never
    /// blocks. After wrong guesses at the name from there, nothing is recalled: it would answer guesses for nothing.
    pub fn recall(&self, name: &str, secret: &str, from: &str) -> Option<Caller> {
        let now = self.now();
        let name: String = name.nfc().collect();
        if Credentials::is_token(secret) {
            return self.token_caller(&name, secret, now);
        }
        if lock(&self.signed_in.guesses).own_wait(&name, from, now) > 0 {
            return None;
        }
        let key = self.signed_in.key(&name, secret, from);
        self.caller(&self.signed_in.recall(&key, now)?, now)
    }

    /// Who this is. A failure is logged, and many of them for a name or from an address, `from`, make both wait. Blocks
    /// while a password is checked, for tens of milliseconds: callers bound how many are checked at once.
    pub fn sign_in(&self, name: &str, secret: &str, from: &str) -> Result<SigningIn, ArchiveError> {
        let now = self.now();
        let name = name.nfc().collect::<String>();
        // Nobody guesses a token of 256 bits, and one that has ended keeps nobody else waiting.
        let guessed = !Credentials::is_token(secret);
        let wait = lock(&self.signed_in.guesses).wait(&name, from, now);
        let caller = match guessed {
            false => self.token_caller(&name, secret, now),
            true if wait > 0 || secret.len() > PASSWORD_MAX_BYTES => None,
            true => check(self, &name, secret, from, now),
        };
        if guessed && wait == 0 {
            let right = caller.is_some();
            lock(&self.signed_in.guesses).note(&name, from, right, now);
        }
        if let Some(caller) = caller {
            return Ok(SigningIn::Welcome(caller));
        }
        if let Some(count) = self.signed_in.count_failure(from, now) {
            self.log_failure(count, from)?;
        }
        Ok(match guessed && wait > 0 {
            true => SigningIn::Wait(wait),
            false => SigningIn::Refused,
        })
    }

    /// Whether this is the password of somebody who is signed in already. Wrong ones make them wait, and nobody else.
    pub(super) fn is_password(
        &self,
        caller: &Caller,
        password: &str,
    ) -> Result<bool, ArchiveError> {
        // Many at once would all be looked at before the first one is counted.
        let _one_at_a_time = lock(&self.signed_in.proving);
        let now = self.now();
        let wait = lock(&self.signed_in.guesses).proof_wait(&caller.id, now);
        if wait > 0 {
            return Err(ArchiveError::TooManyGuesses(wait));
        }
        let right = password.len() <= PASSWORD_MAX_BYTES
            && self.credentials.verifies(Some(&caller.id), password);
        lock(&self.signed_in.guesses).note_proof(&caller.id, right, now);
        Ok(right)
    }

    /// Begins a session of somebody who just signed in with this password; gives the secret that their browser is to hold.
    /// A token begins none: it may be for less, and end sooner, than a session.
    pub fn begin_session(&self, caller: &Caller, password: &str) -> Result<String, ArchiveError> {
        if Credentials::is_token(password) {
            return Err(ArchiveError::denied(
                "a session does not begin with a token",
                "sign in with the password, or send the token with each request",
            ));
        }
        lock(&self.signed_in.sessions).begin(&caller.id, false, self.now())
    }

    /// The user of a name that a sign-in provider vouches for; none where there is no such user, or a disabled one.
    pub fn vouched_for(&self, name: &str) -> Option<Caller> {
        let name: String = name.nfc().collect();
        let id = self.records.people().named(&name)?.id.clone();
        self.caller(&id, self.now())
    }

    /// Begins a session of somebody for whom a sign-in provider has just vouched.
    pub fn begin_vouched_session(&self, caller: &Caller) -> Result<String, ArchiveError> {
        lock(&self.signed_in.sessions).begin(&caller.id, true, self.now())
    }

    /// Whether the caller came by a session for which a provider vouched a moment ago.
    pub fn freshly_vouched(&self, caller: &Caller) -> bool {
        let session = caller.origin.session.as_ref();
        session.is_some_and(|it| lock(&self.signed_in.sessions).freshly_vouched(it, self.now()))
    }

    /// Whether what the caller came by still holds: their session, their token, their password as it was.
    pub(super) fn still_holds(&self, caller: &Caller) -> bool {
        let (origin, now) = (&caller.origin, self.now());
        let session = origin.session.as_ref();
        origin.generation == self.signed_in.generation(&caller.id)
            && origin.until.is_none_or(|until| now < until)
            && session.is_none_or(|it| lock(&self.signed_in.sessions).lasts(it, now))
    }

    /// Whose session this is, as they are at this moment; none when it ended, or they may not sign in any more.
    pub fn session(&self, held: &str) -> Option<Caller> {
        let now = self.now();
        let id = lock(&self.signed_in.sessions).user(held, now)?;
        let mut caller = self.caller(&id, now)?;
        caller.origin.session = Some(Digest::sha256(held.as_bytes()));
        Some(caller)
    }

    /// Ends a session.
    pub fn end_session(&self, held: &str) {
        lock(&self.signed_in.sessions).end(held);
    }

    /// The owner of a token, for the part of the tree that it is for.
    fn token_caller(&self, name: &str, token: &str, now: Time) -> Option<Caller> {
        let owner = self.credentials.owner_of_token(token, now)?;
        let mut caller = self.caller(&owner.user, now).filter(|it| it.name == name)?;
        caller.origin.until = owner.until;
        Some(match owner.scope {
            None => caller,
            // A scope that cannot be read any more is none at all.
            Some(scope) => {
                let scope = Scope::parse(&scope).ok()?;
                let permissions = caller.permissions.within(Arc::new(scope));
                Caller {
                    permissions,
                    ..caller
                }
            }
        })
    }

    pub(super) fn caller(&self, id: &str, now: Time) -> Option<Caller> {
        let people = self.records.people();
        let user = people.user(id).filter(|user| user.disabled.is_none())?;
        Some(Caller {
            id: user.id.clone(),
            name: user.name.clone(),
            permissions: people.permissions(&user.id, now),
            origin: Origin {
                generation: self.signed_in.generation(&user.id),
                ..Origin::default()
            },
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
        let key = signed_in.key("ann", "secret", "::1");
        assert_ne!(key, signed_in.key("anns", "ecret", "::1"));
        assert_ne!(key, signed_in.key("ann", "secret", "10.0.0.1"), "elsewhere");
        signed_in.remember(key, "u1".to_owned(), 0);
        assert_eq!(
            signed_in.recall(&key, REMEMBERED_MS - 1).as_deref(),
            Some("u1")
        );
        assert_eq!(signed_in.recall(&key, REMEMBERED_MS), None);
        signed_in.forget("u1");
        assert_eq!(signed_in.recall(&key, 0), None);
    }
}
