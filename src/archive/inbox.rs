//! The inbox: a folder of each uploader's own, in which voucher data finds its own place by content.

use std::io::Read;

use vouchsafe_evidence::entry::Object;

use super::kind::{self, Draft};
use super::rows::{InboxRow, PAGE_ROWS, decode, key, last_part};
use super::scan::SCAN_MAX_BYTES;
use super::tree::absent;
use super::{Archive, ArchiveError, Caller, Child, Condition, File, Filed, Node, Records};
use crate::catalog::{INBOX, TreePath};
use crate::voucher::{Invalid, Name, NameError, VOUCHER_MAX_BYTES};

/// Files and folders that one removal takes away at most.
const REMOVED_MAX: usize = 10_000;

/// What is said of a file that is kept in the inbox and nowhere else.
const NOT_FILED: &str = "kept in the inbox and filed nowhere: it is neither voucher data (a JSON object with company, ledger, \
    lines) nor a scan (JPEG, PNG, TIFF, PDF)";
/// Keys of a voucher's data, of which anything else that is kept as JSON hardly has two.
const KEYS_OF_A_VOUCHER: [&str; 5] = ["company", "ledger", "period", "number", "lines"];

/// Whether a file is meant as voucher data, well or badly written: then it is filed, or refused with the reason.
fn means_a_voucher(name: &str, content: &[u8]) -> bool {
    // A byte order mark is refused where the voucher is read, with a word about it.
    let content = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    match serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(content) {
        Ok(document) => {
            let keys = KEYS_OF_A_VOUCHER.iter();
            keys.filter(|key| document.contains_key(**key)).count() >= 2
        }
        // One that was cut.
        Err(_) => name.ends_with(".json") && content.trim_ascii_start().starts_with(b"{"),
    }
}

pub(super) fn logged_path(caller: &str, path: &TreePath) -> TreePath {
    let mut segments = vec![INBOX.to_owned(), caller.to_owned()];
    segments.extend_from_slice(path.segments());
    TreePath::from_segments(segments)
}

/// The folder above must be there.
fn check_parent(
    path: &TreePath,
    row: impl Fn(&TreePath) -> Result<Option<InboxRow>, ArchiveError>,
) -> Result<(), ArchiveError> {
    let parent = path.parent();
    if parent.segments().is_empty() {
        return Ok(());
    }
    match row(&parent)? {
        Some(row) if row.object.is_none() => Ok(()),
        _ => Err(ArchiveError::conflict(
            format!("there is no folder {parent} in the inbox"),
            "make the folder above first (MKCOL)",
        )),
    }
}

/// Whether a file may come to `path`; gives the one that is there.
fn check_place(
    path: &TreePath,
    condition: &Condition,
    row: impl Fn(&TreePath) -> Result<Option<InboxRow>, ArchiveError>,
) -> Result<Option<Object>, ArchiveError> {
    check_parent(path, &row)?;
    let before = row(path)?;
    if before.as_ref().is_some_and(|row| row.object.is_none()) {
        let error = format!("{path} is a folder");
        return Err(ArchiveError::conflict(error, "choose another name"));
    }
    let current = before.and_then(|row| row.object);
    condition.check(current.as_ref())?;
    Ok(current)
}

impl Archive {
    fn check_inbox(&self, caller: &Caller, path: &TreePath) -> Result<(), ArchiveError> {
        if !caller.has_inbox() {
            return Err(ArchiveError::Absent(path.to_string()));
        }
        for step in path.segments() {
            match Name::new(step) {
                Ok(_) | Err(NameError::Reserved) => {}
                Err(error) => {
                    let hint = "choose a name that every drive can show";
                    return Err(Invalid::new("path", error.to_string(), hint).into());
                }
            }
        }
        self.check_room()
    }

