//! The floor plan of the house as a table, and the test that holds the code to it: which room may
//! import which, and which rooms may name a heavy crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Room, its floor, and the rooms of this crate that it imports. Imports only go down.
const ROOMS: [(&str, u8, &[&str]); 15] = [
    ("voucher", 1, &[]),
    ("catalog", 2, &["voucher"]),
    ("config", 2, &["evidence"]),
    ("render", 2, &["voucher"]),
    ("store", 2, &["evidence"]),
    ("access", 3, &["catalog"]),
    ("matching", 3, &["render", "voucher"]),
    ("watermark", 3, &["render"]),
    (
        "archive",
        4,
        &[
            "access",
            "catalog",
            "evidence",
            "matching",
            "render",
            "store",
            "voucher",
            "watermark",
        ],
    ),
    // Signing in, refusals and bodies are http's; dav and api are protocols on top of it, on the same floor.
    ("http", 5, &["access", "archive", "catalog", "voucher"]),
    (
        "dav",
        5,
        &[
            "access", "archive", "catalog", "evidence", "http", "voucher",
        ],
    ),
    (
        "api",
        5,
        &["access", "archive", "catalog", "config", "http", "voucher"],
    ),
    ("pages", 5, &["http"]),
    // A witness is a server, too.
    (
        "anchor",
        5,
        &["archive", "config", "evidence", "http", "store"],
    ),
    (
        "cli",
        6,
        &[
            "access",
            "anchor",
            "api",
            "archive",
            "catalog",
            "config",
            "dav",
            "evidence",
            "http",
            "matching",
            "pages",
            "render",
            "store",
            "voucher",
            "watermark",
        ],
    ),
];

/// Crates that only these rooms may name.
const CRATES: [(&str, &[&str]); 35] = [
    ("rocksdb", &["store"]),
    ("dav_server", &["dav"]),
    ("quick_xml", &["dav"]),
    ("httpdate", &["dav", "http"]),
    ("percent_encoding", &["dav"]),
    ("hyper", &["http"]),
    ("hyper_util", &["http"]),
    ("axum", &["anchor", "api", "cli", "dav", "http", "pages"]),
    ("tokio", &["anchor", "api", "cli", "dav", "http"]),
    ("krilla", &["render"]),
    ("hayro", &["matching", "render"]),
    ("ab_glyph_rasterizer", &["render"]),
    ("image", &["matching"]),
    ("rten", &["matching"]),
    ("rxing", &["matching"]),
    ("tiff", &["matching"]),
    ("flate2", &["watermark"]),
    ("jpeg_encoder", &["render", "watermark"]),
    ("png", &["render", "voucher", "watermark"]),
    ("skrifa", &["render"]),
    ("tokio_rustls", &["http"]),
    ("csv", &["api"]),
    ("openidconnect", &["api"]),
    ("argon2", &["archive"]),
    ("chacha20poly1305", &["archive"]),
    ("rust_decimal", &["voucher"]),
    ("clap", &["cli"]),
    ("ureq", &["anchor", "api", "cli"]),
    ("cms", &["anchor"]),
    ("der", &["anchor"]),
    ("rsa", &["anchor"]),
    ("p256", &["anchor"]),
    ("p384", &["anchor"]),
    ("x509_cert", &["anchor"]),
    ("x509_tsp", &["anchor"]),
];

/// The evidence room is a package of its own, so that an auditor can build it in seconds.
const EVIDENCE_CRATES: [&str; 7] = [
    "base64",
    "blake3",
    "ed25519-dalek",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
];

fn sources(folder: &Path, found: &mut Vec<String>) {
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs")
            && !path.ends_with("tests.rs")
        {
            found.push(code(&fs::read_to_string(&path).unwrap()));
        }
    }
}

/// The code of a file: no comments, no tests beside it.
fn code(text: &str) -> String {
    let text = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or_default();
    let text = text
        .split("#[cfg(test)]\npub(super) mod tests {")
        .next()
        .unwrap_or_default();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn room(name: &str) -> String {
    let mut found = Vec::new();
    sources(&Path::new("src").join(name), &mut found);
    assert!(!found.is_empty(), "the room {name} is empty");
    found.join("\n")
}

/// The names that follow `prefix` in `text`, those in a following `{…}` included.
fn after<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let word = |text: &'a str| {
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        &text[..end.unwrap_or(text.len())]
    };
    text.match_indices(prefix)
        .map(|(at, _)| word(&text[at + prefix.len()..]))
        .collect()
}

#[test]
fn imports_only_go_down_and_every_arrow_of_the_table_is_used() {
    let floors: BTreeMap<&str, u8> = ROOMS
        .iter()
        .map(|(name, floor, _)| (*name, *floor))
        .collect();
    for (name, floor, allowed) in ROOMS {
        let text = room(name);
        let mut imported = after(&text, "crate::");
        if text.contains("use crate::{") {
            let names = text
                .split("use crate::{")
                .skip(1)
                .filter_map(|list| list.split('}').next());
            imported.extend(names.flat_map(|list| list.split(',').map(str::trim)));
            imported.remove("");
        }
        if text.contains("vouchsafe_evidence::") {
            imported.insert("evidence");
        }
        imported.remove(name);
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert_eq!(imported, allowed, "the imports of {name}");
        for below in allowed {
            let below = floors.get(below).copied().unwrap_or(1);
            let beside = ["anchor", "api", "dav", "pages"].contains(&name) && below == 5;
            assert!(below < floor || beside, "{name} imports upwards");
        }
    }
}

#[test]
fn the_rooms_of_the_table_are_the_rooms_of_the_house() {
    let lib = fs::read_to_string("src/lib.rs").unwrap();
    let declared = after(&lib, "pub mod ");
    let table: BTreeSet<&str> = ROOMS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(declared, table);
    for name in table {
        let opening = fs::read_to_string(Path::new("src").join(name).join("mod.rs")).unwrap();
        let sentence = format!("//! The {name} room: ");
        assert!(
            opening.starts_with(&sentence),
            "{name} opens with what it is"
        );
    }
}

#[test]
fn heavy_crates_stay_in_their_rooms() {
    for (library, rooms) in CRATES {
        for (name, ..) in ROOMS {
            let text = room(name);
            let named = text.match_indices(&format!("{library}::")).any(|(at, _)| {
                !text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':')
            });
            assert_eq!(named, rooms.contains(&name), "{library} in {name}");
        }
    }
}

#[test]
fn the_verifier_stays_small() {
    let manifest = fs::read_to_string("src/evidence/Cargo.toml").unwrap();
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap();
    let dependencies = dependencies.split("[dev-dependencies]").next().unwrap();
    let names: Vec<&str> = dependencies
        .lines()
        .filter_map(|line| line.split(['.', ' ', '=']).next())
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(names, EVIDENCE_CRATES);
    let mut found = Vec::new();
    sources(Path::new("src/evidence"), &mut found);
    let text = found.join("\n");
    for stranger in ["SystemTime", "getrandom", "rand::", "tokio", "voucher::"] {
        assert!(!text.contains(stranger), "evidence knows {stranger}");
    }
}

#[test]
fn the_pure_rooms_do_no_input_or_output() {
    for name in [
        "voucher",
        "catalog",
        "access",
        "render",
        "matching",
        "watermark",
    ] {
        let text = room(name);
        for outside in [
            "std::fs",
            "std::net",
            "std::env",
            "SystemTime",
            "Instant",
            "getrandom",
        ] {
            assert!(!text.contains(outside), "{name} uses {outside}");
        }
    }
}
