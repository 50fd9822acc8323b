//! The verifier: reads a log from any [`Source`] and checks every claim that it makes.
//!
//! Entries are read in bundles, in parallel, in waves of bounded size, so that memory stays flat.

mod anchors;
mod bundle;
mod reviews;
mod walk;

use std::io::Read;
use std::ops::Range;

use anchors::Anchors;
pub use anchors::{
    ARCHIVE_CREATED, CHECKPOINT_COSIGNED, CHECKPOINT_TIMESTAMPED, CLOCK_TOLERANCE_MS, KEY_ROTATED,
    check_clock,
};
use reviews::Reviews;
pub use reviews::{
    REVIEW_DECIDED, REVIEW_NOTE, SUBMISSION_NOTE, USER_KEY_ADDED, VOUCHER_SUBMITTED,
};
use walk::Walk;

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::entry::Entry;
use crate::key::VerifierKey;
use crate::merkle::Edge;
use crate::report::{Fault, Report};
use crate::rotation::KeyHistory;
use crate::tile::{Tile, TileWriter};

/// Bundles per thread and wave: 16 × 256 entries of at most 64 KiB. While one wave is joined to the tree the
/// next is being read.
const WAVE_BUNDLES: u64 = 16;
/// Numbers of entries are exact in JSON up to this.
const SIZE_MAX: u64 = 1 << 53;
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
    /// The notes by which its key was changed, from the first on.
    fn rotations(&self) -> Result<Vec<Vec<u8>>, Unreadable>;
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
    /// Keys that the log must have had; without any, the key that it offers is taken.
    pub keys: Vec<VerifierKey>,
    /// Keys of witnesses whose cosignatures count.
    pub witnesses: Vec<VerifierKey>,
    /// How many of these witnesses must have cosigned one checkpoint.
    pub require: usize,
    /// An earlier checkpoint: the log must have only grown since.
    pub since: Option<Vec<u8>>,
    /// Threads to use.
    pub threads: usize,
    /// Gets the number of entries checked and their total.
    pub progress: &'a dyn Fn(u64, u64),
    /// Gets every entry that could be read, in order.
    pub entry: &'a mut dyn FnMut(&Entry),
    /// Gets the source and the report at the end, for checks that need more than this package has.
    pub after: &'a dyn Fn(&dyn Source, &mut Report),
}

impl<'a> Options<'a> {
    /// Checks with the key that the log offers, on all processors; `entry` gets every entry.
    pub fn new(entry: &'a mut dyn FnMut(&Entry)) -> Options<'a> {
        Options {
            keys: Vec::new(),
            witnesses: Vec::new(),
            require: 0,
            since: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            progress: &|_, _| {},
            entry,
            after: &|_, _| {},
        }
    }
}

/// Checks a log. What is wrong is in the report.
pub fn verify(source: &dyn Source, options: Options<'_>) -> Report {
    let mut report = Report::default();
    let Some((keys, checkpoint)) = signed_head(source, &options, &mut report) else {
        return report;
    };
    report.origin.clone_from(&checkpoint.origin);
    report.size = checkpoint.size;
    report.root = Some(checkpoint.root);
    if checkpoint.size > SIZE_MAX {
        let expected = format!("at most {SIZE_MAX} entries");
        report.fault(file_fault("checkpoint", expected, checkpoint.size));
        return report;
    }
    let since = since(&options, &keys, &checkpoint, &mut report);
    let mut anchors = Anchors::default();
    let mut reviews = Reviews::new(source, &checkpoint.origin);
    let visit = options.entry;
    let mut visit = |entry: &Entry| {
        visit(entry);
        anchors.take(entry);
        reviews.take(entry);
    };
    let mut report = Walk {
        source,
        keys: &keys,
        checkpoint,
        since,
        threads: options.threads.max(1),
        report,
        edge: Edge::default(),
        upper: TileWriter::default(),
        previous: None,
        disputed: Vec::new(),
    }
    .run(options.progress, &mut visit);
    reviews.check(&mut report);
    anchors.check(
        source,
        &keys,
        &options.witnesses,
        options.require,
        &mut report,
    );
    (options.after)(source, &mut report);
    report
}

/// The keys, each once: one witness counts as one.
pub fn distinct(keys: &[VerifierKey]) -> Vec<VerifierKey> {
    let mut distinct: Vec<VerifierKey> = Vec::new();
    for key in keys {
        if !distinct.contains(key) {
            distinct.push(key.clone());
        }
    }
    distinct
}

/// The keys that the log has had, as it offers them itself.
pub fn key_history(source: &dyn Source) -> Result<KeyHistory, Unreadable> {
    let text =
        String::from_utf8(source.verifier_key()?).map_err(|error| Unreadable(error.to_string()))?;
    let current = VerifierKey::parse(&text).map_err(|error| Unreadable(error.to_string()))?;
    let notes = source.rotations()?;
    KeyHistory::read(current, notes.iter().map(Vec::as_slice))
        .map_err(|error| Unreadable(error.to_string()))
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

/// The keys and the checkpoint that the current one signed, or a report that says why there is none.
fn signed_head(
    source: &dyn Source,
    options: &Options<'_>,
    report: &mut Report,
) -> Option<(KeyHistory, Checkpoint)> {
    let keys = match key_history(source) {
        Ok(keys) => {
            for pinned in options.keys.iter().filter(|key| !keys.keys().contains(key)) {
                let found = keys.keys().iter().map(ToString::to_string);
                let found = found.collect::<Vec<_>>().join(", then ");
                report.fault(file_fault("vkey", pinned.to_string(), found));
            }
            match options.keys.first() {
                Some(pinned) if !keys.keys().contains(pinned) => KeyHistory::new(pinned.clone()),
                _ => keys,
            }
        }
        Err(error) => {
            report.fault(file_fault(
                "vkey",
                "a verifier key, and how it came to be",
                error,
            ));
            KeyHistory::new(options.keys.first()?.clone())
        }
    };
    let checkpoint = source
        .checkpoint()
        .map_err(|error| error.to_string())
        .and_then(|note| {
            // A key that was given up signs no head any more.
            Checkpoint::verify(&note, keys.current()).map_err(|error| error.to_string())
        });
    match checkpoint {
        Ok(checkpoint) => {
            report.checkpoints += 1;
            Some((keys, checkpoint))
        }
        Err(error) => {
            let expected = format!("a checkpoint signed by {}", keys.current());
            report.fault(file_fault("checkpoint", expected, error));
            None
        }
    }
}

fn since(
    options: &Options<'_>,
    keys: &KeyHistory,
    head: &Checkpoint,
    report: &mut Report,
) -> Option<Checkpoint> {
    match keys.verify(options.since.as_deref()?) {
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

#[cfg(test)]
mod tests;
