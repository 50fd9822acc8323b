//! What is at a place of the tree: a folder, or a file and where its bytes are.

use std::sync::Arc;

use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::entry::Object;
use vouchsafe_evidence::log_file::LogFile;

use super::Marked;
use crate::access::Time;

/// What is at a place.
#[derive(Debug, Clone)]
pub enum Node {
    /// Something with places below it.
    Folder {
        /// When the first thing was put there, in milliseconds since 1970-01-01 UTC.
        created: Time,
        /// When the last thing was put there.
        modified: Time,
    },
    /// Something with content.
    File(File),
}

impl Node {
    /// When the first thing came here.
    pub fn created(&self) -> Time {
        match self {
            Node::Folder { created, .. } => *created,
            Node::File(file) => file.created,
        }
    }

    /// When the last thing came here.
    pub fn modified(&self) -> Time {
        match self {
            Node::Folder { modified, .. } => *modified,
            Node::File(file) => file.modified,
        }
    }
}

/// A file. While it has the same entity tag, it has the same bytes.
#[derive(Debug, Clone)]
pub struct File {
    /// Length of the content in bytes.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
    /// Changes with the content; without quotation marks.
    pub etag: String,
    /// When the first version came.
    pub created: Time,
    /// When this version came.
    pub modified: Time,
    /// Where the bytes are.
    pub content: Content,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone)]
pub enum Content {
    /// In the store.
    Stored(Digest),
    /// Here: they were derived from the log.
    Derived(Arc<[u8]>),
    /// Nowhere yet: a copy of what is in the store, with a mark of who is shown it.
    Marked(Box<Marked>),
    /// Nowhere: the caller is shown marked copies only, and this cannot be marked.
    Withheld,
    /// In the log: a tile or a bundle of entries, which never changes.
    Log(LogFile),
}

/// A place directly below another.
#[derive(Debug, Clone)]
pub struct Child {
    /// The last step of its path.
    pub name: String,
    /// What it is.
    pub node: Node,
}

/// The entity tag of a content.
pub(super) fn etag(digest: &Digest) -> String {
    digest.to_string()[..32].to_owned()
}

impl File {
    pub(super) fn stored(object: &Object, created: Time, modified: Time) -> File {
        File {
            size: object.size,
            media_type: object.media_type.clone(),
            etag: etag(&object.blake3),
            created,
            modified,
            content: Content::Stored(object.blake3),
        }
    }

    pub(super) fn derived(
        content: Vec<u8>,
        media_type: &str,
        created: Time,
        modified: Time,
    ) -> File {
        File {
            size: content.len() as u64,
            media_type: media_type.to_owned(),
            etag: etag(&Digest::blake3(&content)),
            created,
            modified,
            content: Content::Derived(content.into()),
        }
    }
}
