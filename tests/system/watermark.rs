//! Viewers are shown marked copies; a photograph of a part of one leads back to the trace.

use std::path::Path;
use std::process::Command;

use image::{DynamicImage, ImageFormat, imageops::FilterType};
use serde_json::Value;

use crate::client::{Answer, Client};
use crate::matching::{PLACE, image_set, paper, voucher};
use crate::served::{Archive, Served, run, run_expecting};

/// An archive with another viewer, bob, an auditor and a reviewer, and one voucher with a scan.
fn begun() -> (Archive, Served) {
    let archive = Archive::new();
    for (name, role) in [
        ("bob", "viewer"),
        ("audrey", "auditor"),
        ("rita", "reviewer"),
    ] {
        archive.command(&["user", "add", name]);
        archive.command(&["grant", "add", name, role, "/acme/*/2024-*/"]);
    }
    let served = archive.serve();
    let erp = served.client("erp");
    let own = voucher("0001", "12000.00");
    let path = format!("{PLACE}/0001/voucher.json");
    assert_eq!(erp.put(&path, own.to_string()).status, 201);
    let work = tempfile::tempdir().unwrap();
    for (name, ending) in [
        ("scan-1.jpg", "jpg"),
        ("scan-2.png", "png"),
        ("scan-3.pdf", "pdf"),
    ] {
        let scan = paper(work.path(), &own, ending);
        let path = format!("{PLACE}/0001/{name}");
        assert_eq!(erp.put(&path, scan).status, 201);
    }
    image_set(&erp, "0001");
    (archive, served)
}

/// The length that PROPFIND tells of a file.
fn listed_length(client: &Client, path: &str) -> usize {
    let answer = client.ask("PROPFIND", path, &[("Depth", "0")], b"");
    let text = answer.text();
    let after = text.split("getcontentlength>").nth(1).unwrap();
    after.split('<').next().unwrap().parse().unwrap()
}

fn part(client: &Client, path: &str, range: &str) -> Answer {
    client.ask("GET", path, &[("Range", range)], b"")
}

/// How many entries the log has.
fn entries(archive: &Archive) -> u64 {
    let text = run_expecting(0, &["verify", archive.text(), "--json"]);
    let report: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    report["entries"]
        .as_u64()
        .unwrap_or_else(|| panic!("{text}"))
}

/// Runs `vouchsafe trace` on a picture; gives its status and what it says as JSON.
fn traced(archive: &Archive, picture: &Path) -> (i32, Value) {
    let done = run(&[
        "trace",
        picture.to_str().unwrap(),
        "--json",
        "--archive",
        archive.text(),
    ]);
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    let told = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{done:?}"));
    (done.status.code().unwrap(), told)
}

fn saved(
    folder: &Path,
    name: &str,
    picture: &DynamicImage,
    format: ImageFormat,
) -> std::path::PathBuf {
    let path = folder.join(name);
    picture.to_rgb8().save_with_format(&path, format).unwrap();
    path
}

const FILES: [&str; 6] = [
    "voucher.png",
    "voucher.pdf",
    "scan-1.jpg",
    "scan-2.png",
    "scan-3.pdf",
    "match.png",
];

#[test]
fn listing_head_get_and_ranges_of_a_viewer_agree_to_the_byte() {
    let (archive, served) = begun();
    let (erp, ann, bob) = (
        served.client("erp"),
        served.client("ann"),
        served.client("bob"),
    );
    for name in FILES {
        let path = format!("{PLACE}/0001/{name}");
        let whole = ann.get(&path);
        assert_eq!(whole.status, 200, "{name}: {}", whole.text());
        let head = ann.ask("HEAD", &path, &[], b"");
        assert_eq!(listed_length(&ann, &path), whole.body.len(), "{name}");
        assert_eq!(head.header("content-length"), whole.body.len().to_string());
        assert_eq!(head.header("etag"), whole.header("etag"));
        let third = whole.body.len() / 3;
        let parts = [
            format!("bytes=0-{}", third - 1),
            format!("bytes={third}-{}", 2 * third - 1),
            format!("bytes={}-", 2 * third),
        ];
        let read: Vec<u8> = parts
            .iter()
            .flat_map(|range| {
                let answer = part(&ann, &path, range);
                assert_eq!(
                    (answer.status, answer.header("etag")),
                    (206, whole.header("etag"))
                );
                answer.body
            })
            .collect();
        assert!(read == whole.body, "{name}");
        // Everybody has their own copy, and who prepares and reviews what is archived.
        let others = bob.get(&path);
        assert!(others.body != whole.body && others.header("etag") != whole.header("etag"));
        assert_eq!(others.body.len(), whole.body.len());
        let archived = erp.get(&path);
        assert!(archived.body != whole.body, "{name}");
        assert!(served.client("rita").get(&path).body == archived.body);
        assert!(served.client("audrey").get(&path).body != archived.body);
        if name == "voucher.pdf" {
            assert!(
                whole.body.starts_with(&archived.body),
                "the archived file is its beginning"
            );
        }
    }
    // Texts are what they are.
    let path = format!("{PLACE}/0001/voucher.json");
    assert_eq!(ann.get(&path).body, erp.get(&path).body);
    drop(served);
    archive.assert_well();
    archive.command(&["reindex"]);
}

