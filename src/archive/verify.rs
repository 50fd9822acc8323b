//! Verifying an archive's own folder: the stored log as a source for the verifier, and the mark that
//! tells when its tail is missing.

use std::collections::BTreeSet;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::entry::Entry;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::report::{Fault, Report};
use vouchsafe_evidence::tile::Tile;
use vouchsafe_evidence::verify::{self, Options, Source, Unreadable};

use super::head::check_mark;
use super::high_water::HighWater;
use super::redraw::{Forms, ToRedraw, redraw_all};
use super::{ArchiveError, folder, keys, log};
use crate::store::{Index, Rocks, Store, StoreError, Truth};

/// A writer that tidies its files may take one away while they are being opened.
const OPEN_TRIES: u32 = 5;

/// Rows of the index that are read at once.
const INDEX_ROWS: usize = 1_000;

/// The stored log, as the verifier reads it.
pub(super) struct Stored<'a, S> {
    pub store: &'a S,
    /// The key that is taken for the current one.
    pub key: VerifierKey,
}

fn unreadable(error: impl std::fmt::Display) -> Unreadable {
    Unreadable(error.to_string())
}

impl<S: Store> Source for Stored<'_, S> {
    fn verifier_key(&self) -> Result<Vec<u8>, Unreadable> {
        Ok(self.key.to_string().into_bytes())
    }

    fn rotations(&self) -> Result<Vec<Vec<u8>>, Unreadable> {
        keys::rotations(self.store).map_err(unreadable)
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
        // Partial tiles are not stored; they are computed from what is.
        log::tile(self.store, tile).map_err(unreadable)
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
            Err(StoreError::Failed(_) | StoreError::Damaged(_)) if tries < OPEN_TRIES => {
                tries += 1;
                sleep(Duration::from_millis(50));
            }
            opened => return Ok(opened?),
        }
    }
}

/// Reads every row of the index, so that a damaged one is found, and not only when somebody needs it.
fn read_index(store: &Rocks) -> Result<(), ArchiveError> {
    let (size, applied) = (store.head()?.size, store.applied()?);
    if applied > size {
        let error = format!("it reflects {applied} entries, and the log has {size}");
        return Err(ArchiveError::Broken(error));
    }
    let mut after = Vec::new();
    while let Some((key, _)) = store.scan(&[], &after, INDEX_ROWS)?.pop() {
        after = key;
    }
    Ok(())
}

/// Verifies the archive in `archive`, also while it is served: entries, chain, tree, checkpoints,
/// objects, and that the log is not behind what was signed. With `redraw`, every voucher is drawn again and
/// compared, too.
pub fn verify(archive: &Path, options: Options<'_>, redraw: bool) -> Result<Report, ArchiveError> {
    // Read before the store is opened, so that a writer at work is never ahead of it.
    let mark = HighWater::read(&folder::high_water(archive))?;
    let key = folder::read_verifier_key(archive)?;
    let store = open_store_to_read(archive)?;
    let source = Stored { store: &store, key };
    let (threads, progress) = (options.threads, options.progress);
    let mut filed = Vec::new();
    let mut forms = Forms {
        published: BTreeSet::new(),
        renditions: folder::read_layout(archive)?.renditions().to_vec(),
    };
    let visit = options.entry;
    let mut take = |entry: &Entry| {
        visit(entry);
        forms.take(entry);
        filed.extend(ToRedraw::of(entry).filter(|_| redraw));
    };
    let options = Options {
        entry: &mut take,
        ..options
    };
    let mut report = verify::verify(&source, options);
    redraw_all(&store, filed, &forms, threads, progress, &mut report);
    let mark_fault = match mark {
        Some(mark) => check_mark(&store, &mark)
            .err()
            .map(|error| error.to_string()),
        None => Some("no readable mark".to_owned()),
    };
    if let Some(found) = mark_fault {
        let expected = "the log as it was last signed";
        report.fault(fault("high-water", "signed head", expected, found));
    }
    if let Err(error) = read_index(&store) {
        let expected = "rows of the entries that are there";
        report.fault(fault("index", "index", expected, error.to_string()));
    }
    Ok(report)
}

