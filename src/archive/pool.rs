//! The workers that compare what waits, beside everything else that an archive does.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::recognising::Tried;
use super::rows::{key, last_part};
use super::{Archive, ArchiveError, ImageSet, QueueChange};
use crate::catalog::TreePath;
use crate::matching::Matcher;
use crate::store::Store;

/// How long a worker waits for news before it looks by itself.
const IDLE: Duration = Duration::from_secs(5);

/// Vouchers that are read at once to find one that nobody else works on.
const WAITING_ROWS: usize = 64;

/// How long what failed waits for its next turn: first, and at most.
const DELAY: Duration = Duration::from_secs(5);
const DELAY_MAX: Duration = Duration::from_secs(600);

/// What failed, and when it may be tried again: each time twice as late, so that it stops nobody else.
pub(super) struct Postponed<K>(BTreeMap<K, (Duration, Instant)>);

impl<K> Default for Postponed<K> {
    fn default() -> Postponed<K> {
        Postponed(BTreeMap::new())
    }
}

impl<K: Ord> Postponed<K> {
    pub fn is_due(&self, key: &K, now: Instant) -> bool {
        self.0.get(key).is_none_or(|(_, due)| *due <= now)
    }

    pub fn failed(&mut self, key: K, now: Instant) {
        let (delay, due) = self.0.entry(key).or_insert((Duration::ZERO, now));
        *delay = (*delay * 2).clamp(DELAY, DELAY_MAX);
        *due = now + *delay;
    }

    pub fn done(&mut self, key: &K) {
        self.0.remove(key);
    }
}

/// What the workers know of each other.
#[derive(Default)]
struct Desks {
    busy: BTreeSet<String>,
    failed: Postponed<String>,
}

/// Tells the workers that there may be something to compare.
#[derive(Default)]
pub(super) struct News {
    count: Mutex<u64>,
    came: Condvar,
    /// How many commits filed vouchers.
    pub vouchers: AtomicU64,
    listeners: Mutex<Vec<Listener>>,
}

/// Is told of each change of what waits for reviews.
type Listener = Box<dyn Fn(&QueueChange) + Send + Sync>;

impl News {
    /// Has `listener` told from now on.
    pub fn listen(&self, listener: Listener) {
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.push(listener);
    }

    /// Tells every listener of a change.
    pub fn queue_changed(&self, change: &QueueChange) {
        let listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.iter().for_each(|listener| listener(change));
    }

    pub fn tell(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.came.notify_all();
    }

    /// Waits until more was told than `seen`, or for a while; gives how much was told.
    fn wait(&self, seen: u64, patience: Duration) -> u64 {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .came
            .wait_timeout_while(count, patience, |count| *count == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Workers that compare what waits, a bounded number of them, beside everything else that the archive does. What
/// waits is in the index: after a crash they go on where they were.
pub struct Matching {
    stop: Arc<AtomicBool>,
    archive: Arc<Archive>,
    workers: Vec<JoinHandle<()>>,
}

impl Matching {
    /// Starts one worker for each matcher.
    pub fn start(archive: Arc<Archive>, matchers: Vec<Matcher>) -> Result<Matching, ArchiveError> {
        let stop = Arc::new(AtomicBool::new(false));
        let desks: Arc<Mutex<Desks>> = Arc::default();
        let mut workers = Vec::new();
        let tried: Arc<Mutex<Tried>> = Arc::default();
        for matcher in matchers {
            let (archive, stop) = (Arc::clone(&archive), Arc::clone(&stop));
            let (desks, tried) = (Arc::clone(&desks), Arc::clone(&tried));
            let worker = thread::Builder::new()
                .name("matching".to_owned())
                .spawn(move || work(&archive, &matcher, &stop, &desks, &tried))
                .map_err(|error| ArchiveError::Fault(format!("starting a thread: {error}")))?;
            workers.push(worker);
        }
        Ok(Matching {
            stop,
            archive,
            workers,
        })
    }
}

impl Drop for Matching {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.archive.news.tell();
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so.
            let _ = worker.join();
        }
    }
}

fn work(
    archive: &Archive,
    matcher: &Matcher,
    stop: &AtomicBool,
    desks: &Mutex<Desks>,
    tried: &Mutex<Tried>,
) {
    let mut seen = 0;
    while !stop.load(Ordering::Relaxed) {
        let taken = match archive.takes_writes() {
            true => take(&*archive.records.store, desks, Instant::now()),
            false => Ok(None),
        };
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "what waits to be compared cannot be read");
                None
            }
        };
        let Some(path) = taken else {
            if !tries_unplaced(archive, matcher, tried) {
                seen = archive.news.wait(seen, IDLE);
            }
            continue;
        };
        attempt(desks, path, |path| {
            let place = TreePath::parse(path);
            let place = place.map_err(|error| ArchiveError::Broken(error.to_string()))?;
            archive.decide_match(matcher, &place).map(drop)
        });
    }
}

