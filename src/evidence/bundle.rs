//! Entry bundles: up to 256 entries, each behind its length as a big-endian 16-bit integer
//! (C2SP tlog-tiles).

use crate::entry::ENTRY_MAX_BYTES;
use crate::tile::{TILE_WIDTH, index_path};

/// A bundle that is cut off, too full, or has an empty entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("damaged entry bundle at byte {at}")]
pub struct BundleError {
    /// Offset of the entry that does not fit.
    pub at: usize,
}

/// Path below the log's prefix: `tile/entries/x001/234.p/5`.
pub fn bundle_path(index: u64, width: u64) -> String {
    format!("tile/entries/{}", index_path(index, width))
}

/// Puts entries one after the other; each must be at most 65,535 bytes long.
pub fn encode(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bundle = Vec::with_capacity(entries.iter().map(|entry| entry.len() + 2).sum());
    for entry in entries {
        debug_assert!(entry.len() <= ENTRY_MAX_BYTES);
        bundle.extend_from_slice(&(entry.len() as u16).to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    bundle
}

/// Takes a bundle apart.
pub fn decode(bundle: &[u8]) -> Result<Vec<Vec<u8>>, BundleError> {
    let mut entries = Vec::new();
    let mut at = 0;
    while at < bundle.len() {
        let entry = bundle
            .get(at..at + 2)
            .map(|length| usize::from(u16::from_be_bytes([length[0], length[1]])))
            .filter(|length| *length > 0 && entries.len() < TILE_WIDTH as usize)
            .and_then(|length| bundle.get(at + 2..at + 2 + length))
            .ok_or(BundleError { at })?;
        entries.push(entry.to_vec());
        at += 2 + entry.len();
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bundles_round_trip(entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..20)) {
            prop_assert_eq!(decode(&encode(&entries)), Ok(entries));
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(entries) = decode(&bytes) {
                prop_assert_eq!(encode(&entries), bytes);
            }
        }
    }
}
