//! How RocksDB is set up.

use rocksdb::{BlockBasedOptions, Cache, DBCompressionType, DBRecoveryMode, Options};

use super::{CHUNKS, OBJECTS};

const WRITE_BUFFER_BYTES: usize = 16 << 20;
const WRITE_BUFFERS_BYTES: usize = 48 << 20;
const WAL_BYTES: u64 = 64 << 20;
/// Values from this size on are kept outside the sorted files (BlobDB), so that compaction does not copy them.
const BLOB_BYTES: u64 = 4 << 10;

pub(super) fn database_options() -> Options {
    let mut options = Options::default();
    // What a torn tail loses was never acknowledged; if it was, the high-water mark says so.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_max_total_wal_size(WAL_BYTES);
    options.set_db_write_buffer_size(WRITE_BUFFERS_BYTES);
    options.set_max_open_files(1000);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(1 << 20);
    options.set_manifest_preallocation_size(64 << 10);
    options
}

pub(super) fn family_options(name: &str, cache: &Cache) -> Options {
    let mut options = Options::default();
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_bloom_filter(10.0, false);
    options.set_block_based_table_factory(&table);
    options.set_write_buffer_size(WRITE_BUFFER_BYTES);
    options.set_max_write_buffer_number(3);
    options.set_compression_type(DBCompressionType::Lz4);
    options.set_bottommost_compression_type(DBCompressionType::Zstd);
    if name == OBJECTS || name == CHUNKS {
        options.set_enable_blob_files(true);
        options.set_min_blob_size(BLOB_BYTES);
        options.set_blob_cache(cache);
    }
    options
}
