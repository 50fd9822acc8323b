//! Accountants in a browser: they settle comparisons and give scans their place.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::browser::{Browser, PATIENCE, begun};
use crate::matching::{PLACE, image_set, paper, voucher};
use crate::placing::unmarked;
use crate::served::Served;

const COMPARISON_IS_IN_FRONT: &str =
    "document.querySelector('.tabs [aria-selected=true]')?.innerText === 'Comparison'";

/// The page of the voucher 0001.
fn page(served: &Served) -> String {
    let origin = served.url.trim_end_matches('/');
    format!("{origin}/#/at/acme/gl/2024-03/payment/0001")
}

#[test]
fn a_reviewer_settles_on_the_page_only_what_they_saw() {
    let (archive, served) = begun();
    archive.command(&["user", "add", "rolf"]);
    archive.command(&["grant", "add", "rolf", "reviewer", "/acme/"]);
    let erp = served.client("erp");
    let place = format!("{PLACE}/0001");
    let data = voucher("0001", "12000.00");
    erp.put(&format!("{place}/voucher.json"), data.to_string());
    erp.put(
        &format!("{place}/scan-1.jpg"),
        b"\xFF\xD8\xFF\xE0 torn".as_slice(),
    );
    assert_eq!(image_set(&erp, "0001"), "unsure");
    let mut browser = Browser::open(&served.url);
    browser.sign_in("rita");
    browser.go(&page(&served));
    // What has to be looked at is in front, in words too.
    browser.until(COMPARISON_IS_IN_FRONT);
    browser.until_says("archive: not read: scan-1.jpg: page 1: ");
    browser.fill("reason", "I have the paper before me");
    // Somebody else decides while the page is open.
    let file = format!("{place}/match.json");
    let settlement = json!({"verdict": "mismatch", "reason": "it was altered"});
    let rolf = served.client("rolf");
    assert_eq!(rolf.put(&file, settlement.to_string()).status, 201);
    browser.press("The scan shows the voucher");
    browser.until("document.getElementById('said').className === 'shown bad'");
    assert_eq!(erp.get(&file).json()["decided_by"], "rolf");
    assert_eq!(image_set(&erp, "0001"), "mismatch");
    // A match by mistake is taken back.
    browser.go("about:blank");
    let again = json!({"verdict": "match", "reason": "another voucher in mind"});
    assert_eq!(rolf.put(&file, again.to_string()).status, 201);
    browser.go(&page(&served));
    browser.until_says("rolf: another voucher in mind");
    browser.press("The comparison is wrong");
    browser.fill("reason", "it is not the paper");
    browser.press("The scan shows something else");
    browser.until_says("rita: it is not the paper");
    assert_eq!(image_set(&erp, "0001"), "mismatch");
    drop(served);
    archive.assert_well();
}

#[test]
fn what_differs_is_said_in_words_and_a_scan_without_a_place_is_filed_by_hand() {
    let (archive, served) = begun();
    let erp = served.client("erp");
    let own = voucher("0001", "12000.00");
    erp.put(&format!("{PLACE}/0001/voucher.json"), own.to_string());
    // Its number, and not its amount.
    let folder = tempfile::tempdir().unwrap();
    let other = paper(folder.path(), &voucher("0001", "12900.00"), "png");
    let scan = unmarked(&other);
    assert_eq!(erp.put("/dav/_inbox/IMG%201.PNG", &scan).status, 201);
    let mut browser = Browser::open(&served.url);
    browser.sign_in("erp");
    let until = Instant::now() + PATIENCE;
    while !erp.get("/api/v1/unplaced").text().contains("of its number") {
        assert!(Instant::now() < until, "it was never held against 0001");
        std::thread::sleep(Duration::from_millis(100));
    }
    browser.press("Unplaced scans");
    browser.until_says("it does not show the voucher of its number");
    browser.picture("unplaced.png");
    browser.press("File it there");
    browser.until_says("Every scan has found its voucher.");
    assert_eq!(image_set(&erp, "0001"), "mismatch");
    assert_eq!(erp.get(&format!("{PLACE}/0001/scan-1.png")).body, scan);
    browser.press("Sign out");
    browser.sign_in("rita");
    browser.go(&page(&served));
    browser.until(COMPARISON_IS_IN_FRONT);
    browser.until("document.querySelector('.picture img')?.naturalWidth > 500");
    browser.until_says("lines[0].debit");
    browser.picture("mismatch.png");
    drop(served);
    archive.assert_well();
}
