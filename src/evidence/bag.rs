//! The checks of an exported folder as a BagIt bag (RFC 8493): manifests, and that everything that lies
//! in it follows from the log.

mod manifest;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use manifest::check_manifests;
pub use manifest::encode_name;

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::directory::{BagLog, Files};
use crate::entry::{Entry, Object};
use crate::log_file::LogFile;
use crate::proof::{EntryProof, InclusionProof, ProofError};
use crate::published::Published;
use crate::report::{Fault, Report};
use crate::rotation::KeyHistory;
use crate::verify::{Options, key_history, verify};

/// Verifies an exported folder: its log, its objects, its tree and its manifests. Everything that lies
/// in it must follow from the log.
pub(crate) fn verify_bag(bag: &Path, options: Options<'_>) -> Report {
    let files = Files::list(bag);
    let source = Published::new(BagLog(&files));
    let mut vouched = Vouched::default();
    let Options { entry: visit, .. } = options;
    let mut collect = |entry: &Entry| {
        visit(entry);
        vouched.take(entry);
    };
    let mut report = verify(
        &source,
        Options {
            entry: &mut collect,
            ..options
        },
    );
    for (name, found) in &files.strange {
        report.fault(bag_fault(name, "a regular file or a folder", found.clone()));
    }
    let hashed = check_manifests(&files, &mut report);
    let keys = key_history(&source).ok();
    check_tree(&files, &hashed, &vouched, keys.as_ref(), &mut report);
    check_strays(&files, &hashed, &vouched, &mut report);
    report
}

/// The files of a voucher's folder that follow from the log and are named by no entry.
const DERIVED: [&str; 3] = ["history.json", "proof.json", "voucher.tlog-proof"];

/// What the entries that could be read say about the tree.
#[derive(Default)]
struct Vouched {
    /// By place: every entry that brought content there, in order.
    places: BTreeMap<String, Vec<Arrived>>,
    /// Every object that an entry names: BLAKE3.
    objects: BTreeSet<Digest>,
    /// Their SHA-256.
    contents: BTreeSet<Digest>,
}

/// An entry that brought content to a place.
struct Arrived {
    seq: u64,
    time: u64,
    objects: Vec<Object>,
}

impl Vouched {
    fn take(&mut self, entry: &Entry) {
        let digests = entry.objects.iter().map(|object| object.blake3);
        self.objects.extend(digests);
        let contents = entry.objects.iter().map(|object| object.sha256);
        self.contents.extend(contents);
        let in_tree = entry.path.starts_with('/') && !entry.path.starts_with("/_");
        if in_tree && !entry.objects.is_empty() {
            let arrived = self.places.entry(entry.path.clone()).or_default();
            arrived.push(Arrived {
                seq: entry.seq,
                time: entry.time,
                objects: entry.objects.clone(),
            });
        }
    }
}

/// Checks that the tree has, at every place, the content that the log vouches for last, a history of
/// all that came, and a proof of the current version.
fn check_tree(
    files: &Files,
    hashed: &BTreeMap<String, Digest>,
    vouched: &Vouched,
    keys: Option<&KeyHistory>,
    report: &mut Report,
) {
    for (place, arrived) in &vouched.places {
        let mut current = BTreeMap::new();
        for arrival in arrived {
            for object in &arrival.objects {
                current.insert(object.name.as_str(), (arrival.seq, object.sha256));
            }
        }
        for (name, (seq, sha256)) in &current {
            let file = format!("data/tree{place}/{name}");
            let found = hashed.get(&file);
            if found != Some(sha256) {
                report.fault(Fault {
                    seq: Some(*seq),
                    path: file,
                    what: "file in the tree".to_owned(),
                    expected: format!("SHA-256 {sha256}"),
                    found: found.map_or("nothing".to_owned(), |found| format!("SHA-256 {found}")),
                });
            }
        }
        let filed = current.get("voucher.json").map(|(seq, _)| *seq);
        check_proof(files, place, filed, keys, report);
        check_history(files, place, arrived, report);
    }
}

/// Checks that the proofs are there and prove the entry that filed the current version.
fn check_proof(
    files: &Files,
    place: &str,
    filed: Option<u64>,
    keys: Option<&KeyHistory>,
    report: &mut Report,
) {
    type Read = fn(&[u8], &KeyHistory) -> Result<(Entry, Checkpoint), ProofError>;
    let forms: [(&str, Read); 2] = [
        ("proof.json", EntryProof::verify),
        ("voucher.tlog-proof", InclusionProof::verify_with_entry),
    ];
    for (name, verify) in forms {
        let file = format!("data/tree{place}/{name}");
        let proven = keys
            .ok_or_else(|| "no verifier key".to_owned())
            .and_then(|keys| {
                let bytes = files.read(&file).map_err(|error| error.to_string())?;
                verify(&bytes, keys).map_err(|error| error.to_string())
            })
            .and_then(
                |(entry, _)| match entry.path == place && Some(entry.seq) == filed {
                    true => Ok(()),
                    false => Err(format!(
                        "a proof of entry {} about {}",
                        entry.seq, entry.path
                    )),
                },
            );
        if let Err(found) = proven {
            report.fault(Fault {
                seq: filed,
                path: file,
                what: "proof".to_owned(),
                expected: format!("a proof of the entry that filed {place}"),
                found,
            });
        }
    }
}