fn fault(path: &str, what: &str, expected: &str, found: String) -> Fault {
    Fault {
        seq: None,
        path: path.to_owned(),
        what: what.to_owned(),
        expected: expected.to_owned(),
        found,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::{file, grant, open};
    use super::*;
    use crate::access::Role;
    use crate::store::Memory;
    use std::sync::Arc;
    use vouchsafe_evidence::key::{KeyKind, SigningNoteKey};

    pub(in crate::archive) fn verify_source(source: &dyn Source) -> Report {
        verify::verify(source, Options::new(&mut |_| {}))
    }

    /// What somebody with access to the disk did.
    enum Deed {
        FlipEntry(u64),
        SwapEntries(u64, u64),
        DropEntry(u64),
        FlipTile,
        FlipCheckpoint,
        FlipKeptCheckpoint(u64),
        FlipObject(Digest),
        DropObject(Digest),
        ReplaceKey,
    }

    struct Tampered<'a> {
        inner: Stored<'a, Memory>,
        deed: Deed,
    }

    fn flip(mut bytes: Vec<u8>) -> Vec<u8> {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    }

    impl Source for Tampered<'_> {
        fn verifier_key(&self) -> Result<Vec<u8>, Unreadable> {
            match self.deed {
                Deed::ReplaceKey => {
                    let key = SigningNoteKey::from_seed("vouchsafe/test", KeyKind::Note, &[8; 32]);
                    Ok(key.unwrap().verifier().to_string().into_bytes())
                }
                _ => self.inner.verifier_key(),
            }
        }
        fn rotations(&self) -> Result<Vec<Vec<u8>>, Unreadable> {
            self.inner.rotations()
        }
        fn checkpoint(&self) -> Result<Vec<u8>, Unreadable> {
            let note = self.inner.checkpoint()?;
            Ok(match self.deed {
                Deed::FlipCheckpoint => flip(note),
                _ => note,
            })
        }
        fn checkpoints(&self, sizes: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>, Unreadable> {
            let mut kept = self.inner.checkpoints(sizes)?;
            if let Deed::FlipKeptCheckpoint(wanted) = self.deed {
                for (_, note) in kept.iter_mut().filter(|(size, _)| *size == wanted) {
                    *note = flip(std::mem::take(note));
                }
            }
            Ok(kept)
        }
        fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, Unreadable> {
            let first = seqs.start;
            let mut entries = self.inner.entries(seqs)?;
            let mut slot = |seq: u64, entry: Option<Vec<u8>>| {
                let at = seq.checked_sub(first).map(|at| at as usize);
                if let Some(slot) = at.and_then(|at| entries.get_mut(at)) {
                    *slot = entry;
                }
            };
            let one = |seq: u64| self.inner.entries(seq..seq + 1).unwrap().pop().flatten();
            match self.deed {
                Deed::FlipEntry(seq) => slot(seq, one(seq).map(flip)),
                Deed::DropEntry(seq) => slot(seq, None),
                Deed::SwapEntries(a, b) => {
                    slot(a, one(b));
                    slot(b, one(a));
                }
                _ => {}
            }
            Ok(entries)
        }
        fn withholds(&self) -> bool {
            false
        }
        fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, Unreadable> {
            let bytes = self.inner.tile(tile)?;
            Ok(match self.deed {
                Deed::FlipTile => bytes.map(flip),
                _ => bytes,
            })
        }
        fn publishes_partial_tiles(&self) -> bool {
            false
        }
        fn last_entry(&self) -> Result<Option<Digest>, Unreadable> {
            self.inner.last_entry()
        }
        fn object(&self, digest: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
            match self.deed {
                Deed::DropObject(dropped) if dropped == *digest => Ok(None),
                Deed::FlipObject(flipped) if flipped == *digest => {
                    let mut bytes = Vec::new();
                    let object = self.inner.object(digest)?;
                    object.unwrap().read_to_end(&mut bytes).unwrap();
                    Ok(Some(Box::new(std::io::Cursor::new(flip(bytes)))))
                }
                _ => self.inner.object(digest),
            }
        }
    }

    /// A log of more than a full tile: templates, a user, a voucher at entry `filed`, many grants.
    fn log() -> (Arc<Memory>, VerifierKey, u64, Digest) {
        let memory = Arc::new(Memory::default());
        let archive = open(memory.clone());
        archive.write_beginning().unwrap();
        archive.add_user("ann", "Correct-Horse-9").unwrap();
        file(&archive, "0001").unwrap();
        let filed = archive.records().size().unwrap() - 1;
        for _ in 0..300 {
            archive
                .add_grant("ann", grant(Role::Viewer, "/acme/"))
                .unwrap();
        }
        let bytes = memory
            .entries(filed..filed + 1)
            .unwrap()
            .pop()
            .flatten()
            .unwrap();
        let entry = vouchsafe_evidence::entry::Entry::decode(&bytes).unwrap();
        let key = archive.records().verifier_key();
        (memory, key, filed, entry.objects[1].blake3)
    }

    #[test]
    fn every_kind_of_tampering_is_named() {
        let (memory, key, filed, object) = log();
        let size = memory.head().unwrap().size;
        let report = |deed| {
            let (store, key) = (&*memory, key.clone());
            let inner = Stored { store, key };
            verify_source(&Tampered { inner, deed })
        };
        let first = |deed| {
            let report = report(deed);
            assert!(!report.ok && report.faults > 0);
            report.first.unwrap()
        };
        for seq in [0, 1, filed, 255, 256, size - 1] {
            assert_eq!(first(Deed::FlipEntry(seq)).seq, Some(seq));
            assert_eq!(first(Deed::DropEntry(seq)).seq, Some(seq));
        }
        assert_eq!(first(Deed::FlipEntry(filed)).what, "entry");
        for (a, b) in [(3, 4), (10, 200), (100, 299)] {
            assert_eq!(first(Deed::SwapEntries(a, b)).seq, Some(a));
        }
        for deed in [Deed::FlipObject(object), Deed::DropObject(object)] {
            let fault = first(deed);
            assert_eq!(fault.seq, Some(filed));
            assert_eq!(fault.path, "/acme/gl/2024-03/payment/0001");
            assert!(fault.what.starts_with("object voucher."), "{fault}");
        }
        assert!(!report(Deed::FlipTile).ok);
        assert_eq!(first(Deed::FlipCheckpoint).path, "checkpoint");
        assert_eq!(first(Deed::FlipKeptCheckpoint(100)).seq, Some(99));
        assert_eq!(first(Deed::ReplaceKey).path, "checkpoint");
        let store = &*memory;
        assert!(verify_source(&Stored { store, key }).ok);
    }
}
