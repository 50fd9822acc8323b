//! The rows of the index: what the fold over the log keeps, and under which keys.

pub(super) mod key;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::entry::Object;
use vouchsafe_evidence::statement::Decision;

use super::ArchiveError;
use crate::access::{Role, Time};
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
