//! Reviews: a reviewer approves or rejects a version of a voucher, and signs exactly what was decided on.

pub(super) mod wish;

use serde::Serialize;
use serde_json::json;
use unicode_normalization::UnicodeNormalization as _;
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::entry::Object;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::note::Note;
use vouchsafe_evidence::statement::{Decision, Statement};
use vouchsafe_evidence::verify::REVIEW_NOTE;

use super::credentials::Credentials;
use super::documents::{json as document, rfc3339};
use super::kind::{self, Draft};
use super::open::entry;
use super::rows::{ReviewRow, UserRow, VersionRow, VoucherRow, key, named};
use super::stamps::Seal;
use super::writer::Desk;
use super::{Archive, ArchiveError, Caller, Condition, Filed, ImageSet, Records};
use crate::access::Time;
use crate::catalog::TreePath;
use crate::store::get_object;
use crate::voucher::{Invalid, VOUCHER_MAX_BYTES};
use wish::{Signing, Wish, read};

/// Longest body that reviews, in bytes: a note names every file that was decided on.
pub const REVIEW_MAX_BYTES: usize = 512 << 10;
/// How old a statement may be that its reviewer signed themselves, in milliseconds.
const NOTE_AGE_MAX_MS: Time = 10 * 60 * 1_000;

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

impl VoucherRow {
    /// The last review of the current version.
    pub(super) fn review(&self) -> Option<&ReviewRow> {
        let last = self.reviews.last()?;
        (last.version as usize == self.versions.len()).then_some(last)
    }

    /// How far the review of the current version is.
    pub(super) fn review_state(&self) -> ReviewState {
        match self.review().map(|review| review.decision) {
            None | Some(Decision::Submit) => ReviewState::Waiting,
            Some(Decision::Approve) => ReviewState::Approved,
            Some(Decision::Reject) => ReviewState::Rejected,
        }
    }

