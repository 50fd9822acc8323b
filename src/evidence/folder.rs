//! What lies at a path, and how it is verified: an export, a mounted drive, a log's files, one voucher's
//! folder, or one proof.

use std::fs::{self, File};
use std::io::{self, Read as _, Take};
use std::path::{Component, Path};

use crate::bag::verify_bag;
use crate::checkpoint::Checkpoint;
use crate::digest::{ContentDigests, ContentHasher};
use crate::directory::LogFolder;
use crate::entry::{Entry, Object};
use crate::key::VerifierKey;
use crate::log_file::LogFile;
use crate::note::Note;
use crate::proof::{EntryProof, InclusionProof, ProofError};
use crate::published::Published;
use crate::report::{Fault, Report};
use crate::rotation::KeyHistory;
use crate::verify::{Options, distinct, verify};

/// Longest proof that is read, in bytes: an entry, 64 hashes and a checkpoint with many signatures.
const PROOF_MAX_BYTES: u64 = 1 << 20;
/// Longest verifier key that is read, in bytes.
const KEY_MAX_BYTES: u64 = 4_096;
/// The proofs of a voucher's folder, the first that is there is taken.
const PROOFS: [&str; 2] = ["proof.json", "voucher.tlog-proof"];

/// Verifies what lies at `path`; `None` if it is nothing that can be verified.
pub fn verify_path(path: &Path, options: Options<'_>) -> Option<Report> {
    let log = |folder: &Path| {
        let here = |file: LogFile| folder.join(file.path()).is_file();
        here(LogFile::VerifierKey) && here(LogFile::Checkpoint)
    };
    let audit = path.join("_audit");
    if path.join("data/log").is_dir() {
        Some(verify_bag(path, options))
    } else if log(&audit) {
        Some(verify(&Published::new(LogFolder(audit)), options))
    } else if log(path) && path.join("tile").is_dir() {
        Some(verify(&Published::new(LogFolder(path.to_owned())), options))
    } else if path.is_file() {
        Some(verify_voucher(path, None, &options))
    } else {
        let proof = PROOFS.iter().map(|name| path.join(name));
        let proof = proof.into_iter().find(|proof| proof.is_file())?;
        Some(verify_voucher(&proof, Some(path), &options))
    }
}

/// Opens a regular file, never what a link points to, a pipe or a device.
fn limited(file: &Path, limit: u64) -> std::io::Result<Take<File>> {
    if !fs::symlink_metadata(file)?.is_file() {
        return Err(std::io::Error::other("not a regular file"));
    }
    Ok(File::open(file)?.take(limit))
}

/// Whether a name leads to a file of the folder itself.
fn is_plain(name: &str) -> bool {
    let mut steps = Path::new(name).components();
    matches!((steps.next(), steps.next()), (Some(Component::Normal(step)), None) if step == name)
}

/// Verifies one proof, and the files beside it that its entry vouches for.
fn verify_voucher(file: &Path, folder: Option<&Path>, options: &Options<'_>) -> Report {
    let mut report = Report::default();
    if options.since.is_some() {
        let expected = "a whole log, for an earlier checkpoint to be held against";
        report.fault(fault(
            None,
            file,
            "target",
            expected,
            "one proof".to_owned(),
        ));
    }
    let (proof, keys) = match read_proof(file, &options.keys) {
        Ok(read) => read,
        Err(found) => {
            report.fault(fault(None, file, "proof", "a proof of an entry", found));
            return report;
        }
    };
    let (entry, checkpoint) = match proof.entry(&keys) {
        Ok(proven) => proven,
        Err(error) => {
            let expected = format!("an entry in the log of {}", keys.current());
            let found = format!("{error}{}", proof.other_key(&keys));
            report.fault(fault(None, file, "proof", expected, found));
            return report;
        }
    };
    report.checkpoints = 1;
    report.entries = 1;
    report.origin.clone_from(&checkpoint.origin);
    report.size = checkpoint.size;
    report.root = Some(checkpoint.root);
    report.withheld = checkpoint.size - 1;
    count_witnesses(
        &proof.inclusion.checkpoint,
        &checkpoint,
        file,
        options,
        &mut report,
    );
    if let Some(folder) = folder {
        check_files(folder, &entry, &mut report);
    }
    report
}

/// A proof with the entry that came with it.
struct Proof {
    inclusion: InclusionProof,
    entry: Vec<u8>,
    /// The verifier key that it offers, if it does.
    offered: Option<String>,
}

impl Proof {
    fn entry(&self, keys: &KeyHistory) -> Result<(Entry, Checkpoint), ProofError> {
        self.inclusion.verify_entry(&self.entry, keys)
    }

    /// What to say where the proof is signed by another key than is asked for: it may have been the log's when
    /// the proof was made.
    fn other_key(&self, keys: &KeyHistory) -> String {
        let own = |text: &String| VerifierKey::parse(text).is_ok_and(|key| key != *keys.current());
        match self.offered.as_ref().filter(|text| own(text)) {
            Some(offered) => format!(
                "; it is signed by {}: if that is an earlier key of the log, give it with --key, too, or take a \
                 new proof from `vouchsafe prove`",
                offered.trim_end()
            ),
            None => String::new(),
        }
    }
}

