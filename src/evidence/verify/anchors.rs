//! What was fixed outside the archive: cosigned checkpoints and key changes that the log tells of are held
//! against the log, and its times against those of the witnesses.

use std::collections::{HashSet, VecDeque};

use super::{Source, file_fault};
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::entry::{Entry, Object};
use crate::key::VerifierKey;
use crate::merkle::{self, leaf_hash};
use crate::note::{NOTE_MAX_BYTES, Note, NoteError};
use crate::report::{Fault, Report};
use crate::rotation::KeyHistory;
use crate::tile::{Tile, TileReader, tile_bytes};

/// The kind of the first entry, which names the key that the log began with.
pub const ARCHIVE_CREATED: &str = "archive.created";
/// The kind of entry that keeps a cosigned checkpoint in its object.
pub const CHECKPOINT_COSIGNED: &str = "checkpoint.cosigned";
/// The kind of entry that keeps the note of a key change in its object.
pub const KEY_ROTATED: &str = "key.rotated";
/// Cosigned checkpoints that are looked at, from the newest back.
const COSIGNED_MAX: usize = 64;
/// How far the clocks of the archive and of a witness may differ, in milliseconds.
pub const CLOCK_TOLERANCE_MS: u64 = 5 * 60 * 1_000;

/// What the entries say about anchors.
#[derive(Default)]
pub(super) struct Anchors {
    /// Number of the entry and its object.
    cosigned: VecDeque<(u64, Object)>,
    rotations: HashSet<Digest>,
    /// The key that the log began with, as its first entry says.
    first_key: Option<String>,
}

impl Anchors {
    pub fn take(&mut self, entry: &Entry) {
        if entry.seq == 0 && entry.kind == ARCHIVE_CREATED {
            let key = entry.body.get("vkey").and_then(serde_json::Value::as_str);
            self.first_key = key.map(str::to_owned);
        }
        let Some(object) = entry.objects.first() else {
            return;
        };
        match entry.kind.as_str() {
            CHECKPOINT_COSIGNED => {
                if self.cosigned.len() == COSIGNED_MAX {
                    self.cosigned.pop_front();
                }
                self.cosigned.push_back((entry.seq, object.clone()));
            }
            KEY_ROTATED => {
                self.rotations.insert(object.blake3);
            }
            _ => {}
        }
    }

    pub fn check(
        self,
        source: &dyn Source,
        keys: &KeyHistory,
        witnesses: &[VerifierKey],
        require: usize,
        report: &mut Report,
    ) {
        self.check_keys(source, keys, report);
        // The head may carry cosignatures itself; there the log has said nothing of them yet.
        let head = source.checkpoint().ok().map(|note| (None, note));
        let cosigned = self.cosigned.into_iter().rev();
        let cosigned =
            cosigned.filter_map(|(seq, object)| Some((Some(seq), read(source, &object)?)));
        let mut witnessed = None;
        for (seq, note) in head.into_iter().chain(cosigned) {
            let Some(cosigned) = check_cosigned(source, keys, seq, &note, report) else {
                continue;
            };
            let times = cosigned_at(&note, witnesses, seq, report);
            check_clock(source, cosigned.size, &times, report);
            if times.len() >= require.max(1) {
                witnessed = witnessed.max(Some(cosigned.size));
            }
        }
        if !witnesses.is_empty() || require > 0 {
            report.witnessed = Some(witnessed.unwrap_or(0));
        }
        if require > 0 && witnessed.is_none() {
            let expected = format!(
                "cosignatures by {require} of the {} witnesses",
                witnesses.len()
            );
            report.fault(file_fault(
                "checkpoint",
                expected,
                "no checkpoint with so many",
            ));
        }
    }

    /// The log tells of every key that it has had: another was brought in behind its back.
    fn check_keys(&self, source: &dyn Source, keys: &KeyHistory, report: &mut Report) {
        let first = keys.keys().first().map(ToString::to_string);
        if let Some(told) = self
            .first_key
            .as_ref()
            .filter(|told| first.as_ref() != Some(told))
        {
            let expected =
                format!("{told}, which the first entry names, or a key that came from it");
            report.fault(file_fault("vkey", expected, first.unwrap_or_default()));
        }
        if source.withholds() && self.rotations.is_empty() {
            return;
        }
        for (number, note) in (1..).zip(source.rotations().unwrap_or_default()) {
            if !self.rotations.contains(&Digest::blake3(&note)) {
                report.fault(file_fault(
                    &format!("rotation/{number}"),
                    "a key change that the log tells of",
                    "one that no entry names",
                ));
            }
        }
    }
}

