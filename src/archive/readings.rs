//! Readings that go on: a client that reads a file in many parts reads it once, and leaves one trace.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{ArchiveError, Client, Marked};
use crate::access::Time;

/// How long the parts that are read after a trace belong to it, in milliseconds.
const READING_MS: Time = 10 * 60 * 1_000;
/// Readings that are remembered; beyond, every part leaves its own trace.
const READINGS_MAX: usize = 10_000;

/// Told whether the trace is durable.
pub(super) type Traced = Box<dyn FnOnce(Result<(), ArchiveError>) + Send>;

/// Who reads what with which client, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ReadingKey([u8; 32]);

impl ReadingKey {
    /// `archived` is the digest of what is archived, whatever mark the copy has.
    pub fn new(user: &str, path: &str, archived: &[u8], client: &Client) -> ReadingKey {
        let mut hasher = blake3::Hasher::new();
        for part in [
            user.as_bytes(),
            path.as_bytes(),
            archived,
            client.address.as_bytes(),
            client.agent.as_bytes(),
        ] {
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        ReadingKey(*hasher.finalize().as_bytes())
    }
}

struct Reading {
    began: Time,
    /// Beginning of the window whose mark is read.
    window: Option<Time>,
    /// Who waits for the trace; none once it is durable.
    waiting: Option<Vec<Traced>>,
}

/// What a part of a reading has to do.
pub(super) enum Part {
    /// Its trace is durable; here is whom to tell.
    Traced(Traced),
    /// It waits for the trace that is being written.
    Waiting,
    /// It is the first: write the trace.
    First,
    /// There is no room to remember it: write a trace of its own.
    Alone(Traced),
}

/// Readings of the last minutes, in memory only.
#[derive(Default)]
pub(super) struct Readings(Mutex<HashMap<ReadingKey, Reading>>);

impl Readings {
    fn readings(&self) -> MutexGuard<'_, HashMap<ReadingKey, Reading>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A part is read.
    pub fn part(
        &self,
        key: ReadingKey,
        marked: Option<&Marked>,
        now: Time,
        traced: Traced,
    ) -> Part {
        let mut readings = self.readings();
        let window = marked.map(|it| it.window);
        if let Some(reading) = readings.get_mut(&key)
            && now < reading.began + READING_MS
            && window == reading.window
        {
            return match &mut reading.waiting {
                None => Part::Traced(traced),
                Some(waiting) => {
                    waiting.push(traced);
                    Part::Waiting
                }
            };
        }
        if readings.len() >= READINGS_MAX {
            readings.retain(|_, reading| now < reading.began + READING_MS);
            if readings.len() >= READINGS_MAX {
                return Part::Alone(traced);
            }
        }
        let reading = Reading {
            began: now,
            window,
            waiting: Some(vec![traced]),
        };
        // Whoever waits for a reading that ends here is told by the trace of this one.
        if let Some(Reading {
            waiting: Some(before),
            ..
        }) = readings.insert(key, reading)
            && let Some(Reading {
                waiting: Some(waiting),
                ..
            }) = readings.get_mut(&key)
        {
            waiting.extend(before);
        }
        Part::First
    }

    /// The trace of a reading is durable, or is not.
    pub fn traced(&self, key: ReadingKey, outcome: &Result<(), ArchiveError>) {
        let waiting = {
            let mut readings = self.readings();
            let waiting = readings
                .get_mut(&key)
                .and_then(|reading| reading.waiting.take());
            if outcome.is_err() {
                readings.remove(&key);
            }
            waiting
        };
        for traced in waiting.into_iter().flatten() {
            traced(outcome.clone());
        }
    }

    /// The window whose copy a reading began with, if it goes on.
    pub fn window(&self, key: ReadingKey, now: Time) -> Option<Time> {
        let readings = self.readings();
        let reading = readings
            .get(&key)
            .filter(|it| now < it.began + READING_MS)?;
        reading.window
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn parts_wait_for_the_first_trace_and_then_need_none() {
        let readings = Readings::default();
        let key = ReadingKey::new("u1", "/a", &[1], &Client::default());
        assert_ne!(key, ReadingKey::new("u1/", "a", &[1], &Client::default()));
        let told = Arc::new(AtomicU32::new(0));
        let traced = || -> Traced {
            let told = Arc::clone(&told);
            Box::new(move |outcome| {
                told.fetch_add(if outcome.is_ok() { 1 } else { 100 }, Ordering::Relaxed);
            })
        };
        assert!(matches!(readings.part(key, None, 0, traced()), Part::First));
        assert!(matches!(
            readings.part(key, None, 1, traced()),
            Part::Waiting
        ));
        assert_eq!(told.load(Ordering::Relaxed), 0);
        readings.traced(key, &Ok(()));
        assert_eq!(told.load(Ordering::Relaxed), 2);
        assert!(matches!(
            readings.part(key, None, 2, traced()),
            Part::Traced(_)
        ));
        assert!(matches!(
            readings.part(key, None, READING_MS, traced()),
            Part::First
        ));
        readings.traced(key, &Err(ArchiveError::Busy(String::new())));
        assert_eq!(told.load(Ordering::Relaxed), 102);
        assert!(matches!(
            readings.part(key, None, READING_MS, traced()),
            Part::First
        ));
    }
}