/// Works on a voucher. One that fails, or that drives the worker into a panic, waits behind all others.
fn attempt(
    desks: &Mutex<Desks>,
    path: String,
    decide: impl FnOnce(&str) -> Result<(), ArchiveError>,
) {
    let outcome = catch_unwind(AssertUnwindSafe(|| decide(&path)));
    let error = match outcome {
        Ok(outcome) => outcome.err().map(|error| error.to_string()),
        Err(_) => Some("it panicked".to_owned()),
    };
    let mut desks = desks.lock().unwrap_or_else(PoisonError::into_inner);
    desks.busy.remove(&path);
    match error {
        None => desks.failed.done(&path),
        Some(error) => {
            tracing::warn!(path, error, "a comparison failed and is tried again later");
            desks.failed.failed(path, Instant::now());
        }
    }
}

/// Tries the next scan that found no voucher by a mark; whether there was one.
fn tries_unplaced(archive: &Archive, matcher: &Matcher, tried: &Mutex<Tried>) -> bool {
    // One worker at a time.
    let Ok(mut tried) = tried.try_lock() else {
        return false;
    };
    if !archive.takes_writes() {
        return false;
    }
    tried.renew(archive.news.vouchers.load(Ordering::Relaxed));
    archive
        .try_unplaced(matcher, &mut tried)
        .unwrap_or_else(|error| {
            tracing::warn!(%error, "the inboxes cannot be read");
            false
        })
}

/// The first voucher that waits, that no other worker has, and that did not fail a moment ago.
fn take(
    store: &dyn Store,
    desks: &Mutex<Desks>,
    now: Instant,
) -> Result<Option<String>, ArchiveError> {
    let prefix = key::image_sets(ImageSet::Matching.word());
    let mut start = prefix.clone();
    loop {
        let rows = store.scan(&prefix, &start, WAITING_ROWS)?;
        let Some((last, _)) = rows.last() else {
            return Ok(None);
        };
        start.clone_from(last);
        let mut desks = desks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut paths = rows.into_iter().map(|(key, _)| last_part(&key));
        let path = paths.find(|path| !desks.busy.contains(path) && desks.failed.is_due(path, now));
        if let Some(path) = path {
            desks.busy.insert(path.clone());
            return Ok(Some(path));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;
    use crate::store::{Index as _, IndexChanges, Memory};

    fn waiting(numbers: Range<u32>) -> Memory {
        let store = Memory::default();
        let key = |number| key::image_set("matching", &format!("/a/b/c/d/{number:04}"));
        let rows: IndexChanges = numbers
            .map(|it| (key(it), Some(b"null".to_vec())))
            .collect();
        store.apply(&rows, 0).unwrap();
        store
    }

    #[test]
    fn what_fails_or_panics_is_passed_by_and_gets_another_turn() {
        let store = waiting(0..WAITING_ROWS as u32 * 2 + 1);
        let desks = Mutex::default();
        let now = Instant::now();
        let next = |now| take(&store, &desks, now).unwrap();
        for number in 0..WAITING_ROWS * 2 {
            let path = next(now).unwrap();
            assert_eq!(path, format!("/a/b/c/d/{number:04}"));
            attempt(&desks, path, |_| match number % 2 {
                0 => Err(ArchiveError::Fault("it never works".to_owned())),
                _ => panic!("hostile"),
            });
        }
        // The one behind all of them has its turn, and is nobody else's.
        let last = next(now).unwrap();
        assert_eq!(last, format!("/a/b/c/d/{:04}", WAITING_ROWS * 2));
        assert_eq!(next(now), None);
        attempt(&desks, last.clone(), |_| Ok(()));
        assert_eq!(next(now), Some(last));
        assert_eq!(next(now + DELAY_MAX).as_deref(), Some("/a/b/c/d/0000"));
    }

    #[test]
    fn each_failure_waits_twice_as_long_up_to_a_limit() {
        let (mut failed, now) = (Postponed::default(), Instant::now());
        assert!(failed.is_due(&1, now));
        for delay in [5, 10, 20, 40, 80, 160, 320, 600, 600] {
            failed.failed(1, now);
            let due = now + Duration::from_secs(delay);
            assert!(failed.is_due(&1, due) && !failed.is_due(&1, due - Duration::from_millis(1)));
        }
        failed.done(&1);
        assert!(failed.is_due(&1, now));
    }
}
