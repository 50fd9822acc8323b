//! Bad input gets a clear refusal, and nothing of it is kept.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine as _;

use crate::served::{Archive, PASSWORD, Served, voucher};

const PLACE: &str = "acme/gl/2024-03/payment/0001";

/// Asserts a refusal with this status, and with a body that names the field and has a hint.
fn refused(served: &Served, place: &str, body: &[u8], status: u16, field: &str) {
    let answer = served
        .client("erp")
        .put(&format!("/dav/{place}/voucher.json"), body);
    assert_eq!(answer.status, status, "{place}: {}", answer.text());
    let json = answer.json();
    assert_eq!(json["field"], field, "{place}: {json}");
    for key in ["error", "hint"] {
        assert!(!json[key].as_str().unwrap().is_empty(), "{place}: {json}");
    }
}

#[test]
fn bad_vouchers_are_refused_by_field() {
    let archive = Archive::new();
    let served = archive.serve();
    let good = voucher(PLACE, "12000.00");
    let change = |from: &str, to: &str| good.replacen(from, to, 1).into_bytes();
    let deep = "[".repeat(200_000).into_bytes();
    for (body, field) in [
        (b"not json".to_vec(), ""),
        (Vec::new(), ""),
        (deep, ""),
        (good.as_bytes()[..good.len() / 2].to_vec(), ""),
        (change("\"currency\"", "\"curency\""), "curency"),
        (
            change("\"debit\":\"12000.00\"", "\"debit\":\"12000.01\""),
            "lines",
        ),
        (
            change("\"debit\":\"12000.00\"", "\"debit\":\"12000.005\""),
            "lines[0].debit",
        ),
        (
            change("\"debit\":\"12000.00\"", "\"debit\":\"1.2e4\""),
            "lines[0].debit",
        ),
        (change("2024-03-05", "2024-02-31"), "date"),
        (change("2024-03-05", "2024-04-01"), "date"),
        (change("\"0001\"", "\"0002\""), "number"),
        (change("\"acme\"", "\"other\""), "company"),
        (change("\"acme\"", "\"ac/me\""), "company"),
    ] {
        refused(&served, PLACE, &body, 400, field);
    }
    let month = "acme/gl/2024-13/payment/0001";
    refused(
        &served,
        month,
        voucher(month, "1.00").as_bytes(),
        400,
        "date",
    );
    let month_with_day = voucher(month, "1.00").replace("2024-13-05", "2024-12-05");
    refused(&served, month, month_with_day.as_bytes(), 400, "period");
    let bribe = "acme/gl/2024-03/bribe/0001";
    refused(
        &served,
        bribe,
        voucher(bribe, "1.00").as_bytes(),
        400,
        "type",
    );
    let listed = served.client("erp").list("/dav/").text();
    assert!(!listed.contains("acme"), "nothing of it is kept: {listed}");
    archive.assert_well();
}

