//! The verifier: reads a log from any [`Source`] and checks every claim that it makes.
//!
//! Entries are read in bundles, in parallel, in waves of bounded size, so that memory stays flat.

use std::collections::HashSet;
use std::io::Read;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::checkpoint::Checkpoint;
use crate::digest::{ContentHasher, Digest};
use crate::entry::{Entry, Object};
use crate::key::VerifierKey;
use crate::merkle::{Edge, leaf_hash};
use crate::report::{Fault, Report};
use crate::tile::{TILE_WIDTH, Tile, TileWriter, complete_root, tile_bytes, tile_hashes};

/// Bundles per thread and wave: 64 × 256 entries of at most 64 KiB.
const WAVE_BUNDLES: u64 = 64;
/// Piece size in which objects are read.
const READ_BYTES: usize = 256 << 10;

/// Something that could not be read, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// Where a log is read from. Nothing that it returns is believed.
pub trait Source: Sync {
    /// The verifier key that the log itself offers.
    fn verifier_key(&self) -> Result<Vec<u8>, Unreadable>;
    /// The latest checkpoint.
    fn checkpoint(&self) -> Result<Vec<u8>, Unreadable>;
    /// Kept checkpoints with sizes in `sizes`, by size.
    fn checkpoints(&self, sizes: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>, Unreadable>;
    /// The entries of a bundle, in order; `None` for one that is absent or withheld.
    fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, Unreadable>;
    /// Whether absent entries are withheld on purpose, as in the export of a part.
    fn withholds(&self) -> bool;
    /// A tile, if it is published.
    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, Unreadable>;
    /// Whether partial tiles are published too.
    fn publishes_partial_tiles(&self) -> bool;
    /// BLAKE3 of the last entry, where the source keeps it.
    fn last_entry(&self) -> Result<Option<Digest>, Unreadable>;
    /// An object's content.
    fn object(&self, digest: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable>;
}

/// What to check beyond the log itself, and how.
pub struct Options<'a> {
    /// The key that the log must have; without it, the key that it offers is taken.
    pub key: Option<VerifierKey>,
    /// An earlier checkpoint: the log must have only grown since.
    pub since: Option<Vec<u8>>,
    /// Threads to use.
    pub threads: usize,
    /// Gets the number of entries checked and their total.
    pub progress: &'a dyn Fn(u64, u64),
    /// Gets every entry that could be read, in order.
    pub entry: &'a mut dyn FnMut(&Entry),
}

/// Checks a log. What is wrong is in the report.
pub fn verify(source: &dyn Source, options: Options<'_>) -> Report {
    let mut report = Report::default();
    let Some((key, checkpoint)) = signed_head(source, &options, &mut report) else {
        return report;
    };
    report.origin.clone_from(&checkpoint.origin);
    report.size = checkpoint.size;
    report.root = Some(checkpoint.root);
    let since = since(&options, &key, &checkpoint, &mut report);
    Walk {
        source,
        key: &key,
        checkpoint,
        since,
        threads: options.threads.max(1),
        report,
        edge: Edge::default(),
        upper: TileWriter::default(),
        previous: None,
    }
    .run(options.progress, options.entry)
}

fn file_fault(path: &str, expected: impl Into<String>, found: impl ToString) -> Fault {
    Fault {
        seq: None,
        path: path.to_owned(),
        what: "signed head".to_owned(),
        expected: expected.into(),
        found: found.to_string(),
    }
}

/// The key and the checkpoint that it signed, or a report that says why there is none.
fn signed_head(
    source: &dyn Source,
    options: &Options<'_>,
    report: &mut Report,
) -> Option<(VerifierKey, Checkpoint)> {
    let offered = source
        .verifier_key()
        .map_err(|error| error.to_string())
        .and_then(|text| {
            let text = String::from_utf8(text).map_err(|error| error.to_string())?;
            VerifierKey::parse(&text).map_err(|error| error.to_string())
        });
    let key = match (offered, &options.key) {
        (Ok(offered), None) => offered,
        (Ok(offered), Some(pinned)) => {
            if offered != *pinned {
                report.fault(file_fault("vkey", pinned.to_string(), offered));
            }
            pinned.clone()
        }
        (Err(error), pinned) => {
            report.fault(file_fault("vkey", "a verifier key", error));
            pinned.clone()?
        }
    };
    let checkpoint = source
        .checkpoint()
        .map_err(|error| error.to_string())
        .and_then(|note| Checkpoint::verify(&note, &key).map_err(|error| error.to_string()));
    match checkpoint {
        Ok(checkpoint) => {
            report.checkpoints += 1;
            Some((key, checkpoint))
        }
        Err(error) => {
            report.fault(file_fault(
                "checkpoint",
                format!("a checkpoint signed by {key}"),
                error,
            ));
            None
        }
    }
}

fn since(
    options: &Options<'_>,
    key: &VerifierKey,
    head: &Checkpoint,
    report: &mut Report,
) -> Option<Checkpoint> {
    match Checkpoint::verify(options.since.as_deref()?, key) {
        Ok(old) if old.size <= head.size => Some(old),
        Ok(old) => {
            let expected = format!("at least the {} entries signed earlier", old.size);
            report.fault(file_fault(
                "checkpoint",
                expected,
                format!("{} entries", head.size),
            ));
            None
        }
        Err(error) => {
            report.fault(file_fault(
                "earlier checkpoint",
                "a checkpoint of this log",
                error,
            ));
            None
        }
    }
}

/// What a worker found in one bundle.
struct Bundle {
    first: u64,
    leaves: Vec<Digest>,
    entries: Vec<Option<Checked>>,
    root: Option<Digest>,
    bytes: u64,
    faults: Vec<Fault>,
}

/// An entry that could be read.
struct Checked {
    entry: Entry,
    hash: Digest,
    /// Whether a fault of this entry is reported already.
    faulty: bool,
}

/// The state of a verification between waves.
struct Walk<'a> {
    source: &'a dyn Source,
    key: &'a VerifierKey,
    checkpoint: Checkpoint,
    since: Option<Checkpoint>,
    threads: usize,
    report: Report,
    edge: Edge,
    upper: TileWriter,
    /// Number, hash, time and faultiness of the entry before.
    previous: Option<(u64, Digest, u64, bool)>,
}

