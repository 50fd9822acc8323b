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

/// Flips a bit at `at` of `file`, verifies, and mends it. A flip that goes unnoticed hit bytes that
/// hold nothing that is kept, since all that is kept was read and agreed with its digests.
fn is_noticed(archive: &Archive, file: &Path, at: usize) -> bool {
    let whole = fs::read(file).unwrap();
    let mut bytes = whole.clone();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
    let output = run(&["verify", archive.text()]);
    fs::write(file, whole).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let word = match output.status.code() {
        Some(0) => "all is well",
        Some(1) => "NOT WELL",
        other => panic!("{} at {at}: {other:?} {text}", file.display()),
    };
    assert!(text.contains(word), "{} at {at}: {text}", file.display());
    word == "NOT WELL"
}

#[test]
fn a_bit_flipped_in_what_is_kept_is_found_in_the_store_files() {
    let archive = filed();
    let store = archive.path().join("store");
    let mut found = 0;
    // Bytes of an entry, of a checkpoint, of the data, the picture and the form.
    for needle in [
        "\"kind\":\"voucher.filed\"",
        "\n\u{2014} vouchsafe/",
        "支付三月房租",
        "IDAT",
        "%PDF-1.7",
    ] {
        for file in files(&store, ".log")
            .into_iter()
            .chain(files(&store, ".blob"))
        {
            let bytes = fs::read(&file).unwrap();
            let at = bytes
                .windows(needle.len())
                .position(|window| window == needle.as_bytes());
            if let Some(at) = at {
                assert!(
                    is_noticed(&archive, &file, at),
                    "{needle:?} in {}",
                    file.display()
                );
                found += 1;
            }
        }
    }
    assert!(
        found >= 4,
        "only {found} of the texts stand in the store's files"
    );
    archive.assert_well();
}

#[test]
fn a_bit_flipped_anywhere_in_the_store_is_never_a_machine_failure() {
    let archive = filed();
    let mut noticed = 0;
    for ending in [".sst", ".blob", ".log"] {
        for file in files(&archive.path().join("store"), ending) {
            let size = fs::metadata(&file).unwrap().len() as usize;
            for part in [0, 3, 5, 7] {
                noticed += u32::from(is_noticed(&archive, &file, size * part / 8));
            }
        }
    }
    assert!(noticed > 5, "{noticed} were noticed");
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

#[test]
fn a_lost_high_water_mark_is_said_and_only_renounced_by_hand() {
    let archive = filed();
    let mark = archive.path().join("high-water");
    let serve = [
        "serve",
        "--archive",
        archive.text(),
        "--listen",
        "127.0.0.1:0",
    ];
    for lost in [None, Some("garbage")] {
        match lost {
            Some(text) => fs::write(&mark, text).unwrap(),
            None => fs::remove_file(&mark).unwrap(),
        }
        let text = run_expecting(3, &serve);
        assert!(text.contains("make that file empty"), "{text}");
        run_expecting(1, &["verify", archive.text()]);
    }
    fs::write(&mark, "").unwrap();
    archive.command(&["user", "add", "late"]);
    archive.assert_well();
}

#[test]
fn a_rolled_back_log_is_not_washed_clean_by_an_export() {
    let archive = filed();
    let mark = archive.path().join("high-water");
    fs::remove_file(&mark).unwrap();
    let out = archive.folder.path().join("export");
    let arguments = [
        "export",
        "/",
        "--archive",
        archive.text(),
        "--out",
        out.to_str().unwrap(),
    ];
    let text = run_expecting(3, &arguments);
    assert!(text.contains("rolled back"), "{text}");
    run_expecting(3, &["user", "list", "--archive", archive.text()]);
    assert!(!out.exists());
}

/// What a disk that lies about syncs, or a copy that was cut off, leaves behind.
#[test]
fn a_torn_tail_and_a_missing_last_file_are_said_and_nothing_is_served() {
    let archive = Archive::new();
    let served = archive.serve();
    for number in 1..=5 {
        crate::anchors::file(&served.client("erp"), &format!("{number:04}"));
    }
    served.kill();
    let store = archive.path().join("store");
    let last = files(&store, ".log")
        .pop()
        .expect("what was written last is in a log file");
    let whole = fs::read(&last).unwrap();
    let serve = [
        "serve",
        "--archive",
        archive.text(),
        "--listen",
        "127.0.0.1:0",
    ];
    for kept in [whole.len() - 1, whole.len() - 700, whole.len() / 2, 0] {
        fs::write(&last, &whole[..kept]).unwrap();
        let text = run_expecting(1, &["verify", archive.text()]);
        assert!(text.contains("NOT WELL"), "{kept} bytes: {text}");
        let text = run_expecting(3, &serve);
        assert!(text.contains("damaged"), "{kept} bytes: {text}");
        // Opening may have moved files about; what is kept is put back as it was.
        for file in files(&store, ".log") {
            fs::remove_file(file).unwrap();
        }
        fs::write(&last, &whole).unwrap();
    }
    for ending in ["MANIFEST", "CURRENT"] {
        let file = files(&store, "")
            .into_iter()
            .find(|it| it.to_string_lossy().contains(ending));
        let (file, away) = (file.unwrap(), archive.folder.path().join("away"));
        fs::rename(&file, &away).unwrap();
        let status = run(&["verify", archive.text()]).status.code();
        assert!(matches!(status, Some(1 | 2)), "{ending}: {status:?}");
        assert_ne!(run(&serve).status.code(), Some(0), "{ending}");
        fs::rename(&away, &file).unwrap();
    }
}
