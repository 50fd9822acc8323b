use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::peer::bare_rocksdb;
use crate::server::{Served, agent, authorization, new_archive, voucher};

const LASTING: Duration = Duration::from_secs(8);

pub fn measure() {
    for clients in [1, 16, 64] {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("archive");
        drop(new_archive(&archive));
        let served = Served::start(&archive);
        let (login, count, next) = (authorization("erp"), AtomicU64::new(0), AtomicU64::new(0));
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..clients {
                scope.spawn(|| {
                    let agent = agent();
                    while start.elapsed() < LASTING {
                        let number = format!("{:06}", next.fetch_add(1, Ordering::Relaxed));
                        let path = format!("dav/acme/gl/2024-03/payment/{number}/voucher.json");
                        let sent = agent
                            .put(format!("{}/{path}", served.url))
                            .header("Authorization", &login)
                            .send(&voucher(&number)[..]);
                        assert_eq!(sent.unwrap().status().as_u16(), 201);
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let ours = count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
        // What one upload makes durable: data, picture, form, entry and rows.
        let sizes = [500, 62_000, 50_000, 1_600, 2_000].map(|size| vec![7u8; size]);
        let bare = bare_rocksdb(clients, &sizes, Duration::from_secs(4));
        println!(
            "uploads   {clients:3} clients         {ours:8.1} /s   bare RocksDB {bare:8.1} /s   ratio {:.2}",
            ours / bare
        );
    }
}
