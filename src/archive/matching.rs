//! Image sets: whether the scans of a voucher show what was filed. A comparison is decided anew for every new version
//! and every new scan; what a person settled (`settling.rs`) is not decided against them. Old decisions stay.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::json;
use vouchsafe_evidence::digest::Digest;

use super::documents::json as document;
use super::kind::{self, Draft};
use super::open::entry;
use super::renditions::{Source, lay_out};
use super::rows::{VoucherRow, key, named};
use super::settling::Settled;
use super::{Archive, ArchiveError, ImageSet, Records};
use crate::catalog::TreePath;
use crate::matching::{Comparison, Form, MATCH_MAX_BYTES, Matcher, Report, Verdict};
use crate::store::get_object;

/// A voucher with its scans, as it was when the comparison began.
struct Task {
    place: TreePath,
    version: u32,
    scans: BTreeMap<String, u32>,
    data: Digest,
    /// Number of the entry that filed the version.
    filed: u64,
    contents: Vec<(String, Digest)>,
    /// What a person decided on this version before.
    settled: Option<Settled>,
}

/// What came of a comparison.
struct Looked {
    report: Report,
    picture: Option<Vec<u8>>,
    verdict: Verdict,
    /// Why that is not simply what the report says.
    reason: Option<String>,
}

impl Task {
    fn of(place: &TreePath, row: &VoucherRow, settled: Option<Settled>) -> Option<Task> {
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
            settled,
        })
    }
}

impl Records {
    fn task(&self, place: &TreePath) -> Result<Option<Task>, ArchiveError> {
        let row: Option<VoucherRow> = self.row(&key::voucher(&place.to_string()))?;
        match row.filter(|row| row.image_set() == ImageSet::Matching) {
            Some(row) => Ok(Task::of(place, &row, self.settled(&row)?)),
            None => Ok(None),
        }
    }

    /// The form of the voucher at `place`, as its current version was filed.
    pub(super) fn form_at(
        &self,
        matcher: &Matcher,
        place: &TreePath,
    ) -> Result<Option<Form>, ArchiveError> {
        let row: Option<VoucherRow> = self.row(&key::voucher(&place.to_string()))?;
        let task = row.and_then(|row| Task::of(place, &row, None));
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
        // What hostile pixels drive into a panic is for a person to look at, and stops nobody else's.
        let looked = catch_unwind(AssertUnwindSafe(|| self.look(matcher, &task)));
        let looked = match looked {
            Ok(looked) => looked?,
            Err(_) => Looked {
                report: Report::undecided("the comparison failed"),
                picture: None,
                verdict: Verdict::Unsure,
                reason: None,
            },
        };
        let (verdict, state) = (looked.verdict, ImageSet::from(looked.verdict));
        let mut report = json!({
            "image_set": state, "voucher_version": task.version, "scans": task.scans,
            "decided_by": "archive", "report": looked.report,
        });
        if let Some(reason) = looked.reason {
            report["reason"] = reason.into();
        }
        let mut objects = vec![self.put("match.json", "application/json", &document(&report)?)?];
        if let Some(picture) = looked.picture {
            objects.push(self.put("match.png", "image/png", &picture)?);
        }
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

    /// Compares, draws, and weighs what a person decided before.
    fn look(&self, matcher: &Matcher, task: &Task) -> Result<Looked, ArchiveError> {
        let form = self.records.form(matcher, task)?;
        let comparison = self.compare(matcher, &form, &task.contents)?;
        let picture = comparison.overlay(matcher.renderer(), &form);
        let picture = picture.map_err(|error| ArchiveError::Fault(error.to_string()))?;
        let seen = comparison.report.verdict;
        let (verdict, reason) = match &task.settled {
            None => (seen, None),
            Some(settled) => {
                let about_this =
                    seen != settled.verdict && self.shows_more(matcher, &form, task, settled)?;
                let (verdict, reason) = settled.weigh(seen, about_this);
                (verdict, Some(reason))
            }
        };
        Ok(Looked {
            report: comparison.report,
            picture: Some(picture),
            verdict,
            reason,
        })
    }

    /// Whether something of the voucher, or something that cannot be read, came after a person decided.
    fn shows_more(
        &self,
        matcher: &Matcher,
        form: &Form,
        task: &Task,
        settled: &Settled,
    ) -> Result<bool, ArchiveError> {
        let Some(added) = settled.added(&task.scans) else {
            return Ok(true);
        };
        let contents: Vec<(String, Digest)> = task
            .contents
            .iter()
            .filter(|(name, _)| added.contains(name))
            .cloned()
            .collect();
        let compared = self.compare(matcher, form, &contents)?;
        Ok(!compared.report.is_of_other_papers())
    }

    fn compare(
        &self,
        matcher: &Matcher,
        form: &Form,
        scans: &[(String, Digest)],
    ) -> Result<Comparison, ArchiveError> {
        let mut several = matcher.several(form);
        for (name, digest) in scans {
            match get_object(&*self.records.store, digest, MATCH_MAX_BYTES)? {
                Some(content) => several
                    .add(name, &content)
                    .map_err(|busy| ArchiveError::Busy(format!("{name}: {busy}")))?,
                None => {
                    let why = format!("more than {MATCH_MAX_BYTES} bytes, or missing");
                    several.add_unread(name, &why);
                }
            }
        }
        Ok(several.finish())
    }
}
