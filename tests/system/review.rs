//! Reviewers: their queue, live; decisions, signed with their own keys; and who may not.

use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use crate::client::Client;
use crate::matching::{PLACE, image_set, paper, voucher};
use crate::served::{Archive, Served, run_expecting, vouchsafe};

pub fn reviewed(client: &Client, number: &str, decision: &str, comment: &str) -> u16 {
    let body = json!({"decision": decision, "comment": comment}).to_string();
    client
        .put(&format!("{PLACE}/{number}/review.json"), body)
        .status
}

pub fn filed(client: &Client, number: &str, amount: &str) {
    let path = format!("{PLACE}/{number}/voucher.json");
    let status = client
        .put(&path, voucher(number, amount).to_string())
        .status;
    assert_eq!(status, 201);
}

/// An archive with the reviewers rita and 张三, served.
pub fn begun() -> (Archive, Served) {
    let archive = Archive::new();
    for name in ["rita", "张三"] {
        archive.command(&["user", "add", name]);
        archive.command(&["grant", "add", name, "reviewer", "/acme/*/2024-*/"]);
    }
    let served = archive.serve();
    (archive, served)
}

fn queue(client: &Client) -> Vec<String> {
    let answer = client.get("/api/v1/queue").json();
    let vouchers = answer["vouchers"].as_array().unwrap();
    let path = |it: &Value| it["path"].as_str().unwrap().to_owned();
    vouchers.iter().map(path).collect()
}

/// Whether openssl, which knows nothing of ours, finds the note signed by the key.
pub fn openssl_verifies(note: &str, vkey: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let (text, line) = note.split_once("\n\n— ").unwrap();
    let (name, signature) = line.trim_end().split_once(' ').unwrap();
    assert_eq!(vkey.split('+').next().unwrap(), name);
    let signature = BASE64.decode(signature).unwrap();
    let key = BASE64.decode(vkey.splitn(3, '+').nth(2).unwrap()).unwrap();
    assert_eq!((key.len(), key[0], signature.len()), (33, 1, 68));
    // SubjectPublicKeyInfo of an Ed25519 key (RFC 8410).
    let der = [
        b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
        &key[1..],
    ]
    .concat();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let (der, text) = (
        write("key", &der),
        write("text", format!("{text}\n").as_bytes()),
    );
    let signature = write("signature", &signature[4..]);
    let done = Command::new("openssl")
        .args(["pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-rawin"])
        .args(["-inkey", &der, "-in", &text, "-sigfile", &signature])
        .output()
        .expect("openssl; `make test-packages` installs it");
    done.status.success()
}

