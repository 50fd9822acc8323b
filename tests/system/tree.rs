//! The tree over HTTP: listings, ranges, conditions, locks, what drives scatter.

use crate::client::Answer;
use crate::served::{Archive, voucher};

const PLACE: &str = "acme/gl/2024-03/payment/0001";
fn property<'a>(listed: &'a str, file: &str, name: &str) -> &'a str {
    let row = listed
        .split("<D:response>")
        .find(|row| row.contains(&format!("/{file}</D:href>")))
        .unwrap_or_else(|| panic!("{file} is not listed: {listed}"));
    let value = row.split(&format!("<D:{name}>")).nth(1).unwrap();
    value.split("</D:").next().unwrap()
}

#[test]
fn listing_head_get_and_range_agree_to_the_byte() {
    let archive = Archive::new();
    let served = archive.serve();
    served.client("erp").put(
        &format!("/dav/{PLACE}/voucher.json"),
        voucher(PLACE, "1.00"),
    );
    let ann = served.client("ann");
    let listed = ann.list(&format!("/dav/{PLACE}/")).text();
    for file in [
        "voucher.json",
        "voucher.png",
        "voucher.pdf",
        "history.json",
        "proof.json",
    ] {
        let path = format!("/dav/{PLACE}/{file}");
        let whole = ann.get(&path);
        let size = whole.body.len();
        assert_eq!(
            property(&listed, file, "getcontentlength"),
            size.to_string(),
            "{file}"
        );
        assert_eq!(
            property(&listed, file, "getetag"),
            whole.header("etag"),
            "{file}"
        );
        assert_eq!(
            property(&listed, file, "getcontenttype"),
            whole.header("content-type")
        );
        let head = ann.ask("HEAD", &path, &[], b"");
        assert_eq!((head.status, head.body.len()), (200, 0));
        for name in ["content-length", "etag", "last-modified", "content-type"] {
            assert_eq!(head.header(name), whole.header(name), "{file}: {name}");
        }
        let part = ann.ask("GET", &path, &[("Range", "bytes=3-9")], b"");
        assert_eq!(
            (part.status, &part.body[..]),
            (206, &whole.body[3..10]),
            "{file}"
        );
        assert_eq!(part.header("content-range"), format!("bytes 3-9/{size}"));
        let end = ann.ask("GET", &path, &[("Range", "bytes=-5")], b"");
        assert_eq!(
            (end.status, &end.body[..]),
            (206, &whole.body[size - 5..]),
            "{file}"
        );
        let beyond = ann.ask("GET", &path, &[("Range", &format!("bytes={size}-"))], b"");
        assert_eq!(
            (beyond.status, beyond.header("content-range")),
            (416, &*format!("bytes */{size}"))
        );
        let known = ann.ask(
            "GET",
            &path,
            &[("If-None-Match", whole.header("etag"))],
            b"",
        );
        assert_eq!((known.status, known.body.len()), (304, 0), "{file}");
        let since = ann.ask(
            "GET",
            &path,
            &[("If-Modified-Since", whole.header("last-modified"))],
            b"",
        );
        assert_eq!(since.status, 304, "{file}");
        let other = ann.ask("GET", &path, &[("If-Match", "\"x\"")], b"");
        assert_eq!(other.status, 412, "{file}");
        let stale = [("Range", "bytes=0-1"), ("If-Range", "\"x\"")];
        assert_eq!(ann.ask("GET", &path, &stale, b"").status, 200, "{file}");
        assert_eq!(
            ann.get(&path).body,
            whole.body,
            "reading {file} does not change it"
        );
    }
}