    /// Everything that a review of the current version decides on: data, renditions, scans and the match.
    pub(super) fn decided_on(&self) -> Vec<&Object> {
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
    /// Whether the caller filed any version of the voucher, or any names them as its preparer.
    pub(super) fn prepared(&self, caller: &Caller, row: &VoucherRow) -> Result<bool, ArchiveError> {
        for version in &row.versions {
            if self.prepared_version(caller, version)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the caller filed this version, or it names them as its preparer, as the form shows the name.
    pub(super) fn prepared_version(
        &self,
        caller: &Caller,
        version: &VersionRow,
    ) -> Result<bool, ArchiveError> {
        if entry(&*self.store, version.seq)?.actor == caller.id {
            return Ok(true);
        }
        let Some(data) = named(&version.objects, "voucher.json") else {
            return Ok(false);
        };
        let content = get_object(&*self.store, &data.blake3, VOUCHER_MAX_BYTES as u64)?;
        // Destroyed after its retention: nobody's name is left to compare with.
        let content = content.unwrap_or_default();
        let voucher: serde_json::Value = serde_json::from_slice(&content).unwrap_or_default();
        let preparer = voucher["preparer"].as_str().unwrap_or_default();
        Ok(preparer.trim().nfc().eq(caller.name.chars()))
    }
}

impl Archive {
    /// Files a review of what is at `place` now. It is signed with the caller's key, which their password opens: the
    /// `secret` that they signed in with, or one that `content` has; or `content` has the statement as a note that they
    /// signed themselves. Durable when it returns; the same decision by the same reviewer again changes nothing.
    pub fn review(
        &self,
        caller: &Caller,
        secret: Option<&str>,
        place: &TreePath,
        content: &[u8],
        condition: &Condition,
    ) -> Result<Filed, ArchiveError> {
        let wish = read(content, secret);
        self.may_sign(caller, place, wish.as_ref().ok())?;
        self.check_room()?;
        let reviewed = wish.and_then(|wish| match wish.decision {
            Decision::Submit => self.submit(caller, place, wish),
            Decision::Approve | Decision::Reject => {
                self.decide_review(caller, place, wish, condition)
            }
        });
        self.log_refusal(caller, place, reviewed)
    }

    /// Refuses unless the caller's role lets them sign this at `place`; a wish that cannot be read is a reviewer's.
    fn may_sign(
        &self,
        caller: &Caller,
        place: &TreePath,
        wish: Option<&Wish>,
    ) -> Result<(), ArchiveError> {
        match wish.map(|wish| wish.decision) {
            Some(Decision::Submit) => self.records.may_file(caller, place),
            _ => self.records.may_review(caller, place),
        }
    }

    /// The statement that the caller would sign, now, by deciding so on what is at `place`. Nothing is filed.
    pub fn review_statement(
        &self,
        caller: &Caller,
        place: &TreePath,
        content: &[u8],
    ) -> Result<Statement, ArchiveError> {
        let wish = read(content, None);
        self.may_sign(caller, place, wish.as_ref().ok())?;
        let wish = wish?;
        let row = match wish.decision {
            Decision::Submit => self.submitted_row(caller, place)?,
            Decision::Approve | Decision::Reject => self.reviewed_row(caller, place, &wish)?.0,
        };
        Ok(self.statement(caller, place, &row, &wish))
    }

    /// What is at `place`, if the caller may decide so on it; and the answer where they did already.
    fn reviewed_row(
        &self,
        caller: &Caller,
        place: &TreePath,
        wish: &Wish,
    ) -> Result<(VoucherRow, Option<Filed>), ArchiveError> {
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
        let bare = wish.decision == Decision::Approve && wish.comment.is_empty();
        if bare && image_set != ImageSet::Complete {
            let error = format!(
                "the pictures of the voucher are not complete: {}",
                image_set.word()
            );
            let hint = "say in the comment why it is approved all the same, or wait for a scan that matches";
            return Err(Invalid::new("comment", error, hint).into());
        }
        let unchanged = repeated(&row, &caller.id, wish)?;
        Ok((row, unchanged))
    }

    pub(super) fn statement(
        &self,
        caller: &Caller,
        place: &TreePath,
        row: &VoucherRow,
        wish: &Wish,
    ) -> Statement {
        Statement {
            archive: self.records.verifier_key().name().to_owned(),
            path: place.to_string(),
            version: row.versions.len() as u32,
            person: caller.id.clone(),
            decision: wish.decision,
            comment: Digest::sha256(wish.comment.as_bytes()),
            image_set: row.image_set().word().to_owned(),
            time: rfc3339(self.now()),
            files: row
                .decided_on()
                .iter()
                .map(|object| (object.name.clone(), object.sha256))
                .collect(),
        }
    }

    /// The statement with the reviewer's signature, and the key that made it.
    pub(super) fn signed(
        &self,
        caller: &Caller,
        mut statement: Statement,
        signing: &Signing,
    ) -> Result<(Statement, String, VerifierKey), ArchiveError> {
        match signing {
            Signing::SignedIn(password) | Signing::Password(password)
                if Credentials::is_token(password) =>
            {
                Err(ArchiveError::denied(
                    "a review is signed with a key that only its owner's password opens",
                    "sign in with the password instead of a token",
                ))
            }
            Signing::SignedIn(password) | Signing::Password(password) => {
                if matches!(signing, Signing::Password(_)) {
                    self.prove_password(caller, password)?;
                }
                let key = self.personal_key(caller, password)?;
                let note = Note::sign(statement.text(), &key, 0).to_string();
                Ok((statement, note, key.verifier().clone()))
            }
            Signing::Note(note) => {
                let key = self.current_key(caller).filter(|key| key.outside);
                let key = key.and_then(|key| VerifierKey::parse(&key.vkey).ok());
                let key = key.ok_or_else(|| {
                    ArchiveError::denied(
                        format!(
                            "no key of {} is known that they keep themselves",
                            caller.name
                        ),
                        "make one with `vouchsafe review --new-key`",
                    )
                })?;
                let hint =
                    "sign exactly the text that /api/v1/review-statement gives, and send it soon";
                let invalid = |why: String| ArchiveError::from(Invalid::new("note", why, hint));
                let parsed = Note::parse(note.as_bytes()).map_err(|it| invalid(it.to_string()))?;
                let text = parsed.verify(&key).map_err(|it| invalid(it.to_string()))?;
                let stated = Statement::parse(text).map_err(|it| invalid(it.to_string()))?;
                let signed: Option<jiff::Timestamp> = stated.time.parse().ok();
                let signed = signed.and_then(|time| Time::try_from(time.as_millisecond()).ok());
                if signed.is_none_or(|time| time.abs_diff(self.now()) > NOTE_AGE_MAX_MS) {
                    return Err(invalid(format!("it is of {}", stated.time)));
                }
                statement.time.clone_from(&stated.time);
                if stated != statement {
                    let error = format!("something newer came to {}", statement.path);
                    return Err(ArchiveError::conflict(error, "look at it again first"));
                }
                // What is kept has this one signature, whatever else the note has.
                let mut kept = Note::new(statement.text());
                kept.adopt(&parsed, &key)
                    .map_err(|it| invalid(it.to_string()))?;
                Ok((statement, kept.to_string(), key))
            }
            Signing::Nothing => {
                let hint = r#"send it as "password", or the signed statement as "note""#;
                let error = "a review is signed, and the password opens the key";
                Err(Invalid::new("password", error, hint).into())
            }
        }
    }

    fn decide_review(
        &self,
        caller: &Caller,
        place: &TreePath,
        wish: Wish,
        condition: &Condition,
    ) -> Result<Filed, ArchiveError> {
        let (row, unchanged) = self.reviewed_row(caller, place, &wish)?;
        condition.check(current(&row))?;
        if let Some(unchanged) = unchanged {
            return Ok(unchanged);
        }
        let statement = self.statement(caller, place, &row, &wish);
        let (statement, note, signer) = self.signed(caller, statement, &wish.signing)?;
        let (version, scans, image_set) = (statement.version, row.scan_versions(), row.image_set());
        let told = json!({
            "decision": wish.decision, "comment": wish.comment, "reviewer": caller.name,
            "reviewer_id": caller.id, "time": statement.time, "voucher_version": version,
            "scans": scans, "image_set": image_set, "key": signer.to_string(), "note": note,
        });
        let seal = Seal {
            decision: wish.decision,
            reviewer: &caller.name,
            time: &statement.time,
            key: signer.id(),
            note: &note,
        };
        let stamped = self.reviewed_renditions(place, &row, &seal)?;
        let mut objects = vec![
            self.put(REVIEW_FILE, "application/json", &document(&told)?)?,
            self.put(REVIEW_NOTE, "text/plain; charset=utf-8", note.as_bytes())?,
        ];
        objects.extend(stamped);
        let body = kind::ReviewDecided {
            decision: wish.decision,
            version,
            scans,
            image_set,
            comment: statement.comment,
        };
        let draft = Draft::new(&caller.id, kind::REVIEW_DECIDED, place, &body)?;
        let (actor, path) = (caller.id.clone(), statement.path);
        let condition = condition.clone();
        self.commit(move |desk| {
            let now: VoucherRow = desk.rows.get(&key::voucher(&path))?.unwrap_or_default();
            condition.check(current(&now))?;
            if let Some(unchanged) = repeated(&now, &actor, &wish)? {
                return Ok(unchanged);
            }
            if now.decided_on() != row.decided_on() {
                let error = format!("something newer came to {path}");
                return Err(ArchiveError::conflict(error, "look at it again first"));
            }
            check_key(desk, &actor, &signer)?;
            desk.write(draft.with(objects));
            Ok(Filed::new(now.reviews.len() as u32 + 1))
        })
    }
}

/// The `review.json` that there is.
fn current(row: &VoucherRow) -> Option<&Object> {
    named(&row.review()?.objects, REVIEW_FILE)
}

/// Refuses if another key came meanwhile: verifiers hold a signature to its person's last key.
pub(super) fn check_key(
    desk: &Desk<'_>,
    actor: &str,
    signer: &VerifierKey,
) -> Result<(), ArchiveError> {
    let user: Option<UserRow> = desk.rows.get(&key::user(actor))?;
    let last = user.as_ref().and_then(|user| user.keys.last());
    if last.is_none_or(|last| last.vkey != signer.to_string()) {
        let error = "the signing key changed meanwhile";
        return Err(ArchiveError::conflict(error, "sign it again"));
    }
    Ok(())
}

/// The answer where the current version has this very review as its last; refuses what a rejection rules out.
fn repeated(row: &VoucherRow, reviewer: &str, wish: &Wish) -> Result<Option<Filed>, ArchiveError> {
    let Some(last) = row.review() else {
        return Ok(None);
    };
    let same = last.decision == wish.decision
        && last.person == reviewer
        && last.comment == Digest::sha256(wish.comment.as_bytes());
    if same {
        return Ok(Some(Filed::Unchanged(row.reviews.len() as u32)));
    }
    if last.decision == Decision::Reject {
        let error = format!("version {} was rejected and went back", last.version);
        return Err(ArchiveError::conflict(error, "review its next version"));
    }
    Ok(None)
}

/// Row of a review or a submission, as the fold makes it.
pub(super) fn review_row(
    (seq, time): (u64, Time),
    person: &str,
    decided: kind::ReviewDecided,
    objects: Vec<Object>,
) -> ReviewRow {
    ReviewRow {
        seq,
        time,
        person: person.to_owned(),
        decision: decided.decision,
        comment: decided.comment,
        version: decided.version,
        scans: decided.scans,
        objects,
    }
}
