use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use crate::archive::ArchiveError;
use crate::voucher::Invalid;

/// Why a command did not do what it was asked to; the variants are the exit statuses.
#[derive(Debug)]
pub enum Failure {
    /// The answer is no (1). Without a text, the command has said so itself.
    No(String),
    /// Wrong use or bad input (2).
    Wrong(String),
    /// The machine failed (3).
    Machine(String),
    /// It cannot be told, and the command has said so itself (4).
    Unsure,
}

impl Failure {
    /// A file that could not be read or written.
    pub fn io(path: &Path, error: &std::io::Error) -> Failure {
        let text = format!("{}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::IsADirectory => Failure::Wrong(text),
            _ => Failure::Machine(text),
        }
    }

    /// The same, said of a file.
    pub fn of_file(self, file: &Path) -> Failure {
        let named = |text: String| format!("{}: {text}", file.display());
        match self {
            Failure::No(text) => Failure::No(named(text)),
            Failure::Wrong(text) => Failure::Wrong(named(text)),
            Failure::Machine(text) => Failure::Machine(named(text)),
            Failure::Unsure => Failure::Unsure,
        }
    }

    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::No(_) => 1,
            Failure::Wrong(_) => 2,
            Failure::Machine(_) => 3,
            Failure::Unsure => 4,
        })
    }

    pub fn is_silent(&self) -> bool {
        match self {
            Failure::No(text) => text.is_empty(),
            Failure::Unsure => true,
            Failure::Wrong(_) | Failure::Machine(_) => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::No(text) | Failure::Wrong(text) | Failure::Machine(text) => f.write_str(text),
            Failure::Unsure => f.write_str("it cannot be told"),
        }
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Failure {
        let text = error.to_string();
        match error {
            ArchiveError::Denied { hint, .. } => Failure::No(format!("{text}\n  {hint}")),
            ArchiveError::Invalid(invalid) => invalid.into(),
            ArchiveError::Conflict { hint, .. } | ArchiveError::WrongKind { hint, .. } => {
                Failure::Wrong(format!("{text}\n  {hint}"))
            }
            ArchiveError::Absent(_)
            | ArchiveError::Precondition(_)
            | ArchiveError::TooLarge { .. }
            | ArchiveError::CutOff(_) => Failure::Wrong(text),
            ArchiveError::TooManyGuesses(_) => Failure::No(text),
            ArchiveError::Full(_)
            | ArchiveError::Busy(_)
            | ArchiveError::InUse(_)
            | ArchiveError::Fault(_)
            | ArchiveError::Broken(_) => Failure::Machine(text),
        }
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Failure {
        let Invalid { error, field, hint } = invalid;
        Failure::Wrong(match field.as_str() {
            "" => format!("{error}\n  {hint}"),
            field => format!("{field}: {error}\n  {hint}"),
        })
    }
}
