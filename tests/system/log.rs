//! The log's own files, as verifiers that are not ours read them: over HTTP, on a mounted drive, in an export.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::anchors::{file, published, vkey};
use crate::served::{Archive, PASSWORD, Served, run_expecting, vouchsafe};
use crate::verify::verifier;

/// An archive with more than a full tile of entries, and `cleo`, who may verify all of it.
fn served(entries: u32) -> (Archive, Served) {
    let archive = Archive::new();
    archive.command(&["user", "add", "cleo"]);
    archive.command(&["grant", "add", "cleo", "compliance", "/"]);
    let served = archive.serve();
    let erp = served.client("erp");
    for number in ["0001", "0002"] {
        file(&erp, number);
    }
    for _ in 0..entries {
        erp.get("/dav/acme/gl/2024-03/payment/0001/voucher.json");
    }
    (archive, served)
}

/// The verifier in Go, built once for each caller.
fn go_verifier(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format/check.go");
    let program = folder.join("check-go");
    let output = Command::new("go")
        .args(["build", "-o", program.to_str().unwrap()])
        .arg(source)
        .envs([
            ("GO111MODULE", "off"),
            ("GOPATH", "/usr/share/gocode"),
            ("GOFLAGS", ""),
        ])
        .env("GOCACHE", folder.join("go-cache"))
        .output()
        .expect("go; `make test-packages` installs it");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    program
}

fn outcome(command: &mut Command) -> (Option<i32>, String) {
    let Output { status, stdout, .. } = command.output().unwrap();
    (status.code(), String::from_utf8_lossy(&stdout).into_owned())
}

#[test]
fn the_go_checksum_database_verifies_our_checkpoints_proofs_and_growth() {
    let (archive, served) = served(300);
    let cleo = served.client("cleo");
    let folder = archive.folder.path();
    let earlier = folder.join("earlier");
    fs::write(&earlier, published(&cleo).1).unwrap();
    file(&served.client("erp"), "0003");
    let place = "/dav/acme/gl/2024-03/payment/0003";
    let proof = folder.join("voucher.tlog-proof");
    fs::write(
        &proof,
        cleo.get(&format!("{place}/voucher.tlog-proof")).body,
    )
    .unwrap();
    let newest = folder.join("newest.tlog-proof");
    let printed = archive.command(&["prove", "/acme/gl/2024-03/payment/0003"]);
    fs::write(&newest, printed).unwrap();
    let go = go_verifier(folder);
    let check = |log: &Path| {
        let mut command = Command::new(&go);
        command.arg(log).arg(vkey(&archive));
        outcome(command.args([&earlier, &proof, &newest]))
    };
    for (scope, name, all) in [("/", "whole", true), ("/acme/", "part", false)] {
        let out = folder.join(name);
        archive.command(&["export", scope, "--out", out.to_str().unwrap()]);
        let log = out.join("data/log");
        let (status, text) = check(&log);
        assert_eq!(status, Some(0), "{name}: {text}");
        let signed = fs::read_to_string(log.join("checkpoint")).unwrap();
        let size = signed.lines().nth(1).unwrap();
        assert_eq!(
            text.contains(&format!("{size} entries of {size}, ")),
            all,
            "{text}"
        );
        // What is tampered with is refused by it, too.
        let files = ["checkpoint", "tile/0/000", "tile/1/000.p/1"];
        for file in files.into_iter().chain(all.then_some("tile/entries/000")) {
            let kept = fs::read(log.join(file)).unwrap();
            let mut flipped = kept.clone();
            flipped[kept.len() / 2] ^= 1;
            fs::write(log.join(file), flipped).unwrap();
            let (status, text) = check(&log);
            assert_ne!(status, Some(0), "{name}, {file}: {text}");
            fs::write(log.join(file), kept).unwrap();
        }
    }
}

