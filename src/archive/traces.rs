//! Traces of views, for those who may see them: who looked at a voucher, what somebody looked at, and who looked at
//! unusually much.

use std::collections::{BTreeMap, HashMap, VecDeque};

use serde::Serialize;
use vouchsafe_evidence::digest::Digest;

use super::documents::rfc3339;
use super::kind::{self, body};
use super::open::entry;
use super::published::sees_entries;
use super::rows::{ViewRow, ViewerRow, VoucherRow, decode, key, last_part};
use super::tree::{PAGE_ROWS, absent};
use super::{ArchiveError, Caller, Records};
use crate::access::{Right, Time};
use crate::catalog::TreePath;
use crate::watermark::ViewId;

/// Traces of one answer.
pub const TRACES_MAX: usize = 1_000;
/// Most traces of one marked copy that are told: one reading a second for a day would be more.
const OF_VIEW_MAX: usize = 10_000;
/// Views that are looked at for bursts; more is said to be too much.
const BURST_VIEWS_MAX: usize = 2_000_000;

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

/// That somebody looked at many vouchers in a short time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Burst {
    /// Id of who looked.
    pub user: String,
    /// Their name.
    pub name: String,
    /// When it began, by RFC 3339.
    pub from: String,
    /// When it ended.
    pub until: String,
    /// Different vouchers at which they looked in it.
    pub vouchers: usize,
    /// Times that they looked.
    pub views: usize,
    /// The first entry of it.
    pub first_entry: u64,
    /// The last entry of it.
    pub last_entry: u64,
}

/// From when on many vouchers are unusually many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unusual {
    /// Different vouchers.
    pub vouchers: usize,
    /// Within so long, in milliseconds.
    pub within: Time,
}

impl Default for Unusual {
    /// More than a voucher in ten seconds, for ten minutes: nobody reads that fast.
    fn default() -> Unusual {
        Unusual {
            vouchers: 60,
            within: 10 * 60 * 1_000,
        }
    }
}

/// A look, as the search for bursts needs it.
struct Look {
    entry: u64,
    time: Time,
    path: String,
}

/// The times in which one user looked at unusually much, from their views in order.
fn bursts(
    views: impl IntoIterator<Item = Look>,
    unusual: Unusual,
    mut found: impl FnMut(&[Look], usize),
) {
    let mut window: VecDeque<Look> = VecDeque::new();
    let mut inside: HashMap<String, usize> = HashMap::new();
    // What belongs to the burst that is going on.
    let mut burst: Vec<Look> = Vec::new();
    let mut end = |burst: &mut Vec<Look>| {
        if !burst.is_empty() {
            let mut paths: Vec<&str> = burst.iter().map(|look| look.path.as_str()).collect();
            paths.sort_unstable();
            paths.dedup();
            found(burst, paths.len());
            burst.clear();
        }
    };
    for look in views {
        while let Some(first) = window.front()
            && first.time + unusual.within <= look.time
        {
            if let Some(count) = inside.get_mut(&first.path) {
                *count -= 1;
                if *count == 0 {
                    inside.remove(&first.path);
                }
            }
            window.pop_front();
        }
        *inside.entry(look.path.clone()).or_default() += 1;
        let copy = |look: &Look| Look {
            path: look.path.clone(),
            ..*look
        };
        window.push_back(copy(&look));
        if inside.len() > unusual.vouchers {
            match burst.last() {
                // All of the window that the burst does not have yet.
                Some(last) => {
                    let last = last.entry;
                    let news = window.iter().rev().take_while(|it| it.entry > last);
                    let at = burst.len();
                    burst.extend(news.map(copy));
                    burst[at..].reverse();
                }
                None => burst.extend(window.iter().map(copy)),
            }
        } else if burst.last().is_some_and(|last| last.time + unusual.within <= look.time) {
            end(&mut burst);
        }
    }
    end(&mut burst);
}

