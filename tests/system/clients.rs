//! Clients that we did not write: curl, cadaver, litmus, and rclone with a real mount.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::served::{Archive, PASSWORD, Served, voucher};

const PLACE: &str = "acme/gl/2024-03/payment/0001";

/// Runs a tool; a missing one fails and says how to install it.
fn tool(command: &mut Command) -> Output {
    let name = command.get_program().to_string_lossy().into_owned();
    command
        .output()
        .unwrap_or_else(|error| panic!("{name}: {error}; `make test-packages` installs it"))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn filed() -> (Archive, Served) {
    let archive = Archive::new();
    let served = archive.serve();
    let path = format!("/dav/{PLACE}/voucher.json");
    assert_eq!(
        served
            .client("erp")
            .put(&path, voucher(PLACE, "12000.00"))
            .status,
        201
    );
    (archive, served)
}

#[test]
fn curl_uploads_and_reads() {
    let (archive, served) = filed();
    let folder = archive.folder.path();
    let file = folder.join("voucher.json");
    let place = "acme/gl/2024-03/payment/0002";
    fs::write(&file, voucher(place, "7.00")).unwrap();
    let url = format!("{}/dav/{place}/voucher.json", served.url);
    let login = format!("erp:{PASSWORD}");
    let status = |arguments: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "-u", &login]);
        text(&tool(command.args(arguments)))
    };
    assert_eq!(status(&["-T", file.to_str().unwrap(), &url]), "201");
    assert_eq!(status(&["-T", file.to_str().unwrap(), &url]), "204");
    assert_eq!(
        status(&["--path-as-is", &format!("{}/dav/../etc/passwd", served.url)]),
        "400"
    );
    let copy = folder.join("copy.json");
    let mut command = Command::new("curl");
    let fetched = tool(
        command
            .args(["-sf", "-u", &login, "-C", "-", "-o"])
            .arg(&copy)
            .arg(&url),
    );
    assert!(fetched.status.success(), "{}", text(&fetched));
    assert_eq!(fs::read(&copy).unwrap(), fs::read(&file).unwrap());
}

#[test]
fn cadaver_lists_and_gets() {
    let (archive, served) = filed();
    let home = archive.folder.path();
    let host = served
        .url
        .trim_start_matches("http://")
        .split(':')
        .next()
        .unwrap()
        .to_owned();
    fs::write(
        home.join(".netrc"),
        format!("machine {host}\nlogin ann\npassword {PASSWORD}\n"),
    )
    .unwrap();
    let mut process = Command::new("cadaver")
        .arg(format!("{}/dav/{PLACE}/", served.url))
        .env("HOME", home)
        .current_dir(home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cadaver: {error}; `make test-packages` installs it"));
    let script = b"ls\nget voucher.pdf\nquit\n";
    process.stdin.take().unwrap().write_all(script).unwrap();
    let output = text(&process.wait_with_output().unwrap());
    for name in [
        "voucher.json",
        "voucher.png",
        "voucher.pdf",
        "history.json",
        "proof.json",
    ] {
        assert!(output.contains(name), "{name}: {output}");
    }
    assert!(
        fs::read(home.join("voucher.pdf"))
            .unwrap()
            .starts_with(b"%PDF-"),
        "{output}"
    );
}

#[test]
fn litmus_finds_no_fault_in_the_inbox() {
    let archive = Archive::new();
    let served = archive.serve();
    let url = format!("{}/dav/_inbox/", served.url);
    let output = tool(
        Command::new("litmus")
            .env("TESTS", "basic")
            .args([&url, "erp", PASSWORD])
            .current_dir(archive.folder.path()),
    );
    let text = text(&output);
    assert!(
        output.status.success() && text.contains("0 failed"),
        "{text}"
    );
    archive.assert_well();
}

/// A mount that is taken down when it is dropped.
struct Mount<'a>(&'a Path, std::process::Child);

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("fusermount3").arg("-u").arg(self.0).status();
        let _ = self.1.wait();
    }
}

