//! The files of a log as it is published: the same below `/log/` over HTTP, below `_audit/` on a mounted
//! drive, and in an export (C2SP tlog-tiles, and what Vouchsafe adds beside it).

use crate::bundle::bundle_path;
use crate::digest::Digest;
use crate::tile::{Tile, decimal, parse_index_path};

/// One file of a published log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogFile {
    /// `vkey`: the verifier key, as text.
    VerifierKey,
    /// `checkpoint`: the latest one.
    Checkpoint,
    /// `cosigned-checkpoint`: the latest one that witnesses cosigned.
    CosignedCheckpoint,
    /// `rotation/N`: the note by which key N, counted from 1, handed over to the next.
    Rotation(u64),
    /// `timestamp/SIZE`: a checkpoint that was time-stamped.
    TimestampedCheckpoint(u64),
    /// `timestamp/SIZE.tsr`: the RFC 3161 answer about it.
    TimestampToken(u64),
    /// `tile/LEVEL/INDEX`
    Tile(Tile),
    /// `tile/entries/INDEX`: entries, at most 256.
    Bundle {
        /// Counted from 0.
        index: u64,
        /// 1 to 256.
        width: u64,
    },
    /// `entries/SEQ.json`: one entry, in the export of a part, where bundles would show others.
    Entry(u64),
    /// `objects/AB/CDEF…`: an object, by its BLAKE3.
    Object(Digest),
}

/// Path of an object below `objects/`: the first byte of the digest names the folder.
pub fn object_path(digest: &Digest) -> String {
    let hex = digest.to_string();
    format!("{}/{}", &hex[..2], &hex[2..])
}

impl LogFile {
    /// The file's path below the log's folder or URL.
    pub fn path(&self) -> String {
        match self {
            LogFile::VerifierKey => "vkey".to_owned(),
            LogFile::Checkpoint => "checkpoint".to_owned(),
            LogFile::CosignedCheckpoint => "cosigned-checkpoint".to_owned(),
            LogFile::Rotation(number) => format!("rotation/{number}"),
            LogFile::TimestampedCheckpoint(size) => format!("timestamp/{size}"),
            LogFile::TimestampToken(size) => format!("timestamp/{size}.tsr"),
            LogFile::Tile(tile) => tile.path(),
            LogFile::Bundle { index, width } => bundle_path(*index, *width),
            LogFile::Entry(seq) => format!("entries/{seq}.json"),
            LogFile::Object(digest) => format!("objects/{}", object_path(digest)),
        }
    }

    /// Reads [`LogFile::path`], refusing every other spelling of it.
    pub fn parse(path: &str) -> Option<LogFile> {
        let Some((folder, rest)) = path.split_once('/') else {
            return match path {
                "vkey" => Some(LogFile::VerifierKey),
                "checkpoint" => Some(LogFile::Checkpoint),
                "cosigned-checkpoint" => Some(LogFile::CosignedCheckpoint),
                _ => None,
            };
        };
        match folder {
            "rotation" => decimal(rest).map(LogFile::Rotation),
            "timestamp" => match rest.strip_suffix(".tsr") {
                Some(size) => decimal(size).map(LogFile::TimestampToken),
                None => decimal(rest).map(LogFile::TimestampedCheckpoint),
            },
            "entries" => decimal(rest.strip_suffix(".json")?).map(LogFile::Entry),
            "objects" => {
                let (first, others) = rest.split_once('/')?;
                let digest = format!("{first}{others}").parse().ok()?;
                (first.len() == 2).then_some(LogFile::Object(digest))
            }
            "tile" => match rest.strip_prefix("entries/") {
                Some(index) => {
                    parse_index_path(index).map(|(index, width)| LogFile::Bundle { index, width })
                }
                None => Tile::parse(rest).map(LogFile::Tile),
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_file_reads_back() {
        let tile = Tile {
            level: 2,
            index: 1_234_067,
            width: 17,
        };
        for file in [
            LogFile::VerifierKey,
            LogFile::Checkpoint,
            LogFile::CosignedCheckpoint,
            LogFile::Rotation(3),
            LogFile::TimestampedCheckpoint(812),
            LogFile::TimestampToken(812),
            LogFile::Tile(tile),
            LogFile::Bundle {
                index: 5,
                width: 256,
            },
            LogFile::Entry(7),
            LogFile::Object(Digest::blake3(b"x")),
        ] {
            assert_eq!(LogFile::parse(&file.path()), Some(file), "{}", file.path());
        }
    }

    proptest! {
        #[test]
        fn hostile_paths_never_panic(path in "(vkey|tile|entries|objects|rotation|timestamp|/|\\.|[0-9a-f]{1,3}|x|\\PC){0,12}") {
            if let Some(file) = LogFile::parse(&path) {
                prop_assert_eq!(file.path(), path);
            }
        }
    }
}
