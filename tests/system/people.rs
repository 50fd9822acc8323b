//! Who may do what, on the tree, from the first day.

use crate::client::Client;
use crate::served::{Archive, PASSWORD, run_expecting, voucher, vouchsafe};

const PLACE: &str = "acme/gl/2024-03/payment/0001";
const OTHER: &str = "other/gl/2024-03/payment/0001";
const EARLIER: &str = "acme/gl/2023-12/payment/0001";

fn filed() -> (Archive, crate::served::Served) {
    let archive = Archive::new();
    archive.command(&["user", "add", "dora"]);
    archive.command(&["grant", "add", "dora", "auditor", "/acme/gl/2023-12/"]);
    let served = archive.serve();
    for place in [PLACE, OTHER, EARLIER] {
        let answer = served.client("erp").put(
            &format!("/dav/{place}/voucher.json"),
            voucher(place, "1.00"),
        );
        assert_eq!(answer.status, 201);
    }
    (archive, served)
}

/// What each user's GET, PUT, DELETE and PROPFIND of each place are answered with.
#[test]
fn every_role_sees_its_part_and_no_more() {
    let (archive, served) = filed();
    // user, place, GET, PUT, DELETE, PROPFIND
    let table = [
        ("erp", PLACE, 200, 204, 403, 207),
        ("erp", OTHER, 200, 204, 403, 207),
        ("ann", PLACE, 200, 403, 403, 207),
        ("ann", OTHER, 404, 404, 404, 404),
        ("ann", EARLIER, 404, 404, 404, 404),
        ("dora", EARLIER, 200, 403, 403, 207),
        ("dora", PLACE, 404, 404, 404, 404),
        ("ben", PLACE, 200, 403, 403, 207),
        ("ben", OTHER, 200, 403, 403, 207),
        ("root", PLACE, 404, 404, 404, 404),
        ("eve", PLACE, 404, 404, 404, 404),
        ("", PLACE, 401, 401, 401, 401),
    ];
    for (user, place, get, put, delete, propfind) in table {
        let client = served.client(user);
        let path = format!("/dav/{place}/voucher.json");
        let found = [
            client.get(&path).status,
            client.put(&path, voucher(place, "1.00")).status,
            client.ask("DELETE", &path, &[], b"").status,
            client.list(&path).status,
        ];
        assert_eq!(found, [get, put, delete, propfind], "{user} at {place}");
    }
    archive.assert_well();
}

#[test]
fn what_one_may_not_see_leaves_no_sign() {
    let (_archive, served) = filed();
    let ann = served.client("ann");
    for (path, shown, hidden) in [
        ("/dav/", "/acme/", "other"),
        ("/dav/acme/gl/", "/2024-03/", "2023-12"),
    ] {
        let listed = ann.list(path).text();
        assert!(
            listed.contains(shown) && !listed.contains(hidden),
            "{listed}"
        );
        let page = ann.get(path).text();
        assert!(page.contains(shown) && !page.contains(hidden), "{page}");
    }
    let (there, never) = (
        ann.get(&format!("/dav/{OTHER}/voucher.json")),
        ann.get("/dav/never/gl/2024-03/payment/0001/voucher.json"),
    );
    assert_eq!((there.status, &there.body), (never.status, &never.body));
    let names = |answer: &crate::client::Answer| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(&there), names(&never));
    // The times of a folder that one sees in part do not move with what one does not see.
    let times = || {
        let listed = ann.list("/dav/").text();
        let row = listed
            .split("<D:response>")
            .find(|row| row.contains("/dav/acme/"))
            .unwrap();
        row.to_owned()
    };
    let before = times();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let place = "acme/gl/2023-11/payment/0001";
    let path = format!("/dav/{place}/voucher.json");
    assert_eq!(
        served
            .client("erp")
            .put(&path, voucher(place, "1.00"))
            .status,
        201
    );
    assert_eq!(times(), before);
    // eve, who may see nothing, sees an empty root.
    assert_eq!(
        served
            .client("eve")
            .list("/dav/")
            .text()
            .matches("<D:response>")
            .count(),
        1
    );
}

