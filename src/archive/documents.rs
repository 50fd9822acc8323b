//! The files of a voucher's folder that are derived from the log: `history.json`, `proof.json` and
//! `voucher.tlog-proof`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use vouchsafe_evidence::entry::{Entry, Object};
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::proof::{EntryProof, InclusionProof};
use vouchsafe_evidence::statement::Decision;

use super::kind;
use super::log::{self, Against};
use super::open::entry;
use super::rows::{DecisionRow, ReviewRow, VersionRow, VoucherRow};
use super::traces::Looked;
use super::{ArchiveError, Caller, ImageSet, Records, ReviewState};
use crate::access::{Right, Time};
use crate::catalog::TreePath;
use crate::matching::Verdict;

/// The content of `history.json`: what came to this place, when, and by whom.
#[derive(Serialize)]
struct History<'a> {
    path: String,
    /// From the first to the current.
    versions: Vec<Arrival<'a>>,
    /// In the order in which they came.
    scans: Vec<Arrival<'a>>,
    /// Whether the scans show what was filed, now.
    image_set: ImageSet,
    /// What was decided on them, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    matches: Vec<Decided<'a>>,
    /// How far the review of the current version is.
    review: ReviewState,
    /// What reviewers decided, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reviews: Vec<Reviewed<'a>>,
    /// By what preparers stood, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    submissions: Vec<Reviewed<'a>>,
    /// Who looked at it: only for those who may see traces there.
    #[serde(skip_serializing_if = "Option::is_none")]
    views: Option<Vec<Looked>>,
}

/// What a reviewer or a preparer signed about a version of the voucher.
#[derive(Serialize)]
struct Reviewed<'a> {
    version: u32,
    entry: u64,
    time: String,
    by: String,
    decision: Decision,
    voucher_version: u32,
    scans: &'a BTreeMap<String, u32>,
    files: Vec<ArrivedFile<'a>>,
}

/// A decision on whether scans show a version of the voucher.
#[derive(Serialize)]
struct Decided<'a> {
    version: u32,
    entry: u64,
    time: String,
    by: String,
    verdict: Verdict,
    voucher_version: u32,
    scans: &'a BTreeMap<String, u32>,
    files: Vec<ArrivedFile<'a>>,
}

/// A version of the voucher or of a scan.
#[derive(Serialize)]
struct Arrival<'a> {
    version: u32,
    /// Number of the entry in the log.
    entry: u64,
    /// RFC 3339.
    time: String,
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<u64>,
    /// Characters that could not be drawn and the like, when the form was drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<u64>,
    /// The first of them in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    warned: Option<serde_json::Value>,
    files: Vec<ArrivedFile<'a>>,
}

#[derive(Serialize)]
struct ArrivedFile<'a> {
    #[serde(flatten)]
    object: &'a Object,
    /// Where this version stays readable, relative to the folder.
    href: String,
}

impl<'a> ArrivedFile<'a> {
    fn new(object: &'a Object, version: u32) -> ArrivedFile<'a> {
        let href = format!("{}?version={version}", object.name);
        ArrivedFile { object, href }
    }
}

/// A time as people and programs read it (RFC 3339).
pub fn rfc3339(time: Time) -> String {
    let since = i64::try_from(time).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(since)
        .map_or_else(|_| time.to_string(), |time| format!("{time:.3}"))
}

impl VoucherRow {
    /// When the last thing came.
    pub(super) fn modified(&self) -> Time {
        let scans = self.scans.values().flatten().map(|scan| scan.time);
        let versions = self.versions.iter().map(|version| version.time);
        let decisions = self.decisions.iter().map(|decision| decision.time);
        let signed = self.reviews.iter().chain(&self.submissions);
        let reviews = signed.map(|signed| signed.time);
        versions
            .chain(scans)
            .chain(decisions)
            .chain(reviews)
            .max()
            .unwrap_or(0)
    }
}

impl Records {
    /// The content of `history.json`. It depends on the log alone, and reading it leaves no trace there, so reading it
    /// changes nothing in it.
    pub(super) fn history(
        &self,
        caller: &Caller,
        place: &TreePath,
        row: &VoucherRow,
    ) -> Result<Vec<u8>, ArchiveError> {
        let versions = (1..).zip(&row.versions);
        let versions = versions.map(|(number, version)| self.version_arrival(number, version));
        let mut scans = Vec::new();
        for (number, scan) in row.scans.values().flat_map(|versions| (1..).zip(versions)) {
            let files = vec![ArrivedFile::new(&scan.object, number)];
            let by = entry(&*self.store, scan.seq)?;
            scans.push(self.arrival(number, &by, files));
        }
        scans.sort_by_key(|scan| scan.entry);
        json(&History {
            path: place.to_string(),
            versions: versions.collect::<Result<_, _>>()?,
            scans,
            image_set: row.image_set(),
            matches: (1..)
                .zip(&row.decisions)
                .map(|(number, it)| self.decided(number, it))
                .collect::<Result<_, _>>()?,
            review: row.review_state(),
            reviews: (1..)
                .zip(&row.reviews)
                .map(|(number, it)| self.reviewed(number, it))
                .collect(),
            submissions: (1..)
                .zip(&row.submissions)
                .map(|(number, it)| self.reviewed(number, it))
                .collect(),
            views: caller
                .permissions
                .allow(Right::Verify, place)
                .then(|| self.looks(&place.to_string()))
                .transpose()?,
        })
    }