#[test]
fn every_user_reads_hashes_and_entries_are_for_those_who_see_all() {
    let (archive, served) = served(300);
    let (ann, cleo) = (served.client("ann"), served.client("cleo"));
    let (size, _) = published(&ann);
    assert_eq!(ann.get("/log/vkey").text().trim(), vkey(&archive));
    let partial = format!("tile/0/001.p/{}", size - 256);
    for (path, bytes) in [
        ("tile/0/000", 8_192),
        ("tile/1/000.p/1", 32),
        (&partial, (size as usize - 256) * 32),
    ] {
        let tile = ann.get(&format!("/log/{path}"));
        assert_eq!((tile.status, tile.body.len()), (200, bytes), "{path}");
        assert!(tile.header("cache-control").contains("immutable"), "{path}");
        assert_eq!(tile.header("content-type"), "application/octet-stream");
        let on_drive = cleo.get(&format!("/dav/_audit/{path}"));
        assert_eq!(on_drive.body, tile.body, "{path}");
    }
    // Narrower partial tiles stay: somebody may hold the checkpoint of their time.
    assert_eq!(ann.get("/log/tile/0/000.p/17").body.len(), 17 * 32);
    let bundle = cleo.get("/log/tile/entries/000");
    assert_eq!(bundle.status, 200);
    let entries = vouchsafe_evidence::bundle::decode(&bundle.body).unwrap();
    assert_eq!(entries.len(), 256);
    let entry = vouchsafe_evidence::entry::Entry::decode(&entries[200]).unwrap();
    let object = entries.iter().find_map(|bytes| {
        let entry = vouchsafe_evidence::entry::Entry::decode(bytes).unwrap();
        Some(entry.objects.first()?.blake3)
    });
    let object = object.unwrap().to_string();
    let object = format!("objects/{}/{}", &object[..2], &object[2..]);
    assert_eq!(entry.seq, 200);
    let traces = published(&cleo).0;
    assert_eq!(cleo.get(&format!("/log/{object}")).status, 200);
    assert_eq!(
        published(&cleo).0,
        traces + 1,
        "an object that is read leaves a trace"
    );
    let nothing = ann.get("/log/nothing");
    let hidden = [
        "tile/entries/000",
        "tile/entries/000.p/1",
        &object,
        "entries/0.json",
    ];
    for path in hidden {
        for path in [format!("/log/{path}"), format!("/dav/_audit/{path}")] {
            let refused = ann.get(&path);
            assert_eq!(
                (refused.status, &refused.body),
                (404, &nothing.body),
                "{path}"
            );
        }
    }
    for path in [
        "tile/0/002",
        "tile/0/1",
        "tile/9/000",
        "tile/0/001.p/256",
        "rotation/1",
        "%2e%2e/vkey",
    ] {
        assert_ne!(ann.get(&format!("/log/{path}")).status, 200, "{path}");
    }
    assert_eq!(served.client("").get("/log/checkpoint").status, 401);
    assert_eq!(ann.put("/log/checkpoint", "x").status, 405);
    assert_eq!(cleo.put("/dav/_audit/checkpoint", "x").status, 403);
    assert_eq!(
        cleo.ask("DELETE", "/dav/_audit/checkpoint", &[], b"")
            .status,
        403
    );
    // The folder is shown to those who verify, and to nobody else.
    assert!(cleo.list("/dav/").text().contains("/dav/_audit/"));
    assert!(!ann.list("/dav/").text().contains("_audit"));
    assert_eq!(ann.list("/dav/_audit/").status, 404);
    assert_eq!(cleo.list("/dav/_audit/tile/0/x001/").status, 404);
    let listed = cleo.list("/dav/_audit/tile/0/").text();
    assert!(listed.contains("tile/0/000</D:href>") && listed.contains("001.p/</D:href>"));
}