fn read(source: &dyn Source, object: &Object) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut note = Vec::new();
    let content = source.object(&object.blake3).ok()??;
    content
        .take(NOTE_MAX_BYTES as u64)
        .read_to_end(&mut note)
        .ok()?;
    // An object that is not what its entry says has been reported already.
    (Digest::blake3(&note) == object.blake3).then_some(note)
}

/// A cosigned checkpoint must be one of this log, signed by it, over the entries that are there.
fn check_cosigned(
    source: &dyn Source,
    keys: &KeyHistory,
    seq: Option<u64>,
    note: &[u8],
    report: &mut Report,
) -> Option<Checkpoint> {
    let fault = |expected: &str, found: String| Fault {
        seq,
        path: String::new(),
        what: "cosigned checkpoint".to_owned(),
        expected: expected.to_owned(),
        found,
    };
    let checkpoint = match keys.verify(note) {
        Ok(checkpoint) => checkpoint,
        Err(error) => {
            // Of the head it was said before.
            if seq.is_some() {
                report.fault(fault("a checkpoint of this log", error.to_string()));
            }
            return None;
        }
    };
    let root = match checkpoint.size <= report.size {
        true => root_at(source, checkpoint.size, report.size),
        false => None,
    };
    if seq.is_some() {
        report.checkpoints += 1;
        if root != Some(checkpoint.root) {
            let found = root.map_or("a root that cannot be computed".into(), |it| it.to_string());
            let expected = format!("root {} over {} entries", checkpoint.root, checkpoint.size);
            report.fault(fault(&expected, found));
            return None;
        }
    }
    Some(checkpoint)
}

/// The root over the first `size` entries, through the tiles of the tree of `head` entries.
fn root_at(source: &dyn Source, size: u64, head: u64) -> Option<Digest> {
    let fetch = |wanted: Tile| {
        let widest = Tile::in_tree(wanted.level, wanted.index, head).unwrap_or(wanted);
        let mut hashes = match source.tile(widest)? {
            None if widest.level == 0 => {
                let first = widest.index * crate::tile::TILE_WIDTH;
                let entries = source.entries(first..first + widest.width)?;
                let leaves = entries.iter().map(|entry| entry.as_deref().map(leaf_hash));
                leaves
                    .collect::<Option<Vec<_>>>()
                    .map(|leaves| tile_bytes(&leaves))
            }
            found => found,
        };
        if let Some(hashes) = &mut hashes {
            hashes.truncate(wanted.width as usize * 32);
        }
        Ok::<_, super::Unreadable>(hashes)
    };
    merkle::root(&TileReader::new(size, fetch), size).ok()
}

/// When each of the witnesses that cosigned did so, in milliseconds since 1970-01-01 UTC.
fn cosigned_at(
    note: &[u8],
    witnesses: &[VerifierKey],
    seq: Option<u64>,
    report: &mut Report,
) -> Vec<u64> {
    let Ok(note) = Note::parse(note) else {
        return Vec::new();
    };
    let mut times = Vec::new();
    for witness in witnesses {
        match note.cosigned_at(witness) {
            Ok(seconds) => times.push(seconds.saturating_mul(1_000)),
            Err(NoteError::NotSigned(_)) => {}
            Err(error) => report.fault(Fault {
                seq,
                path: String::new(),
                what: "cosigned checkpoint".to_owned(),
                expected: format!("a cosignature by {witness}"),
                found: error.to_string(),
            }),
        }
    }
    times
}

/// Whoever fixed the first `size` entries at one of `times` (milliseconds since 1970-01-01 UTC) saw no entry
/// from the future, and what was written afterwards is not older: otherwise the archive's clock was set.
pub fn check_clock(source: &dyn Source, size: u64, times: &[u64], report: &mut Report) {
    let Some((first, last)) = times.iter().min().zip(times.iter().max()) else {
        return;
    };
    let time_of = |seq: u64| {
        let bytes = source.entries(seq..seq + 1).ok()?.pop()??;
        Entry::decode(&bytes).ok()
    };
    let end = report.size;
    let mut fault = |entry: Entry, expected: String| {
        report.fault(Fault {
            seq: Some(entry.seq),
            path: entry.path,
            what: "time".to_owned(),
            expected,
            found: entry.time.to_string(),
        });
    };
    if let Some(before) = size.checked_sub(1).and_then(time_of)
        && before.time > first.saturating_add(CLOCK_TOLERANCE_MS)
    {
        fault(before, format!("at most {first}, when it was seen outside"));
    }
    if size < end
        && let Some(after) = time_of(size)
        && after.time.saturating_add(CLOCK_TOLERANCE_MS) < *last
    {
        fault(
            after,
            format!("at least {last}, when the log ended before it"),
        );
    }
}
