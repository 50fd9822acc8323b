/// Why the store did not do something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The log has another size than the writer believed: somebody else writes too.
    #[error("the log has {found} entries where {expected} were expected")]
    Moved {
        /// What the writer believed.
        expected: u64,
        /// What the log has.
        found: u64,
    },
    /// Another process has the archive open.
    #[error("the archive in {0} is in use by another process")]
    InUse(String),
    /// There is no archive at that place.
    #[error("there is no archive in {0}")]
    Absent(String),
    /// No room on the disk.
    #[error("the disk is full: {0}")]
    Full(String),
    /// What is on disk is not what was written.
    #[error("damaged: {0}")]
    Damaged(String),
    /// The disk or the engine failed.
    #[error("the store failed: {0}")]
    Failed(String),
}
