use std::process::{Command, Stdio};
use std::time::Instant;

use crate::server::Filled;

fn seconds(command: &mut Command) -> f64 {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
    start.elapsed().as_secs_f64()
}

pub fn measure(filled: &Filled) {
    let archive = filled.archive();
    let verify = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
        seconds(command.arg("verify").arg(&archive))
    };
    let store = archive.join("store");
    let files: Vec<_> = std::fs::read_dir(&store)
        .unwrap()
        .map(|item| item.unwrap().path())
        .collect();
    let bytes: u64 = files
        .iter()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    let peer = || seconds(Command::new("b3sum").args(&files));
    // Once each to bring the files into memory, then in turn.
    verify();
    peer();
    let (ours, theirs) = (0..3).fold((f64::MAX, f64::MAX), |(ours, theirs), _| {
        (ours.min(verify()), theirs.min(peer()))
    });
    let rate = |seconds: f64| bytes as f64 / 1e9 / seconds;
    println!(
        "verify    {:.2} GB             {:8.2} GB/s b3sum {:8.2} GB/s   ratio {:.2}",
        bytes as f64 / 1e9,
        rate(ours),
        rate(theirs),
        theirs / ours
    );
}
