//! Looking: a content is opened only after the entry that tells of it is on disk.

use super::kind::{self, Draft};
use super::{Archive, ArchiveError, Caller, Content, File, Node};
use crate::catalog::{Place, TreePath};

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
    /// Opens a file for reading. If it is the content of a voucher, the trace of it is durable when
    /// this returns; files that are derived from the log, templates and one's own inbox leave none.
    pub fn open_file(
        &self,
        caller: &Caller,
        path: &TreePath,
        version: Option<u32>,
        client: &Client,
    ) -> Result<File, ArchiveError> {
        let Node::File(file) = self.records.node(caller, path, version)? else {
            return Err(ArchiveError::denied(
                format!("{path} is a folder"),
                "list it with PROPFIND",
            ));
        };
        if let (Place::File(place, name), Content::Stored(digest)) =
            (Place::of(path, self.records.layout()), &file.content)
        {
            let agent = client.agent.chars().filter(|c| !c.is_control());
            let body = kind::Viewed {
                blake3: *digest,
                client: agent.take(AGENT_MAX_CHARS).collect(),
                file: name.name().to_owned(),
                from: client.address.clone(),
            };
            let draft = Draft::new(&caller.id, kind::VIEW, place, &body)?;
            self.commit(move |desk| {
                desk.write(draft);
                Ok(())
            })?;
        }
        Ok(file)
    }
}
