//! Queues: which vouchers wait for whose review, and who is told when that changes.

use serde::Serialize;

use super::documents::rfc3339;
use super::review::ReviewState;
use super::rows::{VoucherRow, key};
use super::{Archive, ArchiveError, Caller, ImageSet, Records};
use crate::access::Right;
use crate::catalog::TreePath;

/// Vouchers of one answer about a queue.
const QUEUE_MAX: usize = 500;

/// A voucher that waits for a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// Its path.
    pub path: String,
    /// Which version.
    pub version: u32,
    /// When that came, by RFC 3339.
    pub filed: String,
    /// How far its pictures are complete.
    pub image_set: ImageSet,
}

/// What changed about a voucher that may be in somebody's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueChange {
    /// Its path.
    pub path: String,
    /// Whether it was decided on.
    pub decided: bool,
}

impl Records {
    /// The voucher at `path`, if it is there and the caller may review it, by their role and by not having prepared it.
    fn reviewable(&self, caller: &Caller, path: &str) -> Result<Option<VoucherRow>, ArchiveError> {
        let place = TreePath::parse(path);
        if !place.is_ok_and(|place| caller.permissions.allow(Right::Review, &place)) {
            return Ok(None);
        }
        let row: Option<VoucherRow> = self.row(&key::voucher(path))?;
        match row {
            Some(row) if !self.prepared(caller, &row)? => Ok(Some(row)),
            _ => Ok(None),
        }
    }

    /// Whether the caller may review what is at `path`.
    pub fn reviews(&self, caller: &Caller, path: &str) -> Result<bool, ArchiveError> {
        Ok(self.reviewable(caller, path)?.is_some())
    }

    /// The voucher at `path`, if it waits for a review that the caller may give.
    pub fn waiting(&self, caller: &Caller, path: &str) -> Result<Option<Waiting>, ArchiveError> {
        let row = self.reviewable(caller, path)?;
        let row = row.filter(|row| row.review_state() == ReviewState::Waiting);
        Ok(row.and_then(|row| {
            let version = row.versions.last()?;
            Some(Waiting {
                path: path.to_owned(),
                version: row.versions.len() as u32,
                filed: rfc3339(version.time),
                image_set: row.image_set(),
            })
        }))
    }

    /// What waits for reviews that the caller may give, in the order of the paths, after a path; and the path to go on
    /// after, if there may be more: always one that is in the answer.
    pub fn queue(
        &self,
        caller: &Caller,
        after: &str,
    ) -> Result<(Vec<Waiting>, Option<String>), ArchiveError> {
        if !caller.permissions.allow_somewhere(Right::Review) {
            return Ok((Vec::new(), None));
        }
        self.listed(&key::reviews_waiting(), after, QUEUE_MAX, |path| {
            self.waiting(caller, path)
        })
    }
}

impl Archive {
    /// The caller as they are at this moment; none when they cannot sign in any more, or what they came by has ended.
    pub fn again(&self, caller: &Caller) -> Option<Caller> {
        if !self.still_holds(caller) {
            return None;
        }
        let again = self.caller(&caller.id, self.now())?;
        Some(caller.with(again.permissions.limited_as(&caller.permissions)))
    }

    /// Whether the caller may still do all that they might when they were asked for: an answer under way goes on only then.
    pub fn holds(&self, caller: &Caller) -> bool {
        let again = self.again(caller);
        again.is_some_and(|again| caller.permissions.still_held(&again.permissions))
    }

    /// Has `listener` told of every change of what waits for reviews, once it is durable. It must not block.
    pub fn on_queue_change(&self, listener: impl Fn(&QueueChange) + Send + Sync + 'static) {
        self.news.listen(Box::new(listener));
    }
}
