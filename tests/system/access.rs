//! Who may do what beyond the table: what is hidden, groups, and who could see what at a time.

use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::proof::InclusionProof;
use vouchsafe_evidence::rotation::KeyHistory;

use crate::access_table::filed;
use crate::client::Client;
use crate::matching::{PLACE, voucher};
use crate::served::Archive;

/// Milliseconds that answers to these paths took, asked in turns so that the machine's moods fall on both.
fn times(client: &Client, paths: [&str; 2], turns: usize) -> [Vec<f64>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..2 * turns {
        let which = turn % 2;
        let began = Instant::now();
        assert_eq!(client.get(paths[which]).status, 404);
        times[which].push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    times
}

/// The greatest difference between the shares of both samples that lie below any value (Kolmogorov and Smirnov).
fn distance(one: &[f64], other: &[f64]) -> f64 {
    let below = |sample: &[f64], value: f64| {
        sample.iter().filter(|it| **it <= value).count() as f64 / sample.len() as f64
    };
    let values = one.iter().chain(other);
    values
        .map(|value| (below(one, *value) - below(other, *value)).abs())
        .fold(0.0, f64::max)
}

#[test]
fn what_is_hidden_takes_as_long_as_what_is_not_there() {
    let (_archive, served, _) = filed();
    let nobody = served.client("nobody");
    let hidden = format!("{PLACE}/0001/voucher.json");
    let absent = format!("{PLACE}/9999/voucher.json");
    nobody.get(&hidden);
    // With 400 of each, two samples of one distribution are further apart than this once in 10,000 times; a machine
    // with other work may need a second look.
    let limit = 2.2 * (2.0_f64 / 400.0).sqrt();
    let distances: Vec<f64> = (0..4)
        .map(|_| {
            let [one, other] = times(&nobody, [&hidden, &absent], 400);
            distance(&one, &other)
        })
        .take_while(|distance| *distance > limit)
        .collect();
    assert!(
        distances.len() < 4,
        "the distributions differ: {distances:?}, not below {limit}"
    );
}

#[test]
fn what_is_granted_to_a_group_is_granted_to_its_members_while_they_are_in_it() {
    let archive = Archive::new();
    let served = archive.serve();
    let place = format!("{PLACE}/0001/voucher.json");
    served
        .client("erp")
        .put(&place, voucher("0001", "12.00").to_string());
    let eve = served.client("eve");
    assert_eq!(eve.get(&place).status, 404);
    archive.command(&["grant", "add", "@accounting", "viewer", "/acme/"]);
    archive.command(&["group", "add", "@accounting", "eve"]);
    assert_eq!(eve.get(&place).status, 200);
    let listed = archive.command(&["group", "list"]);
    assert!(
        listed.contains("@accounting") && listed.contains("eve"),
        "{listed}"
    );
    archive.command(&["group", "remove", "accounting", "eve"]);
    assert_eq!(eve.get(&place).status, 404);
    let groups = archive.command(&["group", "list", "--json"]);
    assert_eq!(groups.trim(), "[]");
    // Again: a membership has more than one time.
    archive.command(&["group", "add", "accounting", "eve"]);
    assert_eq!(eve.get(&place).status, 200);
    drop(served);
    archive.command(&["reindex"]);
    archive.assert_well();
}

/// The names of those who could see it, in the order in which they were added.
fn names(access: &Value) -> Vec<String> {
    let people = access["people"].as_array().unwrap().iter();
    people
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn who_could_see_a_voucher_at_a_time_is_told_with_proof() {
    let archive = Archive::new();
    let served = archive.serve();
    let ben = served.client("ben");
    served.client("erp").put(
        &format!("{PLACE}/0001/voucher.json"),
        voucher("0001", "12.00").to_string(),
    );
    let now = || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let answer = ben.get("/api/v1/access?path=/acme").json();
        answer["at"].as_str().unwrap().to_owned()
    };
    let path = "/acme/gl/2024-03/payment/0001";
    let at = |time: &str| {
        ben.get(&format!("/api/v1/access?path={path}&at={time}"))
            .json()
    };
    let before = now();
    archive.command(&["group", "add", "@guests", "eve"]);
    archive.command(&["grant", "add", "@guests", "auditor", "/acme/gl/"]);
    let during = now();
    archive.command(&["group", "remove", "@guests", "eve"]);
    let after = now();
    assert_eq!(names(&at(&before)), ["erp", "ann", "ben"]);
    assert_eq!(names(&at(&after)), ["erp", "ann", "ben"]);
    let told = at(&during);
    assert_eq!(names(&told), ["erp", "ann", "ben", "eve"]);
    let eve = told["people"].as_array().unwrap().last().unwrap();
    assert_eq!(eve["because"][0]["group"], "@guests");
    assert_eq!(eve["because"][0]["entries"].as_array().unwrap().len(), 2);
    // Each proof is one that the log's key verifies, of an entry that says what is claimed.
    let key = std::fs::read_to_string(archive.path().join("vkey")).unwrap();
    let keys = KeyHistory::new(VerifierKey::parse(key.trim()).unwrap());
    let proofs = told["proofs"].as_array().unwrap();
    assert!(proofs.len() >= 5, "{proofs:?}");
    for proof in proofs {
        let read = InclusionProof::parse(proof["proof"].as_str().unwrap()).unwrap();
        read.verify(&read.extra, &keys).unwrap();
        let entry: Value = serde_json::from_slice(&read.extra).unwrap();
        assert_eq!(entry["seq"], proof["entry"]);
        let kind = entry["kind"].as_str().unwrap();
        assert!(
            ["grant.added", "group.member_added"].contains(&kind),
            "{kind}"
        );
    }
    // The command line says the same of grants.
    let grants = archive.command(&["grant", "list", "--at", &during]);
    assert!(grants.contains("@guests"), "{grants}");
    // Not for those who only look.
    let ann = served
        .client("ann")
        .get(&format!("/api/v1/access?path={path}"));
    assert_eq!(ann.status, 403);
}

#[test]
fn an_end_takes_effect_on_an_open_connection() {
    let archive = Archive::new();
    let served = archive.serve();
    let place = format!("{PLACE}/0001/voucher.json");
    served
        .client("erp")
        .put(&place, voucher("0001", "12.00").to_string());
    let end = jiff::Timestamp::now() + std::time::Duration::from_secs(3);
    archive.command(&[
        "grant",
        "add",
        "eve",
        "reviewer",
        "/acme/",
        "--until",
        &end.to_string(),
    ]);
    let eve = served.client("eve");
    assert_eq!(eve.get(&place).status, 200);
    // Listens before the end, and is told nothing after it.
    let events = Command::new("curl")
        .args(["-sSN", "--max-time", "6", "-u"])
        .arg(format!("eve:{}", crate::served::PASSWORD))
        .arg(format!("{}/api/v1/queue/events", served.url))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while jiff::Timestamp::now() <= end {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // The same connection, kept alive by the client.
    assert_eq!(eve.get(&place).status, 404);
    served.client("erp").put(
        &format!("{PLACE}/0002/voucher.json"),
        voucher("0002", "12.00").to_string(),
    );
    let output = events.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("0001") && !text.contains("0002"), "{text}");
}

#[test]
fn rights_are_told_to_drives_and_programs() {
    let (_archive, served, _) = filed();
    let ask =
        "<D:propfind xmlns:D='DAV:'><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>";
    let privileges = |who: &str, path: &str| {
        let answer = served
            .client(who)
            .ask("PROPFIND", path, &[("Depth", "0")], ask.as_bytes());
        assert_eq!(answer.status, 207);
        answer.text()
    };
    let voucher = format!("{PLACE}/0001");
    let uploader = privileges("uploader", &voucher);
    assert!(
        uploader.contains("<D:bind/>") && !uploader.contains(":review"),
        "{uploader}"
    );
    assert!(privileges("reviewer", &voucher).contains("<V:review"));
    let viewer = privileges("viewer", &format!("{voucher}/voucher.json"));
    assert!(
        viewer.contains("<D:read/>") && !viewer.contains("write-content"),
        "{viewer}"
    );
    assert!(privileges("uploader", &format!("{voucher}/voucher.json")).contains("write-content"));
    assert!(!privileges("uploader", &format!("{voucher}/history.json")).contains("write-content"));
    let all = served
        .client("viewer")
        .ask("PROPFIND", &voucher, &[("Depth", "0")], b"");
    assert!(
        !all.text().contains("privilege"),
        "not among all properties: RFC 3744, section 5"
    );
    let rights = |who: &str| {
        served
            .client(who)
            .get("/api/v1/rights?path=/acme/gl/2024-03/payment/0001")
    };
    assert_eq!(rights("reviewer").json()["review"], json!(true));
    assert_eq!(
        rights("viewer").json(),
        json!({
            "read": true, "write-content": false, "bind": false, "unbind": false, "review": false, "submit": false, "verify": false,
        })
    );
    assert_eq!(rights("nobody").status, 404);
}

#[test]
fn where_a_page_ends_tells_no_name_that_one_may_not_see() {
    let archive = Archive::new();
    let served = archive.serve();
    let count = 1_030;
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let erp = served.client("erp");
            scope.spawn(move || {
                for number in (thread..count).step_by(8) {
                    let number = format!("{number:04}");
                    let path = format!("{PLACE}/{number}/voucher.json");
                    assert_eq!(
                        erp.put(&path, voucher(&number, "12.00").to_string()).status,
                        201
                    );
                }
            });
        }
    });
    let page = |who: &str, after: &str| {
        let asked = format!("/api/v1/tree?path=/acme/gl/2024-03/payment&after={after}");
        let told = served.client(who).get(&asked).json();
        let children = told["children"].as_array().unwrap().iter();
        let names: Vec<String> = children
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect();
        (names, told["next"].as_str().map(str::to_owned))
    };
    let (all, next) = page("erp", "");
    assert_eq!((all.len(), next.as_deref()), (1_024, Some("1023")));
    assert_eq!(page("erp", "1023").0.len(), 6);
    // Two of them, one on each side of where the archive's own page ends.
    for number in ["0007", "1029"] {
        archive.command(&[
            "grant",
            "add",
            "eve",
            "viewer",
            &format!("/acme/gl/2024-03/payment/{number}/"),
        ]);
    }
    let (first, next) = page("eve", "");
    assert_eq!(
        (first, next.as_deref()),
        (vec!["0007".to_owned()], Some("0007"))
    );
    assert_eq!(page("eve", "0007"), (vec!["1029".to_owned()], None));
}
