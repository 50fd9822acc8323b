//! People's own signing keys: sealed under a password that changes, or kept in a file.

use serde_json::json;

use crate::client::Client;
use crate::matching::PLACE;
use crate::review::{begun, filed, openssl_verifies, reviewed};
use crate::served::{PASSWORD, vouchsafe};

/// Runs a command as somebody with this password, against a server.
fn as_rita(password: &str, old: Option<&str>, arguments: &[&str]) -> (i32, String) {
    let mut command = vouchsafe();
    command.env("VOUCHSAFE_PASSWORD", password).args(arguments);
    if let Some(old) = old {
        command.env("VOUCHSAFE_OLD_PASSWORD", old);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

#[test]
fn a_changed_password_keeps_the_key_and_a_forgotten_one_ends_it() {
    let (archive, served) = begun();
    let erp = served.client("erp");
    for number in ["0001", "0002", "0003", "0004"] {
        filed(&erp, number, "12.00");
    }
    let key = |password: &str, number: &str| {
        let rita = Client::new(&served.url, "rita", password);
        assert_eq!(reviewed(&rita, number, "approve", "the paper is here"), 201);
        let review = rita.get(&format!("{PLACE}/{number}/review.json")).json();
        review["key"].as_str().unwrap().to_owned()
    };
    let first = key(PASSWORD, "0001");
    // By herself, over the API.
    let change = |who: &Client, old: &str, new: &str| {
        who.put(
            "/api/v1/own/password",
            json!({"old": old, "new": new}).to_string(),
        )
    };
    let rita = served.client("rita");
    assert_eq!(change(&rita, "Wrong-Horse-9", "Second-Horse-9").status, 403);
    assert_eq!(change(&rita, PASSWORD, "short").json()["field"], "password");
    assert_eq!(change(&rita, PASSWORD, "Second-Horse-9").status, 204);
    assert_eq!(rita.list("/dav/").status, 401, "the old one holds no more");
    assert_eq!(key("Second-Horse-9", "0002"), first);
    // By an operator who knows the old one, and by one who does not.
    let passwd = ["user", "passwd", "rita", "--archive", archive.text()];
    let (status, text) = as_rita("Third-Horse-9", Some("Wrong-Horse-9"), &passwd);
    assert_eq!(status, 2, "{text}");
    let (status, text) = as_rita("Third-Horse-9", Some("Second-Horse-9"), &passwd);
    assert_eq!(status, 0, "{text}");
    assert_eq!(key("Third-Horse-9", "0003"), first);
    let (status, text) = as_rita("Fourth-Horse-9", None, &passwd);
    assert_eq!(status, 0, "{text}");
    assert_ne!(key("Fourth-Horse-9", "0004"), first);
    // What was signed with the first key stays valid.
    drop(served);
    archive.assert_well();
}

#[test]
fn a_key_in_a_file_signs_and_the_archive_never_has_it() {
    let (archive, served) = begun();
    let erp = served.client("erp");
    for number in ["0001", "0002"] {
        filed(&erp, number, "12.00");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rita.key").display().to_string();
    let to = ["--server", &served.url, "--user", "rita"];
    let review = |arguments: &[&str]| {
        let arguments = [&["review"], arguments, &to].concat();
        as_rita(PASSWORD, None, &arguments)
    };
    let (status, vkey) = review(&["--new-key", &file]);
    assert_eq!(status, 0, "{vkey}");
    let vkey = vkey.trim();
    // It is not written over, and it is for its owner's eyes only.
    assert_eq!(review(&["--new-key", &file]).0, 2);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o077, 0);
    let path = "/acme/gl/2024-03/payment/0001";
    assert_eq!(
        reviewed(&served.client("rita"), "0001", "approve", "here"),
        403,
        "not by password"
    );
    assert_eq!(
        review(&[path, "--key", &file]).0,
        2,
        "neither approved nor rejected"
    );
    let (status, text) = review(&[path, "--approve", "--key", &file]);
    assert_eq!(status, 2, "the pictures are not complete: {text}");
    assert!(text.contains("not complete"), "{text}");
    let (status, text) = review(&[
        path,
        "--approve",
        "--comment",
        "the paper is here",
        "--key",
        &file,
    ]);
    assert_eq!(status, 0, "{text}");
    let ann = served.client("ann");
    let told = ann.get(&format!("{PLACE}/0001/review.json")).json();
    assert_eq!(told["key"], vkey);
    let note = ann.get(&format!("{PLACE}/0001/review.note")).text();
    assert!(openssl_verifies(&note, vkey));
    // A note over something else, by another key, or of another day is none.
    let signing = std::fs::read_to_string(&file).unwrap();
    let key = vouchsafe_evidence::key::SigningNoteKey::parse(&signing).unwrap();
    let rita = served.client("rita");
    let wish = json!({"decision": "reject", "comment": "the sum"});
    let statement = || {
        let asked = format!(
            "/api/v1/review-statement?path={}",
            path.replace("0001", "0002")
        );
        let answer = rita.ask("POST", &asked, &[], wish.to_string().as_bytes());
        answer.json()["statement"].as_str().unwrap().to_owned()
    };
    let send = |text: &str, key: &vouchsafe_evidence::key::SigningNoteKey| {
        let note = vouchsafe_evidence::note::Note::sign(text.to_owned(), key, 0).to_string();
        let mut body = wish.clone();
        body["note"] = note.into();
        rita.put(&format!("{PLACE}/0002/review.json"), body.to_string())
    };
    let text = statement();
    let year = text.split("\ntime ").nth(1).unwrap()[..4].to_owned();
    let old = text.replace(&format!("\ntime {year}"), "\ntime 2001");
    assert_eq!(send(&old, &key).json()["field"], "note");
    let approving = text.replace("decision reject", "decision approve");
    assert_eq!(send(&approving, &key).status, 409);
    let name = vkey.split('+').next().unwrap();
    let kind = vouchsafe_evidence::key::KeyKind::Note;
    let other = vouchsafe_evidence::key::SigningNoteKey::from_seed(name, kind, &[7; 32]).unwrap();
    assert_eq!(send(&text, &other).json()["field"], "note");
    assert_eq!(ann.get(&format!("{PLACE}/0002/review.json")).status, 404);
    assert_eq!(send(&text, &key).status, 201);
    // Somebody else's name is not on the key.
    let stranger = vkey.replace(name, &format!("{name}9"));
    let own = json!({"password": PASSWORD, "vkey": stranger}).to_string();
    assert_eq!(rita.put("/api/v1/own/key", own).json()["field"], "vkey");
    // Back to a key that the password opens.
    let own = json!({"password": PASSWORD, "vkey": null}).to_string();
    assert_eq!(rita.put("/api/v1/own/key", own).status, 204);
    filed(&erp, "0003", "12.00");
    assert_eq!(reviewed(&rita, "0003", "approve", "here"), 201);
    drop(served);
    archive.assert_well();
}
