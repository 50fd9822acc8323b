//! Looking: content is shown only after the entry that tells of it is on disk.

use super::kind::{self, Draft};
use super::writer::Desk;
use super::{Archive, ArchiveError, Caller, Content, File};
use crate::catalog::{AUDIT, Place, TreePath};

/// Longest description of a client that is logged, in characters.
const AGENT_MAX_CHARS: usize = 120;

/// Where a request comes from, as far as it tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// Network address.
    pub address: String,
    /// What the program calls itself (`User-Agent`).
    pub agent: String,
}

impl Archive {
    /// Begins to make the trace of a view durable; `traced` is told when it is, and only then may a
    /// byte of `file`, which the caller was given for `path`, be shown. Files that are derived from the
    /// log, templates and one's own inbox leave no trace (`false`): they show nothing of a voucher's
    /// content.
    pub fn trace_view(
        &self,
        caller: &Caller,
        path: &TreePath,
        file: &File,
        client: &Client,
        traced: impl FnOnce(Result<(), ArchiveError>) + Send + 'static,
    ) -> Result<bool, ArchiveError> {
        let Content::Stored(digest) = &file.content else {
            return Ok(false);
        };
        let (place, name) = match Place::of(path, self.records.layout()) {
            Place::File(place, name) => (place, name.name().to_owned()),
            Place::Audit(inner) => {
                let name = inner.to_string().trim_start_matches('/').to_owned();
                (TreePath::default().child(AUDIT), name)
            }
            _ => return Ok(false),
        };
        let agent = client.agent.chars().filter(|c| !c.is_control());
        let body = kind::Viewed {
            blake3: *digest,
            client: agent.take(AGENT_MAX_CHARS).collect(),
            file: name,
            from: client.address.clone(),
        };
        let draft = Draft::new(&caller.id, kind::VIEW, place, &body)?;
        let decide = move |desk: &mut Desk<'_>| {
            desk.write(draft);
            Ok(())
        };
        self.writer.submit(decide, traced)?;
        Ok(true)
    }
}
