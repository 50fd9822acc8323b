//! Accountants: the scan of the paper is held against what was filed, by itself; people settle what is left.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::anchors::file;
use crate::client::Client;
use crate::served::{Archive, Served, run, run_expecting, vouchsafe};

pub const PLACE: &str = "/dav/acme/gl/2024-03/payment";

pub fn voucher(number: &str, amount: &str) -> Value {
    json!({"company":"acme","ledger":"gl","period":"2024-03","type":"payment","number":number,
        "date":"2024-03-05","currency":"CNY","attachments":1,"lines":[
            {"summary":"支付三月房租","account":"管理费用","subaccount":"房租","debit":amount},
            {"summary":"支付三月房租","account":"银行存款","credit":amount}],
        "preparer":"张三","reviewer":null,"bookkeeper":"李四","cashier":"王五"})
}

/// The paper of a voucher, as a scanner sees it.
pub fn paper(folder: &Path, voucher: &Value, ending: &str) -> Vec<u8> {
    let (data, scan) = (
        folder.join("paper.json"),
        folder.join(format!("paper.{ending}")),
    );
    std::fs::write(&data, voucher.to_string()).unwrap();
    run_expecting(
        0,
        &[
            "render",
            data.to_str().unwrap(),
            "--out",
            scan.to_str().unwrap(),
            "--dpi",
            "200",
        ],
    );
    std::fs::read(scan).unwrap()
}

