use std::fs;

use crate::peer::{Nginx, requests_per_second};
use crate::server::{Filled, Served, authorization};

pub const WANTED: &str = "<?xml version='1.0'?><D:propfind xmlns:D='DAV:'><D:prop><D:resourcetype/>\
    <D:getcontentlength/><D:getlastmodified/><D:creationdate/><D:displayname/></D:prop></D:propfind>";

pub fn measure(filled: &Filled) {
    let work = tempfile::tempdir().unwrap();
    let root = work.path().join("root");
    for (period, count) in [("2024-03", filled.count), ("2024-02", 1_000)] {
        for number in 0..count {
            fs::create_dir_all(root.join(format!("{period}/{number:06}"))).unwrap();
        }
    }
    let nginx = Nginx::start(work.path(), &root);
    let served = Served::start(&filled.archive());
    let login = authorization("ann");
    let headers = [("Depth", "1"), ("Authorization", login.as_str())];
    for (period, count) in [("2024-02", 1_000), ("2024-03", filled.count)] {
        let url = format!("{}/dav/acme/gl/{period}/payment/", served.url);
        let ours = requests_per_second(work.path(), "PROPFIND", &url, &headers, WANTED, 8);
        let url = format!("{}/{period}/", nginx.url);
        let theirs = requests_per_second(work.path(), "PROPFIND", &url, &headers, WANTED, 8);
        println!(
            "listing   {count:5} vouchers      {ours:8.1} /s   nginx dav-ext {theirs:8.1} /s   ratio {:.2}",
            ours / theirs
        );
    }
    let peak = served.peak_memory() as f64 / 1e6;
    println!("listing   peak memory         {peak:8.1} MB");
}
