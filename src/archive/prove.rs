//! Proving one voucher or scan to somebody who sees nothing else of the log.

use std::path::Path;

use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::proof::InclusionProof;

use super::log::{Against, entry_proof};
use super::rows::{VoucherRow, key};
use super::{ArchiveError, Records};
use crate::catalog::{Place, TreePath, VoucherFile};
use crate::voucher::Invalid;

/// The proof of what was filed at `path` last, a voucher's folder or a file in it, against the latest
/// checkpoint, cosigned by witnesses where there are some; and the key that signed it. `archive` is its folder, also while it is served.
pub fn prove(archive: &Path, path: &str) -> Result<(InclusionProof, VerifierKey), ArchiveError> {
    let hint = "write /company/ledger/period/type/number";
    let path = TreePath::parse(path.strip_suffix('/').unwrap_or(path))
        .map_err(|error| Invalid::new("PATH", error.to_string(), hint))?;
    let records = Records::open_to_read(archive)?;
    let (place, file) = match Place::of(&path, records.layout()) {
        Place::Voucher(place) => (place, VoucherFile::Data),
        Place::File(place, file) => (place, file),
        _ => return Err(Invalid::new("PATH", format!("{path} is no voucher"), hint).into()),
    };
    let absent = || ArchiveError::Absent(path.to_string());
    let row: VoucherRow = records
        .row(&key::voucher(&place.to_string()))?
        .ok_or_else(absent)?;
    let seq = match &file {
        VoucherFile::Scan(name) => {
            let scan = row.scans.get(name).and_then(|versions| versions.last());
            scan.ok_or_else(absent)?.seq
        }
        _ => row.versions.last().ok_or_else(absent)?.seq,
    };
    entry_proof(&records, seq, Against::Latest)
}

impl Records {
    /// The proof of one entry against the latest checkpoint.
    pub fn prove_entry(&self, seq: u64) -> Result<InclusionProof, ArchiveError> {
        entry_proof(self, seq, Against::Latest).map(|(proof, _)| proof)
    }
}
