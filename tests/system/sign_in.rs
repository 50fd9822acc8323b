//! Signing in: sessions of the pages, forged requests, waiting after wrong passwords, TLS.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::client::{Answer, Client};
use crate::matching::{PLACE, voucher};
use crate::served::{Archive, PASSWORD, Served, run_expecting};

const PAGE: (&str, &str) = ("x-vouchsafe-page", "1");

/// Signs in as a page does; gives the answer and the cookie.
fn session(nobody: &Client, name: &str, password: &str) -> (Answer, String) {
    let body = json!({"name": name, "password": password}).to_string();
    let answer = nobody.ask("POST", "/api/v1/session", &[PAGE], body.as_bytes());
    let cookie = answer.header("set-cookie").split(';').next().unwrap();
    let cookie = cookie.to_owned();
    (answer, cookie)
}

#[test]
fn a_session_stands_for_its_user_until_it_ends() {
    let archive = Archive::new();
    let served = archive.serve();
    let nobody = served.client("");
    let place = format!("{PLACE}/0001/voucher.json");
    served
        .client("erp")
        .put(&place, voucher("0001", "12.00").to_string());
    let (answer, cookie) = session(&nobody, "ann", PASSWORD);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["name"], "ann");
    let set = answer.header("set-cookie");
    assert!(set.contains("HttpOnly; SameSite=Strict"), "{set}");
    // Over plain HTTP the browser would not send a cookie that is for TLS only.
    assert!(!set.contains("Secure"), "{set}");
    let held = [("cookie", cookie.as_str())];
    assert_eq!(nobody.ask("GET", &place, &held, b"").status, 200);
    assert_eq!(
        nobody.ask("GET", "/api/v1/session", &held, b"").json()["name"],
        "ann"
    );
    // Nobody guesses one, and one that was altered is none.
    let altered = [("cookie", "vouchsafe=00")];
    assert_eq!(nobody.ask("GET", &place, &altered, b"").status, 401);
    // A page of ours gets no window of the browser's own, a drive does.
    let refused = nobody.ask("GET", &place, &[PAGE], b"");
    assert_eq!(
        (refused.status, refused.header("www-authenticate")),
        (401, "")
    );
    assert!(!nobody.get(&place).header("www-authenticate").is_empty());
    // The password's change ends it, as signing out does.
    let (_, other) = session(&nobody, "ann", PASSWORD);
    let ended = nobody.ask(
        "DELETE",
        "/api/v1/session",
        &[PAGE, ("cookie", &other)],
        b"",
    );
    assert_eq!(ended.status, 204);
    let after = nobody.ask("GET", "/api/v1/session", &[("cookie", &other)], b"");
    assert_eq!(after.status, 401);
    archive.command(&["user", "passwd", "ann"]);
    assert_eq!(nobody.ask("GET", &place, &held, b"").status, 401);
    let (_, last) = session(&nobody, "ann", PASSWORD);
    archive.command(&["user", "disable", "ann"]);
    assert_eq!(
        nobody.ask("GET", &place, &[("cookie", &last)], b"").status,
        401
    );
}

#[test]
fn another_sites_page_can_neither_sign_in_nor_change_anything() {
    let archive = Archive::new();
    let served = archive.serve();
    let nobody = served.client("");
    let body = json!({"name": "erp", "password": PASSWORD}).to_string();
    let forged = nobody.ask("POST", "/api/v1/session", &[], body.as_bytes());
    assert_eq!(forged.status, 403);
    let (_, cookie) = session(&nobody, "erp", PASSWORD);
    let place = format!("{PLACE}/0001/voucher.json");
    let data = voucher("0001", "12.00").to_string();
    let put = |headers: &[(&str, &str)]| {
        let headers = [&[("cookie", cookie.as_str())], headers].concat();
        nobody.ask("PUT", &place, &headers, data.as_bytes()).status
    };
    assert_eq!(put(&[]), 403);
    assert_eq!(put(&[PAGE, ("sec-fetch-site", "cross-site")]), 403);
    assert_eq!(
        served.client("erp").get(&place).status,
        404,
        "nothing was filed"
    );
    assert_eq!(put(&[PAGE, ("sec-fetch-site", "same-origin")]), 201);
}

