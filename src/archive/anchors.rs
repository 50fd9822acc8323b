//! Anchors: what fixes the log outside of this archive. Witnesses cosign its checkpoints and authorities stamp
//! them with the time; both become entries. How they are asked is not known here.

use vouchsafe_evidence::checkpoint::Checkpoint;
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::entry::Entry;
use vouchsafe_evidence::merkle::consistency_proof;
use vouchsafe_evidence::note::Note;

use super::kind::{self, Draft, OPERATOR};
use super::rows::{AnchorRow, key};
use super::{Archive, ArchiveError, log};
use crate::access::Time;

/// Entries that anchors themselves make: a log that has only these since the last anchor needs no new one.
const ANCHOR_KINDS: [&str; 2] = [kind::CHECKPOINT_COSIGNED, kind::CHECKPOINT_TIMESTAMPED];
/// More entries than this are news, whatever they are.
const ANCHORS_IN_A_ROW: u64 = 16;

/// The head of the log, as something to be anchored.
#[derive(Debug, Clone)]
pub struct Unanchored {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: Note,
}

impl Archive {
    /// The head of the log, if it has news that witnesses have not cosigned.
    pub fn to_cosign(&self) -> Result<Option<Unanchored>, ArchiveError> {
        let row: Option<AnchorRow> = self.records.row(&key::cosigned())?;
        self.news_since(row.map_or(0, |row| row.size))
    }

    /// The head of the log, if it has news that were not time-stamped.
    pub fn to_timestamp(&self) -> Result<Option<Unanchored>, ArchiveError> {
        let last = self.records.timestamps()?.pop();
        self.news_since(last.map_or(0, |row| row.size))
    }

    fn news_since(&self, size: u64) -> Result<Option<Unanchored>, ArchiveError> {
        let bytes = self.records.head_checkpoint()?;
        let broken = |error: String| ArchiveError::Broken(format!("the head: {error}"));
        let checkpoint = self.records.keys().verify(&bytes);
        let checkpoint = checkpoint.map_err(|error| broken(error.to_string()))?;
        let head = checkpoint.size;
        if head <= size + ANCHORS_IN_A_ROW {
            let entries = self.records.store.entries(size..head)?;
            let is_anchor = |bytes: &Option<Vec<u8>>| {
                let entry = bytes.as_deref().map(Entry::decode);
                matches!(entry, Some(Ok(entry)) if ANCHOR_KINDS.contains(&entry.kind.as_str()))
            };
            if entries.iter().all(is_anchor) {
                return Ok(None);
            }
        }
        let note = Note::parse(&bytes).map_err(|error| broken(error.to_string()))?;
        Ok(Some(Unanchored { checkpoint, note }))
    }

    /// The RFC 6962 proof that the log of `size` entries extends that of `old` entries.
    pub fn consistency(&self, old: u64, size: u64) -> Result<Vec<Digest>, ArchiveError> {
        if old == 0 {
            return Ok(Vec::new());
        }
        if old > size {
            let error = format!("a witness has seen {old} entries, and the log has {size}");
            return Err(ArchiveError::Broken(format!("{error}: it was rolled back")));
        }
        let subtrees = log::subtrees(&*self.records.store, size);
        Ok(consistency_proof(&subtrees, old, size)?)
    }

    /// Logs a checkpoint with the cosignatures that came for it.
    pub fn add_cosigned(&self, checkpoint: &Checkpoint, note: &Note) -> Result<(), ArchiveError> {
        let body = kind::Cosigned {
            root: checkpoint.root,
            size: checkpoint.size,
        };
        let note = self.put("checkpoint", "text/plain", note.to_string().as_bytes())?;
        let draft = Draft::new(OPERATOR, kind::CHECKPOINT_COSIGNED, "", &body)?;
        self.write(draft.with(vec![note]))
    }

    /// Logs the answer of a time-stamp authority (RFC 3161) about a checkpoint; `stamped` is its time.
    pub fn add_timestamp(
        &self,
        checkpoint: &Checkpoint,
        note: &Note,
        token: &[u8],
        stamped: Time,
    ) -> Result<(), ArchiveError> {
        let body = kind::Timestamped {
            root: checkpoint.root,
            size: checkpoint.size,
            stamped,
        };
        let note = self.put("checkpoint", "text/plain", note.to_string().as_bytes())?;
        let token = self.put("checkpoint.tsr", "application/timestamp-reply", token)?;
        let draft = Draft::new(OPERATOR, kind::CHECKPOINT_TIMESTAMPED, "", &body)?;
        self.write(draft.with(vec![note, token]))
    }

    /// Writes one entry that nothing has to be decided about.
    pub(super) fn write(&self, draft: Draft) -> Result<(), ArchiveError> {
        self.commit(move |desk| {
            desk.write(draft);
            Ok(())
        })
    }
}
