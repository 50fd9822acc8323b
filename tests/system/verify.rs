//! A compliance team verifies: the archive while it is served, exports, and every kind of tampering.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::served::{Archive, Served, run_expecting, voucher};

fn filed(count: u32) -> (Archive, Served) {
    let archive = Archive::new();
    let served = archive.serve();
    for number in 1..=count {
        for company in ["acme", "other"] {
            let place = format!("{company}/gl/2024-03/payment/{number:04}");
            let path = format!("/dav/{place}/voucher.json");
            assert_eq!(
                served
                    .client("erp")
                    .put(&path, voucher(&place, "1.00"))
                    .status,
                201
            );
        }
    }
    (archive, served)
}

fn export(archive: &Archive, scope: &str, name: &str) -> PathBuf {
    let out = archive.folder.path().join(name);
    archive.command(&["export", scope, "--out", out.to_str().unwrap()]);
    out
}

/// The verifier that is built without RocksDB. Cargo names the binaries of the root package only, and
/// puts the others beside them.
pub fn verifier() -> PathBuf {
    let verifier = Path::new(env!("CARGO_BIN_EXE_vouchsafe")).with_file_name("vouchsafe-verify");
    assert!(
        verifier.exists(),
        "build the workspace first: `make test` does"
    );
    verifier
}

fn check(bag: &Path) -> (Option<i32>, String) {
    let Output { status, stdout, .. } = Command::new(verifier()).arg(bag).output().unwrap();
    (status.code(), String::from_utf8_lossy(&stdout).into_owned())
}

fn every_file(folder: &Path, files: &mut Vec<PathBuf>) {
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            every_file(&path, files);
        } else {
            files.push(path);
        }
    }
}

#[test]
fn an_archive_verifies_while_it_is_written_to() {
    let (archive, served) = filed(2);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for number in 0..60 {
                let place = format!("acme/gl/2024-04/payment/{number:04}");
                let path = format!("/dav/{place}/voucher.json");
                assert_eq!(
                    served
                        .client("erp")
                        .put(&path, voucher(&place, "1.00"))
                        .status,
                    201
                );
            }
        });
        while !writing.is_finished() {
            archive.assert_well();
        }
    });
}

#[test]
fn the_whole_and_a_part_are_exported_and_verify_without_the_archive() {
    let (archive, _served) = filed(3);
    let whole = export(&archive, "/", "whole");
    let part = export(&archive, "/acme/", "part");
    for bag in [&whole, &part] {
        let (status, text) = check(bag);
        assert_eq!(status, Some(0), "{text}");
        assert!(text.contains("all is well"), "{text}");
        run_expecting(0, &["verify", bag.to_str().unwrap()]);
        for file in [
            "bagit.txt",
            "bag-info.txt",
            "manifest-sha256.txt",
            "data/log/vkey",
        ] {
            assert!(bag.join(file).is_file(), "{file}");
        }
        let sums = Command::new("sha256sum")
            .args(["--quiet", "--check", "manifest-sha256.txt"])
            .current_dir(bag)
            .status();
        assert!(
            sums.unwrap().success(),
            "sha256sum agrees with the manifest"
        );
    }
    assert!(
        whole
            .join("data/tree/other/gl/2024-03/payment/0001/voucher.pdf")
            .is_file()
    );
    assert!(
        part.join("data/tree/acme/gl/2024-03/payment/0001/proof.json")
            .is_file()
    );
    assert!(!part.join("data/tree/other").exists());
    let mut files = Vec::new();
    every_file(&part, &mut files);
    for file in files {
        let content = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        assert!(
            !content.contains("/other/"),
            "{} tells of the rest",
            file.display()
        );
    }
}

