//! An exported folder as a [`Source`], and the checks that belong to it as a BagIt bag (RFC 8493):
//! manifests, the tree's files against the log, and every `proof.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use crate::bundle::{self, bundle_path};
use crate::digest::{ContentHasher, Digest};
use crate::entry::Entry;
use crate::key::VerifierKey;
use crate::proof::EntryProof;
use crate::report::{Fault, Report};
use crate::tile::{TILE_WIDTH, Tile};
use crate::verify::{Options, Source, Unreadable, verify};

/// Largest file that is read into memory: a bundle of 256 entries of 64 KiB each.
const FILE_MAX_BYTES: u64 = 256 * 65_537;

/// Path of an object below `data/objects/`: the first byte of the digest names the folder.
pub fn object_path(digest: &Digest) -> String {
    let hex = digest.to_string();
    format!("{}/{}", &hex[..2], &hex[2..])
}

/// Path below `data/log/` of one entry in the export of a part, where bundles would show others.
pub fn single_entry_path(seq: u64) -> String {
    format!("entries/{seq}.json")
}

/// The `data` folder of a bag.
pub struct Directory {
    log: PathBuf,
    objects: PathBuf,
    whole: bool,
    size: u64,
}

impl Directory {
    /// A source over an exported folder.
    pub fn new(bag: &Path) -> Directory {
        let log = bag.join("data/log");
        let size = fs::read_to_string(log.join("checkpoint"))
            .ok()
            .and_then(|note| note.split('\n').nth(1)?.parse().ok())
            .unwrap_or(0);
        let whole = log.join("tile/entries").is_dir();
        Directory {
            log,
            objects: bag.join("data/objects"),
            whole,
            size,
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Unreadable> {
    read_if_present(path)?.ok_or_else(|| Unreadable(format!("{} is missing", path.display())))
}

fn read_if_present(path: &Path) -> Result<Option<Vec<u8>>, Unreadable> {
    let unreadable = |error: io::Error| Unreadable(format!("{}: {error}", path.display()));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    file.take(FILE_MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        return Err(Unreadable(format!("{} is too large", path.display())));
    }
    Ok(Some(bytes))
}

impl Source for Directory {
    fn verifier_key(&self) -> Result<Vec<u8>, Unreadable> {
        read(&self.log.join("vkey"))
    }

    fn checkpoint(&self) -> Result<Vec<u8>, Unreadable> {
        read(&self.log.join("checkpoint"))
    }

    fn checkpoints(&self, _: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>, Unreadable> {
        Ok(Vec::new())
    }

    fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, Unreadable> {
        if !self.whole {
            return seqs
                .map(|seq| read_if_present(&self.log.join(single_entry_path(seq))))
                .collect();
        }
        let index = seqs.start / TILE_WIDTH;
        let first = index * TILE_WIDTH;
        let width = self.size.saturating_sub(first).min(TILE_WIDTH);
        let path = bundle_path(index, width);
        let entries = bundle::decode(&read(&self.log.join(&path))?)
            .map_err(|error| Unreadable(format!("{path}: {error}")))?;
        if entries.len() as u64 != width {
            let found = entries.len();
            return Err(Unreadable(format!(
                "{path} has {found} entries, not {width}"
            )));
        }
        let mut entries = entries.into_iter().skip((seqs.start - first) as usize);
        Ok(seqs.map(|_| entries.next()).collect())
    }

    fn withholds(&self) -> bool {
        !self.whole
    }

    fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, Unreadable> {
        read_if_present(&self.log.join(tile.path()))
    }

    fn publishes_partial_tiles(&self) -> bool {
        true
    }

    fn last_entry(&self) -> Result<Option<Digest>, Unreadable> {
        Ok(None)
    }

    fn object(&self, digest: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        let path = self.objects.join(object_path(digest));
        match File::open(&path) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Unreadable(format!("{}: {error}", path.display()))),
        }
    }
}

/// Verifies an exported folder: its log, its objects, its tree and its manifests.
pub fn verify_directory(bag: &Path, options: Options<'_>) -> Report {
    let source = Directory::new(bag);
    // For every place and name, the object that the log vouches for last.
    let mut vouched: BTreeMap<(String, String), (u64, Digest)> = BTreeMap::new();
    let Options {
        key,
        since,
        threads,
        progress,
        entry: visit,
    } = options;
    let mut collect = |entry: &Entry| {
        visit(entry);
        if entry.path.starts_with('/') && !entry.path.starts_with("/_") {
            for object in &entry.objects {
                let place = (entry.path.clone(), object.name.clone());
                vouched.insert(place, (entry.seq, object.sha256));
            }
        }
    };
    let pinned = key.clone();
    let mut report = verify(
        &source,
        Options {
            key,
            since,
            threads,
            progress,
            entry: &mut collect,
        },
    );
    let listed = check_manifests(bag, &mut report);
    for ((path, name), (seq, sha256)) in &vouched {
        let file = format!("data/tree{path}/{name}");
        let found = listed.get(&file);
        if found != Some(sha256) {
            report.fault(Fault {
                seq: Some(*seq),
                path: file,
                what: "file in the tree".to_owned(),
                expected: format!("SHA-256 {sha256}"),
                found: found.map_or("nothing".to_owned(), |found| format!("SHA-256 {found}")),
            });
        }
    }
    let offered = source
        .verifier_key()
        .ok()
        .and_then(|text| String::from_utf8(text).ok());
    let key = pinned.or_else(|| VerifierKey::parse(&offered?).ok());
    for file in listed
        .keys()
        .filter(|file| file.starts_with("data/tree/") && file.ends_with("/proof.json"))
    {
        check_proof(bag, file, key.as_ref(), &mut report);
    }
    report
}

fn check_proof(bag: &Path, file: &str, key: Option<&VerifierKey>, report: &mut Report) {
    let inner = file.strip_prefix("data/tree").unwrap_or(file);
    let place = inner.strip_suffix("/proof.json").unwrap_or(inner);
    let proven = key
        .ok_or_else(|| "no verifier key".to_owned())
        .and_then(|key| {
            let bytes = read(&bag.join(file)).map_err(|error| error.to_string())?;
            EntryProof::verify(&bytes, key).map_err(|error| error.to_string())
        })
        .and_then(|entry| {
            if entry.path == place {
                Ok(())
            } else {
                Err(format!("a proof of {}", entry.path))
            }
        });
    if let Err(found) = proven {
        report.fault(Fault {
            seq: None,
            path: file.to_owned(),
            what: "proof".to_owned(),
            expected: format!("a proof that an entry of {place} is in the log"),
            found,
        });
    }
}

/// Checks both manifests and that the payload has no file beside them; gives the digest of every
/// payload file as it was read.
fn check_manifests(bag: &Path, report: &mut Report) -> BTreeMap<String, Digest> {
    let mut present = BTreeSet::new();
    if let Err(error) = list_files(&bag.join("data"), "data", &mut present) {
        report.fault(bag_fault("data", "a readable folder", error.to_string()));
    }
    let mut hashed = BTreeMap::new();
    for manifest in ["tagmanifest-sha256.txt", "manifest-sha256.txt"] {
        let lines = read(&bag.join(manifest)).and_then(|text| {
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
            check_line(bag, manifest, line, &mut hashed, report);
        }
    }
    for file in present.iter().filter(|file| !hashed.contains_key(*file)) {
        report.fault(bag_fault(
            file,
            "a line in manifest-sha256.txt",
            "none".to_owned(),
        ));
    }
    hashed
}

fn check_line(
    bag: &Path,
    manifest: &str,
    line: &str,
    hashed: &mut BTreeMap<String, Digest>,
    report: &mut Report,
) {
    let parsed = line.split_once("  ").and_then(|(digest, file)| {
        let file = decode_name(file);
        let inside = Path::new(&file)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        inside.then_some((digest.parse::<Digest>().ok()?, file))
    });
    let Some((expected, file)) = parsed else {
        report.fault(bag_fault(
            manifest,
            "a digest and a file name on each line",
            line.to_owned(),
        ));
        return;
    };
    match hash_file(&bag.join(&file)) {
        Ok(found) => {
            if found != expected {
                report.fault(bag_fault(
                    &file,
                    format!("SHA-256 {expected}"),
                    format!("SHA-256 {found}"),
                ));
            }
            hashed.insert(file, found);
        }
        Err(error) => report.fault(bag_fault(
            &file,
            format!("SHA-256 {expected}"),
            error.to_string(),
        )),
    }
}

fn bag_fault(path: &str, expected: impl Into<String>, found: String) -> Fault {
    Fault {
        seq: None,
        path: path.to_owned(),
        what: "file".to_owned(),
        expected: expected.into(),
        found,
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

fn hash_file(path: &Path) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut hasher = ContentHasher::default();
    let mut piece = vec![0; 256 << 10];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finish().sha256),
            read => hasher.update(&piece[..read]),
        }
    }
}

fn list_files(folder: &Path, name: &str, files: &mut BTreeSet<String>) -> io::Result<()> {
    for item in fs::read_dir(folder)? {
        let item = item?;
        let name = format!("{name}/{}", item.file_name().to_string_lossy());
        if item.file_type()?.is_dir() {
            list_files(&item.path(), &name, files)?;
        } else {
            files.insert(name);
        }
    }
    Ok(())
}
