//! Image sets: whether the scans of a voucher show what was filed. A comparison is decided anew for every new version
//! and every new scan; a person may settle or overrule it. Old decisions stay.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;
use serde_json::json;
use vouchsafe_evidence::digest::Digest;

use super::documents::json as document;
use super::kind::{self, Draft};
use super::open::entry;
use super::renditions::{Source, lay_out};
use super::rows::{VoucherRow, key, named};
use super::{Archive, ArchiveError, Caller, Filed, ImageSet, Records};
use crate::catalog::TreePath;
use crate::matching::{Comparison, Form, MATCH_MAX_BYTES, Matcher, Verdict};
use crate::store::get_object;
use crate::voucher::Invalid;

/// Longest reason of a person, in bytes.
const REASON_MAX_BYTES: usize = 2_000;
/// Longest body that settles a match, in bytes.
pub const SETTLEMENT_MAX_BYTES: usize = 16 << 10;

/// What a person sends to settle a match.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settlement {
    verdict: String,
    reason: String,
}

/// A voucher with its scans, as it was when the comparison began.
struct Task {
    place: TreePath,
    version: u32,
    scans: BTreeMap<String, u32>,
    data: Digest,
    /// Number of the entry that filed the version.
    filed: u64,
    contents: Vec<(String, Digest)>,
}

impl Task {
    fn of(place: &TreePath, row: &VoucherRow) -> Option<Task> {
        let version = row.versions.last()?;
        let data = named(&version.objects, "voucher.json")?.blake3;
        let contents = row.scans.iter().filter_map(|(name, versions)| {
            let last = versions.last()?;
            Some((name.clone(), last.object.blake3))
        });
        Some(Task {
            place: place.clone(),
            version: row.versions.len() as u32,
            data,
            filed: version.seq,
            contents: contents.collect(),
            scans: row.scan_versions(),
        })
    }
}

impl Records {
    fn task(&self, place: &TreePath) -> Result<Option<Task>, ArchiveError> {
        let row: Option<VoucherRow> = self.row(&key::voucher(&place.to_string()))?;
        let row = row.filter(|row| row.image_set() == ImageSet::Matching);
        Ok(row.and_then(|row| Task::of(place, &row)))
    }

    /// The form of the voucher at `place`, as its current version was filed.
    pub(super) fn form_at(
        &self,
        matcher: &Matcher,
        place: &TreePath,
    ) -> Result<Option<Form>, ArchiveError> {
        let row: Option<VoucherRow> = self.row(&key::voucher(&place.to_string()))?;
        let task = row.and_then(|row| Task::of(place, &row));
        task.map(|task| self.form(matcher, &task)).transpose()
    }

    /// The form of the voucher, as it was filed.
    fn form(&self, matcher: &Matcher, task: &Task) -> Result<Form, ArchiveError> {
        let filed: kind::VoucherFiled = kind::body(&entry(&*self.store, task.filed)?)?;
        let source = Source::read(&*self.store, Some(&task.data), &filed.template_blake3)?;
        let Source {
            template,
            voucher,
            data,
        } = &source;
        let (drawing, pdf) = lay_out(matcher.renderer(), template, voucher, &task.place, data)?;
        Ok(Form::new(matcher.renderer(), &drawing, &pdf)?)
    }
}

impl Archive {
    /// Compares the voucher at `place` with its scans, if that is to be done, and files what came of it. Durable when
    /// it returns; `None` where there was nothing to do, or something newer came meanwhile.
    pub fn decide_match(
        &self,
        matcher: &Matcher,
        place: &TreePath,
    ) -> Result<Option<ImageSet>, ArchiveError> {
        let Some(task) = self.records.task(place)? else {
            return Ok(None);
        };
        let form = self.records.form(matcher, &task)?;
        // What hostile pixels drive into a panic is for a person to look at, and stops nobody else's.
        let compared = catch_unwind(AssertUnwindSafe(|| self.compare(matcher, &form, &task)));
        let comparison = match compared {
            Ok(comparison) => comparison?,
            Err(_) => matcher.undecided(&form, "the comparison failed"),
        };
        let (verdict, report) = (comparison.report.verdict, &comparison.report);
        let state = ImageSet::from(verdict);
        let report = json!({
            "image_set": state, "voucher_version": task.version, "scans": task.scans,
            "decided_by": "archive", "report": report,
        });
        let picture = comparison.overlay(matcher.renderer(), &form);
        let picture = picture.map_err(|error| ArchiveError::Fault(error.to_string()))?;
        let objects = vec![
            self.put("match.json", "application/json", &document(&report)?)?,
            self.put("match.png", "image/png", &picture)?,
        ];
        let body = kind::MatchDecided {
            verdict,
            version: task.version,
            scans: task.scans.clone(),
            by_person: false,
        };
        let draft = Draft::new(super::OPERATOR, kind::MATCH_DECIDED, &task.place, &body)?;
        self.commit(move |desk| {
            let row: VoucherRow = desk
                .rows
                .get(&key::voucher(&task.place.to_string()))?
                .unwrap_or_default();
            let same = row.image_set() == ImageSet::Matching
                && row.versions.len() as u32 == task.version
                && row.scan_versions() == task.scans;
            if !same {
                return Ok(None);
            }
            desk.write(draft.with(objects));
            Ok(Some(state))
        })
    }

