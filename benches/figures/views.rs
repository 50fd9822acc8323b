use crate::peer::{Nginx, requests_per_second};
use crate::server::{Filled, Served, agent, authorization};

pub fn measure(filled: &Filled) {
    let work = tempfile::tempdir().unwrap();
    let served = Served::start(&filled.archive());
    let login = authorization("ann");
    let url = format!(
        "{}/dav/acme/gl/2024-03/payment/000001/voucher.png",
        served.url
    );
    let mut answer = agent()
        .get(&url)
        .header("Authorization", &login)
        .call()
        .unwrap();
    let picture = answer.body_mut().read_to_vec().unwrap();
    let root = work.path().join("root");
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("voucher.png"), &picture).unwrap();
    let nginx = Nginx::start(work.path(), &root);
    let headers = [("Authorization", login.as_str())];
    let ours = requests_per_second(work.path(), "GET", &url, &headers, "", 64);
    let url = format!("{}/voucher.png", nginx.url);
    let theirs = requests_per_second(work.path(), "GET", &url, &[], "", 64);
    println!(
        "views     {:6} bytes traced  {ours:8.0} /s   nginx static {theirs:8.0} /s   ratio {:.2}",
        picture.len(),
        ours / theirs
    );
}
