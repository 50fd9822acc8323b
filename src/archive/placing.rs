//! Placing: scans that came without a place find their voucher by the QR mark on them, or are listed as unplaced.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;
use vouchsafe_evidence::digest::ContentDigests;
use vouchsafe_evidence::entry::Object;

use super::kind::{self, Draft};
use super::rows::{InboxRow, PAGE_ROWS, VoucherRow, decode, key, last_part};
use super::scan::kind_of_scan;
use super::{Archive, ArchiveError, Caller, ImageSet, Records};
use crate::access::Right;
use crate::catalog::TreePath;
use crate::matching::{MATCH_MAX_BYTES, marked_places};
use crate::store::get_object;

/// Most vouchers whose marks one file may have.
const PLACES_MAX: usize = 16;
/// Most scans of one voucher, as the names of scans allow.
const SCANS_MAX: u32 = 999;
/// Most candidates for a scan that found no place.
const CANDIDATES_MAX: usize = 5;
/// Vouchers that await a scan, anybody's, that are looked through for those that one person may file for.
pub(super) const LOOKED_THROUGH_MAX: usize = 100_000;
/// Why scans without a mark wait.
const NO_MARK: &str = "there is no QR mark of a voucher on it";
/// Why a scan waits that shows several vouchers.
pub(super) const ALIKE: &str = "it may be of one voucher as well as of another";
/// Why a scan waits that has the number of vouchers that await one.
pub(super) const NEAR: &str = "there is no QR mark of a voucher on it, and it does not show the voucher of its number in every field";
/// Longest reason that an entry keeps, in characters.
const REASON_MAX_CHARS: usize = 200;

/// Why a scan still has no place when some of its marks led to a voucher.
pub(super) fn left_over(marks: usize, placed: usize) -> Option<String> {
    match marks.saturating_sub(placed) {
        0 => None,
        _ if placed == 0 => Some("no voucher that you may file for has the mark on it".to_owned()),
        left => Some(format!(
            "{left} of the {marks} marks on it name no voucher that you may file for"
        )),
    }
}

/// What became of a scan without a place.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Placed {
    /// The vouchers that it was filed with.
    pub places: Vec<String>,
    /// Why it was not filed with every voucher that it may show.
    pub unplaced: Option<String>,
}

