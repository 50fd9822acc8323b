//! The kinds of entries and their bodies: what the archive writes into the log, and reads back from it.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vouchsafe_evidence::digest::{ContentDigests, Digest};
use vouchsafe_evidence::entry::{Entry, Object};
use vouchsafe_evidence::statement::Decision;
pub(super) use vouchsafe_evidence::verify::{
    ARCHIVE_CREATED, CHECKPOINT_COSIGNED, CHECKPOINT_TIMESTAMPED, KEY_ROTATED, REVIEW_DECIDED,
    USER_KEY_ADDED, VOUCHER_SUBMITTED,
};

use super::{ArchiveError, ImageSet};
use crate::access::{Role, Time};
use crate::catalog::TreePath;
use crate::matching::Verdict;
use crate::render::Warning;
use crate::voucher::Invalid;

pub(super) const USER_ADDED: &str = "user.added";
pub(super) const USER_PASSWORD_CHANGED: &str = "user.password_changed";
pub(super) const USER_DISABLED: &str = "user.disabled";
pub(super) const USER_TOKEN_ADDED: &str = "user.token_added";
pub(super) const GRANT_ADDED: &str = "grant.added";
pub(super) const GRANT_REVOKED: &str = "grant.revoked";
pub(super) const GROUP_MEMBER_ADDED: &str = "group.member_added";
pub(super) const GROUP_MEMBER_REMOVED: &str = "group.member_removed";
pub(super) const TEMPLATE_PUBLISHED: &str = "template.published";
pub(super) const VOUCHER_FILED: &str = "voucher.filed";
pub(super) const SCAN_RECEIVED: &str = "scan.received";
pub(super) const MATCH_DECIDED: &str = "match.decided";
pub(super) const UPLOAD_REJECTED: &str = "upload.rejected";
pub(super) const INBOX_RECEIVED: &str = "inbox.received";
pub(super) const INBOX_FOLDER_MADE: &str = "inbox.folder_made";
pub(super) const INBOX_REMOVED: &str = "inbox.removed";
pub(super) const ARCHIVE_RESTORED: &str = "archive.restored";
pub(super) const VIEW: &str = "view";
pub(super) const LOGIN_FAILED: &str = "login.failed";

/// Longest path in an entry, in bytes: five names of 200 bytes, and some more.
const PATH_MAX_BYTES: usize = 1_200;

/// The actor of commands run on the machine itself.
pub const OPERATOR: &str = "operator";
/// The actor of what nobody signed in for.
pub(super) const NOBODY: &str = "nobody";

/// Body of `archive.created`.
#[derive(Serialize, Deserialize)]
pub(super) struct Created {
    pub origin: String,
    pub vkey: String,
}

/// Body of `archive.restored`: how many entries the backup had.
#[derive(Serialize, Deserialize)]
pub(super) struct Restored {
    pub size: u64,
}

/// Body of `key.rotated`: the new key.
#[derive(Serialize, Deserialize)]
pub(super) struct KeyRotated {
    pub vkey: String,
}

/// Body of `checkpoint.cosigned`: what was cosigned.
#[derive(Serialize, Deserialize)]
pub(super) struct Cosigned {
    pub root: Digest,
    pub size: u64,
}

/// Body of `checkpoint.timestamped`: what was time-stamped, and when, as the authority says.
#[derive(Serialize, Deserialize)]
pub(super) struct Timestamped {
    pub root: Digest,
    pub size: u64,
    pub stamped: Time,
}

/// Body of `user.token_added`.
#[derive(Serialize, Deserialize)]
pub(super) struct TokenAdded {
    pub token: String,
    pub until: Option<Time>,
    /// The only part of the tree that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
}

/// Body of `user.key_added`: the public half of the key that the user signs with from now on.
#[derive(Serialize, Deserialize)]
pub(super) struct UserKeyAdded {
    pub vkey: String,
    /// Whether the private half is kept by its owner, and not sealed here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
}

/// Body of `grant.added`.
#[derive(Serialize, Deserialize)]
pub(super) struct GrantAdded {
    pub grant: String,
    /// The id of a user, or the name of a group with its `@`.
    pub user: String,
    pub role: Role,
    pub scope: String,
    pub from: Option<Time>,
    pub until: Option<Time>,
}

/// Body of `grant.revoked`.
#[derive(Serialize, Deserialize)]
pub(super) struct GrantRevoked {
    pub grant: String,
}

/// Body of `group.member_added` and `group.member_removed`; the path names the user.
#[derive(Serialize, Deserialize)]
pub(super) struct GroupMember {
    pub group: String,
}

/// Body of `template.published`.
#[derive(Serialize, Deserialize)]
pub(super) struct TemplatePublished {
    #[serde(rename = "type")]
    pub voucher_type: String,
    pub version: u32,
}

