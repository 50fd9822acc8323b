//! What was fixed outside the archive: cosigned checkpoints and key changes that the log tells of are held
//! against the log, and its times against those of the witnesses.

use super::{Source, file_fault};
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::entry::Entry;
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
/// The kind of entry that keeps a time-stamped checkpoint and the answer about it in its objects.
pub const CHECKPOINT_TIMESTAMPED: &str = "checkpoint.timestamped";
/// How far the clocks of the archive and of a witness may differ, in milliseconds.
pub const CLOCK_TOLERANCE_MS: u64 = 5 * 60 * 1_000;

/// What the entries say about anchors: which, where, and the digest of the checkpoint, so that many of them
/// take little memory.
#[derive(Default)]
pub(super) struct Anchors {
    /// In order; whether it was cosigned or time-stamped.
    checkpoints: Vec<(u64, bool, Claimed)>,
    rotations: Vec<Digest>,
    /// The key that the log began with, as its first entry says.
    first_key: Option<String>,
}

/// What an entry says of the checkpoint in its first object.
struct Claimed {
    object: Digest,
    size: Option<u64>,
    root: Option<Digest>,
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
        let text = |key: &str| entry.body.get(key).and_then(serde_json::Value::as_str);
        match entry.kind.as_str() {
            CHECKPOINT_COSIGNED | CHECKPOINT_TIMESTAMPED => {
                let claimed = Claimed {
                    object: object.blake3,
                    size: entry.body.get("size").and_then(serde_json::Value::as_u64),
                    root: text("root").and_then(|root| root.parse().ok()),
                };
                let cosigned = entry.kind == CHECKPOINT_COSIGNED;
                self.checkpoints.push((entry.seq, cosigned, claimed));
            }
            KEY_ROTATED => self.rotations.push(object.blake3),
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
        let mut witnessed = None;
        let mut count = |size: u64, times: &[u64]| {
            if times.len() >= require.max(1) {
                witnessed = witnessed.max(Some(size));
            }
        };
        // The head may carry cosignatures itself; the log has said nothing of them yet.
        if let Ok(note) = source.checkpoint()
            && let Ok(head) = keys.verify(&note)
        {
            let times = cosigned_at(&note, witnesses, None, report);
            check_clock(source, head.size, &times, report);
            count(head.size, &times);
        }
        for (seq, cosigned, claimed) in self.checkpoints {
            // An object that is missing or changed has been reported already.
            let Some(note) = read(source, &claimed.object) else {
                continue;
            };
            let Some(checkpoint) = check_claimed(source, keys, seq, &claimed, &note, report) else {
                continue;
            };
            if cosigned {
                let times = cosigned_at(&note, witnesses, Some(seq), report);
                check_clock(source, checkpoint.size, &times, report);
                count(checkpoint.size, &times);
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

    /// The log tells of every key that it has had, in order: a change that it does not tell of was made behind
    /// its back, and one that is not published lets a key sign that was given up.
    fn check_keys(&self, source: &dyn Source, keys: &KeyHistory, report: &mut Report) {
        let Some(told) = &self.first_key else {
            // Who sees no entry sees no change told.
            return;
        };
        let first = keys.keys().first().map(ToString::to_string);
        if first.as_ref() != Some(told) {
            let expected =
                format!("{told}, which the first entry names, or a key that came from it");
            report.fault(file_fault("vkey", expected, first.unwrap_or_default()));
        }
        let notes = source.rotations().unwrap_or_default();
        let notes = notes.iter().map(|note| Digest::blake3(note));
        if !notes.eq(self.rotations.iter().copied()) {
            let expected = format!(
                "the {} key changes that the log tells of",
                self.rotations.len()
            );
            report.fault(file_fault("rotation", expected, "others"));
        }
    }
}

fn read(source: &dyn Source, digest: &Digest) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut note = Vec::new();
    let content = source.object(digest).ok()??;
    content
        .take(NOTE_MAX_BYTES as u64)
        .read_to_end(&mut note)
        .ok()?;
    (Digest::blake3(&note) == *digest).then_some(note)
}

/// A checkpoint that an entry keeps must be the one that the entry tells of, signed by this log, over the
/// entries that are there.
fn check_claimed(
    source: &dyn Source,
    keys: &KeyHistory,
    seq: u64,
    claimed: &Claimed,
    note: &[u8],
    report: &mut Report,
) -> Option<Checkpoint> {
    let mut fault = |expected: String, found: String| {
        report.fault(Fault {
            seq: Some(seq),
            path: String::new(),
            what: "anchored checkpoint".to_owned(),
            expected,
            found,
        });
        None
    };
    let checkpoint = match keys.verify(note) {
        Ok(checkpoint) => checkpoint,
        Err(error) => return fault("a checkpoint of this log".to_owned(), error.to_string()),
    };
    if (claimed.size, claimed.root) != (Some(checkpoint.size), Some(checkpoint.root)) {
        let expected = format!("size {} and root {}", checkpoint.size, checkpoint.root);
        return fault(
            expected,
            "another size or root in the entry's body".to_owned(),
        );
    }
    // It was signed before it was kept.
    let root = match checkpoint.size <= seq {
        true => kept_root(source, keys, checkpoint.size)
            .or_else(|| root_at(source, checkpoint.size, report.size)),
        false => None,
    };
    if root != Some(checkpoint.root) {
        let expected = format!("root {} over {} entries", checkpoint.root, checkpoint.size);
        let none = || "a root that cannot be computed".to_owned();
        report.fault(Fault {
            seq: Some(seq),
            path: String::new(),
            what: "anchored checkpoint".to_owned(),
            expected,
            found: root.map_or_else(none, |root| root.to_string()),
        });
        return None;
    }
    report.checkpoints += 1;
    Some(checkpoint)
}

/// The root over `size` entries as the archive's own kept checkpoint has it, which the walk has verified.
fn kept_root(source: &dyn Source, keys: &KeyHistory, size: u64) -> Option<Digest> {
    let (_, note) = source.checkpoints(size..size + 1).ok()?.pop()?;
    Some(keys.verify(&note).ok()?.root)
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
