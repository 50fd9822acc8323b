//! Backups: a copy of the whole archive as it is at one moment, verified before it counts, and the way back.

use std::fs;
use std::path::Path;

use vouchsafe_evidence::report::Report;
use vouchsafe_evidence::verify::Options;

use super::high_water::HighWater;
use super::kind::{self, Draft, OPERATOR};
use super::open::{Progress, make_aside, refuse_inside};
use super::verify::{open_store_to_read, verify};
use super::{Archive, ArchiveError, Clock, folder};
use crate::store::Truth;

/// What a copy contains.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BackupReport {
    /// The log's name.
    pub origin: String,
    /// Entries.
    pub entries: u64,
    /// Objects.
    pub objects: u64,
    /// Bytes of both.
    pub bytes: u64,
}

/// Copies the archive in `archive` to `out`, which must be absent or empty, as it is at this moment; also while
/// it is served. The copy is verified before it gets its name. It has the signing key, if a file has it.
pub fn backup(
    archive: &Path,
    out: &Path,
    progress: Progress<'_>,
) -> Result<BackupReport, ArchiveError> {
    refuse_inside(archive, out, "--out", "a copy")?;
    make_aside(out, |aside| copy(archive, aside, progress))
}

/// Makes an archive in `archive`, which must be absent or empty, from a backup, verifies it, and logs that it
/// was restored: what the lost archive acknowledged after the backup is missing in it, and whoever kept a
/// later checkpoint will see that.
pub fn restore(
    backup: &Path,
    archive: &Path,
    clock: Clock,
    progress: Progress<'_>,
) -> Result<BackupReport, ArchiveError> {
    refuse_inside(backup, archive, "--archive", "a copy")?;
    make_aside(archive, |aside| {
        let report = copy(backup, aside, progress)?;
        let restored = Archive::open(aside, clock, &|_, _| {})?;
        let body = kind::Restored {
            size: report.entries,
        };
        let draft = Draft::new(OPERATOR, kind::ARCHIVE_RESTORED, "", &body)?;
        restored.write(draft)?;
        Ok(report)
    })
}

fn copy(from: &Path, to: &Path, progress: Progress<'_>) -> Result<BackupReport, ArchiveError> {
    folder::read_layout(from)?;
    // What is not in the store is copied before it: a key that is changed in between is found by its note.
    for file in folder::files(from) {
        let bytes = fs::read(&file).map_err(|error| ArchiveError::io(&file, error))?;
        folder::replace(&to.join(file.file_name().unwrap_or_default()), &bytes)?;
    }
    let mark = HighWater::read(&folder::high_water(from))?;
    let store = folder::store(to);
    fs::create_dir(&store).map_err(|error| ArchiveError::io(&store, error))?;
    let source = open_store_to_read(from)?;
    // The copy is held against the mark that the archive had when the copying began.
    if let Some(mark) = mark {
        super::head::check_mark(&source, &mark)?;
    }
    if source.head()?.size == 0 {
        let why = format!("{} has no entry", from.display());
        return Err(ArchiveError::Broken(why));
    }
    source.copy_to(&store)?;
    let keys = super::keys::history(&source, &folder::read_verifier_key(to)?)?;
    let signers = folder::read_signers(to)?;
    if !signers
        .iter()
        .any(|signer| signer.verifier() == keys.current())
    {
        let error = "the key was changed while the copy was made; make another";
        return Err(ArchiveError::Busy(error.to_owned()));
    }
    let report = verify(
        to,
        Options {
            progress,
            ..Options::new(&mut |_| {})
        },
        false,
    )?;
    well(report)
}

/// A copy that does not verify is none.
fn well(report: Report) -> Result<BackupReport, ArchiveError> {
    match report.first {
        Some(first) => Err(ArchiveError::Broken(format!("it does not verify: {first}"))),
        None => Ok(BackupReport {
            origin: report.origin,
            entries: report.entries,
            objects: report.objects,
            bytes: report.bytes,
        }),
    }
}
