mod copy;
mod index;
mod object;
mod options;

use std::fs::File;
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rocksdb::{
    Cache, ColumnFamily, ColumnFamilyDescriptor, DB, Direction, IteratorMode, ReadOptions,
    WriteBatch, WriteOptions,
};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use vouchsafe_evidence::digest::Digest;

use object::{Place, RocksObject};
use options::{database_options, family_options};

use super::{Append, Head, IndexChanges, ObjectWriter, Row, StoreError, Truth};

/// Objects up to this size are one row; larger ones are rows of [`CHUNK_BYTES`].
const INLINE_BYTES: usize = 64 << 10;
/// Bytes of a large object in one row.
const CHUNK_BYTES: usize = 1 << 20;
const CACHE_BYTES: usize = 32 << 20;

const ENTRIES: &str = "entries";
const TILES: &str = "tiles";
const CHECKPOINTS: &str = "checkpoints";
const OBJECTS: &str = "objects";
const CHUNKS: &str = "chunks";
/// Large objects that are being taken in; what is here at opening was cut off.
const UNFINISHED: &str = "unfinished";
const INDEX: &str = "index";
const FAMILIES: [&str; 7] = [
    ENTRIES,
    TILES,
    CHECKPOINTS,
    OBJECTS,
    CHUNKS,
    UNFINISHED,
    INDEX,
];

const HEAD: &[u8] = b"head";
const APPLIED: &[u8] = b"applied";

const INLINE: u8 = 0;
const CHUNKED: u8 = 1;

/// The embedded engine: RocksDB with one column family per kind of row.
pub struct Rocks {
    db: DB,
    /// The store's folder, locked while it is open for writing and let go after the database is closed.
    _writing: Option<File>,
    /// Held during append: RocksDB itself has no compare-and-append.
    append: Mutex<()>,
    /// Held while an object gets its address, so that of two that are the same one is kept.
    addressing: Mutex<()>,
}

impl Rocks {
    /// Makes a new store in `folder`, or opens the one that is there.
    pub fn create(folder: &Path) -> Result<Rocks, StoreError> {
        let mut options = database_options();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        let writing = lock_for_writing(folder)?;
        Rocks::open_with(Some(writing), |descriptors| {
            DB::open_cf_descriptors(&options, folder, descriptors)
        })
    }

    /// Opens a store for writing; only one process at a time can.
    pub fn open(folder: &Path) -> Result<Rocks, StoreError> {
        present(folder)?;
        let mut options = database_options();
        options.create_missing_column_families(true);
        let writing = lock_for_writing(folder)?;
        let store = Rocks::open_with(Some(writing), |descriptors| {
            DB::open_cf_descriptors(&options, folder, descriptors)
        })?;
        store.remove_unfinished()?;
        Ok(store)
    }

    /// Opens a store for reading, also while another process writes: what that one has written until now.
    pub fn open_to_read(folder: &Path) -> Result<Rocks, StoreError> {
        present(folder)?;
        let mut options = database_options();
        // Files that the writer removes stay readable for who holds them open.
        options.set_max_open_files(-1);
        Rocks::open_with(None, |descriptors| {
            DB::open_cf_descriptors_read_only(&options, folder, descriptors, false)
        })
    }

    fn open_with(
        writing: Option<File>,
        open: impl FnOnce(Vec<ColumnFamilyDescriptor>) -> Result<DB, rocksdb::Error>,
    ) -> Result<Rocks, StoreError> {
        let cache = Cache::new_lru_cache(CACHE_BYTES);
        let descriptors = FAMILIES
            .iter()
            .map(|name| ColumnFamilyDescriptor::new(*name, family_options(name, &cache)));
        match open(descriptors.collect()) {
            Ok(db) => Ok(Rocks {
                db,
                _writing: writing,
                append: Mutex::new(()),
                addressing: Mutex::new(()),
            }),
            Err(error) => Err(failed(error)),
        }
    }

    fn family(&self, name: &'static str) -> Result<&ColumnFamily, StoreError> {
        self.db
            .cf_handle(name)
            .ok_or_else(|| StoreError::Damaged(format!("column family {name} is missing")))
    }

    fn read(&self, family: &'static str, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get_cf(self.family(family)?, key).map_err(failed)
    }

