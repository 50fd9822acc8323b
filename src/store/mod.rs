//! The store room: two seams, cut by promise, behind which the bytes of an archive are kept.
//!
//! It does not know what an entry says, what an object contains or what an index row means.
//! Every engine passes [`conformance`]; [`Rocks`] is the embedded default, [`Memory`] the simplest one.

pub mod conformance;
mod error;
mod faulty;
mod memory;
mod replace;
mod rocks;

pub use error::StoreError;
pub use faulty::{Faulty, Outcome};
pub use memory::Memory;
pub use replace::replace_file;
pub use rocks::Rocks;

use std::collections::BTreeMap;
use std::ops::Range;

use vouchsafe_evidence::digest::{ContentDigests, Digest};
use vouchsafe_evidence::tile::Tile;

/// Where the log ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// BLAKE3 of the last entry; zeros when there is none.
    pub last: Digest,
}

/// Everything that one commit makes durable together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Append {
    /// The size that the log must have, so that no fork can be written.
    pub expected_size: u64,
    /// The entries' bytes, in order.
    pub entries: Vec<Vec<u8>>,
    /// Tiles that these entries fill, and what they began above, which the next one writes again.
    pub tiles: Vec<(Tile, Vec<u8>)>,
    /// The signed checkpoint over the log with these entries.
    pub checkpoint: Vec<u8>,
    /// Rows that engines which keep the index beside the log write in the same batch.
    pub index: IndexChanges,
}

/// Rows to write (`Some`) or to remove (`None`).
pub type IndexChanges = BTreeMap<Vec<u8>, Option<Vec<u8>>>;
/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

/// The first seam: the log, its tree and the objects. What it acknowledges stays.
pub trait Truth: Send + Sync {
    /// Where the log ends.
    fn head(&self) -> Result<Head, StoreError>;
    /// Appends atomically; durable, with every object finished before, when it returns. Refused with
    /// [`StoreError::Moved`] if the log has another size than expected.
    fn append(&self, append: &Append) -> Result<(), StoreError>;
    /// Entries by number, `None` for each that is absent.
    fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, StoreError>;
    /// A tile: a full one, or one above level 0 as far as it was last written.
    fn tile(&self, level: u32, index: u64) -> Result<Option<Vec<u8>>, StoreError>;
    /// At most `limit` checkpoints with sizes in `sizes`, smallest first.
    fn checkpoints(
        &self,
        sizes: Range<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreError>;
    /// About how many bytes the engine will yet write to the disk for what it acknowledged, beyond
    /// what is there already: room that must be left free.
    fn bytes_to_write(&self) -> Result<u64, StoreError>;
    /// Begins to take in an object of unknown size.
    fn new_object(&self) -> Result<Box<dyn ObjectWriter + '_>, StoreError>;
    /// Size of an object, or `None` if there is none.
    fn object_size(&self, digest: &Digest) -> Result<Option<u64>, StoreError>;
    /// Objects and their sizes, at most `limit`, by address from `from` on.
    fn objects(&self, from: &Digest, limit: usize) -> Result<Vec<(Digest, u64)>, StoreError>;
    /// Some bytes of an object from `offset` on: at least one, at most a megabyte, none at its end
    /// or if it is absent.
    fn object_piece(&self, digest: &Digest, offset: u64) -> Result<Vec<u8>, StoreError>;
}

/// Takes in one object piece by piece. Dropped unfinished, it leaves nothing.
pub trait ObjectWriter: Send {
    /// The next piece.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError>;
    /// Keeps the object under its BLAKE3; an object that is there already stays as it is. Durable
    /// with the next append.
    fn finish(self: Box<Self>) -> Result<ContentDigests, StoreError>;
}

/// The second seam: an ordered cache of what the log says, which may be deleted at any time.
pub trait Index: Send + Sync {
    /// Number of entries that the rows reflect.
    fn applied(&self) -> Result<u64, StoreError>;
    /// Writes rows that reflect the log up to `applied` entries, atomically.
    fn apply(&self, changes: &IndexChanges, applied: u64) -> Result<(), StoreError>;
    /// One row.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;
    /// At most `limit` rows whose keys begin with `prefix` and are greater than `after`, in order.
    fn scan(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Vec<Row>, StoreError>;
    /// Removes every row.
    fn clear(&self) -> Result<(), StoreError>;
}

/// An engine that keeps both.
pub trait Store: Truth + Index {}
impl<S: Truth + Index> Store for S {}

/// Takes in a whole object at once.
pub fn put_object(
    truth: &(impl Truth + ?Sized),
    content: &[u8],
) -> Result<ContentDigests, StoreError> {
    let mut writer = truth.new_object()?;
    writer.write(content)?;
    writer.finish()
}

/// Reads a whole object of at most `limit` bytes; `None` if it is absent or larger.
pub fn get_object(
    truth: &(impl Truth + ?Sized),
    digest: &Digest,
    limit: u64,
) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(size) = truth.object_size(digest)?.filter(|size| *size <= limit) else {
        return Ok(None);
    };
    let mut content = Vec::with_capacity(size as usize);
    while (content.len() as u64) < size {
        let piece = truth.object_piece(digest, content.len() as u64)?;
        if piece.is_empty() {
            return Err(StoreError::Damaged(format!("object {digest} ends early")));
        }
        content.extend(piece);
    }
    Ok(Some(content))
}
