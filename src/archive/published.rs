//! The log as others see it: its own files (C2SP tlog-tiles), for whoever may see them. Hashes are for
//! everybody who is signed in; entries and objects for those who may verify the whole log.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use vouchsafe_evidence::bundle;
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::log_file::LogFile;
use vouchsafe_evidence::note::NOTE_MAX_BYTES;
use vouchsafe_evidence::tile::{TILE_WIDTH, Tile};

use super::node::etag;
use super::open::entry;
use super::rows::{AnchorRow, FileRow, key};
use super::{ArchiveError, Caller, Content, File, Records, log};
use crate::access::{Right, Time};
use crate::catalog::TreePath;
use crate::store::get_object;

/// Longest time-stamp token that is shown, in bytes.
const TOKEN_MAX_BYTES: u64 = 64 << 10;
const BYTES: &str = "application/octet-stream";
const TEXT: &str = "text/plain; charset=utf-8";

/// Whether a caller sees every entry of the log, and every object.
pub(super) fn sees_entries(caller: &Caller) -> bool {
    let root = TreePath::default();
    caller.permissions.allow(Right::Verify, &root)
}

/// Whether a caller sees `_audit/` in the tree.
pub(super) fn sees_audit(caller: &Caller) -> bool {
    caller.permissions.allow_somewhere(Right::Verify)
}

impl Records {
    /// Lets the published checkpoint be the latest that witnesses cosigned, once there is one, instead of the
    /// head: what C2SP clients that ask for witnesses expect.
    pub fn publish_cosigned(&self) {
        self.publishes_cosigned.store(true, Ordering::Relaxed);
    }

    /// The signed head of the log.
    pub fn head_checkpoint(&self) -> Result<Vec<u8>, ArchiveError> {
        let size = self.size()?;
        let found = self.store.checkpoints(size..size + 1, 1)?.pop();
        let absent = || ArchiveError::Broken(format!("no checkpoint of {size} entries is kept"));
        found.map(|(_, note)| note).ok_or_else(absent)
    }

    /// The latest checkpoint that witnesses cosigned: how many entries it covers, and the note.
    pub fn cosigned(&self) -> Result<Option<(u64, Vec<u8>)>, ArchiveError> {
        let Some(row) = self.row::<AnchorRow>(&key::cosigned())? else {
            return Ok(None);
        };
        let note = self.anchor_object(&row, 0, NOTE_MAX_BYTES as u64)?;
        Ok(Some((row.size, note)))
    }

    /// The checkpoint that others are shown: how many entries it covers, and the note.
    fn published_checkpoint(&self) -> Result<(u64, Vec<u8>), ArchiveError> {
        let cosigned = match self.publishes_cosigned.load(Ordering::Relaxed) {
            true => self.cosigned()?,
            false => None,
        };
        match cosigned {
            Some(cosigned) => Ok(cosigned),
            None => {
                let note = self.head_checkpoint()?;
                let text = String::from_utf8_lossy(&note);
                let size = text.split('\n').nth(1).and_then(|size| size.parse().ok());
                let broken = || ArchiveError::Broken("the head has no size".to_owned());
                Ok((size.ok_or_else(broken)?, note))
            }
        }
    }

    /// How many key changes the published checkpoint covers: key and changes are shown as they were then.
    pub(super) fn published_rotations(&self) -> Result<u64, ArchiveError> {
        let mut count: u64 = self.row(&key::count("rotation"))?.unwrap_or(0);
        if count == 0 {
            return Ok(0);
        }
        let (size, _) = self.published_checkpoint()?;
        while count > 0 {
            let row: Option<FileRow> = self.row(&key::rotation(count))?;
            if row.is_none_or(|row| row.seq < size) {
                break;
            }
            count -= 1;
        }
        Ok(count)
    }

    /// Every time-stamped checkpoint, by size.
    pub(super) fn timestamps(&self) -> Result<Vec<AnchorRow>, ArchiveError> {
        let rows = self.store.scan(&key::timestamps(), b"", usize::MAX)?;
        let rows = rows.iter().map(|(key, row)| super::rows::decode(key, row));
        rows.collect()
    }

    pub(super) fn anchor_object(
        &self,
        row: &AnchorRow,
        number: usize,
        limit: u64,
    ) -> Result<Vec<u8>, ArchiveError> {
        let gone = || ArchiveError::Broken(format!("an object of entry {} is missing", row.seq));
        let object = row.objects.get(number).ok_or_else(gone)?;
        get_object(&*self.store, &object.blake3, limit)?.ok_or_else(gone)
    }

