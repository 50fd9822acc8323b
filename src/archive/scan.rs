//! Scans: pictures of the paper voucher, taken in as a stream and kept beside it.

use std::io::{ErrorKind, Read};

use vouchsafe_evidence::digest::ContentDigests;

use super::kind::{self, Draft};
use super::rows::{VoucherRow, key};
use super::{Archive, ArchiveError, Caller, Condition, Filed};
use crate::catalog::TreePath;

/// Largest scan, in bytes.
pub const SCAN_MAX_BYTES: u64 = 1 << 30;
/// Bytes read at once.
const PIECE_BYTES: usize = 256 << 10;
/// After so many bytes the disk is asked again whether it has room.
const ROOM_CHECK_BYTES: u64 = 4 << 20;
/// Bytes that tell what kind a file is.
const MAGIC_BYTES: usize = 8;

/// The ending and the media type of a scan, by its first bytes; none for what is no scan.
pub(super) fn kind_of_scan(first: &[u8]) -> Option<(&'static str, &'static str)> {
    let kinds: [(&[u8], _, _); 5] = [
        (b"\xFF\xD8\xFF", "jpg", "image/jpeg"),
        (b"\x89PNG\r\n\x1A\n", "png", "image/png"),
        (b"II*\0", "tif", "image/tiff"),
        (b"MM\0*", "tif", "image/tiff"),
        (b"%PDF-", "pdf", "application/pdf"),
    ];
    let mut kinds = kinds.into_iter();
    let found = kinds.find(|(magic, ..)| first.starts_with(magic));
    found.map(|(_, ending, media_type)| (ending, media_type))
}

/// A content that was taken in, and how it began.
pub(super) struct Received {
    pub digests: ContentDigests,
    pub beginning: Vec<u8>,
}

impl Archive {
    /// Takes in a content of at most `limit` bytes; what is cut off, too large or refused by `check`,
    /// which sees its first `keep` bytes, leaves nothing.
    pub(super) fn receive(
        &self,
        content: &mut dyn Read,
        (keep, limit): (usize, u64),
        check: impl Fn(&[u8]) -> Result<(), ArchiveError>,
    ) -> Result<Received, ArchiveError> {
        let mut object = self.records.store.new_object()?;
        let (mut beginning, mut size, mut checked) = (Vec::new(), 0, false);
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = match content.read(&mut piece) {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(ArchiveError::CutOff(error.to_string())),
            };
            let wanted = keep.saturating_sub(beginning.len()).min(read);
            beginning.extend_from_slice(&piece[..wanted]);
            if !checked && (read == 0 || beginning.len() >= keep) {
                check(&beginning)?;
                checked = true;
            }
            if read == 0 {
                break;
            }
            size += read as u64;
            if size > limit {
                let what = "the file".to_owned();
                return Err(ArchiveError::TooLarge { what, limit });
            }
            if size / ROOM_CHECK_BYTES > (size - read as u64) / ROOM_CHECK_BYTES {
                self.check_room()?;
            }
            object.write(&piece[..read])?;
        }
        let digests = object.finish()?;
        Ok(Received { digests, beginning })
    }

    /// Adds the scan `name` to the voucher at `place`. Durable when it returns.
    pub fn add_scan(
        &self,
        caller: &Caller,
        place: &TreePath,
        name: &str,
        content: &mut dyn Read,
        condition: &Condition,
    ) -> Result<Filed, ArchiveError> {
        self.records.may_file(caller, place)?;
        self.check_room()?;
        if self
            .records
            .row::<VoucherRow>(&key::voucher(&place.to_string()))?
            .is_none()
        {
            let error = format!("no voucher is filed at {place} that this could be a scan of");
            return Err(ArchiveError::conflict(
                error,
                "upload its voucher.json first",
            ));
        }
        let received = self.receive(content, (MAGIC_BYTES, SCAN_MAX_BYTES), |first| {
            let ending = name.rsplit('.').next().unwrap_or_default();
            match kind_of_scan(first) {
                Some((kind, _)) if kind == ending => Ok(()),
                Some((kind, _)) => Err(ArchiveError::WrongKind {
                    error: format!("{name} is a .{kind} file by its content"),
                    hint: format!("upload it under a name that ends in .{kind}"),
                }),
                None => Err(ArchiveError::WrongKind {
                    error: format!("{name} is no picture that is read"),
                    hint: "send JPEG, PNG, TIFF or PDF".to_owned(),
                }),
            }
        });
        let received = self.log_refusal(caller, place, received)?;
        let (_, media_type) = kind_of_scan(&received.beginning).unwrap_or_default();
        let scan = kind::object(name, media_type, &received.digests);
        let (actor, place, condition) = (caller.id.clone(), place.to_string(), condition.clone());
        self.commit(move |desk| {
            let row: VoucherRow = desk.rows.get(&key::voucher(&place))?.unwrap_or_default();
            let versions = row.scans.get(&scan.name).map_or(&[][..], Vec::as_slice);
            let current = versions.last().map(|version| &version.object);
            condition.check(current)?;
            if current == Some(&scan) {
                return Ok(Filed::Unchanged(versions.len() as u32));
            }
            let version = versions.len() as u32 + 1;
            let body = kind::ScanReceived { version };
            let draft = Draft::new(&actor, kind::SCAN_RECEIVED, place, &body)?;
            desk.write(draft.with(vec![scan]));
            Ok(Filed::new(version))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scans_are_known_by_their_first_bytes() {
        assert_eq!(
            kind_of_scan(b"\xFF\xD8\xFF\xE0.."),
            Some(("jpg", "image/jpeg"))
        );
        assert_eq!(kind_of_scan(b"%PDF-1.7"), Some(("pdf", "application/pdf")));
        assert_eq!(kind_of_scan(b"MM\0*...."), Some(("tif", "image/tiff")));
        assert_eq!(kind_of_scan(b"GIF89a.."), None);
        assert_eq!(kind_of_scan(b""), None);
    }
}