/// Body of `voucher.filed`.
#[derive(Serialize, Deserialize)]
pub(super) struct VoucherFiled {
    pub version: u32,
    pub template: u32,
    pub template_blake3: Digest,
    /// How many warnings drawing gave, such as a character that no font has.
    pub warnings: u64,
    /// The first of them in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warned: Vec<String>,
}

/// Most warnings that an entry keeps in words, and the most characters of each.
const WARNED_MAX: usize = 10;
const WARNED_MAX_CHARS: usize = 60;

/// What an entry keeps of the warnings of a drawing.
pub(super) fn warned(warnings: &[Warning]) -> Vec<String> {
    let words = |warning: &Warning| warning.for_log().chars().take(WARNED_MAX_CHARS).collect();
    warnings.iter().take(WARNED_MAX).map(words).collect()
}

/// Body of `scan.received`: which version of which scan.
#[derive(Serialize, Deserialize)]
pub(super) struct ScanReceived {
    pub version: u32,
}

/// Body of `inbox.received`: the vouchers that a scan was filed with, why not with all that it may show, and between
/// which of these a person has to choose.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct InboxReceived {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placed: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unplaced: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
}

/// Body of `match.decided`: whether which scans show which version of the voucher.
#[derive(Serialize, Deserialize)]
pub(super) struct MatchDecided {
    pub verdict: Verdict,
    pub version: u32,
    /// Version of each scan.
    pub scans: BTreeMap<String, u32>,
    pub by_person: bool,
}

/// Body of `review.decided` and `voucher.submitted`: what was decided on which version, as its scans were then.
#[derive(Serialize, Deserialize)]
pub(super) struct ReviewDecided {
    pub decision: Decision,
    pub version: u32,
    /// Version of each scan.
    pub scans: BTreeMap<String, u32>,
    pub image_set: ImageSet,
    /// SHA-256 of the comment, which is in `review.json`.
    pub comment: Digest,
}

/// Body of `upload.rejected`: the field, never its value.
#[derive(Serialize, Deserialize)]
pub(super) struct UploadRejected {
    pub field: String,
}

/// Body of `view`.
#[derive(Serialize, Deserialize)]
pub(super) struct Viewed {
    pub blake3: Digest,
    pub client: String,
    pub file: String,
    pub from: String,
    /// The id of the mark that was shown with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
}

/// Body of `login.failed`: how many since the entry before.
#[derive(Serialize, Deserialize)]
pub(super) struct LoginFailed {
    pub count: u64,
    pub from: String,
}

/// The object `user.json`: names live in objects, so that they can be destroyed one day.
#[derive(Serialize, Deserialize)]
pub(super) struct UserFile {
    pub name: String,
}

/// An entry before it has a place in the log.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub actor: String,
    pub kind: &'static str,
    pub path: String,
    pub objects: Vec<Object>,
    pub body: Map<String, Value>,
}

impl Draft {
    pub fn new(
        actor: &str,
        kind: &'static str,
        path: impl ToString,
        body: &impl Serialize,
    ) -> Result<Draft, ArchiveError> {
        let path = path.to_string();
        // The fold reads the path back, and an entry is to stay below 4 KiB.
        if path.len() > PATH_MAX_BYTES {
            let error = format!("the path has more than {PATH_MAX_BYTES} bytes");
            return Err(Invalid::new("path", error, "use shorter or fewer names").into());
        }
        TreePath::parse(&path).map_err(|error| {
            Invalid::new("path", error.to_string(), "use shorter or fewer names")
        })?;
        let body = match serde_json::to_value(body) {
            Ok(Value::Object(body)) => body,
            Ok(Value::Null) => Map::new(),
            other => {
                let why = format!("the body of {kind} is no object: {other:?}");
                return Err(ArchiveError::Fault(why));
            }
        };
        Ok(Draft {
            actor: actor.to_owned(),
            kind,
            path,
            objects: Vec::new(),
            body,
        })
    }

    pub fn with(mut self, objects: Vec<Object>) -> Draft {
        self.objects = objects;
        self
    }
}

/// The body of an entry as its kind defines it.
pub(super) fn body<T: DeserializeOwned>(entry: &Entry) -> Result<T, ArchiveError> {
    serde_json::from_value(Value::Object(entry.body.clone())).map_err(|error| {
        let Entry { seq, kind, .. } = entry;
        ArchiveError::Broken(format!("entry {seq}: the body of a {kind}: {error}"))
    })
}

/// The record of an object under a name, from what hashing its bytes gave.
pub(super) fn object(name: &str, media_type: &str, digests: &ContentDigests) -> Object {
    Object {
        blake3: digests.blake3,
        media_type: media_type.to_owned(),
        name: name.to_owned(),
        sha256: digests.sha256,
        size: digests.size,
    }
}