#[test]
fn many_parts_of_one_reading_leave_one_trace_and_head_and_listing_none() {
    let (archive, served) = begun();
    let ann = served.client("ann");
    let path = format!("{PLACE}/0001/voucher.png");
    let before = entries(&archive);
    ann.ask("HEAD", &path, &[], b"");
    listed_length(&ann, &path);
    ann.list(&format!("{PLACE}/0001/"));
    assert_eq!(entries(&archive), before);
    for start in 0..20 {
        let range = format!("bytes={}-{}", start * 100, start * 100 + 99);
        assert_eq!(part(&ann, &path, &range).status, 206);
    }
    assert_eq!(entries(&archive), before + 1);
    ann.get(&path);
    ann.get(&path);
    assert_eq!(
        entries(&archive),
        before + 3,
        "a whole reading is one of its own"
    );
    // Another client of the same user reads for itself.
    let other = [("Range", "bytes=0-9"), ("User-Agent", "other")];
    ann.ask("GET", &path, &other, b"");
    assert_eq!(entries(&archive), before + 4);
    archive.assert_well();
}

#[test]
fn a_part_of_a_marked_picture_leads_to_who_was_shown_it() {
    let (archive, served) = begun();
    let (erp, ann) = (served.client("erp"), served.client("ann"));
    let work = tempfile::tempdir().unwrap();
    for name in ["voucher.png", "scan-1.jpg", "scan-2.png", "match.png"] {
        let path = format!("{PLACE}/0001/{name}");
        let picture = image::load_from_memory(&ann.get(&path).body).unwrap();
        let (width, height) = (picture.width(), picture.height());
        let left = picture.crop_imm(0, 0, width * 3 / 5, height);
        let smaller = left.resize_exact(width * 2 / 5, height * 2 / 3, FilterType::Triangle);
        let photo = saved(work.path(), "photo.jpg", &smaller, ImageFormat::Jpeg);
        let (status, told) = traced(&archive, &photo);
        assert_eq!(status, 0, "{name}: {told}");
        let trace = &told["traces"][0];
        assert_eq!(
            (&trace["name"], &trace["file"]),
            (&Value::from("ann"), &Value::from(name))
        );
        assert_eq!(trace["path"], "/acme/gl/2024-03/payment/0001");
        assert_eq!(trace["view"], told["view"]);
    }
    // The id that people read leads there as well.
    let path = format!("{PLACE}/0001/voucher.png");
    let picture = image::load_from_memory(&ann.get(&path).body).unwrap();
    let photo = saved(work.path(), "photo.png", &picture, ImageFormat::Png);
    let (_, told) = traced(&archive, &photo);
    let id = told["view"].as_str().unwrap().to_lowercase();
    let text = archive.command(&["trace", "--id", &id]);
    assert!(
        text.contains("ann was shown") && text.contains("voucher.png"),
        "{text}"
    );
    // What is archived has no mark.
    let plain = image::load_from_memory(&erp.get(&path).body).unwrap();
    let plain = saved(work.path(), "plain.png", &plain, ImageFormat::Png);
    let (status, told) = traced(&archive, &plain);
    assert_eq!((status, &told["view"]), (1, &Value::Null));
    assert_eq!(
        run(&["trace", "--id", "00000-00000", "--archive", archive.text()])
            .status
            .code(),
        Some(1)
    );
    assert_eq!(
        run(&["trace", "--id", "nonsense", "--archive", archive.text()])
            .status
            .code(),
        Some(2)
    );
    let torn = work.path().join("torn.jpg");
    std::fs::write(&torn, b"\xFF\xD8\xFF\xE0 torn").unwrap();
    let torn = torn.to_str().unwrap();
    assert_eq!(
        run(&["trace", torn, "--archive", archive.text()])
            .status
            .code(),
        Some(2)
    );
}

