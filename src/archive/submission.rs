//! Submissions: whoever prepared a voucher stands by its current version, with their own signature.

use vouchsafe_evidence::note::NOTE_MAX_BYTES;
use vouchsafe_evidence::verify::SUBMISSION_NOTE;

use super::kind::{self, Draft};
use super::review::check_key;
use super::review::wish::Wish;
use super::rows::{ReviewRow, VoucherRow, key, named};
use super::{Archive, ArchiveError, Caller, Filed};
use crate::catalog::TreePath;
use crate::store::get_object;

impl VoucherRow {
    /// By which signature its preparer stands by the current version.
    pub(super) fn submission(&self) -> Option<&ReviewRow> {
        let last = self.submissions.last()?;
        (last.version as usize == self.versions.len()).then_some(last)
    }
}

impl Archive {
    /// What is at `place`, if the caller prepared it.
    pub(super) fn submitted_row(
        &self,
        caller: &Caller,
        place: &TreePath,
    ) -> Result<VoucherRow, ArchiveError> {
        let row: Option<VoucherRow> = self.records.row(&key::voucher(&place.to_string()))?;
        let row = row.ok_or_else(|| ArchiveError::Absent(place.to_string()))?;
        let current = row.versions.last();
        let own = current.map(|version| self.records.prepared_version(caller, version));
        if !own.transpose()?.unwrap_or(false) {
            return Err(ArchiveError::denied(
                format!("{} did not prepare {place}", caller.name),
                "whoever filed it, or whom it names as its preparer, submits it",
            ));
        }
        Ok(row)
    }

    /// Files the caller's signature under what is at `place` now. Durable when it returns; what was submitted already
    /// stays so.
    pub(super) fn submit(
        &self,
        caller: &Caller,
        place: &TreePath,
        wish: Wish,
    ) -> Result<Filed, ArchiveError> {
        let row = self.submitted_row(caller, place)?;
        if row.submission().is_some() {
            return Ok(Filed::Unchanged(row.submissions.len() as u32));
        }
        let statement = self.statement(caller, place, &row, &wish);
        let (statement, note, signer) = self.signed(caller, statement, &wish.signing)?;
        let note = self.put(
            SUBMISSION_NOTE,
            "text/plain; charset=utf-8",
            note.as_bytes(),
        )?;
        let body = kind::ReviewDecided {
            decision: wish.decision,
            version: statement.version,
            scans: row.scan_versions(),
            image_set: row.image_set(),
            comment: statement.comment,
        };
        let draft = Draft::new(&caller.id, kind::VOUCHER_SUBMITTED, place, &body)?;
        let (actor, path) = (caller.id.clone(), place.to_string());
        self.commit(move |desk| {
            let now: VoucherRow = desk.rows.get(&key::voucher(&path))?.unwrap_or_default();
            if now.submission().is_some() {
                return Ok(Filed::Unchanged(now.submissions.len() as u32));
            }
            if now.decided_on() != row.decided_on() {
                let error = format!("something newer came to {path}");
                return Err(ArchiveError::conflict(error, "look at it again first"));
            }
            check_key(desk, &actor, &signer)?;
            desk.write(draft.with(vec![note]));
            Ok(Filed::new(now.submissions.len() as u32 + 1))
        })
    }

    /// The note that the preparer of the current version signed, if they did.
    pub(super) fn submitted_note(&self, row: &VoucherRow) -> Result<Option<String>, ArchiveError> {
        let object = row
            .submission()
            .and_then(|it| named(&it.objects, SUBMISSION_NOTE));
        let Some(object) = object else {
            return Ok(None);
        };
        let note = get_object(&*self.records.store, &object.blake3, NOTE_MAX_BYTES as u64)?;
        Ok(note.and_then(|note| String::from_utf8(note).ok()))
    }
}
