//! The evidence room: what a log entry is, how entries are committed to, and how anyone checks it.
//!
//! It does not know what a voucher is, where entries are kept, who may read them, or what time it is:
//! storage, clock and randomness come from outside. Every byte it defines is described in
//! `docs/format.md`; this package alone, with its few dependencies, verifies an archive.

pub mod bag;
pub mod bundle;
pub mod checkpoint;
pub mod digest;
pub mod directory;
pub mod entry;
pub mod folder;
pub mod key;
pub mod log_file;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod published;
pub mod report;
pub mod rotation;
pub mod statement;
pub mod tile;
pub mod verify;
pub mod witness;