#[test]
fn a_server_is_verified_from_afar() {
    let (archive, served) = served(300);
    let verify = |user: &str, more: &[&str]| {
        let arguments = ["verify", served.url.as_str(), "--user", user, "--json"];
        let output = vouchsafe().args(arguments).args(more).output().unwrap();
        let report = serde_json::from_slice::<serde_json::Value>(&output.stdout);
        (output.status.code(), report.unwrap_or_default())
    };
    let (status, report) = verify("cleo", &["--key", &vkey(&archive)]);
    assert_eq!(status, Some(0), "{report}");
    assert_eq!(
        (report["entries"].as_u64(), report["withheld"].as_u64()),
        (report["size"].as_u64(), Some(0))
    );
    assert!(report["objects"].as_u64() > Some(10));
    // Whoever sees only hashes still sees that the log only grew.
    let earlier = archive.folder.path().join("earlier");
    fs::write(&earlier, published(&served.client("ann")).1).unwrap();
    file(&served.client("erp"), "0009");
    let (status, report) = verify("ann", &["--since", earlier.to_str().unwrap()]);
    assert_eq!(status, Some(0), "{report}");
    assert_eq!(report["entries"], 0);
    let other = Archive::new();
    let (status, report) = verify("cleo", &["--key", &vkey(&other)]);
    assert_eq!(
        (status, report["first"]["path"].as_str()),
        (Some(1), Some("vkey"))
    );
    let (status, _) = verify("nobody", &[]);
    assert_eq!(status, Some(3));
    let away = ["verify", "http://127.0.0.1:1", "--user", "cleo"];
    run_expecting(3, &away);
    run_expecting(2, &["verify", "http://a:b@127.0.0.1:1"]);
}

#[test]
fn a_mounted_drive_is_verified_by_the_small_verifier() {
    let (archive, served) = served(300);
    let mount = archive.folder.path().join("mount");
    fs::create_dir(&mount).unwrap();
    let obscured = Command::new("rclone")
        .args(["obscure", PASSWORD])
        .output()
        .unwrap();
    let obscured = String::from_utf8(obscured.stdout).unwrap();
    let remote = format!(
        ":webdav,url='{}/dav/',user=cleo,pass={}:",
        served.url,
        obscured.trim()
    );
    let mut rclone = Command::new("rclone")
        .args([
            "mount",
            &remote,
            mount.to_str().unwrap(),
            "--config",
            "/dev/null",
        ])
        .stderr(Stdio::null())
        .spawn()
        .expect("rclone; `make test-packages` installs it");
    crate::anchors::wait_for("mounted drive", || {
        mount.join("_audit").is_dir().then_some(())
    });
    let (status, text) = outcome(
        Command::new(verifier())
            .arg(&mount)
            .args(["--key", &vkey(&archive)]),
    );
    let voucher = mount.join("acme/gl/2024-03/payment/0001");
    let (one_status, one) = outcome(Command::new(verifier()).arg(&voucher));
    let _ = Command::new("fusermount3")
        .args(["-u", mount.to_str().unwrap()])
        .status();
    let _ = rclone.wait();
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("all is well") && !text.contains("withheld"),
        "{text}"
    );
    assert_eq!(one_status, Some(0), "{one}");
    assert!(one.contains("1 entries, 3 objects"), "{one}");
}

