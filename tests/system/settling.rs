//! Reviewers: what they settled about a scan is theirs until they look again.

use serde_json::{Value, json};

use crate::matching::{PLACE, begun, image_set, paper};

/// Paper with nothing on it, such as the back of an attachment.
fn blank() -> Vec<u8> {
    let blank = image::RgbImage::from_pixel(600, 400, image::Rgb([255; 3]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    blank.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[test]
fn what_a_person_settled_is_not_decided_against_them() {
    let (archive, served) = begun();
    let (erp, rita, ann) = (
        served.client("erp"),
        served.client("rita"),
        served.client("ann"),
    );
    let work = tempfile::tempdir().unwrap();
    let file = format!("{PLACE}/0001/match.json");
    let add = |name: &str, content: &[u8]| {
        let answer = erp.put(&format!("{PLACE}/0001/{name}"), content);
        assert_eq!(answer.status, 201, "{}", answer.text());
        image_set(&ann, "0001")
    };
    let settle = |verdict: &str| {
        let settlement = json!({"verdict": verdict, "reason": "I have the paper before me"});
        assert_eq!(rita.put(&file, settlement.to_string()).status, 201);
    };
    assert_eq!(add("scan-1.jpg", b"\xFF\xD8\xFF\xE0 torn"), "unsure");
    settle("match");
    // An attachment is not about the voucher: what was settled stays, and it is said why.
    assert_eq!(add("scan-2.png", &blank()), "complete");
    let decided = ann.get(&file).json();
    assert_eq!(decided["decided_by"], "archive");
    let why = decided["reason"].as_str().unwrap();
    assert!(
        why.contains("a person decided match (match.json?version=2)"),
        "{why}"
    );
    // What cannot be read, or shows something else, is for a person again, and no mismatch by itself.
    assert_eq!(add("scan-3.pdf", b"%PDF-1.7 torn"), "unsure");
    settle("match");
    let own: Value = erp.get(&format!("{PLACE}/0001/voucher.json")).json();
    let mut other = own.clone();
    for line in 0..2 {
        let side = ["debit", "credit"][line];
        other["lines"][line][side] = json!("7.00");
    }
    assert_eq!(
        add("scan-4.png", &paper(work.path(), &other, "png")),
        "unsure"
    );
    settle("mismatch");
    // That the paper in question is no longer there is for a person as well.
    assert_eq!(
        add("scan-4.png", &paper(work.path(), &own, "png")),
        "unsure"
    );
    // A new version of the data starts anew.
    let data = format!("{PLACE}/0001/voucher.json");
    assert_eq!(erp.put(&data, own.to_string() + " ").status, 201);
    image_set(&ann, "0001");
    assert_eq!(ann.get(&file).json().get("reason"), None);
    drop(served);
    archive.assert_well();
}

#[test]
fn the_picture_says_what_a_person_decided_and_the_one_before_stays() {
    let (archive, served) = begun();
    let (erp, rita) = (served.client("erp"), served.client("rita"));
    let torn = b"\xFF\xD8\xFF\xE0 torn";
    let sent = erp.put(&format!("{PLACE}/0001/scan-1.jpg"), torn);
    assert_eq!(sent.status, 201);
    assert_eq!(image_set(&rita, "0001"), "unsure");
    let seen = |query: &str| {
        let answer = rita.get(&format!("{PLACE}/0001/match.png{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        image::load_from_memory(&answer.body).unwrap().to_rgb8()
    };
    let settle = |verdict: &str| {
        let settlement = json!({"verdict": verdict, "reason": "I have the paper before me"});
        let file = format!("{PLACE}/0001/match.json");
        assert_eq!(rita.put(&file, settlement.to_string()).status, 201);
    };
    let likest = |[red, green, _]: [u8; 3]| match (red / 2 > green, green / 2 > red) {
        (true, _) => "red",
        (_, true) => "green",
        _ => "neither",
    };
    let compared = seen("");
    assert_eq!(likest(compared.get_pixel(8, 8).0), "neither");
    settle("mismatch");
    assert_eq!(likest(seen("").get_pixel(8, 8).0), "red");
    settle("match");
    // One band, whatever was said before, above the picture as it was.
    let settled = seen("");
    assert_eq!(likest(settled.get_pixel(8, 8).0), "green");
    let band = settled.height() - compared.height();
    assert!((60..150).contains(&band) && settled.width() == compared.width());
    assert_eq!(likest(settled.get_pixel(8, band + 8).0), "neither");
    assert_eq!(seen("?version=1").dimensions(), compared.dimensions());
    drop(served);
    archive.assert_well();
}
