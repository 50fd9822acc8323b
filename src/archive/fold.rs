//! The fold: how each entry changes the index. Everything that is not in the log is derived here.

use serde::Serialize;
use serde::de::DeserializeOwned;
use vouchsafe_evidence::entry::{Entry, Object};

use super::kind::{self, body};
use super::review::review_row;
use super::rows::{
    AnchorRow, DecisionRow, FileRow, GrantRow, INDEX_FORM, InboxRow, KeyRow, MembershipRow,
    NodeRow, TemplateRow, UserRow, VersionRow, ViewRow, ViewerRow, VoucherRow, decode, encode, key,
};
use super::{ArchiveError, ImageSet};
use crate::catalog::{INBOX, TreePath};
use crate::store::{IndexChanges, Store, get_object};

/// Largest object that the fold reads: `user.json`.
const SMALL_OBJECT_BYTES: u64 = 64 << 10;

/// The index as it will be once the changes gathered so far are committed.
pub(super) struct Rows<'a> {
    store: &'a dyn Store,
    changes: IndexChanges,
}

impl<'a> Rows<'a> {
    pub fn new(store: &'a dyn Store) -> Rows<'a> {
        Rows {
            store,
            changes: IndexChanges::new(),
        }
    }

    pub fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, ArchiveError> {
        match self.changes.get(key) {
            Some(Some(row)) => decode(key, row).map(Some),
            Some(None) => Ok(None),
            None => match self.store.get(key)? {
                Some(row) => decode(key, &row).map(Some),
                None => Ok(None),
            },
        }
    }

    pub fn into_changes(self) -> IndexChanges {
        self.changes
    }

    fn put(&mut self, key: Vec<u8>, row: &impl Serialize) -> Result<(), ArchiveError> {
        self.changes.insert(key, Some(encode(row)?));
        Ok(())
    }

    fn count(&mut self, kind: &str) -> Result<(), ArchiveError> {
        let key = key::count(kind);
        let count: u64 = self.get(&key)?.unwrap_or(0);
        self.put(key, &(count + 1))
    }

    /// Applies one entry.
    pub fn fold(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        if entry.seq == 0 {
            self.put(key::form(), &INDEX_FORM)?;
        }
        match entry.kind.as_str() {
            kind::USER_ADDED => self.user_added(entry),
            kind::USER_DISABLED => {
                let key = key::user(last_step(&entry.path));
                let mut user: UserRow = self.present(entry, &key)?;
                user.disabled = Some(entry.time);
                self.put(key, &user)
            }
            kind::USER_KEY_ADDED => {
                let added: kind::UserKeyAdded = body(entry)?;
                let key = key::user(last_step(&entry.path));
                let mut user: UserRow = self.present(entry, &key)?;
                user.keys.push(KeyRow {
                    seq: entry.seq,
                    vkey: added.vkey,
                    outside: added.outside,
                });
                self.put(key, &user)
            }
            kind::GRANT_ADDED => self.grant_added(entry),
            kind::GRANT_REVOKED => {
                let revoked: kind::GrantRevoked = body(entry)?;
                let key = key::grant(&revoked.grant);
                let mut grant: GrantRow = self.present(entry, &key)?;
                grant.revoked = Some(entry.time);
                grant.revoked_seq = Some(entry.seq);
                self.put(key, &grant)
            }
            kind::GROUP_MEMBER_ADDED | kind::GROUP_MEMBER_REMOVED => self.group_changed(entry),
            kind::TEMPLATE_PUBLISHED => {
                let published: kind::TemplatePublished = body(entry)?;
                let row = TemplateRow {
                    version: published.version,
                    seq: entry.seq,
                    time: entry.time,
                    object: only_object(entry)?.clone(),
                };
                self.put(key::template(&published.voucher_type, row.version), &row)?;
                self.put(key::template(&published.voucher_type, 0), &row)
            }
            kind::VOUCHER_FILED => self.voucher_filed(entry),
            kind::SCAN_RECEIVED => self.scan_received(entry),
            kind::MATCH_DECIDED => self.match_decided(entry),
            kind::REVIEW_DECIDED => self.review_decided(entry),
            kind::VOUCHER_SUBMITTED => self.voucher_submitted(entry),
            kind::INBOX_RECEIVED => {
                let received: kind::InboxReceived = body(entry)?;
                let object = Some(only_object(entry)?.clone());
                self.inbox_put(entry, object, received)
            }
            kind::INBOX_FOLDER_MADE => self.inbox_put(entry, None, kind::InboxReceived::default()),
            kind::INBOX_REMOVED => {
                let (user, path) = inbox_place(entry)?;
                self.changes.insert(key::inbox(&user, &path), None);
                Ok(())
            }
            kind::VIEW => {
                let viewer = ViewerRow {
                    time: entry.time,
                    user: entry.actor.clone(),
                };
                self.put(key::view_of(&entry.path, entry.seq), &viewer)?;
                // The log's own objects are each a place of their own.
                let reserved = entry.path.starts_with("/_");
                let file = entry.body.get("file").and_then(serde_json::Value::as_str);
                let row = ViewRow {
                    time: entry.time,
                    path: match file.filter(|_| reserved) {
                        Some(file) => format!("{}/{file}", entry.path),
                        None => entry.path.clone(),
                    },
                };
                if let Some(view) = entry.body.get("view").and_then(serde_json::Value::as_str) {
                    self.put(key::marked(view, entry.seq), &())?;
                }
                self.put(key::view_by(&entry.actor, entry.seq), &row)
            }
            kind::KEY_ROTATED => self.key_rotated(entry),
            kind::CHECKPOINT_COSIGNED => {
                let cosigned: kind::Cosigned = body(entry)?;
                self.put(key::cosigned(), &anchor(entry, cosigned.size))
            }
            kind::CHECKPOINT_TIMESTAMPED => {
                let stamped: kind::Timestamped = body(entry)?;
                self.put(key::timestamp(stamped.size), &anchor(entry, stamped.size))
            }
            // Facts that nothing is derived from yet. Kinds of later versions are such, too.
            _ => Ok(()),
        }
    }

    fn present<T: DeserializeOwned>(&self, entry: &Entry, key: &[u8]) -> Result<T, ArchiveError> {
        self.get(key)?.ok_or_else(|| {
            let Entry { seq, kind, .. } = entry;
            ArchiveError::Broken(format!("entry {seq} is a {kind} of what is not there"))
        })
    }

    fn user_added(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let id = last_step(&entry.path).to_owned();
        let digest = only_object(entry)?.blake3;
        let name = match get_object(self.store, &digest, SMALL_OBJECT_BYTES)? {
            Some(content) => decode::<kind::UserFile>(&digest.0, &content)?.name,
            // Destroyed after its retention: the person is forgotten, what they did is not.
            None => id.clone(),
        };
        self.put(key::user_name(&name), &id)?;
        let user = UserRow {
            name,
            added: entry.time,
            seq: entry.seq,
            disabled: None,
            keys: Vec::new(),
        };
        self.put(key::user(&id), &user)?;
        self.count("user")
    }

    fn grant_added(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let added: kind::GrantAdded = body(entry)?;
        let grant = GrantRow {
            user: added.user,
            role: added.role,
            scope: added.scope,
            from: added.from,
            until: added.until,
            added: entry.time,
            seq: entry.seq,
            revoked: None,
            revoked_seq: None,
        };
        self.put(key::grant(&added.grant), &grant)?;
        self.count("grant")
    }

    fn group_changed(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let member: kind::GroupMember = body(entry)?;
        let key = key::membership(&member.group, last_step(&entry.path));
        let mut times: Vec<MembershipRow> = self.get(&key)?.unwrap_or_default();
        match (entry.kind.as_str(), times.last_mut()) {
            (kind::GROUP_MEMBER_REMOVED, Some(last)) => last.removed = Some(entry.time),
            _ => times.push(MembershipRow {
                added: entry.time,
                seq: entry.seq,
                removed: None,
            }),
        }
        self.put(key, &times)
    }

    fn key_rotated(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        self.count("rotation")?;
        let number = self.get(&key::count("rotation"))?.unwrap_or(0);
        let row = FileRow {
            seq: entry.seq,
            time: entry.time,
            object: only_object(entry)?.clone(),
        };
        self.put(key::rotation(number), &row)
    }

    fn voucher_filed(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let key = key::voucher(&entry.path);
        let before: Option<VoucherRow> = self.get(&key)?;
        let state = before.as_ref().map(VoucherRow::image_set);
        let mut voucher = before.unwrap_or_default();
        voucher.versions.push(VersionRow {
            seq: entry.seq,
            time: entry.time,
            objects: entry.objects.clone(),
        });
        voucher.entries.push(entry.seq);
        self.image_set(entry, state, &voucher)?;
        self.put(key, &voucher)?;
        self.put(key::review_waiting(&entry.path), &())?;
        self.touch(entry)
    }

    fn scan_received(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let key = key::voucher(&entry.path);
        let mut voucher: VoucherRow = self.present(entry, &key)?;
        let state = voucher.image_set();
        let object = only_object(entry)?.clone();
        let versions = voucher.scans.entry(object.name.clone()).or_default();
        versions.push(FileRow {
            seq: entry.seq,
            time: entry.time,
            object,
        });
        voucher.entries.push(entry.seq);
        self.image_set(entry, Some(state), &voucher)?;
        self.put(key, &voucher)?;
        self.touch(entry)
    }

    fn match_decided(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let decided: kind::MatchDecided = body(entry)?;
        let key = key::voucher(&entry.path);
        let mut voucher: VoucherRow = self.present(entry, &key)?;
        let state = voucher.image_set();
        voucher.decisions.push(DecisionRow {
            seq: entry.seq,
            time: entry.time,
            verdict: decided.verdict,
            version: decided.version,
            scans: decided.scans,
            objects: entry.objects.clone(),
        });
        voucher.entries.push(entry.seq);
        self.image_set(entry, Some(state), &voucher)?;
        self.put(key, &voucher)?;
        self.touch(entry)
    }

    fn review_decided(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let key = key::voucher(&entry.path);
        let mut voucher: VoucherRow = self.present(entry, &key)?;
        let (at, objects) = ((entry.seq, entry.time), entry.objects.clone());
        voucher
            .reviews
            .push(review_row(at, &entry.actor, body(entry)?, objects));
        voucher.entries.push(entry.seq);
        self.put(key, &voucher)?;
        self.changes.insert(key::review_waiting(&entry.path), None);
        self.touch(entry)
    }

    fn voucher_submitted(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let key = key::voucher(&entry.path);
        let mut voucher: VoucherRow = self.present(entry, &key)?;
        let (at, objects) = ((entry.seq, entry.time), entry.objects.clone());
        voucher
            .submissions
            .push(review_row(at, &entry.actor, body(entry)?, objects));
        voucher.entries.push(entry.seq);
        self.put(key, &voucher)?;
        self.touch(entry)
    }

    /// Moves a voucher from the list of one state of its pictures to that of another.
    fn image_set(
        &mut self,
        entry: &Entry,
        before: Option<ImageSet>,
        voucher: &VoucherRow,
    ) -> Result<(), ArchiveError> {
        let after = voucher.image_set();
        if before == Some(after) {
            return Ok(());
        }
        if let Some(before) = before {
            let key = key::image_set(before.word(), &entry.path);
            self.changes.insert(key, None);
        }
        self.put(key::image_set(after.word(), &entry.path), &())
    }

    /// Makes the nodes of a place and of all above it, or notes that they changed.
    fn touch(&mut self, entry: &Entry) -> Result<(), ArchiveError> {
        let mut path = tree_path(entry)?;
        while !path.segments().is_empty() {
            let key = key::node(&path);
            let mut node = self.get(&key)?.unwrap_or(NodeRow {
                created: entry.time,
                modified: entry.time,
            });
            node.modified = entry.time;
            self.put(key, &node)?;
            path = path.parent();
        }
        Ok(())
    }

    fn inbox_put(
        &mut self,
        entry: &Entry,
        object: Option<Object>,
        received: kind::InboxReceived,
    ) -> Result<(), ArchiveError> {
        let (user, path) = inbox_place(entry)?;
        let key = key::inbox(&user, &path);
        let before: Option<InboxRow> = self.get(&key)?;
        let row = InboxRow {
            created: before.map_or(entry.time, |row| row.created),
            modified: entry.time,
            object,
            unplaced: received.unplaced,
            candidates: received.candidates,
        };
        self.put(key, &row)
    }
}

fn anchor(entry: &Entry, size: u64) -> AnchorRow {
    AnchorRow {
        seq: entry.seq,
        time: entry.time,
        size,
        objects: entry.objects.clone(),
    }
}

fn last_step(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn tree_path(entry: &Entry) -> Result<TreePath, ArchiveError> {
    TreePath::parse(&entry.path)
        .map_err(|error| ArchiveError::Broken(format!("entry {}: {error}", entry.seq)))
}

/// `/_inbox/{user}/{path}`
fn inbox_place(entry: &Entry) -> Result<(String, TreePath), ArchiveError> {
    match tree_path(entry)?.segments() {
        [inbox, user, rest @ ..] if inbox == INBOX => {
            Ok((user.clone(), TreePath::from_segments(rest.to_vec())))
        }
        _ => {
            let why = format!("entry {}: {} is in no inbox", entry.seq, entry.path);
            Err(ArchiveError::Broken(why))
        }
    }
}

fn only_object(entry: &Entry) -> Result<&Object, ArchiveError> {
    match entry.objects.as_slice() {
        [object] => Ok(object),
        objects => {
            let why = format!(
                "entry {} names {} objects, not one",
                entry.seq,
                objects.len()
            );
            Err(ArchiveError::Broken(why))
        }
    }
}
