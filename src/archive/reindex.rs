//! Rebuilding the index from the log, and showing that it comes out the same.

use std::path::Path;

use vouchsafe_evidence::digest::{ContentHasher, Digest};

use super::open::{Progress, catch_up, decoded};
use super::{ArchiveError, folder};
use crate::store::{Index, Rocks, Truth};

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
