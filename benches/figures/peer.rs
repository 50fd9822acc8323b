//! Peers and load: nginx, wrk, bare RocksDB.

use std::fmt::Debug;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rocksdb::{DB, Options, WriteBatch, WriteOptions};

/// An nginx with dav-ext over a folder.
pub struct Nginx {
    process: Child,
    pub url: String,
}

impl Nginx {
    pub fn start(work: &Path, root: &Path) -> Nginx {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let (work, root) = (work.display(), root.display());
        let configuration = format!(
            "load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;\n\
             daemon off; user root; worker_processes 2; pid {work}/nginx.pid; error_log stderr crit;\n\
             events {{ worker_connections 512; }}\n\
             http {{ access_log off; sendfile on; keepalive_requests 1000000;\n\
               server {{ listen 127.0.0.1:{port}; root {root};\n\
                 location / {{ dav_methods PUT DELETE MKCOL COPY MOVE; \
                   dav_ext_methods PROPFIND OPTIONS; create_full_put_path on; \
                   client_body_temp_path {work}/body; client_max_body_size 1g; }} }} }}\n"
        );
        let file = format!("{work}/nginx.conf");
        fs::write(&file, configuration).unwrap();
        let process = Command::new("nginx").args(["-c", &file]).spawn();
        let process = process.expect("nginx; `build/packages.sh bench` installs it");
        std::thread::sleep(Duration::from_millis(500));
        Nginx {
            process,
            url: format!("http://127.0.0.1:{port}"),
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        let _ = self.process.wait();
    }
}

/// Requests a second of `method` on `url`, from wrk with two threads.
pub fn requests_per_second(
    work: &Path,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: &str,
    connections: u32,
) -> f64 {
    let mut script = format!("wrk.method = \"{method}\"\nwrk.body = [[{body}]]\n");
    for (name, value) in headers {
        script += &format!("wrk.headers[\"{name}\"] = \"{value}\"\n");
    }
    let file = work.join("load.lua");
    fs::write(&file, script).unwrap();
    let output = Command::new("wrk")
        .args([
            "-t2",
            "-d6s",
            "--timeout",
            "30s",
            &format!("-c{connections}"),
            "-s",
        ])
        .arg(&file)
        .arg(url)
        .output()
        .expect("wrk; `build/packages.sh bench` installs it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!text.contains("Non-2xx"), "{text}");
    let line = text.lines().find(|line| line.starts_with("Requests/sec:"));
    line.unwrap_or_else(|| panic!("{text}"))
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// Synced batches a second that bare RocksDB takes from `threads` threads, each batch of these values.
pub fn bare_rocksdb(threads: usize, values: &[Vec<u8>], lasting: Duration) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::default();
    options.create_if_missing(true);
    options.set_enable_blob_files(true);
    options.set_min_blob_size(4 << 10);
    let db = DB::open(&options, folder.path()).unwrap();
    let count = AtomicU64::new(0);
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut durable = WriteOptions::default();
                durable.set_sync(true);
                while start.elapsed() < lasting {
                    let number = count.fetch_add(1, Ordering::Relaxed);
                    let mut batch = WriteBatch::default();
                    for (at, value) in (0u8..).zip(values) {
                        let key = [&number.to_be_bytes()[..], &[at]].concat();
                        batch.put(key, value);
                    }
                    db.write_opt(batch, &durable).unwrap();
                }
            });
        }
    });
    count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

/// Highest resident memory of a process so far, in bytes; none of one that has ended.
pub fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1_024)
}

/// How long a command takes, and its highest resident memory in bytes.
pub fn seconds(command: &mut Command) -> (f64, u64) {
    let start = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    loop {
        peak = peak.max(peak_memory(child.id()).unwrap_or(0));
        match child.try_wait().unwrap() {
            Some(status) => {
                assert!(status.success(), "{command:?}");
                return (start.elapsed().as_secs_f64(), peak);
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// A number from the environment: how many, or which.
pub fn number<T: FromStr<Err: Debug>>(name: &str, unless: T) -> T {
    std::env::var(name).map_or(unless, |it| it.parse().unwrap())
}
