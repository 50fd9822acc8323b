//! Placing: scans that came without a place find their voucher by the QR mark on them, or are listed as unplaced.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde::Serialize;
use vouchsafe_evidence::digest::{ContentDigests, Digest};
use vouchsafe_evidence::entry::Object;

use super::fold::object;
use super::inbox::logged_path;
use super::kind::{self, Draft};
use super::rows::{InboxRow, VoucherRow, decode, key, last_part};
use super::scan::kind_of_scan;
use super::tree::PAGE_ROWS;
use super::{Archive, ArchiveError, Caller, ImageSet, Records};
use crate::access::Right;
use crate::catalog::TreePath;
use crate::matching::{MATCH_MAX_BYTES, Matcher, Verdict, marked_places};
use crate::store::get_object;

/// Most vouchers whose marks one file may have.
const PLACES_MAX: usize = 16;
/// Most scans of one voucher, as the names of scans allow.
const SCANS_MAX: u32 = 999;
/// Most candidates for a scan that found no place, and vouchers that are looked through for them.
const CANDIDATES_MAX: usize = 5;
const LOOKED_THROUGH_MAX: usize = 200;
/// Longest reason that an entry keeps, in characters.
const REASON_MAX_CHARS: usize = 200;

/// What became of a scan without a place.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Placed {
    /// The vouchers that it was filed with.
    pub places: Vec<String>,
    /// Why it was filed with none.
    pub unplaced: Option<String>,
}

/// A scan in somebody's inbox that found no voucher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unplaced {
    /// Its name in the inbox.
    pub name: String,
    /// Why it was not filed.
    pub reason: String,
    /// Vouchers that await a scan and that the caller may file for: the latest first.
    pub candidates: Vec<String>,
}

impl Archive {
    /// Files a scan of an inbox with every voucher whose mark it has and for which the caller may file. Nothing for
    /// what is no scan.
    pub(super) fn place_scan(
        &self,
        caller: &Caller,
        digests: &ContentDigests,
        beginning: &[u8],
    ) -> Result<Placed, ArchiveError> {
        let Some((ending, media_type)) = kind_of_scan(beginning) else {
            return Ok(Placed::default());
        };
        let unplaced = |why: &str| Placed {
            places: Vec::new(),
            unplaced: Some(why.chars().take(REASON_MAX_CHARS).collect()),
        };
        let content = get_object(&*self.records.store, &digests.blake3, MATCH_MAX_BYTES)?;
        let Some(content) = content else {
            return Ok(unplaced("it is too large to be looked at"));
        };
        let marked = match marked_places(&content) {
            Ok(marked) => marked,
            Err(error) => return Ok(unplaced(&format!("it cannot be read: {error}"))),
        };
        if marked.is_empty() {
            return Ok(unplaced("there is no QR mark of a voucher on it"));
        }
        let mut placed = Placed::default();
        for place in marked.into_iter().take(PLACES_MAX) {
            // What the caller may not file for is as if it were not there.
            let known = TreePath::parse(&place)
                .ok()
                .filter(|place| caller.permissions.allow(Right::Upload, place));
            let filed = match known {
                Some(place) => self.add_placed(caller, &place, (ending, media_type), digests)?,
                None => false,
            };
            if filed {
                placed.places.push(place);
            }
        }
        if placed.places.is_empty() {
            return Ok(unplaced(
                "no voucher that you may file for has the mark on it",
            ));
        }
        Ok(placed)
    }

    /// Files a scan under the next free name of a voucher; whether there is that voucher.
    fn add_placed(
        &self,
        caller: &Caller,
        place: &TreePath,
        (ending, media_type): (&'static str, &'static str),
        digests: &ContentDigests,
    ) -> Result<bool, ArchiveError> {
        let (actor, place, digests) = (caller.id.clone(), place.to_string(), *digests);
        self.commit(move |desk| {
            let Some(row) = desk.rows.get::<VoucherRow>(&key::voucher(&place))? else {
                return Ok(false);
            };
            let same = |object: &Object| object.blake3 == digests.blake3;
            if row.scans.values().flatten().any(|scan| same(&scan.object)) {
                return Ok(true);
            }
            let Some(name) = free_name(&row.scans, ending) else {
                let error = format!("{place} has {SCANS_MAX} scans");
                return Err(ArchiveError::conflict(
                    error,
                    "that is more than a voucher can have",
                ));
            };
            let scan = object(&name, media_type, &digests);
            let draft = Draft::new(
                &actor,
                kind::SCAN_RECEIVED,
                &place,
                &kind::ScanReceived { version: 1 },
            )?;
            desk.write(draft.with(vec![scan]));
            Ok(true)
        })
    }
}

