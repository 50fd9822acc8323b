//! The log at size: a million small entries, two gigabytes of objects; what verifying, opening and proving cost.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use rocksdb::{DB, Options, WriteBatch, WriteOptions};
use vouchsafe::access::{Permissions, Role};
use vouchsafe::archive::{Archive, Caller, Client, Condition, Node, reindex, system_clock};

use crate::peer;
use crate::server::{grant, new_archive, place, uploader, voucher};

const ENTRIES: u64 = 1_000_000;
/// Views that are not answered yet, in all.
const IN_FLIGHT: usize = 8_192;
const ISSUERS: usize = 2;
/// Entries in one batch of the bare store, as many as the archive puts into one at most.
const BATCH: usize = 2_048;
const SCANS: u64 = 512;
const SCAN_BYTES: u64 = 4 << 20;

pub fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small");
    fill_with_views(&small);
    synced_appends(folder.path());
    cost_on_disk(&small);
    opening(&small);
    proofs(&small);
    verifying("1 M entries", &small);
    let large = folder.path().join("large");
    fill_with_scans(&large);
    verifying("objects", &large);
}

/// A million views, thousands of them in flight.
fn fill_with_views(folder: &Path) {
    let archive = new_archive(folder);
    let viewer = Caller {
        permissions: Permissions::at(&[grant(Role::Viewer, "/").into()], 0),
        origin: Default::default(),
        ..uploader()
    };
    let place = place("2024-03", "0001");
    let data = voucher("0001");
    archive
        .file_voucher(&uploader(), &place, &data, &Condition::Always)
        .unwrap();
    let path = place.child("voucher.pdf");
    let Ok(Node::File(file)) = archive.records().node(&viewer, &path, None) else {
        panic!("the voucher is filed");
    };
    let client = Client {
        address: "127.0.0.1".to_owned(),
        agent: "figures".to_owned(),
    };
    let issued = AtomicU64::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..ISSUERS {
            scope.spawn(|| {
                let window = IN_FLIGHT / ISSUERS;
                let (reply, traced) = sync_channel(window);
                let mut waiting = 0;
                while issued.fetch_add(1, Ordering::Relaxed) < ENTRIES {
                    if waiting == window {
                        let outcome: Result<(), _> = traced.recv().unwrap();
                        outcome.unwrap();
                        waiting -= 1;
                    }
                    let reply = reply.clone();
                    let answer = move |outcome| reply.send(outcome).unwrap();
                    assert!(
                        archive
                            .trace_view(&viewer, &path, &file, &client, false, answer)
                            .unwrap()
                    );
                    waiting += 1;
                }
                (0..waiting).for_each(|_| traced.recv().unwrap().unwrap());
            });
        }
    });
    let ours = ENTRIES as f64 / start.elapsed().as_secs_f64();
    let bare = bare_batches(Duration::from_secs(6));
    println!(
        "log       {IN_FLIGHT} in flight       {ours:8.0} /s   bare RocksDB {bare:8.0} /s   ratio {:.2}",
        ours / bare
    );
}

/// Entries a second that bare RocksDB takes in synced batches, one thread.
fn bare_batches(lasting: Duration) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.create_if_missing(true);
    let db = DB::open(&options, folder.path()).unwrap();
    let mut durable = WriteOptions::default();
    durable.set_sync(true);
    let (mut count, start) = (0u64, Instant::now());
    while start.elapsed() < lasting {
        let mut batch = WriteBatch::default();
        for _ in 0..BATCH {
            batch.put(count.to_be_bytes(), [7; 450]);
            count += 1;
        }
        db.write_opt(batch, &durable).unwrap();
    }
    count as f64 / start.elapsed().as_secs_f64()
}

/// The disk's own limit: appends of one entry, each synced.
fn synced_appends(folder: &Path) {
    let mut file = File::create(folder.join("appended")).unwrap();
    let (mut count, start) = (0u64, Instant::now());
    while start.elapsed() < Duration::from_secs(3) {
        file.write_all(&[7; 450]).unwrap();
        file.sync_data().unwrap();
        count += 1;
    }
    let rate = count as f64 / start.elapsed().as_secs_f64();
    println!("log       fdatasync after each    {rate:8.0} /s   (one file, one thread)");
}