/// A scan in somebody's inbox that found no voucher, or not all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unplaced {
    /// Its name in the inbox.
    pub name: String,
    /// Why it was not filed.
    pub reason: String,
    /// Those that it shows alike, or else those whose number it has, or else, for what has no mark, the latest vouchers
    /// that await a scan and that the caller may file for.
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
        let marked = match marked_places(&*self.decoder, &content) {
            Ok(marked) => marked,
            Err(error) => return Ok(unplaced(&format!("it cannot be read: {error}"))),
        };
        if marked.is_empty() {
            return Ok(unplaced(NO_MARK));
        }
        let marks = marked.len();
        let places = self.file_marked(caller, marked, (ending, media_type), digests)?;
        Ok(Placed {
            unplaced: left_over(marks, places.len()),
            places,
        })
    }

    /// Files a scan with each of the vouchers that its marks name and that the caller may file for: these.
    pub(super) fn file_marked(
        &self,
        caller: &Caller,
        marked: Vec<String>,
        kind: (&'static str, &'static str),
        digests: &ContentDigests,
    ) -> Result<Vec<String>, ArchiveError> {
        let mut places = Vec::new();
        for place in marked.into_iter().take(PLACES_MAX) {
            // What the caller may not file for is as if it were not there.
            let known = TreePath::parse(&place)
                .ok()
                .filter(|place| caller.permissions.allow(Right::Upload, place));
            let key = key::voucher(&place);
            if let Some(known) = known
                && self.records.row::<VoucherRow>(&key)?.is_some()
                && self.add_placed(caller, &known, kind, digests)?
            {
                places.push(place);
            }
        }
        Ok(places)
    }

    /// Files a scan under the next free name of a voucher; whether there is that voucher.
    pub(super) fn add_placed(
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
            let scan = kind::object(&name, media_type, &digests);
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
        let mut awaiting = None;
        for (key, row) in rows {
            let row: InboxRow = decode(&key, &row)?;
            let Some(mut reason) = row.unplaced else {
                continue;
            };
            let name = last_part(&key);
            let said = row.candidates.into_iter();
            let mut candidates: Vec<String> = said.filter(|it| may_file_for(caller, it)).collect();
            // What cannot be read, or names a voucher that is not there, may be of none of them.
            if candidates.is_empty() && reason == NO_MARK {
                let (latest, all) = match &awaiting {
                    Some(known) => known,
                    None => awaiting.insert(self.awaiting(caller, CANDIDATES_MAX)?),
                };
                if !all {
                    reason += &format!(
                        "; of those that await a scan, {LOOKED_THROUGH_MAX} were looked through"
                    );
                }
                candidates.clone_from(latest);
            }
            unplaced.push(Unplaced {
                name,
                reason,
                candidates,
            });
        }
        Ok(unplaced)
    }

    /// The vouchers that await a scan and that the caller may file for, the last of them in the order of paths, that
    /// first; and whether all that await one were looked through.
    pub(super) fn awaiting(
        &self,
        caller: &Caller,
        most: usize,
    ) -> Result<(Vec<String>, bool), ArchiveError> {
        let prefix = key::image_sets(ImageSet::AwaitingScan.word());
        let (mut start, mut looked, mut mine) = (prefix.clone(), 0, VecDeque::new());
        let all = loop {
            let rows = self.store.scan(&prefix, &start, PAGE_ROWS)?;
            for path in rows.iter().map(|(key, _)| last_part(key)) {
                if may_file_for(caller, &path) {
                    if mine.len() == most {
                        mine.pop_front();
                    }
                    mine.push_back(path);
                }
            }
            looked += rows.len();
            match rows.last() {
                None => break true,
                Some(_) if looked >= LOOKED_THROUGH_MAX => break false,
                Some((key, _)) => start.clone_from(key),
            }
        };
        Ok((mine.into_iter().rev().collect(), all))
    }
}

fn may_file_for(caller: &Caller, path: &str) -> bool {
    TreePath::parse(path).is_ok_and(|place| caller.permissions.allow(Right::Upload, &place))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::access::{Permissions, Role};
    use crate::archive::tests::{grant, open};
    use crate::store::{Index as _, IndexChanges, Memory};

    #[test]
    fn what_others_await_hides_nothing_of_what_one_may_file_for() {
        let store = Arc::new(Memory::default());
        let archive = open(store.clone());
        let await_scans = |company: &str, count: usize| {
            let key = |number| {
                let path = format!("/{company}/gl/2024-03/payment/{number:04}");
                key::image_set(ImageSet::AwaitingScan.word(), &path)
            };
            let rows: IndexChanges = (0..count)
                .map(|it| (key(it), Some(b"null".to_vec())))
                .collect();
            store.apply(&rows, store.applied().unwrap()).unwrap();
        };
        await_scans("acme", 3 * PAGE_ROWS);
        await_scans("zeta", 7);
        let caller = Caller {
            id: "u9".to_owned(),
            name: "tester".to_owned(),
            permissions: Permissions::at(&[grant(Role::Uploader, "/zeta/").into()], 0),
            origin: Default::default(),
        };
        let (found, all) = archive.records().awaiting(&caller, 2).unwrap();
        let place = |number: &str| format!("/zeta/gl/2024-03/payment/{number}");
        assert_eq!((found, all), (vec![place("0006"), place("0005")], true));
        await_scans("acme", LOOKED_THROUGH_MAX + PAGE_ROWS);
        let (found, all) = archive.records().awaiting(&caller, 2).unwrap();
        assert_eq!((found.len(), all), (0, false), "and that is said");
    }

    #[test]
    fn a_scan_gets_the_first_number_that_none_has() {
        let scans = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), ())).collect();
        assert_eq!(free_name::<()>(&scans(&[]), "jpg").unwrap(), "scan-1.jpg");
        let some = scans(&["scan-1.pdf", "scan-10.jpg", "scan-3.png"]);
        assert_eq!(free_name(&some, "jpg").unwrap(), "scan-2.jpg");
    }
}
