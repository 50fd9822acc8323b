//! The verifier: reads a log from any [`Source`] and checks every claim that it makes.
//!
//! Entries are read in bundles, in parallel, in waves of bounded size, so that memory stays flat.

mod bundle;
mod walk;

use std::io::Read;
use std::ops::Range;

use walk::Walk;

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::entry::Entry;
use crate::key::VerifierKey;
use crate::merkle::Edge;
use crate::report::{Fault, Report};
use crate::tile::{Tile, TileWriter};

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

impl<'a> Options<'a> {
    /// Checks with the key that the log offers, on all processors; `entry` gets every entry.
    pub fn new(entry: &'a mut dyn FnMut(&Entry)) -> Options<'a> {
        Options {
            key: None,
            since: None,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            progress: &|_, _| {},
            entry,
        }
    }
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

#[cfg(test)]
mod tests;