/// How long it takes until a scan is tried again because vouchers came.
const AGAIN: Duration = Duration::from_secs(15);
/// Types of vouchers, and vouchers of one type, that a scan without a mark is held against.
const FORMS_TRIED_MAX: usize = 8;
const COMPARED_MAX: usize = 5;
/// Rows of inboxes that are looked through for one that was not tried.
const INBOX_ROWS: usize = 1_000;

/// The scans without a place that were tried, by user and content, since some vouchers were filed.
#[derive(Default)]
pub(super) struct Tried {
    scans: BTreeSet<(String, Digest)>,
    /// How many commits had filed vouchers then.
    vouchers: u64,
    /// When that was looked at.
    looked: Option<Instant>,
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

/// A scan of somebody's inbox that found no voucher by a mark.
struct Waiting {
    caller: Caller,
    path: TreePath,
    object: Object,
}

impl Archive {
    /// Holds one scan of an inbox that has no mark, and that was not `tried` before, against the vouchers that await
    /// one: those whose number is read on it. It is filed with the first that it shows in every field. Gives whether
    /// there was one to try.
    pub(super) fn try_unplaced(
        &self,
        matcher: &Matcher,
        tried: &mut Tried,
    ) -> Result<bool, ArchiveError> {
        let Some(waiting) = self.next_waiting(tried)? else {
            return Ok(false);
        };
        let Waiting {
            caller,
            path,
            object,
        } = waiting;
        let content = get_object(&*self.records.store, &object.blake3, MATCH_MAX_BYTES)?;
        let Some(content) = content else {
            return Ok(true);
        };
        let Some(place) = self.recognise(matcher, &caller, &content)? else {
            return Ok(true);
        };
        let digests = ContentDigests {
            blake3: object.blake3,
            sha256: object.sha256,
            size: object.size,
        };
        let kind = kind_of_scan(&content).unwrap_or_default();
        if self.add_placed(&caller, &place, kind, &digests)? {
            let body = kind::InboxReceived {
                placed: vec![place.to_string()],
                unplaced: None,
            };
            let draft = Draft::new(
                &caller.id,
                kind::INBOX_RECEIVED,
                logged_path(&caller.id, &path),
                &body,
            )?;
            let key = key::inbox(&caller.id, &path);
            self.commit(move |desk| {
                // Taken out meanwhile, it stays out.
                let there = desk.rows.get::<InboxRow>(&key)?.and_then(|row| row.object);
                if there.as_ref() == Some(&object) {
                    desk.write(draft.with(vec![object]));
                }
                Ok(())
            })?;
        }
        Ok(true)
    }

    fn next_waiting(&self, tried: &mut Tried) -> Result<Option<Waiting>, ArchiveError> {
        for (key, row) in self.records.store.scan(&key::inboxes(), &[], INBOX_ROWS)? {
            let row: InboxRow = decode(&key, &row)?;
            let (Some(_), Some(object)) = (row.unplaced, row.object) else {
                continue;
            };
            let Some((user, path)) = key::inbox_parts(&key) else {
                continue;
            };
            if !tried.scans.insert((user.clone(), object.blake3)) {
                continue;
            }
            if let Some(caller) = self.caller(&user, self.now()) {
                return Ok(Some(Waiting {
                    caller,
                    path,
                    object,
                }));
            }
        }
        Ok(None)
    }

