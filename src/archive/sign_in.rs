//! Who a caller is: passwords and tokens against the credentials, with a short memory of what was right.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use unicode_normalization::UnicodeNormalization as _;

use super::back_off::BackOff;
use super::credentials::{Credentials, PASSWORD_MAX_BYTES};
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
}

impl Caller {
    /// The same person with these permissions, as for a part of the tree.
    pub(super) fn with(&self, permissions: Permissions) -> Caller {
        Caller {
            id: self.id.clone(),
            name: self.name.clone(),
            permissions,
        }
    }

    /// Whether there is an inbox: it is the caller's alone, and only for those who may file somewhere.
    pub fn has_inbox(&self) -> bool {
        self.permissions.allow_somewhere(Right::Upload)
    }
}

/// Wrong passwords for one name that have no consequence yet.
const FREE_FOR_NAME: u32 = 5;
/// Wrong passwords from one address that have no consequence yet: an office shares one.
const FREE_FOR_ADDRESS: u32 = 20;
/// From where somebody came in lately, nobody else's wrong guesses at their name keep them out; so long, in
/// milliseconds.
const FAMILIAR_MS: Time = 24 * 60 * 60 * 1_000;

/// Stands for the address of those who are signed in and prove their password once more.
const SESSION: &str = "session";

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
    back_off: Mutex<Guarded>,
    pub(super) sessions: Mutex<Sessions>,
}

/// Who has to wait, and who has not.
struct Guarded {
    names: BackOff,
    addresses: BackOff,
    /// Pairs of a name and an address that came in, and when last.
    familiar: HashMap<[u8; 32], Time>,
}

