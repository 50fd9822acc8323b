//! Copies of an archive, and the index that the log can bring back.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::anchors::file;
use crate::served::{Archive, Served, run_expecting};

#[test]
fn a_backup_of_an_archive_that_is_written_to_is_whole_and_comes_back() {
    let archive = Archive::new();
    let served = archive.serve();
    file(&served.client("erp"), "before");
    let out = archive.folder.path().join("backup");
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let erp = served.client("erp");
            (0..60).for_each(|number| file(&erp, &format!("{number:04}")));
        });
        archive.command(&["backup", "--out", out.to_str().unwrap()]);
        writing.join().unwrap();
    });
    drop(served);
    let backup = out.to_str().unwrap();
    run_expecting(0, &["verify", backup]);
    let text = run_expecting(2, &["backup", "--archive", archive.text(), "--out", backup]);
    assert!(text.contains("not empty"), "{text}");
    let restored = archive.folder.path().join("restored");
    let arguments = [
        "restore",
        backup,
        "--archive",
        restored.to_str().unwrap(),
        "--json",
    ];
    let report: serde_json::Value = serde_json::from_str(&run_expecting(0, &arguments)).unwrap();
    assert!(report["entries"].as_u64() > Some(15), "{report}");
    let served = Served::start(&restored);
    let erp = served.client("erp");
    let place = "/dav/acme/gl/2024-03/payment/before/voucher.json";
    assert_eq!(
        erp.get(place).status,
        200,
        "what was there, and who may see it"
    );
    file(&erp, "after");
    drop(served);
    let listed = run_expecting(0, &["verify", restored.to_str().unwrap(), "--json"]);
    let verified: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert!(verified["entries"].as_u64() > report["entries"].as_u64());
}

#[test]
fn a_damaged_backup_is_not_restored() {
    let archive = Archive::new();
    let served = archive.serve();
    (0..20).for_each(|number| file(&served.client("erp"), &format!("{number:04}")));
    drop(served);
    let out = archive.folder.path().join("backup");
    archive.command(&["backup", "--out", out.to_str().unwrap()]);
    for item in fs::read_dir(out.join("store")).unwrap() {
        let path = item.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "blob") {
            let mut bytes = fs::read(&path).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(&path, bytes).unwrap();
        }
    }
    let restored = archive.folder.path().join("restored");
    let arguments = [
        "restore",
        out.to_str().unwrap(),
        "--archive",
        restored.to_str().unwrap(),
    ];
    run_expecting(3, &arguments);
    assert!(!restored.exists(), "nothing half-made is left");
    let inside = archive.path().join("inside");
    run_expecting(
        2,
        &[
            "backup",
            "--archive",
            archive.text(),
            "--out",
            inside.to_str().unwrap(),
        ],
    );
}

/// A copy that somebody makes with `cp` while the archive is served is the archive as it was at some moment, or
/// it is called damaged; it is never called well and wrong.
#[test]
fn a_plain_copy_taken_while_running_is_never_wrong_in_silence() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    file(&erp, "before");
    let mut well = 0;
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            (0..100).for_each(|number| file(&erp, &format!("{number:04}")));
        });
        let mut copies = 0;
        while !writing.is_finished() || copies == 0 {
            let copy = archive.folder.path().join(format!("copy-{copies}"));
            let copied = Command::new("cp")
                .arg("-r")
                .arg(archive.path())
                .arg(&copy)
                .output()
                .unwrap();
            // The socket cannot be copied; a file may have gone in between.
            assert!(copied.status.code().is_some());
            well += u32::from(is_well_or_says_so(&copy));
            copies += 1;
        }
    });
    drop(served);
    let copy = archive.folder.path().join("copy-at-rest");
    Command::new("cp")
        .arg("-r")
        .arg(archive.path())
        .arg(&copy)
        .output()
        .unwrap();
    assert!(is_well_or_says_so(&copy), "{well} copies were well");
}

fn is_well_or_says_so(copy: &Path) -> bool {
    let output = crate::served::run(&["verify", copy.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.code() {
        Some(0) => {
            // Everything that was acknowledged before the copy began is in it.
            let out = copy.with_extension("export");
            let arguments = [
                "export",
                "/",
                "--archive",
                copy.to_str().unwrap(),
                "--out",
                out.to_str().unwrap(),
            ];
            run_expecting(0, &arguments);
            assert!(
                out.join("data/tree/acme/gl/2024-03/payment/before/voucher.json")
                    .is_file()
            );
            true
        }
        Some(1) => {
            assert!(text.contains("first fault"), "{text}");
            false
        }
        other => panic!("{other:?}: {text}"),
    }
}

#[test]
fn the_index_comes_back_to_the_same_bytes() {
    let archive = Archive::new();
    let served = archive.serve();
    (0..10).for_each(|number| file(&served.client("erp"), &format!("{number:04}")));
    let text = run_expecting(3, &["reindex", "--archive", archive.text()]);
    assert!(text.contains("in use"), "{text}");
    drop(served);
    archive.command(&["key", "rotate"]);
    let text = archive.command(&["reindex"]);
    assert!(text.contains("the same to the byte"), "{text}");
    // Somebody deleted it, and somebody changed a row.
    let store = archive.path().join("store");
    let change = |change: &dyn Fn(&rocksdb::DB)| {
        let options = rocksdb::Options::default();
        let families = rocksdb::DB::list_cf(&options, &store).unwrap();
        change(&rocksdb::DB::open_cf(&options, &store, families).unwrap());
    };
    let json = archive.command(&["reindex", "--json"]);
    let before: serde_json::Value = serde_json::from_str(&json).unwrap();
    change(&|store| {
        let index = store.cf_handle("index").unwrap();
        for row in store.iterator_cf(index, rocksdb::IteratorMode::Start) {
            store.delete_cf(index, row.unwrap().0).unwrap();
        }
        store.delete(b"applied").unwrap();
    });
    let served = archive.serve();
    // A look would be an entry, and a row.
    let listed = served.client("erp").list("/dav/acme/gl/2024-03/payment/");
    assert!(listed.text().contains("0003"), "{listed:?}");
    drop(served);
    archive.assert_well();
    change(&|store| {
        let index = store.cf_handle("index").unwrap();
        store.put_cf(index, b"user\0u2", b"{}").unwrap();
    });
    let arguments = ["reindex", "--archive", archive.text(), "--json"];
    let report: serde_json::Value = serde_json::from_str(&run_expecting(1, &arguments)).unwrap();
    assert_eq!(report["same"], false);
    assert_ne!(report["before"], report["after"]);
    assert_eq!(report["after"]["blake3"], before["after"]["blake3"]);
    let text = archive.command(&["reindex"]);
    assert!(text.contains("the same to the byte"), "{text}");
}
