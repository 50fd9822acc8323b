//! The stored log in the forms in which it is shown to others: tiles at any size, and proofs.

use vouchsafe_evidence::checkpoint::Checkpoint;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::merkle::{inclusion_proof, leaf_hash};
use vouchsafe_evidence::proof::{EntryProof, InclusionProof};
use vouchsafe_evidence::tile::{
    TILE_WIDTH, Tile, TileError, TileReader, complete_root, tile_bytes, tile_hashes,
};

use super::ArchiveError;
use crate::store::Truth;

/// The bytes of a tile, full or partial; `None` if the log has not reached it.
pub(super) fn tile(store: &dyn Truth, tile: Tile) -> Result<Option<Vec<u8>>, ArchiveError> {
    if let Some(mut full) = store.tile(tile.level, tile.index)? {
        full.truncate(tile.width as usize * 32);
        return Ok(Some(full));
    }
    let first = tile.index * TILE_WIDTH;
    let below = first..first + tile.width;
    let hashes = match tile.level.checked_sub(1) {
        None => {
            let entries = store.entries(below)?;
            let hashed = entries.iter().map(|entry| entry.as_deref().map(leaf_hash));
            hashed.collect::<Option<Vec<_>>>()
        }
        Some(level) => {
            let mut roots = Vec::with_capacity(tile.width as usize);
            for index in below {
                let full = store.tile(level, index)?;
                roots.push(full.and_then(|bytes| {
                    tile_hashes(&bytes)
                        .filter(|hashes| hashes.len() as u64 == TILE_WIDTH)
                        .map(|hashes| complete_root(&hashes))
                }));
            }
            roots.into_iter().collect()
        }
    };
    Ok(hashes.map(|hashes| tile_bytes(&hashes)))
}

/// Subtree roots of the stored tree of `size` leaves.
pub(super) fn subtrees(
    store: &dyn Truth,
    size: u64,
) -> TileReader<impl Fn(Tile) -> Result<Option<Vec<u8>>, ArchiveError> + '_> {
    TileReader::new(size, move |wanted| tile(store, wanted))
}

impl From<TileError<ArchiveError>> for ArchiveError {
    fn from(error: TileError<ArchiveError>) -> ArchiveError {
        match error {
            TileError::Fetch(error) => error,
            missing @ TileError::Missing(_) => ArchiveError::Broken(missing.to_string()),
        }
    }
}

/// The entry's proof against the first checkpoint that covers it, so that it never changes.
pub(super) fn entry_proof(
    store: &dyn Truth,
    key: &VerifierKey,
    seq: u64,
) -> Result<EntryProof, ArchiveError> {
    let broken = |what: &str| ArchiveError::Broken(format!("entry {seq}: {what}"));
    let (_, note) = store
        .checkpoints(seq + 1..u64::MAX, 1)?
        .pop()
        .ok_or_else(|| broken("no checkpoint covers it"))?;
    let checkpoint = Checkpoint::verify(&note, key).map_err(|error| broken(&error.to_string()))?;
    let entry = store.entries(seq..seq + 1)?.pop().flatten();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).map_err(|_| broken("not UTF-8"));
    let proof = InclusionProof {
        index: seq,
        hashes: inclusion_proof(&subtrees(store, checkpoint.size), seq, checkpoint.size)?,
        checkpoint: text(note)?,
    };
    Ok(EntryProof {
        entry: text(entry.ok_or_else(|| broken("missing"))?)?,
        proof: proof.to_text(),
        vkey: key.to_string(),
    })
}
