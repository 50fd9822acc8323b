//! Recognising: scans in inboxes that found no place are tried again beside everything else, by their marks when vouchers
//! have come, and without a mark by the number that is read on them.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use vouchsafe_evidence::digest::{ContentDigests, Digest};
use vouchsafe_evidence::entry::Object;

use super::inbox::logged_path;
use super::kind::{self, Draft, InboxReceived};
use super::placing::{ALIKE, LOOKED_THROUGH_MAX, NEAR, left_over};
use super::pool::Postponed;
use super::rows::{InboxRow, decode, key};
use super::scan::kind_of_scan;
use super::{Archive, ArchiveError, Caller};
use crate::catalog::TreePath;
use crate::matching::{DecodeError, MATCH_MAX_BYTES, Matcher, Verdict, marked_places};
use crate::store::get_object;

/// How long it takes until a scan is tried again because vouchers came.
const AGAIN: Duration = Duration::from_secs(15);
/// Vouchers that a scan without a mark may be of, types of them whose forms it is held against, and vouchers of one
/// type and number.
const AWAITING_MAX: usize = 10_000;
const FORMS_TRIED_MAX: usize = 8;
const COMPARED_MAX: usize = 24;
/// Rows of inboxes that are read at once.
const INBOX_ROWS: usize = 1_000;

/// The scans without a place that were tried, by user and content, since some vouchers were filed.
#[derive(Default)]
pub(super) struct Tried {
    scans: BTreeSet<(String, Digest)>,
    /// What could not be tried to the end.
    failed: Postponed<(String, Digest)>,
    /// How many commits had filed vouchers then.
    vouchers: u64,
    /// When that was looked at.
    looked: Option<Instant>,
    /// Where in the inboxes the last one was.
    after: Vec<u8>,
}

impl Tried {
    /// Forgets what was tried if vouchers came since, from time to time.
    pub fn renew(&mut self, vouchers: u64) {
        if self.looked.is_none_or(|looked| looked.elapsed() > AGAIN) && vouchers != self.vouchers {
            self.scans.clear();
            self.vouchers = vouchers;
            self.looked = Some(Instant::now());
        }
    }
}

/// A scan of somebody's inbox that found no voucher, or not all, by its marks.
struct Waiting {
    caller: Caller,
    path: TreePath,
    object: Object,
    /// Why, and between which a person has to choose, as it was said last.
    said: (Option<String>, Vec<String>),
}

/// Which vouchers a scan shows in every field, whose number it has without that, and whether others may be there that
/// it was not held against.
#[derive(Default)]
struct Shown {
    places: Vec<TreePath>,
    near: Vec<TreePath>,
    more: bool,
}

impl Archive {
    /// Tries one scan of an inbox that was not `tried` before: files it with the vouchers of its marks, or holds it
    /// against the vouchers that await one and whose number is read on it. It is filed with the only one that it shows
    /// in every field. Gives whether there was one to try.
    pub(super) fn try_unplaced(
        &self,
        matcher: &Matcher,
        tried: &mut Tried,
    ) -> Result<bool, ArchiveError> {
        let Some(waiting) = self.next_waiting(tried)? else {
            return Ok(false);
        };
        let scan = (waiting.caller.id.clone(), waiting.object.blake3);
        let outcome = catch_unwind(AssertUnwindSafe(|| self.place_again(matcher, &waiting)));
        match outcome {
            Ok(Err(error)) => {
                let path = logged_path(&waiting.caller.id, &waiting.path);
                tracing::warn!(%path, %error, "a scan could not be tried");
                tried.failed.failed(scan, Instant::now());
            }
            // What hostile pixels drive into a panic does so again.
            Ok(Ok(())) | Err(_) => {
                tried.failed.done(&scan);
                tried.scans.insert(scan);
            }
        }
        Ok(true)
    }

    fn next_waiting(&self, tried: &mut Tried) -> Result<Option<Waiting>, ArchiveError> {
        let now = Instant::now();
        loop {
            let store = &self.records.store;
            let rows = store.scan(&key::inboxes(), &tried.after, INBOX_ROWS)?;
            if rows.is_empty() {
                tried.after.clear();
                return Ok(None);
            }
            for (key, row) in rows {
                let row: InboxRow = decode(&key, &row)?;
                let parts = key::inbox_parts(&key);
                tried.after = key;
                let (Some(_), Some(object), Some((user, path))) =
                    (&row.unplaced, row.object, parts)
                else {
                    continue;
                };
                let scan = (user, object.blake3);
                if tried.scans.contains(&scan) || !tried.failed.is_due(&scan, now) {
                    continue;
                }
                if let Some(caller) = self.caller(&scan.0, self.now()) {
                    let said = (row.unplaced, row.candidates);
                    return Ok(Some(Waiting {
                        caller,
                        path,
                        object,
                        said,
                    }));
                }
            }
        }
    }

