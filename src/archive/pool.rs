//! The workers that compare what waits, beside everything else that an archive does.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::placing::Tried;
use super::rows::{key, name_of};
use super::{Archive, ArchiveError, ImageSet, QueueChange};
use crate::catalog::TreePath;
use crate::matching::Matcher;

/// How long a worker waits for news before it looks by itself.
const IDLE: Duration = Duration::from_secs(5);

/// Vouchers that a worker looks through for one that nobody else works on.
const WAITING_ROWS: usize = 64;

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
        let busy: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let mut workers = Vec::new();
        let tried: Arc<Mutex<Tried>> = Arc::default();
        for matcher in matchers {
            let (archive, stop) = (Arc::clone(&archive), Arc::clone(&stop));
            let (busy, tried) = (Arc::clone(&busy), Arc::clone(&tried));
            let worker = thread::Builder::new()
                .name("matching".to_owned())
                .spawn(move || work(&archive, &matcher, &stop, &busy, &tried))
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
    busy: &Mutex<BTreeSet<String>>,
    tried: &Mutex<Tried>,
) {
    let mut seen = 0;
    while !stop.load(Ordering::Relaxed) {
        let taken = match take(archive, busy) {
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
        let decided = TreePath::parse(&path)
            .map_err(|error| ArchiveError::Broken(error.to_string()))
            .and_then(|place| archive.decide_match(matcher, &place));
        if let Err(error) = decided {
            tracing::warn!(path, %error, "a comparison could not be filed");
            // The same again at once would fail at once again.
            archive.news.wait(seen, IDLE);
        }
        busy.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&path);
    }
}

/// Tries the next scan that found no voucher by a mark; whether there was one.
fn tries_unplaced(archive: &Archive, matcher: &Matcher, tried: &Mutex<Tried>) -> bool {
    // One worker at a time; what hostile pixels drive into a panic is not tried again.
    let Ok(mut tried) = tried.try_lock() else {
        return false;
    };
    if !archive.takes_writes() || !matcher.reads() {
        return false;
    }
    tried.renew(archive.news.vouchers.load(Ordering::Relaxed));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        archive.try_unplaced(matcher, &mut tried)
    }));
    match outcome {
        Ok(Ok(more)) => more,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a scan without a mark could not be placed");
            false
        }
        Err(_) => true,
    }
}

/// The first voucher that waits and that no other worker has.
fn take(archive: &Archive, busy: &Mutex<BTreeSet<String>>) -> Result<Option<String>, ArchiveError> {
    if !archive.takes_writes() {
        return Ok(None);
    }
    let prefix = key::image_sets(ImageSet::Matching.word());
    let rows = archive.records.store.scan(&prefix, &[], WAITING_ROWS)?;
    let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
    let mut paths = rows.into_iter().map(|(key, _)| name_of(key));
    let path = paths.find(|path| !busy.contains(path));
    busy.extend(path.clone());
    Ok(path)
}
