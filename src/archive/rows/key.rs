//! Keys: a word for the kind of row, then its parts, with zero bytes between, which no part contains.

use crate::catalog::TreePath;

fn join(parts: &[&str]) -> Vec<u8> {
    parts.join("\0").into_bytes()
}

/// A place, under its parent.
pub fn node(path: &TreePath) -> Vec<u8> {
    join(&["node", &path.parent().to_string(), path.name()])
}

/// The places directly below `parent`.
pub fn nodes(parent: &TreePath) -> Vec<u8> {
    join(&["node", &parent.to_string(), ""])
}

pub fn voucher(path: &str) -> Vec<u8> {
    join(&["voucher", path])
}

/// A voucher whose pictures are in a state of completeness.
pub fn image_set(state: &str, path: &str) -> Vec<u8> {
    join(&["image-set", state, path])
}

/// All vouchers of a state.
pub fn image_sets(state: &str) -> Vec<u8> {
    join(&["image-set", state, ""])
}

/// A voucher whose current version waits for a review.
pub fn review_waiting(path: &str) -> Vec<u8> {
    join(&["review", "waiting", path])
}

/// A trace that names a view; numbers are padded so that their order is that of the log.
pub fn marked(view: &str, seq: u64) -> Vec<u8> {
    join(&["marked", view, &format!("{seq:016}")])
}

/// All traces that name a view.
pub fn all_marked(view: &str) -> Vec<u8> {
    join(&["marked", view, ""])
}

/// All vouchers that wait for a review.
pub fn reviews_waiting() -> Vec<u8> {
    join(&["review", "waiting", ""])
}

pub fn user(id: &str) -> Vec<u8> {
    join(&["user", id])
}

pub fn user_name(name: &str) -> Vec<u8> {
    join(&["user-name", name])
}

pub fn grant(id: &str) -> Vec<u8> {
    join(&["grant", id])
}

/// The number of the form of all rows.
pub fn form() -> Vec<u8> {
    join(&["form"])
}

/// That somebody looked at a voucher, by the number of the entry.
pub fn view_of(path: &str, seq: u64) -> Vec<u8> {
    join(&["view", path, &format!("{seq:016}")])
}

/// All views of a voucher.
pub fn views_of(path: &str) -> Vec<u8> {
    join(&["view", path, ""])
}

/// All views of all vouchers below a folder.
pub fn views_below(folder: &str) -> Vec<u8> {
    join(&["view", &format!("{}/", folder.trim_end_matches('/'))])
}

/// That a user looked at something, by the number of the entry.
pub fn view_by(user: &str, seq: u64) -> Vec<u8> {
    join(&["viewer", user, &format!("{seq:016}")])
}

/// All views of a user.
pub fn views_by(user: &str) -> Vec<u8> {
    join(&["viewer", user, ""])
}

/// When a user was in a group.
pub fn membership(group: &str, user: &str) -> Vec<u8> {
    join(&["member", group, user])
}

/// Who was in which group.
pub fn memberships() -> Vec<u8> {
    join(&["member", ""])
}

/// The group of a key of [`membership`].
pub fn group_of_membership(key: &[u8]) -> String {
    let part = key.split(|byte| *byte == 0).nth(1).unwrap_or_default();
    String::from_utf8_lossy(part).into_owned()
}

/// How many rows of a kind were ever made; the next id is one more.
pub fn count(kind: &str) -> Vec<u8> {
    join(&["count", kind])
}

pub fn template(voucher_type: &str, version: u32) -> Vec<u8> {
    join(&["template", voucher_type, &format!("{version:08}")])
}

/// The note of key change `number`, counted from 1.
pub fn rotation(number: u64) -> Vec<u8> {
    join(&["rotation", &format!("{number:08}")])
}

/// The notes of all key changes.
pub fn rotations() -> Vec<u8> {
    join(&["rotation", ""])
}

/// The latest cosigned checkpoint.
pub fn cosigned() -> Vec<u8> {
    join(&["cosigned"])
}

/// The time-stamped checkpoint over `size` entries.
pub fn timestamp(size: u64) -> Vec<u8> {
    join(&["timestamp", &format!("{size:020}")])
}

/// All time-stamped checkpoints.
pub fn timestamps() -> Vec<u8> {
    join(&["timestamp", ""])
}

/// A place in a user's inbox, under its parent.
pub fn inbox(user: &str, path: &TreePath) -> Vec<u8> {
    join(&["inbox", user, &path.parent().to_string(), path.name()])
}

/// Everything in everybody's inbox.
pub fn inboxes() -> Vec<u8> {
    join(&["inbox", ""])
}

/// Whose inbox a key of [`inbox`] is in, and where in it.
pub fn inbox_parts(key: &[u8]) -> Option<(String, TreePath)> {
    let text = std::str::from_utf8(key).ok()?;
    let mut parts = text.split('\0').skip(1);
    let (user, parent, name) = (parts.next()?, parts.next()?, parts.next()?);
    let parent = TreePath::parse(parent).ok()?;
    Some((user.to_owned(), parent.child(name)))
}

/// The places directly below `parent` in a user's inbox.
pub fn inbox_nodes(user: &str, parent: &TreePath) -> Vec<u8> {
    join(&["inbox", user, &parent.to_string(), ""])
}
