//! What fixes a log outside: witnesses cosign its checkpoints, and an authority stamps them with the time.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vouchsafe::anchor::Gathering;
use vouchsafe::config::Config;

use crate::client::Client;
use crate::served::{Archive, run_expecting, voucher, vouchsafe};
use crate::time_authority::{Authority, openssl};

/// A witness in a process of its own; killed when dropped.
pub struct Witness {
    process: Child,
    pub url: String,
    pub folder: PathBuf,
}

impl Witness {
    /// Makes and starts a witness for the logs with these keys.
    pub fn new(folder: PathBuf, logs: &[String]) -> Witness {
        let text = folder.to_str().unwrap();
        run_expecting(
            0,
            &["witness", "init", text, "--name", "witness.example/w1"],
        );
        Witness::start(folder, logs)
    }

    pub fn start(folder: PathBuf, logs: &[String]) -> Witness {
        let mut command = vouchsafe();
        command.args(["witness", "serve", "--listen", "127.0.0.1:0"]);
        command.args(logs.iter().flat_map(|log| ["--log", log]));
        let mut process = command.arg(&folder).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap();
        Witness {
            url: url.to_owned(),
            process,
            folder,
        }
    }

    pub fn key(&self) -> String {
        let key = fs::read_to_string(self.folder.join("vkey")).unwrap();
        key.trim().to_owned()
    }

