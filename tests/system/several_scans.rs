//! ERP systems: several scans of one voucher are one image set.

use serde_json::Value;

use crate::matching::{PLACE, begun, image_set, paper};

#[test]
fn a_scan_that_cannot_be_read_hides_nothing_of_the_others_and_is_replaced() {
    let (archive, served) = begun();
    let (erp, ann) = (served.client("erp"), served.client("ann"));
    let work = tempfile::tempdir().unwrap();
    let voucher: Value = erp.get(&format!("{PLACE}/0001/voucher.json")).json();
    let add = |name: &str, content: &[u8]| {
        let answer = erp.put(&format!("{PLACE}/0001/{name}"), content);
        assert_eq!(answer.status, 201, "{}", answer.text());
        image_set(&ann, "0001")
    };
    let page = paper(work.path(), &voucher, "jpg");
    assert_eq!(add("scan-1.jpg", &page), "complete");
    assert_eq!(add("scan-2.jpg", &page[..page.len() / 2]), "unsure");
    assert_eq!(add("scan-3.pdf", b"%PDF-1.7 torn"), "unsure");
    let report = ann.get(&format!("{PLACE}/0001/match.json")).json()["report"].clone();
    let reason = report["reason"].as_str().unwrap();
    for part in ["fields agree", "scan-2.jpg: ", "scan-3.pdf: "] {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    let fields = report["fields"].as_array().unwrap();
    assert!(fields.iter().all(|field| field["verdict"] == "match"));
    // Sent again whole, each counts like any other.
    assert_eq!(add("scan-2.jpg", &page), "unsure");
    let pdf = paper(work.path(), &voucher, "pdf");
    assert_eq!(add("scan-3.pdf", &pdf), "complete");
    drop(served);
    archive.assert_well();
}
