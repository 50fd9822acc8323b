//! The table of locks, in memory: every lock has an owner and an end. The WebDAV library brings one of
//! its own, which never lets a lock end.

use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use dav_server::davpath::DavPath;
use dav_server::ls::{DavLock, DavLockSystem, LsFuture};
use vouchsafe_evidence::digest::to_hex;
use xmltree::Element;

/// Longest life of a lock that is not refreshed.
pub const LIFE_MAX: Duration = Duration::from_secs(600);
/// Locks that one user may hold at the same time.
const HELD_MAX: usize = 1_000;

/// A lock, and the text under which its path is compared.
struct Held {
    key: String,
    ends: SystemTime,
    lock: DavLock,
}

/// The locks as one user's requests see them.
#[derive(Clone)]
pub struct LockTable {
    held: Arc<Mutex<Vec<Held>>>,
    /// Whose inbox the request is about: paths in inboxes are nobody else's business.
    inbox_of: String,
}

impl fmt::Debug for LockTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockTable")
    }
}

impl LockTable {
    pub fn new() -> LockTable {
        LockTable {
            held: Arc::default(),
            inbox_of: String::new(),
        }
    }

    /// The same locks, for requests about the inbox of a user; empty for the tree.
    pub fn for_inbox_of(&self, user: &str) -> LockTable {
        LockTable {
            held: Arc::clone(&self.held),
            inbox_of: user.to_owned(),
        }
    }

    /// The locks that have not ended.
    fn held(&self, now: SystemTime) -> MutexGuard<'_, Vec<Held>> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|held| now < held.ends);
        held
    }

    fn key(&self, path: &DavPath) -> String {
        let path = String::from_utf8_lossy(path.as_bytes());
        format!("{}{}/", self.inbox_of, path.trim_end_matches('/'))
    }

    /// The locks that cover a path.
    pub fn covering(&self, path: &DavPath) -> Vec<DavLock> {
        let key = self.key(path);
        let held = self.held(SystemTime::now());
        let covering = held.iter().filter(|held| held.covers(&key));
        covering.map(|held| held.lock.clone()).collect()
    }

    /// Ends a lock.
    pub fn end(&self, token: &str) {
        self.held(SystemTime::now())
            .retain(|held| held.lock.token != token);
    }

    fn take(&self, path: &DavPath, mut lock: DavLock, now: SystemTime) -> Result<DavLock, DavLock> {
        let key = self.key(path);
        let mut held = self.held(now);
        let overlaps = |held: &&Held| held.covers(&key) || lock.deep && held.key.starts_with(&key);
        let mut against = held.iter().filter(overlaps);
        if let Some(other) = against.find(|held| !(held.lock.shared && lock.shared)) {
            return Err(other.lock.clone());
        }
        let of_owner = held
            .iter()
            .filter(|held| held.lock.principal == lock.principal);
        let mut random = [0; 16];
        if of_owner.count() >= HELD_MAX || getrandom::fill(&mut random).is_err() {
            return Err(lock);
        }
        lock.token = token(random);
        let ends = lock.timeout_at.unwrap_or(now);
        let kept = lock.clone();
        held.push(Held { key, ends, lock });
        Ok(kept)
    }

    /// Refuses with the lock that keeps a request of `principal` with these tokens from changing what is
    /// at `path`.
    pub fn allows(
        &self,
        path: &DavPath,
        principal: &str,
        tokens: &[String],
    ) -> Result<(), DavLock> {
        self.allows_at(path, Some(principal), false, tokens, SystemTime::now())
    }

    fn allows_at(
        &self,
        path: &DavPath,
        principal: Option<&str>,
        deep: bool,
        tokens: &[String],
        now: SystemTime,
    ) -> Result<(), DavLock> {
        let key = self.key(path);
        let held = self.held(now);
        let concerned = |held: &&Held| held.covers(&key) || deep && held.key.starts_with(&key);
        let is_own = |held: &&Held| {
            tokens.contains(&held.lock.token) && held.lock.principal.as_deref() == principal
        };
        let mut concerned = held.iter().filter(concerned).peekable();
        match concerned.peek() {
            None => Ok(()),
            Some(first) => {
                let refused = first.lock.clone();
                concerned.find(is_own).map(|_| ()).ok_or(refused)
            }
        }
    }
}

impl Held {
    fn covers(&self, key: &str) -> bool {
        self.key == key || self.lock.deep && key.starts_with(&self.key)
    }
}

/// A random (version 4) UUID as a URN (RFC 9562).
fn token(mut random: [u8; 16]) -> String {
    random[6] = random[6] & 0x0F | 0x40;
    random[8] = random[8] & 0x3F | 0x80;
    let hex = to_hex(&random);
    let (a, b, c, d, e) = (
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    );
    format!("urn:uuid:{a}-{b}-{c}-{d}-{e}")
}

/// A life that a client asked for, as long as it may be.
fn life(asked: Option<Duration>) -> Duration {
    asked.unwrap_or(LIFE_MAX).min(LIFE_MAX)
}

