//! GET with its trace durable before the first byte: of what is archived, and of copies that are marked for their reader.

use std::process::Command;
use std::time::Instant;

use crate::peer::{Nginx, requests_per_second};
use crate::scans::scanner::pdf;
use crate::server::{Filled, Served, agent, authorization, voucher};

/// About how long the scanned PDF is.
const PDF_BYTES: usize = 2 << 20;

/// The scan of a voucher: its form as a JPEG of about 200 KiB.
fn scan(work: &std::path::Path) -> Vec<u8> {
    let (data, picture) = (work.join("voucher.json"), work.join("scan.jpg"));
    std::fs::write(&data, voucher("000001")).unwrap();
    let drawn = Command::new(env!("CARGO_BIN_EXE_vouchsafe"))
        .arg("render")
        .arg(&data)
        .arg("--out")
        .arg(&picture)
        .args(["--dpi", "200"])
        .status();
    assert!(drawn.unwrap().success());
    std::fs::read(picture).unwrap()
}

pub fn measure(filled: &Filled) {
    let work = tempfile::tempdir().unwrap();
    let served = Served::start(&filled.archive());
    let place = format!("{}/dav/acme/gl/2024-03/payment/000001", served.url);
    let upload = authorization("erp");
    let scan = scan(work.path());
    let page = image::load_from_memory(&scan).unwrap().to_rgb8();
    let pages = vec![page; PDF_BYTES / scan.len()];
    for (name, file) in [("scan-1.jpg", &scan), ("scan-2.pdf", &pdf(&pages))] {
        let sent = agent()
            .put(&format!("{place}/{name}"))
            .header("Authorization", &upload)
            .send(&file[..]);
        assert!(sent.unwrap().status().is_success());
    }
    let root = work.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let nginx = Nginx::start(work.path(), &root);
    for name in ["scan-1.jpg", "voucher.png", "voucher.pdf", "scan-2.pdf"] {
        let url = format!("{place}/{name}");
        let get = |who: &str| {
            let began = Instant::now();
            let answer = agent()
                .get(&url)
                .header("Authorization", &authorization(who))
                .call();
            let mut answer = answer.unwrap();
            assert_eq!(answer.status(), 200);
            let body = answer
                .body_mut()
                .with_config()
                .limit(64 << 20)
                .read_to_vec()
                .unwrap();
            (body, began.elapsed().as_secs_f64() * 1_000.0)
        };
        // Signed in before, so that no password is part of what is measured.
        get("erp");
        agent()
            .get(&format!("{}/api/v1/queue", served.url))
            .header("Authorization", &authorization("ann"))
            .call()
            .unwrap();
        let (archived, plain) = get("erp");
        let (marked, cold) = get("ann");
        let (_, warm) = get("ann");
        println!(
            "views     {name:11} archived {} bytes {plain:.1} ms; marked {} bytes, cold {cold:.1} ms, warm {warm:.1} ms",
            archived.len(),
            marked.len()
        );
        for (who, shown) in [("erp", &archived), ("ann", &marked)] {
            std::fs::write(root.join(name), shown).unwrap();
            let login = authorization(who);
            let headers = [("Authorization", login.as_str())];
            let ours = requests_per_second(work.path(), "GET", &url, &headers, "", 64);
            let peer = format!("{}/{name}", nginx.url);
            let theirs = requests_per_second(work.path(), "GET", &peer, &[], "", 64);
            println!(
                "views     {name:11} {:12} {ours:8.0} /s   nginx static, same bytes {theirs:8.0} /s   ratio {:.2}",
                if who == "erp" {
                    "archived"
                } else {
                    "marked, warm"
                },
                ours / theirs
            );
        }
    }
    println!(
        "views     peak memory {:.1} MB",
        served.peak_memory() as f64 / 1e6
    );
}
