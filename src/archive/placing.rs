//! Placing: scans that came without a place find their voucher by the QR mark on them, or are listed as unplaced.

use std::collections::BTreeMap;

use serde::Serialize;
use vouchsafe_evidence::digest::ContentDigests;
use vouchsafe_evidence::entry::Object;

use super::fold::object;
use super::kind::{self, Draft};
use super::rows::{InboxRow, VoucherRow, decode, key, last_part};
use super::scan::kind_of_scan;
use super::tree::PAGE_ROWS;
use super::{Archive, ArchiveError, Caller, ImageSet, Records};
use crate::access::Right;
use crate::catalog::TreePath;
use crate::matching::{MATCH_MAX_BYTES, marked_places};
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
                None => candidates.insert(self.awaiting(caller)?),
            };
            unplaced.push(Unplaced {
                name: last_part(&key),
                reason,
                candidates: candidates.clone(),
            });
        }
        Ok(unplaced)
    }

    /// Some vouchers that await a scan and that the caller may file for.
    fn awaiting(&self, caller: &Caller) -> Result<Vec<String>, ArchiveError> {
        let prefix = key::image_sets(ImageSet::AwaitingScan.word());
        let rows = self.store.scan(&prefix, &[], LOOKED_THROUGH_MAX)?;
        let mine = |path: &String| {
            TreePath::parse(path).is_ok_and(|place| caller.permissions.allow(Right::Upload, &place))
        };
        let paths = rows.iter().rev().map(|(key, _)| last_part(key));
        Ok(paths.filter(mine).take(CANDIDATES_MAX).collect())
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
