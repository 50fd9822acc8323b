//! Reviews: a reviewer approves or rejects a version of a voucher, and signs exactly what was decided on.

use serde::{Deserialize, Serialize};
use serde_json::json;
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::entry::Object;
use vouchsafe_evidence::note::Note;
use vouchsafe_evidence::statement::{Decision, Statement};
use vouchsafe_evidence::verify::REVIEW_NOTE;

use super::credentials::Credentials;
use super::documents::{json as document, rfc3339};
use super::kind::{self, Draft};
use super::open::entry;
use super::rows::{ReviewRow, VoucherRow, key, named};
use super::stamps::Seal;
use super::{Archive, ArchiveError, Caller, Filed, ImageSet, Records};
use crate::access::Time;
use crate::catalog::TreePath;
use crate::store::get_object;
use crate::voucher::{Invalid, VOUCHER_MAX_BYTES};

/// Longest comment, in bytes.
const COMMENT_MAX_BYTES: usize = 2_000;
/// Longest body that reviews, in bytes.
pub const REVIEW_MAX_BYTES: usize = 16 << 10;

/// The file that has a review for people and programs.
const REVIEW_FILE: &str = "review.json";

/// How far the review of a voucher's current version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewState {
    /// Nobody has decided on it.
    Waiting,
    /// It is in order.
    Approved,
    /// It went back; the next version starts anew.
    Rejected,
}

/// What a reviewer sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    decision: String,
    #[serde(default)]
    comment: String,
}

fn read(content: &[u8]) -> Result<(Decision, String), ArchiveError> {
    let hint =
        r#"send {"decision":"approve","comment":"…"} or {"decision":"reject","comment":"…"}"#;
    let invalid = |field: &str, why: String| ArchiveError::from(Invalid::new(field, why, hint));
    let sent: Sent =
        serde_json::from_slice(content).map_err(|error| invalid("decision", error.to_string()))?;
    let decision = Decision::parse(&sent.decision)
        .ok_or_else(|| invalid("decision", "neither approve nor reject".to_owned()))?;
    let comment = sent.comment.trim().to_owned();
    if comment.len() > COMMENT_MAX_BYTES {
        let why = format!("a comment has at most {COMMENT_MAX_BYTES} bytes");
        return Err(invalid("comment", why));
    }
    if decision == Decision::Reject && comment.is_empty() {
        let hint = "say in the comment what has to be mended";
        return Err(Invalid::new("comment", "a rejection has a reason", hint).into());
    }
    Ok((decision, comment))
}

impl VoucherRow {
    /// The last review of the current version.
    pub(super) fn review(&self) -> Option<&ReviewRow> {
        let last = self.reviews.last()?;
        (last.version as usize == self.versions.len()).then_some(last)
    }

    /// How far the review of the current version is.
    pub(super) fn review_state(&self) -> ReviewState {
        match self.review().map(|review| review.decision) {
            None => ReviewState::Waiting,
            Some(Decision::Approve) => ReviewState::Approved,
            Some(Decision::Reject) => ReviewState::Rejected,
        }
    }

    /// Everything that a review of the current version decides on: data, renditions, scans and the match.
    fn decided_on(&self) -> Vec<&Object> {
        let version = self.versions.last().into_iter();
        let scans = self.scans.values().filter_map(|versions| versions.last());
        let matched = self.decision().into_iter().flat_map(|it| &it.objects);
        version
            .flat_map(|it| &it.objects)
            .chain(scans.map(|scan| &scan.object))
            .chain(matched)
            .collect()
    }
}

impl Records {
    /// Whether the caller filed a version of the voucher, or is its preparer by name.
    pub(super) fn prepared(&self, caller: &Caller, row: &VoucherRow) -> Result<bool, ArchiveError> {
        for version in &row.versions {
            if entry(&*self.store, version.seq)?.actor == caller.id {
                return Ok(true);
            }
        }
        let objects = row.versions.last().map_or(&[][..], |it| &it.objects);
        let Some(data) = named(objects, "voucher.json") else {
            return Ok(false);
        };
        let content = get_object(&*self.store, &data.blake3, VOUCHER_MAX_BYTES as u64)?;
        // Destroyed after its retention: nobody's name is left to compare with.
        let content = content.unwrap_or_default();
        let voucher: serde_json::Value = serde_json::from_slice(&content).unwrap_or_default();
        Ok(voucher["preparer"].as_str() == Some(caller.name.as_str()))
    }
}

impl Archive {
    /// Files a review of what is at `place` now, signed with the caller's key, which their password opens. Durable when
    /// it returns; the same decision by the same reviewer again changes nothing.
    pub fn review(
        &self,
        caller: &Caller,
        password: &str,
        place: &TreePath,
        content: &[u8],
    ) -> Result<Filed, ArchiveError> {
        self.records.may_review(caller, place)?;
        self.check_room()?;
        let reviewed = self.decide_review(caller, password, place, content);
        self.log_refusal(caller, place, reviewed)
    }

