//! Locks, and the requests that the WebDAV library answers: LOCK, UNLOCK and PROPPATCH.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use dav_server::davpath::DavPath;
use dav_server::fs::{
    DavDirEntry, DavFile, DavMetaData, DavProp, FsError, FsFuture, FsResult, FsStream,
    GuardedFileSystem, OpenOptions, ReadDirMeta,
};
use dav_server::ls::DavLockSystem;
use dav_server::memls::MemLs;
use dav_server::{DavHandler, body as dav_body};

use super::precondition::system_time;
use super::{Asked, PREFIX, Share, path, text};
use crate::archive::{Archive, ArchiveError, Caller, Node};
use crate::catalog::{Place, TreePath};
use crate::http::{Refusal, blocking};

/// Who holds what locked, in memory: locks end with the server, as their timeouts allow.
#[derive(Clone)]
pub struct Locks {
    archive: Arc<Archive>,
    tree: Box<MemLs>,
    /// One for each user: what is in an inbox is nobody else's business.
    inboxes: Arc<Mutex<HashMap<String, Box<MemLs>>>>,
}

impl Locks {
    pub fn new(archive: Arc<Archive>) -> Locks {
        Locks {
            archive,
            tree: MemLs::new(),
            inboxes: Arc::default(),
        }
    }

    /// The locks that concern a path of this caller.
    fn of(&self, caller: &Caller, path: &TreePath) -> Box<MemLs> {
        match Place::of(path, self.archive.records().layout()) {
            Place::Inbox(_) => {
                let mut inboxes = self.inboxes.lock().unwrap_or_else(PoisonError::into_inner);
                inboxes
                    .entry(caller.id.clone())
                    .or_insert_with(MemLs::new)
                    .clone()
            }
            _ => self.tree.clone(),
        }
    }

    /// Refuses a change of what somebody else has locked, or of what the caller locked in another
    /// program and does not give the token of.
    pub async fn check(&self, asked: &Asked) -> Result<(), Refusal> {
        let Ok(at) = DavPath::new(&below_prefix(&asked.path)) else {
            return Ok(());
        };
        let caller = &asked.who.caller;
        let tokens = submitted_tokens(text(&asked.headers, "if").unwrap_or_default());
        let locks = self.of(caller, &asked.path);
        match locks
            .check(&at, Some(&caller.id), false, false, &tokens)
            .await
        {
            Ok(()) => Ok(()),
            Err(_) => Err(Refusal::new(
                StatusCode::LOCKED,
                "somebody has this locked",
                "try again when they are done, or send the token of your own lock",
            )),
        }
    }

    /// The active locks on a path as the content of `DAV:lockdiscovery`.
    pub async fn discover(&self, caller: &Caller, path: &TreePath) -> String {
        let Ok(at) = DavPath::new(&below_prefix(path)) else {
            return String::new();
        };
        let locks = self.of(caller, path).discover(&at).await;
        let active = locks.iter().map(|lock| {
            let scope = if lock.shared { "shared" } else { "exclusive" };
            let depth = if lock.deep { "infinity" } else { "0" };
            format!(
                "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{scope}/>\
                 </D:lockscope><D:depth>{depth}</D:depth><D:locktoken><D:href>{}</D:href>\
                 </D:locktoken></D:activelock>",
                lock.token
            )
        });
        active.collect()
    }
}

fn below_prefix(path: &TreePath) -> String {
    match &path::encode(path)[PREFIX.len()..] {
        "" => "/".to_owned(),
        below => below.to_owned(),
    }
}

/// The lock tokens of an `If` header (RFC 4918, section 10.4): the URLs inside its lists.
fn submitted_tokens(header: &str) -> Vec<String> {
    let lists = header
        .split('(')
        .skip(1)
        .filter_map(|list| list.split(')').next());
    let in_list = |list: &str| {
        let urls = list
            .split('<')
            .skip(1)
            .filter_map(|url| url.split('>').next());
        urls.map(str::to_owned).collect::<Vec<_>>()
    };
    lists.flat_map(in_list).collect()
}

/// Lets the library answer, after the archive has said that the caller may.
pub async fn answer(
    share: Share,
    asked: Asked,
    method: Method,
    body: Body,
) -> Result<Response, Refusal> {
    let (archive, caller, at) = (
        Arc::clone(&share.archive),
        asked.who.caller.clone(),
        asked.path.clone(),
    );
    let creates = method == Method::from_bytes(b"LOCK").unwrap_or_default();
    blocking(move || {
        let records = archive.records();
        match records.node(&caller, &at, None) {
            Ok(_) if !creates => Ok(()),
            Err(error) if !creates => Err(error.into()),
            // A lock keeps others from writing, so it is for those who may write.
            _ => match Place::of(&at, records.layout()) {
                Place::Inbox(_) if caller.has_inbox() => Ok(()),
                _ => Ok(records.may_file(&caller, &at)?),
            },
        }
    })
    .await?;
    let uri: Uri = path::encode(&asked.path).parse().map_err(|error| {
        Refusal::from(ArchiveError::Fault(format!(
            "a path that is no URL: {error}"
        )))
    })?;
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = asked.headers;
    let handler = DavHandler::builder()
        .strip_prefix(PREFIX)
        .filesystem(Box::new(Shown {
            archive: Arc::clone(&share.archive),
        }))
        .locksystem(share.locks.of(&asked.who.caller, &asked.path))
        .build_handler();
    let principal = asked.who.caller.id.clone();
    let answered: Response<dav_body::Body> = handler
        .handle_guarded(request, principal, asked.who.caller)
        .await;
    if answered.status() == StatusCode::LOCKED {
        return Err(Refusal::new(
            StatusCode::LOCKED,
            "somebody has this locked",
            "try again when they are done",
        ));
    }
    Ok(answered.map(Body::new).into_response())
}

