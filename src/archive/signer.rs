//! Who signs checkpoints: a key in the archive's folder, or a program that has the key elsewhere.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};
use vouchsafe_evidence::key::{KeyKind, SigningNoteKey, VerifierKey};
use vouchsafe_evidence::note::Note;

use super::ArchiveError;
use crate::voucher::Invalid;

/// How long a program may take for one signature.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer of a program that is read, in bytes.
const ANSWER_MAX_BYTES: u64 = 4_096;

/// Signs for the log.
#[derive(Debug, Clone)]
pub enum Signer {
    /// A key that this process has.
    Key(SigningNoteKey),
    /// A program that is asked for every signature.
    Program(SigningProgram),
}

/// A program that signs: it reads the text from its standard input to the end and writes the Ed25519
/// signature over it, 64 bytes or their base64, to its standard output.
#[derive(Debug, Clone)]
pub struct SigningProgram {
    verifier: VerifierKey,
    command: Vec<String>,
}

/// The form of a program in `signer.toml`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignerFile {
    vkey: String,
    command: Vec<String>,
}

impl SigningProgram {
    /// Reads `signer.toml`, and lets the program sign once, so that a wrong one is found now.
    pub fn from_toml(text: &str) -> Result<SigningProgram, ArchiveError> {
        let program = SigningProgram::parse(text)?;
        program.sign(b"vouchsafe/signer-check/v1\n")?;
        Ok(program)
    }

    /// Reads `signer.toml`.
    pub(super) fn parse(text: &str) -> Result<SigningProgram, ArchiveError> {
        let invalid = |error: String| {
            let hint = "write vkey = \"name+id+base64\" and command = [\"program\", \"argument\"]";
            ArchiveError::from(Invalid::new("signer", error, hint))
        };
        let file: SignerFile =
            toml::from_str(text).map_err(|error| invalid(error.message().to_owned()))?;
        let verifier =
            VerifierKey::parse(&file.vkey).map_err(|error| invalid(error.to_string()))?;
        if verifier.kind() != KeyKind::Note || file.command.is_empty() {
            return Err(invalid("not a log's key with a command".to_owned()));
        }
        Ok(SigningProgram {
            verifier,
            command: file.command,
        })
    }

    /// The content of `signer.toml`.
    pub(super) fn to_toml(&self) -> Result<String, ArchiveError> {
        let file = SignerFile {
            vkey: self.verifier.to_string(),
            command: self.command.clone(),
        };
        toml::to_string(&file).map_err(|error| ArchiveError::Fault(error.to_string()))
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ArchiveError> {
        let program = &self.command[0];
        let fault = |why: String| ArchiveError::Fault(format!("the signer {program}: {why}"));
        // A file takes the answer: a pipe would end only with the last process that has it.
        let output = memfd_create("signature", MemfdFlags::CLOEXEC).map(File::from);
        let mut output = output.map_err(|error| fault(error.to_string()))?;
        let answer = output
            .try_clone()
            .map_err(|error| fault(error.to_string()))?;
        let mut child = Command::new(program)
            .args(&self.command[1..])
            .stdin(Stdio::piped())
            .stdout(answer)
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| fault(error.to_string()))?;
        if let Some(mut input) = child.stdin.take() {
            // A program that does not read its input has not signed it, which is seen below.
            let _ = input.write_all(text);
        }
        let started = Instant::now();
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if started.elapsed() < PATIENCE => {
                    std::thread::sleep(Duration::from_micros(500));
                }
                waited => {
                    // With everything that it started.
                    if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
                        let _ = kill_process_group(group, Signal::KILL);
                    }
                    let _ = child.wait();
                    let late = format!("no answer within {} seconds", PATIENCE.as_secs());
                    return Err(fault(waited.err().map_or(late, |error| error.to_string())));
                }
            }
        };
        let mut answer = Vec::new();
        let read = output
            .rewind()
            .and_then(|()| output.take(ANSWER_MAX_BYTES).read_to_end(&mut answer));
        read.map_err(|error| fault(error.to_string()))?;
        if !status.success() {
            return Err(fault(format!("it ended with {status}")));
        }
        let text_form = || BASE64.decode(answer.trim_ascii()).ok();
        let signature = match answer.len() {
            64 => answer,
            _ => text_form().ok_or_else(|| fault("its answer is no signature".to_owned()))?,
        };
        if !self.verifier.verifies(text, &signature) {
            return Err(fault(format!("its signature is not by {}", self.verifier)));
        }
        Ok(signature)
    }
}

impl Signer {
    /// The public half.
    pub fn verifier(&self) -> &VerifierKey {
        match self {
            Signer::Key(key) => key.verifier(),
            Signer::Program(program) => &program.verifier,
        }
    }

    /// Whether signing can fail.
    pub(super) fn is_outside(&self) -> bool {
        matches!(self, Signer::Program(_))
    }

    /// Adds a signature to a note.
    pub(super) fn sign(&self, note: &mut Note) -> Result<(), ArchiveError> {
        let text = note.unverified_text().as_bytes();
        let signature = match self {
            Signer::Key(key) => key.sign(text, 0),
            Signer::Program(program) => program.sign(text)?,
        };
        note.add(self.verifier(), signature);
        Ok(())
    }
}
