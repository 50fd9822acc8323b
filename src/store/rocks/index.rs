//! The second seam on the same database: rows that the log can bring back.

use rocksdb::{IteratorMode, WriteBatch};

use super::{APPLIED, INDEX, Rocks, failed, number};
use crate::store::{Index, IndexChanges, Row, StoreError};

impl Index for Rocks {
    fn applied(&self) -> Result<u64, StoreError> {
        let row = self.db.get(APPLIED).map_err(failed)?;
        Ok(row.as_deref().and_then(number).unwrap_or(0))
    }

    fn apply(&self, changes: &IndexChanges, applied: u64) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        self.put_index(&mut batch, changes, applied)?;
        self.db.write(batch).map_err(failed)
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(INDEX, key)
    }

    fn scan(&self, prefix: &[u8], after: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        // The smallest key greater than `after` is `after` with a zero byte.
        let next = [after, &[0]].concat();
        let from = if after < prefix { prefix } else { &next };
        self.rows(INDEX, from, limit, |key| key.starts_with(prefix))
    }

    fn clear(&self) -> Result<(), StoreError> {
        let mut batch = WriteBatch::default();
        let index = self.family(INDEX)?;
        if let Some(last) = self.db.iterator_cf(index, IteratorMode::End).next() {
            let (last, _) = last.map_err(failed)?;
            // The end of a range is not part of it.
            batch.delete_range_cf(index, Vec::new(), [&last[..], &[0]].concat());
        }
        batch.put(APPLIED, 0u64.to_be_bytes());
        self.db.write(batch).map_err(failed)
    }
}
