//! The tree as one caller sees it. What they may not see does not exist for them: it is absent, and no
//! count, time or size of theirs depends on it.

use super::node::{Child, File, Node};
use super::open::entry;
use super::rows::{NodeRow, PAGE_ROWS, VoucherRow, key, last_part, named};
use super::{ArchiveError, Caller, Records};
use crate::access::Right;
use crate::catalog::{Place, TEMPLATES, TreePath, VoucherFile};

const JSON: &str = "application/json";

pub(super) fn absent<T>(path: &TreePath) -> Result<T, ArchiveError> {
    Err(ArchiveError::Absent(path.to_string()))
}

impl Records {
    /// Refuses unless the caller may file at `path`; what they cannot see is absent instead.
    pub fn may_file(&self, caller: &Caller, path: &TreePath) -> Result<(), ArchiveError> {
        self.may(caller, Right::Upload, path, || ArchiveError::Denied {
            error: format!("{} may look at {path}, but not file there", caller.name),
            hint: "ask an admin for the role of an uploader".to_owned(),
        })
    }

    /// Refuses unless the caller may decide on what is at `path`; what they cannot see is absent instead.
    pub fn may_review(&self, caller: &Caller, path: &TreePath) -> Result<(), ArchiveError> {
        self.may(caller, Right::Review, path, || ArchiveError::Denied {
            error: format!("{} may look at {path}, but not decide on it", caller.name),
            hint: "ask a reviewer, or an admin for that role".to_owned(),
        })
    }

    fn may(
        &self,
        caller: &Caller,
        right: Right,
        path: &TreePath,
        denied: impl FnOnce() -> ArchiveError,
    ) -> Result<(), ArchiveError> {
        if caller.permissions.allow(right, path) {
            return Ok(());
        }
        if !caller.permissions.allow(Right::Read, path) && !self.shows(caller, path)? {
            return absent(path);
        }
        Err(denied())
    }

    /// Refuses unless the caller may publish templates.
    pub fn may_publish(&self, caller: &Caller) -> Result<(), ArchiveError> {
        if caller.permissions.allow_somewhere(Right::Administer) {
            return Ok(());
        }
        if sees_templates(caller) {
            let hint = "ask an admin to publish it";
            return Err(ArchiveError::denied(
                "only an admin publishes templates",
                hint,
            ));
        }
        Err(ArchiveError::Absent(TEMPLATES.to_owned()))
    }

    /// The answer to a wish to delete, move or overwrite what is filed.
    pub fn refuse_change(&self, caller: &Caller, path: &TreePath) -> ArchiveError {
        match self.node(caller, path, None) {
            Err(error) => error,
            Ok(_) if matches!(Place::of(path, &self.layout), Place::Inbox(_)) => {
                let hint = "upload it under its new name and remove the old one";
                ArchiveError::denied("nothing is copied or moved in an inbox", hint)
            }
            Ok(_) => ArchiveError::Denied {
                error: format!("{path} is filed: it is never deleted, moved or overwritten"),
                hint: "upload a new version under the same name; the old one is kept".to_owned(),
            },
        }
    }

    /// What is at `path`. `version` asks for an older version of a file, counted from 1.
    pub fn node(
        &self,
        caller: &Caller,
        path: &TreePath,
        version: Option<u32>,
    ) -> Result<Node, ArchiveError> {
        match Place::of(path, &self.layout) {
            Place::Folder(folder) if folder.segments().is_empty() => self.folder_born(),
            Place::Folder(folder) | Place::Voucher(folder) => self.folder(caller, &folder),
            Place::File(place, file) => {
                if !caller.permissions.allow(Right::Read, path) {
                    return absent(path);
                }
                let row: Option<VoucherRow> = self.row(&key::voucher(&place.to_string()))?;
                match row {
                    Some(row) => self.voucher_file(caller, &place, &row, &file, version)?,
                    None => None,
                }
                .map_or_else(
                    || absent(path),
                    |found| Ok(Node::File(self.as_shown(caller, path, &file, found)?)),
                )
            }
            Place::Inbox(inner) if caller.has_inbox() => self.inbox_node(caller, &inner),
            Place::Audit(inner) => self.audit_node(caller, &inner),
            Place::Templates if sees_templates(caller) => self.folder_born(),
            Place::Template(voucher_type) if sees_templates(caller) => {
                let file = self.template_file(&voucher_type, version)?;
                file.map_or_else(|| absent(path), |file| Ok(Node::File(file)))
            }
            Place::Inbox(_) | Place::Templates | Place::Template(_) | Place::Nothing => {
                absent(path)
            }
        }
    }