impl Walk<'_> {
    fn run(mut self, progress: &dyn Fn(u64, u64), visit: &mut dyn FnMut(&Entry)) -> Report {
        let size = self.checkpoint.size;
        let bundles = size.div_ceil(TILE_WIDTH);
        let wave = WAVE_BUNDLES * self.threads as u64;
        for first in (0..bundles).step_by(wave as usize) {
            let indexes: Vec<u64> = (first..bundles.min(first + wave)).collect();
            let until = size.min((first + wave) * TILE_WIDTH);
            let roots = self.signed_roots(first * TILE_WIDTH, until);
            let source = self.source;
            let read = parallel(&indexes, self.threads, |index| {
                read_bundle(source, *index, size)
            });
            let mut objects = Vec::new();
            for bundle in read {
                self.join(bundle, &roots, &mut objects, visit);
            }
            self.check_objects(objects);
            progress(until, size);
        }
        self.finish()
    }

    /// Size and root of every checkpoint in the span, its signature checked.
    fn signed_roots(&mut self, from: u64, until: u64) -> Vec<(u64, Digest, &'static str)> {
        let kept = match self.source.checkpoints(from + 1..until + 1) {
            Ok(kept) => kept,
            Err(error) => {
                self.report
                    .fault(file_fault("checkpoints", "the kept checkpoints", error));
                Vec::new()
            }
        };
        let key = self.key;
        let verified = parallel(&kept, self.threads, |(size, note)| {
            (
                *size,
                Checkpoint::verify(note, key)
                    .ok()
                    .filter(|kept| kept.size == *size),
            )
        });
        let mut roots = Vec::new();
        for (size, checkpoint) in verified {
            match checkpoint {
                Some(checkpoint) => {
                    self.report.checkpoints += 1;
                    roots.push((size, checkpoint.root, "kept checkpoint"));
                }
                None => self.report.fault(Fault {
                    seq: Some(size - 1),
                    path: String::new(),
                    what: format!("kept checkpoint of size {size}"),
                    expected: "a signed checkpoint".to_owned(),
                    found: "one that does not verify".to_owned(),
                }),
            }
        }
        if let Some(old) = self
            .since
            .as_ref()
            .filter(|old| from < old.size && old.size <= until)
        {
            roots.push((old.size, old.root, "earlier checkpoint"));
        }
        if from < self.checkpoint.size && self.checkpoint.size <= until {
            roots.push((self.checkpoint.size, self.checkpoint.root, "checkpoint"));
        }
        roots.sort_by_key(|(size, ..)| *size);
        roots
    }

    /// Appends a bundle to the tree, and checks the chain across it and the roots inside it.
    fn join(
        &mut self,
        bundle: Bundle,
        roots: &[(u64, Digest, &'static str)],
        objects: &mut Vec<(u64, String, Object)>,
        visit: &mut dyn FnMut(&Entry),
    ) {
        self.report.bytes += bundle.bytes;
        for fault in bundle.faults {
            self.report.fault(fault);
        }
        for (seq, checked) in (bundle.first..).zip(&bundle.entries) {
            match checked {
                Some(checked) => {
                    self.report.entries += 1;
                    self.check_chain(seq, checked);
                    visit(&checked.entry);
                    let named = checked.entry.objects.iter();
                    objects.extend(
                        named.map(|object| (seq, checked.entry.path.clone(), object.clone())),
                    );
                }
                None => {
                    self.report.withheld += u64::from(self.source.withholds());
                    self.previous = None;
                }
            }
        }
        let end = bundle.first + bundle.leaves.len() as u64;
        let inside = roots
            .iter()
            .any(|(size, ..)| bundle.first < *size && *size < end);
        if let Some(root) = bundle.root.filter(|_| !inside) {
            self.edge.push_subtree(8, root);
            self.check_roots(end, roots);
        } else {
            for (size, leaf) in (bundle.first + 1..).zip(&bundle.leaves) {
                self.edge.push(*leaf);
                self.check_roots(size, roots);
            }
        }
        if let Some(root) = bundle.root {
            self.check_upper_tiles(root);
        }
    }

    fn check_chain(&mut self, seq: u64, checked: &Checked) {
        let previous =
            self.previous
                .replace((seq, checked.hash, checked.entry.time, checked.faulty));
        let expected_first = (seq == 0).then_some((0, Digest([0; 32]), 0, true));
        let Some((before, hash, time, faulty)) = previous.or(expected_first) else {
            return;
        };
        if seq == 0 && checked.entry.prev != hash && !checked.faulty {
            let expected = format!("prev {hash}, as in the first entry of a log");
            let found = checked.entry.prev;
            self.report
                .fault(entry_fault(seq, &checked.entry.path, expected, found));
        } else if checked.entry.prev != hash && !checked.faulty && !faulty {
            self.report.fault(Fault {
                seq: Some(before),
                path: String::new(),
                what: "entry".to_owned(),
                expected: format!("BLAKE3 {}, as entry {seq} says", checked.entry.prev),
                found: hash.to_string(),
            });
        }
        if checked.entry.time < time {
            self.report.fault(Fault {
                seq: Some(seq),
                path: checked.entry.path.clone(),
                what: "time".to_owned(),
                expected: format!("not earlier than {time}"),
                found: checked.entry.time.to_string(),
            });
        }
    }

    fn check_roots(&mut self, size: u64, roots: &[(u64, Digest, &'static str)]) {
        let at = roots.partition_point(|(signed, ..)| *signed < size);
        for (_, signed, what) in roots[at..]
            .iter()
            .take_while(|(signed, ..)| *signed == size)
        {
            let root = self.edge.root();
            if root != *signed {
                self.report.fault(Fault {
                    seq: None,
                    path: (*what).to_owned(),
                    what: format!("root over {size} entries"),
                    expected: signed.to_string(),
                    found: root.to_string(),
                });
            }
        }
    }

    /// Compares the tiles above level 0 that are full once this bundle's root is known.
    fn check_upper_tiles(&mut self, root: Digest) {
        let mut full = Vec::new();
        self.upper.push(root, |tile, bytes| {
            full.push((
                Tile {
                    level: tile.level + 1,
                    ..tile
                },
                bytes,
            ))
        });
        for (tile, bytes) in full {
            self.check_tile(tile, &bytes, true);
        }
    }

    fn check_tile(&mut self, tile: Tile, expected: &[u8], must_exist: bool) {
        let found = match self.source.tile(tile) {
            Ok(Some(bytes)) if bytes == expected => return,
            Ok(None) if !must_exist => return,
            Ok(Some(_)) => "other hashes".to_owned(),
            Ok(None) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        };
        self.report.fault(Fault {
            seq: None,
            path: tile.path(),
            what: "tile".to_owned(),
            expected: "the hashes of the level below".to_owned(),
            found,
        });
    }

    fn check_objects(&mut self, mut objects: Vec<(u64, String, Object)>) {
        let mut seen = HashSet::new();
        objects.retain(|(_, _, object)| seen.insert((object.blake3, object.sha256, object.size)));
        let source = self.source;
        let checked = parallel(&objects, self.threads, |(seq, path, object)| {
            check_object(source, *seq, path, object)
        });
        for outcome in checked {
            self.report.objects += 1;
            match outcome {
                Ok(bytes) => self.report.bytes += bytes,
                Err(fault) => self.report.fault(fault),
            }
        }
    }

    fn finish(mut self) -> Report {
        if let (Some((seq, hash, _, false)), Ok(Some(last))) =
            (self.previous, self.source.last_entry())
            && hash != last
            && seq + 1 == self.checkpoint.size
        {
            self.report.fault(Fault {
                seq: Some(seq),
                path: String::new(),
                what: "entry".to_owned(),
                expected: format!("BLAKE3 {last}, as the head says"),
                found: hash.to_string(),
            });
        }
        if self.checkpoint.size == 0 && self.edge.root() != self.checkpoint.root {
            self.report.fault(file_fault(
                "checkpoint",
                "the root of the empty tree",
                self.checkpoint.root,
            ));
        }
        let partial = self.source.publishes_partial_tiles();
        // A level whose tiles are all full has no partial one, and the level above it may have.
        let levels = (1..).take_while(|level| self.checkpoint.size >> (level * 8) > 0);
        for level in levels.collect::<Vec<u32>>() {
            let hashes = self.upper.partial(level - 1).to_vec();
            if hashes.is_empty() {
                continue;
            }
            let index = (self.checkpoint.size >> (level * 8)) / TILE_WIDTH;
            let tile = Tile {
                level,
                index,
                width: hashes.len() as u64,
            };
            self.check_tile(tile, &tile_bytes(&hashes), partial);
        }
        self.report
    }
}

/// Runs `work` over `items` on `threads` threads and returns the results in order.
fn parallel<T: Sync, R: Send>(
    items: &[T],
    threads: usize,
    work: impl Fn(&T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::with_capacity(items.len()));
    std::thread::scope(|scope| {
        for _ in 0..threads.min(items.len()) {
            scope.spawn(|| {
                while let Some((at, item)) = Some(next.fetch_add(1, Ordering::Relaxed))
                    .and_then(|at| items.get(at).map(|item| (at, item)))
                {
                    let result = work(item);
                    // A worker that panics takes the whole scope down, so a poisoned lock is unseen.
                    results
                        .lock()
                        .unwrap_or_else(|lock| lock.into_inner())
                        .push((at, result));
                }
            });
        }
    });
    let mut results = results
        .into_inner()
        .unwrap_or_else(|lock| lock.into_inner());
    results.sort_by_key(|(at, _)| *at);
    results.into_iter().map(|(_, result)| result).collect()
}

fn read_bundle(source: &dyn Source, index: u64, size: u64) -> Bundle {
    let first = index * TILE_WIDTH;
    let width = (size - first).min(TILE_WIDTH);
    let mut bundle = Bundle {
        first,
        leaves: Vec::new(),
        entries: Vec::new(),
        root: None,
        bytes: 0,
        faults: Vec::new(),
    };
    let tile = Tile {
        level: 0,
        index,
        width,
    };
    let must_exist = width == TILE_WIDTH || source.publishes_partial_tiles() || source.withholds();
    let published = published_leaves(source, tile, must_exist, &mut bundle.faults);
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

fn entry_fault(seq: u64, path: &str, expected: impl Into<String>, found: impl ToString) -> Fault {
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
    let before = bundle.faults.len();
    let decoded = Entry::decode(&bytes);
    let path = decoded.as_ref().map_or("", |entry| &entry.path);
    if let Some(claimed) = claimed.filter(|claimed| *claimed != leaf) {
        let expected = format!("leaf hash {claimed}, as tile 0/{} says", seq / TILE_WIDTH);
        bundle.faults.push(entry_fault(seq, path, expected, leaf));
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
            let faulty = bundle.faults.len() > before;
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
fn check_object(source: &dyn Source, seq: u64, path: &str, object: &Object) -> Result<u64, Fault> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::sample;
    use crate::key::SigningNoteKey;

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
            let key = SigningNoteKey::from_seed("vouchsafe/test", &[5; 32]).unwrap();
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
            let options = Options {
                key: None,
                since: None,
                threads: 2,
                progress: &|_, _| {},
                entry: &mut |_| {},
            };
            verify(self, options)
        }
    }

    impl Source for Published {
        fn verifier_key(&self) -> Result<Vec<u8>, Unreadable> {
            Ok(self.key.verifier().to_string().into_bytes())
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
}