/// The parts of a `history.json` that follow from the entries. Names of people do not: they are in
/// objects that the export of a part does not have.
#[derive(Deserialize)]
struct History {
    path: String,
    versions: Vec<HistoryArrival>,
    scans: Vec<HistoryArrival>,
    /// Decisions on whether the scans show what was filed.
    #[serde(default)]
    matches: Vec<HistoryArrival>,
    /// What reviewers decided.
    #[serde(default)]
    reviews: Vec<HistoryArrival>,
}

#[derive(Deserialize)]
struct HistoryArrival {
    entry: u64,
    time: String,
    files: Vec<HistoryFile>,
}

#[derive(Deserialize)]
struct HistoryFile {
    blake3: Digest,
    sha256: Digest,
    name: String,
    media_type: String,
    size: u64,
}

impl HistoryFile {
    fn is(&self, object: &Object) -> bool {
        self.blake3 == object.blake3
            && self.sha256 == object.sha256
            && self.name == object.name
            && self.media_type == object.media_type
            && self.size == object.size
    }
}

/// Checks that a history tells of every entry that brought content to the place, and of no other.
fn check_history(files: &Files, place: &str, arrived: &[Arrived], report: &mut Report) {
    let file = format!("data/tree{place}/history.json");
    let read = files.read(&file).map_err(|error| error.to_string());
    let told = read.and_then(|bytes| {
        let history: History = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let mut told: Vec<HistoryArrival> = history.versions;
        told.extend(history.scans);
        told.extend(history.matches);
        told.extend(history.reviews);
        told.sort_by_key(|arrival| arrival.entry);
        let is_same = |(told, arrived): (&HistoryArrival, &Arrived)| {
            told.entry == arrived.seq
                && told.time == rfc3339(arrived.time)
                && told.files.len() == arrived.objects.len()
                && told
                    .files
                    .iter()
                    .zip(&arrived.objects)
                    .all(|(file, object)| file.is(object))
        };
        let same = history.path == place
            && told.len() == arrived.len()
            && told.iter().zip(arrived).all(is_same);
        if same {
            Ok(())
        } else {
            Err("another history".to_owned())
        }
    });
    if let Err(found) = told {
        report.fault(Fault {
            seq: arrived.last().map(|arrival| arrival.seq),
            path: file,
            what: "history".to_owned(),
            expected: format!("the {} entries that brought content there", arrived.len()),
            found,
        });
    }
}

/// A time in milliseconds since 1970-01-01 UTC as RFC 3339 writes it. Days become dates by the algorithm
/// `civil_from_days` of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn rfc3339(time: u64) -> String {
    let (days, of_day) = (time / 86_400_000, time % 86_400_000);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (seconds, milliseconds) = (of_day / 1_000, of_day % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

/// Checks that nothing lies in the payload that does not follow from the log.
fn check_strays(
    files: &Files,
    hashed: &BTreeMap<String, Digest>,
    vouched: &Vouched,
    report: &mut Report,
) {
    for name in files
        .present
        .iter()
        .filter(|name| name.starts_with("data/"))
    {
        let expected = if let Some(inner) = name.strip_prefix("data/tree") {
            let (place, file) = inner.rsplit_once('/').unwrap_or_default();
            vouched.places.get(place).is_some_and(|arrived| {
                let mut objects = arrived.iter().flat_map(|arrival| &arrival.objects);
                DERIVED.contains(&file) || objects.any(|object| object.name == file)
            })
        } else if let Some(file) = name.strip_prefix("data/log/") {
            match LogFile::parse(file) {
                Some(LogFile::Object(_)) | None => false,
                // What is kept in an object too, so that the log vouches for it.
                Some(
                    LogFile::Rotation(_)
                    | LogFile::CosignedCheckpoint
                    | LogFile::TimestampedCheckpoint(_)
                    | LogFile::TimestampToken(_),
                ) => hashed
                    .get(name)
                    .is_some_and(|it| vouched.contents.contains(it)),
                Some(_) => true,
            }
        } else {
            match name.strip_prefix("data/").and_then(LogFile::parse) {
                Some(LogFile::Object(digest)) => vouched.objects.contains(&digest),
                _ => false,
            }
        };
        if !expected {
            report.fault(bag_fault(
                name,
                "nothing: no entry vouches for it",
                "a file".to_owned(),
            ));
        }
    }
}

fn bag_fault(path: &str, expected: impl Into<String>, found: String) -> Fault {
    Fault {
        seq: None,
        path: path.to_owned(),
        what: "file".to_owned(),
        expected: expected.into(),
        found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_in_histories() {
        for (time, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_001, "2000-02-29T00:00:00.001Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(time), text);
        }
    }
}