    pub fn config(&self) -> String {
        format!(
            "[witnesses]\nevery_seconds = 1\n[[witnesses.witness]]\nurl = \"{}\"\nvkey = \"{}\"\n",
            self.url,
            self.key()
        )
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn vkey(archive: &Archive) -> String {
    let key = fs::read_to_string(archive.path().join("vkey")).unwrap();
    key.trim().to_owned()
}

pub fn with_witness(archive: &Archive) -> Witness {
    let folder = archive.folder.path().join("witness");
    let witness = Witness::new(folder, &[vkey(archive)]);
    fs::write(archive.path().join("config.toml"), witness.config()).unwrap();
    witness
}

/// Waits until `ready` gives something.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "no {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub fn file(client: &Client, number: &str) {
    let place = format!("acme/gl/2024-03/payment/{number}");
    let path = format!("/dav/{place}/voucher.json");
    let answer = client.put(&path, voucher(&place, "1.00"));
    assert_eq!(answer.status, 201, "{}", answer.text());
}

/// Size and text of the published checkpoint.
pub fn published(client: &Client) -> (u64, String) {
    let text = client.get("/log/checkpoint").text();
    let size = text.lines().nth(1).and_then(|size| size.parse().ok());
    (size.unwrap_or(0), text)
}

#[test]
fn a_witness_cosigns_what_only_grows_and_its_line_is_in_the_checkpoint() {
    let archive = Archive::new();
    let witness = with_witness(&archive);
    let served = archive.serve();
    let erp = served.client("erp");
    file(&erp, "0001");
    let cosigned = |size: u64| {
        wait_for("cosigned checkpoint", || {
            let (found, text) = published(&erp);
            (found > size && text.contains("— witness.example/w1 ")).then_some(found)
        })
    };
    let first = cosigned(0);
    file(&erp, "0002");
    let second = cosigned(first);
    // A log without news is not cosigned again: its own entries about that are none.
    std::thread::sleep(Duration::from_millis(2_500));
    assert_eq!(published(&erp).0, second);
    let key = witness.key();
    let required = ["--witness", key.as_str(), "--require", "1"];
    let verify = |target: &str| run_expecting(0, &[&["verify", target][..], &required].concat());
    let text = verify(archive.text());
    assert!(
        text.contains(&format!("witnessed    {second} entries")),
        "{text}"
    );
    for (scope, name) in [("/", "whole"), ("/acme/", "part")] {
        let out = archive.folder.path().join(name);
        archive.command(&["export", scope, "--out", out.to_str().unwrap()]);
        let text = verify(out.to_str().unwrap());
        assert!(
            text.contains(&format!("witnessed    {second} entries")),
            "{text}"
        );
        assert!(out.join("data/log/cosigned-checkpoint").is_file());
    }
    // Monitors ask the witness itself.
    let origin = vkey(&archive);
    let origin =
        vouchsafe_evidence::digest::Digest::sha256(origin.split('+').next().unwrap().as_bytes());
    let monitor = Client::new(&witness.url, "", "");
    let seen = monitor.get(&format!("/{origin}/checkpoint"));
    assert!(
        seen.text().contains(&format!("\n{second}\n")),
        "{}",
        seen.text()
    );
    assert_eq!(monitor.get("/00/checkpoint").status, 404);
}

#[test]
fn without_the_required_witnesses_a_log_is_not_well() {
    let archive = Archive::new();
    let witness = with_witness(&archive);
    // The witness was never asked.
    let key = witness.key();
    let arguments = [
        "verify",
        archive.text(),
        "--witness",
        &key,
        "--require",
        "1",
    ];
    let text = run_expecting(1, &arguments);
    assert!(
        text.contains("cosignatures by 1 of the 1 witnesses"),
        "{text}"
    );
    run_expecting(2, &["verify", archive.text(), "--require", "1"]);
}

#[test]
fn a_witness_that_is_away_holds_nobody_up_and_is_asked_again() {
    let archive = Archive::new();
    let witness = with_witness(&archive);
    let folder = witness.folder.clone();
    let url = witness.url.clone();
    drop(witness);
    let served = archive.serve();
    let erp = served.client("erp");
    file(&erp, "0001");
    assert!(!published(&erp).1.contains("witness.example"));
    // It comes back at the same address, knowing nothing of the log yet.
    let mut command = vouchsafe();
    let address = url.strip_prefix("http://").unwrap();
    command.args([
        "witness",
        "serve",
        "--listen",
        address,
        "--log",
        &vkey(&archive),
    ]);
    let mut process = command.arg(&folder).stdout(Stdio::null()).spawn().unwrap();
    wait_for("cosigned checkpoint", || {
        published(&erp)
            .1
            .contains("— witness.example/w1 ")
            .then_some(())
    });
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn a_wrong_configuration_says_what_is_wrong() {
    let archive = Archive::new();
    let config = archive.path().join("config.toml");
    let serve = [
        "serve",
        "--archive",
        archive.text(),
        "--listen",
        "127.0.0.1:0",
    ];
    for (text, named) in [
        ("[witness]\n", "witness"),
        ("[witnesses]\nwitness = []\n", "witnesses.require"),
        ("[timestamps]\nurl = \"tsa\"\n", "timestamps.url"),
        (
            "[timestamps]\nurl = \"http://127.0.0.1:1\"\ncertificates = \"/none.pem\"\n",
            "timestamps.certificates",
        ),
    ] {
        fs::write(&config, text).unwrap();
        let said = run_expecting(2, &serve);
        assert!(said.contains(named), "{text}: {said}");
    }
}

#[test]
fn checkpoints_are_stamped_and_openssl_agrees() {
    let rsa = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let p256 = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
    for (name, key) in [("rsa", rsa), ("p256", p256)] {
        let archive = Archive::new();
        let authority = Authority::new(archive.folder.path().join("tsa"), &key);
        fs::write(archive.path().join("config.toml"), authority.config()).unwrap();
        let served = archive.serve();
        let erp = served.client("erp");
        file(&erp, "0001");
        let ben = served.client("ben");
        let stamped = wait_for("time-stamp", || {
            let list = ben.list("/dav/_audit/timestamp/");
            list.text().contains(".tsr</D:href>").then(|| list.text())
        });
        drop(served);
        let size = stamped.split("/timestamp/").nth(2).unwrap();
        let size = size.split(['.', '<']).next().unwrap().to_owned();
        let ca = authority.certificates();
        let text = run_expecting(0, &["verify", archive.text(), "--tsa", &ca]);
        assert!(text.contains("time-stamps  "), "{name}: {text}");
        // A program that is not ours judges the same files, in an export of the whole and of a part.
        for (scope, out) in [("/", "whole"), ("/acme/", "part")] {
            let out = archive.folder.path().join(out);
            archive.command(&["export", scope, "--out", out.to_str().unwrap()]);
            let log = out.join("data/log/timestamp");
            let (data, token) = (log.join(&size), log.join(format!("{size}.tsr")));
            let (data, token) = (data.to_str().unwrap(), token.to_str().unwrap());
            let said = openssl(
                &log,
                &["ts", "-verify", "-data", data, "-in", token, "-CAfile", &ca],
            );
            assert!(said.contains("Verification: OK"), "{said}");
            let text = run_expecting(0, &["verify", out.to_str().unwrap(), "--tsa", &ca]);
            assert!(text.contains("time-stamps  "), "{name}: {text}");
        }
        // Another authority did not stamp this.
        let other = Authority::new(archive.folder.path().join("other"), &key);
        let arguments = ["verify", archive.text(), "--tsa", &other.certificates()];
        let text = run_expecting(1, &arguments);
        assert!(text.contains("time-stamp: expected"), "{name}: {text}");
    }
}

/// Opens the archive in this process with a clock that is wrong by so many milliseconds, files something, and
/// has it anchored.
fn anchored_with_a_wrong_clock(archive: &Archive, config: &str, wrong_by: i64) {
    let clock = Arc::new(move || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        (now.as_millis() as i64 + wrong_by) as u64
    });
    let opened = vouchsafe::archive::Archive::open(&archive.path(), clock, &|_, _| {}).unwrap();
    let opened = Arc::new(opened);
    opened.add_user("late", crate::served::PASSWORD).unwrap();
    let before = opened.records().size().unwrap();
    let config = Config::from_toml(config).unwrap();
    let gathering = Gathering::start(Arc::clone(&opened), &config).unwrap();
    wait_for("anchor", || {
        (opened.records().size().unwrap() > before).then_some(())
    });
    drop(gathering);
}

/// An archive that was made while its clock was a day behind.
fn born_a_day_behind() -> Archive {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive { folder };
    let clock = Arc::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        now.as_millis() as u64 - DAY_MS as u64
    });
    let password = crate::served::PASSWORD;
    vouchsafe::archive::Archive::create(&archive.path(), "root", password, None, clock).unwrap();
    archive
}

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