/// Bytes on disk by part of the store, an entry each.
fn cost_on_disk(archive: &Path) {
    let (options, store) = (Options::default(), archive.join("store"));
    let families = DB::list_cf(&options, &store).unwrap();
    let db = DB::open_cf(&options, &store, &families).unwrap();
    let mut parts = Vec::new();
    for family in families.iter().filter(|name| *name != "default") {
        let handle = db.cf_handle(family).unwrap();
        db.flush_cf(handle).unwrap();
        db.compact_range_cf(handle, None::<&[u8]>, None::<&[u8]>);
        let size = |property: &str| {
            let found = db.property_int_value_cf(handle, property).unwrap();
            found.unwrap_or(0)
        };
        let bytes = size("rocksdb.live-sst-files-size") + size("rocksdb.live-blob-file-size");
        parts.push(format!("{family} {:.0}", bytes as f64 / ENTRIES as f64));
    }
    println!("log       bytes an entry on disk: {}", parts.join(", "));
}

fn opening(archive: &Path) {
    let open = |progress: &dyn Fn(u64, u64)| {
        let start = Instant::now();
        let opened = Archive::open(archive, system_clock(), progress).unwrap();
        let seconds = start.elapsed().as_secs_f64();
        assert!(opened.records().size().unwrap() >= ENTRIES);
        seconds
    };
    open(&|_, _| {});
    println!(
        "log       opening 1 M entries     {:8.2} s    (index in place; aim 2 s)",
        open(&|_, _| {})
    );
    let start = Instant::now();
    assert!(reindex(archive, &|_, _| {}).unwrap().same);
    println!(
        "log       rebuilding the index    {:8.2} s",
        start.elapsed().as_secs_f64()
    );
}

fn proofs(archive: &Path) {
    let opened = Archive::open(archive, system_clock(), &|_, _| {}).unwrap();
    let size = opened.records().size().unwrap();
    let (mut count, start) = (0u64, Instant::now());
    while start.elapsed() < Duration::from_secs(3) {
        // Entries all over the log, so that no two proofs use the same tiles.
        let seq = count.wrapping_mul(7_919) % size;
        assert_eq!(opened.records().prove_entry(seq).unwrap().index, seq);
        count += 1;
    }
    let rate = count as f64 / start.elapsed().as_secs_f64();
    println!(
        "log       proofs                  {rate:8.0} /s   (inclusion in 1 M entries, one thread)"
    );
}

fn fill_with_scans(folder: &Path) {
    let archive = new_archive(folder);
    let place = place("2024-03", "0001");
    archive
        .file_voucher(&uploader(), &place, &voucher("0001"), &Condition::Always)
        .unwrap();
    for number in 1..=SCANS {
        let mut scan = crate::memory::Scan::new(SCAN_BYTES, number);
        let name = format!("scan-{number}.jpg");
        archive
            .add_scan(&uploader(), &place, &name, &mut scan, &Condition::Always)
            .unwrap();
    }
}

/// Verifies beside `b3sum` over the files of the store, and prints memory, and what hashing and reading alone
/// take.
fn verifying(what: &str, archive: &Path) {
    let store = archive.join("store");
    let files: Vec<PathBuf> = fs::read_dir(&store)
        .unwrap()
        .map(|item| item.unwrap().path())
        .collect();
    let bytes: u64 = files
        .iter()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    let mut memory = 0;
    let mut verify = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
        let (seconds, peak) = peer::seconds(command.arg("verify").arg(archive));
        memory = memory.max(peak);
        seconds
    };
    let run = |program: &str| peer::seconds(Command::new(program).args(&files)).0;
    verify();
    let (mut ours, mut blake3, mut sha256) = (f64::MAX, f64::MAX, f64::MAX);
    for _ in 0..3 {
        ours = ours.min(verify());
        blake3 = blake3.min(run("b3sum"));
        sha256 = sha256.min(run("sha256sum"));
    }
    let rate = |seconds: f64| bytes as f64 / 1e9 / seconds;
    println!(
        "log       verify {what:12} {:.2} GB {ours:6.2} s {:5.2} GB/s   b3sum {:.2} GB/s ratio {:.2}   \
         sha256sum {:.2} GB/s ratio {:.2}   {} MB",
        bytes as f64 / 1e9,
        rate(ours),
        rate(blake3),
        blake3 / ours,
        rate(sha256),
        sha256 / ours,
        memory >> 20,
    );
    let start = Instant::now();
    let (mut piece, mut read) = (vec![0; 1 << 20], 0);
    for file in &files {
        let mut file = File::open(file).unwrap();
        loop {
            match file.read(&mut piece).unwrap() {
                0 => break,
                count => read += count,
            }
        }
    }
    println!(
        "log       reading the same files  {:8.2} GB/s (one thread, from memory)",
        read as f64 / 1e9 / start.elapsed().as_secs_f64()
    );
}
