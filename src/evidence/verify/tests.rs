use super::*;
use crate::entry::tests::sample;
use crate::key::{KeyKind, SigningNoteKey};
use crate::merkle::leaf_hash;
use crate::tile::{TILE_WIDTH, tile_bytes};

/// A published log of `size` entries, in which one upper tile may be damaged.
struct Published {
    entries: Vec<Vec<u8>>,
    tiles: std::collections::HashMap<(u32, u64), Vec<u8>>,
    key: SigningNoteKey,
    checkpoint: String,
    damaged: Option<Tile>,
}

impl Published {
    fn new(size: u64) -> Published {
        let key = SigningNoteKey::from_seed("vouchsafe/test", KeyKind::Note, &[5; 32]).unwrap();
        let (mut entries, mut previous) = (Vec::new(), Digest([0; 32]));
        let (mut writer, mut tiles) = (TileWriter::default(), std::collections::HashMap::new());
        for seq in 0..size {
            let mut entry = sample(seq, previous);
            entry.objects.clear();
            let bytes = entry.encode().unwrap();
            previous = Digest::blake3(&bytes);
            writer.push(leaf_hash(&bytes), |tile, hashes| {
                tiles.insert((tile.level, tile.index), hashes);
            });
            entries.push(bytes);
        }
        for level in (0..8).filter(|level| !writer.partial(*level).is_empty()) {
            let index = (size >> (level * 8)) / TILE_WIDTH;
            tiles.insert((level, index), tile_bytes(writer.partial(level)));
        }
        let checkpoint = Checkpoint {
            origin: "vouchsafe/test".to_owned(),
            size,
            root: writer.edge().root(),
        };
        Published {
            checkpoint: checkpoint.sign(&key),
            entries,
            tiles,
            key,
            damaged: None,
        }
    }

    fn report(&self) -> Report {
        verify(self, Options::new(&mut |_| {}))
    }
}

impl Source for Published {
    fn verifier_key(&self) -> Result<Vec<u8>, Unreadable> {
        Ok(self.key.verifier().to_string().into_bytes())
    }
    fn rotations(&self) -> Result<Vec<Vec<u8>>, Unreadable> {
        Ok(Vec::new())
    }
    fn checkpoint(&self) -> Result<Vec<u8>, Unreadable> {
        Ok(self.checkpoint.clone().into_bytes())
    }
    fn checkpoints(&self, _: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>, Unreadable> {
        Ok(Vec::new())
    }
    fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, Unreadable> {
        Ok(seqs
            .map(|seq| self.entries.get(seq as usize).cloned())
            .collect())
    }
    fn withholds(&self) -> bool {
        false
    }
    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, Unreadable> {
        let mut bytes = self.tiles.get(&(tile.level, tile.index)).cloned();
        if let (Some(bytes), true) = (&mut bytes, self.damaged == Some(tile)) {
            bytes[0] ^= 1;
        }
        Ok(bytes)
    }
    fn publishes_partial_tiles(&self) -> bool {
        true
    }
    fn last_entry(&self) -> Result<Option<Digest>, Unreadable> {
        Ok(None)
    }
    fn object(&self, _: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        Ok(None)
    }
}

#[test]
fn a_damaged_tile_of_any_level_is_found() {
    // 65,541 entries fill level 1 exactly once, so that level 2 has a partial tile above none.
    for size in [1, 256, 300, 65_541] {
        let mut log = Published::new(size);
        assert!(log.report().ok, "{}", log.report());
        for tile in Tile::all(size).collect::<Vec<_>>() {
            if size > 1_000 && tile.level == 0 && tile.index > 2 {
                continue;
            }
            log.damaged = Some(tile);
            assert!(!log.report().ok, "{size} entries, {}", tile.path());
        }
    }
}

#[test]
fn a_first_entry_that_has_a_before_is_named() {
    let mut log = Published::new(1);
    log.entries[0] = sample(0, Digest([1; 32])).encode().unwrap();
    let report = log.report();
    let first = report.first.unwrap();
    assert_eq!(first.seq, Some(0));
}
