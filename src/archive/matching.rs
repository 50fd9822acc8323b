//! Image sets: whether the scans of a voucher show what was filed. A comparison is decided anew for every new version
//! and every new scan; a person may settle or overrule it. Old decisions stay.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use vouchsafe_evidence::digest::Digest;

use super::documents::json as document;
use super::kind::{self, Draft};
use super::open::entry;
use super::placing::Tried;
use super::rows::{DecisionRow, VoucherRow, key, name_of};
use super::{Archive, ArchiveError, Caller, Filed, Records};
use crate::access::Right;
use crate::catalog::TreePath;
use crate::matching::{Comparison, Form, MATCH_MAX_BYTES, Matcher, Verdict};
use crate::render::Mark;
use crate::store::get_object;
use crate::voucher::template::{TEMPLATE_MAX_BYTES, Template};
use crate::voucher::{Invalid, VOUCHER_MAX_BYTES, Voucher};

/// How long a worker waits for news before it looks by itself.
const IDLE: Duration = Duration::from_secs(5);
/// Vouchers that a worker looks through for one that nobody else works on.
const WAITING_ROWS: usize = 64;
/// Vouchers of one answer about image sets.
pub const IMAGE_SETS_MAX: usize = 1_000;
/// Longest reason of a person, in bytes, and longest body that settles a match.
const REASON_MAX_BYTES: usize = 2_000;
pub const SETTLEMENT_MAX_BYTES: usize = 16 << 10;

/// How far the pictures of a voucher are complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageSet {
    /// No scan has come.
    AwaitingScan,
    /// Scans have come and are being compared.
    Matching,
    /// The scans show what was filed.
    Complete,
    /// They show something else.
    Mismatch,
    /// It could not be told; a person has to settle it.
    Unsure,
}

impl ImageSet {
    /// Every state, in the order of the documentation.
    pub const ALL: [ImageSet; 5] = [
        ImageSet::AwaitingScan,
        ImageSet::Matching,
        ImageSet::Complete,
        ImageSet::Mismatch,
        ImageSet::Unsure,
    ];

    /// The word that files, answers and keys have.
    pub fn word(self) -> &'static str {
        match self {
            ImageSet::AwaitingScan => "awaiting-scan",
            ImageSet::Matching => "matching",
            ImageSet::Complete => "complete",
            ImageSet::Mismatch => "mismatch",
            ImageSet::Unsure => "unsure",
        }
    }

    /// The state of this word.
    pub fn parse(word: &str) -> Option<ImageSet> {
        ImageSet::ALL.into_iter().find(|state| state.word() == word)
    }
}

impl From<Verdict> for ImageSet {
    fn from(verdict: Verdict) -> ImageSet {
        match verdict {
            Verdict::Match => ImageSet::Complete,
            Verdict::Mismatch => ImageSet::Mismatch,
            Verdict::Unsure => ImageSet::Unsure,
        }
    }
}

impl VoucherRow {
    /// The versions of the scans that there are now.
    fn scan_versions(&self) -> BTreeMap<String, u32> {
        let scans = self.scans.iter();
        scans
            .map(|(name, versions)| (name.clone(), versions.len() as u32))
            .collect()
    }

    /// The decision on what is there now; none before it is made.
    pub(super) fn decision(&self) -> Option<&DecisionRow> {
        let last = self.decisions.last()?;
        let current =
            last.version as usize == self.versions.len() && last.scans == self.scan_versions();
        current.then_some(last)
    }

    /// How far the pictures are complete.
    pub(super) fn image_set(&self) -> ImageSet {
        if self.scans.is_empty() {
            return ImageSet::AwaitingScan;
        }
        self.decision()
            .map_or(ImageSet::Matching, |decision| decision.verdict.into())
    }
}

