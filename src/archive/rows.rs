//! The rows of the index: what the fold over the log keeps, and under which keys.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::entry::Object;
use vouchsafe_evidence::statement::Decision;

use super::ArchiveError;
use crate::access::{Role, Time};
use crate::catalog::TreePath;
use crate::matching::Verdict;
use crate::store::Store;

/// Number of the form of all rows; whatever changes a row or a key raises it.
pub(super) const INDEX_FORM: u32 = 2;

/// Rows of the index that are read at once. A month with a thousand vouchers is one page, which is
/// answered without a second look.
pub(super) const PAGE_ROWS: usize = 1_024;

/// A folder or a voucher in the tree, under its parent. Written as a pair, because listings read
/// thousands of these.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "(Time, Time)", into = "(Time, Time)")]
pub(super) struct NodeRow {
    pub created: Time,
    pub modified: Time,
}

impl From<(Time, Time)> for NodeRow {
    fn from((created, modified): (Time, Time)) -> NodeRow {
        NodeRow { created, modified }
    }
}

impl From<NodeRow> for (Time, Time) {
    fn from(NodeRow { created, modified }: NodeRow) -> (Time, Time) {
        (created, modified)
    }
}

/// Everything filed at one voucher's place.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct VoucherRow {
    /// From the first to the current.
    pub versions: Vec<VersionRow>,
    /// By file name; each with all its versions.
    pub scans: BTreeMap<String, Vec<FileRow>>,
    /// What was decided on the scans, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<DecisionRow>,
    /// What reviewers decided, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<ReviewRow>,
    /// By what preparers stood, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub submissions: Vec<ReviewRow>,
    /// The entries that made this row, in order.
    pub entries: Vec<u64>,
}

/// Whether scans show a version of the voucher.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DecisionRow {
    pub seq: u64,
    pub time: Time,
    pub verdict: Verdict,
    /// Of the voucher.
    pub version: u32,
    /// Of each scan.
    pub scans: BTreeMap<String, u32>,
    /// `match.json`, and `match.png` if there is one.
    pub objects: Vec<Object>,
}

/// What somebody signed about a version of the voucher: a reviewer's decision, or a preparer's submission.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ReviewRow {
    pub seq: u64,
    pub time: Time,
    /// Their id.
    pub person: String,
    pub decision: Decision,
    /// SHA-256 of the comment.
    pub comment: Digest,
    /// Of the voucher.
    pub version: u32,
    /// Of each scan.
    pub scans: BTreeMap<String, u32>,
    /// `review.json`, `review.note` and the stamped renditions; or `submitted.note`.
    pub objects: Vec<Object>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct VersionRow {
    pub seq: u64,
    pub time: Time,
    pub objects: Vec<Object>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FileRow {
    pub seq: u64,
    pub time: Time,
    pub object: Object,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct UserRow {
    pub name: String,
    pub added: Time,
    pub seq: u64,
    pub disabled: Option<Time>,
    /// Public keys that they sign with, the current one last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyRow>,
}

/// A public key of a user, and the entry that says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KeyRow {
    pub seq: u64,
    pub vkey: String,
    /// Whether the private half is kept by its owner, and not sealed here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct GrantRow {
    pub user: String,
    pub role: Role,
    pub scope: String,
    pub from: Option<Time>,
    pub until: Option<Time>,
    pub added: Time,
    pub seq: u64,
    pub revoked: Option<Time>,
    pub revoked_seq: Option<u64>,
}

/// When a user looked at which place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ViewRow {
    pub time: Time,
    pub path: String,
}

/// When which user looked at a place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ViewerRow {
    pub time: Time,
    pub user: String,
}

/// A time in which somebody was in a group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct MembershipRow {
    pub added: Time,
    pub seq: u64,
    pub removed: Option<Time>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TemplateRow {
    pub version: u32,
    pub seq: u64,
    pub time: Time,
    pub object: Object,
}

