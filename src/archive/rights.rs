//! What a caller may do at a place, so that clients can grey out what would be refused.

use serde::Serialize;

use super::rows::{VoucherRow, key};
use super::tree::sees_templates;
use super::{ArchiveError, Caller, Records};
use crate::access::Right;
use crate::catalog::{Place, TreePath, VoucherFile};

/// What may be done at one place. It says what roles allow; a closed period, a lock or a full disk may refuse it all
/// the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rights {
    /// Look at it.
    pub read: bool,
    /// Put a file in its place: a new version of it.
    pub write_content: bool,
    /// Put something new below it.
    pub bind: bool,
    /// Remove something below it: only from one's own inbox.
    pub unbind: bool,
    /// Decide on it.
    pub review: bool,
    /// Stand by it as its preparer, which nobody has done yet.
    pub submit: bool,
    /// See its traces and the proofs of the log.
    pub verify: bool,
}

impl Records {
    /// What the caller may do at `path`, which they see.
    pub fn rights(&self, caller: &Caller, path: &TreePath) -> Rights {
        let allow = |right| caller.permissions.allow(right, path);
        let administers = caller.permissions.allow_somewhere(Right::Administer);
        let own = Rights {
            read: true,
            ..Rights::default()
        };
        match Place::of(path, &self.layout) {
            Place::Folder(_) => Rights {
                // A folder above is shown, and what of it may be seen.
                read: caller.permissions.allow_below(Right::Read, path),
                bind: allow(Right::Upload),
                verify: allow(Right::Verify),
                ..Rights::default()
            },
            Place::Voucher(_) => Rights {
                read: allow(Right::Read),
                bind: allow(Right::Upload) || allow(Right::Review),
                review: self.may_decide(caller, path),
                submit: self.may_submit(caller, path),
                verify: allow(Right::Verify),
                ..Rights::default()
            },
            Place::File(place, file) => Rights {
                read: allow(Right::Read),
                write_content: match file {
                    VoucherFile::Data | VoucherFile::Scan(_) => allow(Right::Upload),
                    VoucherFile::Match => allow(Right::Review),
                    VoucherFile::Review => {
                        self.may_decide(caller, &place) || self.may_submit(caller, &place)
                    }
                    _ => false,
                },
                verify: allow(Right::Verify),
                ..Rights::default()
            },
            Place::Inbox(_) if caller.has_inbox() => Rights {
                write_content: true,
                bind: true,
                unbind: true,
                ..own
            },
            Place::Templates if sees_templates(caller) => Rights {
                bind: administers,
                ..own
            },
            Place::Template(_) if sees_templates(caller) => Rights {
                write_content: administers,
                ..own
            },
            Place::Audit(_) => Rights {
                read: caller.permissions.allow_somewhere(Right::Verify),
                ..Rights::default()
            },
            Place::Inbox(_) | Place::Templates | Place::Template(_) | Place::Nothing => {
                Rights::default()
            }
        }
    }

    /// Refuses unless the caller's role lets them put something at `path`; what they cannot see is absent instead. What
    /// they put may still be refused for what it is.
    pub fn may_put(&self, caller: &Caller, path: &TreePath) -> Result<(), ArchiveError> {
        match Place::of(path, &self.layout) {
            Place::Inbox(_) if caller.has_inbox() => Ok(()),
            Place::Template(_) | Place::Templates => self.may_publish(caller),
            // The log is written by what happens in the archive, and by nothing else.
            Place::Audit(_) => Err(self.refuse_change(caller, path)),
            Place::File(_, VoucherFile::Match) => self.may_review(caller, path),
            // Whoever prepared it submits it there, too.
            Place::File(_, VoucherFile::Review) => self
                .may_file(caller, path)
                .or_else(|_| self.may_review(caller, path)),
            _ => self.may_file(caller, path),
        }
    }

    /// Whether the caller prepared the voucher at `place`, and nobody has submitted it.
    fn may_submit(&self, caller: &Caller, place: &TreePath) -> bool {
        let row = self.row::<VoucherRow>(&key::voucher(&place.to_string()));
        caller.permissions.allow(Right::Upload, place)
            && row.is_ok_and(|row| {
                row.is_some_and(|row| {
                    row.submission().is_none()
                        && row.versions.last().is_some_and(|version| {
                            self.prepared_version(caller, version).unwrap_or(false)
                        })
                })
            })
    }

    /// Whether the caller may decide on the voucher at `place`. A row that cannot be read is none to decide on.
    fn may_decide(&self, caller: &Caller, place: &TreePath) -> bool {
        caller.permissions.allow(Right::Review, place)
            && self.reviews(caller, &place.to_string()).unwrap_or(false)
    }
}
