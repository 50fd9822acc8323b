//! Copying a store: everything that it holds at one moment, read row by row, so that what the disk has
//! damaged is found, into new files that share nothing with the old ones.

use std::path::Path;

use rocksdb::{DEFAULT_COLUMN_FAMILY_NAME, FlushOptions, IteratorMode, WriteBatch, WriteOptions};

use super::{FAMILIES, Rocks, failed};
use crate::store::StoreError;

/// Bytes that are written at once.
const BATCH_BYTES: usize = 4 << 20;

impl Rocks {
    /// Copies all rows to a new store in `folder`, which must be empty; durable when it returns. Opened with
    /// [`Rocks::open_to_read`], a store is copied as it was at that moment, also while another process writes.
    pub fn copy_to(&self, folder: &Path) -> Result<(), StoreError> {
        let copy = Rocks::create(folder)?;
        let mut unlogged = WriteOptions::default();
        unlogged.disable_wal(true);
        let write = |batch| copy.db.write_opt(batch, &unlogged).map_err(failed);
        for name in FAMILIES.into_iter().chain([DEFAULT_COLUMN_FAMILY_NAME]) {
            let mut batch = WriteBatch::default();
            for row in self.db.iterator_cf(self.family(name)?, IteratorMode::Start) {
                let (key, value) = row.map_err(failed)?;
                batch.put_cf(copy.family(name)?, key, value);
                if batch.size_in_bytes() > BATCH_BYTES {
                    write(std::mem::take(&mut batch))?;
                }
            }
            write(batch)?;
        }
        let mut wait = FlushOptions::default();
        wait.set_wait(true);
        for name in FAMILIES.into_iter().chain([DEFAULT_COLUMN_FAMILY_NAME]) {
            let family = copy.family(name)?;
            copy.db.flush_cf_opt(family, &wait).map_err(failed)?;
        }
        Ok(())
    }
}