#[test]
fn a_flipped_bit_in_any_file_of_an_export_is_found() {
    let (archive, _served) = filed(2);
    let bag = export(&archive, "/", "bag");
    let mut files = Vec::new();
    every_file(&bag, &mut files);
    assert!(files.len() > 20, "{} files", files.len());
    for file in files {
        let whole = fs::read(&file).unwrap();
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&file, bytes).unwrap();
        let (status, text) = check(&bag);
        assert_eq!(status, Some(1), "{}: {text}", file.display());
        assert!(text.contains("first fault"), "{}: {text}", file.display());
        fs::write(&file, whole).unwrap();
    }
    assert_eq!(check(&bag).0, Some(0));
}

#[test]
fn a_key_from_elsewhere_and_an_older_checkpoint_are_held_against_the_log() {
    let (archive, served) = filed(1);
    let key = fs::read_to_string(archive.path().join("vkey")).unwrap();
    let earlier = export(&archive, "/", "earlier").join("data/log/checkpoint");
    let place = "acme/gl/2024-05/payment/0001";
    served.client("erp").put(
        &format!("/dav/{place}/voucher.json"),
        voucher(place, "1.00"),
    );
    let text = archive.text();
    let since = earlier.to_str().unwrap();
    run_expecting(0, &["verify", text, "--key", key.trim(), "--since", since]);
    let json = run_expecting(0, &["verify", text, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["ok"], true);
    let other = Archive::new();
    let other_key = fs::read_to_string(other.path().join("vkey")).unwrap();
    run_expecting(1, &["verify", text, "--key", other_key.trim()]);
    run_expecting(1, &["verify", other.text(), "--since", since]);
}

#[test]
fn a_voucher_may_have_any_number_and_its_export_verifies() {
    let (archive, served) = filed(1);
    for number in ["proof.json", "data", "a b%41"] {
        let place = format!("acme/gl/2024-03/payment/{number}");
        let path = format!(
            "/dav/acme/gl/2024-03/payment/{}/voucher.json",
            number.replace('%', "%25").replace(' ', "%20")
        );
        let answer = served.client("erp").put(&path, voucher(&place, "1.00"));
        assert_eq!(answer.status, 201, "{}", answer.text());
    }
    for (scope, name) in [("/", "whole"), ("/acme/", "part")] {
        let (status, text) = check(&export(&archive, scope, name));
        assert_eq!(status, Some(0), "{text}");
        assert_eq!(
            text.contains("entries are withheld"),
            name == "part",
            "{text}"
        );
    }
}

#[test]
fn a_verifier_written_from_the_format_page_agrees() {
    let (archive, _served) = filed(3);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format/check.py");
    let python = |bag: &Path| {
        let output = Command::new("python3").arg(&script).arg(bag).output();
        let output = output.expect("python3; `make test-packages` installs it");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text)
    };
    for (scope, name) in [("/", "whole"), ("/acme/", "part")] {
        let bag = export(&archive, scope, name);
        let (status, text) = python(&bag);
        assert_eq!(status, Some(0), "{text}");
        assert!(text.contains("all is well"), "{text}");
        for file in [
            "data/log/checkpoint",
            "data/tree/acme/gl/2024-03/payment/0001/proof.json",
            "data/tree/acme/gl/2024-03/payment/0001/voucher.tlog-proof",
        ] {
            let whole = fs::read(bag.join(file)).unwrap();
            let mut bytes = whole.clone();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            fs::write(bag.join(file), bytes).unwrap();
            let (status, text) = python(&bag);
            assert_eq!(status, Some(1), "{file}: {text}");
            fs::write(bag.join(file), whole).unwrap();
        }
        let stray = bag.join("data/tree/acme/gl/2024-03/payment/0099");
        fs::create_dir(&stray).unwrap();
        fs::write(stray.join("voucher.json"), "{}").unwrap();
        remake_manifests(&bag);
        let (status, text) = python(&bag);
        assert_eq!(status, Some(1), "a voucher that nobody filed: {text}");
    }
}

/// Makes the manifests anew, as a forger would.
fn remake_manifests(bag: &Path) {
    let script = "find data -type f | sort | xargs -d '\\n' sha256sum > manifest-sha256.txt; \
        sha256sum bag-info.txt bagit.txt manifest-sha256.txt > tagmanifest-sha256.txt";
    let status = Command::new("sh")
        .args(["-c", script])
        .current_dir(bag)
        .status();
    assert!(status.unwrap().success());
}

