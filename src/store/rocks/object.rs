//! Taking in one object: small ones as a row, large ones in chunks that nobody sees before the last is there.

use std::sync::PoisonError;

use rocksdb::WriteBatch;
use vouchsafe_evidence::digest::{ContentDigests, ContentHasher, Digest};

use super::{
    CHUNK_BYTES, CHUNKED, CHUNKS, INLINE, INLINE_BYTES, OBJECTS, Rocks, UNFINISHED, chunk_key,
    failed, number,
};
use crate::store::{ObjectWriter, StoreError, Truth as _};

/// Where an object's bytes are.
pub(super) enum Place {
    Here(Vec<u8>),
    Chunks { size: u64, id: Vec<u8> },
}

impl Rocks {
    pub(super) fn place(&self, digest: &Digest) -> Result<Option<Place>, StoreError> {
        let row = self.read(OBJECTS, &digest.0)?;
        row.map(|row| Place::read(digest, &row)).transpose()
    }
}

impl Place {
    pub fn read(digest: &Digest, row: &[u8]) -> Result<Place, StoreError> {
        match row.split_first() {
            Some((&INLINE, content)) => Ok(Place::Here(content.to_vec())),
            Some((&CHUNKED, rest)) if rest.len() == 24 => Ok(Place::Chunks {
                size: number(&rest[..8]).unwrap_or(0),
                id: rest[8..].to_vec(),
            }),
            _ => Err(StoreError::Damaged(format!("row of object {digest}"))),
        }
    }

    pub fn size(&self) -> u64 {
        match self {
            Place::Here(content) => content.len() as u64,
            Place::Chunks { size, .. } => *size,
        }
    }
}

/// Keeps less than two chunks in memory.
pub(super) struct RocksObject<'a> {
    store: &'a Rocks,
    hasher: ContentHasher,
    pending: Vec<u8>,
    chunks: u32,
    /// Set once the object is too large for one row.
    id: Option<[u8; 16]>,
}

impl<'a> RocksObject<'a> {
    pub fn new(store: &'a Rocks) -> RocksObject<'a> {
        RocksObject {
            store,
            hasher: ContentHasher::default(),
            pending: Vec::new(),
            chunks: 0,
            id: None,
        }
    }

    fn put_chunk(&mut self, bytes: usize) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        let id = match self.id {
            Some(id) => id,
            None => {
                let mut id = [0; 16];
                getrandom::fill(&mut id).map_err(|error| StoreError::Failed(error.to_string()))?;
                batch.put_cf(self.store.family(UNFINISHED)?, id, []);
                id
            }
        };
        let key = chunk_key(&id, self.chunks);
        batch.put_cf(self.store.family(CHUNKS)?, key, &self.pending[..bytes]);
        self.store.db.write(batch).map_err(failed)?;
        self.id = Some(id);
        self.chunks += 1;
        self.pending.drain(..bytes);
        Ok(())
    }
}

impl ObjectWriter for RocksObject<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.hasher.update(bytes);
        for piece in bytes.chunks(CHUNK_BYTES) {
            self.pending.extend_from_slice(piece);
            if self.pending.len() >= CHUNK_BYTES {
                self.put_chunk(CHUNK_BYTES)?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<ContentDigests, StoreError> {
        let digests = std::mem::take(&mut self.hasher).finish();
        let store = self.store;
        let _one_at_a_time = store
            .addressing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if store.object_size(&digests.blake3)?.is_some() {
            return Ok(digests);
        }
        let chunked = self.id.is_some() || self.pending.len() > INLINE_BYTES;
        if chunked && !self.pending.is_empty() {
            self.put_chunk(self.pending.len())?;
        }
        let mut batch = WriteBatch::default();
        let row = match self.id {
            Some(id) => {
                batch.delete_cf(self.store.family(UNFINISHED)?, id);
                [&[CHUNKED][..], &digests.size.to_be_bytes(), &id].concat()
            }
            None => [&[INLINE][..], &self.pending].concat(),
        };
        batch.put_cf(self.store.family(OBJECTS)?, digests.blake3.0, row);
        self.store.db.write(batch).map_err(failed)?;
        self.id = None;
        Ok(digests)
    }
}

impl Drop for RocksObject<'_> {
    fn drop(&mut self) {
        let (Some(id), Ok(chunks), Ok(unfinished)) = (
            self.id,
            self.store.family(CHUNKS),
            self.store.family(UNFINISHED),
        ) else {
            return;
        };
        let mut batch = WriteBatch::default();
        batch.delete_range_cf(chunks, chunk_key(&id, 0), chunk_key(&id, u32::MAX));
        batch.delete_cf(unfinished, id);
        // Should this fail, opening the store again removes the rows.
        let _ = self.store.db.write(batch);
    }
}