#[test]
fn bad_names_are_refused() {
    let archive = Archive::new();
    let served = archive.serve();
    let data = voucher(PLACE, "1.00");
    for number in [
        "%2E%2E",
        "a%2Fb",
        "a%00b",
        "a%0Ab",
        "a%1Fb",
        "a%E2%80%AEb",
        "%FF",
        &"x".repeat(300),
    ] {
        let path = format!("/dav/acme/gl/2024-03/payment/{number}/voucher.json");
        // Written by hand: clients tidy such paths before they send them.
        let answer = raw_put(&served, &path, data.len(), data.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400"), "{number}: {answer}");
        assert!(answer.contains("\"error\""), "{number}: {answer}");
    }
    archive.assert_well();
}

/// Sends a PUT that announces `length` bytes and sends `body`, and gives the whole answer.
fn raw_put(served: &Served, path: &str, length: usize, body: &[u8]) -> String {
    let address = served.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("erp:{PASSWORD}"));
    write!(
        stream,
        "PUT {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {pair}\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    stream.write_all(body).unwrap();
    if (1..length).contains(&body.len()) {
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
    let mut answer = String::new();
    // The server may close the connection hard after its answer.
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn names_that_some_drive_cannot_show_are_refused_everywhere() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    for name in [
        "%E2%80%AEx",
        "a%5Cb",
        "CON",
        "nul.txt",
        "%3Cb%3E",
        "a%E3%85%A4",
    ] {
        let inbox = erp.put(&format!("/dav/_inbox/{name}"), b"x");
        assert_eq!(inbox.status, 400, "{name}: {}", inbox.text());
        assert_eq!(inbox.json()["field"], "path", "{name}");
    }
    let place = "acme/gl/2024-03/payment/CON";
    let upload = erp.put(
        &format!("/dav/{place}/voucher.json"),
        voucher(place, "1.00"),
    );
    assert_eq!(
        (upload.status, upload.json()["field"].clone()),
        (400, "number".into())
    );
    archive.assert_well();
}

#[test]
fn a_body_that_is_cut_leaves_nothing() {
    let archive = Archive::new();
    let served = archive.serve();
    let data = voucher(PLACE, "1.00");
    let path = format!("/dav/{PLACE}/voucher.json");
    raw_put(&served, &path, data.len(), &data.as_bytes()[..200]);
    let erp = served.client("erp");
    assert_eq!(erp.get(&path).status, 404);
    erp.put(&path, &data);
    let scan = [b"\xFF\xD8\xFF\xE0".as_slice(), &[7; 3_000_000]].concat();
    let scan_path = format!("/dav/{PLACE}/scan-1.jpg");
    raw_put(&served, &scan_path, scan.len(), &scan[..2_500_000]);
    assert_eq!(erp.get(&scan_path).status, 404);
    archive.assert_well();
}

#[test]
fn a_hundred_megabytes_are_refused_before_they_are_read() {
    let archive = Archive::new();
    let served = archive.serve();
    let path = format!("/dav/{PLACE}/voucher.json");
    let answer = raw_put(&served, &path, 100_000_000, b"");
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // Without an announced length, reading stops at the limit.
    let body = vec![b' '; 12 << 20];
    let chunked = [("Transfer-Encoding", "chunked")];
    let answer = served.client("erp").try_ask("PUT", &path, &chunked, &body);
    assert!(answer.is_ok_and(|answer| answer.status == 413));
    archive.assert_well();
}

#[test]
fn wrong_commands_are_exit_status_2() {
    use crate::served::run_expecting;
    let archive = Archive::new();
    let text = archive.text();
    for arguments in [
        &["frobnicate"][..],
        &["init", text, "--admin", "root"],
        &["serve", "--archive", "/nonexistent"],
        &["serve", "--archive", text, "--listen", "0.0.0.0:0"],
        &["user", "add", "erp", "--archive", text],
        &["user", "add", "a/b", "--archive", text],
        &["user", "passwd", "nobody", "--archive", text],
        &["grant", "add", "ann", "owner", "/", "--archive", text],
        &["grant", "add", "ann", "viewer", "acme", "--archive", text],
        &[
            "grant",
            "add",
            "ann",
            "viewer",
            "/a/",
            "--until",
            "x",
            "--archive",
            text,
        ],
        &["grant", "revoke", "g99", "--archive", text],
        &["verify", "/nonexistent"],
        &["verify", text, "--key", "nonsense"],
        &[
            "export",
            "acme",
            "--archive",
            text,
            "--out",
            "/tmp/never-made",
        ],
        &["render", "/nonexistent.json", "--out", "x.png"],
    ] {
        run_expecting(2, arguments);
    }
    archive.assert_well();
}

#[test]
fn deep_folders_in_the_inbox_are_refused_and_the_archive_goes_on() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let mut path = "/dav/_inbox".to_owned();
    let mut statuses = Vec::new();
    for _ in 0..20 {
        path += "/a";
        statuses.push(erp.ask("MKCOL", &path, &[], b"").status);
    }
    assert!(
        statuses.contains(&201) && statuses.contains(&400),
        "{statuses:?}"
    );
    assert!(
        statuses
            .iter()
            .all(|status| [201, 400, 409].contains(status)),
        "{statuses:?}"
    );
    let long = format!("/dav/_inbox/{}", "x".repeat(200));
    assert_eq!(erp.put(&long, b"x").status, 201);
    let upload = erp.put(
        &format!("/dav/{PLACE}/voucher.json"),
        voucher(PLACE, "1.00"),
    );
    assert_eq!(upload.status, 201, "nothing has stopped: {}", upload.text());
    archive.assert_well();
}

/// A sender that waits to be asked for a body that is refused is not asked for it: it gets the answer, whole.
#[test]
fn a_body_that_is_refused_unseen_is_not_asked_for() {
    let archive = Archive::new();
    let served = archive.serve();
    let address = served.url.strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    let patience = Some(std::time::Duration::from_secs(20));
    connection.set_read_timeout(patience).unwrap();
    // erp:Correct-Horse-9
    let head = format!(
        "PUT /dav/acme/gl/2024-03/payment/0001/voucher.json HTTP/1.1\r\nHost: {address}\r\n\
         Authorization: Basic ZXJwOkNvcnJlY3QtSG9yc2UtOQ==\r\nContent-Length: 120000000\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("more than"), "{answer}");
}
