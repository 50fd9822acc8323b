//! The real process is killed in the middle of many uploads: what it acknowledged is there afterwards.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::Duration;

use crate::client::Client;
use crate::served::{Archive, PASSWORD, voucher};

const UPLOADERS: u64 = 50;
const KILLS: u64 = 8;

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let archive = Archive::new();
    let acknowledged: Mutex<Vec<(String, String)>> = Mutex::default();
    let next = AtomicU64::new(1);
    for kill in 0..KILLS {
        let served = archive.serve();
        let url = served.url.clone();
        let before = acknowledged.lock().unwrap().len();
        std::thread::scope(|scope| {
            for _ in 0..UPLOADERS {
                scope.spawn(|| upload_until_it_breaks(&url, &next, &acknowledged));
            }
            // Not before something was acknowledged, and at another moment each time.
            while acknowledged.lock().unwrap().len() == before {
                sleep(Duration::from_millis(5));
            }
            sleep(Duration::from_millis(40 + 67 * kill));
            served.kill();
        });
        archive.assert_well();
        let served = archive.serve();
        let erp = served.client("erp");
        for (place, data) in acknowledged.lock().unwrap()[before..].iter() {
            let shown = erp.get(&format!("/dav/{place}/voucher.json"));
            assert_eq!(
                (shown.status, &shown.text()),
                (200, data),
                "{place} after kill {kill}"
            );
        }
    }
    let count = acknowledged.lock().unwrap().len() as u64;
    assert!(count >= KILLS, "{count} uploads were acknowledged");
    archive.assert_well();
}

fn upload_until_it_breaks(
    url: &str,
    next: &AtomicU64,
    acknowledged: &Mutex<Vec<(String, String)>>,
) {
    let erp = Client::new(url, "erp", PASSWORD);
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let place = format!("acme/gl/2024-03/payment/{number:06}");
        let data = voucher(&place, &format!("{number}.00"));
        let path = format!("/dav/{place}/voucher.json");
        match erp.try_ask("PUT", &path, &[], data.as_bytes()) {
            Ok(answer) if answer.status == 201 => acknowledged.lock().unwrap().push((place, data)),
            Ok(answer) => panic!("{}: {}", answer.status, answer.text()),
            Err(_) => return,
        }
    }
}
