use std::collections::BTreeMap;
use std::ops::{Bound, Range};
use std::sync::{Mutex, MutexGuard};

use vouchsafe_evidence::digest::{ContentDigests, Digest, content_digests};

use super::{Append, Head, Index, IndexChanges, ObjectWriter, Row, StoreError, Truth};

/// Bytes per piece, small so that tests see objects of several pieces.
const PIECE_BYTES: usize = 1 << 16;

/// An engine that forgets everything when it is dropped: the seams' meaning in its shortest form.
#[derive(Default)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    entries: Vec<Vec<u8>>,
    tiles: BTreeMap<(u32, u64), Vec<u8>>,
    checkpoints: BTreeMap<u64, Vec<u8>>,
    objects: BTreeMap<Digest, Vec<u8>>,
    index: BTreeMap<Vec<u8>, Vec<u8>>,
    applied: u64,
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, and the state is whole between statements.
        self.state.lock().unwrap_or_else(|lock| lock.into_inner())
    }
}

impl State {
    fn apply(&mut self, changes: &IndexChanges, applied: u64) {
        for (key, value) in changes {
            match value {
                Some(value) => self.index.insert(key.clone(), value.clone()),
                None => self.index.remove(key),
            };
        }
        self.applied = applied;
    }
}

impl Truth for Memory {
    fn head(&self) -> Result<Head, StoreError> {
        let state = self.state();
        let last = state
            .entries
            .last()
            .map_or(Digest([0; 32]), |entry| Digest::blake3(entry));
        Ok(Head {
            size: state.entries.len() as u64,
            last,
        })
    }

    fn append(&self, append: &Append) -> Result<(), StoreError> {
        let mut state = self.state();
        let (expected, found) = (append.expected_size, state.entries.len() as u64);
        if expected != found {
            return Err(StoreError::Moved { expected, found });
        }
        state.entries.extend_from_slice(&append.entries);
        let size = state.entries.len() as u64;
        for (tile, bytes) in &append.tiles {
            state.tiles.insert((tile.level, tile.index), bytes.clone());
        }
        state.checkpoints.insert(size, append.checkpoint.clone());
        state.apply(&append.index, size);
        Ok(())
    }

    fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let state = self.state();
        Ok(seqs
            .map(|seq| state.entries.get(seq as usize).cloned())
            .collect())
    }

    fn tile(&self, level: u32, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().tiles.get(&(level, index)).cloned())
    }

    fn checkpoints(
        &self,
        sizes: Range<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        if sizes.is_empty() {
            return Ok(Vec::new());
        }
        let state = self.state();
        let found = state.checkpoints.range(sizes).take(limit);
        Ok(found.map(|(size, note)| (*size, note.clone())).collect())
    }

    fn bytes_to_write(&self) -> Result<u64, StoreError> {
        Ok(0)
    }

    fn new_object(&self) -> Result<Box<dyn ObjectWriter + '_>, StoreError> {
        Ok(Box::new(MemoryObject {
            memory: self,
            content: Vec::new(),
        }))
    }

    fn object_size(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        Ok(self
            .state()
            .objects
            .get(digest)
            .map(|content| content.len() as u64))
    }

    fn objects(&self, from: &Digest, limit: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
        let state = self.state();
        let found = state.objects.range(from..).take(limit);
        Ok(found
            .map(|(digest, content)| (*digest, content.len() as u64))
            .collect())
    }

    fn object_piece(&self, digest: &Digest, offset: u64) -> Result<Vec<u8>, StoreError> {
        let state = self.state();
        let rest = state
            .objects
            .get(digest)
            .and_then(|content| content.get(offset as usize..));
        Ok(rest.map_or_else(Vec::new, |rest| {
            rest[..rest.len().min(PIECE_BYTES)].to_vec()
        }))
    }
}

struct MemoryObject<'a> {
    memory: &'a Memory,
    content: Vec<u8>,
}

impl ObjectWriter for MemoryObject<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.content.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<ContentDigests, StoreError> {
        let digests = content_digests(&self.content);
        self.memory
            .state()
            .objects
            .insert(digests.blake3, self.content);
        Ok(digests)
    }
}

impl Index for Memory {
    fn applied(&self) -> Result<u64, StoreError> {
        Ok(self.state().applied)
    }

    fn apply(&self, changes: &IndexChanges, applied: u64) -> Result<(), StoreError> {
        self.state().apply(changes, applied);
        Ok(())
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().index.get(key).cloned())
    }

    fn scan(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let from = if after < prefix {
            Bound::Included(prefix)
        } else {
            Bound::Excluded(after)
        };
        let state = self.state();
        let rows = state.index.range::<[u8], _>((from, Bound::Unbounded));
        let rows = rows
            .take_while(|(key, _)| key.starts_with(prefix))
            .take(limit);
        Ok(rows
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }

    fn clear(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        state.index.clear();
        state.applied = 0;
        Ok(())
    }
}
