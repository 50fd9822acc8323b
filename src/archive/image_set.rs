//! Image sets: how far the pictures of a voucher are complete, and which vouchers are in which state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rows::{DecisionRow, VoucherRow, key};
use super::{ArchiveError, Caller, Records};
use crate::access::Right;
use crate::catalog::TreePath;
use crate::matching::Verdict;

/// Vouchers of one answer about image sets.
const IMAGE_SETS_MAX: usize = 1_000;

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
    pub(super) fn scan_versions(&self) -> BTreeMap<String, u32> {
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

impl Records {
    /// The vouchers of a state that the caller may read, in the order of their paths, after a path; and the path to go
    /// on after, if there may be more: always one that they may read.
    pub fn image_sets(
        &self,
        caller: &Caller,
        state: ImageSet,
        after: &str,
    ) -> Result<(Vec<ImageSetState>, Option<String>), ArchiveError> {
        self.listed(
            &key::image_sets(state.word()),
            after,
            IMAGE_SETS_MAX,
            |path| {
                let place = TreePath::parse(path);
                let read = place.is_ok_and(|place| caller.permissions.allow(Right::Read, &place));
                let path = path.to_owned();
                Ok(read.then_some(ImageSetState { path, state }))
            },
        )
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