/// The tree as the library needs to see it: what is there, and nothing to write to.
#[derive(Clone)]
struct Shown {
    archive: Arc<Archive>,
}

fn fs_error(error: &ArchiveError) -> FsError {
    match error {
        ArchiveError::Absent(_) => FsError::NotFound,
        ArchiveError::Denied { .. } => FsError::Forbidden,
        _ => FsError::GeneralFailure,
    }
}

impl GuardedFileSystem<Caller> for Shown {
    /// LOCK on a name where nothing is: the name is kept for the one who locked it, and the file
    /// comes with their PUT.
    fn open<'a>(
        &'a self,
        _: &'a DavPath,
        _: OpenOptions,
        _: &'a Caller,
    ) -> FsFuture<'a, Box<dyn DavFile>> {
        Box::pin(std::future::ready(Ok(
            Box::new(NotYetThere) as Box<dyn DavFile>
        )))
    }

    fn read_dir<'a>(
        &'a self,
        _: &'a DavPath,
        _: ReadDirMeta,
        _: &'a Caller,
    ) -> FsFuture<'a, FsStream<Box<dyn DavDirEntry>>> {
        Box::pin(std::future::ready(Err(FsError::NotImplemented)))
    }

    /// No property is kept: each is answered with 403.
    fn patch_props<'a>(
        &'a self,
        _: &'a DavPath,
        patch: Vec<(bool, DavProp)>,
        _: &'a Caller,
    ) -> FsFuture<'a, Vec<(StatusCode, DavProp)>> {
        let refused = patch
            .into_iter()
            .map(|(_, property)| (StatusCode::FORBIDDEN, property));
        Box::pin(std::future::ready(Ok(refused.collect())))
    }

    fn metadata<'a>(
        &'a self,
        path: &'a DavPath,
        caller: &'a Caller,
    ) -> FsFuture<'a, Box<dyn DavMetaData>> {
        let (archive, caller) = (Arc::clone(&self.archive), caller.clone());
        let text = String::from_utf8_lossy(path.as_bytes()).into_owned();
        Box::pin(async move {
            let node = tokio::task::spawn_blocking(move || {
                let path = TreePath::parse(&text).map_err(|_| FsError::NotFound)?;
                let node = archive.records().node(&caller, &path, None);
                node.map_err(|error| fs_error(&error))
            });
            let node = node.await.map_err(|_| FsError::GeneralFailure)??;
            Ok(Box::new(Metadata(node)) as Box<dyn DavMetaData>)
        })
    }
}

#[derive(Debug, Clone)]
struct Metadata(Node);

impl DavMetaData for Metadata {
    fn len(&self) -> u64 {
        match &self.0 {
            Node::File(file) => file.size,
            Node::Folder { .. } => 0,
        }
    }
    fn modified(&self) -> FsResult<SystemTime> {
        Ok(system_time(self.0.modified()))
    }
    fn is_dir(&self) -> bool {
        matches!(self.0, Node::Folder { .. })
    }
    fn etag(&self) -> Option<String> {
        match &self.0 {
            Node::File(file) => Some(file.etag.clone()),
            Node::Folder { .. } => None,
        }
    }
}

/// What LOCK opens on a name where nothing is; nothing reads or writes it.
#[derive(Debug)]
struct NotYetThere;

fn nothing<'a, T>() -> FsFuture<'a, T>
where
    T: Send + 'a,
{
    Box::pin(std::future::ready(Err(FsError::NotImplemented)))
}

impl DavFile for NotYetThere {
    fn metadata(&'_ mut self) -> FsFuture<'_, Box<dyn DavMetaData>> {
        nothing()
    }
    fn write_buf(&'_ mut self, _: Box<dyn bytes::Buf + Send>) -> FsFuture<'_, ()> {
        nothing()
    }
    fn write_bytes(&'_ mut self, _: bytes::Bytes) -> FsFuture<'_, ()> {
        nothing()
    }
    fn read_bytes(&'_ mut self, _: usize) -> FsFuture<'_, bytes::Bytes> {
        nothing()
    }
    fn seek(&'_ mut self, _: std::io::SeekFrom) -> FsFuture<'_, u64> {
        nothing()
    }
    fn flush(&'_ mut self) -> FsFuture<'_, ()> {
        nothing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_taken_from_lists_only() {
        let header = "<http://h/dav/a> (<urn:uuid:1> [\"tag\"]) (Not <DAV:no-lock>)";
        assert_eq!(submitted_tokens(header), ["urn:uuid:1", "DAV:no-lock"]);
        assert!(submitted_tokens("").is_empty());
    }
}
