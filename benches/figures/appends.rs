use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use vouchsafe::access::Role;

use crate::peer::bare_rocksdb;
use crate::server::{grant, new_archive};

const LASTING: Duration = Duration::from_secs(4);

pub fn measure() {
    for callers in [1, 16, 64, 256] {
        let folder = tempfile::tempdir().unwrap();
        let archive = new_archive(&folder.path().join("archive"));
        let viewer = vouchsafe::archive::Caller {
            permissions: vouchsafe::access::Permissions::at(&[grant(Role::Viewer, "/").into()], 0),
            origin: Default::default(),
            ..crate::server::uploader()
        };
        let data = crate::server::voucher("0001");
        let place = crate::server::place("2024-03", "0001");
        let always = vouchsafe::archive::Condition::Always;
        archive
            .file_voucher(&crate::server::uploader(), &place, &data, &always)
            .unwrap();
        let path = place.child("voucher.pdf");
        let Ok(vouchsafe::archive::Node::File(file)) = archive.records().node(&viewer, &path, None)
        else {
            panic!("the voucher is filed");
        };
        let client = vouchsafe::archive::Client {
            address: "127.0.0.1".to_owned(),
            agent: "figures".to_owned(),
        };
        let count = AtomicU64::new(0);
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..callers {
                scope.spawn(|| {
                    while start.elapsed() < LASTING {
                        let (reply, traced) = std::sync::mpsc::sync_channel(1);
                        let answer = move |outcome| reply.send(outcome).unwrap();
                        let begun =
                            archive.trace_view(&viewer, &path, &file, &client, false, answer);
                        assert!(begun.unwrap());
                        traced.recv().unwrap().unwrap();
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let ours = count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
        // A view is an entry of about 450 bytes; its checkpoint and rows are the log's own.
        let bare = bare_rocksdb(callers, &[vec![7; 450]], LASTING);
        println!(
            "appends   {callers:3} callers         {ours:8.0} /s   bare RocksDB {bare:8.0} /s   ratio {:.2}",
            ours / bare
        );
    }
}
