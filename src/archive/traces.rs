//! Traces of views, for those who may see them: who looked at a voucher, and what somebody looked at.

use std::collections::BTreeMap;

use serde::Serialize;
use vouchsafe_evidence::digest::Digest;

use super::documents::rfc3339;
use super::kind::{self, body};
use super::open::entry;
use super::published::sees_entries;
use super::rows::{PAGE_ROWS, ViewerRow, VoucherRow, decode, each, key, last_part};
use super::tree::absent;
use super::{ArchiveError, Caller, Records};
use crate::access::Right;
use crate::catalog::TreePath;
use crate::watermark::ViewId;

/// Traces of one answer.
pub const TRACES_MAX: usize = 1_000;
/// Most traces of one marked copy that are told: one reading a second for a day would be more.
const OF_VIEW_MAX: usize = 10_000;

/// One look at one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// Number of the entry in the log.
    pub entry: u64,
    /// RFC 3339.
    pub time: String,
    /// Id of who looked.
    pub user: String,
    /// Their name.
    pub name: String,
    /// The voucher.
    pub path: String,
    /// The file of it.
    pub file: String,
    /// What was shown, as it is stored.
    pub blake3: Digest,
    /// The address from which they looked.
    pub from: String,
    /// What the client called itself.
    pub client: String,
    /// The id that the copy was marked with, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
}

/// Whose traces, or of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TracesOf {
    /// Of a voucher, or of every voucher below a folder.
    Place(TreePath),
    /// Of a user, by name.
    User(String),
}

/// Number of the entry that a key of a view ends with.
pub(super) fn seq(key: &[u8]) -> Result<u64, ArchiveError> {
    last_part(key).parse().map_err(|_| {
        let key = String::from_utf8_lossy(key).replace('\0', " ");
        ArchiveError::Broken(format!("index row {key}: no number of an entry"))
    })
}

impl Records {
    /// The traces of views in the order of the log, or below a folder in that of its vouchers, after a key; and the key
    /// to go on after. Who verifies a part of the tree sees the traces there, and everybody sees their own.
    pub fn traces(
        &self,
        caller: &Caller,
        of: &TracesOf,
        after: &str,
    ) -> Result<(Vec<Trace>, Option<String>), ArchiveError> {
        let prefix = match of {
            TracesOf::Place(path) => {
                if !sees_traces(caller, path) {
                    return self.refuse_traces(caller, path);
                }
                let place = path.to_string();
                let voucher = self.row::<VoucherRow>(&key::voucher(&place))?;
                match voucher.is_some() || is_reserved(path) {
                    true => key::views_of(&place),
                    false => key::views_below(&place),
                }
            }
            TracesOf::User(name) => {
                let people = self.people();
                let user = people.named(name).map(|user| user.id.clone());
                let own = user.as_ref() == Some(&caller.id) && !caller.permissions.is_limited();
                if !own && !caller.permissions.allow_somewhere(Right::Verify) {
                    return Err(refused());
                }
                match user {
                    Some(id) => key::views_by(&id),
                    None => return Ok((Vec::new(), None)),
                }
            }
        };
        let mut start = [&prefix[..], after.as_bytes()].concat();
        let mut traces = Vec::new();
        loop {
            let rows = self.store.scan(&prefix, &start, PAGE_ROWS)?;
            for (key, _) in &rows {
                let trace = self.trace(seq(key)?)?;
                let place = TreePath::parse(&trace.path).unwrap_or_default();
                let own = trace.user == caller.id && !caller.permissions.is_limited();
                if own || sees_traces(caller, &place) {
                    traces.push(trace);
                }
                if traces.len() == TRACES_MAX {
                    let rest = key.get(prefix.len()..).unwrap_or_default();
                    let next = String::from_utf8_lossy(rest).into_owned();
                    return Ok((traces, Some(next)));
                }
            }
            match rows.last() {
                Some((key, _)) => start.clone_from(key),
                None => return Ok((traces, None)),
            }
        }
    }

    /// Every trace that names the id of a marked copy, in the order of the log; none if this archive made no such mark.
    pub fn traces_of_view(&self, view: ViewId) -> Result<Vec<Trace>, ArchiveError> {
        let prefix = key::all_marked(&view.to_string());
        let rows = self.store.scan(&prefix, &prefix, OF_VIEW_MAX)?;
        rows.iter().map(|(key, _)| self.trace(seq(key)?)).collect()
    }

    /// The trace that an entry of the kind `view` is.
    pub(super) fn trace(&self, seq: u64) -> Result<Trace, ArchiveError> {
        let entry = entry(&*self.store, seq)?;
        let viewed: kind::Viewed = body(&entry)?;
        Ok(Trace {
            entry: seq,
            time: rfc3339(entry.time),
            name: self.name_of(&entry.actor),
            user: entry.actor,
            path: entry.path,
            file: viewed.file,
            blake3: viewed.blake3,
            from: viewed.from,
            client: viewed.client,
            view: viewed.view,
        })
    }

    fn refuse_traces<T>(&self, caller: &Caller, path: &TreePath) -> Result<T, ArchiveError> {
        match self.node(caller, path, None) {
            Ok(_) => Err(refused()),
            Err(_) => absent(path),
        }
    }

    /// How often each person looked at a voucher, and when last: for `history.json` of those who may see it.
    pub(super) fn looks(&self, place: &str) -> Result<Vec<Looked>, ArchiveError> {
        let prefix = key::views_of(place);
        let mut looked: BTreeMap<String, Looked> = BTreeMap::new();
        each(&*self.store, &prefix, &prefix, |key, row| {
            let ViewerRow { time, user } = decode(key, row)?;
            let name = self.name_of(&user);
            let looked = looked.entry(user).or_insert_with(|| Looked {
                by: name,
                views: 0,
                first: rfc3339(time),
                last: String::new(),
            });
            looked.views += 1;
            looked.last = rfc3339(time);
            Ok(())
        })?;
        Ok(looked.into_values().collect())
    }
}

/// Somebody who looked at a voucher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Looked {
    by: String,
    views: u64,
    first: String,
    last: String,
}

/// Whether a place is one of the archive's own, such as `_audit`.
fn is_reserved(path: &TreePath) -> bool {
    let first = path.segments().first();
    first.is_some_and(|first| first.starts_with('_'))
}

/// Whether the caller is told who looked at a place; at the log's own objects, whoever verifies all of it.
fn sees_traces(caller: &Caller, path: &TreePath) -> bool {
    match is_reserved(path) {
        true => sees_entries(caller),
        false => caller.permissions.allow(Right::Verify, path),
    }
}

pub(super) fn refused() -> ArchiveError {
    ArchiveError::denied(
        "traces are told to auditors and compliance teams, and everybody's own to themselves",
        "ask for your own with your name, or ask a compliance team",
    )
}
