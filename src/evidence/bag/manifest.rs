//! The manifests of a bag (RFC 8493, section 2.1.3 and 2.2.1).

use std::collections::BTreeMap;

use super::bag_fault;
use crate::digest::Digest;
use crate::directory::Files;
use crate::report::Report;
use crate::verify::Unreadable;

/// Checks both manifests and that the payload has no file beside them; gives the digest of every
/// payload file as it was read.
pub(super) fn check_manifests(files: &Files, report: &mut Report) -> BTreeMap<String, Digest> {
    let mut hashed = BTreeMap::new();
    for manifest in ["tagmanifest-sha256.txt", "manifest-sha256.txt"] {
        let lines = files.read(manifest).and_then(|text| {
            String::from_utf8(text).map_err(|error| Unreadable(error.to_string()))
        });
        let lines = match lines {
            Ok(lines) => lines,
            Err(error) => {
                report.fault(bag_fault(manifest, "a manifest", error.to_string()));
                continue;
            }
        };
        for line in lines.lines() {
            check_line(files, manifest, line, &mut hashed, report);
        }
    }
    let payload = files
        .present
        .iter()
        .filter(|name| name.starts_with("data/"));
    for file in payload.filter(|file| !hashed.contains_key(*file)) {
        report.fault(bag_fault(
            file,
            "a line in manifest-sha256.txt",
            "none".to_owned(),
        ));
    }
    hashed
}

fn check_line(
    files: &Files,
    manifest: &str,
    line: &str,
    hashed: &mut BTreeMap<String, Digest>,
    report: &mut Report,
) {
    let parsed = line
        .split_once("  ")
        .and_then(|(digest, file)| Some((digest.parse::<Digest>().ok()?, decode_name(file))));
    let Some((expected, file)) = parsed else {
        report.fault(bag_fault(
            manifest,
            "a digest and a file name on each line",
            line.to_owned(),
        ));
        return;
    };
    let expected = format!("SHA-256 {expected}");
    match files.hash(&file) {
        Ok(found) => {
            if format!("SHA-256 {found}") != expected {
                report.fault(bag_fault(&file, expected, format!("SHA-256 {found}")));
            }
            hashed.insert(file, found);
        }
        Err(error) => report.fault(bag_fault(&file, expected, error.to_string())),
    }
}

/// RFC 8493, section 2.1.3: line breaks and percent signs in names are percent-encoded.
pub fn encode_name(name: &str) -> String {
    name.replace('%', "%25")
        .replace('\n', "%0A")
        .replace('\r', "%0D")
}

fn decode_name(name: &str) -> String {
    name.replace("%0A", "\n")
        .replace("%0D", "\r")
        .replace("%25", "%")
}
