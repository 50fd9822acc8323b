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
    // To the byte for whoever sent it; a viewer is shown a marked copy.
    assert_eq!(erp.get(&format!("{PLACE}/0003/scan-1.jpg")).body, scan);
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
    // Neither says anything of the one that awaits a scan.
    for at in 0..2 {
        assert_eq!(unplaced[at]["candidates"], json!([]), "{unplaced}");
    }
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

#[test]
fn a_file_with_several_marks_that_came_before_its_vouchers_finds_all_of_them() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let work = tempfile::tempdir().unwrap();
    let own = ["0061", "0062", "0063"].map(|number| voucher(number, "31.00"));
    let pages = own.each_ref().map(|own| {
        let page = image::load_from_memory(&paper(work.path(), own, "png")).unwrap();
        page.to_rgb8()
    });
    let mut encoded = std::io::Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut encoded).unwrap();
    for page in &pages {
        let (width, height) = page.dimensions();
        encoder
            .write_image::<tiff::encoder::colortype::RGB8>(width, height, page.as_raw())
            .unwrap();
    }
    let scan = encoded.into_inner();
    let file = |at: usize| {
        let number = own[at]["number"].as_str().unwrap();
        let path = format!("{PLACE}/{number}/voucher.json");
        assert_eq!(erp.put(&path, own[at].to_string()).status, 201);
    };
    file(1);
    let told = erp.put("/dav/_inbox/all.tif", &scan).json();
    let told = told["warnings"][0].as_str().unwrap();
    assert!(told.contains("2 of the 3 marks"), "{told}");
    file(0);
    file(2);
    for number in ["0061", "0062", "0063"] {
        let until = Instant::now() + Duration::from_secs(60);
        let path = format!("{PLACE}/{number}/scan-1.tif");
        while erp.get(&path).status == 404 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(erp.get(&path).body, scan, "{number}");
    }
    let until = Instant::now() + Duration::from_secs(30);
    while erp.get("/api/v1/unplaced").json() != json!([]) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(erp.get("/api/v1/unplaced").json(), json!([]));
    drop(served);
    archive.assert_well();
}

#[test]
fn a_scan_that_shows_two_vouchers_alike_waits_for_a_person() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let work = tempfile::tempdir().unwrap();
    // A form that does not say of which ledger it is.
    let field = "[[fields]]\nvalue = \"ledger\"\nbox = [29, 15.5, 50, 5]\nsize = 9.5\n";
    let template = vouchsafe::voucher::template::Template::builtin("payment").unwrap();
    assert!(template.contains(field));
    let template = template.replace(field, "");
    let published = served
        .client("root")
        .put("/dav/_templates/payment.toml", &template);
    assert_eq!(published.status, 201, "{}", published.text());
    let ledger = |ledger: &str| {
        let mut own = voucher("0071", "45.00");
        own["ledger"] = json!(ledger);
        let path = format!("/dav/acme/{ledger}/2024-03/payment/0071/voucher.json");
        assert_eq!(erp.put(&path, own.to_string()).status, 201);
        own
    };
    let own = ledger("gl");
    ledger("tax");
    let [form, data, scan] = ["form.toml", "data.json", "scan.png"].map(|it| work.path().join(it));
    std::fs::write(&form, template).unwrap();
    std::fs::write(&data, own.to_string()).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let arguments = [
        "render",
        &text(&data),
        "--out",
        &text(&scan),
        "--dpi",
        "200",
        "--template",
        &text(&form),
    ];
    run_expecting(0, &arguments);
    let scan = unmarked(&std::fs::read(scan).unwrap());
    assert_eq!(erp.put("/dav/_inbox/a.png", scan).status, 201);
    let until = Instant::now() + Duration::from_secs(60);
    let listed = loop {
        let unplaced = erp.get("/api/v1/unplaced").json();
        let why = unplaced[0]["reason"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if !why.contains("no QR mark") || Instant::now() > until {
            break unplaced;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let alike = ["gl", "tax"].map(|it| json!(format!("/acme/{it}/2024-03/payment/0071")));
    let candidates = listed[0]["candidates"].as_array().unwrap();
    assert!(
        candidates.len() == 2 && alike.iter().all(|it| candidates.contains(it)),
        "{listed}"
    );
    for path in alike {
        let path = format!("/dav{}/scan-1.png", path.as_str().unwrap());
        assert_eq!(erp.get(&path).status, 404);
    }
    drop(served);
    archive.assert_well();
    run_expecting(0, &["reindex", "--archive", archive.text()]);
}

/// The paper without its QR mark, as other systems print it.
fn without_mark(folder: &Path, voucher: &Value) -> Vec<u8> {
    unmarked(&paper(folder, voucher, "png"))
}

/// A page without its QR mark.
pub fn unmarked(page: &[u8]) -> Vec<u8> {
    let mut page = image::load_from_memory(page).unwrap().to_rgb8();
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
    // A person is shown the one whose number it has, and not that of another amount.
    let candidates = &unplaced[0]["candidates"];
    assert_eq!(candidates, &json!(["/acme/gl/2024-03/payment/0041"]));
    let why = unplaced[0]["reason"].as_str().unwrap();
    assert!(why.contains("the voucher of its number"), "{why}");
    assert_eq!(image_set(&ann, "0041"), "awaiting-scan");
    drop(served);
    archive.assert_well();
    run_expecting(0, &["reindex", "--archive", archive.text()]);
}
