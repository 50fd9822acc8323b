//! `_audit/` in the tree: the log's own files as folders, so that a verifier can be pointed at a mounted drive.

use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::log_file::LogFile;
use vouchsafe_evidence::tile::{TILE_WIDTH, Tile};

use super::published::{sees_audit, sees_entries};
use super::rows::{AnchorRow, PAGE_ROWS, key};
use super::tree::absent;
use super::{ArchiveError, Caller, Child, Node, Records};
use crate::catalog::TreePath;

/// What a name below `_audit/` is.
enum Named {
    Folder(String),
    File(String, LogFile),
}

impl Records {
    /// What is at a place below `_audit/`.
    pub(super) fn audit_node(
        &self,
        caller: &Caller,
        inner: &TreePath,
    ) -> Result<Node, ArchiveError> {
        if !sees_audit(caller) {
            return absent(inner);
        }
        let path = inner.segments().join("/");
        if let Some(file) = LogFile::parse(&path).filter(|file| !matches!(file, LogFile::Entry(_)))
        {
            return Ok(Node::File(self.log_file(caller, &file)?));
        }
        let shown = inner.segments().is_empty() || {
            let parent = inner.parent();
            let names = self.names(caller, &parent)?;
            names
                .iter()
                .any(|it| matches!(it, Named::Folder(name) if name == inner.name()))
        };
        match shown {
            true => self.folder_born(),
            false => absent(inner),
        }
    }

    /// Some places below a folder of `_audit/`, after the name `after`.
    pub(super) fn audit_page(
        &self,
        caller: &Caller,
        inner: &TreePath,
        after: &str,
    ) -> Result<(Vec<Child>, Option<String>), ArchiveError> {
        self.audit_node(caller, inner)?;
        if let [objects, first] = inner.segments()
            && objects == "objects"
        {
            return self.objects_page(first, after);
        }
        let mut children = Vec::new();
        let mut names = self.names(caller, inner)?;
        names.sort_by(|one, other| name_of(one).cmp(name_of(other)));
        for named in names {
            if !after.is_empty() && name_of(&named) <= after {
                continue;
            }
            if children.len() == PAGE_ROWS {
                let last = children.last().map(|child: &Child| child.name.clone());
                return Ok((children, last));
            }
            let (name, node) = match named {
                Named::Folder(name) => (name, self.folder_born()?),
                Named::File(name, file) => (name, Node::File(self.log_file(caller, &file)?)),
            };
            children.push(Child { name, node });
        }
        Ok((children, None))
    }

    /// Everything in a folder, but for objects.
    fn names(&self, caller: &Caller, folder: &TreePath) -> Result<Vec<Named>, ArchiveError> {
        let (size, all) = (self.size()?, sees_entries(caller));
        let segments: Vec<&str> = folder.segments().iter().map(String::as_str).collect();
        Ok(match segments.as_slice() {
            [] => self.top(all)?,
            ["rotation"] => {
                let count = self.published_rotations()?;
                let file = |number: u64| Named::File(number.to_string(), LogFile::Rotation(number));
                (1..=count).map(file).collect()
            }
            ["timestamp"] => {
                let stamped = self.timestamps()?.into_iter().map(|row| row.size);
                let files = stamped.flat_map(|size| {
                    let token = LogFile::TimestampToken(size);
                    let checkpoint = LogFile::TimestampedCheckpoint(size);
                    [
                        Named::File(size.to_string(), checkpoint),
                        Named::File(format!("{size}.tsr"), token),
                    ]
                });
                files.collect()
            }
            ["tile"] => {
                let levels = (0u32..).take_while(|level| Tile::in_tree(*level, 0, size).is_some());
                let levels = levels.map(|level| Named::Folder(level.to_string()));
                let entries = all.then(|| Named::Folder("entries".to_owned()));
                levels.chain(entries).collect()
            }
            ["tile", "entries", rest @ ..] if all => {
                let last = Tile::in_tree(0, size.saturating_sub(1) / TILE_WIDTH, size);
                tiles(rest, last, |index, width| LogFile::Bundle { index, width })
            }
            ["tile", level, rest @ ..] => match level.parse() {
                Ok(level) if level < 8 => {
                    let hashes = size >> (8 * level);
                    let last = Tile::in_tree(level, hashes.saturating_sub(1) / TILE_WIDTH, size);
                    let file = |index, width| {
                        LogFile::Tile(Tile {
                            level,
                            index,
                            width,
                        })
                    };
                    tiles(rest, last, file)
                }
                _ => Vec::new(),
            },
            ["objects"] if all => {
                let folders = 0..=255u8;
                folders
                    .map(|first| Named::Folder(format!("{first:02x}")))
                    .collect()
            }
            _ => Vec::new(),
        })
    }

    fn top(&self, all: bool) -> Result<Vec<Named>, ArchiveError> {
        let file = |file: LogFile| Named::File(file.path(), file);
        let folder = |name: &str| Named::Folder(name.to_owned());
        let mut names = vec![
            file(LogFile::Checkpoint),
            file(LogFile::VerifierKey),
            folder("tile"),
        ];
        if self.row::<AnchorRow>(&key::cosigned())?.is_some() {
            names.push(file(LogFile::CosignedCheckpoint));
        }
        if self.row::<u64>(&key::count("rotation"))?.is_some() {
            names.push(folder("rotation"));
        }
        if !self.store.scan(&key::timestamps(), b"", 1)?.is_empty() {
            names.push(folder("timestamp"));
        }
        if all {
            names.push(folder("objects"));
        }
        Ok(names)
    }

