//! The log's head: the checkpoint over it, and the mark outside the store that it must not be behind.

use std::path::Path;

use vouchsafe_evidence::merkle;
use vouchsafe_evidence::rotation::KeyHistory;
use vouchsafe_evidence::tile::TileWriter;

use super::high_water::{HighWater, Mark};
use super::{ArchiveError, folder, log};
use crate::store::Store;

/// The checkpoint of the head must be there, ours, and over the tree that is there.
pub(super) fn check_head(
    store: &dyn Store,
    keys: &KeyHistory,
    tiles: &TileWriter,
) -> Result<(), ArchiveError> {
    let size = tiles.edge().size();
    if size == 0 {
        return Ok(());
    }
    let broken = |why: String| ArchiveError::Broken(format!("checkpoint of {size} entries: {why}"));
    let (_, note) = store
        .checkpoints(size..size + 1, 1)?
        .pop()
        .ok_or_else(|| broken("missing".to_owned()))?;
    let checkpoint = keys
        .verify(&note)
        .map_err(|error| broken(error.to_string()))?;
    if checkpoint.root != tiles.edge().root() {
        return Err(broken("the entries have another root".to_owned()));
    }
    Ok(())
}

/// Holds the log against the mark of the archive in `folder`. A log that has entries and no readable mark is
/// refused, too, until somebody who knows why it was lost makes the file empty.
pub(super) fn check_not_rolled_back(
    folder: &Path,
    store: &dyn Store,
    mark: Option<Mark>,
) -> Result<(), ArchiveError> {
    let (file, size) = (folder::high_water(folder), store.head()?.size);
    match mark {
        Some(mark) => check_mark(store, &mark),
        None if size == 0 || HighWater::is_renounced(&file) => Ok(()),
        None => Err(ArchiveError::Broken(format!(
            "{} has no readable mark although the log has {size} entries: nobody can tell whether \
             the log was rolled back; if you know that it was not, make that file empty",
            file.display()
        ))),
    }
}

/// A log that is behind its own mark was rolled back; one with another root was replaced.
pub(super) fn check_mark(store: &dyn Store, mark: &Mark) -> Result<(), ArchiveError> {
    let size = store.head()?.size;
    if mark.size > size {
        return Err(ArchiveError::Broken(format!(
            "the log has {size} entries, but {} were signed: it was rolled back",
            mark.size
        )));
    }
    if merkle::root(&log::subtrees(store, mark.size), mark.size)? != mark.root {
        return Err(ArchiveError::Broken(format!(
            "the first {} entries are not those that were signed: the log was replaced",
            mark.size
        )));
    }
    Ok(())
}
