//! An exported folder as a [`Source`].

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::bundle::{self, bundle_path};
use crate::digest::{ContentHasher, Digest};
use crate::tile::{TILE_WIDTH, Tile};
use crate::verify::{Source, Unreadable};

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

/// The files of an exported folder. Only regular files that lie in the folder itself are ever opened:
/// what a link points to, a pipe or a device is no part of a bag.
pub(crate) struct Files {
    bag: PathBuf,
    pub present: BTreeSet<String>,
    /// What lies there and is neither a folder nor a regular file, or could not be listed.
    pub strange: Vec<(String, String)>,
}

impl Files {
    pub fn list(bag: &Path) -> Files {
        let mut files = Files {
            bag: bag.to_owned(),
            present: BTreeSet::new(),
            strange: Vec::new(),
        };
        files.list_below(bag, "");
        files
    }

    fn list_below(&mut self, folder: &Path, prefix: &str) {
        let items = fs::read_dir(folder).and_then(|items| items.collect::<io::Result<Vec<_>>>());
        let items = match items {
            Ok(items) => items,
            Err(error) => {
                self.strange.push((prefix.to_owned(), error.to_string()));
                return;
            }
        };
        for item in items {
            let name = format!("{prefix}{}", item.file_name().to_string_lossy());
            match item.file_type() {
                Ok(kind) if kind.is_dir() => self.list_below(&item.path(), &format!("{name}/")),
                Ok(kind) if kind.is_file() => {
                    self.present.insert(name);
                }
                Ok(_) => self
                    .strange
                    .push((name, "a link, a pipe or a device".to_owned())),
                Err(error) => self.strange.push((name, error.to_string())),
            }
        }
    }

    fn open(&self, name: &str) -> io::Result<File> {
        if !self.present.contains(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        File::open(self.bag.join(name))
    }

    pub fn read(&self, name: &str) -> Result<Vec<u8>, Unreadable> {
        self.read_if_present(name)?
            .ok_or_else(|| Unreadable(format!("{name} is missing")))
    }

    fn read_if_present(&self, name: &str) -> Result<Option<Vec<u8>>, Unreadable> {
        let unreadable = |error: io::Error| Unreadable(format!("{name}: {error}"));
        let file = match self.open(name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let mut bytes = Vec::new();
        file.take(FILE_MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > FILE_MAX_BYTES {
            return Err(Unreadable(format!("{name} is too large")));
        }
        Ok(Some(bytes))
    }

    pub fn hash(&self, name: &str) -> io::Result<Digest> {
        let mut file = self.open(name)?;
        let mut hasher = ContentHasher::default();
        let mut piece = vec![0; 256 << 10];
        loop {
            match file.read(&mut piece)? {
                0 => return Ok(hasher.finish().sha256),
                read => hasher.update(&piece[..read]),
            }
        }
    }
}

/// The `data` folder of a bag.
pub(crate) struct Directory<'a> {
    files: &'a Files,
    whole: bool,
    size: u64,
}

impl Directory<'_> {
    pub fn new(files: &Files) -> Directory<'_> {
        let size = files
            .read("data/log/checkpoint")
            .ok()
            .and_then(|note| {
                String::from_utf8(note)
                    .ok()?
                    .split('\n')
                    .nth(1)?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        let bundles = "data/log/tile/entries/".to_owned();
        let first = files.present.range(bundles.clone()..).next();
        Directory {
            files,
            whole: first.is_some_and(|name| name.starts_with(&bundles)),
            size,
        }
    }
}

impl Source for Directory<'_> {
    fn verifier_key(&self) -> Result<Vec<u8>, Unreadable> {
        self.files.read("data/log/vkey")
    }

    fn checkpoint(&self) -> Result<Vec<u8>, Unreadable> {
        self.files.read("data/log/checkpoint")
    }

    fn checkpoints(&self, _: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>, Unreadable> {
        Ok(Vec::new())
    }

    fn entries(&self, seqs: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, Unreadable> {
        if !self.whole {
            return seqs
                .map(|seq| {
                    let name = format!("data/log/{}", single_entry_path(seq));
                    self.files.read_if_present(&name)
                })
                .collect();
        }
        let index = seqs.start / TILE_WIDTH;
        let first = index * TILE_WIDTH;
        let width = self.size.saturating_sub(first).min(TILE_WIDTH);
        let path = bundle_path(index, width);
        let entries = bundle::decode(&self.files.read(&format!("data/log/{path}"))?)
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
        self.files
            .read_if_present(&format!("data/log/{}", tile.path()))
    }

    fn publishes_partial_tiles(&self) -> bool {
        true
    }

    fn last_entry(&self) -> Result<Option<Digest>, Unreadable> {
        Ok(None)
    }

    fn object(&self, digest: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        let name = format!("data/objects/{}", object_path(digest));
        match self.files.open(&name) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Unreadable(format!("{name}: {error}"))),
        }
    }
}