/// A checkpoint that witnesses cosigned, or a time-stamp authority stamped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AnchorRow {
    pub seq: u64,
    pub time: Time,
    /// How many entries the checkpoint covers.
    pub size: u64,
    /// The checkpoint, and the token if it was stamped.
    pub objects: Vec<Object>,
}

/// A file (with its object) or a folder of somebody's inbox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct InboxRow {
    pub created: Time,
    pub modified: Time,
    pub object: Option<Object>,
    /// Why a scan was not filed with every voucher that it may show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unplaced: Option<String>,
    /// The vouchers between which a person has to choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<String>,
}

/// Keys: a word for the kind of row, then its parts, with zero bytes between, which no part contains.
pub(super) mod key {
    use super::TreePath;

    fn join(parts: &[&str]) -> Vec<u8> {
        parts.join("\0").into_bytes()
    }

    /// A place, under its parent.
    pub fn node(path: &TreePath) -> Vec<u8> {
        join(&["node", &path.parent().to_string(), path.name()])
    }

    /// The places directly below `parent`.
    pub fn nodes(parent: &TreePath) -> Vec<u8> {
        join(&["node", &parent.to_string(), ""])
    }

    pub fn voucher(path: &str) -> Vec<u8> {
        join(&["voucher", path])
    }

    /// A voucher whose pictures are in a state of completeness.
    pub fn image_set(state: &str, path: &str) -> Vec<u8> {
        join(&["image-set", state, path])
    }

    /// All vouchers of a state.
    pub fn image_sets(state: &str) -> Vec<u8> {
        join(&["image-set", state, ""])
    }

    /// A voucher whose current version waits for a review.
    pub fn review_waiting(path: &str) -> Vec<u8> {
        join(&["review", "waiting", path])
    }

    /// A trace that names a view; numbers are padded so that their order is that of the log.
    pub fn marked(view: &str, seq: u64) -> Vec<u8> {
        join(&["marked", view, &format!("{seq:016}")])
    }

    /// All traces that name a view.
    pub fn all_marked(view: &str) -> Vec<u8> {
        join(&["marked", view, ""])
    }

    /// All vouchers that wait for a review.
    pub fn reviews_waiting() -> Vec<u8> {
        join(&["review", "waiting", ""])
    }

    pub fn user(id: &str) -> Vec<u8> {
        join(&["user", id])
    }

    pub fn user_name(name: &str) -> Vec<u8> {
        join(&["user-name", name])
    }

    pub fn grant(id: &str) -> Vec<u8> {
        join(&["grant", id])
    }

    /// The number of the form of all rows.
    pub fn form() -> Vec<u8> {
        join(&["form"])
    }

    /// That somebody looked at a voucher, by the number of the entry.
    pub fn view_of(path: &str, seq: u64) -> Vec<u8> {
        join(&["view", path, &format!("{seq:016}")])
    }

    /// All views of a voucher.
    pub fn views_of(path: &str) -> Vec<u8> {
        join(&["view", path, ""])
    }

    /// All views of all vouchers below a folder.
    pub fn views_below(folder: &str) -> Vec<u8> {
        join(&["view", &format!("{}/", folder.trim_end_matches('/'))])
    }

    /// That a user looked at something, by the number of the entry.
    pub fn view_by(user: &str, seq: u64) -> Vec<u8> {
        join(&["viewer", user, &format!("{seq:016}")])
    }

    /// All views of a user.
    pub fn views_by(user: &str) -> Vec<u8> {
        join(&["viewer", user, ""])
    }

    /// When a user was in a group.
    pub fn membership(group: &str, user: &str) -> Vec<u8> {
        join(&["member", group, user])
    }

    /// Who was in which group.
    pub fn memberships() -> Vec<u8> {
        join(&["member", ""])
    }

    /// The group of a key of [`membership`].
    pub fn group_of_membership(key: &[u8]) -> String {
        let part = key.split(|byte| *byte == 0).nth(1).unwrap_or_default();
        String::from_utf8_lossy(part).into_owned()
    }

