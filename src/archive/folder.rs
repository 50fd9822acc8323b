//! The folder of an archive on disk: which files it has, and how they come to be.

use std::fs;
use std::path::{Path, PathBuf};

use vouchsafe_evidence::key::{SigningNoteKey, VerifierKey};

use super::{ArchiveError, Signer, SigningProgram};
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

/// What the operator decided about serving it.
fn configuration(archive: &Path) -> PathBuf {
    archive.join("config.toml")
}

/// What view ids are derived with: 32 random bytes.
fn mark_key_file(archive: &Path) -> PathBuf {
    archive.join("mark-key")
}

fn signing_key(archive: &Path) -> PathBuf {
    archive.join("signing-key")
}

fn next_signing_key(archive: &Path) -> PathBuf {
    archive.join("signing-key.next")
}

fn signer(archive: &Path) -> PathBuf {
    archive.join("signer.toml")
}

fn next_signer(archive: &Path) -> PathBuf {
    archive.join("signer.toml.next")
}

fn verifier_key(archive: &Path) -> PathBuf {
    archive.join("vkey")
}

/// Every file of an archive beside its store, in the order in which a copy is made: the mark last.
pub(super) fn files(archive: &Path) -> Vec<PathBuf> {
    let files = [
        layout,
        configuration,
        credentials,
        mark_key_file,
        signing_key,
        signer,
        verifier_key,
        high_water,
    ];
    let files = files.map(|file| file(archive));
    files.into_iter().filter(|file| file.exists()).collect()
}

/// Writes the files of a new archive.
pub(super) fn write(archive: &Path, key: &Signer) -> Result<(), ArchiveError> {
    replace(&layout(archive), Layout::builtin_toml().as_bytes())?;
    take_signer(archive, key)?;
    replace(&credentials(archive), b"{}")
}

/// The file of a signer that is current, or that is to become it.
fn signer_file(archive: &Path, signer_of: &Signer, is_next: bool) -> PathBuf {
    match (signer_of, is_next) {
        (Signer::Key(_), false) => signing_key(archive),
        (Signer::Key(_), true) => next_signing_key(archive),
        (Signer::Program(_), false) => signer(archive),
        (Signer::Program(_), true) => next_signer(archive),
    }
}

fn write_signer(file: &Path, signer: &Signer) -> Result<(), ArchiveError> {
    match signer {
        Signer::Key(key) => replace(file, key.secret_text().as_bytes()),
        Signer::Program(program) => replace(file, program.to_toml()?.as_bytes()),
    }
}

/// Keeps a signer that is to become the current one.
pub(super) fn write_next_signer(archive: &Path, next: &Signer) -> Result<(), ArchiveError> {
    write_signer(&signer_file(archive, next, true), next)
}

/// Makes a signer the current and only one; a key that was given up is removed. A crash in between leaves
/// several, of which the log knows the right one.
pub(super) fn take_signer(archive: &Path, signer_taken: &Signer) -> Result<(), ArchiveError> {
    let vkey = format!("{}\n", signer_taken.verifier());
    let place = signer_file(archive, signer_taken, false);
    write_signer(&place, signer_taken)?;
    replace(&verifier_key(archive), vkey.as_bytes())?;
    for other in signer_files(archive)
        .into_iter()
        .filter(|file| *file != place)
    {
        fs::remove_file(&other).map_err(|error| ArchiveError::io(&other, error))?;
    }
    sync_folder(archive)
}

/// The key that view ids are derived with, made when there is none yet. Another one gives other marks from then on; those
/// that were given are in the log.
pub(super) fn mark_key(archive: &Path) -> Result<[u8; 32], ArchiveError> {
    let file = mark_key_file(archive);
    match fs::read(&file) {
        Ok(bytes) => bytes.try_into().map_err(|_| {
            ArchiveError::Broken(format!("{}: not a key of 32 bytes", file.display()))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key = super::random()?;
            replace(&file, &key)?;
            Ok(key)
        }
        Err(error) => Err(ArchiveError::io(&file, error)),
    }
}

/// Whether a change of the key is under way, or was cut short.
pub(super) fn has_next_signer(archive: &Path) -> bool {
    next_signing_key(archive).exists() || next_signer(archive).exists()
}

/// Removes a next signer that the log does not know.
pub(super) fn drop_next_signer(archive: &Path) -> Result<(), ArchiveError> {
    for file in [next_signing_key(archive), next_signer(archive)] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(ArchiveError::io(&file, error));
            }
            _ => {}
        }
    }
    Ok(())
}

fn signer_files(archive: &Path) -> Vec<PathBuf> {
    let files = [signing_key, signer, next_signing_key, next_signer];
    let files = files.map(|file| file(archive));
    files.into_iter().filter(|file| file.exists()).collect()
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

/// Everybody who may be meant to sign the log: the key in the folder, refused when others than its owner can
/// read it, or the program that `signer.toml` names; and, where a change of the key was cut short, the other.
pub(super) fn read_signers(archive: &Path) -> Result<Vec<Signer>, ArchiveError> {
    let files = signer_files(archive);
    if files.is_empty() {
        read(archive, &signing_key(archive))?;
    }
    let [key, next_key] = [signing_key, next_signing_key].map(|file| file(archive));
    let read_one = |file: PathBuf| match file == key || file == next_key {
        true => read_key(archive, &file),
        false => SigningProgram::parse(&read(archive, &file)?).map(Signer::Program),
    };
    files.into_iter().map(read_one).collect()
}

fn read_key(archive: &Path, file: &Path) -> Result<Signer, ArchiveError> {
    use std::os::unix::fs::PermissionsExt as _;
    let text = read(archive, file)?;
    let metadata = fs::metadata(file).map_err(|error| ArchiveError::io(file, error))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(ArchiveError::Fault(format!(
            "{} can be read by others; `chmod 600` it, and think about who has read it",
            file.display()
        )));
    }
    // The error names the file and never what is in it.
    SigningNoteKey::parse(&text)
        .map(Signer::Key)
        .map_err(|_| ArchiveError::Broken(format!("{}: not a signing key", file.display())))
}

/// Replaces a file that only its owner may read, so that a crash leaves the old or the new one.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), ArchiveError> {
    crate::store::replace_file(path, bytes).map_err(|error| ArchiveError::io(path, error))
}

fn sync_folder(folder: &Path) -> Result<(), ArchiveError> {
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| ArchiveError::io(folder, error))
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
