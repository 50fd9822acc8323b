//! Looking: content is shown only after the entry that tells of it is on disk.

use std::sync::Arc;

use super::kind::{self, Draft};
use super::readings::{Part, ReadingKey, Traced};
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
    /// byte of `file`, which the caller was given for `path`, be shown. A `part` of a file that the same client has
    /// begun to read minutes ago belongs to the trace of that. Files that are derived from the
    /// log, templates and one's own inbox leave no trace (`false`): they show nothing of a voucher's
    /// content.
    pub fn trace_view(
        &self,
        caller: &Caller,
        path: &TreePath,
        file: &File,
        client: &Client,
        part: bool,
        traced: impl FnOnce(Result<(), ArchiveError>) + Send + 'static,
    ) -> Result<bool, ArchiveError> {
        let (digest, marked) = match &file.content {
            Content::Stored(digest) => (digest, None),
            Content::Marked(marked) => (&marked.archived, Some(&**marked)),
            Content::Derived(_) | Content::Log(_) | Content::Withheld => return Ok(false),
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
            view: marked.map(|it| it.view().to_string()),
        };
        let draft = Draft::new(&caller.id, kind::VIEW, place, &body)?;
        let decide = move |desk: &mut Desk<'_>| {
            desk.write(draft);
            Ok(())
        };
        let traced: Traced = Box::new(traced);
        if !part {
            self.writer.submit(decide, traced)?;
            return Ok(true);
        }
        let key = ReadingKey::new(&caller.id, &path.to_string(), &digest.0, client);
        match self.readings.part(key, marked, self.now(), traced) {
            Part::Traced(traced) => traced(Ok(())),
            Part::Waiting => {}
            Part::Alone(traced) => self.writer.submit(decide, traced)?,
            Part::First => {
                let readings = Arc::clone(&self.readings);
                let submitted = self
                    .writer
                    .submit(decide, move |outcome| readings.traced(key, &outcome));
                if let Err(error) = submitted {
                    self.readings.traced(key, &Err(error.clone()));
                    return Err(error);
                }
            }
        }
        Ok(true)
    }

    /// The copy that this client has begun to read in parts, if that was before the turn of a window: until the
    /// reading ends, its parts are of one copy.
    pub fn begun_before(
        &self,
        caller: &Caller,
        path: &TreePath,
        file: &File,
        client: &Client,
    ) -> Result<Option<File>, ArchiveError> {
        let Content::Marked(marked) = &file.content else {
            return Ok(None);
        };
        let key = ReadingKey::new(&caller.id, &path.to_string(), &marked.archived.0, client);
        let began = self.readings.window(key, self.now());
        match began.filter(|window| *window < marked.window) {
            Some(window) => self
                .records
                .in_window(caller, path, file, marked, window)
                .map(Some),
            None => Ok(None),
        }
    }
}