#[test]
fn a_marked_pdf_is_a_sound_one_and_its_print_leads_back() {
    let (archive, served) = begun();
    let ann = served.client("ann");
    let work = tempfile::tempdir().unwrap();
    for name in ["voucher.pdf", "scan-3.pdf"] {
        let file = work.path().join(name);
        std::fs::write(&file, ann.get(&format!("{PLACE}/0001/{name}")).body).unwrap();
        let checked = Command::new("qpdf").arg("--check").arg(&file).output();
        let checked = checked.expect("qpdf; `make test-packages` installs it");
        assert!(checked.status.success(), "{checked:?}");
        let print = work.path().join("print");
        let done = Command::new("pdftoppm")
            .args(["-r", "150", "-png", "-singlefile"])
            .arg(&file)
            .arg(&print)
            .status();
        assert!(
            done.expect("pdftoppm; `make test-packages` installs it")
                .success()
        );
        let (status, told) = traced(&archive, &print.with_extension("png"));
        assert_eq!(
            (status, &told["traces"][0]["file"]),
            (0, &Value::from(name)),
            "{told}"
        );
    }
    let text = Command::new("pdftotext")
        .arg(work.path().join("voucher.pdf"))
        .arg("-")
        .output();
    let text = String::from_utf8(text.unwrap().stdout).unwrap();
    assert!(
        text.contains("12,000.00") || text.contains("张三"),
        "{text}"
    );
}

#[test]
fn at_the_turn_of_a_window_nobody_gets_a_mixture() {
    let (archive, served) = begun();
    drop(served);
    std::fs::write(
        archive.path().join("config.toml"),
        "[marks]\nwindow_minutes = 1\n",
    )
    .unwrap();
    let served = archive.serve();
    let ann = served.client("ann");
    let path = format!("{PLACE}/0001/voucher.png");
    let first = ann.get(&path);
    let half = first.body.len() / 2;
    let beginning = part(&ann, &path, &format!("bytes=0-{}", half - 1));
    let tag = beginning.header("etag").to_owned();
    // Until the minute turns, which may be at once.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(90);
    let next = loop {
        let answer = ann.get(&path);
        if answer.header("etag") != tag || std::time::Instant::now() > until {
            break answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(500));
    };
    assert_ne!(next.header("etag"), tag);
    assert!(next.body != first.body && next.body.len() == first.body.len());
    // A reading in parts goes on with the copy that it began with, with and without its tag.
    let rest = format!("bytes={half}-");
    let mut whole = beginning.body.clone();
    let plain = part(&ann, &path, &rest);
    let by_tag = ann.ask("GET", &path, &[("Range", &rest), ("If-Range", &tag)], b"");
    assert_eq!((plain.status, plain.header("etag")), (206, tag.as_str()));
    assert_eq!((by_tag.status, by_tag.header("etag")), (206, tag.as_str()));
    assert!(plain.body == by_tag.body);
    whole.extend(plain.body);
    let matched = ann.ask("GET", &path, &[("If-Match", &tag)], b"");
    assert_eq!(matched.status, 200);
    assert!(
        matched.body == whole,
        "the copy of the window before, whole"
    );
    let stranger = ann.ask("GET", &path, &[("If-Match", "\"0123\"")], b"");
    assert_eq!(stranger.status, 412);
    let stranger = ann.ask(
        "GET",
        &path,
        &[("Range", &rest), ("If-Range", "\"0123\"")],
        b"",
    );
    assert_eq!(stranger.status, 200);
    drop(served);
    std::fs::write(
        archive.path().join("config.toml"),
        "[marks]\nwindow_minutes = 0\n",
    )
    .unwrap();
    let served = archive.serve();
    let plain = served.client("erp").get(&path).body;
    assert!(
        served.client("ann").get(&path).body == plain,
        "switched off"
    );
}

#[test]
fn what_cannot_be_marked_is_not_shown_unmarked() {
    let (_archive, served) = begun();
    let (erp, ann) = (served.client("erp"), served.client("ann"));
    let path = format!("{PLACE}/0001/scan-4.jpg");
    assert_eq!(erp.put(&path, b"\xFF\xD8\xFF\xE0 torn").status, 201);
    let refused = ann.get(&path);
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(
        refused.json()["error"]
            .as_str()
            .unwrap()
            .contains("cannot be marked")
    );
    assert_eq!(erp.get(&path).body, b"\xFF\xD8\xFF\xE0 torn");
}
