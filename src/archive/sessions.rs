//! Sessions: somebody who signed in on a page, until they sign out, stay away, or may not sign in any more. In memory
//! only: a server that starts again asks for the password again.

use std::collections::HashMap;

use vouchsafe_evidence::digest::Digest;

use super::{ArchiveError, random};
use crate::access::Time;

/// A session ends when nobody used it for so long, in milliseconds.
const IDLE_MAX_MS: Time = 60 * 60 * 1_000;
/// A session ends so long after it began, in milliseconds.
const LENGTH_MAX_MS: Time = 12 * 60 * 60 * 1_000;
/// So long after it a sign-in at a provider stands for the password, in milliseconds.
const FRESH_MS: Time = 10 * 60 * 1_000;
/// Sessions of one user at most; the one that was used longest ago makes room.
const SESSIONS_OF_USER_MAX: usize = 20;

struct Session {
    user: String,
    began: Time,
    used: Time,
    /// Whether a sign-in provider vouched for them, and not their password.
    vouched: bool,
}

impl Session {
    fn lasts(&self, now: Time) -> bool {
        now < self.used + IDLE_MAX_MS && now < self.began + LENGTH_MAX_MS
    }
}

/// The sessions, by the digest of what the browser holds, so that memory holds nothing that opens one.
#[derive(Default)]
pub(super) struct Sessions {
    open: HashMap<Digest, Session>,
}

impl Sessions {
    /// Begins a session of a user; gives what the browser is to hold, 256 random bits.
    pub fn begin(&mut self, user: &str, vouched: bool, now: Time) -> Result<String, ArchiveError> {
        self.open.retain(|_, session| session.lasts(now));
        let own = self.open.iter().filter(|(_, it)| it.user == user);
        let own: Vec<(Time, Digest)> = own.map(|(key, it)| (it.used, *key)).collect();
        if own.len() >= SESSIONS_OF_USER_MAX
            && let Some((_, oldest)) = own.iter().min()
        {
            self.open.remove(oldest);
        }
        let held = Digest(random()?).to_string();
        let session = Session {
            user: user.to_owned(),
            began: now,
            used: now,
            vouched,
        };
        self.open.insert(Digest::sha256(held.as_bytes()), session);
        Ok(held)
    }

    /// Whose session this is, if it lasts; it is used now.
    pub fn user(&mut self, held: &str, now: Time) -> Option<String> {
        let session = self.open.get_mut(&Digest::sha256(held.as_bytes()))?;
        if !session.lasts(now) {
            return None;
        }
        session.used = now;
        Some(session.user.clone())
    }

    /// Whether a provider has vouched for the user of this session a moment ago: as good as their password just now.
    pub fn freshly_vouched(&self, session: &Digest, now: Time) -> bool {
        let session = self.open.get(session);
        session.is_some_and(|it| it.vouched && now < it.began + FRESH_MS)
    }

    /// Whether a session goes on.
    pub fn lasts(&self, session: &Digest, now: Time) -> bool {
        self.open.get(session).is_some_and(|it| it.lasts(now))
    }

    /// Ends a session.
    pub fn end(&mut self, held: &str) {
        self.open.remove(&Digest::sha256(held.as_bytes()));
    }

    /// Ends all sessions of a user, because their password changed or their access ended.
    pub fn end_all(&mut self, user: &str) {
        self.open.retain(|_, session| session.user != user);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_by_itself_by_hand_and_with_its_user() {
        let mut sessions = Sessions::default();
        let one = sessions.begin("u1", false, 0).unwrap();
        let other = sessions.begin("u2", false, 0).unwrap();
        assert_ne!(one, other);
        assert_eq!(sessions.user(&one, IDLE_MAX_MS - 1).as_deref(), Some("u1"));
        assert_eq!(sessions.user(&other, IDLE_MAX_MS), None, "nobody used it");
        let mut now = IDLE_MAX_MS;
        while now < LENGTH_MAX_MS {
            assert!(sessions.user(&one, now).is_some());
            now += IDLE_MAX_MS / 2;
        }
        assert_eq!(sessions.user(&one, LENGTH_MAX_MS), None, "too long");
        let again = sessions.begin("u1", false, now).unwrap();
        sessions.end(&again);
        assert_eq!(sessions.user(&again, now), None);
        let last = sessions.begin("u1", false, now).unwrap();
        sessions.end_all("u1");
        assert_eq!(sessions.user(&last, now), None);
        assert_eq!(sessions.user("", now), None);
    }

    #[test]
    fn the_oldest_session_of_a_user_makes_room() {
        let mut sessions = Sessions::default();
        let first = sessions.begin("u1", false, 0).unwrap();
        let others: Vec<String> = (1..=SESSIONS_OF_USER_MAX as Time)
            .map(|now| sessions.begin("u1", false, now).unwrap())
            .collect();
        assert_eq!(sessions.user(&first, 100), None);
        assert!(others.iter().all(|held| sessions.user(held, 100).is_some()));
    }
}
