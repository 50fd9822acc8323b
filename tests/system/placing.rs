//! Accountants: scans without a place find their voucher, by the mark on them or by what they say.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::matching::{PLACE, image_set, paper, voucher};
use crate::served::{Archive, run_expecting};

#[test]
fn the_inbox_files_a_scan_by_its_mark_and_lists_what_it_cannot_place() {
    let archive = Archive::new();
    let served = archive.serve();
    let (erp, ann) = (served.client("erp"), served.client("ann"));
    let work = tempfile::tempdir().unwrap();
    let own = voucher("0003", "88.00");
    erp.put(&format!("{PLACE}/0003/voucher.json"), own.to_string());
    let scan = paper(work.path(), &own, "jpg");
    assert_eq!(erp.put("/dav/_inbox/IMG_2041.JPG", &scan).status, 201);
    assert_eq!(image_set(&ann, "0003"), "complete");
    assert_eq!(ann.get(&format!("{PLACE}/0003/scan-1.jpg")).body, scan);
    // The same again is no second scan.
    assert_eq!(erp.put("/dav/_inbox/again.jpg", &scan).status, 201);
    assert_eq!(ann.get(&format!("{PLACE}/0003/scan-2.jpg")).status, 404);
    assert_eq!(erp.get("/api/v1/unplaced").json(), json!([]));
    // A voucher that is not filed; a paper without a mark; no picture at all.
    let stranger = paper(work.path(), &voucher("0099", "5.00"), "png");
    erp.put(
        &format!("{PLACE}/0004/voucher.json"),
        voucher("0004", "7.00").to_string(),
    );
    let told = erp.put("/dav/_inbox/stranger.png", &stranger).json();
    assert!(
        told["warnings"][0]
            .as_str()
            .unwrap()
            .contains("not filed with a voucher"),
        "{told}"
    );
    assert_eq!(
        erp.put("/dav/_inbox/torn.jpg", b"\xFF\xD8\xFF\xE0 torn")
            .status,
        201
    );
    assert_eq!(erp.put("/dav/_inbox/notes.txt", b"nothing").status, 201);
    let unplaced = erp.get("/api/v1/unplaced").json();
    let names: Vec<&str> = unplaced
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["stranger.png", "torn.jpg"]);
    assert_eq!(
        unplaced[0]["candidates"],
        json!(["/acme/gl/2024-03/payment/0004"])
    );
    assert!(
        unplaced[1]["reason"]
            .as_str()
            .unwrap()
            .starts_with("it cannot be read"),
        "{unplaced}"
    );
    assert_eq!(ann.get("/api/v1/unplaced").json(), json!([]));
    // Taken out of the inbox, it is no longer waiting.
    assert_eq!(
        erp.ask("DELETE", "/dav/_inbox/torn.jpg", &[], b"").status,
        204
    );
    assert_eq!(
        erp.get("/api/v1/unplaced").json().as_array().unwrap().len(),
        1
    );
    drop(served);
    archive.assert_well();
}

/// The paper without its QR mark, as other systems print it.
fn without_mark(folder: &Path, voucher: &Value) -> Vec<u8> {
    let mut page = image::load_from_memory(&paper(folder, voucher, "png"))
        .unwrap()
        .to_rgb8();
    for y in 30..220 {
        for x in 1_610..1_800 {
            page.put_pixel(x, y, image::Rgb([255; 3]));
        }
    }
    let mut bytes = std::io::Cursor::new(Vec::new());
    page.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn a_scan_without_a_mark_finds_its_voucher_by_what_it_says() {
    let archive = Archive::new();
    let served = archive.serve();
    let (erp, ann) = (served.client("erp"), served.client("ann"));
    let work = tempfile::tempdir().unwrap();
    for (number, amount) in [("0041", "88.00"), ("0042", "512.30"), ("0043", "88.00")] {
        erp.put(
            &format!("{PLACE}/{number}/voucher.json"),
            voucher(number, amount).to_string(),
        );
    }
    let placed = |number: &str| {
        let until = Instant::now() + Duration::from_secs(60);
        while ann.get(&format!("{PLACE}/{number}/scan-1.png")).status == 404
            && Instant::now() < until
        {
            std::thread::sleep(Duration::from_millis(100));
        }
        image_set(&ann, number)
    };
    let scan = without_mark(work.path(), &voucher("0042", "512.30"));
    let told = erp.put("/dav/_inbox/a.png", &scan).json();
    assert!(
        told["warnings"][0].as_str().unwrap().contains("no QR mark"),
        "{told}"
    );
    assert_eq!(placed("0042"), "complete");
    // The number of one and the amount of another is neither; it stays where it is.
    erp.put(
        "/dav/_inbox/b.png",
        without_mark(work.path(), &voucher("0041", "99.00")),
    );
    // A scan that came before its voucher.
    erp.put(
        "/dav/_inbox/c.png",
        without_mark(work.path(), &voucher("0050", "7.77")),
    );
    // Long enough for it to have been held against what there was.
    std::thread::sleep(Duration::from_secs(4));
    erp.put(
        &format!("{PLACE}/0050/voucher.json"),
        voucher("0050", "7.77").to_string(),
    );
    assert_eq!(placed("0050"), "complete");
    let unplaced = erp.get("/api/v1/unplaced").json();
    let names: Vec<&Value> = unplaced
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["b.png"]);
    assert_eq!(image_set(&ann, "0041"), "awaiting-scan");
    drop(served);
    archive.assert_well();
    run_expecting(0, &["reindex", "--archive", archive.text()]);
}