/// Number of the entry that a key of a view ends with.
fn seq(key: &[u8]) -> Result<u64, ArchiveError> {
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
                let own = user.as_ref() == Some(&caller.id);
                if !(own && !caller.permissions.is_limited()) && !caller.permissions.allow_somewhere(Right::Verify) {
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

    /// Who looked at unusually many vouchers since a time, in the order of users and times: for those who verify the
    /// whole tree.
    pub fn bursts(
        &self,
        caller: &Caller,
        since: Time,
        unusual: Unusual,
    ) -> Result<Vec<Burst>, ArchiveError> {
        if !caller.permissions.allow(Right::Verify, &TreePath::default()) {
            return Err(refused());
        }
        let people = self.people();
        let mut found = Vec::new();
        let mut read = 0;
        let first = self.first_since(since)?;
        for user in people.users() {
            let prefix = key::views_by(&user.id);
            let mut views = Vec::new();
            let mut start = match first.checked_sub(1) {
                Some(before) => key::view_by(&user.id, before),
                None => prefix.clone(),
            };
            loop {
                let rows = self.store.scan(&prefix, &start, PAGE_ROWS)?;
                for (key, row) in &rows {
                    let row: ViewRow = decode(key, row)?;
                    let entry = seq(key)?;
                    let (time, path) = (row.time, row.path);
                    views.push(Look { entry, time, path });
                }
                read += rows.len();
                if read > BURST_VIEWS_MAX {
                    let error = format!("there are more than {BURST_VIEWS_MAX} views");
                    return Err(ArchiveError::conflict(error, "ask for a shorter time"));
                }
                match rows.last() {
                    Some((key, _)) => start.clone_from(key),
                    None => break,
                }
            }
            bursts(views, unusual, |looks, vouchers| {
                if let (Some(first), Some(last)) = (looks.first(), looks.last()) {
                    found.push(Burst {
                        user: user.id.clone(),
                        name: user.name.clone(),
                        from: rfc3339(first.time),
                        until: rfc3339(last.time),
                        vouchers,
                        views: looks.len(),
                        first_entry: first.entry,
                        last_entry: last.entry,
                    });
                }
            });
        }
        Ok(found)
    }

    /// Number of the first entry that is not before a time: times in the log never go back.
    fn first_since(&self, since: Time) -> Result<u64, ArchiveError> {
        let (mut first, mut behind) = (0, self.size()?);
        while first < behind {
            let middle = first + (behind - first) / 2;
            match entry(&*self.store, middle)?.time < since {
                true => first = middle + 1,
                false => behind = middle,
            }
        }
        Ok(first)
    }

    /// How often each person looked at a voucher, and when last: for `history.json` of those who may see it.
    pub(super) fn looks(&self, place: &str) -> Result<Vec<Looked>, ArchiveError> {
        let prefix = key::views_of(place);
        let mut looked: BTreeMap<String, Looked> = BTreeMap::new();
        let mut start = prefix.clone();
        loop {
            let rows = self.store.scan(&prefix, &start, PAGE_ROWS)?;
            for (key, row) in &rows {
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
            }
            match rows.last() {
                Some((key, _)) => start.clone_from(key),
                None => return Ok(looked.into_values().collect()),
            }
        }
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

fn refused() -> ArchiveError {
    ArchiveError::denied(
        "traces are told to auditors and compliance teams, and everybody's own to themselves",
        "ask for your own with your name, or ask a compliance team",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(views: &[(Time, &str)]) -> Vec<(u64, u64, usize)> {
        let looks = (1..).zip(views).map(|(entry, (time, path))| Look {
            entry,
            time: *time,
            path: (*path).to_owned(),
        });
        let unusual = Unusual {
            vouchers: 2,
            within: 10,
        };
        let mut found = Vec::new();
        bursts(looks, unusual, |looks, vouchers| {
            found.push((looks[0].entry, looks[looks.len() - 1].entry, vouchers));
        });
        found
    }

    #[test]
    fn many_vouchers_in_a_short_time_are_a_burst() {
        assert_eq!(found(&[(0, "a"), (1, "b"), (2, "c"), (3, "d")]), [(1, 4, 4)]);
        // The same two vouchers again and again are none, nor are many over a long time.
        assert_eq!(found(&[(0, "a"), (1, "b"), (2, "a"), (3, "b"), (4, "a")]), []);
        assert_eq!(found(&[(0, "a"), (5, "b"), (10, "c"), (15, "d")]), []);
        // Two bursts with quiet between.
        let views = [
            (0, "a"), (1, "b"), (2, "c"), (50, "a"), (100, "d"), (101, "e"), (102, "f"),
        ];
        assert_eq!(found(&views), [(1, 3, 3), (5, 7, 3)]);
    }
}
