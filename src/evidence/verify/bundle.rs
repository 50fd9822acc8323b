//! What one worker checks by itself: a bundle of entries against its tile, and an object against its record.

use std::ops::Range;

use super::{READ_BYTES, Source};
use crate::digest::{ContentHasher, Digest};
use crate::entry::{Entry, Object};
use crate::merkle::leaf_hash;
use crate::report::Fault;
use crate::tile::{TILE_WIDTH, Tile, complete_root, tile_hashes};

/// What a worker found in one bundle.
pub(super) struct Bundle {
    pub first: u64,
    /// Whether its tile was there.
    pub published: bool,
    pub leaves: Vec<Digest>,
    pub entries: Vec<Option<Checked>>,
    pub root: Option<Digest>,
    pub bytes: u64,
    pub faults: Vec<Fault>,
    /// Entries whose leaf hash is not the one in the tile: which of the two is wrong, a signed root will tell.
    pub disputed: Vec<Fault>,
}

impl Bundle {
    /// Whether there was neither an entry nor a hash.
    pub fn is_empty(&self) -> bool {
        !self.published && self.entries.iter().all(Option::is_none)
    }
}

/// An entry that could be read.
pub(super) struct Checked {
    pub entry: Entry,
    pub hash: Digest,
    /// Whether a fault of this entry is reported already.
    pub faulty: bool,
}

pub(super) fn read_bundle(source: &dyn Source, index: u64, size: u64) -> Bundle {
    let first = index * TILE_WIDTH;
    let width = (size - first).min(TILE_WIDTH);
    let mut bundle = Bundle {
        first,
        published: false,
        leaves: Vec::new(),
        entries: Vec::new(),
        root: None,
        bytes: 0,
        faults: Vec::new(),
        disputed: Vec::new(),
    };
    let tile = Tile {
        level: 0,
        index,
        width,
    };
    let must_exist = width == TILE_WIDTH || source.publishes_partial_tiles() || source.withholds();
    let published = published_leaves(source, tile, must_exist, &mut bundle.faults);
    bundle.published = published.is_some();
    for (seq, bytes) in (first..).zip(read_entries(
        source,
        first..first + width,
        &mut bundle.faults,
    )) {
        let claimed = published
            .as_ref()
            .map(|leaves| leaves[(seq - first) as usize]);
        let (leaf, checked) = check_entry(seq, bytes, claimed, source.withholds(), &mut bundle);
        bundle.leaves.push(leaf);
        bundle.entries.push(checked);
    }
    bundle.root = (width == TILE_WIDTH).then(|| complete_root(&bundle.leaves));
    bundle
}

fn published_leaves(
    source: &dyn Source,
    tile: Tile,
    must_exist: bool,
    faults: &mut Vec<Fault>,
) -> Option<Vec<Digest>> {
    let found = match source.tile(tile) {
        Ok(None) if !must_exist => return None,
        Ok(Some(bytes)) => {
            match tile_hashes(&bytes).filter(|hashes| hashes.len() as u64 == tile.width) {
                Some(hashes) => return Some(hashes),
                None => format!("{} bytes", bytes.len()),
            }
        }
        Ok(None) => "nothing".to_owned(),
        Err(error) => error.to_string(),
    };
    faults.push(Fault {
        seq: None,
        path: tile.path(),
        what: "tile".to_owned(),
        expected: format!("{} leaf hashes", tile.width),
        found,
    });
    None
}

/// Reads a span of entries; where the span cannot be read as a whole, entry by entry, so that the
/// damaged one is named.
fn read_entries(
    source: &dyn Source,
    seqs: Range<u64>,
    faults: &mut Vec<Fault>,
) -> Vec<Option<Vec<u8>>> {
    if let Ok(entries) = source.entries(seqs.clone())
        && entries.len() as u64 == seqs.end - seqs.start
    {
        return entries;
    }
    seqs.map(|seq| match source.entries(seq..seq + 1) {
        Ok(mut one) => one.pop().flatten(),
        Err(error) => {
            faults.push(entry_fault(seq, "", "readable bytes", error));
            None
        }
    })
    .collect()
}

pub(super) fn entry_fault(
    seq: u64,
    path: &str,
    expected: impl Into<String>,
    found: impl ToString,
) -> Fault {
    Fault {
        seq: Some(seq),
        path: path.to_owned(),
        what: "entry".to_owned(),
        expected: expected.into(),
        found: found.to_string(),
    }
}

fn check_entry(
    seq: u64,
    bytes: Option<Vec<u8>>,
    claimed: Option<Digest>,
    withholds: bool,
    bundle: &mut Bundle,
) -> (Digest, Option<Checked>) {
    let Some(bytes) = bytes else {
        let reported = bundle.faults.iter().any(|fault| fault.seq == Some(seq));
        if !(reported || withholds && claimed.is_some()) {
            bundle
                .faults
                .push(entry_fault(seq, "", "an entry", "nothing"));
        }
        return (claimed.unwrap_or(Digest([0; 32])), None);
    };
    bundle.bytes += bytes.len() as u64;
    let leaf = leaf_hash(&bytes);
    let before = bundle.disputed.len();
    let decoded = Entry::decode(&bytes);
    let path = decoded.as_ref().map_or("", |entry| &entry.path);
    if let Some(claimed) = claimed.filter(|claimed| *claimed != leaf) {
        let expected = format!("leaf hash {claimed}, as tile 0/{} says", seq / TILE_WIDTH);
        bundle.disputed.push(entry_fault(seq, path, expected, leaf));
    }
    match decoded {
        Ok(entry) if entry.seq != seq => {
            bundle.faults.push(entry_fault(
                seq,
                &entry.path,
                format!("number {seq}"),
                entry.seq,
            ));
            (leaf, None)
        }
        Ok(entry) => {
            let faulty = bundle.disputed.len() > before;
            (
                leaf,
                Some(Checked {
                    entry,
                    hash: Digest::blake3(&bytes),
                    faulty,
                }),
            )
        }
        Err(error) => {
            bundle
                .faults
                .push(entry_fault(seq, "", "a canonical entry", error));
            (leaf, None)
        }
    }
}

/// Reads an object and compares size and both digests; gives its size.
pub(super) fn check_object(
    source: &dyn Source,
    seq: u64,
    path: &str,
    object: &Object,
) -> Result<u64, Fault> {
    let fault = |expected: String, found: String| Fault {
        seq: Some(seq),
        path: path.to_owned(),
        what: format!("object {}", object.name),
        expected,
        found,
    };
    let expected = || format!("BLAKE3 {}", object.blake3);
    let mut content = match source.object(&object.blake3) {
        Ok(Some(content)) => content,
        Ok(None) => return Err(fault(expected(), "nothing".to_owned())),
        Err(error) => return Err(fault(expected(), error.to_string())),
    };
    let mut hasher = ContentHasher::default();
    // Most objects are small, and clearing a large buffer for each costs as much as hashing it.
    let mut piece = vec![0; READ_BYTES.min(object.size as usize + 1)];
    loop {
        match content.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => hasher.update(&piece[..read]),
            Err(error) => return Err(fault(expected(), error.to_string())),
        }
    }
    let found = hasher.finish();
    if found.blake3 != object.blake3 {
        return Err(fault(expected(), format!("BLAKE3 {}", found.blake3)));
    }
    if found.sha256 != object.sha256 || found.size != object.size {
        let words = |size: u64, sha256: Digest| format!("{size} bytes with SHA-256 {sha256}");
        return Err(fault(
            words(object.size, object.sha256),
            words(found.size, found.sha256),
        ));
    }
    Ok(found.size)
}
