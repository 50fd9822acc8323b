//! The reviewers' queue as it lives: what a stream tells, when it ends, and how many one person may have.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use crate::review::{begun, filed, reviewed};
use crate::served::{PASSWORD, Served};

/// A reader of a queue's events, as a browser is one.
struct Events {
    process: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Events {
    fn of(served: &Served, user: &str) -> Events {
        let mut process = Command::new("curl")
            .args(["-sSN", "-u", &format!("{user}:{PASSWORD}")])
            .arg(format!("{}/api/v1/queue/events", served.url))
            .stdout(Stdio::piped())
            .spawn()
            .expect("curl; `make test-packages` installs it");
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Events { process, lines }
    }

    /// The next event's name and data.
    fn next(&mut self) -> (String, Value) {
        let mut name = String::new();
        loop {
            let line = self.lines.next().expect("the stream goes on").unwrap();
            if let Some(event) = line.strip_prefix("event: ") {
                event.clone_into(&mut name);
            } else if let Some(data) = line.strip_prefix("data: ") {
                return (name, serde_json::from_str(data).unwrap());
            }
        }
    }
}

#[test]
fn a_reviewers_queue_is_live_and_ends_with_the_right_to_see_it() {
    let (archive, served) = begun();
    let (erp, rita) = (served.client("erp"), served.client("rita"));
    filed(&erp, "0007", "12000.00");
    let (mut events, mut viewer) = (Events::of(&served, "rita"), Events::of(&served, "ann"));
    let (name, data) = events.next();
    assert_eq!(
        (name.as_str(), data["vouchers"].as_array().unwrap().len()),
        ("queue", 1)
    );
    let (name, data) = viewer.next();
    assert_eq!(
        (name.as_str(), data["vouchers"].as_array().unwrap().len()),
        ("queue", 0)
    );
    filed(&erp, "0008", "12000.00");
    let (name, data) = events.next();
    assert_eq!(
        (name.as_str(), &data["path"]),
        ("waiting", &json!("/acme/gl/2024-03/payment/0008"))
    );
    assert_eq!(
        (&data["version"], &data["image_set"]),
        (&json!(1), &json!("awaiting-scan"))
    );
    assert_eq!(reviewed(&rita, "0007", "approve", "no scan"), 201);
    let (name, data) = events.next();
    assert_eq!(
        (name.as_str(), &data["path"]),
        ("decided", &json!("/acme/gl/2024-03/payment/0007"))
    );
    // What comes once the grant is taken back is not told any more.
    let grants = archive.command(&["grant", "list"]);
    let grant = grants.lines().find(|line| line.contains("rita")).unwrap();
    archive.command(&["grant", "revoke", grant.split_whitespace().next().unwrap()]);
    filed(&erp, "0009", "12000.00");
    archive.command(&["grant", "add", "rita", "reviewer", "/acme/gl/"]);
    filed(&erp, "0010", "12000.00");
    let (name, data) = events.next();
    assert_eq!(
        (name.as_str(), &data["path"]),
        ("waiting", &json!("/acme/gl/2024-03/payment/0010"))
    );
    // The server ends the streams with itself, each to its end.
    assert_eq!(served.terminate(), Some(0));
    assert!(
        viewer
            .lines
            .by_ref()
            .all(|line| !line.unwrap().contains("0008"))
    );
    for mut stream in [events, viewer] {
        assert_eq!(stream.process.wait().unwrap().code(), Some(0));
    }
}

/// What the server says first to one more stream of rita's; the connection stays open.
fn stream(served: &Served) -> (u16, TcpStream) {
    let address = served.url.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_secs(60));
    connection.set_read_timeout(patience).unwrap();
    let login = BASE64.encode(format!("rita:{PASSWORD}"));
    write!(
        connection,
        "GET /api/v1/queue/events HTTP/1.1\r\nHost: {address}\r\nAuthorization: Basic {login}\r\n\r\n"
    )
    .unwrap();
    let mut first = [0; 12];
    connection.read_exact(&mut first).unwrap();
    let status = std::str::from_utf8(&first[9..]).unwrap();
    (status.parse().unwrap(), connection)
}

#[test]
fn one_person_does_not_open_streams_without_end() {
    let (_archive, served) = begun();
    let open: Vec<TcpStream> = (0..256)
        .map(|number| {
            let (status, connection) = stream(&served);
            assert_eq!(status, 200, "stream {number}");
            connection
        })
        .collect();
    assert_eq!(stream(&served).0, 429);
    assert_eq!(served.client("rita").get("/api/v1/queue").status, 200);
    drop(open);
    // Ended streams are noticed when something is to be told.
    let began = std::time::Instant::now();
    let mut number = 0;
    while stream(&served).0 != 200 {
        assert!(began.elapsed() < Duration::from_secs(60));
        number += 1;
        filed(&served.client("erp"), &format!("{number:04}"), "120.00");
    }
}