#[test]
fn a_review_is_signed_over_what_was_decided_on_and_openssl_verifies_it() {
    let (archive, served) = begun();
    let (erp, rita, ann) = (
        served.client("erp"),
        served.client("rita"),
        served.client("ann"),
    );
    let work = tempfile::tempdir().unwrap();
    filed(&erp, "0001", "12000.00");
    assert_eq!(ann.get(&format!("{PLACE}/0001/review.json")).status, 404);
    // Without a scan that matches, an approval needs a reason.
    let refused = rita.put(
        &format!("{PLACE}/0001/review.json"),
        r#"{"decision":"approve"}"#,
    );
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["field"], "comment");
    let scan = paper(work.path(), &voucher("0001", "12000.00"), "jpg");
    assert_eq!(
        erp.put(&format!("{PLACE}/0001/scan-1.jpg"), &scan).status,
        201
    );
    assert_eq!(image_set(&rita, "0001"), "complete");
    assert_eq!(queue(&rita), ["/acme/gl/2024-03/payment/0001"]);
    assert_eq!(reviewed(&rita, "0001", "approve", ""), 201);
    assert_eq!(
        reviewed(&rita, "0001", "approve", ""),
        204,
        "the same again changes nothing"
    );
    assert!(queue(&rita).is_empty());

    let told = ann.get(&format!("{PLACE}/0001/review.json")).json();
    assert_eq!(
        (&told["decision"], &told["reviewer"]),
        (&json!("approve"), &json!("rita"))
    );
    assert_eq!(told["image_set"], "complete");
    let note = ann.get(&format!("{PLACE}/0001/review.note")).body;
    let note = String::from_utf8(note).unwrap();
    assert_eq!(told["note"], note);
    // The seals stand on the reviewed picture and in the PDF, in red, and lead to the note.
    let plain = ann.get(&format!("{PLACE}/0001/voucher.png")).body;
    let stamped = ann.get(&format!("{PLACE}/0001/reviewed.png")).body;
    let red = |png: &[u8]| {
        let picture = image::load_from_memory(png).unwrap().to_rgb8();
        let red = |it: &&image::Rgb<u8>| it.0[0] > 180 && it.0[1] < 60 && it.0[2] < 60;
        picture.pixels().filter(red).count()
    };
    assert!(red(&stamped) > red(&plain) + 3_000);
    let file = work.path().join("reviewed.pdf");
    std::fs::write(&file, ann.get(&format!("{PLACE}/0001/reviewed.pdf")).body).unwrap();
    let text = Command::new("pdftotext").arg(&file).arg("-").output();
    let text = text
        .expect("pdftotext; `make test-packages` installs it")
        .stdout;
    let text = String::from_utf8(text).unwrap();
    let vkey = told["key"].as_str().unwrap();
    let key = format!("key {}", vkey.split('+').nth(1).unwrap());
    for seal in ["rita", "审核 20", "制单 20", &key, "张三"] {
        assert!(text.contains(seal), "{seal} in {text}");
    }
    assert!(openssl_verifies(&note, vkey));
    assert!(!openssl_verifies(&note.replace("approve", "reject"), vkey));
    // Every file that was decided on is named by its digest, which the history has, too.
    let history = ann.get(&format!("{PLACE}/0001/history.json")).json();
    assert_eq!(history["review"], "approved");
    for name in [
        "voucher.json",
        "voucher.pdf",
        "voucher.png",
        "scan-1.jpg",
        "match.json",
    ] {
        let line = note
            .lines()
            .find(|line| line.ends_with(&format!(" {name}")));
        let digest = line.unwrap().split([' ', ':']).nth(2).unwrap();
        assert!(history.to_string().contains(digest), "{name}");
    }
    // The public key is in the log: whoever sees all entries finds it there.
    archive.assert_well();
    let out = archive.folder.path().join("export");
    archive.command(&["export", "/", "--out", out.to_str().unwrap()]);
    let entries = std::fs::read_dir(out.join("data/log/tile/entries")).unwrap();
    let found = entries
        .flat_map(|it| {
            let path = it.unwrap().path();
            let files = if path.is_dir() {
                std::fs::read_dir(&path)
                    .unwrap()
                    .map(|it| it.unwrap().path())
                    .collect()
            } else {
                vec![path]
            };
            files
                .into_iter()
                .map(|file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned())
        })
        .any(|bundle| bundle.contains("user.key_added") && bundle.contains(vkey));
    assert!(found);
    run_expecting(0, &["verify", out.to_str().unwrap()]);
    let part = archive.folder.path().join("part");
    archive.command(&[
        "export",
        "/acme/gl/2024-03/",
        "--out",
        part.to_str().unwrap(),
    ]);
    run_expecting(0, &["verify", part.to_str().unwrap()]);
    drop(served);
    archive.command(&["reindex"]);
}

