//! The key that signs the log: changed, kept by another program, and guarded.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::anchors::{file, published, vkey};
use crate::served::{Archive, run_expecting, vouchsafe};

#[test]
fn a_key_is_changed_while_served_and_every_key_still_leads_to_the_log() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    file(&erp, "0001");
    let first = vkey(&archive);
    let earlier = archive.folder.path().join("earlier");
    fs::write(&earlier, published(&erp).1).unwrap();
    let second = archive.command(&["key", "rotate"]).trim().to_owned();
    assert_eq!(vkey(&archive), second);
    assert_eq!(erp.get("/log/vkey").text().trim(), second);
    // Both keys signed the checkpoint of the change.
    assert_eq!(published(&erp).1.matches("— vouchsafe/").count(), 2);
    file(&erp, "0002");
    assert_eq!(published(&erp).1.matches("— vouchsafe/").count(), 1);
    let third = archive.command(&["key", "rotate"]).trim().to_owned();
    file(&erp, "0003");
    drop(served);
    let since = earlier.to_str().unwrap();
    for key in [&first, &second, &third] {
        run_expecting(
            0,
            &["verify", archive.text(), "--key", key, "--since", since],
        );
    }
    let three = [
        "verify",
        archive.text(),
        "--key",
        &first,
        "--key",
        &second,
        "--key",
        &third,
    ];
    run_expecting(0, &three);
    let listed = archive.command(&["key", "list"]);
    assert_eq!(
        listed.lines().collect::<Vec<_>>(),
        [&first, &second, &third]
    );
    let note = fs::read_to_string(archive.path().join("signing-key")).unwrap();
    assert!(note.starts_with("PRIVATE+KEY+") && !archive.path().join("signing-key.next").exists());
    for (scope, name) in [("/", "whole"), ("/acme/", "part")] {
        let out = archive.folder.path().join(name);
        archive.command(&["export", scope, "--out", out.to_str().unwrap()]);
        for key in [&first, &third] {
            run_expecting(0, &["verify", out.to_str().unwrap(), "--key", key]);
        }
        // Without the notes the first key leads nowhere.
        fs::remove_dir_all(out.join("data/log/rotation")).unwrap();
        let text = run_expecting(1, &["verify", out.to_str().unwrap(), "--key", &first]);
        assert!(text.contains("vkey"), "{text}");
    }
    // The archive opens again and goes on.
    let served = archive.serve();
    file(&served.client("erp"), "0004");
    drop(served);
    archive.assert_well();
}

#[test]
fn a_change_of_the_key_that_was_cut_short_is_finished_or_forgotten() {
    let archive = Archive::new();
    let folder = archive.path();
    let [current, next] = ["signing-key", "signing-key.next"].map(|name| folder.join(name));
    let before = fs::read(&current).unwrap();
    archive.command(&["key", "rotate"]);
    let after = fs::read(&current).unwrap();
    // It was logged, and the process died before the files followed.
    fs::write(&next, &after).unwrap();
    fs::write(&current, &before).unwrap();
    for key in [&current, &next] {
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
    }
    archive.command(&["user", "add", "one"]);
    assert_eq!(fs::read(&current).unwrap(), after);
    assert!(!next.exists());
    archive.assert_well();
    // It was prepared, and the process died before it was logged.
    let other = Archive::new();
    let strange = fs::read(other.path().join("signing-key")).unwrap();
    fs::write(&next, strange).unwrap();
    fs::set_permissions(&next, fs::Permissions::from_mode(0o600)).unwrap();
    archive.command(&["user", "add", "two"]);
    assert_eq!(fs::read(&current).unwrap(), after);
    archive.assert_well();
    // A next signer whose program is gone does not keep the archive closed.
    let gone = format!("vkey = \"{}\"\ncommand = [\"/gone\"]\n", vkey(&archive));
    fs::write(folder.join("signer.toml.next"), gone).unwrap();
    archive.command(&["user", "add", "gone"]);
    archive.assert_well();
    // While a change is under way, or was cut short, another one does not write over its key.
    let served = archive.serve();
    let only_copy = fs::read(other.path().join("signing-key")).unwrap();
    fs::write(&next, &only_copy).unwrap();
    fs::set_permissions(&next, fs::Permissions::from_mode(0o600)).unwrap();
    let text = run_expecting(3, &["key", "rotate", "--archive", archive.text()]);
    assert!(text.contains("cut short"), "{text}");
    assert_eq!(fs::read(&next).unwrap(), only_copy);
    fs::remove_file(&next).unwrap();
    drop(served);
    // A key that the log knows nothing of signs nothing.
    fs::copy(other.path().join("signing-key"), &current).unwrap();
    let text = run_expecting(3, &["user", "add", "three", "--archive", archive.text()]);
    assert!(text.contains("the log's key is"), "{text}");
}