#[test]
fn people_change_while_the_archive_is_served() {
    let (archive, served) = filed();
    let path = format!("/dav/{PLACE}/voucher.json");
    assert_eq!(served.client("eve").get(&path).status, 404);
    let granted = archive.command(&["grant", "add", "eve", "auditor", "/acme/"]);
    assert_eq!(served.client("eve").get(&path).status, 200);
    let id = granted.split(':').next().unwrap();
    archive.command(&["grant", "revoke", id]);
    assert_eq!(served.client("eve").get(&path).status, 404);
    assert_eq!(served.client("ann").get(&path).status, 200);
    let output = vouchsafe()
        .env("VOUCHSAFE_PASSWORD", "Another-Horse-8")
        .args(["user", "passwd", "ann", "--archive", archive.text()])
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(served.client("ann").get(&path).status, 401);
    let ann = Client::new(&served.url, "ann", "Another-Horse-8");
    assert_eq!(ann.get(&path).status, 200);
    archive.command(&["user", "disable", "ann"]);
    assert_eq!(ann.get(&path).status, 401);
    let listed = archive.command(&["user", "list"]);
    assert!(listed.contains("ann  disabled"), "{listed}");
    archive.assert_well();
}

#[test]
fn tokens_sign_their_user_in_until_they_end() {
    let (archive, served) = filed();
    let path = format!("/dav/{PLACE}/voucher.json");
    let token = archive.command(&["token", "add", "erp"]);
    let token = token.trim();
    assert_eq!(
        Client::new(&served.url, "erp", token).get(&path).status,
        200
    );
    assert_eq!(
        Client::new(&served.url, "ben", token).get(&path).status,
        401
    );
    let ended = archive.command(&["token", "add", "erp", "--until", "2020-01-01"]);
    assert_eq!(
        Client::new(&served.url, "erp", ended.trim())
            .get(&path)
            .status,
        401
    );
}

#[test]
fn a_token_is_for_its_part_of_the_tree_only() {
    let archive = Archive::new();
    let served = archive.serve();
    let token = archive.command(&["token", "add", "erp", "--scope", "/acme/"]);
    let erp = Client::new(&served.url, "erp", token.trim());
    let place = |company: &str| format!("/dav/{company}/gl/2024-03/payment/0001/voucher.json");
    let data = |company: &str| {
        let mut data = crate::matching::voucher("0001", "12.00");
        data["company"] = company.into();
        data.to_string()
    };
    assert_eq!(erp.put(&place("acme"), data("acme")).status, 201);
    assert_eq!(erp.put(&place("other"), data("other")).status, 404);
    assert_eq!(
        served
            .client("erp")
            .put(&place("other"), data("other"))
            .status,
        201
    );
    assert_eq!(erp.get(&place("other")).status, 404);
    let listed = erp.list("/dav/").text();
    assert!(
        listed.contains("acme") && !listed.contains("other"),
        "{listed}"
    );
    // What is filed by its content goes no further either.
    assert_eq!(
        erp.put(
            "/dav/_inbox/other.json",
            data("other").replace("12.00", "13.00")
        )
        .status,
        404
    );
    // It begins no session, which would be for more.
    let body = serde_json::json!({"name": "erp", "password": token.trim()}).to_string();
    let page = [("x-vouchsafe-page", "1")];
    let session = served
        .client("")
        .ask("POST", "/api/v1/session", &page, body.as_bytes());
    assert_eq!(session.status, 403);
    // Somebody else's name does not go with it.
    assert_eq!(
        Client::new(&served.url, "ann", token.trim())
            .list("/dav/")
            .status,
        401
    );
}