#[test]
fn a_review_is_of_what_its_reviewer_has_seen() {
    let (_archive, served) = begun();
    let (erp, rita) = (served.client("erp"), served.client("rita"));
    filed(&erp, "0001", "120.00");
    let file = format!("{PLACE}/0001/review.json");
    let put = |comment: &str, name: &str, value: &str| {
        let wish = json!({"decision": "approve", "comment": comment}).to_string();
        let answer = rita.ask("PUT", &file, &[(name, value)], wish.as_bytes());
        answer.status
    };
    assert_eq!(put("first", "If-Match", "*"), 412);
    assert_eq!(rita.get(&file).status, 404, "nothing was filed");
    assert_eq!(put("first", "If-None-Match", "*"), 201);
    let tag = rita.get(&file).header("etag").to_owned();
    assert_eq!(put("second", "If-None-Match", "*"), 412);
    assert_eq!(put("second", "If-Match", "\"other\""), 412);
    assert_eq!(rita.get(&file).json()["comment"], "first");
    assert_eq!(put("second", "If-Match", &tag), 201);
    assert_eq!(rita.get(&file).json()["comment"], "second");
    assert_eq!(put("third", "If-Match", &tag), 412);
}

#[test]
fn a_rejected_voucher_goes_back_and_its_next_version_starts_anew() {
    let (archive, served) = begun();
    let (erp, rita) = (served.client("erp"), served.client("rita"));
    filed(&erp, "0002", "12000.00");
    assert_eq!(
        reviewed(&rita, "0002", "reject", " "),
        400,
        "a rejection has a reason"
    );
    assert_eq!(reviewed(&rita, "0002", "reject", "附件不全"), 201);
    assert_eq!(reviewed(&rita, "0002", "approve", "doch"), 409);
    let history = rita.get(&format!("{PLACE}/0002/history.json")).json();
    assert_eq!(history["review"], "rejected");
    filed(&erp, "0002", "12500.00");
    assert_eq!(queue(&rita), ["/acme/gl/2024-03/payment/0002"]);
    let history = rita.get(&format!("{PLACE}/0002/history.json")).json();
    assert_eq!(history["review"], "waiting");
    assert_eq!(rita.get(&format!("{PLACE}/0002/review.json")).status, 404);
    let old = rita
        .get(&format!("{PLACE}/0002/review.json?version=1"))
        .json();
    assert_eq!(
        (&old["decision"], &old["comment"]),
        (&json!("reject"), &json!("附件不全"))
    );
    assert_eq!(reviewed(&rita, "0002", "approve", "no scan will come"), 201);
    let note = rita.get(&format!("{PLACE}/0002/review.note")).body;
    let note = String::from_utf8(note).unwrap();
    assert!(note.contains("\nversion 2\n") && note.contains("\nimage-set awaiting-scan\n"));
    // An approval can be taken back by somebody who finds a fault later.
    assert_eq!(reviewed(&rita, "0002", "reject", "wrong account"), 201);
    archive.assert_well();
}

