//! The high-water mark: the last signed size and root, kept outside the store, so that a store that
//! was rolled back is noticed when the archive is opened.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use vouchsafe_evidence::checkpoint::Checkpoint;
use vouchsafe_evidence::digest::Digest;

use super::ArchiveError;

/// Two slots, written in turn, so that a torn write leaves the one before.
const SLOT_BYTES: u64 = 512;

/// A power cut may lower the mark by what was signed in this time; a killed process lowers it by nothing.
const BETWEEN_SYNCS: Duration = Duration::from_millis(50);

/// The highest mark that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub size: u64,
    pub root: Digest,
}

/// The file, and the thread that syncs it. The mark is in the file before anything is answered, so a
/// killed process loses none; a power cut may lose the last moments of it, which only lowers it.
pub(super) struct HighWater {
    file: Arc<File>,
    path: std::path::PathBuf,
    sync: SyncSender<()>,
    /// How often the mark was raised: its parity is the slot that is written next.
    raised: AtomicU64,
}

/// `size root check`, where `check` is the start of BLAKE3 over what stands before it.
fn line(mark: &Mark) -> String {
    let text = format!("{} {}", mark.size, mark.root);
    let check = Digest::blake3(text.as_bytes()).to_string();
    format!("{text} {}\n", &check[..16])
}

fn parse(slot: &[u8]) -> Option<Mark> {
    let text = std::str::from_utf8(slot).ok()?;
    let text = &text[..=text.find('\n')?];
    let mut words = text.split_whitespace();
    let mark = Mark {
        size: words.next()?.parse().ok()?,
        root: words.next()?.parse().ok()?,
    };
    (line(&mark) == text).then_some(mark)
}

fn slots(path: &Path) -> Result<[Option<Mark>; 2], ArchiveError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(ArchiveError::io(path, error)),
    };
    let mut slots = bytes.chunks(SLOT_BYTES as usize).map(parse);
    Ok([slots.next().flatten(), slots.next().flatten()])
}

impl HighWater {
    /// The mark in `path`; `None` if the file is absent or neither slot can be read.
    pub fn read(path: &Path) -> Result<Option<Mark>, ArchiveError> {
        let highest = slots(path)?.into_iter().flatten();
        Ok(highest.max_by_key(|mark| mark.size))
    }

    /// Whether the file is there and empty: somebody who knows why it was lost lets the log go on.
    pub fn is_renounced(path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|metadata| metadata.len() == 0)
    }

    /// Opens the file for raising the mark.
    pub fn open(path: &Path) -> Result<HighWater, ArchiveError> {
        let [first, second] = slots(path)?.map(|slot| slot.map_or(0, |mark| mark.size));
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(|error| ArchiveError::io(path, error))?;
        let file = Arc::new(file);
        let (sync, wanted) = sync_channel::<()>(1);
        let synced = Arc::clone(&file);
        std::thread::Builder::new()
            .name("high-water".to_owned())
            .spawn(move || {
                while wanted.recv().is_ok() {
                    if let Err(error) = synced.sync_data() {
                        tracing::error!(%error, "the high-water mark could not be synced");
                    }
                    // Each sync holds up those of the log itself on the same disk.
                    std::thread::sleep(BETWEEN_SYNCS);
                }
            })
            .map_err(|error| ArchiveError::Fault(format!("starting a thread: {error}")))?;
        Ok(HighWater {
            file,
            path: path.to_owned(),
            sync,
            raised: AtomicU64::new(u64::from(first > second)),
        })
    }

    /// Raises the mark to what was just signed and stored.
    pub fn raise(&self, checkpoint: &Checkpoint) -> Result<(), ArchiveError> {
        let mark = Mark {
            size: checkpoint.size,
            root: checkpoint.root,
        };
        let mut slot = line(&mark).into_bytes();
        slot.resize(SLOT_BYTES as usize, b'\n');
        let at = self.raised.fetch_add(1, Ordering::Relaxed) % 2 * SLOT_BYTES;
        self.file
            .write_all_at(&slot, at)
            .map_err(|error| ArchiveError::io(&self.path, error))?;
        // If a sync is asked for already, it will cover this write.
        let _ = self.sync.try_send(());
        Ok(())
    }
}

impl Drop for HighWater {
    fn drop(&mut self) {
        // An archive that is closed leaves nothing to a power cut.
        let _ = self.file.sync_data();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint(size: u64) -> Checkpoint {
        Checkpoint {
            origin: "vouchsafe/test".into(),
            size,
            root: Digest::blake3(&size.to_be_bytes()),
        }
    }

    #[test]
    fn the_highest_whole_mark_counts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("high-water");
        assert_eq!(HighWater::read(&path).unwrap(), None);
        let mark = HighWater::open(&path).unwrap();
        for size in [1, 2, 3] {
            mark.raise(&checkpoint(size)).unwrap();
        }
        assert_eq!(HighWater::read(&path).unwrap().unwrap().size, 3);
        HighWater::open(&path)
            .unwrap()
            .raise(&checkpoint(5))
            .unwrap();
        // The write of 5 is torn: 3 is still there, 2 was overwritten.
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[SLOT_BYTES as usize] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(HighWater::read(&path).unwrap().unwrap().size, 3);
    }
}
