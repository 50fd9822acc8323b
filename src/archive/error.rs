use vouchsafe_evidence::entry::EntryError;

use crate::store::StoreError;
use crate::voucher::Invalid;

/// Why the archive did not do what was asked, in the classes on which a caller acts differently.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ArchiveError {
    /// Not there, or not for this caller: the two look the same.
    #[error("there is nothing at {0}")]
    Absent(String),
    /// Visible, but this caller may not do that.
    #[error("{error}")]
    Denied {
        /// What is refused, and why.
        error: String,
        /// What the caller can do instead.
        hint: String,
    },
    /// Bad data.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Contradicts what is filed.
    #[error("{error}")]
    Conflict {
        /// What contradicts what.
        error: String,
        /// What the caller can do.
        hint: String,
    },
    /// What is there is not what the sender made a condition.
    #[error("{0}")]
    Precondition(String),
    /// More bytes than are taken in.
    #[error("{what} has more than {limit} bytes")]
    TooLarge {
        /// What was sent.
        what: String,
        /// The most that is taken.
        limit: u64,
    },
    /// Content of a kind that is not read.
    #[error("{error}")]
    WrongKind {
        /// What the content is not.
        error: String,
        /// What is read.
        hint: String,
    },
    /// The sender stopped in the middle.
    #[error("the upload ended before its end: {0}")]
    CutOff(String),
    /// No room on the disk.
    #[error("the disk is full: {0}")]
    Full(String),
    /// Not now: overloaded, or stopped after a failed write.
    #[error("{0}")]
    Busy(String),
    /// Too many wrong passwords before; how long to wait, in milliseconds.
    #[error("too many wrong passwords")]
    TooManyGuesses(u64),
    /// Another process has the archive open for writing.
    #[error("the archive in {0} is in use by another process")]
    InUse(String),
    /// The machine failed.
    #[error("{0}")]
    Fault(String),
    /// The archive contradicts itself; never repaired in silence.
    #[error("the archive is damaged: {0}")]
    Broken(String),
}

impl ArchiveError {
    pub(super) fn denied(error: impl Into<String>, hint: impl Into<String>) -> ArchiveError {
        ArchiveError::Denied {
            error: error.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn conflict(error: impl Into<String>, hint: impl Into<String>) -> ArchiveError {
        ArchiveError::Conflict {
            error: error.into(),
            hint: hint.into(),
        }
    }

    /// An I/O error with the file that it is about.
    pub(super) fn io(path: &std::path::Path, error: std::io::Error) -> ArchiveError {
        let text = format!("{}: {error}", path.display());
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                ArchiveError::Full(text)
            }
            _ => ArchiveError::Fault(text),
        }
    }
}

impl From<StoreError> for ArchiveError {
    fn from(error: StoreError) -> ArchiveError {
        let text = error.to_string();
        match error {
            StoreError::InUse(folder) => ArchiveError::InUse(folder),
            StoreError::Absent(folder) => ArchiveError::Absent(folder),
            StoreError::Full(why) => ArchiveError::Full(why),
            StoreError::Damaged(what) => ArchiveError::Broken(what),
            StoreError::Moved { .. } => ArchiveError::Broken(text),
            StoreError::Failed(why) => ArchiveError::Fault(why),
        }
    }
}

impl From<EntryError> for ArchiveError {
    /// An entry that this program composed and cannot write is a fault of the program.
    fn from(error: EntryError) -> ArchiveError {
        ArchiveError::Fault(format!("an entry could not be written: {error}"))
    }
}
