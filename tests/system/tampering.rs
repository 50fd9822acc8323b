//! What somebody can do who has the store, or the store and the signing key.

use std::fs;
use std::path::Path;

use rocksdb::{DB, Options};
use vouchsafe_evidence::checkpoint::Checkpoint;
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::entry::Entry;
use vouchsafe_evidence::key::{KeyKind, SigningNoteKey};
use vouchsafe_evidence::merkle::leaf_hash;
use vouchsafe_evidence::tile::{Tile, TileWriter, tile_bytes};

use crate::served::run_expecting;

/// The store's rows, as somebody with root sees them.
pub struct Store(pub DB);

impl Store {
    pub fn open(archive: &Path) -> Store {
        let (options, store) = (Options::default(), archive.join("store"));
        let families = DB::list_cf(&options, &store).unwrap();
        Store(DB::open_cf(&options, &store, families).unwrap())
    }

    pub fn get(&self, family: &str, key: &[u8]) -> Vec<u8> {
        let family = self.0.cf_handle(family).unwrap();
        self.0
            .get_cf(family, key)
            .unwrap()
            .expect("the row is there")
    }

    pub fn put(&self, family: &str, key: &[u8], value: &[u8]) {
        let family = self.0.cf_handle(family).unwrap();
        self.0.put_cf(family, key, value).unwrap();
    }

    pub fn entry(&self, seq: u64) -> Entry {
        Entry::decode(&self.get("entries", &seq.to_be_bytes())).unwrap()
    }

    pub fn size(&self) -> u64 {
        let head = self.0.get(b"head").unwrap().unwrap();
        u64::from_be_bytes(head[..8].try_into().unwrap())
    }

    /// The last entry of this kind.
    pub fn find(&self, kind: &str) -> u64 {
        let mut seqs = (0..self.size()).rev();
        seqs.find(|seq| self.entry(*seq).kind == kind)
            .expect("such an entry is there")
    }
}

/// Writes the whole log anew, as somebody does who has store and signing key: entries as `forge` changes them,
/// chain, tiles, checkpoints, head and mark; with another key of the same name if asked.
pub fn resign(archive: &Path, with_another_key: bool, forge: impl Fn(&Store, &mut Entry)) {
    let store = Store::open(archive);
    let secret = fs::read_to_string(archive.join("signing-key")).unwrap();
    let own = SigningNoteKey::parse(&secret).unwrap();
    let key = match with_another_key {
        true => {
            let key =
                SigningNoteKey::from_seed(own.verifier().name(), KeyKind::Note, &[66; 32]).unwrap();
            fs::write(archive.join("signing-key"), key.secret_text()).unwrap();
            fs::write(archive.join("vkey"), key.verifier().to_string()).unwrap();
            key
        }
        false => own,
    };
    let (mut tree, mut previous) = (TileWriter::default(), Digest([0; 32]));
    let tile_key = |tile: Tile| [&tile.level.to_be_bytes()[..], &tile.index.to_be_bytes()].concat();
    for seq in 0..store.size() {
        let mut entry = store.entry(seq);
        entry.prev = previous;
        if entry.kind == "archive.created" {
            entry
                .body
                .insert("vkey".to_owned(), key.verifier().to_string().into());
        }
        forge(&store, &mut entry);
        let bytes = entry.encode().unwrap();
        previous = Digest::blake3(&bytes);
        tree.push(leaf_hash(&bytes), |tile, hashes| {
            store.put("tiles", &tile_key(tile), &hashes);
        });
        store.put("entries", &seq.to_be_bytes(), &bytes);
        let size = (seq + 1).to_be_bytes();
        let family = store.0.cf_handle("checkpoints").unwrap();
        if store.0.get_cf(family, size).unwrap().is_some() {
            let checkpoint = Checkpoint {
                origin: key.verifier().name().to_owned(),
                size: seq + 1,
                root: tree.edge().root(),
            };
            store.put("checkpoints", &size, checkpoint.sign(&key).as_bytes());
        }
    }
    let edge = tree.edge();
    if let Some(tile) = Tile::at_edge(1, edge.size()) {
        store.put("tiles", &tile_key(tile), &tile_bytes(tree.partial(1)));
    }
    store
        .0
        .put(
            b"head",
            [&edge.size().to_be_bytes()[..], &previous.0].concat(),
        )
        .unwrap();
    let mark = format!("{} {}", edge.size(), edge.root());
    let check = Digest::blake3(mark.as_bytes()).to_string();
    fs::write(
        archive.join("high-water"),
        format!("{mark} {}\n", &check[..16]),
    )
    .unwrap();
}

/// Content with a bit in its middle changed.
pub fn flip(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    bytes
}

/// The first fault that `verify` names: its entry, and the line as people read it.
pub fn first_fault(archive: &Path, more: &[&str]) -> (Option<u64>, String) {
    let arguments = [&["verify", archive.to_str().unwrap(), "--json"], more].concat();
    let report: serde_json::Value = serde_json::from_str(&run_expecting(1, &arguments)).unwrap();
    assert!(report["faults"].as_u64() > Some(0), "{report}");
    (report["first"]["seq"].as_u64(), report["first"].to_string())
}
