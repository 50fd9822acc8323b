use crate::peer::{Nginx, requests_per_second};
use crate::server::{Filled, Served, agent, authorization};

pub fn measure(filled: &Filled) {
    let work = tempfile::tempdir().unwrap();
    let served = Served::start(&filled.archive());
    let login = authorization("ann");
    let picture = [b"\xFF\xD8\xFF\xE0".as_slice(), &[7; 204_796]].concat();
    let url = format!(
        "{}/dav/acme/gl/2024-03/payment/000001/scan-1.jpg",
        served.url
    );
    let upload = authorization("erp");
    let sent = agent()
        .put(&url)
        .header("Authorization", &upload)
        .send(&picture[..]);
    assert!(sent.unwrap().status().is_success());
    let root = work.path().join("root");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("scan-1.jpg"), &picture).unwrap();
    let nginx = Nginx::start(work.path(), &root);
    let headers = [("Authorization", login.as_str())];
    let ours = requests_per_second(work.path(), "GET", &url, &headers, "", 64);
    let url = format!("{}/scan-1.jpg", nginx.url);
    let theirs = requests_per_second(work.path(), "GET", &url, &[], "", 64);
    println!(
        "views     {:6} bytes traced  {ours:8.0} /s   nginx static {theirs:8.0} /s   ratio {:.2}",
        picture.len(),
        ours / theirs
    );
}