#[test]
fn a_changed_key_raises_no_alarm_where_the_published_checkpoint_lags() {
    let archive = Archive::new();
    archive.command(&["user", "add", "cleo"]);
    archive.command(&["grant", "add", "cleo", "compliance", "/"]);
    let first = vkey(&archive);
    // The witness knows the first key only.
    let witness = crate::anchors::with_witness(&archive);
    let served = archive.serve();
    let erp = served.client("erp");
    file(&erp, "0001");
    crate::anchors::wait_for("cosigned checkpoint", || {
        published(&erp)
            .1
            .contains("— witness.example/w1 ")
            .then_some(())
    });
    let second = archive.command(&["key", "rotate"]).trim().to_owned();
    file(&erp, "0002");
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    let verify =
        |key: &str| run_expecting(0, &["verify", &served.url, "--user", "cleo", "--key", key]);
    verify(&first);
    let shown = erp.get("/log/vkey").text();
    assert!(shown.trim() == first || shown.trim() == second, "{shown}");
    if shown.trim() == first {
        assert_eq!(erp.get("/log/rotation/1").status, 404);
    }
    drop(witness);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let archive = Archive::new();
    let key = archive.path().join("signing-key");
    assert_eq!(
        fs::metadata(&key).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
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
    assert!(text.contains("can be read by others"), "{text}");
    let secret = fs::read_to_string(&key).unwrap();
    assert!(!text.contains(secret.trim()));
}

/// A key that openssl has, and the program that signs with it.
fn outside_key(folder: &Path, name: &str) -> (String, String) {
    let key = folder.join("outside.pem");
    let public = folder.join("outside.pub");
    let openssl = |arguments: &[&str]| {
        let done = Command::new("openssl")
            .args(arguments)
            .current_dir(folder)
            .status();
        assert!(
            done.expect("openssl; `make test-packages` installs it")
                .success()
        );
    };
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "outside.pem"]);
    openssl(&[
        "pkey",
        "-in",
        "outside.pem",
        "-pubout",
        "-out",
        "outside.pub",
    ]);
    let described = [
        "key",
        "describe",
        name,
        "--public",
        public.to_str().unwrap(),
    ];
    let vkey = run_expecting(0, &described).trim().to_owned();
    let script = format!(
        "t=$(mktemp) && cat > $t && openssl pkeyutl -sign -rawin -inkey {} -in $t; e=$?; rm $t; exit $e",
        key.display()
    );
    let signer = format!("vkey = \"{vkey}\"\ncommand = [\"sh\", \"-c\", '''{script}''']\n");
    (vkey, signer)
}

#[test]
fn a_program_outside_signs_the_log() {
    let archive = Archive {
        folder: tempfile::tempdir().unwrap(),
    };
    let folder = archive.folder.path().to_owned();
    let (key, signer) = outside_key(&folder, "acme.example/vouchers");
    let file_of_signer = folder.join("signer.toml");
    fs::write(&file_of_signer, &signer).unwrap();
    let signer_option = ["--signer", file_of_signer.to_str().unwrap()];
    run_expecting(
        0,
        &[
            &["init", archive.text(), "--admin", "root"][..],
            &signer_option,
        ]
        .concat(),
    );
    assert!(
        !archive.path().join("signing-key").exists(),
        "no key is in the folder"
    );
    archive.command(&["user", "add", "erp"]);
    archive.command(&["grant", "add", "erp", "uploader", "/*/"]);
    let served = archive.serve();
    let erp = served.client("erp");
    file(&erp, "0001");
    // The key is away for a while: nothing is written, and what is there can be read.
    let pem = folder.join("outside.pem");
    fs::rename(&pem, folder.join("away")).unwrap();
    let place = "/dav/acme/gl/2024-03/payment";
    let data = crate::served::voucher("acme/gl/2024-03/payment/0002", "1.00");
    let refused = erp.put(&format!("{place}/0002/voucher.json"), &data);
    assert_eq!(refused.status, 500, "{}", refused.text());
    assert_eq!(erp.get(&format!("{place}/0001/history.json")).status, 200);
    assert_eq!(erp.get(&format!("{place}/0002/history.json")).status, 404);
    fs::rename(folder.join("away"), &pem).unwrap();
    file(&erp, "0002");
    drop(served);
    run_expecting(0, &["verify", archive.text(), "--key", &key]);
    // A program that leaves others behind is waited for no longer than it takes itself.
    let behind = signer.replace("rm $t", "(sleep 300 &) ; rm $t");
    assert_ne!(behind, signer);
    fs::write(archive.path().join("signer.toml"), &behind).unwrap();
    let started = std::time::Instant::now();
    archive.command(&["user", "add", "late"]);
    assert!(
        started.elapsed().as_secs() < 60,
        "it waited for what was left behind"
    );
    fs::write(archive.path().join("signer.toml"), &signer).unwrap();
    // Back to a key in the folder, and out again.
    archive.command(&["key", "rotate"]);
    assert!(archive.path().join("signing-key").exists());
    assert!(!archive.path().join("signer.toml").exists());
    archive.assert_well();
    let text = run_expecting(
        2,
        &[
            "key",
            "rotate",
            "--archive",
            archive.text(),
            signer_option[0],
            "/none",
        ],
    );
    assert!(text.contains("/none"), "{text}");
    archive.command(&["key", "rotate", signer_option[0], signer_option[1]]);
    assert!(!archive.path().join("signing-key").exists());
    run_expecting(0, &["verify", archive.text(), "--key", &key]);
    // A program that signs with another key is refused before anything is changed.
    let wrong = signer.replace("outside.pem", "other.pem");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out", "other.pem"])
        .current_dir(&folder)
        .status();
    assert!(made.unwrap().success());
    fs::write(&file_of_signer, wrong).unwrap();
    let refused = vouchsafe()
        .args([
            "key",
            "rotate",
            "--archive",
            archive.text(),
            signer_option[0],
            signer_option[1],
        ])
        .output()
        .unwrap();
    assert_ne!(refused.status.code(), Some(0));
    archive.assert_well();
}
