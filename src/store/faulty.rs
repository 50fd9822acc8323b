use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vouchsafe_evidence::digest::{ContentDigests, Digest};

use super::{Append, Head, Index, IndexChanges, ObjectWriter, Row, Store, StoreError, Truth};

/// What becomes of the write that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing of it is kept.
    Lost,
    /// It is kept, but the caller is told that it failed: the answer of a dying disk or a cut line.
    Kept,
}

/// A decorator that lets the n-th call of the store beneath it fail, and every call after it. Only writes
/// count, or reads too.
pub struct Faulty<S> {
    store: Arc<S>,
    calls: AtomicU64,
    fail_at: u64,
    outcome: Outcome,
    reads_too: bool,
}

impl<S: Store> Faulty<S> {
    /// Lets write number `fail_at`, counted from 0, end in `outcome`.
    pub fn new(store: Arc<S>, fail_at: u64, outcome: Outcome) -> Faulty<S> {
        Faulty {
            store,
            calls: AtomicU64::new(0),
            fail_at,
            outcome,
            reads_too: false,
        }
    }

    /// The same, with reads counted and failing like writes.
    pub fn at_any_call(store: Arc<S>, fail_at: u64, outcome: Outcome) -> Faulty<S> {
        Faulty {
            reads_too: true,
            ..Faulty::new(store, fail_at, outcome)
        }
    }

    /// Number of calls that were counted.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn read<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self.reads_too {
            true => self.write(work),
            false => work(),
        }
    }

    fn write<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let failure = || StoreError::Failed(format!("call {number} was made to fail"));
        match (number.cmp(&self.fail_at), self.outcome) {
            (std::cmp::Ordering::Less, _) => work(),
            (std::cmp::Ordering::Equal, Outcome::Kept) => work().and(Err(failure())),
            _ => Err(failure()),
        }
    }
}

impl<S: Store> Truth for Faulty<S> {
    fn head(&self) -> Result<Head, StoreError> {
        self.read(|| self.store.head())
    }
    fn append(&self, append: &Append) -> Result<(), StoreError> {
        self.write(|| self.store.append(append))
    }
    fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.read(|| self.store.entries(seqs))
    }
    fn tile(&self, level: u32, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|| self.store.tile(level, index))
    }
    fn checkpoints(
        &self,
        sizes: Range<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        self.read(|| self.store.checkpoints(sizes, limit))
    }
    fn bytes_to_write(&self) -> Result<u64, StoreError> {
        self.read(|| self.store.bytes_to_write())
    }
    fn new_object(&self) -> Result<Box<dyn ObjectWriter + '_>, StoreError> {
        Ok(Box::new(FaultyObject {
            faulty: self,
            inner: self.store.new_object()?,
        }))
    }
    fn object_size(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        self.read(|| self.store.object_size(digest))
    }
    fn objects(&self, from: &Digest, limit: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
        self.read(|| self.store.objects(from, limit))
    }
    fn object_piece(&self, digest: &Digest, offset: u64) -> Result<Vec<u8>, StoreError> {
        self.read(|| self.store.object_piece(digest, offset))
    }
}

struct FaultyObject<'a, S> {
    faulty: &'a Faulty<S>,
    inner: Box<dyn ObjectWriter + 'a>,
}

impl<S: Store> ObjectWriter for FaultyObject<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.faulty.write(|| self.inner.write(bytes))
    }
    fn finish(self: Box<Self>) -> Result<ContentDigests, StoreError> {
        self.faulty.write(|| self.inner.finish())
    }
}

impl<S: Store> Index for Faulty<S> {
    fn applied(&self) -> Result<u64, StoreError> {
        self.read(|| self.store.applied())
    }
    fn apply(&self, changes: &IndexChanges, applied: u64) -> Result<(), StoreError> {
        self.write(|| self.store.apply(changes, applied))
    }
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|| self.store.get(key))
    }
    fn scan(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.read(|| self.store.scan(prefix, after, limit))
    }
    fn clear(&self) -> Result<(), StoreError> {
        self.write(|| self.store.clear())
    }
}