    fn place_again(&self, matcher: &Matcher, waiting: &Waiting) -> Result<(), ArchiveError> {
        let Waiting {
            caller,
            path,
            object,
            said,
        } = waiting;
        let content = get_object(&*self.records.store, &object.blake3, MATCH_MAX_BYTES)?;
        let Some(content) = content else {
            return Ok(());
        };
        let digests = ContentDigests {
            blake3: object.blake3,
            sha256: object.sha256,
            size: object.size,
        };
        let scan_kind = kind_of_scan(&content).unwrap_or_default();
        let marked = read(marked_places(&*self.decoder, &content))?.unwrap_or_default();
        let marks = marked.len();
        // The vouchers of its marks may have come after the scan.
        let mut placed = self.file_marked(caller, marked, scan_kind, &digests)?;
        let mut now = said.clone();
        if !placed.is_empty() {
            now = (left_over(marks, placed.len()), Vec::new());
        } else if matcher.reads() {
            let shown = self.shown(matcher, caller, &content)?;
            match &shown.places[..] {
                [] if shown.near.is_empty() => {}
                [] => now = (Some(NEAR.to_owned()), listed(&shown.near)),
                // Of those that it showed alike, a person may have chosen another one for it.
                [_] if said.0.as_deref() == Some(ALIKE) => {}
                [place] if !shown.more => {
                    if self.add_placed(caller, place, scan_kind, &digests)? {
                        placed.push(place.to_string());
                        now = (None, Vec::new());
                    }
                }
                alike => {
                    now = (Some(ALIKE.to_owned()), listed(alike));
                }
            }
        }
        if now == *said {
            return Ok(());
        }
        let (unplaced, candidates) = now;
        let body = InboxReceived {
            placed,
            unplaced,
            candidates,
        };
        let place = logged_path(&caller.id, path);
        let draft = Draft::new(&caller.id, kind::INBOX_RECEIVED, place, &body)?;
        let (key, object) = (key::inbox(&caller.id, path), object.clone());
        self.commit(move |desk| {
            // Taken out meanwhile, it stays out.
            let there = desk.rows.get::<InboxRow>(&key)?.and_then(|row| row.object);
            if there.as_ref() == Some(&object) {
                desk.write(draft.with(vec![object]));
            }
            Ok(())
        })
    }

    /// The vouchers that await a scan and that this one shows in every field.
    fn shown(
        &self,
        matcher: &Matcher,
        caller: &Caller,
        content: &[u8],
    ) -> Result<Shown, ArchiveError> {
        let (awaiting, all) = self.records.awaiting(caller, AWAITING_MAX)?;
        if !all {
            let user = &caller.id;
            tracing::warn!(
                user,
                "only {LOOKED_THROUGH_MAX} vouchers that await a scan were looked through"
            );
        }
        let mut by_type: BTreeMap<String, Vec<TreePath>> = BTreeMap::new();
        for path in awaiting {
            if let Ok(place) = TreePath::parse(&path) {
                let voucher_type = place.parent().name().to_owned();
                by_type.entry(voucher_type).or_default().push(place);
            }
        }
        let mut shown = Shown::default();
        for places in by_type.into_values().take(FORMS_TRIED_MAX) {
            let Some(form) = self.records.form_at(matcher, &places[0])? else {
                continue;
            };
            let Some(numbers) = read(matcher.read_field(&form, content, "number"))? else {
                return Ok(shown);
            };
            let is_read = |place: &&TreePath| numbers.iter().any(|read| read == place.name());
            let mut named = places.iter().filter(is_read);
            for place in named.by_ref().take(COMPARED_MAX) {
                let Some(form) = self.records.form_at(matcher, place)? else {
                    continue;
                };
                let compared = read(matcher.compare(&form, content))?;
                match compared.map(|it| it.report) {
                    Some(report) if report.verdict == Verdict::Match => {
                        shown.places.push(place.clone());
                    }
                    Some(report) if !report.is_of_other_papers() => shown.near.push(place.clone()),
                    _ => {}
                }
            }
            shown.more |= named.next().is_some();
        }
        Ok(shown)
    }
}

fn listed(places: &[TreePath]) -> Vec<String> {
    places.iter().map(TreePath::to_string).collect()
}

/// What was read; none of what cannot be read, which was said when it came.
fn read<T>(outcome: Result<T, DecodeError>) -> Result<Option<T>, ArchiveError> {
    match outcome {
        Ok(read) => Ok(Some(read)),
        Err(error @ DecodeError::Busy(_)) => Err(ArchiveError::Busy(error.to_string())),
        Err(_) => Ok(None),
    }
}