    /// Takes in a file under any name. Voucher data is filed in its place by what it says, and scans by
    /// the marks on them; the file is kept in the caller's inbox, too. Durable when it returns.
    pub fn add_to_inbox(
        &self,
        caller: &Caller,
        path: &TreePath,
        content: &mut dyn Read,
        condition: &Condition,
    ) -> Result<Filed, ArchiveError> {
        self.check_inbox(caller, path)?;
        if path.segments().is_empty() {
            let hint = "name a file, such as /_inbox/voucher.json";
            return Err(ArchiveError::conflict("the inbox is a folder", hint));
        }
        // Before anything is filed; decided again with the entry.
        let row = |path: &TreePath| self.records.row(&key::inbox(&caller.id, path));
        check_place(path, condition, row)?;
        let received = self.receive(content, (VOUCHER_MAX_BYTES, SCAN_MAX_BYTES), |_| Ok(()))?;
        if path.name().ends_with(".json") && received.digests.size > VOUCHER_MAX_BYTES as u64 {
            let (what, limit) = ("voucher data".to_owned(), VOUCHER_MAX_BYTES as u64);
            return Err(ArchiveError::TooLarge { what, limit });
        }
        let mut warnings = Vec::new();
        let is_voucher = means_a_voucher(path.name(), &received.beginning);
        if is_voucher {
            let filed = self.file_by_content(caller, &received.beginning);
            let filed = self.log_refusal(caller, &logged_path(&caller.id, path), filed)?;
            if let Filed::New { warnings: told, .. } = filed {
                warnings = told;
            }
        }
        let placed = self.place_scan(caller, &received.digests, &received.beginning)?;
        if let Some(why) = &placed.unplaced {
            let which = if placed.places.is_empty() {
                "a"
            } else {
                "every"
            };
            warnings.push(format!("not filed with {which} voucher: {why}"));
        } else if !is_voucher && placed.places.is_empty() && received.digests.size > 0 {
            warnings.push(NOT_FILED.to_owned());
        }
        let media_type = "application/octet-stream";
        let file = kind::object(path.name(), media_type, &received.digests);
        let (actor, path, condition) = (caller.id.clone(), path.clone(), condition.clone());
        self.commit(move |desk| {
            let row = |path: &TreePath| desk.rows.get(&key::inbox(&actor, path));
            let current = check_place(&path, &condition, row)?;
            if current.as_ref() == Some(&file) {
                return Ok(Filed::Unchanged(1));
            }
            let place = logged_path(&actor, &path);
            let body = kind::InboxReceived {
                placed: placed.places,
                unplaced: placed.unplaced,
                candidates: Vec::new(),
            };
            let draft = Draft::new(&actor, kind::INBOX_RECEIVED, place, &body)?;
            desk.write(draft.with(vec![file]));
            Ok(Filed::New {
                version: 1,
                warnings,
            })
        })
    }

    /// Makes a folder in the caller's inbox.
    pub fn make_inbox_folder(&self, caller: &Caller, path: &TreePath) -> Result<(), ArchiveError> {
        self.check_inbox(caller, path)?;
        let (actor, path) = (caller.id.clone(), path.clone());
        self.commit(move |desk| {
            check_parent(&path, |path| desk.rows.get(&key::inbox(&actor, path)))?;
            if desk
                .rows
                .get::<InboxRow>(&key::inbox(&actor, &path))?
                .is_some()
            {
                let error = format!("there is something at {path} already");
                return Err(ArchiveError::conflict(error, "choose another name"));
            }
            let place = logged_path(&actor, &path);
            desk.write(Draft::new(&actor, kind::INBOX_FOLDER_MADE, place, &())?);
            Ok(())
        })
    }