    /// The voucher that awaits a scan and that this one shows in every field.
    fn recognise(
        &self,
        matcher: &Matcher,
        caller: &Caller,
        content: &[u8],
    ) -> Result<Option<TreePath>, ArchiveError> {
        // The voucher of a mark may have come after the scan.
        for place in marked_places(content).unwrap_or_default() {
            let place = TreePath::parse(&place).ok();
            let place = place.filter(|place| caller.permissions.allow(Right::Upload, place));
            let row = |place: &TreePath| {
                self.records
                    .row::<VoucherRow>(&key::voucher(&place.to_string()))
            };
            if let Some(place) = place
                && row(&place)?.is_some()
            {
                return Ok(Some(place));
            }
        }
        let mut by_type: BTreeMap<String, Vec<TreePath>> = BTreeMap::new();
        for path in self.records.awaiting(caller, LOOKED_THROUGH_MAX)? {
            if let Ok(place) = TreePath::parse(&path) {
                by_type
                    .entry(place.parent().name().to_owned())
                    .or_default()
                    .push(place);
            }
        }
        for places in by_type.into_values().take(FORMS_TRIED_MAX) {
            let Some(form) = self.records.form_at(matcher, &places[0])? else {
                continue;
            };
            // What cannot be decoded was said when it came.
            let Ok(numbers) = matcher.read_field(&form, content, "number") else {
                return Ok(None);
            };
            let named = places
                .iter()
                .filter(|place| numbers.iter().any(|read| read == place.name()));
            for place in named.take(COMPARED_MAX) {
                let Some(form) = self.records.form_at(matcher, place)? else {
                    continue;
                };
                let compared = matcher.compare(&form, content);
                if compared.is_ok_and(|it| it.report.verdict == Verdict::Match) {
                    return Ok(Some(place.clone()));
                }
            }
        }
        Ok(None)
    }
}

/// `scan-1.jpg`, or the first number that no scan of any kind has.
fn free_name<T>(scans: &BTreeMap<String, T>, ending: &str) -> Option<String> {
    let number = (1..=SCANS_MAX).find(|number| {
        let stem = format!("scan-{number}.");
        !scans.keys().any(|name| name.starts_with(&stem))
    })?;
    Some(format!("scan-{number}.{ending}"))
}

impl Records {
    /// The scans in the caller's inbox that found no voucher, each with those that await one.
    pub fn unplaced(&self, caller: &Caller) -> Result<Vec<Unplaced>, ArchiveError> {
        if !caller.has_inbox() {
            return Ok(Vec::new());
        }
        let prefix = key::inbox_nodes(&caller.id, &TreePath::default());
        let rows = self.store.scan(&prefix, &[], PAGE_ROWS)?;
        let mut unplaced = Vec::new();
        let mut candidates = None;
        for (key, row) in rows {
            let row: InboxRow = decode(&key, &row)?;
            let Some(reason) = row.unplaced else {
                continue;
            };
            let candidates = match &candidates {
                Some(known) => known,
                None => candidates.insert(self.awaiting(caller, CANDIDATES_MAX)?),
            };
            unplaced.push(Unplaced {
                name: last_part(&key),
                reason,
                candidates: candidates.clone(),
            });
        }
        Ok(unplaced)
    }

    /// Some vouchers that await a scan and that the caller may file for, the last in the order of paths first.
    fn awaiting(&self, caller: &Caller, most: usize) -> Result<Vec<String>, ArchiveError> {
        let prefix = key::image_sets(ImageSet::AwaitingScan.word());
        let rows = self.store.scan(&prefix, &[], LOOKED_THROUGH_MAX)?;
        let mine = |path: &String| {
            TreePath::parse(path).is_ok_and(|place| caller.permissions.allow(Right::Upload, &place))
        };
        let paths = rows.iter().rev().map(|(key, _)| last_part(key));
        Ok(paths.filter(mine).take(most).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_gets_the_first_number_that_none_has() {
        let scans = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), ())).collect();
        assert_eq!(free_name::<()>(&scans(&[]), "jpg").unwrap(), "scan-1.jpg");
        let some = scans(&["scan-1.pdf", "scan-10.jpg", "scan-3.png"]);
        assert_eq!(free_name(&some, "jpg").unwrap(), "scan-2.jpg");
    }
}