    /// Whether the caller sees that there is something at `path`.
    pub(super) fn shows(&self, caller: &Caller, path: &TreePath) -> Result<bool, ArchiveError> {
        if self.row::<NodeRow>(&key::node(path))?.is_none() && !path.segments().is_empty() {
            return Ok(false);
        }
        if caller.permissions.allow(Right::Read, path) {
            return Ok(true);
        }
        if !caller.permissions.allow_below(Right::Read, path) {
            return Ok(false);
        }
        if path.segments().len() >= self.layout.levels() {
            return Ok(self.voucher_files(caller, path).is_ok());
        }
        let prefix = key::nodes(path);
        let mut after = Vec::new();
        loop {
            let rows = self.store.scan(&prefix, &after, PAGE_ROWS)?;
            for (key, _) in &rows {
                if self.shows(caller, &path.child(&last_part(key)))? {
                    return Ok(true);
                }
            }
            match rows.last() {
                Some((key, _)) => after.clone_from(key),
                None => return Ok(false),
            }
        }
    }

    /// What `take` makes of the paths that are listed below `prefix`, in their order and after a path, at most `most`; and
    /// the path to go on after, if there may be more: always one that it made something of.
    pub(super) fn listed<T>(
        &self,
        prefix: &[u8],
        after: &str,
        most: usize,
        mut take: impl FnMut(&str) -> Result<Option<T>, ArchiveError>,
    ) -> Result<(Vec<T>, Option<String>), ArchiveError> {
        let mut start = [prefix, after.as_bytes()].concat();
        let mut taken = Vec::new();
        loop {
            let rows = self.store.scan(prefix, &start, PAGE_ROWS)?;
            for (key, _) in &rows {
                let path = last_part(key);
                taken.extend(take(&path)?);
                if taken.len() == most {
                    return Ok((taken, Some(path)));
                }
            }
            match rows.last() {
                Some((key, _)) => start.clone_from(key),
                None => return Ok((taken, None)),
            }
        }
    }

    /// A folder whose times say nothing, because the caller does not see all that made them.
    pub(super) fn folder_born(&self) -> Result<Node, ArchiveError> {
        let born = entry(&*self.store, 0)?.time;
        Ok(Node::Folder {
            created: born,
            modified: born,
        })
    }

    pub(super) fn folder(&self, caller: &Caller, path: &TreePath) -> Result<Node, ArchiveError> {
        if !self.shows(caller, path)? {
            return absent(path);
        }
        if !caller.permissions.allow(Right::Read, path) {
            return self.folder_born();
        }
        match self.row::<NodeRow>(&key::node(path))? {
            Some(row) => Ok(folder_node(&row)),
            None => absent(path),
        }
    }

    /// The files of a voucher that the caller may see.
    pub(super) fn voucher_files(
        &self,
        caller: &Caller,
        place: &TreePath,
    ) -> Result<Vec<Child>, ArchiveError> {
        let Some(row) = self.row::<VoucherRow>(&key::voucher(&place.to_string()))? else {
            return absent(place);
        };
        let mut children = Vec::new();
        for name in file_names(&row) {
            let Some(file) = VoucherFile::parse(name, &self.layout) else {
                continue;
            };
            let path = place.child(name);
            if !caller.permissions.allow(Right::Read, &path) {
                continue;
            }
            if let Some(found) = self.voucher_file(caller, place, &row, &file, None)? {
                let shown = self.as_shown(caller, &path, &file, found)?;
                let (name, node) = (name.to_owned(), Node::File(shown));
                children.push(Child { name, node });
            }
        }
        match children.is_empty() {
            // A voucher of which nothing may be seen is as one that is not there.
            true => absent(place),
            false => Ok(children),
        }
    }