    fn remove_unfinished(&self) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        let unfinished = self.family(UNFINISHED)?;
        for row in self.db.iterator_cf(unfinished, IteratorMode::Start) {
            let (id, _) = row.map_err(failed)?;
            batch.delete_range_cf(
                self.family(CHUNKS)?,
                chunk_key(&id, 0),
                chunk_key(&id, u32::MAX),
            );
            batch.delete_cf(unfinished, id);
        }
        self.db.write(batch).map_err(failed)
    }

    fn put_index(
        &self,
        batch: &mut WriteBatch,
        changes: &IndexChanges,
        applied: u64,
    ) -> Result<(), StoreError> {
        let index = self.family(INDEX)?;
        for (key, value) in changes {
            match value {
                Some(value) => batch.put_cf(index, key, value),
                None => batch.delete_cf(index, key),
            }
        }
        batch.put(APPLIED, applied.to_be_bytes());
        Ok(())
    }

    /// Rows of `family` from `from` on while `keep` holds, at most `limit`.
    fn rows(
        &self,
        family: &'static str,
        from: &[u8],
        limit: usize,
        keep: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Row>, StoreError> {
        let mode = IteratorMode::From(from, Direction::Forward);
        let mut rows = Vec::new();
        for row in self.db.iterator_cf(self.family(family)?, mode) {
            let (key, value) = row.map_err(failed)?;
            if rows.len() == limit || !keep(&key) {
                break;
            }
            rows.push((key.into_vec(), value.into_vec()));
        }
        Ok(rows)
    }
}

fn present(folder: &Path) -> Result<(), StoreError> {
    if folder.join("CURRENT").is_file() {
        Ok(())
    } else {
        Err(StoreError::Absent(folder.display().to_string()))
    }
}

/// Locks the folder, or says that somebody else has. RocksDB has a lock of its own, but moves its log files
/// about before it asks for it, and two that open at the same time trip over each other.
fn lock_for_writing(folder: &Path) -> Result<File, StoreError> {
    let fault =
        |error: std::io::Error| StoreError::Failed(format!("{}: {error}", folder.display()));
    let opened = File::open(folder).map_err(fault)?;
    match flock(&opened, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(opened),
        Err(Errno::WOULDBLOCK) => Err(StoreError::InUse(folder.display().to_string())),
        Err(error) => Err(fault(error.into())),
    }
}

fn failed(error: rocksdb::Error) -> StoreError {
    let text = error.as_ref().to_owned();
    match error.kind() {
        rocksdb::ErrorKind::Corruption => StoreError::Damaged(text),
        // RocksDB names the files that it has; one that is gone was taken away.
        _ if text.contains("No such file or directory") => StoreError::Damaged(text),
        _ if text.contains("No space left") || text.contains("Disk quota exceeded") => {
            StoreError::Full(text)
        }
        _ => StoreError::Failed(text),
    }
}

fn tile_key(level: u32, index: u64) -> [u8; 12] {
    let mut key = [0; 12];
    key[..4].copy_from_slice(&level.to_be_bytes());
    key[4..].copy_from_slice(&index.to_be_bytes());
    key
}

fn chunk_key(id: &[u8], number: u32) -> Vec<u8> {
    [id, &number.to_be_bytes()].concat()
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.try_into().ok().map(u64::from_be_bytes)
}

impl Truth for Rocks {
    fn head(&self) -> Result<Head, StoreError> {
        match self.db.get(HEAD).map_err(failed)? {
            None => Ok(Head {
                size: 0,
                last: Digest([0; 32]),
            }),
            Some(row) => row
                .split_at_checked(8)
                .and_then(|(size, last)| {
                    Some(Head {
                        size: number(size)?,
                        last: Digest(last.try_into().ok()?),
                    })
                })
                .ok_or_else(|| StoreError::Damaged("the row of the head".to_owned())),
        }
    }

