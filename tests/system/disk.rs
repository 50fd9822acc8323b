//! A full disk: the upload is refused, what was filed stays readable, and room makes it work again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::served::{Archive, voucher};

/// A small disk in memory, taken away when it is dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> SmallDisk {
        fs::create_dir_all(at).unwrap();
        let mut command = match rustix::process::geteuid().is_root() {
            true => Command::new("mount"),
            false => {
                let mut sudo = Command::new("sudo");
                sudo.arg("mount");
                sudo
            }
        };
        let mounted = command
            .args(["-t", "tmpfs", "-o", "size=64m,mode=0777", "tmpfs"])
            .arg(at);
        assert!(
            mounted.status().unwrap().success(),
            "mounting a tmpfs needs root or sudo"
        );
        SmallDisk(at.to_owned())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_uploads_and_loses_nothing() {
    let outer = tempfile::tempdir().unwrap();
    let disk = SmallDisk::mount(&outer.path().join("disk"));
    let archive = Archive::within(tempfile::tempdir_in(&disk.0).unwrap());
    let served = archive.serve();
    let erp = served.client("erp");
    let ballast = disk.0.join("ballast");
    let left = rustix::fs::statvfs(&disk.0).unwrap();
    let left = (left.f_bavail * left.f_frsize) as usize;
    fs::write(&ballast, vec![0; left - (14 << 20)]).unwrap();
    let mut filed = Vec::new();
    let refused = loop {
        let number = filed.len() + 1;
        assert!(number < 3_000, "the disk never became full");
        let place = format!("acme/gl/2024-03/payment/{number:04}");
        let data = voucher(&place, "1.00");
        let answer = erp.put(&format!("/dav/{place}/voucher.json"), &data);
        if answer.status != 201 {
            break answer;
        }
        filed.push((place, data));
    };
    assert_eq!(refused.status, 507, "{}", refused.text());
    assert!(
        refused.json()["hint"]
            .as_str()
            .unwrap()
            .contains("make room")
    );
    for (place, data) in &filed {
        let shown = served
            .client("ben")
            .get(&format!("/dav/{place}/proof.json"));
        assert_eq!(shown.status, 200, "{place}");
        assert!(!data.is_empty());
    }
    archive.assert_well();
    fs::remove_file(&ballast).unwrap();
    let place = "acme/gl/2024-03/payment/after";
    let answer = erp.put(
        &format!("/dav/{place}/voucher.json"),
        voucher(place, "1.00"),
    );
    assert_eq!(
        answer.status,
        201,
        "with room it works again: {}",
        answer.text()
    );
    assert_eq!(served.terminate(), Some(0));
    archive.assert_well();
}