#[test]
fn a_grant_with_an_end_ends() {
    let (archive, served) = filed();
    let path = format!("/dav/{PLACE}/voucher.json");
    archive.command(&[
        "grant",
        "add",
        "eve",
        "viewer",
        "/acme/",
        "--until",
        "2020-01-01",
    ]);
    archive.command(&[
        "grant",
        "add",
        "eve",
        "viewer",
        "/acme/",
        "--from",
        "2100-01-01",
    ]);
    assert_eq!(served.client("eve").get(&path).status, 404);
    let listed = archive.command(&["grant", "list"]);
    let (ended, later) = (
        "/acme/  until 2020-01-01T00:00:00.000Z",
        "/acme/  from 2100-01-01T00:00:00.000Z",
    );
    assert!(listed.contains(ended) && listed.contains(later), "{listed}");
    let then = archive.command(&["grant", "list", "--at", "2100-06-01", "--json"]);
    let then: serde_json::Value = serde_json::from_str(&then).unwrap();
    let eves = then
        .as_array()
        .unwrap()
        .iter()
        .filter(|grant| grant["user"] == "eve")
        .count();
    assert_eq!(eves, 1, "{then}");
}

/// The kinds, bodies and paths of all entries, from an export of the whole log.
fn entries(archive: &Archive) -> Vec<vouchsafe_evidence::entry::Entry> {
    let out = archive.folder.path().join("export");
    run_expecting(
        0,
        &[
            "export",
            "/",
            "--archive",
            archive.text(),
            "--out",
            out.to_str().unwrap(),
        ],
    );
    let mut entries = Vec::new();
    let mut keep = |entry: &vouchsafe_evidence::entry::Entry| entries.push(entry.clone());
    let options = vouchsafe_evidence::verify::Options::new(&mut keep);
    let report = vouchsafe_evidence::folder::verify_path(&out, options).unwrap();
    assert!(report.ok, "{report}");
    entries
}

#[test]
fn looks_and_failed_sign_ins_are_entries_and_secrets_are_in_none() {
    let (archive, served) = filed();
    let ann = served.client("ann");
    ann.get(&format!("/dav/{PLACE}/voucher.png"));
    ann.ask("HEAD", &format!("/dav/{PLACE}/voucher.pdf"), &[], b"");
    ann.get(&format!("/dav/{PLACE}/history.json"));
    ann.list(&format!("/dav/{PLACE}/"));
    for _ in 0..3 {
        let wrong = Client::new(&served.url, "my-secret-typed-as-name", "wrong-secret-1");
        assert_eq!(wrong.get("/dav/").status, 401);
    }
    drop(served);
    let entries = entries(&archive);
    let views: Vec<_> = entries
        .iter()
        .filter(|entry| entry.kind == "view")
        .collect();
    assert_eq!(views.len(), 1, "only content that was shown leaves a trace");
    assert_eq!(views[0].path, format!("/{PLACE}"));
    assert_eq!(views[0].body["file"], "voucher.png");
    assert_eq!(views[0].body["from"], "127.0.0.1");
    let failed: Vec<_> = entries
        .iter()
        .filter(|entry| entry.kind == "login.failed")
        .collect();
    assert_eq!(
        failed.len(),
        1,
        "failures of one address are one entry in ten seconds"
    );
    let all = serde_json::to_string(&entries).unwrap();
    for secret in ["secret", PASSWORD, "支付三月房租", "张三"] {
        assert!(!all.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn a_signing_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let archive = Archive::new();
    let mode = std::fs::metadata(archive.path())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700, "the folder is its owner's alone");
    let key = archive.path().join("signing-key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
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
    assert!(text.contains("chmod 600"), "{text}");
}

#[test]
fn commands_wait_for_each_other() {
    let archive = Archive::new();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let archive = &archive;
            scope.spawn(move || archive.command(&["user", "add", &format!("p{number}")]));
        }
    });
    let listed = archive.command(&["user", "list"]);
    assert!(
        (0..4).all(|number| listed.contains(&format!("p{number}"))),
        "{listed}"
    );
}
