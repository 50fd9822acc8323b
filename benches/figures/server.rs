//! A served archive, and one that is filled with many vouchers.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine as _;
use vouchsafe::access::{Grant, Permissions, Role, Scope};
use vouchsafe::archive::{Archive, Caller, Condition, system_clock};
use vouchsafe::catalog::TreePath;

use crate::peer;

pub const PASSWORD: &str = "Correct-Horse-9";

pub fn voucher(number: &str) -> Vec<u8> {
    serde_json::json!({
        "company": "acme", "ledger": "gl", "period": "2024-03", "type": "payment",
        "number": number, "date": "2024-03-05", "currency": "CNY", "attachments": 1,
        "lines": [
            {"summary": "支付三月房租", "account": "管理费用", "subaccount": "房租", "debit": "12000.00"},
            {"summary": "支付三月房租", "account": "银行存款", "credit": "12000.00"},
        ],
        "preparer": "张三", "bookkeeper": "李四", "cashier": "王五",
    })
    .to_string()
    .into_bytes()
}

pub fn place(period: &str, number: &str) -> TreePath {
    let steps = ["acme", "gl", period, "payment", number];
    TreePath::from_segments(steps.map(str::to_owned).to_vec())
}

pub fn grant(role: Role, scope: &str) -> Grant {
    Grant {
        role,
        scope: Scope::parse(scope).unwrap(),
        from: None,
        until: None,
    }
}

/// A new archive with an uploader `erp` and a viewer `ann` of one period.
pub fn new_archive(folder: &Path) -> Archive {
    Archive::create(folder, "root", PASSWORD, None, system_clock()).unwrap();
    let archive = Archive::open(folder, system_clock(), &|_, _| {}).unwrap();
    for (name, role, scope) in [
        ("erp", Role::Uploader, "/*/"),
        ("ann", Role::Viewer, "/acme/*/2024-*/"),
    ] {
        archive.add_user(name, PASSWORD).unwrap();
        archive.add_grant(name, grant(role, scope)).unwrap();
    }
    archive
}

pub fn uploader() -> Caller {
    Caller {
        id: "u2".to_owned(),
        name: "erp".to_owned(),
        permissions: Permissions::at(&[grant(Role::Uploader, "/*/").into()], 0),
        origin: Default::default(),
    }
}

/// An archive with `count` vouchers in 2024-03 and a thousand in 2024-02.
pub struct Filled {
    pub folder: tempfile::TempDir,
    pub count: u32,
}

impl Filled {
    pub fn new(count: u32) -> Filled {
        let folder = tempfile::tempdir().unwrap();
        let archive = new_archive(&folder.path().join("archive"));
        let caller = uploader();
        let next = AtomicU32::new(0);
        eprintln!("filing {} vouchers ...", count + 1_000);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        let (period, n) = match n.checked_sub(count) {
                            None => ("2024-03", n),
                            Some(n) if n < 1_000 => ("2024-02", n),
                            Some(_) => return,
                        };
                        let number = format!("{n:06}");
                        let data = voucher(&number);
                        let data = String::from_utf8(data).unwrap().replace("2024-03", period);
                        let place = place(period, &number);
                        archive
                            .file_voucher(&caller, &place, data.as_bytes(), &Condition::Always)
                            .unwrap();
                    }
                });
            }
        });
        drop(archive);
        Filled { folder, count }
    }

    pub fn archive(&self) -> PathBuf {
        self.folder.path().join("archive")
    }
}

/// The serving process.
pub struct Served {
    process: Child,
    pub url: String,
}

impl Served {
    pub fn start(archive: &Path) -> Served {
        let mut process = Command::new(env!("CARGO_BIN_EXE_vouchsafe"))
            .args(["serve", "--listen", "127.0.0.1:0", "--archive"])
            .arg(archive)
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
            .unwrap()
            .to_owned();
        Served { process, url }
    }

    /// Highest resident memory so far, in bytes.
    pub fn peak_memory(&self) -> u64 {
        peer::peak_memory(self.process.id()).unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn authorization(user: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{PASSWORD}"));
    format!("Basic {pair}")
}

pub fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .allow_non_standard_methods(true)
        .build();
    config.into()
}