/// The part of an address that one sender has for themselves: all of IPv4, half of IPv6 (RFC 6177).
fn network(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V6(address)) => {
            let own = address.segments();
            format!("{:x}:{:x}:{:x}:{:x}::", own[0], own[1], own[2], own[3])
        }
        _ => address.to_owned(),
    }
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
            back_off: Mutex::new(Guarded {
                names: BackOff::new(FREE_FOR_NAME),
                addresses: BackOff::new(FREE_FOR_ADDRESS),
                familiar: HashMap::new(),
            }),
            sessions: Mutex::default(),
        })
    }

    /// Forgets all right passwords and the sessions of a user, whose password changed or whose access ended.
    pub fn forget(&self, user: &str) {
        lock(&self.known).clear();
        lock(&self.sessions).end_all(user);
    }

    /// How long whoever tries this name from this address has to wait, in milliseconds.
    fn wait(&self, name: &str, from: &str, now: Time) -> Time {
        let from = network(from);
        let guarded = lock(&self.back_off);
        let familiar = guarded.familiar.get(&self.key(name, &from));
        let by_name = match familiar.is_some_and(|last| now < last + FAMILIAR_MS) {
            true => 0,
            false => guarded.names.wait(&self.key(name, ""), now),
        };
        by_name.max(guarded.addresses.wait(&self.key("", &from), now))
    }

    /// Notes what came of a name and a password from an address.
    fn note(&self, name: &str, from: &str, right: bool, now: Time) {
        let from = network(from);
        let (name_key, from_key) = (self.key(name, ""), self.key("", &from));
        let mut guarded = lock(&self.back_off);
        if right {
            // The failures of the address stay: one right password of the sender's own pays for no guesses.
            guarded.names.succeeded(&name_key);
            if guarded.familiar.len() >= REMEMBERED_MAX {
                guarded.familiar.clear();
            }
            guarded.familiar.insert(self.key(name, &from), now);
        } else {
            guarded.names.failed(name_key, now);
            guarded.addresses.failed(from_key, now);
        }
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

/// The caller behind a name and a password, if they are right.
fn check(archive: &Archive, name: &str, secret: &str, now: Time) -> Option<Caller> {
    let people = archive.records.people();
    let user = people.named(name);
    let key = archive.signed_in.key(name, secret);
    let id = match archive.signed_in.recall(&key, now) {
        Some(id) => id,
        None => {
            let right = archive
                .credentials
                .verifies(user.map(|user| user.id.as_str()), secret);
            let id = user.filter(|_| right)?.id.clone();
            archive.signed_in.remember(key, id.clone(), now);
            id
        }
    };
    archive.caller(&id, now)
}

impl Archive {
    /// The caller, if this very password was right a moment ago or is a token: takes no time, and never blocks.
    pub fn recall(&self, name: &str, secret: &str) -> Option<Caller> {
        let now = self.now();
        let name: String = name.nfc().collect();
        if Credentials::is_token(secret) {
            return self.token_caller(&name, secret, now);
        }
        let id = self
            .signed_in
            .recall(&self.signed_in.key(&name, secret), now)?;
        self.caller(&id, now)
    }

    /// Who this is. A failure is logged, and many of them for a name or from an address, `from`, make both wait. Blocks
    /// while a password is checked, for tens of milliseconds: callers bound how many are checked at once.
    pub fn sign_in(&self, name: &str, secret: &str, from: &str) -> Result<SigningIn, ArchiveError> {
        let now = self.now();
        let name = name.nfc().collect::<String>();
        let wait = self.signed_in.wait(&name, from, now);
        if wait > 0 {
            return Ok(SigningIn::Wait(wait));
        }
        let caller = match Credentials::is_token(secret) {
            true => self.token_caller(&name, secret, now),
            false if secret.len() <= PASSWORD_MAX_BYTES => check(self, &name, secret, now),
            false => None,
        };
        self.signed_in.note(&name, from, caller.is_some(), now);
        if let Some(caller) = caller {
            return Ok(SigningIn::Welcome(caller));
        }
        if let Some(count) = self.signed_in.count_failure(from, now) {
            self.log_failure(count, from)?;
        }
        Ok(SigningIn::Refused)
    }

    /// Whether this is the password of somebody who is signed in already. Wrong ones make them wait as when signing in.
    pub(super) fn is_password(&self, caller: &Caller, password: &str) -> Result<bool, ArchiveError> {
        let now = self.now();
        let wait = self.signed_in.wait(&caller.name, SESSION, now);
        if wait > 0 {
            return Err(ArchiveError::denied(
                "too many wrong passwords",
                &format!("try again in {} seconds", wait.div_ceil(1_000)),
            ));
        }
        let right = password.len() <= PASSWORD_MAX_BYTES
            && self.credentials.verifies(Some(&caller.id), password);
        self.signed_in.note(&caller.name, SESSION, right, now);
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

    /// Whether a provider vouched for the user of this session a moment ago.
    pub fn freshly_vouched(&self, held: &str) -> bool {
        lock(&self.signed_in.sessions).freshly_vouched(held, self.now())
    }

    /// Whose session this is, as they are at this moment; none when it ended, or they may not sign in any more.
    pub fn session(&self, held: &str) -> Option<Caller> {
        let now = self.now();
        let id = lock(&self.signed_in.sessions).user(held, now)?;
        self.caller(&id, now)
    }

    /// Ends a session.
    pub fn end_session(&self, held: &str) {
        lock(&self.signed_in.sessions).end(held);
    }

    /// The owner of a token, for the part of the tree that it is for.
    fn token_caller(&self, name: &str, token: &str, now: Time) -> Option<Caller> {
        let owner = self.credentials.owner_of_token(token, now)?;
        let caller = self.caller(&owner.user, now).filter(|it| it.name == name)?;
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
        signed_in.forget("u1");
        assert_eq!(signed_in.recall(&key, 0), None);
    }

    #[test]
    fn guesses_make_the_name_and_the_address_wait_but_not_those_who_were_here() {
        let signed_in = SignedIn::new().unwrap();
        signed_in.note("ann", "10.0.0.1", true, 0);
        for guess in 0..FREE_FOR_NAME {
            assert_eq!(signed_in.wait("ann", "10.0.0.9", 1), 0, "{guess}");
            signed_in.note("ann", "10.0.0.9", false, 1);
        }
        assert!(signed_in.wait("ann", "10.0.0.9", 1) > 0);
        assert!(signed_in.wait("ann", "10.0.0.8", 1) > 0);
        assert_eq!(signed_in.wait("ann", "10.0.0.1", 1), 0, "familiar");
        assert_eq!(signed_in.wait("ben", "10.0.0.9", 1), 0);
        for guess in 0..FREE_FOR_ADDRESS {
            signed_in.note(&format!("name{guess}"), "10.0.0.9", false, 2);
        }
        assert!(signed_in.wait("ben", "10.0.0.9", 2) > 0);
        // Whoever owns a network of IPv6 has as many addresses in it as they like.
        for guess in 0..FREE_FOR_ADDRESS {
            signed_in.note(&format!("name{guess}"), &format!("2001:db8::{guess:x}"), false, 3);
        }
        assert!(signed_in.wait("ben", "2001:db8::ffff", 3) > 0);
        assert_eq!(signed_in.wait("ben", "2001:db8:1::1", 3), 0);
    }
}
