//! An ERP uploads.

use crate::served::{Archive, voucher};

const PLACE: &str = "acme/gl/2024-03/payment/0001";

#[test]
fn the_same_bytes_are_nothing_new_and_different_bytes_a_new_version() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let path = format!("/dav/{PLACE}/voucher.json");
    let (first, second) = (voucher(PLACE, "12000.00"), voucher(PLACE, "13000.00"));
    assert_eq!(erp.put(&path, &first).status, 201);
    let png = erp.get(&format!("/dav/{PLACE}/voucher.png")).body;
    assert_eq!(erp.put(&path, &first).status, 204);
    let answer = erp.put(&path, &second);
    assert_eq!(
        (answer.status, answer.json()["version"].as_u64()),
        (201, Some(2))
    );
    assert_eq!(erp.get(&path).text(), second);
    assert_eq!(erp.get(&format!("{path}?version=1")).text(), first);
    assert_eq!(
        erp.get(&format!("/dav/{PLACE}/voucher.png?version=1")).body,
        png
    );
    assert_ne!(erp.get(&format!("/dav/{PLACE}/voucher.png")).body, png);
    assert_eq!(erp.get(&format!("{path}?version=3")).status, 404);
    let history = erp.get(&format!("/dav/{PLACE}/history.json")).json();
    assert_eq!(history["versions"].as_array().unwrap().len(), 2);
    assert_eq!(history["versions"][0]["by"], "erp");
    assert_eq!(served.terminate(), Some(0), "SIGTERM ends it cleanly");
    archive.assert_well();
}

#[test]
fn chinese_names_in_both_normal_forms_are_one_place() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let place = "深圳样例科技有限公司/Café/2024-03/receipt/收-0001";
    let encoded = |e: &str| {
        format!(
            "/dav/%E6%B7%B1%E5%9C%B3%E6%A0%B7%E4%BE%8B%E7%A7%91%E6%8A%80%E6%9C%89%E9%99%90%E5%85%AC\
             %E5%8F%B8/Caf{e}/2024-03/receipt/%E6%94%B6-0001/voucher.json"
        )
    };
    let (composed, decomposed) = (encoded("%C3%A9"), encoded("e%CC%81"));
    let data = voucher(place, "88.00");
    assert_eq!(erp.put(&decomposed, &data).status, 201);
    assert_eq!(erp.put(&composed, &data).status, 204);
    assert_eq!(erp.get(&composed).text(), data);
    let listed = erp.list("/dav/").text();
    assert!(listed.contains("%E6%B7%B1%E5%9C%B3"), "{listed}");
    archive.assert_well();
}

#[test]
fn two_uploads_of_one_number_at_once_are_two_versions_or_one_is_refused() {
    let archive = Archive::new();
    let served = archive.serve();
    let path = format!("/dav/{PLACE}/voucher.json");
    let upload = |amount: &str, headers: &[(&str, &str)]| {
        let data = voucher(PLACE, amount);
        served
            .client("erp")
            .ask("PUT", &path, headers, data.as_bytes())
            .status
    };
    // An ERP that wants to file only what is not there yet says so; one of the two must lose.
    let only_new = [("If-None-Match", "*")];
    let mut statuses = std::thread::scope(|scope| {
        let uploads = ["1.00", "2.00"].map(|amount| scope.spawn(move || upload(amount, &only_new)));
        uploads.map(|upload| upload.join().unwrap())
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 412]);
    // Without the condition both are kept, one after the other.
    let statuses = std::thread::scope(|scope| {
        let uploads = ["3.00", "4.00"].map(|amount| scope.spawn(move || upload(amount, &[])));
        uploads.map(|upload| upload.join().unwrap())
    });
    assert_eq!(statuses, [201, 201]);
    let history = served
        .client("erp")
        .get(&format!("/dav/{PLACE}/history.json"))
        .json();
    assert_eq!(history["versions"].as_array().unwrap().len(), 3);
    archive.assert_well();
}

#[test]
fn scans_stay_beside_their_voucher() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let scan = format!("/dav/{PLACE}/scan-1.jpg");
    let jpeg = [b"\xFF\xD8\xFF\xE0".as_slice(), &[7; 300_000]].concat();
    assert_eq!(erp.put(&scan, &jpeg).status, 409, "no voucher is there yet");
    erp.put(
        &format!("/dav/{PLACE}/voucher.json"),
        voucher(PLACE, "1.00"),
    );
    assert_eq!(erp.put(&scan, &jpeg).status, 201);
    assert_eq!(erp.put(&scan, &jpeg).status, 204);
    assert_eq!(erp.get(&scan).body, jpeg);
    assert_eq!(
        erp.put(&format!("/dav/{PLACE}/scan-2.png"), &jpeg).status,
        415
    );
    assert_eq!(
        erp.put(&format!("/dav/{PLACE}/scan-2.jpg"), b"GIF89a")
            .status,
        415
    );
    assert!(
        erp.list(&format!("/dav/{PLACE}/"))
            .text()
            .contains("scan-1.jpg")
    );
    archive.assert_well();
}

