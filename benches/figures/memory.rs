use std::io::Read;

use crate::server::{Served, agent, authorization, new_archive, place, uploader, voucher};

const SCAN_BYTES: u64 = 500_000_000;

/// A JPEG by its first bytes; the rest does not repeat, so that nothing compresses it away.
pub struct Scan {
    at: u64,
    size: u64,
    state: u64,
}

impl Scan {
    /// One of this size; others with another `seed`.
    pub fn new(size: u64, seed: u64) -> Scan {
        Scan {
            at: 0,
            size,
            state: seed,
        }
    }
}

impl Read for Scan {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let size = into.len().min((self.size - self.at) as usize);
        for chunk in into[..size].chunks_mut(8) {
            self.state = self
                .state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let bytes = self.state.to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        if self.at == 0 {
            into[..4].copy_from_slice(b"\xFF\xD8\xFF\xE0");
        }
        self.at += size as u64;
        Ok(size)
    }
}

pub fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    let archive = new_archive(&path);
    let always = vouchsafe::archive::Condition::Always;
    let place = place("2024-03", "0001");
    archive
        .file_voucher(&uploader(), &place, &voucher("0001"), &always)
        .unwrap();
    drop(archive);
    let served = Served::start(&path);
    let url = format!("{}/dav/acme/gl/2024-03/payment/0001/scan-1.jpg", served.url);
    let (agent, login) = (agent(), authorization("erp"));
    let mut scan = Scan::new(SCAN_BYTES, 1);
    let sent = agent
        .put(&url)
        .header("Authorization", &login)
        .header("Content-Length", SCAN_BYTES.to_string())
        .send(ureq::SendBody::from_reader(&mut scan));
    assert_eq!(sent.unwrap().status().as_u16(), 201);
    let after_in = served.peak_memory() as f64 / 1e6;
    let mut answer = agent
        .get(&url)
        .header("Authorization", &login)
        .call()
        .unwrap();
    let mut reader = answer
        .body_mut()
        .with_config()
        .limit(SCAN_BYTES * 2)
        .reader();
    let read = std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    assert_eq!(read, SCAN_BYTES);
    let peak = served.peak_memory() as f64 / 1e6;
    println!(
        "memory    500 MB scan in      {after_in:8.1} MB   and out {peak:8.1} MB   aim 200 MB"
    );
}
