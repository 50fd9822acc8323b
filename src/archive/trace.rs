//! From a mark back to who was shown it: every trace that names a view id.

use std::path::Path;

use serde::Serialize;

use super::documents::rfc3339;
use super::kind;
use super::open::entry;
use super::rows::{key, last_part};
use super::{ArchiveError, Records};
use crate::watermark::ViewId;

/// Most traces of one id that are told: one reading a second for a day would be more.
const TRACES_MAX: usize = 10_000;

/// A trace of a view, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// Number of the entry in the log.
    pub entry: u64,
    /// When, by RFC 3339.
    pub time: String,
    /// Id of the user who was shown it.
    pub user: String,
    /// Their name, if it is still known.
    pub name: String,
    /// The voucher.
    pub path: String,
    /// Which of its files.
    pub file: String,
    /// BLAKE3 digest of what is archived, which the copy shows.
    pub blake3: String,
    /// Network address.
    pub from: String,
    /// What the program called itself.
    pub client: String,
    /// The mark.
    pub view: String,
}

/// Every trace that names the view, the first first. `archive` is its folder, also while it is served. None if it made no
/// such mark.
pub fn traces(archive: &Path, view: ViewId) -> Result<Vec<Trace>, ArchiveError> {
    Records::open_to_read(archive)?.traces(view)
}

impl Records {
    /// Every trace that names the view, the first first.
    pub fn traces(&self, view: ViewId) -> Result<Vec<Trace>, ArchiveError> {
        let view = view.to_string();
        let rows = self.store.scan(&key::views(&view), b"", TRACES_MAX)?;
        rows.iter()
            .map(|(key, _)| {
                let damaged =
                    || ArchiveError::Broken("an index row of a view has no number".to_owned());
                let seq = last_part(key).parse().map_err(|_| damaged())?;
                let by = entry(&*self.store, seq)?;
                let viewed: kind::Viewed = kind::body(&by)?;
                Ok(Trace {
                    entry: seq,
                    time: rfc3339(by.time),
                    name: self.name_of(&by.actor),
                    user: by.actor,
                    path: by.path,
                    file: viewed.file,
                    blake3: viewed.blake3.to_string(),
                    from: viewed.from,
                    client: viewed.client,
                    view: view.clone(),
                })
            })
            .collect()
    }
}