#[test]
fn the_inbox_files_vouchers_by_what_they_say() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let data = voucher(PLACE, "5.00");
    assert_eq!(erp.put("/dav/_inbox/anything.json", &data).status, 201);
    assert_eq!(erp.get(&format!("/dav/{PLACE}/voucher.json")).text(), data);
    let refused = erp.put("/dav/_inbox/bad.json", data.replacen("5.00", "5.01", 1));
    assert_eq!(
        (refused.status, refused.json()["field"].clone()),
        (400, "lines".into())
    );
    assert_eq!(erp.get("/dav/_inbox/bad.json").status, 404);
    // A voucher with a misspelt key, and one that was cut, are no files of another kind.
    let misspelt = data.replacen("\"lines\"", "\"linez\"", 1);
    let refused = erp.put("/dav/_inbox/misspelt.json", misspelt);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("linez"), "{}", refused.text());
    let refused = erp.put("/dav/_inbox/cut.json", &data[..data.len() / 2]);
    assert_eq!(refused.status, 400);
    // What is no voucher and no scan is kept, and whoever sends it is told that nothing more comes of it.
    let kept = erp.put("/dav/_inbox/note.txt", b"kept as it is");
    assert_eq!(kept.status, 201);
    let told = kept.json()["warnings"][0].to_string();
    assert!(told.contains("filed nowhere"), "{told}");
    assert_eq!(erp.get("/dav/_inbox/note.txt").text(), "kept as it is");
    assert_eq!(served.client("ann").get("/dav/_inbox/note.txt").status, 404);
    archive.assert_well();
}

#[test]
fn templates_are_published_by_admins_and_old_vouchers_keep_theirs() {
    let archive = Archive::new();
    let served = archive.serve();
    let (erp, root) = (served.client("erp"), served.client("root"));
    let path = format!("/dav/{PLACE}/voucher.json");
    erp.put(&path, voucher(PLACE, "1.00"));
    let template = root.get("/dav/_templates/payment.toml").text();
    let changed = template.replacen("title = \"付款凭证\"", "title = \"支付凭证\"", 1);
    assert_ne!(template, changed);
    assert_eq!(
        erp.put("/dav/_templates/payment.toml", &changed).status,
        403
    );
    assert_eq!(
        root.put("/dav/_templates/payment.toml", &changed).status,
        201
    );
    assert_eq!(
        root.put("/dav/_templates/payment.toml", &changed).status,
        204
    );
    let refused = root.put("/dav/_templates/payment.toml", "format = 1\ncolour = 2\n");
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(refused.text().contains("line 2"), "{}", refused.text());
    erp.put(&path, voucher(PLACE, "2.00"));
    let history = erp.get(&format!("/dav/{PLACE}/history.json")).json();
    assert_eq!(history["versions"][0]["template"], 1);
    assert_eq!(history["versions"][1]["template"], 2);
    archive.assert_well();
}

#[test]
fn a_drive_that_streams_its_upload_is_not_taken_for_one_that_announces_it() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let (path, data) = (format!("/dav/{PLACE}/voucher.json"), voucher(PLACE, "1.00"));
    let finder = (
        "User-Agent",
        "WebDAVFS/3.0.0 (03008000) Darwin/21.6.0 (x86_64)",
    );
    let empty = erp.ask("PUT", &path, &[finder], b"");
    assert_eq!(
        (empty.status, erp.get(&path).status),
        (201, 404),
        "announced, and not filed"
    );
    let streamed = [finder, ("Transfer-Encoding", "chunked")];
    assert_eq!(
        erp.ask("PUT", &path, &streamed, data.as_bytes()).status,
        201
    );
    assert_eq!(erp.get(&path).text(), data);
}

#[test]
fn the_inbox_files_nothing_that_it_then_refuses() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let data = voucher(PLACE, "1.00");
    assert_eq!(erp.put("/dav/_inbox/nofolder/v.json", &data).status, 409);
    erp.put("/dav/_inbox/v.json", b"{}");
    let only_new = [("If-None-Match", "*")];
    let refused = erp.ask("PUT", "/dav/_inbox/v.json", &only_new, data.as_bytes());
    assert_eq!(refused.status, 412);
    let marked = [b"\xEF\xBB\xBF".as_slice(), data.as_bytes()].concat();
    assert_eq!(erp.put("/dav/_inbox/bom.json", &marked).status, 400);
    let large = format!("{data}{}", " ".repeat(2 << 20));
    assert_eq!(erp.put("/dav/_inbox/large.json", &large).status, 413);
    assert_eq!(erp.get(&format!("/dav/{PLACE}/voucher.json")).status, 404);
}

#[test]
fn the_proof_vouches_for_the_data_also_after_a_scan_came() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let data = voucher(PLACE, "1.00");
    erp.put(&format!("/dav/{PLACE}/voucher.json"), &data);
    let jpeg = [b"\xFF\xD8\xFF\xE0".as_slice(), &[7; 3_000]].concat();
    assert_eq!(
        erp.put(&format!("/dav/{PLACE}/scan-1.jpg"), &jpeg).status,
        201
    );
    let key = std::fs::read_to_string(archive.path().join("vkey")).unwrap();
    let key = vouchsafe_evidence::key::VerifierKey::parse(&key).unwrap();
    let proof = erp.get(&format!("/dav/{PLACE}/proof.json")).body;
    let keys = vouchsafe_evidence::rotation::KeyHistory::new(key);
    let proven = vouchsafe_evidence::proof::EntryProof::verify(&proof, &keys);
    let (entry, _) = proven.unwrap();
    let digest = vouchsafe_evidence::digest::Digest::blake3(data.as_bytes());
    assert!(entry.objects.iter().any(|object| object.blake3 == digest));
}