    fn voucher_file(
        &self,
        caller: &Caller,
        place: &TreePath,
        row: &VoucherRow,
        file: &VoucherFile,
        version: Option<u32>,
    ) -> Result<Option<File>, ArchiveError> {
        let created = row.versions.first().map_or(0, |version| version.time);
        let modified = row.modified();
        Ok(match file {
            VoucherFile::Data | VoucherFile::Rendition(_) => {
                nth(&row.versions, version).and_then(|shown| {
                    let object = named(&shown.objects, file.name())?;
                    Some(File::stored(object, created, shown.time))
                })
            }
            VoucherFile::Scan(name) => row.scans.get(name).and_then(|versions| {
                let shown = nth(versions, version)?;
                let first = versions.first().map_or(shown.time, |first| first.time);
                Some(File::stored(&shown.object, first, shown.time))
            }),
            VoucherFile::Match | VoucherFile::MatchPicture => nth(&row.decisions, version)
                .and_then(|shown| {
                    let object = named(&shown.objects, file.name())?;
                    let first = row.decisions.first().map_or(shown.time, |first| first.time);
                    Some(File::stored(object, first, shown.time))
                }),
            VoucherFile::SubmissionNote => match version {
                None => row.submission(),
                Some(_) => nth(&row.submissions, version),
            }
            .and_then(|shown| {
                let object = named(&shown.objects, file.name())?;
                let first = row.submissions.first().map_or(shown.time, |it| it.time);
                Some(File::stored(object, first, shown.time))
            }),
            VoucherFile::Review
            | VoucherFile::ReviewNote
            | VoucherFile::ReviewedPicture
            | VoucherFile::ReviewedPdf => match version {
                // What was decided on an older version is no review of what is here now.
                None => row.review(),
                Some(_) => nth(&row.reviews, version),
            }
            .and_then(|shown| {
                let object = named(&shown.objects, file.name())?;
                let first = row.reviews.first().map_or(shown.time, |first| first.time);
                Some(File::stored(object, first, shown.time))
            }),
            VoucherFile::History => {
                let history = self.history(caller, place, row)?;
                Some(File::derived(history, JSON, created, modified))
            }
            VoucherFile::Proof => {
                let proof = self.proof_json(row)?;
                Some(File::derived(proof, JSON, created, modified))
            }
            VoucherFile::TlogProof => {
                let (proof, kind) = (self.tlog_proof(row)?, "text/plain; charset=utf-8");
                Some(File::derived(proof, kind, created, modified))
            }
        })
    }
}

pub(super) fn sees_templates(caller: &Caller) -> bool {
    caller.has_inbox() || caller.permissions.allow_somewhere(Right::Administer)
}

/// The file names of a voucher's folder, in the order of their bytes.
pub(super) fn file_names(row: &VoucherRow) -> Vec<&str> {
    let current = row.versions.last();
    let objects = current.map_or(&[][..], |version| version.objects.as_slice());
    let mut names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
    names.extend(row.scans.keys().map(String::as_str));
    let decided = row.decisions.last().into_iter().flat_map(|it| &it.objects);
    let signed = row.review().into_iter().chain(row.submission());
    let reviewed = signed.flat_map(|it| &it.objects);
    names.extend(decided.chain(reviewed).map(|object| object.name.as_str()));
    names.extend(["history.json", "proof.json", "voucher.tlog-proof"]);
    names.sort_unstable();
    names
}

fn nth<T>(versions: &[T], version: Option<u32>) -> Option<&T> {
    match version {
        None => versions.last(),
        Some(version) => versions.get((version as usize).checked_sub(1)?),
    }
}

pub(super) fn folder_node(row: &NodeRow) -> Node {
    Node::Folder {
        created: row.created,
        modified: row.modified,
    }
}
