//! The real process ends at every single write, sync and rename that an upload makes, before, in the middle of
//! and after it: all of the upload is there afterwards or nothing, and what was acknowledged is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::client::Client;
use crate::served::{Archive, Served, voucher, vouchsafe};

/// The library that counts and kills, compiled from `preload.c`.
fn preload(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/preload.c");
    let library = folder.join("preload.so");
    let done = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-w", "-o"])
        .args([&library, &source])
        .args(["-ldl"])
        .status();
    assert!(
        done.expect("cc; `make test-packages` installs it")
            .success()
    );
    library
}

/// What becomes of one upload that is killed at its n-th write: whether it was reached, and whether the sender
/// was told that all is well.
fn upload(archive: &Path, library: &Path, at: u32, how: &str) -> (bool, bool) {
    let arm = archive.with_extension("arm");
    let _ = fs::remove_file(&arm);
    let mut command = vouchsafe();
    command
        .env("LD_PRELOAD", library)
        .envs([("KILL_AT", at.to_string()), ("KILL_HOW", how.to_owned())])
        .env("KILL_ARM", &arm);
    let served = Served::start_with(command, archive);
    let erp = served.client("erp");
    // Signing in, and whatever the first request sets up, is not part of the upload.
    assert_eq!(erp.list("/dav/").status, 207);
    fs::write(&arm, "").unwrap();
    let put = |client: &Client, name: &str, body: &[u8]| {
        let path = format!("/dav/{PLACE}/{name}");
        client
            .try_ask("PUT", &path, &[], body)
            .is_ok_and(|answer| answer.status == 201)
    };
    let told = put(&erp, "voucher.json", voucher(PLACE, "7.00").as_bytes());
    // A scan that is larger than one row of the store is taken in piece by piece.
    let scan = [b"\xFF\xD8\xFF\xE0".to_vec(), vec![7; 2 << 20]].concat();
    let told_scan = told && put(&erp, "scan-1.jpg", &scan);
    let status = served.terminate();
    (status == Some(137), told_scan || told && status != Some(0))
}

const PLACE: &str = "acme/gl/2024-03/payment/0007";

#[test]
fn an_upload_that_is_killed_at_any_write_is_there_whole_or_not_at_all() {
    let archive = Archive::new();
    let folder = archive.folder.path();
    let library = preload(folder);
    let mut reached = 0;
    for how in ["before", "half", "after"] {
        for at in 1.. {
            let copy = folder.join("copy");
            let _ = fs::remove_dir_all(&copy);
            let copied = Command::new("cp")
                .arg("-r")
                .arg(archive.path())
                .arg(&copy)
                .status();
            assert!(copied.unwrap().success());
            let (killed, told) = upload(&copy, &library, at, how);
            let moment = format!("{how} write {at}");
            let text = crate::served::run_expecting(0, &["verify", copy.to_str().unwrap()]);
            assert!(text.contains("all is well"), "{moment}: {text}");
            // It opens by itself, and goes on.
            let served = Served::start(&copy);
            let erp = served.client("erp");
            let shown = erp.get(&format!("/dav/{PLACE}/voucher.json"));
            if told {
                assert_eq!(shown.text(), voucher(PLACE, "7.00"), "{moment}");
            }
            let names = erp.list(&format!("/dav/{PLACE}/")).text();
            for name in ["voucher.pdf", "voucher.png", "proof.json", "history.json"] {
                assert_eq!(
                    names.contains(name),
                    shown.status == 200,
                    "{moment}: {name}"
                );
            }
            let again = erp.put(
                &format!("/dav/{PLACE}/voucher.json"),
                voucher(PLACE, "7.00"),
            );
            let expected = if shown.status == 200 { 204 } else { 201 };
            assert_eq!(again.status, expected, "{moment}");
            assert_eq!(served.terminate(), Some(0));
            if !killed {
                break;
            }
            reached += 1;
        }
    }
    assert!(reached > 20, "{reached} writes were reached");
}