impl DavLockSystem for LockTable {
    fn lock(
        &'_ self,
        path: &DavPath,
        principal: Option<&str>,
        owner: Option<&Element>,
        timeout: Option<Duration>,
        shared: bool,
        deep: bool,
    ) -> LsFuture<'_, Result<DavLock, DavLock>> {
        let (now, life) = (SystemTime::now(), life(timeout));
        let lock = DavLock {
            token: String::new(),
            path: Box::new(path.clone()),
            principal: principal.map(str::to_owned),
            owner: owner.map(|owner| Box::new(owner.clone())),
            timeout_at: Some(now + life),
            timeout: Some(life),
            shared,
            deep,
        };
        Box::pin(ready(self.take(path, lock, now)))
    }

    fn unlock(&'_ self, _: &DavPath, token: &str) -> LsFuture<'_, Result<(), ()>> {
        self.end(token);
        Box::pin(ready(Ok(())))
    }

    fn refresh(
        &'_ self,
        path: &DavPath,
        token: &str,
        timeout: Option<Duration>,
    ) -> LsFuture<'_, Result<DavLock, ()>> {
        let (now, life) = (SystemTime::now(), life(timeout));
        let key = self.key(path);
        let mut held = self.held(now);
        let mut own = held.iter_mut();
        let refreshed = own.find(|held| held.lock.token == token && held.covers(&key));
        let refreshed = refreshed.map(|held| {
            held.ends = now + life;
            held.lock.timeout = Some(life);
            held.lock.timeout_at = Some(held.ends);
            held.lock.clone()
        });
        Box::pin(ready(refreshed.ok_or(())))
    }

    fn check(
        &'_ self,
        path: &DavPath,
        principal: Option<&str>,
        _: bool,
        deep: bool,
        submitted_tokens: &[String],
    ) -> LsFuture<'_, Result<(), DavLock>> {
        let now = SystemTime::now();
        Box::pin(ready(self.allows_at(
            path,
            principal,
            deep,
            submitted_tokens,
            now,
        )))
    }

    fn discover(&'_ self, path: &DavPath) -> LsFuture<'_, Vec<DavLock>> {
        Box::pin(ready(self.covering(path)))
    }

    fn delete(&'_ self, path: &DavPath) -> LsFuture<'_, Result<(), ()>> {
        let key = self.key(path);
        self.held(SystemTime::now())
            .retain(|held| !held.key.starts_with(&key));
        Box::pin(ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(table: &LockTable, at: &str, who: &str, shared: bool, deep: bool) -> Option<String> {
        let now = SystemTime::UNIX_EPOCH;
        let path = DavPath::new(at).unwrap();
        let lock = DavLock {
            token: String::new(),
            path: Box::new(path.clone()),
            principal: Some(who.to_owned()),
            owner: None,
            timeout_at: Some(now + LIFE_MAX),
            timeout: Some(LIFE_MAX),
            shared,
            deep,
        };
        table.take(&path, lock, now).ok().map(|lock| lock.token)
    }

    fn allows(table: &LockTable, at: &str, who: &str, tokens: &[String], seconds: u64) -> bool {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let path = DavPath::new(at).unwrap();
        table
            .allows_at(&path, Some(who), false, tokens, now)
            .is_ok()
    }

    #[test]
    fn a_lock_is_its_owners_and_ends() {
        let table = LockTable::new();
        let token = vec![lock(&table, "/a/b", "ann", false, false).unwrap()];
        assert!(
            token[0].starts_with("urn:uuid:") && token[0].len() == 45,
            "{}",
            token[0]
        );
        assert_eq!(lock(&table, "/a/b", "ben", false, false), None);
        assert!(allows(&table, "/a/b", "ann", &token, 1));
        assert!(
            !allows(&table, "/a/b", "ann", &[], 1),
            "the token is needed"
        );
        assert!(
            !allows(&table, "/a/b", "ben", &token, 1),
            "a token is no right"
        );
        assert!(allows(&table, "/a/bc", "ben", &[], 1));
        assert!(allows(&table, "/a/b", "ben", &[], 600), "it has ended");
    }

    #[test]
    fn deep_and_shared_locks_and_inboxes_are_told_apart() {
        let table = LockTable::new();
        lock(&table, "/a", "ann", false, true).unwrap();
        assert!(!allows(&table, "/a/b/c", "ben", &[], 1));
        assert_eq!(lock(&table, "/a/b", "ben", false, false), None);
        assert!(lock(&table, "/s", "ann", true, false).is_some());
        assert!(lock(&table, "/s", "ben", true, false).is_some());
        assert_eq!(lock(&table, "/s", "eve", false, false), None);
        assert!(lock(&table.for_inbox_of("u7"), "/a", "ben", false, true).is_some());
    }

    #[test]
    fn nobody_holds_locks_without_end_or_number() {
        let table = LockTable::new();
        assert_eq!(life(None), LIFE_MAX);
        assert_eq!(life(Some(Duration::from_secs(1 << 40))), LIFE_MAX);
        for number in 0..HELD_MAX {
            assert!(lock(&table, &format!("/{number}"), "ann", false, false).is_some());
        }
        assert_eq!(lock(&table, "/more", "ann", false, false), None);
        assert!(lock(&table, "/more", "ben", false, false).is_some());
    }
}
