//! What is directly below a place, a page at a time, as one caller sees it.

use super::node::Child;
use super::published::sees_audit;
use super::rows::{PAGE_ROWS, decode, key, name_in};
use super::tree::{absent, folder_node, sees_templates};
use super::{ArchiveError, Caller, Records};
use crate::access::{Below, Sight};
use crate::catalog::{AUDIT, INBOX, Place, TEMPLATES, TreePath};

/// The places directly below one, in the order of their bytes (those of the archive itself come first). It never holds more
/// than a page, and what the caller may see of them is laid out once for all pages.
pub struct Children {
    caller: Caller,
    path: TreePath,
    /// The name to go on after; none when there is nothing more.
    rest: Option<String>,
    below: Option<Below>,
}

impl Children {
    /// All that is below `path`.
    pub fn of(caller: Caller, path: TreePath) -> Children {
        Children::after(caller, path, String::new())
    }

    /// What is below `path` and comes after a name.
    pub fn after(caller: Caller, path: TreePath, name: String) -> Children {
        Children {
            caller,
            path,
            rest: Some(name),
            below: None,
        }
    }

    /// Whether there may be more. Then the name of the last place that was shown is one to go on after.
    pub fn has_more(&self) -> bool {
        self.rest.is_some()
    }

    /// The next places. Empty only when there is nothing more.
    pub fn page(&mut self, records: &Records) -> Result<Vec<Child>, ArchiveError> {
        let Some(after) = self.rest.take() else {
            return Ok(Vec::new());
        };
        let caller = &self.caller;
        let (children, rest) = match Place::of(&self.path, &records.layout) {
            Place::Folder(_) => self.folder_page(records, &after)?,
            Place::Voucher(place) => (records.voucher_files(caller, &place)?, None),
            Place::Inbox(inner) if caller.has_inbox() => {
                records.inbox_page(caller, &inner, &after)?
            }
            Place::Audit(inner) => records.audit_page(caller, &inner, &after)?,
            Place::Templates if sees_templates(caller) => (records.template_files()?, None),
            _ => return absent(&self.path),
        };
        self.rest = rest;
        Ok(children)
    }

    fn folder_page(
        &mut self,
        records: &Records,
        after: &str,
    ) -> Result<(Vec<Child>, Option<String>), ArchiveError> {
        let (caller, path) = (&self.caller, &self.path);
        let root = path.segments().is_empty();
        if self.below.is_none() && !root && !records.shows(caller, path)? {
            return absent(path);
        }
        let below = self
            .below
            .get_or_insert_with(|| caller.permissions.below(path));
        let mut children = Vec::new();
        if root && after.is_empty() {
            children = own_folders(records, caller)?;
        }
        let own = children.len();
        let prefix = key::nodes(path);
        let mut start = [&prefix[..], after.as_bytes()].concat();
        // A page may have nothing that the caller sees.
        loop {
            let rows = records.store.scan(&prefix, &start, PAGE_ROWS)?;
            for (key, row) in &rows {
                let name = name_in(key);
                let node = match below.child(&name) {
                    Sight::Nothing => continue,
                    // Who sees all of it is told what its row says.
                    Sight::All => folder_node(&decode(key, row)?),
                    Sight::Part(permissions) => {
                        match records.folder(&caller.with(permissions), &path.child(&name)) {
                            Ok(node) => node,
                            Err(ArchiveError::Absent(_)) => continue,
                            Err(error) => return Err(error),
                        }
                    }
                };
                let name = name.into_owned();
                children.push(Child { name, node });
            }
            match rows.into_iter().nth(PAGE_ROWS - 1) {
                None => return Ok((children, None)),
                Some((last, _)) if children.len() > own => {
                    return Ok((children, Some(name_in(&last).into_owned())));
                }
                Some((last, _)) => start = last,
            }
        }
    }
}

/// The archive's own folders that the caller sees at the root.
fn own_folders(records: &Records, caller: &Caller) -> Result<Vec<Child>, ArchiveError> {
    let own = [
        (AUDIT, sees_audit(caller)),
        (INBOX, caller.has_inbox()),
        (TEMPLATES, sees_templates(caller)),
    ];
    own.into_iter()
        .filter(|(_, shown)| *shown)
        .map(|(name, _)| {
            let name = name.to_owned();
            let node = records.folder_born()?;
            Ok(Child { name, node })
        })
        .collect()
}