/// A voucher and how far its pictures are complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImageSetState {
    /// Its path.
    pub path: String,
    /// The state.
    pub state: ImageSet,
}

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
        let mut objects = version.objects.iter();
        let data = objects.find(|object| object.name == "voucher.json")?.blake3;
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
    /// The vouchers of a state that the caller may read, in the order of their paths, after a path; and the path to go
    /// on after, if there may be more.
    pub fn image_sets(
        &self,
        caller: &Caller,
        state: ImageSet,
        after: &str,
    ) -> Result<(Vec<ImageSetState>, Option<String>), ArchiveError> {
        let prefix = key::image_sets(state.word());
        let start = [&prefix[..], after.as_bytes()].concat();
        let rows = self.store.scan(&prefix, &start, IMAGE_SETS_MAX)?;
        let more = rows.len() == IMAGE_SETS_MAX;
        let mut last = None;
        let mut states = Vec::new();
        for (key, _) in rows {
            let path = name_of(key);
            let parsed = TreePath::parse(&path);
            if parsed.is_ok_and(|place| caller.permissions.allow(Right::Read, &place)) {
                states.push(ImageSetState {
                    path: path.clone(),
                    state,
                });
            }
            last = Some(path);
        }
        // The path to go on after may be one that the caller must not see: then the last one that they may.
        let next = if more { last } else { None };
        let shown = states.last().map(|it| it.path.clone());
        let next = match (next, shown) {
            (Some(next), Some(shown)) if next == shown => Some(next),
            (Some(next), _) => return self.image_sets_after(caller, state, states, &next),
            (None, _) => None,
        };
        Ok((states, next))
    }

    /// Goes on where a page ended with vouchers that the caller must not see.
    fn image_sets_after(
        &self,
        caller: &Caller,
        state: ImageSet,
        mut states: Vec<ImageSetState>,
        after: &str,
    ) -> Result<(Vec<ImageSetState>, Option<String>), ArchiveError> {
        let (more, next) = self.image_sets(caller, state, after)?;
        states.extend(more);
        Ok((states, next))
    }

    /// How far the pictures of the voucher at `place` are complete.
    pub fn image_set(&self, caller: &Caller, place: &TreePath) -> Result<ImageSet, ArchiveError> {
        let absent = || ArchiveError::Absent(place.to_string());
        if !caller.permissions.allow(Right::Read, place) {
            return Err(absent());
        }
        let row: Option<VoucherRow> = self.row(&key::voucher(&place.to_string()))?;
        Ok(row.ok_or_else(absent)?.image_set())
    }

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
        let broken = |what: &str| ArchiveError::Broken(format!("{}: {what}", task.place));
        let filed: kind::VoucherFiled = kind::body(&entry(&*self.store, task.filed)?)?;
        let content = |digest: &Digest, most: usize| get_object(&*self.store, digest, most as u64);
        let data = content(&task.data, VOUCHER_MAX_BYTES)?.ok_or_else(|| broken("no data"))?;
        let template = content(&filed.template_blake3, TEMPLATE_MAX_BYTES)?
            .and_then(|text| String::from_utf8(text).ok())
            .ok_or_else(|| broken("no template"))?;
        let template =
            Template::from_toml(&template).map_err(|error| broken(&error.to_string()))?;
        let voucher = Voucher::from_json(&data)?;
        let mark = Mark {
            place: task.place.to_string(),
            digest: task.data.to_string(),
        };
        let drawing = matcher.renderer().draw(&template, &voucher, &mark)?;
        let pdf = matcher.renderer().pdf(&drawing, &data)?;
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

/// Tells the workers that there may be something to compare.
#[derive(Default)]
pub(super) struct News {
    count: Mutex<u64>,
    came: Condvar,
    /// How many commits filed vouchers.
    pub vouchers: AtomicU64,
}

impl News {
    pub fn tell(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.came.notify_all();
    }