    /// The objects whose address begins with `first`, in pages.
    fn objects_page(
        &self,
        first: &str,
        after: &str,
    ) -> Result<(Vec<Child>, Option<String>), ArchiveError> {
        let from = match after {
            "" => format!("{first}{}", "0".repeat(62)),
            after => format!("{first}{after}"),
        };
        let Ok(from) = from.parse::<Digest>() else {
            return Ok((Vec::new(), None));
        };
        // The one that was listed last is listed again, and left out.
        let found = self.store.objects(&from, PAGE_ROWS + 1)?;
        let mut children = Vec::new();
        for (digest, size) in found {
            let hex = digest.to_string();
            match hex.strip_prefix(first) {
                Some(name) if name != after => children.push(Child {
                    name: name.to_owned(),
                    node: Node::File(self.object_file(&digest, size)?),
                }),
                Some(_) => {}
                None => return Ok((children, None)),
            }
        }
        let next = (children.len() >= PAGE_ROWS).then(|| children.last().map(|it| it.name.clone()));
        Ok((children, next.flatten()))
    }
}

fn name_of(named: &Named) -> &str {
    match named {
        Named::Folder(name) | Named::File(name, _) => name,
    }
}

/// The files and folders of tiles below `rest`, where `last` is the last tile, which may be partial: C2SP
/// tlog-tiles writes an index in groups of three digits, all but the last behind an x.
fn tiles(rest: &[&str], last: Option<Tile>, file: impl Fn(u64, u64) -> LogFile) -> Vec<Named> {
    let Some(last) = last else {
        return Vec::new();
    };
    let (rest, partial) = match rest.split_last() {
        Some((folder, rest)) if folder.ends_with(".p") => (rest, folder.strip_suffix(".p")),
        _ => (rest, None),
    };
    let group = |text: &str| {
        let right = text.len() == 3 && text.bytes().all(|digit| digit.is_ascii_digit());
        right.then(|| text.parse::<u64>().ok()).flatten()
    };
    let mut above = Some(0u64);
    for folder in rest {
        let group = folder.strip_prefix('x').and_then(group);
        above = above
            .zip(group)
            .and_then(|(above, group)| (above * 1_000).checked_add(group));
        above = above.filter(|above| *above > 0);
    }
    let Some(above) = above else {
        return Vec::new();
    };
    if let Some(index) = partial {
        let Some(index) = group(index).map(|index| above * 1_000 + index) else {
            return Vec::new();
        };
        let widths = match index.cmp(&last.index) {
            std::cmp::Ordering::Less => TILE_WIDTH - 1,
            std::cmp::Ordering::Equal => last.width.min(TILE_WIDTH - 1),
            std::cmp::Ordering::Greater => 0,
        };
        let named = |width: u64| Named::File(width.to_string(), file(index, width));
        return (1..=widths).map(named).collect();
    }
    let mut names = Vec::new();
    for group in 0..1_000 {
        let index = above * 1_000 + group;
        if index > last.index {
            break;
        }
        if index < last.index || last.width == TILE_WIDTH {
            names.push(Named::File(format!("{group:03}"), file(index, TILE_WIDTH)));
        }
        // Whoever holds an earlier checkpoint still asks for the partial tile of its time.
        if index + 1 >= last.index {
            names.push(Named::Folder(format!("{group:03}.p")));
        }
        // `x000` at the top would be another spelling of what stands beside it.
        if index > 0 && index <= last.index / 1_000 {
            names.push(Named::Folder(format!("x{group:03}")));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(rest: &[&str], last: u64, width: u64) -> Vec<String> {
        let last = Tile {
            level: 0,
            index: last,
            width,
        };
        let file = |index, width| LogFile::Bundle { index, width };
        let names = tiles(rest, Some(last), file);
        names.iter().map(|it| name_of(it).to_owned()).collect()
    }

    #[test]
    fn every_tile_is_found_by_walking_the_folders() {
        assert_eq!(listed(&[], 0, 3), ["000.p"]);
        assert_eq!(listed(&["000.p"], 0, 3), ["1", "2", "3"]);
        assert_eq!(listed(&[], 1, 256), ["000", "000.p", "001", "001.p"]);
        assert_eq!(listed(&[], 1_234_067, 9).len(), 1_999);
        let last = listed(&["x001", "x234"], 1_234_067, 9);
        assert_eq!(last[65..], ["065", "066", "066.p", "067.p"]);
        for rest in [&["x000"][..], &["001"], &["xabc"], &["x002"], &["99.p"]] {
            assert!(listed(rest, 1_234, 256).is_empty(), "{rest:?}");
        }
    }

    #[test]
    fn names_lead_to_the_files_that_they_are() {
        for (rest, last) in [
            (&[][..], 700),
            (&["x001"], 1_500),
            (&["x001", "x002"], 1_002_003),
        ] {
            let last = Tile {
                level: 0,
                index: last,
                width: 256,
            };
            let file = |index, width| LogFile::Bundle { index, width };
            for named in tiles(rest, Some(last), file) {
                if let Named::File(name, file) = named {
                    let path = [&["tile", "entries"], rest, &[&name]].concat().join("/");
                    assert_eq!(LogFile::parse(&path), Some(file), "{path}");
                }
            }
        }
    }
}
