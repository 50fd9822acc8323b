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
    assert_eq!(listed.matches("404 Not Found").count(), 6, "{listed}");
    assert_eq!(listed.matches("200 OK").count(), 5, "{listed}");
    assert_eq!(ask("0", wanted).text().matches("<D:response>").count(), 1);
    let infinite = ask("infinity", "");
    assert_eq!(infinite.status, 403);
    assert!(infinite.text().contains("propfind-finite-depth"));
    assert_eq!(ask("1", "<broken").status, 400);
    assert_eq!(ask("2", "").status, 400);
}

#[test]
fn a_lock_keeps_others_from_writing() {
    let archive = Archive::new();
    archive.command(&["user", "add", "erp2"]);
    archive.command(&["grant", "add", "erp2", "uploader", "/*/"]);
    let served = archive.serve();
    let (erp, erp2) = (served.client("erp"), served.client("erp2"));
    let path = format!("/dav/{PLACE}/voucher.json");
    let data = voucher(PLACE, "1.00");
    erp.put(&path, &data);
    let body = b"<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>\
        <D:locktype><D:write/></D:locktype></D:lockinfo>";
    let lock = erp.ask("LOCK", &path, &[("Depth", "0")], body);
    assert_eq!(lock.status, 200, "{}", lock.text());
    let token = lock.header("lock-token").to_owned();
    assert_eq!(erp2.put(&path, &data).status, 423);
    assert_eq!(erp.put(&path, &data).status, 423, "the token is needed");
    let held = format!("({token})");
    assert_eq!(
        erp.ask("PUT", &path, &[("If", &held)], data.as_bytes())
            .status,
        204
    );
    assert_eq!(
        served
            .client("ann")
            .ask("LOCK", &path, &[("Depth", "0")], body)
            .status,
        403
    );
    assert_eq!(
        served
            .client("eve")
            .ask("LOCK", &path, &[("Depth", "0")], body)
            .status,
        404
    );
    assert_eq!(
        erp.ask("UNLOCK", &path, &[("Lock-Token", &token)], b"")
            .status,
        204
    );
    assert_eq!(erp2.put(&path, &data).status, 204);
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
fn a_lock_is_ended_by_its_owner_only_and_by_itself() {
    let archive = Archive::new();
    archive.command(&["user", "add", "erp2"]);
    archive.command(&["grant", "add", "erp2", "uploader", "/*/"]);
    let served = archive.serve();
    let (erp, erp2) = (served.client("erp"), served.client("erp2"));
    let path = format!("/dav/{PLACE}/voucher.json");
    let body = b"<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>\
        <D:locktype><D:write/></D:locktype></D:lockinfo>";
    for timeout in [
        "Infinite",
        "garbage",
        "Second-99999999999999999",
        "Second-4000",
    ] {
        // Nothing is there yet: the name is kept for its owner, who can give it back.
        let lock = erp.ask("LOCK", &path, &[("Depth", "0"), ("Timeout", timeout)], body);
        assert_eq!(lock.status, 201, "{timeout}: {}", lock.text());
        assert!(
            lock.text().contains("Second-600"),
            "{timeout}: {}",
            lock.text()
        );
        let token = lock.header("lock-token").to_owned();
        for (user, status) in [("erp2", 403), ("ann", 403), ("eve", 404), ("erp", 204)] {
            let ended = served
                .client(user)
                .ask("UNLOCK", &path, &[("Lock-Token", &token)], b"");
            assert_eq!(ended.status, status, "{user}");
        }
    }
    erp.put(&path, voucher(PLACE, "1.00"));
    let lock = erp.ask("LOCK", &path, &[("Depth", "0")], body);
    let token = lock
        .header("lock-token")
        .trim_matches(['<', '>'])
        .to_owned();
    let shows = |client: &crate::client::Client| {
        client
            .ask("PROPFIND", &path, &[("Depth", "0")], b"")
            .text()
            .contains(&token)
    };
    assert!(
        shows(&erp) && !shows(&erp2),
        "the token is its owner's alone"
    );
    let folder = erp.ask(
        "LOCK",
        "/dav/acme/gl/2024-07/",
        &[("Depth", "infinity")],
        body,
    );
    assert_eq!(
        folder.status,
        403,
        "nobody stops a period: {}",
        folder.text()
    );
    let gone = erp2.ask("UNLOCK", &path, &[("Lock-Token", "<urn:uuid:none>")], b"");
    assert_eq!(gone.status, 409);
}

#[test]
fn conditions_on_writing_are_kept() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let path = format!("/dav/{PLACE}/voucher.json");
    erp.put(&path, voucher(PLACE, "1.00"));
    let tag = erp.get(&path).header("etag").to_owned();
    let (holds, fails) = (format!("([{tag}])"), format!("(Not [{tag}])"));
    for (name, value, status) in [
        (
            "If",
            "(<opaquelocktoken:00000000-0000-0000-0000-000000000000>)",
            412,
        ),
        ("If", "([\"bogus\"])", 412),
        ("If", "(<DAV:no-lock>)", 412),
        ("If", fails.as_str(), 412),
        ("If", "garbage((", 400),
        ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT", 412),
        ("If-Match", "\"bogus\"", 412),
        ("If-None-Match", tag.as_str(), 412),
        ("If-None-Match", "*", 412),
        ("If-None-Match", "\"bogus\"", 201),
    ] {
        let new = voucher(PLACE, "2.00");
        let answer = erp.ask("PUT", &path, &[(name, value)], new.as_bytes());
        assert_eq!(answer.status, status, "{name}: {value}: {}", answer.text());
    }
    let tag = erp.get(&path).header("etag").to_owned();
    let new = voucher(PLACE, "3.00");
    assert_eq!(
        erp.ask("PUT", &path, &[("If", &holds)], new.as_bytes())
            .status,
        412
    );
    let holds = format!("([{tag}])");
    assert_eq!(
        erp.ask("PUT", &path, &[("If", &holds)], new.as_bytes())
            .status,
        201
    );
}

#[test]
fn the_root_leads_to_the_share() {
    let archive = Archive::new();
    let served = archive.serve();
    let nobody = served.client("");
    let options = nobody.ask("OPTIONS", "/", &[], b"");
    assert_eq!((options.status, options.header("dav")), (200, "1, 2"));
    assert_eq!(
        nobody.get("/").status,
        401,
        "a browser is sent on, and asked to sign in"
    );
    assert!(
        !served
            .client("erp")
            .ask("PATCH", "/dav/", &[], b"")
            .header("allow")
            .is_empty()
    );
}