    /// Waits until more was told than `seen`, or for a while; gives how much was told.
    fn wait(&self, seen: u64, patience: Duration) -> u64 {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .came
            .wait_timeout_while(count, patience, |count| *count == seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Workers that compare what waits, a bounded number of them, beside everything else that the archive does. What
/// waits is in the index: after a crash they go on where they were.
pub struct Matching {
    stop: Arc<AtomicBool>,
    archive: Arc<Archive>,
    workers: Vec<JoinHandle<()>>,
}

impl Matching {
    /// Starts one worker for each matcher.
    pub fn start(archive: Arc<Archive>, matchers: Vec<Matcher>) -> Result<Matching, ArchiveError> {
        let stop = Arc::new(AtomicBool::new(false));
        let busy: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let mut workers = Vec::new();
        let tried: Arc<Mutex<Tried>> = Arc::default();
        for matcher in matchers {
            let (archive, stop) = (Arc::clone(&archive), Arc::clone(&stop));
            let (busy, tried) = (Arc::clone(&busy), Arc::clone(&tried));
            let worker = thread::Builder::new()
                .name("matching".to_owned())
                .spawn(move || work(&archive, &matcher, &stop, &busy, &tried))
                .map_err(|error| ArchiveError::Fault(format!("starting a thread: {error}")))?;
            workers.push(worker);
        }
        Ok(Matching {
            stop,
            archive,
            workers,
        })
    }
}

impl Drop for Matching {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.archive.news.tell();
        for worker in self.workers.drain(..) {
            // A worker that panicked has said so.
            let _ = worker.join();
        }
    }
}

fn work(
    archive: &Archive,
    matcher: &Matcher,
    stop: &AtomicBool,
    busy: &Mutex<BTreeSet<String>>,
    tried: &Mutex<Tried>,
) {
    let mut seen = 0;
    while !stop.load(Ordering::Relaxed) {
        let taken = match take(archive, busy) {
            Ok(taken) => taken,
            Err(error) => {
                tracing::warn!(%error, "what waits to be compared cannot be read");
                None
            }
        };
        let Some(path) = taken else {
            if !tries_unplaced(archive, matcher, tried) {
                seen = archive.news.wait(seen, IDLE);
            }
            continue;
        };
        let decided = TreePath::parse(&path)
            .map_err(|error| ArchiveError::Broken(error.to_string()))
            .and_then(|place| archive.decide_match(matcher, &place));
        if let Err(error) = decided {
            tracing::warn!(%error, "a comparison could not be filed");
            // The same again at once would fail at once again.
            archive.news.wait(seen, IDLE);
        }
        busy.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&path);
    }
}

/// Tries the next scan that found no voucher by a mark; whether there was one.
fn tries_unplaced(archive: &Archive, matcher: &Matcher, tried: &Mutex<Tried>) -> bool {
    // One worker at a time; what hostile pixels drive into a panic is not tried again.
    let Ok(mut tried) = tried.try_lock() else {
        return false;
    };
    if !archive.takes_writes() || !matcher.reads() {
        return false;
    }
    tried.renew(archive.news.vouchers.load(Ordering::Relaxed));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        archive.try_unplaced(matcher, &mut tried)
    }));
    match outcome {
        Ok(Ok(more)) => more,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a scan without a mark could not be placed");
            false
        }
        Err(_) => true,
    }
}

/// The first voucher that waits and that no other worker has.
fn take(archive: &Archive, busy: &Mutex<BTreeSet<String>>) -> Result<Option<String>, ArchiveError> {
    if !archive.takes_writes() {
        return Ok(None);
    }
    let prefix = key::image_sets(ImageSet::Matching.word());
    let rows = archive.records.store.scan(&prefix, &[], WAITING_ROWS)?;
    let mut busy = busy.lock().unwrap_or_else(PoisonError::into_inner);
    let mut paths = rows.into_iter().map(|(key, _)| name_of(key));
    let path = paths.find(|path| !busy.contains(path));
    busy.extend(path.clone());
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_the_words_of_their_documents() {
        for state in ImageSet::ALL {
            assert_eq!(ImageSet::parse(state.word()), Some(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.word());
        }
    }
}