#[test]
fn large_folders_come_whole_and_in_pieces() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    for folder in ["many", "few"] {
        assert_eq!(
            erp.ask("MKCOL", &format!("/dav/_inbox/{folder}"), &[], b"")
                .status,
            201
        );
    }
    let count = 2_500;
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let erp = served.client("erp");
            scope.spawn(move || {
                for number in (thread..count).step_by(8) {
                    let path = format!("/dav/_inbox/many/{number:05}.txt");
                    assert_eq!(erp.put(&path, b"x").status, 201);
                }
            });
        }
    });
    let answer: Answer = erp.list("/dav/_inbox/many/");
    assert_eq!(answer.status, 207);
    let listed = answer.text();
    assert!(listed.trim_end().ends_with("</D:multistatus>"));
    assert_eq!(listed.matches("<D:response>").count(), count + 1);
    let mut sorted: Vec<&str> = listed.split("<D:href>").skip(2).collect();
    let order = sorted.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted, order, "each once, in order");
    assert_eq!(
        erp.list("/dav/_inbox/few/")
            .text()
            .matches("<D:response>")
            .count(),
        1
    );
    assert_eq!(erp.ask("DELETE", "/dav/_inbox/many/", &[], b"").status, 204);
    assert_eq!(
        erp.list("/dav/_inbox/")
            .text()
            .matches("<D:response>")
            .count(),
        2
    );
    archive.assert_well();
}

#[test]
fn propfind_answers_what_is_asked() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    erp.put(
        &format!("/dav/{PLACE}/voucher.json"),
        voucher(PLACE, "1.00"),
    );
    let folder = format!("/dav/{PLACE}/");
    let ask = |depth: &str, body: &str| {
        erp.ask("PROPFIND", &folder, &[("Depth", depth)], body.as_bytes())
    };
    let wanted =
        "<propfind xmlns='DAV:'><prop><getcontentlength/><x:y xmlns:x='urn:x'/></prop></propfind>";
    let listed = ask("1", wanted).text();
    assert_eq!(listed.matches("404 Not Found").count(), 7, "{listed}");
    assert_eq!(listed.matches("200 OK").count(), 6, "{listed}");
    assert_eq!(ask("0", wanted).text().matches("<D:response>").count(), 1);
    let infinite = ask("infinity", "");
    assert_eq!(infinite.status, 403);
    assert!(infinite.text().contains("propfind-finite-depth"));
    assert_eq!(ask("1", "<broken").status, 400);
    assert_eq!(ask("2", "").status, 400);
}

#[test]
fn what_drives_scatter_is_forgotten_and_filed_content_stays() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let path = format!("/dav/{PLACE}/voucher.json");
    erp.put(&path, voucher(PLACE, "1.00"));
    let size = || served.client("ben").get("/healthz").status;
    assert_eq!(size(), 200);
    for litter in [".DS_Store", "._voucher.json", "Thumbs.db", "desktop.ini"] {
        let litter = format!("/dav/{PLACE}/{litter}");
        assert_eq!(erp.put(&litter, b"x").status, 201);
        assert_eq!(erp.get(&litter).status, 404);
    }
    for (method, status) in [
        ("DELETE", 403),
        ("MOVE", 403),
        ("COPY", 403),
        ("PATCH", 405),
    ] {
        let answer = erp.ask(method, &path, &[("Destination", "/dav/x")], b"");
        assert_eq!(answer.status, status, "{method}");
        assert!(
            !answer.json()["error"].as_str().unwrap().is_empty(),
            "{method}"
        );
    }
    assert_eq!(
        erp.put(&format!("/dav/{PLACE}/voucher.png"), b"x").status,
        403
    );
    assert_eq!(
        erp.put(&format!("/dav/{PLACE}/other.txt"), b"x").status,
        400
    );
    assert_eq!(
        erp.ask("MKCOL", &format!("/dav/{PLACE}"), &[], b"").status,
        405
    );
    assert_eq!(erp.ask("MKCOL", "/dav/new/", &[], b"").status, 201);
    let options = erp.ask("OPTIONS", "/dav/", &[], b"");
    assert_eq!((options.status, options.header("dav")), (200, "1, 2"));
    archive.assert_well();
}

#[test]
fn the_root_has_the_pages_and_leads_to_the_share() {
    let archive = Archive::new();
    let served = archive.serve();
    let nobody = served.client("");
    let options = nobody.ask("OPTIONS", "/", &[], b"");
    assert_eq!((options.status, options.header("dav")), (200, "1, 2"));
    let page = nobody.get("/");
    assert_eq!(
        page.status, 200,
        "a browser gets the pages, which ask it to sign in"
    );
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!(nobody.ask("PROPFIND", "/", &[], b"").status, 404);
    assert!(
        !served
            .client("erp")
            .ask("PATCH", "/dav/", &[], b"")
            .header("allow")
            .is_empty()
    );
}