#[test]
fn nothing_may_lie_in_an_export_that_the_log_does_not_vouch_for() {
    let (archive, _served) = filed(2);
    let place = "data/tree/acme/gl/2024-03/payment";
    type Deed = fn(&Path);
    let deeds: [(&str, Deed); 7] = [
        ("a voucher that nobody filed", |at| {
            fs::create_dir(at.join("0099")).unwrap();
            fs::write(at.join("0099/voucher.json"), "{}").unwrap();
        }),
        ("a voucher under another number", |at| {
            fs::create_dir(at.join("0099")).unwrap();
            fs::copy(at.join("0001/voucher.json"), at.join("0099/voucher.json")).unwrap();
        }),
        ("a scan that nobody sent", |at| {
            fs::write(at.join("0001/scan-9.jpg"), "x").unwrap()
        }),
        ("no proof", |at| {
            fs::remove_file(at.join("0001/proof.json")).unwrap()
        }),
        ("no history", |at| {
            fs::remove_file(at.join("0001/history.json")).unwrap()
        }),
        ("another history", |at| {
            let file = at.join("0001/history.json");
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, text.replacen("\"time\": \"2", "\"time\": \"1", 1)).unwrap();
        }),
        ("the proof of another", |at| {
            fs::copy(at.join("0002/proof.json"), at.join("0001/proof.json"))
                .map(|_| ())
                .unwrap();
        }),
    ];
    for (scope, kind) in [("/", "whole"), ("/acme/", "part")] {
        for (number, (name, deed)) in deeds.iter().enumerate() {
            let bag = export(&archive, scope, &format!("{kind}{number}"));
            deed(&bag.join(place));
            remake_manifests(&bag);
            let (status, text) = check(&bag);
            assert_eq!(status, Some(1), "{name} in the {kind}: {text}");
            assert!(
                text.contains("acme/gl/2024-03/payment"),
                "{name} is named: {text}"
            );
        }
        let bag = export(&archive, scope, &format!("{kind}-stray"));
        fs::write(bag.join("data/objects/00").with_extension("x"), "stray").unwrap();
        remake_manifests(&bag);
        assert_eq!(check(&bag).0, Some(1), "a stray object");
    }
}

#[test]
fn links_and_pipes_in_an_export_are_neither_followed_nor_waited_for() {
    let (archive, _served) = filed(1);
    for file in [
        "data/log/checkpoint",
        "data/tree/acme/gl/2024-03/payment/0001/voucher.png",
    ] {
        for deed in ["mkfifo", "ln -s /dev/zero", "ln -s ../moved"] {
            let name = format!("bag{}{}", file.len(), deed.len());
            let bag = export(&archive, "/", &name);
            let script = format!(
                "mv {file} ../moved-{name}; {} {file}",
                deed.replace("../moved", "/dev/null")
            );
            let status = Command::new("sh")
                .args(["-c", &script])
                .current_dir(&bag)
                .status();
            assert!(status.unwrap().success());
            let limited = Command::new("timeout")
                .arg("20")
                .arg(verifier())
                .arg(&bag)
                .output()
                .unwrap();
            assert_eq!(limited.status.code(), Some(1), "{deed} for {file}");
        }
    }
}

#[test]
fn an_export_of_nothing_or_into_the_archive_is_refused() {
    let (archive, _served) = filed(1);
    let out = archive.folder.path().join("none");
    let (text, out) = (archive.text(), out.to_str().unwrap());
    let said = run_expecting(2, &["export", "/nothing/", "--archive", text, "--out", out]);
    assert!(said.contains("no voucher is filed"), "{said}");
    let inside = archive.path().join("inside");
    run_expecting(
        2,
        &[
            "export",
            "/",
            "--archive",
            text,
            "--out",
            inside.to_str().unwrap(),
        ],
    );
    assert!(!inside.exists() && !Path::new(out).exists());
}
