//! A time-stamp authority that the tests run themselves.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A time-stamp authority: a certificate authority and a signing certificate made by openssl, served over HTTP
/// by `openssl ts`.
pub struct Authority {
    folder: PathBuf,
    url: String,
}

pub fn openssl(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output();
    let output = output.expect("openssl; `make test-packages` installs it");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "openssl {arguments:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &said
}

impl Authority {
    pub fn new(folder: PathBuf, key: &[&str]) -> Authority {
        fs::create_dir(&folder).unwrap();
        fs::write(
            folder.join("ts.cnf"),
            "[tsa]\ndefault_tsa = t\n[t]\nserial = serial\nsigner_cert = tsa.pem\nsigner_key = tsa.key\n\
             signer_digest = sha256\ndefault_policy = 1.2.3.4\ndigests = sha256\naccuracy = secs:1\n\
             certs = ca.pem\ness_cert_id_alg = sha256\n[usage]\nextendedKeyUsage = critical,timeStamping\n",
        )
        .unwrap();
        fs::write(folder.join("serial"), "01\n").unwrap();
        let make = |name: &str| {
            let file = format!("{name}.key");
            openssl(&folder, &[&["genpkey", "-out", &file][..], key].concat());
        };
        make("ca");
        make("tsa");
        let root = [
            "req", "-x509", "-new", "-key", "ca.key", "-out", "ca.pem", "-days", "30", "-subj",
            "/CN=CA",
        ];
        openssl(&folder, &root);
        let request = [
            "req", "-new", "-key", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=TSA",
        ];
        openssl(&folder, &request);
        let issue = [
            "x509",
            "-req",
            "-in",
            "tsa.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-out",
            "tsa.pem",
            "-days",
            "30",
            "-extfile",
            "ts.cnf",
            "-extensions",
            "usage",
        ];
        openssl(&folder, &issue);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answering = folder.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), &answering);
            }
        });
        Authority { folder, url }
    }

    pub fn certificates(&self) -> String {
        self.folder.join("ca.pem").display().to_string()
    }

    pub fn config(&self) -> String {
        format!(
            "[timestamps]\nevery_seconds = 1\nurl = \"{}\"\ncertificates = \"{}\"\n",
            self.url,
            self.certificates()
        )
    }
}

/// Answers one POST with what `openssl ts` makes of its body.
fn answer(mut stream: std::net::TcpStream, folder: &Path) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut query = vec![0; length];
    reader.read_exact(&mut query).unwrap();
    fs::write(folder.join("query"), query).unwrap();
    openssl(
        folder,
        &[
            "ts",
            "-reply",
            "-config",
            "ts.cnf",
            "-queryfile",
            "query",
            "-out",
            "reply",
        ],
    );
    let reply = fs::read(folder.join("reply")).unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        reply.len()
    );
    stream
        .write_all(&[head.as_bytes(), &reply].concat())
        .unwrap();
}