    fn compare(
        &self,
        matcher: &Matcher,
        form: &Form,
        task: &Task,
    ) -> Result<Comparison, ArchiveError> {
        let mut contents = Vec::new();
        for (name, digest) in &task.contents {
            match get_object(&*self.records.store, digest, MATCH_MAX_BYTES)? {
                Some(content) => contents.push((name.as_str(), content)),
                None => {
                    let why =
                        format!("{name} has more than {MATCH_MAX_BYTES} bytes, or is missing");
                    return Ok(matcher.undecided(form, &why));
                }
            }
        }
        let scans: Vec<(&str, &[u8])> =
            contents.iter().map(|(name, it)| (*name, &it[..])).collect();
        let compared = matcher.compare_all(form, &scans);
        Ok(compared
            .unwrap_or_else(|(name, error)| matcher.undecided(form, &format!("{name}: {error}"))))
    }

    /// Lets a person settle what could not be told, or overrule what was decided, with a reason.
    pub fn settle_match(
        &self,
        caller: &Caller,
        place: &TreePath,
        content: &[u8],
    ) -> Result<Filed, ArchiveError> {
        self.records.may_review(caller, place)?;
        self.check_room()?;
        let settled = self.settle(caller, place, content);
        self.log_refusal(caller, place, settled)
    }

    fn settle(
        &self,
        caller: &Caller,
        place: &TreePath,
        content: &[u8],
    ) -> Result<Filed, ArchiveError> {
        let hint =
            r#"send {"verdict":"match","reason":"…"} or {"verdict":"mismatch","reason":"…"}"#;
        let invalid = |field: &str, why: String| ArchiveError::from(Invalid::new(field, why, hint));
        let sent: Settlement = serde_json::from_slice(content)
            .map_err(|error| invalid("verdict", error.to_string()))?;
        let verdict = match sent.verdict.as_str() {
            "match" => Verdict::Match,
            "mismatch" => Verdict::Mismatch,
            _ => return Err(invalid("verdict", "neither match nor mismatch".to_owned())),
        };
        let reason = sent.reason.trim();
        if reason.is_empty() || reason.len() > REASON_MAX_BYTES {
            let why = format!("a reason has 1 to {REASON_MAX_BYTES} bytes");
            return Err(invalid("reason", why));
        }
        let row: Option<VoucherRow> = self.records.row(&key::voucher(&place.to_string()))?;
        let row = row.ok_or_else(|| ArchiveError::Absent(place.to_string()))?;
        if row.scans.is_empty() {
            let error = format!("no scan of {place} has come");
            return Err(ArchiveError::conflict(error, "upload scan-1.jpg first"));
        }
        let (version, scans) = (row.versions.len() as u32, row.scan_versions());
        let before = row
            .decision()
            .and_then(|it| it.objects.first())
            .map(|it| it.blake3);
        let report = json!({
            "image_set": ImageSet::from(verdict), "voucher_version": version, "scans": scans,
            "decided_by": caller.name, "reason": reason, "overrules": before,
        });
        let mut objects = vec![self.put("match.json", "application/json", &document(&report)?)?];
        // The picture of what was overruled stays to be seen.
        let pictures = row.decision().into_iter().flat_map(|it| &it.objects);
        objects.extend(
            pictures
                .filter(|object| object.name == "match.png")
                .cloned(),
        );
        let body = kind::MatchDecided {
            verdict,
            version,
            scans: scans.clone(),
            by_person: true,
        };
        let draft = Draft::new(&caller.id, kind::MATCH_DECIDED, place, &body)?;
        let path = place.to_string();
        self.commit(move |desk| {
            let row: VoucherRow = desk.rows.get(&key::voucher(&path))?.unwrap_or_default();
            if row.versions.len() as u32 != version || row.scan_versions() != scans {
                let error = format!("something newer came to {path}");
                return Err(ArchiveError::conflict(error, "look at it again first"));
            }
            desk.write(draft.with(objects));
            Ok(Filed::new(row.decisions.len() as u32 + 1))
        })
    }
}