#[test]
fn nobody_reviews_what_they_prepared_nor_what_they_may_not() {
    let (archive, served) = begun();
    archive.command(&["grant", "add", "erp", "reviewer", "/acme/"]);
    let (erp, rita) = (served.client("erp"), served.client("rita"));
    filed(&erp, "0003", "12000.00");
    // erp filed it; 张三 is its preparer by name; ann only looks; eve sees nothing.
    assert_eq!(reviewed(&erp, "0003", "approve", "mine"), 403);
    assert_eq!(
        reviewed(&served.client("张三"), "0003", "approve", "mine"),
        403
    );
    assert_eq!(reviewed(&served.client("ann"), "0003", "approve", "x"), 403);
    assert_eq!(reviewed(&served.client("eve"), "0003", "approve", "x"), 404);
    assert_eq!(reviewed(&rita, "0004", "approve", "x"), 404);
    for nobody in ["erp", "张三", "ann", "eve"] {
        assert!(queue(&served.client(nobody)).is_empty(), "{nobody}");
    }
    // A token opens no key.
    let token = archive.command(&["token", "add", "rita"]);
    let token = token
        .split_whitespace()
        .find(|it| it.starts_with("vouchsafe-token-"))
        .unwrap();
    let by_token = Client::new(&served.url, "rita", token);
    assert_eq!(reviewed(&by_token, "0003", "approve", "x"), 403);
    for (bad, field) in [
        ("", ""),
        ("{}", "decision"),
        (r#"{"decision":"perhaps"}"#, "decision"),
        (r#"{"decision":"approve","seal":1}"#, "seal"),
    ] {
        let answer = rita.put(&format!("{PLACE}/0003/review.json"), bad);
        assert_eq!(
            (answer.status, answer.json()["field"].as_str()),
            (400, Some(field)),
            "{bad}"
        );
    }
    assert_eq!(
        rita.put(&format!("{PLACE}/0003/review.note"), "x").status,
        403
    );
    assert_eq!(rita.get(&format!("{PLACE}/0003/review.json")).status, 404);
    archive.assert_well();
}

#[test]
fn a_new_password_means_a_new_key_and_old_signatures_stay_valid() {
    let (archive, served) = begun();
    let (erp, rita) = (served.client("erp"), served.client("rita"));
    filed(&erp, "0005", "12000.00");
    filed(&erp, "0006", "12000.00");
    let signed = |client: &Client, number: &str| {
        assert_eq!(reviewed(client, number, "approve", "no scan"), 201);
        let told = client.get(&format!("{PLACE}/{number}/review.json")).json();
        let text = |name: &str| told[name].as_str().unwrap().to_owned();
        (text("note"), text("key"))
    };
    let before = signed(&rita, "0005");
    let mut command = vouchsafe();
    command.env("VOUCHSAFE_PASSWORD", "Another-Horse-9");
    let done = command
        .args(["user", "passwd", "rita", "--archive", archive.text()])
        .status();
    assert!(done.unwrap().success());
    let after = signed(&Client::new(&served.url, "rita", "Another-Horse-9"), "0006");
    assert_ne!(before.1, after.1);
    assert!(openssl_verifies(&before.0, &before.1) && openssl_verifies(&after.0, &after.1));
    // The keys are sealed: neither file nor log has what opens them.
    let kept = std::fs::read_to_string(archive.path().join("credentials.json")).unwrap();
    assert!(kept.contains("\"sealed\"") && !kept.contains("Another-Horse-9"));
    archive.command(&["user", "disable", "rita"]);
    archive.assert_well();
}

#[test]
fn whom_the_form_names_as_its_preparer_neither_reviews_nor_settles_it() {
    let (_archive, served) = begun();
    let erp = served.client("erp");
    let folder = tempfile::tempdir().unwrap();
    let mut data = voucher("0001", "12.00");
    data["preparer"] = "rita ".into();
    let path = format!("{PLACE}/0001");
    let filed = erp.put(&format!("{path}/voucher.json"), data.to_string());
    if filed.status == 201 {
        let scan = paper(folder.path(), &data, "png");
        assert_eq!(erp.put(&format!("{path}/scan-1.png"), &scan).status, 201);
        image_set(&erp, "0001");
        assert_eq!(
            reviewed(&served.client("rita"), "0001", "approve", "fine"),
            403
        );
        let settled = json!({"verdict": "match", "reason": "I know it"}).to_string();
        let by_rita = served
            .client("rita")
            .put(&format!("{path}/match.json"), settled);
        assert_eq!(by_rita.status, 403, "{by_rita:?}");
    } else {
        assert_eq!(filed.status, 400, "{filed:?}");
    }
    // A later version that names somebody else does not make her another person.
    data["preparer"] = "rita".into();
    let number = |data: &serde_json::Value| {
        let mut data = data.clone();
        data["number"] = "0002".into();
        data.to_string()
    };
    let path = format!("{PLACE}/0002/voucher.json");
    assert_eq!(erp.put(&path, number(&data)).status, 201);
    data["preparer"] = "somebody".into();
    assert_eq!(erp.put(&path, number(&data)).status, 201);
    assert_eq!(
        reviewed(&served.client("rita"), "0002", "approve", "fine"),
        403
    );
    assert_eq!(
        reviewed(&served.client("张三"), "0002", "approve", "fine"),
        201
    );
}