#[test]
fn rclone_mounts_the_archive_as_a_drive() {
    let (archive, served) = filed();
    let at = archive.folder.path().join("drive");
    fs::create_dir(&at).unwrap();
    let obscured = tool(Command::new("rclone").args(["obscure", PASSWORD]));
    let process = Command::new("rclone")
        .args(["mount", ":webdav:"])
        .arg(&at)
        .args([
            "--webdav-url",
            &format!("{}/dav/", served.url),
            "--webdav-user",
            "ann",
        ])
        .args([
            "--webdav-pass",
            text(&obscured).trim(),
            "--read-only",
            "--config",
            "/dev/null",
        ])
        .spawn()
        .unwrap_or_else(|error| panic!("rclone: {error}; `make test-packages` installs it"));
    let mount = Mount(&at, process);
    let folder = at.join(PLACE);
    for _ in 0..100 {
        if folder.is_dir() {
            break;
        }
        sleep(Duration::from_millis(100));
    }
    let mut names: Vec<String> = fs::read_dir(&folder)
        .expect("the mounted folder")
        .map(|item| item.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    let expected = [
        "history.json",
        "proof.json",
        "voucher.json",
        "voucher.pdf",
        "voucher.png",
        "voucher.tlog-proof",
    ];
    assert_eq!(names, expected);
    let ann = served.client("ann");
    for name in expected {
        let over_http = ann.get(&format!("/dav/{PLACE}/{name}")).body;
        assert_eq!(fs::read(folder.join(name)).unwrap(), over_http, "{name}");
    }
    assert!(!at.join("other").exists());
    drop(mount);
}

#[test]
fn rclone_copies_into_the_tree_and_the_inbox() {
    let (archive, served) = filed();
    let source = archive.folder.path().join("source");
    let place = "acme/gl/2024-04/payment/0009";
    fs::create_dir_all(source.join(place)).unwrap();
    fs::write(
        source.join(place).join("voucher.json"),
        voucher(place, "9.00"),
    )
    .unwrap();
    let obscured = tool(Command::new("rclone").args(["obscure", PASSWORD]));
    let copied = tool(
        Command::new("rclone")
            .arg("copy")
            .arg(&source)
            .arg(":webdav:")
            .args([
                "--webdav-url",
                &format!("{}/dav/", served.url),
                "--webdav-user",
                "erp",
            ])
            .args([
                "--webdav-pass",
                text(&obscured).trim(),
                "--config",
                "/dev/null",
            ]),
    );
    assert!(copied.status.success(), "{}", text(&copied));
    let shown = served
        .client("ann")
        .get(&format!("/dav/{place}/voucher.json"));
    assert_eq!(shown.text(), voucher(place, "9.00"));
    archive.assert_well();
}

#[test]
fn the_form_is_a_pdf_that_other_readers_accept() {
    let (archive, served) = filed();
    let folder = archive.folder.path();
    let file = folder.join("voucher.pdf");
    let pdf = served
        .client("ann")
        .get(&format!("/dav/{PLACE}/voucher.pdf"))
        .body;
    fs::write(&file, &pdf).unwrap();
    let checked = tool(Command::new("qpdf").arg("--check").arg(&file));
    assert!(checked.status.success(), "{}", text(&checked));
    let read = text(&tool(Command::new("pdftotext").arg(&file).arg("-")));
    for shown in ["支付三月房租", "管理费用", "壹万贰仟元整", "张三", "0001"] {
        assert!(read.contains(shown), "{shown} cannot be selected: {read}");
    }
    let fonts = text(&tool(Command::new("pdffonts").arg(&file)));
    let rows: Vec<&str> = fonts.lines().skip(2).collect();
    assert!(
        !rows.is_empty() && rows.iter().all(|row| row.contains("yes yes")),
        "{fonts}"
    );
    let attached = folder.join("attached.json");
    let detach = tool(
        Command::new("pdfdetach")
            .args(["-save", "1", "-o"])
            .arg(&attached)
            .arg(&file),
    );
    assert!(detach.status.success(), "{}", text(&detach));
    assert_eq!(
        fs::read_to_string(&attached).unwrap(),
        voucher(PLACE, "12000.00")
    );
    let words = String::from_utf8_lossy(&pdf).into_owned();
    for wanted in ["pdfaid:part", "/OutputIntents", "/AFRelationship"] {
        assert!(words.contains(wanted), "{wanted}");
    }
    assert!(!words.contains("/Encrypt"));
}