/// Reads a `proof.json` or a tlog-proof, and the key to check it with: a given one, or else the one that a
/// `proof.json` or a file `vkey` beside it offers.
fn read_proof(file: &Path, keys: &[VerifierKey]) -> Result<(Proof, KeyHistory), String> {
    let mut bytes = Vec::new();
    let read = limited(file, PROOF_MAX_BYTES).and_then(|mut file| file.read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    let proof = match serde_json::from_slice::<EntryProof>(&bytes) {
        Ok(json) => {
            let inclusion = InclusionProof::parse(&json.proof).map_err(|it| it.to_string())?;
            let entry = json.entry.into_bytes();
            let offered = Some(json.vkey);
            Proof {
                inclusion,
                entry,
                offered,
            }
        }
        Err(_) => {
            let text = String::from_utf8(bytes).map_err(|error| error.to_string())?;
            let inclusion = InclusionProof::parse(&text).map_err(|it| it.to_string())?;
            let entry = inclusion.extra.clone();
            let beside = file.with_file_name(LogFile::VerifierKey.path());
            let offered = limited(&beside, KEY_MAX_BYTES)
                .and_then(std::io::read_to_string)
                .ok();
            Proof {
                inclusion,
                entry,
                offered,
            }
        }
    };
    let signs =
        |key: &&VerifierKey| Checkpoint::verify(proof.inclusion.checkpoint.as_bytes(), key).is_ok();
    let key = match (keys.iter().find(signs), keys.first()) {
        (Some(key), _) | (None, Some(key)) => key.clone(),
        (None, None) => {
            let offered = proof.offered.as_deref();
            let offered = offered.ok_or("no key to check it with: give the log's with --key")?;
            VerifierKey::parse(offered).map_err(|error| error.to_string())?
        }
    };
    Ok((proof, KeyHistory::new(key)))
}

fn count_witnesses(
    note: &str,
    checkpoint: &Checkpoint,
    file: &Path,
    options: &Options<'_>,
    report: &mut Report,
) {
    let note = Note::parse(note.as_bytes()).ok();
    let signed = |key: &&VerifierKey| note.as_ref().is_some_and(|it| it.cosigned_at(key).is_ok());
    let count = distinct(&options.witnesses).iter().filter(signed).count();
    if !options.witnesses.is_empty() || options.require > 0 {
        report.witnessed = Some(if count > 0 { checkpoint.size } else { 0 });
    }
    if count < options.require {
        let expected = format!("cosignatures by {} witnesses", options.require);
        report.fault(fault(None, file, "proof", expected, format!("{count}")));
    }
}

/// Compares the files that the entry vouches for; others are named as not covered.
fn check_files(folder: &Path, entry: &Entry, report: &mut Report) {
    let mut marked = Vec::new();
    for object in &entry.objects {
        let file = folder.join(&object.name);
        if !is_plain(&object.name) || fs::symlink_metadata(&file).is_err() {
            continue;
        }
        report.objects += 1;
        match same(&file, object) {
            Ok(()) => report.bytes += object.size,
            // What viewers and auditors are shown says who they are, and is not what was filed to the byte.
            Err(_) if begins_as_filed(&file, object) => {
                report.bytes += object.size;
                marked.push(format!("{} from byte {} on", object.name, object.size));
            }
            Err(_) if is_marked(&file) => {
                report.objects -= 1;
                marked.push(format!("{} (a marked copy)", object.name));
            }
            Err(found) => {
                let expected = format!("{} bytes with SHA-256 {}", object.size, object.sha256);
                report.fault(fault(Some(entry.seq), &file, "file", expected, found));
            }
        }
    }
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    report.not_covered = names
        .filter(|name| !PROOFS.contains(&name.as_str()) && name != "vkey")
        .filter(|name| !entry.objects.iter().any(|object| object.name == *name))
        .chain(marked)
        .collect();
    report.not_covered.sort();
}

/// Whether a longer file begins with what was filed, as a marked PDF does: the mark is an update behind it.
fn begins_as_filed(file: &Path, object: &Object) -> bool {
    let found = || digests(file, object.size).ok();
    object.media_type == "application/pdf" && found().is_some_and(|found| are_of(&found, object))
}

/// Largest picture that is looked into for a mark, in bytes.
const MARKED_MAX_BYTES: u64 = 64 << 20;

/// Whether a picture says of itself that it is a marked copy: by a PNG chunk for room, or by a comment of spaces behind
/// the first marker of a JPEG (`src/watermark`). Whoever alters a picture may say so as well, so it proves nothing: such a
/// picture is not covered.
fn is_marked(file: &Path) -> bool {
    let mut content = Vec::new();
    let read = limited(file, MARKED_MAX_BYTES).and_then(|mut it| it.read_to_end(&mut content));
    let png = content.starts_with(b"\x89PNG") && content.windows(4).any(|name| name == b"vsRm");
    let jpeg = content.starts_with(b"\xFF\xD8\xFF\xFE") && content.get(6..10) == Some(b"    ");
    read.is_ok() && (png || jpeg)
}

fn same(file: &Path, object: &Object) -> Result<(), String> {
    let found = digests(file, object.size + 1).map_err(|error| error.to_string())?;
    match are_of(&found, object) {
        true => Ok(()),
        false => Err(format!(
            "{} bytes with SHA-256 {}",
            found.size, found.sha256
        )),
    }
}

fn are_of(found: &ContentDigests, object: &Object) -> bool {
    (found.size, found.sha256, found.blake3) == (object.size, object.sha256, object.blake3)
}

/// Digests of at most the first `limit` bytes of a file.
fn digests(file: &Path, limit: u64) -> io::Result<ContentDigests> {
    let mut content = limited(file, limit)?;
    let (mut hasher, mut piece) = (ContentHasher::default(), vec![0; 256 << 10]);
    loop {
        match content.read(&mut piece)? {
            0 => return Ok(hasher.finish()),
            read => hasher.update(&piece[..read]),
        }
    }
}

fn fault(
    seq: Option<u64>,
    file: &Path,
    what: &str,
    expected: impl Into<String>,
    found: String,
) -> Fault {
    Fault {
        seq,
        path: file.display().to_string(),
        what: what.to_owned(),
        expected: expected.into(),
        found,
    }
}
