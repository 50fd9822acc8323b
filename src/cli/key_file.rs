//! Files with a signing key of somebody: only their owner may read them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use vouchsafe_evidence::key::{KeyKind, SigningNoteKey};

use super::Failure;

/// A new key with this name.
pub fn new_key(name: &str, kind: KeyKind) -> Result<SigningNoteKey, Failure> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Failure::Machine(error.to_string()))?;
    SigningNoteKey::from_seed(name, kind, &seed)
        .map_err(|error| Failure::Wrong(format!("{name}: {error}")))
}

/// Reads a key of this kind.
pub fn read_key(file: &Path, kind: KeyKind) -> Result<SigningNoteKey, Failure> {
    let io = |error: std::io::Error| Failure::io(file, &error);
    let text = fs::read_to_string(file).map_err(io)?;
    let mode = fs::metadata(file).map_err(io)?.permissions().mode();
    let name = file.display();
    if mode & 0o077 != 0 {
        return Err(Failure::Machine(format!(
            "{name} can be read by others; `chmod 600` it"
        )));
    }
    // The error names the file and never what is in it.
    match SigningNoteKey::parse(&text) {
        Ok(key) if key.verifier().kind() == kind => Ok(key),
        _ => Err(Failure::Machine(format!(
            "{name}: not a signing key of this kind"
        ))),
    }
}
