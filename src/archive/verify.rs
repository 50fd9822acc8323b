//! Verifying an archive's own folder: the stored log as a source for the verifier, and the mark that
//! tells when its tail is missing.

use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::report::{Fault, Report};
use vouchsafe_evidence::tile::{TILE_WIDTH, Tile};
use vouchsafe_evidence::verify::{self, Options, Source, Unreadable};

use super::high_water::HighWater;
use super::open::check_mark;
use super::{ArchiveError, folder};
use crate::store::{Index, Rocks, Store, StoreError, Truth};

/// A writer that tidies its files may take one away while they are being opened.
const OPEN_TRIES: u32 = 5;

/// The stored log, as the verifier reads it.
struct Stored<'a, S> {
    store: &'a S,
    key: VerifierKey,
}

fn unreadable(error: impl std::fmt::Display) -> Unreadable {
    Unreadable(error.to_string())
}

impl<S: Store> Source for Stored<'_, S> {
    fn verifier_key(&self) -> Result<Vec<u8>, Unreadable> {
        Ok(self.key.to_string().into_bytes())
    }

    fn checkpoint(&self) -> Result<Vec<u8>, Unreadable> {
        let size = self.store.head().map_err(unreadable)?.size;
        let mut found = self
            .store
            .checkpoints(size..size + 1, 1)
            .map_err(unreadable)?;
        let (_, note) = found.pop().ok_or_else(|| {
            Unreadable(format!(
                "no checkpoint is kept for the {size} entries of the log"
            ))
        })?;
        Ok(note)
    }

    fn checkpoints(&self, sizes: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>, Unreadable> {
        self.store
            .checkpoints(sizes, usize::MAX)
            .map_err(unreadable)
    }

    fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, Unreadable> {
        self.store.entries(seqs).map_err(unreadable)
    }

    fn withholds(&self) -> bool {
        false
    }

    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, Unreadable> {
        if tile.width < TILE_WIDTH {
            return Ok(None);
        }
        self.store.tile(tile.level, tile.index).map_err(unreadable)
    }

    fn publishes_partial_tiles(&self) -> bool {
        false
    }

    fn last_entry(&self) -> Result<Option<Digest>, Unreadable> {
        Ok(Some(self.store.head().map_err(unreadable)?.last))
    }

    fn object(&self, digest: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        let found = self.store.object_size(digest).map_err(unreadable)?;
        let reader = StoredObject {
            store: self.store,
            digest: *digest,
            offset: 0,
            piece: Vec::new(),
            at: 0,
        };
        Ok(found.map(|_| Box::new(reader) as Box<dyn Read>))
    }
}

/// Reads a stored object piece by piece.
struct StoredObject<'a, S> {
    store: &'a S,
    digest: Digest,
    offset: u64,
    piece: Vec<u8>,
    at: usize,
}

impl<S: Truth> Read for StoredObject<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.piece.len() {
            let piece = self.store.object_piece(&self.digest, self.offset);
            self.piece = piece.map_err(|error| std::io::Error::other(error.to_string()))?;
            self.offset += self.piece.len() as u64;
            self.at = 0;
        }
        let read = into.len().min(self.piece.len() - self.at);
        into[..read].copy_from_slice(&self.piece[self.at..self.at + read]);
        self.at += read;
        Ok(read)
    }
}

/// Opens an archive's store for reading, also while it is served.
pub(super) fn open_store_to_read(archive: &Path) -> Result<Rocks, ArchiveError> {
    let mut tries = 1;
    loop {
        match Rocks::open_to_read(&folder::store(archive)) {
            Err(StoreError::Failed(_)) if tries < OPEN_TRIES => {
                tries += 1;
                sleep(Duration::from_millis(50));
            }
            opened => return Ok(opened?),
        }
    }
}

/// Verifies the archive in `archive`, also while it is served: entries, chain, tree, checkpoints,
/// objects, and that the log is not behind what was signed.
pub fn verify(archive: &Path, options: Options<'_>) -> Result<Report, ArchiveError> {
    // Read before the store is opened, so that a writer at work is never ahead of it.
    let mark = HighWater::read(&folder::high_water(archive))?;
    let key = folder::read_verifier_key(archive)?;
    let store = open_store_to_read(archive)?;
    let source = Stored { store: &store, key };
    let mut report = verify::verify(&source, options);
    let mark_fault = match mark {
        Some(mark) => check_mark(&store, &mark)
            .err()
            .map(|error| error.to_string()),
        None => Some("no readable mark".to_owned()),
    };
    if let Some(found) = mark_fault {
        report.fault(Fault {
            seq: None,
            path: "high-water".to_owned(),
            what: "signed head".to_owned(),
            expected: "the log as it was last signed".to_owned(),
            found,
        });
    }
    let (size, applied) = (store.head()?.size, store.applied()?);
    if applied > size {
        report.fault(Fault {
            seq: None,
            path: "index".to_owned(),
            what: "index".to_owned(),
            expected: format!("rows of at most {size} entries"),
            found: format!("rows of {applied}"),
        });
    }
    Ok(report)
}
