//! Exporting a part of the archive as a BagIt bag (RFC 8493) that verifies offline.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use vouchsafe_evidence::bag::encode_name;
use vouchsafe_evidence::bundle;
use vouchsafe_evidence::digest::{ContentHasher, Digest};
use vouchsafe_evidence::entry::{Entry, Object};
use vouchsafe_evidence::log_file::LogFile;
use vouchsafe_evidence::tile::{TILE_WIDTH, Tile};

use super::open::{Progress, make_aside, refuse_inside};
use super::rows::{AnchorRow, FileRow, UserRow, VoucherRow, key};
use super::{
    ArchiveError, Caller, Children, Content, File as TreeFile, Node, OPERATOR, Records, log,
};
use crate::access::{Grant, Permissions, Right, Role, Scope};
use crate::catalog::TreePath;
use crate::voucher::Invalid;

/// Longest anchor that is exported, in bytes.
const ANCHOR_MAX_BYTES: u64 = 1 << 20;

/// What an export contains.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ExportReport {
    /// Vouchers in the tree.
    pub vouchers: u64,
    /// Entries whose content is in the export.
    pub entries: u64,
    /// Entries that the export's checkpoint signs.
    pub size: u64,
    /// Objects.
    pub objects: u64,
    /// Files of the payload.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A bag that is being written.
struct Bag {
    root: PathBuf,
    /// SHA-256 and size by path below the bag.
    files: BTreeMap<String, (Digest, u64)>,
}

impl Bag {
    fn create(root: &Path) -> Result<Bag, ArchiveError> {
        fs::create_dir_all(root).map_err(|error| ArchiveError::io(root, error))?;
        Ok(Bag {
            root: root.to_owned(),
            files: BTreeMap::new(),
        })
    }

    /// Writes a file of the bag from the pieces that `next` gives until one is empty.
    fn write(
        &mut self,
        name: &str,
        mut next: impl FnMut(u64) -> Result<Vec<u8>, ArchiveError>,
    ) -> Result<(), ArchiveError> {
        let path = self.root.join(name);
        let fault = |error| ArchiveError::io(&path, error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fault)?;
        }
        let mut file = BufWriter::new(File::create_new(&path).map_err(fault)?);
        let (mut hasher, mut size) = (ContentHasher::default(), 0);
        loop {
            let piece = next(size)?;
            if piece.is_empty() {
                break;
            }
            hasher.update(&piece);
            size += piece.len() as u64;
            file.write_all(&piece).map_err(fault)?;
        }
        file.flush().map_err(fault)?;
        self.files
            .insert(name.to_owned(), (hasher.finish().sha256, size));
        Ok(())
    }

    fn write_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.write(name, |offset| {
            Ok(bytes.get(offset as usize..).unwrap_or_default().to_vec())
        })
    }

    /// Puts a second name on a file of the bag, sharing its bytes where the disk can.
    fn link(&mut self, from: &str, name: &str) -> Result<(), ArchiveError> {
        let (source, path) = (self.root.join(from), self.root.join(name));
        let fault = |error| ArchiveError::io(&path, error);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(fault)?;
        }
        if fs::hard_link(&source, &path).is_err() {
            fs::copy(&source, &path).map_err(fault)?;
        }
        if let Some(file) = self.files.get(from).copied() {
            self.files.insert(name.to_owned(), file);
        }
        Ok(())
    }

    /// Writes the declaration and the manifests.
    fn finish(mut self) -> Result<(u64, u64), ArchiveError> {
        let count = self.files.len() as u64;
        let bytes = self.files.values().map(|(_, size)| size).sum();
        let payload = manifest(&self.files);
        self.files.clear();
        self.write_bytes("manifest-sha256.txt", payload.as_bytes())?;
        let declaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
        self.write_bytes("bagit.txt", declaration.as_bytes())?;
        let info = format!(
            "Bag-Software-Agent: vouchsafe {}\nPayload-Oxum: {bytes}.{count}\n",
            env!("CARGO_PKG_VERSION")
        );
        self.write_bytes("bag-info.txt", info.as_bytes())?;
        let tags = manifest(&self.files);
        self.write_bytes("tagmanifest-sha256.txt", tags.as_bytes())?;
        Ok((count, bytes))
    }
}

fn manifest(files: &BTreeMap<String, (Digest, u64)>) -> String {
    let line = |(name, (digest, _)): (&String, &(Digest, u64))| {
        format!("{digest}  {}\n", encode_name(name))
    };
    files.iter().map(line).collect()
}

