//! The walk over a log: wave by wave, with what is carried from one to the next.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::bundle::{Bundle, Checked, check_object, entry_fault, read_bundle};
use super::{Source, WAVE_BUNDLES, file_fault};
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::entry::{Entry, Object};
use crate::merkle::Edge;
use crate::report::{Fault, Report};
use crate::rotation::KeyHistory;
use crate::tile::{TILE_WIDTH, Tile, TileWriter, tile_bytes};

/// Disputed entries that are remembered until a signed root decides.
const DISPUTED_MAX: usize = 10_000;

/// The state of a verification between waves.
pub(super) struct Walk<'a> {
    pub source: &'a dyn Source,
    pub keys: &'a KeyHistory,
    pub checkpoint: Checkpoint,
    pub since: Option<Checkpoint>,
    pub threads: usize,
    pub report: Report,
    pub edge: Edge,
    pub upper: TileWriter,
    /// Number, hash, time and faultiness of the entry before.
    pub previous: Option<(u64, Digest, u64, bool)>,
    /// Entries that are not what their tile says, until a signed root tells which of the two is wrong.
    pub disputed: Vec<Fault>,
}

impl Walk<'_> {
    pub fn run(mut self, progress: &dyn Fn(u64, u64), visit: &mut dyn FnMut(&Entry)) -> Report {
        let size = self.checkpoint.size;
        let bundles = size.div_ceil(TILE_WIDTH);
        let wave = WAVE_BUNDLES * self.threads as u64;
        let (source, threads) = (self.source, self.threads);
        let read_wave = move |first: u64| {
            let indexes: Vec<u64> = (first..bundles.min(first + wave)).collect();
            parallel(&indexes, threads, |index| read_bundle(source, *index, size))
        };
        std::thread::scope(|scope| {
            let mut ahead = Some(scope.spawn(move || read_wave(0)));
            for first in (0..bundles).step_by(wave as usize) {
                // A worker that panicked takes this thread along.
                let Some(Ok(read)) = ahead.take().map(|reading| reading.join()) else {
                    std::panic::panic_any("a worker of the verifier panicked");
                };
                if first + wave < bundles {
                    ahead = Some(scope.spawn(move || read_wave(first + wave)));
                }
                let until = size.min((first + wave) * TILE_WIDTH);
                let nothing = read.iter().all(Bundle::is_empty);
                let roots = self.signed_roots(first * TILE_WIDTH, until);
                let mut objects = Vec::new();
                for bundle in read {
                    self.join(bundle, &roots, &mut objects, visit);
                }
                self.check_objects(objects);
                progress(until, size);
                if nothing {
                    // A head can claim any number of entries; nobody looks for all of them.
                    let expected = format!("{size} entries, or their hashes");
                    self.report.fault(file_fault(
                        "tile",
                        expected,
                        format!("none from {first} bundles on"),
                    ));
                    break;
                }
            }
        });
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
        let keys = self.keys;
        let verified = parallel(&kept, self.threads, |(size, note)| {
            (
                *size,
                keys.verify(note).ok().filter(|kept| kept.size == *size),
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
        self.disputed.extend(bundle.disputed);
        if self.disputed.len() > DISPUTED_MAX {
            self.settle(u64::MAX, false);
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
            self.settle(size, root == *signed);
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

    /// Says who is wrong about the entries below `size`, where an entry and its tile disagree: the tile if the
    /// entries have the signed root, and otherwise the entry.
    fn settle(&mut self, size: u64, entries_are_right: bool) {
        let below = |fault: &mut Fault| fault.seq.is_some_and(|seq| seq < size);
        for fault in self.disputed.extract_if(.., below) {
            self.report.fault(match (entries_are_right, fault.seq) {
                (true, Some(seq)) => Fault {
                    seq: None,
                    path: Tile::in_tree(0, seq / TILE_WIDTH, self.checkpoint.size)
                        .map_or_else(String::new, |tile| tile.path()),
                    what: "tile".to_owned(),
                    expected: format!("leaf hash {} of entry {seq}", fault.found),
                    found: "another".to_owned(),
                },
                _ => fault,
            });
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
        self.settle(u64::MAX, false);
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