#[test]
fn wrong_passwords_make_their_name_wait_and_nobody_else() {
    let archive = Archive::new();
    let served = archive.serve();
    let wrong = Client::new(&served.url, "ann", "Wrong-Horse-9");
    let unknown = Client::new(&served.url, "nobody-of-this-name", "Wrong-Horse-9");
    let list = |client: &Client| client.list("/dav/");
    // ben was here before anybody guessed.
    assert_eq!(list(&served.client("ben")).status, 207);
    let answers: Vec<Answer> = (0..7).map(|_| list(&wrong)).collect();
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    let last = answers.last().unwrap();
    let seconds: u64 = last.header("retry-after").parse().unwrap();
    assert!((1..=300).contains(&seconds), "{seconds}");
    assert_eq!(last.json()["error"], "too many wrong passwords");
    // The right one is not looked at either: otherwise guesses would go on. A name that is not there behaves the same.
    assert_eq!(list(&served.client("ann")).status, 429);
    let unknown: Vec<u16> = (0..7).map(|_| list(&unknown).status).collect();
    assert_eq!(unknown, statuses);
    assert_eq!(list(&served.client("ben")).status, 207);
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(list(&served.client("ann")).status, 207);
}

#[test]
fn a_flood_of_wrong_passwords_does_not_starve_those_who_are_known() {
    let archive = Archive::new();
    let served = archive.serve();
    let ben = served.client("ben");
    assert_eq!(ben.list("/dav/").status, 207);
    let url = served.url.clone();
    let flood: Vec<_> = (0..100)
        .map(|guess| {
            let url = url.clone();
            std::thread::spawn(move || {
                Client::new(&url, &format!("guess{guess}"), "Wrong-Horse-9")
                    .list("/dav/")
                    .status
            })
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(ben.list("/dav/").status, 207);
    }
    let statuses: Vec<u16> = flood.into_iter().map(|it| it.join().unwrap()).collect();
    let refused = statuses.iter().all(|it| [401, 429, 503].contains(it));
    assert!(refused, "{statuses:?}");
    assert!(
        statuses.contains(&429),
        "one address has only so many guesses: {statuses:?}"
    );
}

#[test]
fn one_who_comes_with_many_connections_at_once_is_let_in_on_each() {
    let archive = Archive::new();
    let served = archive.serve();
    let arriving: Vec<_> = (0..200)
        .map(|_| {
            let url = served.url.clone();
            std::thread::spawn(move || Client::new(&url, "ben", PASSWORD).list("/dav/").status)
        })
        .collect();
    for it in arriving {
        assert_eq!(it.join().unwrap(), 207);
    }
}

#[test]
fn what_is_remembered_of_a_right_password_answers_no_guesses() {
    let archive = Archive::new();
    let config = archive.folder.path().join("config.toml");
    std::fs::write(&config, "[proxy]\naddresses = [\"127.0.0.1\"]\n").unwrap();
    let served =
        Served::start_with_options(&["--config", config.to_str().unwrap()], &archive.path());
    let from = |address: &str, password: &str| {
        let client = Client::new(&served.url, "ann", password);
        let headers = [("Depth", "0"), ("X-Forwarded-For", address)];
        client.ask("PROPFIND", "/dav/", &headers, b"").status
    };
    assert_eq!(from("10.0.0.1", PASSWORD), 207);
    let guesses: Vec<u16> = (0..6).map(|_| from("10.0.0.9", "Wrong-Horse-9")).collect();
    assert_eq!(guesses, [401, 401, 401, 401, 401, 429]);
    // The right one is at work elsewhere, and the guesser does not learn which it is.
    assert_eq!(from("10.0.0.9", PASSWORD), 429);
    assert_eq!(from("10.0.0.1", PASSWORD), 207);
    // Whoever else is at that address is not kept out by strangers once they were there.
    let ben = |address: &str| {
        let headers = [("Depth", "0"), ("X-Forwarded-For", address)];
        served
            .client("ben")
            .ask("PROPFIND", "/dav/", &headers, b"")
            .status
    };
    assert_eq!(ben("10.0.0.9"), 207);
    // Traces name the client and not the proxy.
    let place = format!("{PLACE}/0001/voucher.json");
    served
        .client("erp")
        .put(&place, voucher("0001", "12.00").to_string());
    served
        .client("ann")
        .ask("GET", &place, &[("X-Forwarded-For", "10.0.0.1")], b"");
    let traces = served.client("ben").get("/api/v1/traces?user=ann").json();
    assert_eq!(traces["traces"][0]["from"], "10.0.0.1");
}

#[test]
fn a_sender_who_dawdles_is_not_waited_for() {
    use std::io::{Read as _, Write as _};
    let archive = Archive::new();
    let served = archive.serve();
    let address = served.url.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /api/v1/session HTTP/1.1\r\nHost: {address}\r\nx-vouchsafe-page: 1\r\nContent-Length: 1000\r\n\r\n{{"
    )
    .unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 408");
}

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A certificate of its own for `localhost`, with this serial number.
fn certificate(folder: &Path, serial: &str) {
    let [key, chain] = ["key.pem", "chain.pem"].map(|name| folder.join(name).display().to_string());
    openssl(&[
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=DNS:localhost",
        "-set_serial",
        serial,
        "-keyout",
        &key,
        "-out",
        &chain,
    ]);
}

/// What curl gets, trusting the certificate in `chain`, and the exit status.
fn curl(url: &str, chain: &Path, more: &[&str]) -> (String, i32) {
    let output = Command::new("curl")
        .args(["-sS", "-i", "--cacert"])
        .arg(chain)
        .args(more)
        .arg(url)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (text, output.status.code().unwrap())
}

#[test]
fn tls_is_spoken_and_a_renewed_certificate_is_taken_up() {
    let archive = Archive::new();
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "1001");
    let [key, chain] = ["key.pem", "chain.pem"].map(|name| folder.path().join(name));
    let served = Served::start_with_options(
        &[
            "--tls-cert",
            chain.to_str().unwrap(),
            "--tls-key",
            key.to_str().unwrap(),
        ],
        &archive.path(),
    );
    assert!(
        served.url.starts_with("https://127.0.0.1:"),
        "{}",
        served.url
    );
    let url = served.url.replace("127.0.0.1", "localhost");
    let health = format!("{url}/healthz");
    let (text, status) = curl(&health, &chain, &[]);
    assert_eq!(status, 0, "{text}");
    assert!(text.contains("\"ok\""), "{text}");
    // The cookie of a session is for TLS alone.
    let body = json!({"name": "ann", "password": PASSWORD}).to_string();
    let (text, _) = curl(
        &format!("{url}/api/v1/session"),
        &chain,
        &["-H", "x-vouchsafe-page: 1", "-d", &body],
    );
    assert!(text.contains("; Secure"), "{text}");
    // Plain HTTP on the port gets nowhere.
    let (_, status) = curl(&health.replace("https", "http"), &chain, &[]);
    assert_ne!(status, 0);
    // A key without its certificate is not taken up; the pair is.
    let old = folder.path().join("old.pem");
    std::fs::copy(&chain, &old).unwrap();
    let renewed = tempfile::tempdir().unwrap();
    certificate(renewed.path(), "1002");
    std::fs::copy(renewed.path().join("key.pem"), &key).unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(
        curl(&health, &old, &[]).1,
        0,
        "the pair before is still served"
    );
    std::fs::copy(renewed.path().join("chain.pem"), &chain).unwrap();
    let until = std::time::Instant::now() + Duration::from_secs(20);
    while curl(&health, &chain, &[]).1 != 0 {
        assert!(
            std::time::Instant::now() < until,
            "the new pair is not served"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn what_cannot_be_served_is_said() {
    let archive = Archive::new();
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path(), "1");
    let [key, chain] =
        ["key.pem", "chain.pem"].map(|name| folder.path().join(name).display().to_string());
    let serve = |more: &[&str]| {
        run_expecting(
            2,
            &[
                &[
                    "serve",
                    "--archive",
                    archive.text(),
                    "--listen",
                    "127.0.0.1:0",
                ],
                more,
            ]
            .concat(),
        )
    };
    assert!(serve(&["--tls-cert", &chain, "--tls-key", "/nowhere"]).contains("/nowhere"));
    let swapped = serve(&["--tls-cert", &key, "--tls-key", &key]);
    assert!(swapped.contains("no certificate"), "{swapped}");
    assert!(serve(&["--tls-cert", &chain]).contains("--tls-key"));
    let open = run_expecting(
        2,
        &[
            "serve",
            "--archive",
            archive.text(),
            "--listen",
            "0.0.0.0:0",
        ],
    );
    assert!(
        open.contains("--tls-cert") && open.contains("--plain-http"),
        "{open}"
    );
}
