//! Traces: who looked at a voucher, what somebody looked at, bursts, and their export.

use serde_json::Value;

use crate::client::Client;
use crate::matching::{PLACE, voucher};
use crate::served::{Archive, Served};

fn filed(count: usize) -> (Archive, Served) {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    for number in 1..=count {
        let number = format!("{number:04}");
        let path = format!("{PLACE}/{number}/voucher.json");
        assert_eq!(
            erp.put(&path, voucher(&number, "12.00").to_string()).status,
            201
        );
    }
    (archive, served)
}

fn traces(client: &Client, query: &str) -> Vec<Value> {
    let answer = client.get(&format!("/api/v1/traces?{query}"));
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["traces"].as_array().unwrap().clone()
}

#[test]
fn looks_are_seen_by_voucher_by_folder_and_by_person() {
    let (archive, served) = filed(2);
    let (ann, ben) = (served.client("ann"), served.client("ben"));
    assert_eq!(ann.get(&format!("{PLACE}/0001/voucher.png")).status, 200);
    assert_eq!(ann.get(&format!("{PLACE}/0002/voucher.pdf")).status, 200);
    let path = "path=/acme/gl/2024-03/payment/0001";
    let of_voucher = traces(&ben, path);
    assert_eq!(of_voucher.len(), 1, "{of_voucher:?}");
    assert_eq!(of_voucher[0]["name"], "ann");
    assert_eq!(of_voucher[0]["file"], "voucher.png");
    assert_eq!(of_voucher[0]["from"], "127.0.0.1");
    let below: Vec<Value> = traces(&ben, "path=/acme/gl");
    let files: Vec<&str> = below
        .iter()
        .map(|it| it["file"].as_str().unwrap())
        .collect();
    assert_eq!(files, ["voucher.png", "voucher.pdf"]);
    assert_eq!(traces(&ben, "user=ann").len(), 2);
    // Everybody their own, and nobody else's.
    assert_eq!(traces(&ann, "user=ann").len(), 2);
    assert_eq!(ann.get("/api/v1/traces?user=ben").status, 403);
    assert_eq!(ann.get(&format!("/api/v1/traces?{path}")).status, 403);
    assert_eq!(
        served
            .client("eve")
            .get(&format!("/api/v1/traces?{path}"))
            .status,
        404
    );
    assert_eq!(ben.get("/api/v1/traces").json()["field"], "path");
    // Of a user who is not there as of one who never looked.
    assert!(traces(&ben, "user=nobody-of-this-name").is_empty());
    // In the history, for those who may see traces; reading it changes nothing in it.
    let history = |client: &Client| client.get(&format!("{PLACE}/0001/history.json"));
    let (one, again) = (history(&ben), history(&ben));
    assert_eq!(one.body, again.body);
    assert_eq!(one.json()["views"][0]["by"], "ann");
    assert_eq!(one.json()["views"][0]["views"], 1);
    assert!(history(&ann).json().get("views").is_none());
    drop(served);
    let report = archive.command(&["reindex"]);
    assert!(report.contains("same"), "{report}");
}

#[test]
fn traces_are_exported_whole_as_csv_and_ndjson() {
    let (_archive, served) = filed(1);
    let (ann, ben) = (served.client("ann"), served.client("ben"));
    let agent = [("User-Agent", "=cmd|' /C calc'!A0")];
    for _ in 0..1_203 {
        let answer = ann.ask("GET", &format!("{PLACE}/0001/voucher.png"), &agent, b"");
        assert_eq!(answer.status, 200);
    }
    let answer = ben.get("/api/v1/traces?user=ann&form=csv");
    assert!(answer.header("content-type").starts_with("text/csv"));
    let text = answer.text();
    assert_eq!(text.lines().count(), 1_204, "a heading and every trace");
    assert!(
        text.lines()
            .nth(1)
            .unwrap()
            .contains(",'=cmd|' /C calc'!A0,"),
        "{text:.400}"
    );
    let lines = ben.get("/api/v1/traces?user=ann&form=ndjson").text();
    let entries: Vec<u64> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["entry"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(entries.len(), 1_203);
    assert!(
        entries.is_sorted_by(|one, other| one < other),
        "each once, in order"
    );
    // In pages as JSON.
    let first = ben.get("/api/v1/traces?user=ann").json();
    assert_eq!(first["traces"].as_array().unwrap().len(), 1_000);
    let next = first["next"].as_str().unwrap();
    let rest = ben
        .get(&format!("/api/v1/traces?user=ann&after={next}"))
        .json();
    assert_eq!(rest["traces"].as_array().unwrap().len(), 203);
    assert_eq!(
        ben.get("/api/v1/traces?user=ann&form=xls").json()["field"],
        "form"
    );
}

#[test]
fn who_looks_at_unusually_much_is_flagged_to_those_who_verify_all() {
    let (archive, served) = filed(5);
    archive.command(&["user", "add", "cora"]);
    archive.command(&["grant", "add", "cora", "compliance", "/"]);
    let cora = served.client("cora");
    for number in 1..=5 {
        served
            .client("ann")
            .get(&format!("{PLACE}/{number:04}/voucher.png"));
    }
    for _ in 0..9 {
        served
            .client("erp")
            .get(&format!("{PLACE}/0001/voucher.png"));
    }
    let flagged = cora.get("/api/v1/bursts?vouchers=4&minutes=5").json();
    let bursts = flagged["bursts"].as_array().unwrap();
    assert_eq!(bursts.len(), 1, "{bursts:?}");
    assert_eq!(
        (&bursts[0]["name"], &bursts[0]["vouchers"]),
        (&"ann".into(), &5.into())
    );
    assert!(
        cora.get("/api/v1/bursts").json()["bursts"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert_eq!(served.client("ann").get("/api/v1/bursts").status, 403);
    assert_eq!(
        cora.get("/api/v1/bursts?since=yesterday").json()["field"],
        "since"
    );
}

#[test]
fn a_look_at_the_logs_own_objects_is_among_the_traces() {
    let (archive, served) = filed(3);
    archive.command(&["user", "add", "cora"]);
    archive.command(&["grant", "add", "cora", "auditor", "/"]);
    let cora = served.client("cora");
    let history = cora.get(&format!("{PLACE}/0001/history.json")).json();
    let digests: Vec<String> = history["versions"][0]["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["blake3"].as_str().unwrap().to_owned())
        .collect();
    for digest in &digests {
        let path = format!("/dav/_audit/objects/{}/{}", &digest[..2], &digest[2..]);
        assert_eq!(cora.get(&path).status, 200, "{path}");
    }
    let own = traces(&cora, "user=cora");
    assert_eq!(own.len(), digests.len(), "{own:?}");
    assert_eq!(traces(&cora, "path=/_audit").len(), digests.len());
    // Many objects are as many vouchers.
    let flagged = cora.get("/api/v1/bursts?vouchers=2").json();
    assert_eq!(flagged["bursts"][0]["vouchers"], digests.len());
    assert_eq!(
        served
            .client("ann")
            .get("/api/v1/traces?path=/_audit")
            .status,
        404
    );
}