#[test]
fn a_clock_that_was_set_is_seen_by_whoever_has_the_time_of_a_witness() {
    let archive = born_a_day_behind();
    let witness = Witness::new(archive.folder.path().join("witness"), &[vkey(&archive)]);
    anchored_with_a_wrong_clock(&archive, &witness.config(), -DAY_MS);
    run_expecting(0, &["verify", archive.text()]);
    let key = witness.key();
    let text = run_expecting(1, &["verify", archive.text(), "--witness", &key]);
    assert!(text.contains("time: expected at least"), "{text}");

    let archive = Archive::new();
    let witness = Witness::new(archive.folder.path().join("witness"), &[vkey(&archive)]);
    anchored_with_a_wrong_clock(&archive, &witness.config(), DAY_MS);
    let key = witness.key();
    let text = run_expecting(1, &["verify", archive.text(), "--witness", &key]);
    assert!(text.contains("time: expected at most"), "{text}");
}

#[test]
fn a_clock_that_was_set_is_seen_by_whoever_has_a_time_stamp() {
    let archive = born_a_day_behind();
    let key = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"];
    let authority = Authority::new(archive.folder.path().join("tsa"), &key);
    anchored_with_a_wrong_clock(&archive, &authority.config(), -DAY_MS);
    let ca = authority.certificates();
    let text = run_expecting(1, &["verify", archive.text(), "--tsa", &ca]);
    assert!(text.contains("time: expected at least"), "{text}");
}
