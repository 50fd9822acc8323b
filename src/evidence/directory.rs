//! Folders that a published log is read from: an exported bag, and a log's own files, as on a mounted drive.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::digest::{ContentHasher, Digest};
use crate::log_file::LogFile;
use crate::published::{FILE_MAX_BYTES, LogFiles};
use crate::verify::Unreadable;

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
        read_whole(name, self.open(name))
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

/// The content of a file that was opened; `None` if it is not there.
fn read_whole(name: &str, opened: io::Result<File>) -> Result<Option<Vec<u8>>, Unreadable> {
    let unreadable = |error: io::Error| Unreadable(format!("{name}: {error}"));
    let Some(file) = present(name, opened)? else {
        return Ok(None);
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

fn present(name: &str, opened: io::Result<File>) -> Result<Option<File>, Unreadable> {
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Unreadable(format!("{name}: {error}"))),
    }
}

fn opened(name: &str, file: io::Result<File>) -> Result<Option<Box<dyn Read>>, Unreadable> {
    Ok(present(name, file)?.map(|file| Box::new(file) as Box<dyn Read>))
}

/// The log in a bag: below `data/log/`, its objects below `data/objects/`.
pub(crate) struct BagLog<'a>(pub &'a Files);

impl BagLog<'_> {
    fn name(file: &LogFile) -> String {
        match file {
            LogFile::Object(_) => format!("data/{}", file.path()),
            _ => format!("data/log/{}", file.path()),
        }
    }
}

impl LogFiles for BagLog<'_> {
    fn read(&self, file: &LogFile) -> Result<Option<Vec<u8>>, Unreadable> {
        self.0.read_if_present(&BagLog::name(file))
    }

    fn object(&self, digest: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        let name = BagLog::name(&LogFile::Object(*digest));
        Ok(opened(&name, self.0.open(&name))?.map(|file| file as Box<dyn Read>))
    }
}

/// A log's files as they are published, in one folder: `_audit` on a mounted drive, or a copy of it. What is
/// there is asked for by name, because a drive may list less than it has.
pub struct LogFolder(pub PathBuf);

impl LogFolder {
    fn open(&self, file: &LogFile) -> (String, io::Result<File>) {
        let path = self.0.join(file.path());
        let opened = File::open(&path).and_then(|file| match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::Error::other("not a regular file")),
        });
        (path.display().to_string(), opened)
    }
}

impl LogFiles for LogFolder {
    fn read(&self, file: &LogFile) -> Result<Option<Vec<u8>>, Unreadable> {
        let (name, file) = self.open(file);
        read_whole(&name, file)
    }

    fn object(&self, digest: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        let (name, file) = self.open(&LogFile::Object(*digest));
        Ok(opened(&name, file)?.map(|file| file as Box<dyn Read>))
    }
}
