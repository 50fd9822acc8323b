//! Marked copies: who is shown pictures only with a mark, which mark that is, and the files as they then are.
//!
//! A mark says who was shown which content of which place in which window of time. It depends on that alone, so that
//! every listing and every answer of a window agree to the byte; how long a copy is follows from the archived file, so
//! that nothing is drawn before somebody reads it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use vouchsafe_evidence::digest::Digest;

use super::documents::rfc3339;
use super::node::{Content, File};
use super::rows::encode;
use super::{ArchiveError, Caller, Records, random};
use crate::access::{Right, Time};
use crate::catalog::{TreePath, VoucherFile};
use crate::watermark::{self, Kind, Mark, ViewId};

/// How long a mark stays the same unless said otherwise: a day.
pub const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);
/// How long after the turn of a window the copy of the window before is still given to whoever asks for it by its tag,
/// in milliseconds.
const GRACE_MS: Time = 60 * 60 * 1_000;
const DAY_MS: Time = 24 * 60 * 60 * 1_000;
/// What view ids are derived with beside the key, so that the key could serve for something else as well.
const PURPOSE: &str = "vouchsafe view id v1";
/// Lengths of pictures that are remembered, by their digests.
const LENGTHS_MAX: usize = 1 << 16;

/// A copy with a mark, before it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// What is archived.
    pub archived: Digest,
    /// Its length in bytes.
    pub(super) archived_size: u64,
    pub(super) kind: Kind,
    pub(super) mark: Mark,
    /// Beginning of the window, in milliseconds since 1970-01-01 UTC.
    pub(super) window: Time,
    /// Length of the copy.
    pub(super) size: u64,
}

impl Marked {
    /// What the copy says of itself.
    pub fn view(&self) -> ViewId {
        self.mark.id
    }
}

/// How the archive marks.
pub(super) struct Marking {
    /// Derives the ids; nobody who sees them can tell whose they are, or make one up.
    key: [u8; 32],
    /// Length of a window in milliseconds; 0 marks nothing.
    window_ms: AtomicU64,
    /// Lengths of marked pictures by the digest of what is archived.
    lengths: Mutex<HashMap<Digest, Option<u64>>>,
}

impl Marking {
    pub fn new(key: [u8; 32]) -> Marking {
        Marking {
            key,
            window_ms: AtomicU64::new(WINDOW.as_millis() as u64),
            lengths: Mutex::default(),
        }
    }

    /// With a key that nobody else has: what is read only, or lies on no disk.
    pub fn ephemeral() -> Result<Marking, ArchiveError> {
        Ok(Marking::new(random()?))
    }

    fn id(
        &self,
        user: &str,
        archived: &Digest,
        path: &str,
        window: Time,
    ) -> Result<ViewId, ArchiveError> {
        let said = encode(&(PURPOSE, watermark::VERSION, user, archived, path, window))?;
        let hash = blake3::keyed_hash(&self.key, &said);
        let (bits, _) = hash
            .as_bytes()
            .split_first_chunk()
            .unwrap_or((&[0; 8], &[]));
        Ok(ViewId::new(u64::from_be_bytes(*bits)))
    }
}

/// How a voucher's file is marked; none for texts, which are not.
pub(super) fn kind(file: &VoucherFile, media_type: &str) -> Option<Kind> {
    match (file, media_type) {
        (VoucherFile::Rendition(_) | VoucherFile::ReviewedPdf, "application/pdf") => {
            Some(Kind::Form)
        }
        (_, "application/pdf") => Some(Kind::Pdf),
        (_, "image/png") => Some(Kind::Png),
        (_, "image/jpeg") => Some(Kind::Jpeg),
        (_, "image/tiff") => Some(Kind::Tiff),
        _ => None,
    }
}

impl Records {
    /// From now on a mark stays the same for so long; without a window nothing is marked.
    pub fn mark_views(&self, window: Option<Duration>) {
        let window = window.map_or(0, |it| it.as_millis() as u64);
        self.marking.window_ms.store(window, Ordering::Relaxed);
    }

    /// The file as the caller is shown it: with a mark, unless they may see what is archived as it is.
    pub(super) fn as_shown(
        &self,
        caller: &Caller,
        path: &TreePath,
        voucher_file: &VoucherFile,
        file: File,
    ) -> Result<File, ArchiveError> {
        let length = self.marking.window_ms.load(Ordering::Relaxed);
        let Some(kind) = kind(voucher_file, &file.media_type) else {
            return Ok(file);
        };
        let Content::Stored(archived) = file.content else {
            return Ok(file);
        };
        if length == 0 || caller.permissions.allow(Right::SeeOriginal, path) {
            return Ok(file);
        }
        let Some(size) = self.marked_length(kind, &archived, file.size)? else {
            let content = Content::Withheld;
            return Ok(File { content, ..file });
        };
        let now = caller.permissions.moment();
        let mark = Mark {
            id: ViewId::new(0),
            name: caller.name.clone(),
            date: String::new(),
        };
        let marked = Marked {
            archived,
            archived_size: file.size,
            kind,
            mark,
            window: now,
            size,
        };
        self.in_window(caller, path, &file, &marked, now - now % length)
    }

    /// The same copy as it is in another window.
    pub(super) fn in_window(
        &self,
        caller: &Caller,
        path: &TreePath,
        file: &File,
        marked: &Marked,
        window: Time,
    ) -> Result<File, ArchiveError> {
        let id = self
            .marking
            .id(&caller.id, &marked.archived, &path.to_string(), window)?;
        let time = rfc3339(window);
        // A window of a day needs no hour.
        let date = match window % DAY_MS {
            0 => time.get(..10),
            _ => time.get(..16),
        };
        let marked = Marked {
            mark: Mark {
                id,
                name: caller.name.clone(),
                date: date.unwrap_or(&time).replace('T', " "),
            },
            window,
            ..marked.clone()
        };
        let told = format!("{} {} {}", marked.archived, id, watermark::VERSION);
        Ok(File {
            size: marked.size,
            etag: super::node::etag(&Digest::blake3(told.as_bytes())),
            content: Content::Marked(Box::new(marked)),
            ..file.clone()
        })
    }

    /// The copy of the window before, for a while after the turn: whoever has begun to read that one, and names it,
    /// can read it to its end.
    pub fn before_the_turn(
        &self,
        caller: &Caller,
        path: &TreePath,
        file: &File,
    ) -> Result<Option<File>, ArchiveError> {
        let length = self.marking.window_ms.load(Ordering::Relaxed);
        let Content::Marked(marked) = &file.content else {
            return Ok(None);
        };
        let since = caller.permissions.moment().saturating_sub(marked.window);
        let before = marked.window.checked_sub(length);
        match before.filter(|_| since < GRACE_MS.min(length)) {
            Some(before) => self.in_window(caller, path, file, marked, before).map(Some),
            None => Ok(None),
        }
    }

    fn marked_length(
        &self,
        kind: Kind,
        archived: &Digest,
        size: u64,
    ) -> Result<Option<u64>, ArchiveError> {
        if kind != Kind::Png {
            return Ok(kind.length(size, &[]));
        }
        let lengths = || {
            self.marking
                .lengths
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(known) = lengths().get(archived) {
            return Ok(*known);
        }
        let mut beginning = self.store.object_piece(archived, 0)?;
        beginning.truncate(watermark::BEGINNING_BYTES);
        let length = kind.length(size, &beginning);
        let mut lengths = lengths();
        if lengths.len() >= LENGTHS_MAX {
            lengths.clear();
        }
        lengths.insert(*archived, length);
        Ok(length)
    }
}
