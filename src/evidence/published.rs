//! A published log (C2SP tlog-tiles) as a source for the verifier, wherever its files are read from.

use std::io::Read;
use std::ops::Range;

use crate::bundle;
use crate::digest::Digest;
use crate::log_file::LogFile;
use crate::tile::{TILE_WIDTH, Tile};
use crate::verify::{Source, Unreadable};

/// Largest file that is read into memory: a bundle of 256 entries of 64 KiB each.
pub const FILE_MAX_BYTES: u64 = 256 * 65_537;
/// Most changes of the log's key that are read.
const ROTATIONS_MAX: u64 = 10_000;

/// How often the key is read again because it changed meanwhile.
const KEY_TRIES: usize = 3;

/// Where the files of a published log are read from. Nothing that it returns is believed.
pub trait LogFiles: Sync {
    /// A file's content, at most [`FILE_MAX_BYTES`]; `None` if it is not there, or not for this reader.
    fn read(&self, file: &LogFile) -> Result<Option<Vec<u8>>, Unreadable>;
    /// An object's content.
    fn object(&self, digest: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable>;
}

/// The log as it is published at one moment: what comes later is not looked at.
pub struct Published<F> {
    files: F,
    key: Result<Vec<u8>, Unreadable>,
    checkpoint: Result<Vec<u8>, Unreadable>,
    size: u64,
    whole: bool,
}

impl<F: LogFiles> Published<F> {
    /// Reads the latest checkpoint, and whether entries can be read.
    pub fn new(files: F) -> Published<F> {
        // The key may change between the two; then both are read again.
        let mut key = present(&files, &LogFile::VerifierKey);
        let mut checkpoint = present(&files, &LogFile::Checkpoint);
        for _ in 0..KEY_TRIES {
            let again = present(&files, &LogFile::VerifierKey);
            if again == key {
                break;
            }
            key = again;
            checkpoint = present(&files, &LogFile::Checkpoint);
        }
        let mut published = Published {
            key,
            checkpoint,
            size: 0,
            whole: false,
            files,
        };
        let note = published.checkpoint.as_deref().unwrap_or_default();
        let size = String::from_utf8_lossy(note);
        let size = size.split('\n').nth(1).and_then(|size| size.parse().ok());
        published.size = size.unwrap_or(0);
        published.whole = matches!(published.bundle(0), Ok(Some(_)) | Err(_));
        published
    }

    /// Where its files come from.
    pub fn files(&self) -> &F {
        &self.files
    }

    /// A bundle as the checkpoint covers it; a partial one may have been filled in the meantime.
    fn bundle(&self, index: u64) -> Result<Option<Vec<Vec<u8>>>, Unreadable> {
        let width = self
            .size
            .saturating_sub(index.saturating_mul(TILE_WIDTH))
            .min(TILE_WIDTH);
        let file = LogFile::Bundle { index, width };
        let filled = LogFile::Bundle {
            index,
            width: TILE_WIDTH,
        };
        let Some(bytes) = self.read_one_of(&file, &filled)? else {
            return Ok(None);
        };
        let path = file.path();
        let mut entries =
            bundle::decode(&bytes).map_err(|error| Unreadable(format!("{path}: {error}")))?;
        if (entries.len() as u64) < width {
            let found = entries.len();
            return Err(Unreadable(format!(
                "{path} has {found} entries, not {width}"
            )));
        }
        entries.truncate(width as usize);
        Ok(Some(entries))
    }

    fn read_one_of(&self, file: &LogFile, other: &LogFile) -> Result<Option<Vec<u8>>, Unreadable> {
        match self.files.read(file)? {
            None if file != other => self.files.read(other),
            found => Ok(found),
        }
    }
}

fn present(files: &impl LogFiles, file: &LogFile) -> Result<Vec<u8>, Unreadable> {
    let found = files.read(file)?;
    found.ok_or_else(|| Unreadable(format!("{} is missing", file.path())))
}

impl<F: LogFiles> Source for Published<F> {
    fn verifier_key(&self) -> Result<Vec<u8>, Unreadable> {
        self.key.clone()
    }

    fn rotations(&self) -> Result<Vec<Vec<u8>>, Unreadable> {
        let mut notes = Vec::new();
        for number in 1..=ROTATIONS_MAX {
            match self.files.read(&LogFile::Rotation(number))? {
                Some(note) => notes.push(note),
                None => break,
            }
        }
        Ok(notes)
    }

    fn checkpoint(&self) -> Result<Vec<u8>, Unreadable> {
        self.checkpoint.clone()
    }

    fn checkpoints(&self, _: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>, Unreadable> {
        Ok(Vec::new())
    }

    fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, Unreadable> {
        if !self.whole {
            let single = |seq| self.files.read(&LogFile::Entry(seq));
            return seqs.map(single).collect();
        }
        let index = seqs.start / TILE_WIDTH;
        let bundle = self
            .bundle(index)?
            .ok_or_else(|| Unreadable(format!("the entries of bundle {index} are missing")))?;
        let first = (seqs.start % TILE_WIDTH) as usize;
        let mut entries = bundle.into_iter().skip(first);
        Ok(seqs.map(|_| entries.next()).collect())
    }

    fn withholds(&self) -> bool {
        !self.whole
    }

    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, Unreadable> {
        let filled = Tile {
            width: TILE_WIDTH,
            ..tile
        };
        let found = self.read_one_of(&LogFile::Tile(tile), &LogFile::Tile(filled))?;
        Ok(found.map(|mut hashes| {
            if hashes.len() as u64 == TILE_WIDTH * 32 {
                hashes.truncate(tile.width as usize * 32);
            }
            hashes
        }))
    }

    fn publishes_partial_tiles(&self) -> bool {
        true
    }

    fn last_entry(&self) -> Result<Option<Digest>, Unreadable> {
        Ok(None)
    }

    fn object(&self, digest: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        self.files.object(digest)
    }
}
