//! The folder of an archive on disk: which files it has, and how they come to be.

use std::fs;
use std::path::{Path, PathBuf};

use vouchsafe_evidence::key::{SigningNoteKey, VerifierKey};

use super::ArchiveError;
use super::credentials::replace;
use crate::catalog::Layout;
use crate::store::Store;

/// Free space that must be left before an upload is taken in, so that RocksDB does not meet a full
/// disk in the middle of its own work.
pub(super) const ROOM_FOR_UPLOADS_BYTES: u64 = 12 << 20;
/// Free space below which nothing is written any more; views and failed sign-ins go on until then.
pub(super) const ROOM_FOR_ENTRIES_BYTES: u64 = 6 << 20;

/// The RocksDB store.
pub(super) fn store(archive: &Path) -> PathBuf {
    archive.join("store")
}

/// Password hashes and token digests.
pub(super) fn credentials(archive: &Path) -> PathBuf {
    archive.join("credentials.json")
}

/// The last signed size and root.
pub(super) fn high_water(archive: &Path) -> PathBuf {
    archive.join("high-water")
}

fn layout(archive: &Path) -> PathBuf {
    archive.join("layout.toml")
}

fn signing_key(archive: &Path) -> PathBuf {
    archive.join("signing-key")
}

fn verifier_key(archive: &Path) -> PathBuf {
    archive.join("vkey")
}

/// Writes the files of a new archive.
pub(super) fn write(archive: &Path, key: &SigningNoteKey) -> Result<(), ArchiveError> {
    replace(&layout(archive), Layout::builtin_toml().as_bytes())?;
    replace(&signing_key(archive), key.secret_text().as_bytes())?;
    replace(
        &verifier_key(archive),
        format!("{}\n", key.verifier()).as_bytes(),
    )?;
    replace(&credentials(archive), b"{}")
}

/// Reads a small file of the archive; says that there is no archive when it is absent.
fn read(archive: &Path, file: &Path) -> Result<String, ArchiveError> {
    fs::read_to_string(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ArchiveError::Absent(format!(
            "{}, or it is no archive ({} is missing); `vouchsafe init` makes one",
            archive.display(),
            file.display()
        )),
        _ => ArchiveError::io(file, error),
    })
}

/// How the archive's tree is laid out.
pub(super) fn read_layout(archive: &Path) -> Result<Layout, ArchiveError> {
    let file = layout(archive);
    Layout::from_toml(&read(archive, &file)?)
        .map_err(|error| ArchiveError::Broken(format!("{}: {error}", file.display())))
}

/// The key that verifies the archive's log.
pub(super) fn read_verifier_key(archive: &Path) -> Result<VerifierKey, ArchiveError> {
    let file = verifier_key(archive);
    VerifierKey::parse(&read(archive, &file)?)
        .map_err(|error| ArchiveError::Broken(format!("{}: {error}", file.display())))
}

/// The key that signs the log; refused when others than its owner can read it.
pub(super) fn read_signing_key(archive: &Path) -> Result<SigningNoteKey, ArchiveError> {
    use std::os::unix::fs::PermissionsExt as _;
    let file = signing_key(archive);
    let text = read(archive, &file)?;
    let metadata = fs::metadata(&file).map_err(|error| ArchiveError::io(&file, error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(ArchiveError::Fault(format!(
            "{} can be read by others; `chmod 600` it, and think about who has read it",
            file.display()
        )));
    }
    // The error names the file and never what is in it.
    SigningNoteKey::parse(&text)
        .map_err(|_| ArchiveError::Broken(format!("{}: not a signing key", file.display())))
}

/// Refuses when the disk has less than `room` bytes left beside those that the store will yet write for
/// what it acknowledged.
pub(super) fn check_room(archive: &Path, store: &dyn Store, room: u64) -> Result<(), ArchiveError> {
    let disk =
        rustix::fs::statvfs(archive).map_err(|error| ArchiveError::io(archive, error.into()))?;
    let needed = room + store.bytes_to_write()?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) < needed {
        let megabytes = needed.div_ceil(1 << 20);
        return Err(ArchiveError::Full(format!(
            "less than {megabytes} MB are left"
        )));
    }
    Ok(())
}