    /// How many rows of a kind were ever made; the next id is one more.
    pub fn count(kind: &str) -> Vec<u8> {
        join(&["count", kind])
    }

    pub fn template(voucher_type: &str, version: u32) -> Vec<u8> {
        join(&["template", voucher_type, &format!("{version:08}")])
    }

    /// The note of key change `number`, counted from 1.
    pub fn rotation(number: u64) -> Vec<u8> {
        join(&["rotation", &format!("{number:08}")])
    }

    /// The notes of all key changes.
    pub fn rotations() -> Vec<u8> {
        join(&["rotation", ""])
    }

    /// The latest cosigned checkpoint.
    pub fn cosigned() -> Vec<u8> {
        join(&["cosigned"])
    }

    /// The time-stamped checkpoint over `size` entries.
    pub fn timestamp(size: u64) -> Vec<u8> {
        join(&["timestamp", &format!("{size:020}")])
    }

    /// All time-stamped checkpoints.
    pub fn timestamps() -> Vec<u8> {
        join(&["timestamp", ""])
    }

    /// A place in a user's inbox, under its parent.
    pub fn inbox(user: &str, path: &TreePath) -> Vec<u8> {
        join(&["inbox", user, &path.parent().to_string(), path.name()])
    }

    /// Everything in everybody's inbox.
    pub fn inboxes() -> Vec<u8> {
        join(&["inbox", ""])
    }

    /// Whose inbox a key of [`inbox`] is in, and where in it.
    pub fn inbox_parts(key: &[u8]) -> Option<(String, TreePath)> {
        let text = std::str::from_utf8(key).ok()?;
        let mut parts = text.split('\0').skip(1);
        let (user, parent, name) = (parts.next()?, parts.next()?, parts.next()?);
        let parent = TreePath::parse(parent).ok()?;
        Some((user.to_owned(), parent.child(name)))
    }

    /// The places directly below `parent` in a user's inbox.
    pub fn inbox_nodes(user: &str, parent: &TreePath) -> Vec<u8> {
        join(&["inbox", user, &parent.to_string(), ""])
    }
}

pub(super) fn decode<T: DeserializeOwned>(key: &[u8], row: &[u8]) -> Result<T, ArchiveError> {
    serde_json::from_slice(row).map_err(|error| {
        let key = String::from_utf8_lossy(key).replace('\0', " ");
        ArchiveError::Broken(format!("index row {key}: {error}; the log can rebuild it"))
    })
}

pub(super) fn encode(row: &impl Serialize) -> Result<Vec<u8>, ArchiveError> {
    serde_json::to_vec(row).map_err(|error| ArchiveError::Fault(error.to_string()))
}

/// Visits the rows whose keys begin with `prefix` and are greater than `after`, in order.
pub(super) fn each(
    store: &dyn Store,
    prefix: &[u8],
    after: &[u8],
    mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), ArchiveError>,
) -> Result<(), ArchiveError> {
    let mut after = after.to_vec();
    loop {
        let rows = store.scan(prefix, &after, PAGE_ROWS)?;
        for (key, row) in &rows {
            visit(key, row)?;
        }
        match rows.into_iter().nth(PAGE_ROWS - 1) {
            Some((last, _)) => after = last,
            None => return Ok(()),
        }
    }
}

/// The object of this name.
pub(super) fn named<'a>(objects: &'a [Object], name: &str) -> Option<&'a Object> {
    objects.iter().find(|object| object.name == name)
}

/// The last part of a key.
pub(super) fn last_part(key: &[u8]) -> String {
    name_in(key).into_owned()
}

/// The last part of a key, as it stands there.
pub(super) fn name_in(key: &[u8]) -> Cow<'_, str> {
    let last = key.rsplit(|byte| *byte == 0).next().unwrap_or(key);
    // Keys are made of texts; what is damaged on the disk may still be no text any more.
    String::from_utf8_lossy(last)
}