    fn decided<'a>(&self, number: u32, row: &'a DecisionRow) -> Result<Decided<'a>, ArchiveError> {
        let by = entry(&*self.store, row.seq)?;
        let decided: kind::MatchDecided = kind::body(&by)?;
        Ok(Decided {
            version: number,
            entry: row.seq,
            time: rfc3339(row.time),
            by: if decided.by_person {
                self.name_of(&by.actor)
            } else {
                "archive".to_owned()
            },
            verdict: row.verdict,
            voucher_version: row.version,
            scans: &row.scans,
            files: row
                .objects
                .iter()
                .map(|object| ArrivedFile::new(object, number))
                .collect(),
        })
    }

    fn reviewed<'a>(&self, number: u32, row: &'a ReviewRow) -> Reviewed<'a> {
        let files = row.objects.iter();
        Reviewed {
            version: number,
            entry: row.seq,
            time: rfc3339(row.time),
            by: self.name_of(&row.person),
            decision: row.decision,
            voucher_version: row.version,
            scans: &row.scans,
            files: files
                .map(|object| ArrivedFile::new(object, number))
                .collect(),
        }
    }

    fn version_arrival<'a>(
        &self,
        number: u32,
        version: &'a VersionRow,
    ) -> Result<Arrival<'a>, ArchiveError> {
        let files = version.objects.iter();
        let files = files
            .map(|object| ArrivedFile::new(object, number))
            .collect();
        Ok(self.arrival(number, &entry(&*self.store, version.seq)?, files))
    }

    fn arrival<'a>(&self, version: u32, by: &Entry, files: Vec<ArrivedFile<'a>>) -> Arrival<'a> {
        let number = |key: &str| by.body.get(key).and_then(serde_json::Value::as_u64);
        Arrival {
            version,
            entry: by.seq,
            time: rfc3339(by.time),
            by: self.name_of(&by.actor),
            template: number("template"),
            warnings: number("warnings").filter(|warnings| *warnings > 0),
            warned: by.body.get("warned").cloned(),
            files,
        }
    }

    /// The name of an actor of the log, or the id when the name is no longer known.
    pub(super) fn name_of(&self, id: &str) -> String {
        self.people().name(id).to_owned()
    }

    /// The content of `proof.json`: the proof of the entry that filed the current version, which
    /// vouches for the data and every rendition of it.
    pub(super) fn proof_json(&self, row: &VoucherRow) -> Result<Vec<u8>, ArchiveError> {
        let (proof, key) = self.proof(row)?;
        json(&EntryProof::new(proof, &key))
    }

    /// The content of `voucher.tlog-proof`: the same proof as C2SP tlog-proof, with the entry as its extra data.
    pub(super) fn tlog_proof(&self, row: &VoucherRow) -> Result<Vec<u8>, ArchiveError> {
        Ok(self.proof(row)?.0.to_text().into_bytes())
    }

    fn proof(&self, row: &VoucherRow) -> Result<(InclusionProof, VerifierKey), ArchiveError> {
        let seq = row.versions.last().map_or(0, |version| version.seq);
        log::entry_proof(self, seq, Against::First)
    }
}

pub(super) fn json(document: &impl Serialize) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = serde_json::to_vec_pretty(document)
        .map_err(|error| ArchiveError::Fault(error.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}