    fn decide_review(
        &self,
        caller: &Caller,
        password: &str,
        place: &TreePath,
        content: &[u8],
    ) -> Result<Filed, ArchiveError> {
        let (decision, comment) = read(content)?;
        let path = place.to_string();
        let row: Option<VoucherRow> = self.records.row(&key::voucher(&path))?;
        let row = row.ok_or_else(|| ArchiveError::Absent(path.clone()))?;
        if self.records.prepared(caller, &row)? {
            return Err(ArchiveError::denied(
                format!(
                    "{} prepared {path}, and nobody reviews what they prepared",
                    caller.name
                ),
                "ask another reviewer",
            ));
        }
        let image_set = row.image_set();
        if decision == Decision::Approve && image_set != ImageSet::Complete && comment.is_empty() {
            let error = format!(
                "the pictures of the voucher are not complete: {}",
                image_set.word()
            );
            let hint = "say in the comment why it is approved all the same, or wait for a scan that matches";
            return Err(Invalid::new("comment", error, hint).into());
        }
        if let Some(unchanged) = repeated(&row, &caller.id, decision, &comment)? {
            return Ok(unchanged);
        }
        if Credentials::is_token(password) {
            return Err(ArchiveError::denied(
                "a review is signed with a key that only its owner's password opens",
                "sign in with the password instead of a token",
            ));
        }
        let signing = self.personal_key(caller, password)?;
        let (version, scans) = (row.versions.len() as u32, row.scan_versions());
        let now = self.now();
        let statement = Statement {
            archive: self.records.verifier_key().name().to_owned(),
            path: path.clone(),
            version,
            reviewer: caller.id.clone(),
            decision,
            comment: Digest::sha256(comment.as_bytes()),
            image_set: image_set.word().to_owned(),
            time: rfc3339(now),
            files: row
                .decided_on()
                .iter()
                .map(|object| (object.name.clone(), object.sha256))
                .collect(),
        };
        let note = Note::sign(statement.text(), &signing, 0).to_string();
        let told = json!({
            "decision": decision, "comment": comment, "reviewer": caller.name, "reviewer_id": caller.id,
            "time": statement.time, "voucher_version": version, "scans": scans, "image_set": image_set,
            "key": signing.verifier().to_string(), "note": note,
        });
        let seal = Seal {
            decision,
            reviewer: &caller.name,
            time: &statement.time,
            key: signing.verifier().id(),
            note: &note,
        };
        let stamped = self.reviewed_renditions(place, &row, &seal)?;
        let mut objects = vec![
            self.put(REVIEW_FILE, "application/json", &document(&told)?)?,
            self.put(REVIEW_NOTE, "text/plain; charset=utf-8", note.as_bytes())?,
        ];
        objects.extend(stamped);
        let body = kind::ReviewDecided {
            decision,
            version,
            scans,
            image_set,
            comment: statement.comment,
        };
        let draft = Draft::new(&caller.id, kind::REVIEW_DECIDED, place, &body)?;
        let actor = caller.id.clone();
        self.commit(move |desk| {
            let now: VoucherRow = desk.rows.get(&key::voucher(&path))?.unwrap_or_default();
            if let Some(unchanged) = repeated(&now, &actor, decision, &comment)? {
                return Ok(unchanged);
            }
            if now.decided_on() != row.decided_on() {
                let error = format!("something newer came to {path}");
                return Err(ArchiveError::conflict(error, "look at it again first"));
            }
            desk.write(draft.with(objects));
            Ok(Filed::new(now.reviews.len() as u32 + 1))
        })
    }
}

/// The answer where the current version has this very review as its last; refuses what a rejection rules out.
fn repeated(
    row: &VoucherRow,
    reviewer: &str,
    decision: Decision,
    comment: &str,
) -> Result<Option<Filed>, ArchiveError> {
    let Some(last) = row.review() else {
        return Ok(None);
    };
    let same = last.decision == decision
        && last.reviewer == reviewer
        && last.comment == Digest::sha256(comment.as_bytes());
    if same {
        return Ok(Some(Filed::Unchanged(row.reviews.len() as u32)));
    }
    if last.decision == Decision::Reject {
        let error = format!("version {} was rejected and went back", last.version);
        return Err(ArchiveError::conflict(error, "review its next version"));
    }
    Ok(None)
}

/// Row of a review, as the fold makes it.
pub(super) fn review_row(
    (seq, time): (u64, Time),
    reviewer: &str,
    decided: kind::ReviewDecided,
    objects: Vec<Object>,
) -> ReviewRow {
    ReviewRow {
        seq,
        time,
        reviewer: reviewer.to_owned(),
        decision: decided.decision,
        comment: decided.comment,
        version: decided.version,
        scans: decided.scans,
        objects,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_names_its_fault() {
        let field = |content: &str| match read(content.as_bytes()) {
            Err(ArchiveError::Invalid(invalid)) => invalid.field.clone(),
            other => panic!("{content}: {other:?}"),
        };
        assert_eq!(field("nonsense"), "decision");
        assert_eq!(field(r#"{"decision":"maybe"}"#), "decision");
        assert_eq!(field(r#"{"decision":"approve","stamp":1}"#), "decision");
        assert_eq!(field(r#"{"decision":"reject","comment":"  "}"#), "comment");
        let long = format!(
            r#"{{"decision":"approve","comment":"{}"}}"#,
            "x".repeat(2_001)
        );
        assert_eq!(field(&long), "comment");
        let right = read(r#"{"decision":"approve"}"#.as_bytes()).unwrap();
        assert_eq!(right, (Decision::Approve, String::new()));
    }
}
