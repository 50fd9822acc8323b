//! The stored log in the forms in which it is shown to others: tiles at any size, and proofs.

use vouchsafe_evidence::checkpoint::Checkpoint;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::merkle::{inclusion_proof, leaf_hash};
use vouchsafe_evidence::proof::InclusionProof;
use vouchsafe_evidence::tile::{
    TILE_WIDTH, Tile, TileError, TileReader, complete_root, tile_bytes, tile_hashes,
};

use super::{ArchiveError, Records};
use crate::store::Truth;

/// The bytes of a tile, full or partial; `None` if the log has not reached it.
pub(super) fn tile(store: &dyn Truth, tile: Tile) -> Result<Option<Vec<u8>>, ArchiveError> {
    let wanted = tile.width as usize * 32;
    if let Some(mut kept) = store
        .tile(tile.level, tile.index)?
        .filter(|kept| kept.len() >= wanted)
    {
        kept.truncate(wanted);
        return Ok(Some(kept));
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

/// Against which checkpoint an entry is proved.
pub(super) enum Against {
    /// The first that covers it, so that the proof never changes.
    First,
    /// The published one if that covers it, or else the log's head.
    Latest,
}

/// The proof that an entry is in the log, with the entry as its extra data, and the key that signed its
/// checkpoint.
pub(super) fn entry_proof(
    records: &Records,
    seq: u64,
    against: Against,
) -> Result<(InclusionProof, VerifierKey), ArchiveError> {
    let store = &*records.store;
    let broken = |what: &str| ArchiveError::Broken(format!("entry {seq}: {what}"));
    let note = match against {
        Against::First => store
            .checkpoints(seq + 1..u64::MAX, 1)?
            .pop()
            .map(|(_, note)| note),
        Against::Latest => match records.cosigned()? {
            Some((size, note)) if size > seq => Some(note),
            _ => Some(records.head_checkpoint()?),
        },
    };
    let note = note.ok_or_else(|| broken("no checkpoint covers it"))?;
    let keys = records.keys();
    let signed = keys.keys().iter().rev().find_map(|key| {
        let checkpoint = Checkpoint::verify(&note, key).ok()?;
        Some((checkpoint, key.clone()))
    });
    let (checkpoint, key) = signed.ok_or_else(|| broken("no key signed its checkpoint"))?;
    let entry = store.entries(seq..seq + 1)?.pop().flatten();
    let proof = InclusionProof {
        extra: entry.ok_or_else(|| broken("missing"))?,
        index: seq,
        hashes: inclusion_proof(&subtrees(store, checkpoint.size), seq, checkpoint.size)?,
        checkpoint: String::from_utf8(note).map_err(|_| broken("its checkpoint is no text"))?,
    };
    Ok((proof, key))
}
