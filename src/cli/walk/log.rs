//! The steps of the walk that look into the log: proofs, traces, verification, an export.

use std::fs;
use std::path::Path;

use vouchsafe_evidence::bundle;
use vouchsafe_evidence::checkpoint::Checkpoint;
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::folder::verify_path;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::log_file::LogFile;
use vouchsafe_evidence::proof::{EntryProof, InclusionProof};
use vouchsafe_evidence::report::Report;
use vouchsafe_evidence::rotation::KeyHistory;
use vouchsafe_evidence::tile::TILE_WIDTH;
use vouchsafe_evidence::verify::Options;

use super::client::Walk;
use super::{Held, check};
use crate::access::Scope;
use crate::archive::{self, export, prove};

pub fn proof(walk: &Walk<'_>, place: &str, dir: &Path) -> Held {
    let key = fs::read_to_string(dir.join("vkey")).map_err(|error| error.to_string())?;
    let key = VerifierKey::parse(&key).map_err(|error| error.to_string())?;
    let proof = walk
        .get("ben", &format!("{place}/proof.json"))?
        .expect(200)?;
    let proven = EntryProof::verify(&proof.body, &KeyHistory::new(key));
    let (entry, _) = proven.map_err(|error| error.to_string())?;
    let data = walk
        .get("ben", &format!("{place}/voucher.json"))?
        .expect(200)?;
    let shown = Digest::blake3(&data.body);
    check(
        entry.objects.iter().any(|object| object.blake3 == shown),
        "the entry does not vouch for the data",
    )
}

pub fn proven(dir: &Path) -> Held {
    let path = "/acme/gl/2024-03/payment/0001";
    let (proof, key) = prove(dir, path).map_err(|error| error.to_string())?;
    let text = proof.to_text();
    let proven = InclusionProof::verify_with_entry(text.as_bytes(), &KeyHistory::new(key));
    let (entry, _) = proven.map_err(|error| error.to_string())?;
    check(entry.path == path, "the proof is of another voucher")
}

pub fn log_files(walk: &Walk<'_>) -> Held {
    let key = walk.get("cleo", "/log/vkey")?.expect(200)?;
    let key = String::from_utf8(key.body).map_err(|error| error.to_string())?;
    let key = VerifierKey::parse(&key).map_err(|error| error.to_string())?;
    let note = walk.get("cleo", "/log/checkpoint")?.expect(200)?;
    let checkpoint = Checkpoint::verify(&note.body, &key).map_err(|error| error.to_string())?;
    let width = checkpoint.size.min(TILE_WIDTH);
    let bundle = LogFile::Bundle { index: 0, width };
    let bundle = walk
        .get("cleo", &format!("/log/{}", bundle.path()))?
        .expect(200)?;
    let entries = bundle::decode(&bundle.body).map_err(|error| error.to_string())?;
    check(entries.len() as u64 == width, "the bundle is not whole")?;
    walk.get("ann", "/log/tile/entries/000.p/1")?
        .expect(404)
        .map(|_| ())
}

pub fn traces(walk: &Walk<'_>, dir: &Path) -> Held {
    walk.list("cleo", "/dav/")?;
    let mut views = 0;
    let report = verify(dir, &mut |kind| views += u64::from(kind == "view"))?;
    check(report.ok, report.to_string())?;
    check(views >= 5, format!("only {views} views are in the log"))
}

fn verify(dir: &Path, visit: &mut dyn FnMut(&str)) -> Result<Report, String> {
    archive::verify(dir, Options::new(&mut |entry| visit(&entry.kind)), false)
        .map_err(|error| error.to_string())
}

pub fn verified(dir: &Path) -> Held {
    let report = verify(dir, &mut |_| {})?;
    check(report.ok, report.to_string())
}

pub fn exported(dir: &Path) -> Held {
    let out = dir.with_extension(format!("export-{}", std::process::id()));
    let outcome = export_and_check(dir, &out);
    let removed = fs::remove_dir_all(&out).map_err(|error| error.to_string());
    outcome.and(removed)
}

fn export_and_check(dir: &Path, out: &Path) -> Held {
    let scope = Scope::parse("/acme/gl/2024-03/").map_err(|error| error.to_string())?;
    export(dir, &scope, out, &|_, _| {}).map_err(|error| error.to_string())?;
    let check_bag = || {
        let report = verify_path(out, Options::new(&mut |_| {}));
        report.ok_or_else(|| "the export is none".to_owned())
    };
    let report = check_bag()?;
    check(report.ok, report.to_string())?;
    let file = out.join("data/tree/acme/gl/2024-03/payment/0001/voucher.json");
    let mut bytes = fs::read(&file).map_err(|error| error.to_string())?;
    let object = out
        .join("data")
        .join(LogFile::Object(Digest::blake3(&bytes)).path());
    bytes[10] ^= 1;
    fs::write(&object, &bytes).map_err(|error| error.to_string())?;
    let report = check_bag()?;
    let named = report
        .first
        .is_some_and(|first| first.path.ends_with("/payment/0001"));
    check(!report.ok && named, "a flipped bit was not named")
}
