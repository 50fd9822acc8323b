//! Damage on the disk and archives that cannot be opened: a clear word, and never a repair in silence.

use std::fs;
use std::path::{Path, PathBuf};

use crate::served::{Archive, run, run_expecting, voucher};

fn filed() -> Archive {
    let archive = Archive::new();
    let served = archive.serve();
    for number in 1..=5 {
        let place = format!("acme/gl/2024-03/payment/{number:04}");
        let path = format!("/dav/{place}/voucher.json");
        assert_eq!(
            served
                .client("erp")
                .put(&path, voucher(&place, "1.00"))
                .status,
            201
        );
    }
    drop(served);
    archive
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let items = fs::read_dir(folder)
        .unwrap()
        .map(|item| item.unwrap().path());
    let mut files: Vec<PathBuf> = items
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .filter(|path| fs::metadata(path).unwrap().len() > 0)
        .collect();
    files.sort();
    files
}

fn flip_in_the_middle(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn an_archive_in_use_is_not_opened_twice() {
    let archive = Archive::new();
    let served = archive.serve();
    let text = run_expecting(
        3,
        &[
            "serve",
            "--archive",
            archive.text(),
            "--listen",
            "127.0.0.1:0",
        ],
    );
    assert!(text.contains("in use by another process"), "{text}");
    drop(served);
    archive.assert_well();
}

#[test]
fn a_bit_flipped_in_any_store_file_is_found() {
    let archive = filed();
    let store = archive.path().join("store");
    let mut tried = 0;
    for ending in [".sst", ".blob", ".log"] {
        for file in files(&store, ending) {
            let whole = fs::read(&file).unwrap();
            flip_in_the_middle(&file);
            let output = run(&["verify", archive.text()]);
            let text = String::from_utf8_lossy(&output.stdout);
            assert_eq!(output.status.code(), Some(1), "{}: {text}", file.display());
            assert!(text.contains("NOT WELL"), "{}: {text}", file.display());
            fs::write(&file, whole).unwrap();
            tried += 1;
        }
    }
    assert!(tried >= 3, "only {tried} store files were damaged");
    archive.assert_well();
}

#[test]
fn a_damaged_store_is_not_served_in_silence() {
    let archive = filed();
    let manifest = files(&archive.path().join("store"), "")
        .into_iter()
        .find(|file| file.to_string_lossy().contains("MANIFEST"))
        .unwrap();
    flip_in_the_middle(&manifest);
    let text = run_expecting(
        3,
        &[
            "serve",
            "--archive",
            archive.text(),
            "--listen",
            "127.0.0.1:0",
        ],
    );
    assert!(text.contains("damaged"), "{text}");
    let text = run_expecting(1, &["verify", archive.text()]);
    assert!(text.contains("NOT WELL"), "{text}");
}

#[test]
fn a_rolled_back_log_is_neither_served_nor_called_well() {
    let archive = filed();
    let (store, kept) = (
        archive.path().join("store"),
        archive.folder.path().join("kept"),
    );
    let copy = |from: &Path, to: &Path| {
        let _ = fs::remove_dir_all(to);
        fs::create_dir(to).unwrap();
        for file in files(from, "") {
            fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
        }
        // RocksDB wants its empty files, too.
        for item in fs::read_dir(from).unwrap() {
            let path = item.unwrap().path();
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    };
    copy(&store, &kept);
    archive.command(&["user", "add", "late"]);
    archive.assert_well();
    copy(&kept, &store);
    let text = run_expecting(1, &["verify", archive.text()]);
    assert!(text.contains("rolled back"), "{text}");
    let text = run_expecting(
        3,
        &[
            "serve",
            "--archive",
            archive.text(),
            "--listen",
            "127.0.0.1:0",
        ],
    );
    assert!(text.contains("rolled back"), "{text}");
}
