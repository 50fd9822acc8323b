//! Whoever sends slowly holds up nobody else.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::served::{Archive, PASSWORD, Served, voucher};

/// More than the server has threads for what waits for the disk.
const SLOW: usize = 600;
/// The server gives up on a silent sender after a minute; nobody else waits for that.
const PATIENCE: Duration = Duration::from_secs(40);

#[test]
fn uploads_that_never_end_hold_up_nobody_else() {
    let archive = Archive::new();
    archive.command(&["user", "add", "other"]);
    archive.command(&["grant", "add", "other", "uploader", "/*/"]);
    // Many systems let a program open few files unless it asks for more.
    let mut few_files = Command::new("sh");
    few_files.args(["-c", "ulimit -Sn 256 && exec \"$0\" \"$@\""]);
    few_files.arg(env!("CARGO_BIN_EXE_vouchsafe"));
    let served = Served::start_with(few_files, &archive.path());
    let place = "acme/gl/2024-03/payment/0001";
    let path = format!("/dav/{place}/voucher.json");
    let erp = served.client("erp");
    assert_eq!(erp.put(&path, voucher(place, "12.00")).status, 201);
    let address = served.url.trim_start_matches("http://").to_owned();
    let login = BASE64.encode(format!("erp:{PASSWORD}"));
    let open: Vec<TcpStream> = (0..SLOW)
        .map(|number| {
            let mut connection = TcpStream::connect(&address).unwrap();
            write!(
                connection,
                "PUT /dav/acme/gl/2024-03/payment/slow-{number}/voucher.json HTTP/1.1\r\nHost: {address}\r\n\
                Authorization: Basic {login}\r\nContent-Length: 1000\r\n\r\n{{"
            )
            .unwrap();
            connection
        })
        .collect();
    let (said, heard) = mpsc::channel();
    let (other, ann) = (served.client("other"), served.client("ann"));
    std::thread::spawn(move || {
        let place = "acme/gl/2024-03/payment/0002";
        let filed = other.put(
            &format!("/dav/{place}/voucher.json"),
            voucher(place, "7.00"),
        );
        said.send((filed.status, ann.get(&path).status))
    });
    let answers = heard.recv_timeout(PATIENCE);
    assert_eq!(answers, Ok((201, 200)));
    drop(open);
    // Those that come after have their turn when the slow ones have gone.
    let place = "acme/gl/2024-03/payment/0003";
    let after = erp.put(
        &format!("/dav/{place}/voucher.json"),
        voucher(place, "9.00"),
    );
    assert_eq!(after.status, 201);
}

#[test]
fn a_download_breaks_off_when_its_readers_grant_ends() {
    let archive = Archive::new();
    let served = archive.serve();
    let place = "acme/gl/2024-03/payment/0001";
    let erp = served.client("erp");
    erp.put(
        &format!("/dav/{place}/voucher.json"),
        voucher(place, "12.00"),
    );
    let scan = [b"\xFF\xD8\xFF\xE0".to_vec(), vec![7; 40 << 20]].concat();
    let path = format!("/dav/{place}/scan-1.jpg");
    assert_eq!(erp.put(&path, &scan).status, 201);
    let address = served.url.trim_start_matches("http://");
    let login = BASE64.encode(format!("erp:{PASSWORD}"));
    let begin = || {
        let mut connection = TcpStream::connect(address).unwrap();
        write!(
            connection,
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {login}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut beginning = vec![0; 1 << 20];
        connection.read_exact(&mut beginning).unwrap();
        connection
    };
    let rest = |mut connection: TcpStream| {
        let mut rest = Vec::new();
        // An answer that breaks off may end with an error.
        let _ = connection.read_to_end(&mut rest);
        rest.len() + (1 << 20)
    };
    // More rights end nothing.
    let reading = begin();
    archive.command(&["grant", "add", "erp", "viewer", "/other/"]);
    assert!(rest(reading) > scan.len());
    let reading = begin();
    let grants = archive.command(&["grant", "list"]);
    let own = grants
        .lines()
        .find(|line| line.contains("erp") && line.contains("uploader"));
    let own = own.unwrap().split_whitespace().next().unwrap();
    archive.command(&["grant", "revoke", own]);
    assert!(rest(reading) < scan.len());
}