#[test]
fn one_voucher_is_proved_to_somebody_who_sees_nothing_else() {
    let (archive, served) = served(3);
    let ann = served.client("ann");
    let folder = archive.folder.path().join("voucher");
    fs::create_dir(&folder).unwrap();
    for name in ["voucher.json", "voucher.pdf", "proof.json", "history.json"] {
        let body = ann
            .get(&format!("/dav/acme/gl/2024-03/payment/0001/{name}"))
            .body;
        fs::write(folder.join(name), body).unwrap();
    }
    let key = vkey(&archive);
    let check = || outcome(Command::new(verifier()).arg(&folder).args(["--key", &key]));
    let (status, text) = check();
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("1 entries, 2 objects") && text.contains("not covered  history.json"),
        "{text}"
    );
    let proof = fs::read_to_string(folder.join("proof.json")).unwrap();
    assert!(!proof.contains("0002"), "it tells of nothing else");
    // A viewer's copies are marked: the PDF is what was filed and an update behind it, the picture is a picture.
    assert!(text.contains("voucher.pdf from byte "), "{text}");
    let picture = ann
        .get("/dav/acme/gl/2024-03/payment/0001/voucher.png")
        .body;
    fs::write(folder.join("voucher.png"), picture).unwrap();
    let (status, text) = check();
    assert_eq!(status, Some(0), "{text}");
    assert!(
        text.contains("2 objects") && text.contains("voucher.png (a marked copy)"),
        "{text}"
    );
    fs::remove_file(folder.join("voucher.png")).unwrap();
    let whole = fs::read(folder.join("voucher.pdf")).unwrap();
    let mut forged = whole.clone();
    forged[100] ^= 1;
    fs::write(folder.join("voucher.pdf"), forged).unwrap();
    let (status, text) = check();
    assert_eq!(status, Some(1));
    assert!(text.contains("voucher.pdf, file: expected"), "{text}");
    fs::write(folder.join("voucher.pdf"), whole).unwrap();
    // A pipe and a link are no files of the folder; an earlier checkpoint is not ignored in silence.
    fs::rename(folder.join("voucher.json"), folder.join("kept")).unwrap();
    let fifo = Command::new("mkfifo")
        .arg(folder.join("voucher.json"))
        .status();
    assert!(fifo.unwrap().success());
    let (status, text) = check();
    assert_eq!(status, Some(1));
    assert!(text.contains("not a regular file"), "{text}");
    fs::remove_file(folder.join("voucher.json")).unwrap();
    fs::rename(folder.join("kept"), folder.join("voucher.json")).unwrap();
    let earlier = archive.folder.path().join("earlier");
    fs::write(&earlier, published(&ann).1).unwrap();
    let (status, _) = outcome(
        Command::new(verifier())
            .arg(&folder)
            .args(["--since", earlier.to_str().unwrap()]),
    );
    assert_eq!(status, Some(1));
    // The tlog-proof alone will do, and a forged one will not.
    fs::remove_file(folder.join("proof.json")).unwrap();
    let proof = archive.command(&["prove", "/acme/gl/2024-03/payment/0001/voucher.pdf"]);
    fs::write(folder.join("voucher.tlog-proof"), &proof).unwrap();
    assert_eq!(check().0, Some(0));
    fs::write(
        folder.join("voucher.tlog-proof"),
        proof.replace("index 1", "index 2"),
    )
    .unwrap();
    assert_eq!(check().0, Some(1));
    let json = archive.command(&["prove", "/acme/gl/2024-03/payment/0001", "--json"]);
    assert!(json.contains("\"vkey\""), "{json}");
    for (path, status) in [
        ("/acme/gl/2024-03/payment/0099", 2),
        ("/acme/", 2),
        ("/_inbox/x", 2),
    ] {
        run_expecting(status, &["prove", path, "--archive", archive.text()]);
    }
}

#[test]
fn a_head_that_claims_more_than_there_is_does_not_keep_the_verifier_busy() {
    use vouchsafe_evidence::checkpoint::Checkpoint;
    use vouchsafe_evidence::digest::Digest;
    use vouchsafe_evidence::key::{KeyKind, SigningNoteKey};
    let folder = tempfile::tempdir().unwrap();
    let key = SigningNoteKey::from_seed("vouchsafe/big", KeyKind::Note, &[1; 32]).unwrap();
    fs::create_dir(folder.path().join("tile")).unwrap();
    fs::write(folder.path().join("vkey"), key.verifier().to_string()).unwrap();
    for size in [1 << 40, 1 << 53, 1 << 62, u64::MAX] {
        let checkpoint = Checkpoint {
            origin: "vouchsafe/big".to_owned(),
            size,
            root: Digest([7; 32]),
        };
        fs::write(folder.path().join("checkpoint"), checkpoint.sign(&key)).unwrap();
        let (status, text) = outcome(
            Command::new("timeout")
                .arg("20")
                .arg(verifier())
                .arg(folder.path()),
        );
        assert_eq!(status, Some(1), "{size}: {text}");
    }
    // What is verified writes nothing over the answer.
    let escape = "vouchsafe/\u{1b}[2Jx";
    assert!(SigningNoteKey::from_seed(escape, KeyKind::Note, &[1; 32]).is_err());
}