    /// A file of the log, if the caller may see it.
    pub fn log_file(&self, caller: &Caller, file: &LogFile) -> Result<File, ArchiveError> {
        let hidden = matches!(
            file,
            LogFile::Bundle { .. } | LogFile::Entry(_) | LogFile::Object(_)
        );
        let gone = || ArchiveError::Absent(file.path());
        if hidden && !sees_entries(caller) {
            return Err(gone());
        }
        let (content, media_type, time) = match file {
            LogFile::VerifierKey => {
                let keys = self.keys();
                let changes = self.published_rotations()? as usize;
                let key = keys.keys().get(changes).unwrap_or(keys.current());
                (format!("{key}\n").into_bytes(), TEXT, self.born()?)
            }
            LogFile::Checkpoint => {
                let (size, note) = self.published_checkpoint()?;
                (note, TEXT, entry(&*self.store, size - 1)?.time)
            }
            LogFile::CosignedCheckpoint => {
                let row: AnchorRow = self.row(&key::cosigned())?.ok_or_else(gone)?;
                (
                    self.anchor_object(&row, 0, NOTE_MAX_BYTES as u64)?,
                    TEXT,
                    row.time,
                )
            }
            LogFile::Rotation(number) => {
                if *number > self.published_rotations()? {
                    return Err(gone());
                }
                let row: FileRow = self.row(&key::rotation(*number))?.ok_or_else(gone)?;
                let note = get_object(&*self.store, &row.object.blake3, NOTE_MAX_BYTES as u64)?;
                (note.ok_or_else(gone)?, TEXT, row.time)
            }
            LogFile::TimestampedCheckpoint(size) | LogFile::TimestampToken(size) => {
                let row: AnchorRow = self.row(&key::timestamp(*size))?.ok_or_else(gone)?;
                match file {
                    LogFile::TimestampToken(_) => {
                        let token = self.anchor_object(&row, 1, TOKEN_MAX_BYTES)?;
                        (token, "application/timestamp-reply", row.time)
                    }
                    _ => (
                        self.anchor_object(&row, 0, NOTE_MAX_BYTES as u64)?,
                        TEXT,
                        row.time,
                    ),
                }
            }
            LogFile::Tile(tile) => return self.immutable(file, tile.width * 32, Some(*tile)),
            LogFile::Bundle { index, width } => {
                let tile = Tile {
                    level: 0,
                    index: *index,
                    width: *width,
                };
                let size = match self.reached(&tile)? {
                    true => self.bundle_size(*index, *width)?,
                    false => 0,
                };
                return self.immutable(file, size, Some(tile));
            }
            LogFile::Entry(seq) => {
                let found = self.store.entries(*seq..seq.saturating_add(1))?.pop();
                let bytes = found.flatten().ok_or_else(gone)?;
                (bytes, "application/json", entry(&*self.store, *seq)?.time)
            }
            LogFile::Object(digest) => {
                let size = self.store.object_size(digest)?.ok_or_else(gone)?;
                return self.object_file(digest, size);
            }
        };
        Ok(File::derived(content, media_type, time, time))
    }

    fn born(&self) -> Result<Time, ArchiveError> {
        Ok(entry(&*self.store, 0)?.time)
    }

    pub(super) fn object_file(&self, digest: &Digest, size: u64) -> Result<File, ArchiveError> {
        let born = self.born()?;
        Ok(File {
            size,
            media_type: BYTES.to_owned(),
            etag: etag(digest),
            created: born,
            modified: born,
            content: Content::Stored(*digest),
        })
    }

    /// Whether the log has the tile, at this width.
    fn reached(&self, tile: &Tile) -> Result<bool, ArchiveError> {
        let there = Tile::in_tree(tile.level, tile.index, self.size()?);
        Ok(there.is_some_and(|there| tile.width > 0 && tile.width <= there.width))
    }

    /// A file that never changes once it is there: read when it is sent, and not when it is listed.
    fn immutable(
        &self,
        file: &LogFile,
        size: u64,
        tile: Option<Tile>,
    ) -> Result<File, ArchiveError> {
        if !tile.map_or(Ok(true), |tile| self.reached(&tile))? {
            return Err(ArchiveError::Absent(file.path()));
        }
        let born = self.born()?;
        Ok(File {
            size,
            media_type: BYTES.to_owned(),
            etag: etag(&Digest::blake3(file.path().as_bytes())),
            created: born,
            modified: born,
            content: Content::Log(*file),
        })
    }

    /// The bytes of a tile or a bundle.
    pub(super) fn log_bytes(&self, file: &LogFile) -> Result<Vec<u8>, ArchiveError> {
        let broken = || ArchiveError::Broken(format!("{} is missing", file.path()));
        match file {
            LogFile::Tile(tile) => log::tile(&*self.store, *tile)?.ok_or_else(broken),
            LogFile::Bundle { index, width } => {
                let first = index * TILE_WIDTH;
                let entries = self.store.entries(first..first + width)?.into_iter();
                let entries: Option<Vec<_>> = entries.collect();
                Ok(bundle::encode(&entries.ok_or_else(broken)?))
            }
            _ => Err(broken()),
        }
    }

    /// Size of a bundle in bytes. That of a full one never changes, so it is computed once.
    fn bundle_size(&self, index: u64, width: u64) -> Result<u64, ArchiveError> {
        let full = width == TILE_WIDTH;
        let slot = index as usize;
        let known = |sizes: &Vec<u32>| sizes.get(slot).copied().filter(|size| full && *size > 0);
        let sizes = &self.bundle_sizes;
        if let Some(size) = known(&sizes.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(size.into());
        }
        let size = self.log_bytes(&LogFile::Bundle { index, width })?.len();
        if full {
            let mut sizes = sizes.lock().unwrap_or_else(PoisonError::into_inner);
            if sizes.len() <= slot {
                sizes.resize(slot + 1, 0);
            }
            // 256 entries of at most 65,535 bytes fit.
            sizes[slot] = size as u32;
        }
        Ok(size as u64)
    }
}
