//! Rebuilding the index from the log, and showing that it comes out the same.

use std::path::Path;

use vouchsafe_evidence::digest::{ContentHasher, Digest};

use super::fold::Rows;
use super::open::{Progress, decoded};
use super::rows::{INDEX_FORM, decode, key};
use super::{ArchiveError, folder};
use crate::store::{Index, Rocks, Store, Truth};

/// Entries that are folded into the index at once.
const FOLD_ENTRIES: u64 = 1_024;

/// Rows that are read at once.
const ROWS: usize = 4_096;

/// What an index looks like.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct IndexDigest {
    /// Entries that it reflects.
    pub entries: u64,
    /// Rows.
    pub rows: u64,
    /// BLAKE3 over all keys and values in order, each behind its length (64 bits, big-endian).
    pub blake3: Digest,
}

/// What rebuilding an index came to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ReindexReport {
    /// Entries in the log.
    pub size: u64,
    /// The index as it was found.
    pub before: IndexDigest,
    /// The index as it follows from the log.
    pub after: IndexDigest,
    /// Whether the two are the same to the byte.
    pub same: bool,
}

fn digest(index: &impl Index) -> Result<IndexDigest, ArchiveError> {
    let (mut hasher, mut rows, mut after) = (ContentHasher::default(), 0, Vec::new());
    loop {
        let page = index.scan(&[], &after, ROWS)?;
        for (key, value) in &page {
            for part in [key, value] {
                hasher.update(&(part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
        }
        rows += page.len() as u64;
        match page.last() {
            Some((key, _)) => after.clone_from(key),
            None => break,
        }
    }
    Ok(IndexDigest {
        entries: index.applied()?,
        rows,
        blake3: hasher.finish().blake3,
    })
}

/// Throws the index of the archive in `archive` away and folds the log into a new one. Whatever interrupts it,
/// opening the archive finishes it. Nobody else may have the archive open.
pub fn reindex(archive: &Path, progress: Progress<'_>) -> Result<ReindexReport, ArchiveError> {
    folder::read_layout(archive)?;
    let store = Rocks::open(&folder::store(archive))?;
    let before = digest(&store)?;
    // An index that serves is not given up for a log that cannot be read.
    let size = store.head()?.size;
    for first in (0..size).step_by(ROWS) {
        let until = size.min(first + ROWS as u64);
        for (seq, bytes) in (first..).zip(store.entries(first..until)?) {
            decoded(seq, bytes)?;
        }
    }
    store.clear()?;
    catch_up(&store, progress)?;
    let after = digest(&store)?;
    Ok(ReindexReport {
        size: store.head()?.size,
        same: before == after,
        before,
        after,
    })
}

/// Whether the rows of the index are those that this version keeps.
pub(super) fn is_of_this_version(store: &dyn Store) -> Result<bool, ArchiveError> {
    let key = key::form();
    let form: Option<u32> = store.get(&key)?.map(|row| decode(&key, &row)).transpose()?;
    Ok(form == Some(INDEX_FORM))
}

/// Folds what the index does not reflect yet.
pub(super) fn catch_up(store: &dyn Store, progress: Progress<'_>) -> Result<(), ArchiveError> {
    let size = store.head()?.size;
    let mut applied = store.applied()?;
    // What an older version kept is made anew, once.
    if applied > size || (applied > 0 && !is_of_this_version(store)?) {
        store.clear()?;
        applied = 0;
    }
    while applied < size {
        let until = size.min(applied + FOLD_ENTRIES);
        let mut rows = Rows::new(store);
        for (seq, bytes) in (applied..until).zip(store.entries(applied..until)?) {
            rows.fold(&decoded(seq, bytes)?)?;
        }
        store.apply(&rows.into_changes(), until)?;
        applied = until;
        progress(applied, size);
    }
    Ok(())
}