    /// Takes a file or a folder out of the caller's inbox. What was filed from it stays filed, and the
    /// content stays in the log.
    pub fn remove_from_inbox(&self, caller: &Caller, path: &TreePath) -> Result<(), ArchiveError> {
        self.check_inbox(caller, path)?;
        if path.segments().is_empty() {
            let hint = "remove what is in it";
            return Err(ArchiveError::denied("the inbox itself stays", hint));
        }
        if self
            .records
            .row::<InboxRow>(&key::inbox(&caller.id, path))?
            .is_none()
        {
            return Err(ArchiveError::Absent(path.to_string()));
        }
        let mut removed = vec![path.clone()];
        let mut at = 0;
        while let Some(above) = removed.get(at).cloned() {
            removed.extend(self.inbox_below(&caller.id, &above)?);
            at += 1;
            if removed.len() > REMOVED_MAX {
                let error = format!("more than {REMOVED_MAX} files are below {path}");
                return Err(ArchiveError::conflict(error, "remove them in parts"));
            }
        }
        let actor = caller.id.clone();
        self.commit(move |desk| {
            // From the leaves up, so that no file is ever without its folder.
            for path in removed.iter().rev() {
                if desk
                    .rows
                    .get::<InboxRow>(&key::inbox(&actor, path))?
                    .is_some()
                {
                    let place = logged_path(&actor, path);
                    desk.write(Draft::new(&actor, kind::INBOX_REMOVED, place, &())?);
                }
            }
            Ok(())
        })
    }

    fn inbox_below(&self, user: &str, path: &TreePath) -> Result<Vec<TreePath>, ArchiveError> {
        let prefix = key::inbox_nodes(user, path);
        let rows = self.records.store.scan(&prefix, &[], REMOVED_MAX + 1)?;
        Ok(rows
            .iter()
            .map(|(key, _)| path.child(&last_part(key)))
            .collect())
    }
}

impl Records {
    pub(super) fn inbox_node(
        &self,
        caller: &Caller,
        path: &TreePath,
    ) -> Result<Node, ArchiveError> {
        if path.segments().is_empty() {
            return self.folder_born();
        }
        let row = self.row::<InboxRow>(&key::inbox(&caller.id, path))?;
        row.map_or_else(|| absent(path), |row| Ok(inbox_node(&row)))
    }

    pub(super) fn inbox_page(
        &self,
        caller: &Caller,
        path: &TreePath,
        after: &str,
    ) -> Result<(Vec<Child>, Option<String>), ArchiveError> {
        self.inbox_node(caller, path)?;
        let prefix = key::inbox_nodes(&caller.id, path);
        let start = [&prefix[..], after.as_bytes()].concat();
        let rows = self.store.scan(&prefix, &start, PAGE_ROWS)?;
        let next = (rows.len() == PAGE_ROWS).then(|| rows.last().map(|(key, _)| last_part(key)));
        let mut children = Vec::new();
        for (key, row) in &rows {
            let (name, node) = (last_part(key), inbox_node(&decode(key, row)?));
            children.push(Child { name, node });
        }
        Ok((children, next.flatten()))
    }
}

fn inbox_node(row: &InboxRow) -> Node {
    match &row.object {
        Some(object) => Node::File(File::stored(object, row.created, row.modified)),
        None => Node::Folder {
            created: row.created,
            modified: row.modified,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn voucher_data_is_known_by_its_keys() {
        assert!(means_a_voucher("a", br#"{"company":1,"lines":2}"#));
        assert!(means_a_voucher(
            "a",
            "\u{feff}{\"company\":1,\"lines\":2}".as_bytes()
        ));
        for other in ["[]", "{\"company\":1}", "not json", "\u{feff}{}"] {
            assert!(!means_a_voucher("a", other.as_bytes()), "{other}");
        }
        // Cut or misspelt it is one still, where its name or its other keys say so.
        assert!(
            means_a_voucher("a.json", b"{\"company\":") && !means_a_voucher("a", b"{\"company\":")
        );
        assert!(means_a_voucher(
            "a",
            br#"{"company":1,"ledger":2,"linez":3}"#
        ));
        assert!(!means_a_voucher("a.json", b"") && !means_a_voucher("a.json", b"{}"));
    }
}