    fn append(&self, append: &Append) -> Result<(), StoreError> {
        let _one_at_a_time = self.append.lock().unwrap_or_else(PoisonError::into_inner);
        let head = self.head()?;
        if head.size != append.expected_size {
            return Err(StoreError::Moved {
                expected: append.expected_size,
                found: head.size,
            });
        }
        let mut batch = WriteBatch::default();
        let entries = self.family(ENTRIES)?;
        for (seq, entry) in (head.size..).zip(&append.entries) {
            batch.put_cf(entries, seq.to_be_bytes(), entry);
        }
        let size = head.size + append.entries.len() as u64;
        for (tile, bytes) in &append.tiles {
            batch.put_cf(self.family(TILES)?, tile_key(tile.level, tile.index), bytes);
        }
        batch.put_cf(
            self.family(CHECKPOINTS)?,
            size.to_be_bytes(),
            &append.checkpoint,
        );
        let last = append
            .entries
            .last()
            .map_or(head.last, |entry| Digest::blake3(entry));
        batch.put(HEAD, [&size.to_be_bytes()[..], &last.0].concat());
        self.put_index(&mut batch, &append.index, size)?;
        let mut durable = WriteOptions::default();
        durable.set_sync(true);
        self.db.write_opt(batch, &durable).map_err(failed)
    }

    fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_iterate_upper_bound(seqs.end.to_be_bytes().to_vec());
        let start = seqs.start.to_be_bytes();
        let mode = IteratorMode::From(&start, Direction::Forward);
        let mut found = vec![None; (seqs.end - seqs.start) as usize];
        for row in self
            .db
            .iterator_cf_opt(self.family(ENTRIES)?, options, mode)
        {
            let (key, entry) = row.map_err(failed)?;
            let at = number(&key).map(|seq| (seq - seqs.start) as usize);
            if let Some(slot) = at.and_then(|at| found.get_mut(at)) {
                *slot = Some(entry.into_vec());
            }
        }
        Ok(found)
    }

    fn tile(&self, level: u32, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(TILES, &tile_key(level, index))
    }

    fn checkpoints(
        &self,
        sizes: Range<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let end = sizes.end.to_be_bytes();
        let rows = self.rows(CHECKPOINTS, &sizes.start.to_be_bytes(), limit, |key| {
            key < &end[..]
        })?;
        Ok(rows
            .into_iter()
            .filter_map(|(key, note)| Some((number(&key)?, note)))
            .collect())
    }

    fn bytes_to_write(&self) -> Result<u64, StoreError> {
        let mut bytes = 0;
        for name in FAMILIES {
            let found = self
                .db
                .property_int_value_cf(self.family(name)?, "rocksdb.cur-size-all-mem-tables")
                .map_err(failed)?;
            bytes += found.unwrap_or(0);
        }
        Ok(bytes)
    }

    fn new_object(&self) -> Result<Box<dyn ObjectWriter + '_>, StoreError> {
        Ok(Box::new(RocksObject::new(self)))
    }

    fn object_size(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        Ok(self.place(digest)?.map(|place| place.size()))
    }

    fn objects(&self, from: &Digest, limit: usize) -> Result<Vec<(Digest, u64)>, StoreError> {
        let rows = self.rows(OBJECTS, &from.0, limit, |_| true)?;
        let listed = rows.into_iter().map(|(key, row)| {
            let digest = key.try_into().map(Digest);
            let digest = digest.map_err(|_| StoreError::Damaged("address of an object".into()))?;
            Ok((digest, Place::read(&digest, &row)?.size()))
        });
        listed.collect()
    }

    fn object_piece(&self, digest: &Digest, offset: u64) -> Result<Vec<u8>, StoreError> {
        match self.place(digest)? {
            None => Ok(Vec::new()),
            Some(Place::Here(content)) => {
                Ok(content.get(offset as usize..).unwrap_or_default().to_vec())
            }
            Some(Place::Chunks { size, .. }) if offset >= size => Ok(Vec::new()),
            Some(Place::Chunks { id, .. }) => {
                let key = chunk_key(&id, (offset / CHUNK_BYTES as u64) as u32);
                let within = (offset % CHUNK_BYTES as u64) as usize;
                self.read(CHUNKS, &key)?
                    .map(|mut chunk| {
                        // Mostly nothing is left out, and nothing is copied.
                        chunk.drain(..within.min(chunk.len()));
                        chunk
                    })
                    .filter(|piece| !piece.is_empty())
                    .ok_or_else(|| StoreError::Damaged(format!("object {digest} at byte {offset}")))
            }
        }
    }
}

#[cfg(test)]
mod tests;