/// The log and what it names, as far as the export has it.
struct Exporter<'a> {
    records: &'a Records,
    /// Sees what is exported, and nothing else.
    caller: Caller,
    bag: Bag,
    report: ExportReport,
    objects: BTreeSet<Digest>,
    /// Entries that were written one by one.
    singles: BTreeSet<u64>,
}

impl Exporter<'_> {
    /// The log's own files, but for entries.
    fn log(&mut self) -> Result<(), ArchiveError> {
        let vkey = format!("{}\n", self.records.verifier_key());
        self.log_file(LogFile::VerifierKey, vkey.as_bytes())?;
        self.log_file(LogFile::Checkpoint, &self.records.head_checkpoint()?)?;
        if let Some((_, note)) = self.records.cosigned()? {
            self.log_file(LogFile::CosignedCheckpoint, &note)?;
        }
        for (number, note) in (1..).zip(super::keys::rotations(&*self.records.store)?) {
            self.log_file(LogFile::Rotation(number), &note)?;
        }
        for row in self.records.timestamps()? {
            let files = [
                LogFile::TimestampedCheckpoint(row.size),
                LogFile::TimestampToken(row.size),
            ];
            for (number, file) in files.into_iter().enumerate() {
                let content = self.records.anchor_object(&row, number, ANCHOR_MAX_BYTES)?;
                self.log_file(file, &content)?;
            }
        }
        for tile in Tile::all(self.report.size) {
            let bytes = log::tile(&*self.records.store, tile)?
                .ok_or_else(|| ArchiveError::Broken(format!("{} is missing", tile.path())))?;
            self.log_file(LogFile::Tile(tile), &bytes)?;
        }
        Ok(())
    }

    fn log_file(&mut self, file: LogFile, content: &[u8]) -> Result<(), ArchiveError> {
        self.bag
            .write_bytes(&format!("data/log/{}", file.path()), content)
    }

    /// The entries that a part needs to be checked as far as the log goes: how it began, its key changes, and
    /// what fixes it outside.
    fn anchors(&mut self) -> Result<(), ArchiveError> {
        let rotations = self
            .records
            .store
            .scan(&key::rotations(), b"", usize::MAX)?;
        let mut seqs = BTreeSet::from([0]);
        for (key, row) in rotations {
            seqs.insert(super::rows::decode::<FileRow>(&key, &row)?.seq);
        }
        seqs.extend(self.records.timestamps()?.into_iter().map(|row| row.seq));
        seqs.extend(
            self.records
                .row::<AnchorRow>(&key::cosigned())?
                .map(|row| row.seq),
        );
        seqs.into_iter().try_for_each(|seq| self.single(seq))
    }

    /// Every entry, in bundles, and every object.
    fn whole(&mut self, progress: Progress<'_>) -> Result<(), ArchiveError> {
        let size = self.report.size;
        for first in (0..size).step_by(TILE_WIDTH as usize) {
            let until = size.min(first + TILE_WIDTH);
            let entries: Option<Vec<_>> = self
                .records
                .store
                .entries(first..until)?
                .into_iter()
                .collect();
            let entries = entries.ok_or_else(|| {
                ArchiveError::Broken(format!("an entry from {first} to {until} is missing"))
            })?;
            let file = LogFile::Bundle {
                index: first / TILE_WIDTH,
                width: until - first,
            };
            self.log_file(file, &bundle::encode(&entries))?;
            for (seq, bytes) in (first..).zip(&entries) {
                self.entry(seq, bytes)?;
            }
            progress(until, size);
        }
        Ok(())
    }

    /// One entry as a file of its own, where its neighbours must stay unseen.
    fn single(&mut self, seq: u64) -> Result<(), ArchiveError> {
        if !self.singles.insert(seq) {
            return Ok(());
        }
        let bytes = self.records.store.entries(seq..seq + 1)?.pop().flatten();
        let bytes = bytes.ok_or_else(|| ArchiveError::Broken(format!("entry {seq} is missing")))?;
        self.log_file(LogFile::Entry(seq), &bytes)?;
        self.entry(seq, &bytes)
    }

    fn entry(&mut self, seq: u64, bytes: &[u8]) -> Result<(), ArchiveError> {
        let entry = Entry::decode(bytes)
            .map_err(|error| ArchiveError::Broken(format!("entry {seq}: {error}")))?;
        self.report.entries += 1;
        for object in &entry.objects {
            self.object(object)?;
        }
        Ok(())
    }

    fn object(&mut self, object: &Object) -> Result<(), ArchiveError> {
        if !self.objects.insert(object.blake3)
            || self.records.store.object_size(&object.blake3)?.is_none()
        {
            return Ok(());
        }
        let store = &self.records.store;
        self.report.objects += 1;
        let path = format!("data/{}", LogFile::Object(object.blake3).path());
        self.bag.write(&path, |offset| {
            Ok(store.object_piece(&object.blake3, offset)?)
        })
    }

    /// Every voucher below `path` that the caller sees.
    fn tree(&mut self, path: &TreePath, whole: bool) -> Result<(), ArchiveError> {
        let mut children = Children::of(self.caller.clone(), path.clone());
        while children.has_more() {
            for child in children.page(self.records)? {
                let below = path.child(&child.name);
                match child.node {
                    Node::Folder { .. } if below.segments().len() == self.levels() => {
                        self.voucher(&below, whole)?;
                    }
                    Node::Folder { .. } => self.tree(&below, whole)?,
                    Node::File(_) => {}
                }
            }
        }
        Ok(())
    }

    fn levels(&self) -> usize {
        self.records.layout().levels()
    }

    /// The files of one voucher, unless only some of them may be seen.
    fn voucher(&mut self, place: &TreePath, whole: bool) -> Result<(), ArchiveError> {
        if !self.caller.permissions.allow(Right::Read, place) {
            return Ok(());
        }
        self.report.vouchers += 1;
        if !whole {
            let row: Option<VoucherRow> = self.records.row(&key::voucher(&place.to_string()))?;
            let row = row.unwrap_or_default();
            // What reviews and submissions were signed with, or they could not be checked.
            let signed = row.reviews.iter().chain(&row.submissions);
            let people: BTreeSet<&String> = signed.map(|it| &it.person).collect();
            for person in people {
                let user: Option<UserRow> = self.records.row(&key::user(person))?;
                for key in user.map(|user| user.keys).unwrap_or_default() {
                    self.single(key.seq)?;
                }
            }
            for seq in row.entries {
                self.single(seq)?;
            }
        }
        for child in self.records.voucher_files(&self.caller, place)? {
            if let Node::File(file) = child.node {
                self.file(&format!("data/tree{place}/{}", child.name), &file)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &str, file: &TreeFile) -> Result<(), ArchiveError> {
        match &file.content {
            Content::Stored(digest) => {
                let object = format!("data/{}", LogFile::Object(*digest).path());
                self.bag.link(&object, name)
            }
            // The exporter's grant shows everything as it is archived.
            content => self.bag.write_bytes(name, &self.records.derived(content)?),
        }
    }
}

/// Exports what lies in `scope` of the archive in `archive` to `out`, which must be absent or empty;
/// also while the archive is served. The whole archive comes with every entry; a part comes with the
/// entries of its vouchers and the hashes of the rest.
pub fn export(
    archive: &Path,
    scope: &Scope,
    out: &Path,
    progress: Progress<'_>,
) -> Result<ExportReport, ArchiveError> {
    refuse_inside(archive, out, "--out", "an export")?;
    let records = Records::open_to_read(archive)?;
    make_aside(out, |aside| write_bag(&records, scope, aside, progress))
}

fn write_bag(
    records: &Records,
    scope: &Scope,
    folder: &Path,
    progress: Progress<'_>,
) -> Result<ExportReport, ArchiveError> {
    let whole = scope.covers(&TreePath::default());
    let grant = Grant {
        role: Role::Compliance,
        scope: scope.clone(),
        from: None,
        until: None,
    };
    let mut exporter = Exporter {
        records,
        caller: Caller {
            id: OPERATOR.to_owned(),
            name: OPERATOR.to_owned(),
            permissions: Permissions::at(&[grant.into()], 0),
            origin: Default::default(),
        },
        bag: Bag::create(folder)?,
        report: ExportReport {
            size: records.size()?,
            ..ExportReport::default()
        },
        objects: BTreeSet::new(),
        singles: BTreeSet::new(),
    };
    exporter.log()?;
    if whole {
        exporter.whole(progress)?;
    } else {
        exporter.anchors()?;
    }
    exporter.tree(&TreePath::default(), whole)?;
    if exporter.report.vouchers == 0 && !whole {
        let hint =
            "write a scope like '/acme/*/2024-*/': * for any characters, first..last for a range";
        let error = format!("no voucher is filed in {scope}");
        return Err(Invalid::new("SCOPE", error, hint).into());
    }
    let Exporter { bag, report, .. } = exporter;
    let (files, bytes) = bag.finish()?;
    Ok(ExportReport {
        files,
        bytes,
        ..report
    })
}
