//! A real archive, served by the real program, on a port of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::client::Client;

pub const PASSWORD: &str = "Correct-Horse-9";

/// The program with its password set.
pub fn vouchsafe() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
    command.env("VOUCHSAFE_PASSWORD", PASSWORD);
    command
}

/// Runs the program with these arguments.
pub fn run(arguments: &[&str]) -> Output {
    vouchsafe().args(arguments).output().unwrap()
}

/// Runs it and asserts the exit status; gives stdout and stderr.
pub fn run_expecting(status: i32, arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{arguments:?}: {text}");
    text
}

/// An archive in a folder of its own, with the users of the acceptance checks.
pub struct Archive {
    pub folder: tempfile::TempDir,
}

impl Archive {
    pub fn new() -> Archive {
        Archive::within(tempfile::tempdir().unwrap())
    }

    /// In `folder`, which may be a small disk.
    pub fn within(folder: tempfile::TempDir) -> Archive {
        let archive = Archive { folder };
        run_expecting(0, &["init", archive.text(), "--admin", "root"]);
        for user in ["erp", "ann", "ben", "eve"] {
            archive.command(&["user", "add", user]);
        }
        archive.command(&["grant", "add", "erp", "uploader", "/*/"]);
        archive.command(&["grant", "add", "ann", "viewer", "/acme/*/2024-*/"]);
        archive.command(&["grant", "add", "ben", "compliance", "/*/"]);
        archive
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("archive")
    }

    pub fn text(&self) -> &'static str {
        // Arguments live as long as the test process; leaking them keeps the call sites readable.
        Box::leak(self.path().display().to_string().into_boxed_str())
    }

    /// Runs a command with `--archive`, which must succeed.
    pub fn command(&self, arguments: &[&str]) -> String {
        let arguments = [arguments, &["--archive", self.text()]].concat();
        run_expecting(0, &arguments)
    }

    pub fn serve(&self) -> Served {
        Served::start(&self.path())
    }

    /// Verifies the folder and asserts that all is well.
    pub fn assert_well(&self) {
        let text = run_expecting(0, &["verify", self.text()]);
        assert!(text.contains("all is well"), "{text}");
    }
}

/// The serving process; killed when dropped.
pub struct Served {
    process: Child,
    pub url: String,
}

impl Served {
    pub fn start(archive: &Path) -> Served {
        Served::start_with(vouchsafe(), archive)
    }

    /// The same with more options.
    pub fn start_with_options(options: &[&str], archive: &Path) -> Served {
        Served::begin(vouchsafe(), options, archive)
    }

    /// The same, by a program that was set up otherwise.
    pub fn start_with(program: Command, archive: &Path) -> Served {
        Served::begin(program, &[], archive)
    }

    fn begin(mut program: Command, options: &[&str], archive: &Path) -> Served {
        if !options.contains(&"--listen") {
            program.args(["serve", "--listen", "127.0.0.1:0"]);
        } else {
            program.arg("serve");
        }
        let mut process = program
            .arg("--archive")
            .arg(archive)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| {
                panic!("the server did not start: {line:?}");
            });
        Served {
            url: url.to_owned(),
            process,
        }
    }

    pub fn client(&self, user: &str) -> Client {
        Client::new(&self.url, user, PASSWORD)
    }

    /// SIGKILL: no destructor runs.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// SIGTERM, and the exit status.
    pub fn terminate(mut self) -> Option<i32> {
        let id = self.process.id().to_string();
        Command::new("kill").arg(&id).status().unwrap();
        self.process.wait().unwrap().code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Voucher data of `place`, a path such as `acme/gl/2024-03/payment/0001`.
pub fn voucher(place: &str, amount: &str) -> String {
    let steps: Vec<&str> = place.split('/').collect();
    let [company, ledger, period, kind, number] = steps[..] else {
        panic!("{place} is no place");
    };
    serde_json::json!({
        "company": company, "ledger": ledger, "period": period, "type": kind, "number": number,
        "date": format!("{period}-05"), "currency": "CNY", "attachments": 1,
        "lines": [
            {"summary": "支付三月房租", "account": "管理费用", "subaccount": "房租", "debit": amount},
            {"summary": "支付三月房租", "account": "银行存款", "credit": amount},
        ],
        "preparer": "张三", "reviewer": null, "bookkeeper": "李四", "cashier": "王五",
    })
    .to_string()
}