pub fn image_set(client: &Client, number: &str) -> String {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let history = client.get(&format!("{PLACE}/{number}/history.json")).json();
        let state = history["image_set"].as_str().unwrap().to_owned();
        if state != "matching" || Instant::now() > until {
            return state;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// An archive with a reviewer, served, with one voucher filed by `erp`.
pub fn begun() -> (Archive, Served) {
    let archive = Archive::new();
    archive.command(&["user", "add", "rita"]);
    archive.command(&["grant", "add", "rita", "reviewer", "/acme/*/2024-*/"]);
    let served = archive.serve();
    file(&served.client("erp"), "0001");
    (archive, served)
}

#[test]
fn scans_are_compared_by_themselves_and_old_decisions_stay() {
    let archive = Archive::new();
    let served = archive.serve();
    let (erp, ann) = (served.client("erp"), served.client("ann"));
    let work = tempfile::tempdir().unwrap();
    let own = voucher("0007", "12000.00");
    assert_eq!(
        erp.put(&format!("{PLACE}/0007/voucher.json"), own.to_string())
            .status,
        201
    );
    assert_eq!(image_set(&ann, "0007"), "awaiting-scan");
    assert_eq!(ann.get(&format!("{PLACE}/0007/match.json")).status, 404);
    let altered = paper(work.path(), &voucher("0007", "17000.00"), "jpg");
    assert_eq!(
        erp.put(&format!("{PLACE}/0007/scan-1.jpg"), &altered)
            .status,
        201
    );
    assert_eq!(image_set(&ann, "0007"), "mismatch");
    let decided = ann.get(&format!("{PLACE}/0007/match.json")).json();
    let fields = decided["report"]["fields"].as_array().unwrap();
    let differing: Vec<&str> = fields
        .iter()
        .filter(|field| field["verdict"] == "mismatch")
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        differing,
        [
            "lines[0].debit",
            "lines[1].credit",
            "total.words",
            "total.debit",
            "total.credit"
        ]
    );
    let debit = fields
        .iter()
        .find(|field| field["name"] == "lines[0].debit")
        .unwrap();
    assert_eq!(
        (&debit["expected"], &debit["seen"]),
        (&json!("12000.00"), &json!("17000.00"))
    );
    assert!(
        ann.get(&format!("{PLACE}/0007/match.png"))
            .body
            .starts_with(b"\x89PNG")
    );
    // The right scan under the same name decides again; so does a new version of the data.
    let right = paper(work.path(), &own, "jpg");
    assert_eq!(
        erp.put(&format!("{PLACE}/0007/scan-1.jpg"), &right).status,
        201
    );
    assert_eq!(image_set(&ann, "0007"), "complete");
    assert_eq!(
        erp.put(
            &format!("{PLACE}/0007/voucher.json"),
            voucher("0007", "12000.01").to_string()
        )
        .status,
        201
    );
    assert_eq!(image_set(&ann, "0007"), "mismatch");
    let history = ann.get(&format!("{PLACE}/0007/history.json")).json();
    let verdicts: Vec<&Value> = history["matches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["verdict"])
        .collect();
    assert_eq!(verdicts, ["mismatch", "match", "mismatch"]);
    let first = ann
        .get(&format!("{PLACE}/0007/match.json?version=1"))
        .json();
    assert_eq!(first, decided, "the first decision is as it was");
    let listed = ann.get("/api/v1/image-sets?state=mismatch").json();
    assert_eq!(
        listed["vouchers"][0]["path"],
        "/acme/gl/2024-03/payment/0007"
    );
    assert_eq!(
        ann.get("/api/v1/image-sets?state=complete").json()["vouchers"],
        json!([])
    );
    assert_eq!(ann.get("/api/v1/image-sets?state=nonsense").status, 400);
    // Who sees nothing of it sees no state of it.
    assert_eq!(
        served
            .client("eve")
            .get("/api/v1/image-sets?state=mismatch")
            .json()["vouchers"],
        json!([])
    );
    drop(served);
    archive.assert_well();
    run_expecting(0, &["reindex", "--archive", archive.text()]);
    let out = archive.folder.path().join("export");
    archive.command(&["export", "/acme/*/", "--out", out.to_str().unwrap()]);
    run_expecting(0, &["verify", out.to_str().unwrap()]);
}

#[test]
fn a_scan_that_cannot_be_read_is_unsure_and_a_reviewer_settles_it() {
    let (archive, served) = begun();
    let (erp, rita, ann) = (
        served.client("erp"),
        served.client("rita"),
        served.client("ann"),
    );
    let file = format!("{PLACE}/0001/match.json");
    let settlement =
        json!({"verdict": "match", "reason": "I have the paper before me"}).to_string();
    // Nothing to settle before a scan has come.
    assert_eq!(rita.put(&file, &settlement).status, 409);
    assert_eq!(
        erp.put(
            &format!("{PLACE}/0001/scan-1.jpg"),
            b"\xFF\xD8\xFF\xE0 torn"
        )
        .status,
        201
    );
    assert_eq!(image_set(&ann, "0001"), "unsure");
    let decided = ann.get(&file).json();
    assert!(
        decided["report"]["reason"]
            .as_str()
            .unwrap()
            .starts_with("not read: scan-1.jpg: page 1: "),
        "{decided}"
    );
    assert!(
        ann.get(&format!("{PLACE}/0001/match.png"))
            .body
            .starts_with(b"\x89PNG")
    );
    // Who only looks, files, or sees nothing of it does not decide.
    assert_eq!(ann.put(&file, &settlement).status, 403);
    assert_eq!(erp.put(&file, &settlement).status, 403);
    assert_eq!(served.client("eve").put(&file, &settlement).status, 404);
    for (wrong, field) in [
        (r#"{"verdict":"match"}"#, "reason"),
        (r#"{"verdict":7,"reason":"x"}"#, "verdict"),
        (r#"{"verdict":"match""#, ""),
        (r#"{"verdict":"match","reason":" "}"#, "reason"),
        (r#"{"verdict":"unsure","reason":"x"}"#, "verdict"),
        (r#"{"verdict":"match","reason":"x","other":1}"#, "other"),
    ] {
        let refused = rita.put(&file, wrong);
        assert_eq!(
            (refused.status, &refused.json()["field"]),
            (400, &json!(field)),
            "{wrong}"
        );
    }
    // What it was decided on must still be there.
    let tag = rita.get(&file).header("etag").to_owned();
    assert!(!tag.is_empty());
    for (name, value, status) in [
        ("If-Match", "\"other\"", 412),
        ("If-None-Match", "*", 412),
        ("If-None-Match", &tag[..], 412),
        ("If-Match", &tag, 201),
        ("If-Match", &tag, 412),
    ] {
        let answer = rita.ask("PUT", &file, &[(name, value)], settlement.as_bytes());
        assert_eq!(answer.status, status, "{name}: {value}: {}", answer.text());
    }
    assert_eq!(image_set(&ann, "0001"), "complete");
    let settled = ann.get(&file).json();
    assert_eq!(
        (&settled["decided_by"], &settled["reason"]),
        (&json!("rita"), &json!("I have the paper before me"))
    );
    let history = ann.get(&format!("{PLACE}/0001/history.json")).json();
    let by: Vec<&Value> = history["matches"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["by"])
        .collect();
    assert_eq!(by, ["archive", "rita"]);
    drop(served);
    archive.assert_well();
}

#[test]
fn what_was_not_compared_when_the_process_died_is_compared_afterwards() {
    let archive = Archive::new();
    let work = tempfile::tempdir().unwrap();
    let off = archive.path().join("config.toml");
    std::fs::write(&off, "[matching]\nthreads = 0\n").unwrap();
    let served = archive.serve();
    let erp = served.client("erp");
    for number in ["0001", "0002", "0003"] {
        let own = voucher(number, "12000.00");
        erp.put(&format!("{PLACE}/{number}/voucher.json"), own.to_string());
        let scan = paper(work.path(), &own, "jpg");
        assert_eq!(
            erp.put(&format!("{PLACE}/{number}/scan-1.jpg"), scan)
                .status,
            201
        );
    }
    let waiting = erp.get("/api/v1/image-sets?state=matching").json();
    assert_eq!(waiting["vouchers"].as_array().unwrap().len(), 3);
    served.kill();
    std::fs::write(&off, "[matching]\nthreads = 2\n").unwrap();
    // Killed in the middle of it, and again.
    let served = archive.serve();
    std::thread::sleep(Duration::from_millis(150));
    served.kill();
    let served = archive.serve();
    let ann = served.client("ann");
    for number in ["0001", "0002", "0003"] {
        assert_eq!(image_set(&ann, number), "complete", "{number}");
        let history = ann.get(&format!("{PLACE}/{number}/history.json")).json();
        assert_eq!(
            history["matches"].as_array().unwrap().len(),
            1,
            "decided once"
        );
    }
    drop(served);
    archive.assert_well();
}

#[test]
fn thresholds_and_models_come_from_the_configuration() {
    let archive = Archive::new();
    let config = archive.path().join("config.toml");
    for (text, error) in [
        ("[matching]\nthresholds = { fitt = 1 }\n", "fitt"),
        ("[matching]\nthreads = 1000\n", "threads"),
        ("[matching]\nmodels = \"/nowhere\"\n", "/nowhere"),
        ("[matching]\nthread = 1\n", "thread"),
    ] {
        std::fs::write(&config, text).unwrap();
        let output = run(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--archive",
            archive.text(),
        ]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(error), "{said}");
    }
}

#[test]
fn the_command_tells_by_its_exit_status() {
    let work = tempfile::tempdir().unwrap();
    let own = voucher("0007", "12000.00");
    let scan = work.path().join("scan.jpg");
    let data = work.path().join("voucher.json");
    let overlay = work.path().join("match.png");
    let (scan_text, data_text) = (scan.to_str().unwrap(), data.to_str().unwrap());
    let whole = paper(work.path(), &own, "jpg");
    std::fs::write(&scan, &whole).unwrap();
    std::fs::write(&data, own.to_string()).unwrap();
    let text = run_expecting(
        0,
        &[
            "match",
            data_text,
            scan_text,
            "--overlay",
            overlay.to_str().unwrap(),
        ],
    );
    assert!(text.starts_with("match: all "), "{text}");
    assert!(std::fs::read(&overlay).unwrap().starts_with(b"\x89PNG"));
    std::fs::write(&data, voucher("0007", "12000.01").to_string()).unwrap();
    let output = run(&["match", data_text, scan_text, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdict"], "mismatch");
    assert_eq!(report["homography"].as_array().unwrap().len(), 9);
    for field in report["fields"].as_array().unwrap() {
        for key in [
            "name", "verdict", "score", "expected", "seen", "box", "reason",
        ] {
            assert!(field.get(key).is_some(), "{key}: {field}");
        }
        let score = field["score"].to_string();
        assert!(score.len() <= "0.123".len(), "{score}");
    }
    // White paper tells nothing; what is no picture is bad input.
    let blank = image::RgbImage::from_pixel(600, 400, image::Rgb([255; 3]));
    blank
        .save_with_format(&scan, image::ImageFormat::Png)
        .unwrap();
    let text = run_expecting(4, &["match", data_text, scan_text]);
    assert!(text.contains("not found on the scan"), "{text}");
    std::fs::write(&scan, "no picture").unwrap();
    run_expecting(2, &["match", data_text, scan_text]);
    run_expecting(2, &["match", data_text, "/nowhere/scan.jpg"]);
    // So is a folder, and a JPEG of which the end is missing; each is named.
    let folder = work.path().to_str().unwrap();
    assert!(run_expecting(2, &["match", data_text, folder]).contains(folder));
    std::fs::write(&scan, &whole[..whole.len() * 97 / 100]).unwrap();
    let text = run_expecting(2, &["match", data_text, scan_text]);
    assert!(
        text.contains(scan_text) && text.contains("the file ends before the picture does"),
        "{text}"
    );
    // A voucher that is none is named with the field.
    std::fs::write(&data, r#"{"company":"acme"}"#).unwrap();
    let text = run_expecting(2, &["match", data_text, scan_text]);
    assert!(
        text.contains(data_text) && text.contains("missing field `ledger`"),
        "{text}"
    );
    // Without the network that is said.
    std::fs::write(&data, own.to_string()).unwrap();
    std::fs::write(&scan, &whole).unwrap();
    let output = vouchsafe()
        .args(["match", data_text, scan_text])
        .env("VOUCHSAFE_MODELS", folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("no text recognition") && said.contains(folder),
        "{said}"
    );
}
