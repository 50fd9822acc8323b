//! Locks, and the requests that the WebDAV library answers: LOCK and PROPPATCH.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use dav_server::davpath::DavPath;
use dav_server::fs::{
    DavDirEntry, DavFile, DavMetaData, DavProp, FsError, FsFuture, FsResult, FsStream,
    GuardedFileSystem, OpenOptions, ReadDirMeta,
};
use dav_server::ls::DavLock;
use dav_server::{DavHandler, body as dav_body};

use super::if_header::IfHeader;
use super::lock_table::LockTable;
use super::{Asked, PREFIX, Share, path};
use crate::archive::{Archive, ArchiveError, Caller, Node};
use crate::catalog::{Place, TreePath, VoucherFile};
use crate::http::precondition::system_time;
use crate::http::text;
use crate::http::{Refusal, blocking};

/// Who holds what locked.
#[derive(Clone)]
pub struct Locks {
    archive: Arc<Archive>,
    table: LockTable,
}

impl Locks {
    pub fn new(archive: Arc<Archive>) -> Locks {
        Locks {
            archive,
            table: LockTable::new(),
        }
    }

    /// The locks as they concern a path of this caller.
    fn of(&self, caller: &Caller, path: &TreePath) -> LockTable {
        match Place::of(path, self.archive.records().layout()) {
            Place::Inbox(_) => self.table.for_inbox_of(&caller.id),
            _ => self.table.clone(),
        }
    }

    /// The locks that cover a path.
    fn covering(&self, caller: &Caller, path: &TreePath) -> Vec<DavLock> {
        match DavPath::new(&below_prefix(path)) {
            Ok(at) => self.of(caller, path).covering(&at),
            Err(_) => Vec::new(),
        }
    }

    /// Refuses a change when the request's `If` header does not hold, and a change of what is locked
    /// unless it is the caller's own lock and they give its token.
    pub fn check(&self, asked: &Asked) -> Result<(), Refusal> {
        let (caller, path) = (&asked.who.caller, &asked.path);
        let tokens = match text(&asked.headers, "if") {
            None => Vec::new(),
            Some(header) => self.check_if_header(asked, header)?.tokens(),
        };
        let Ok(at) = DavPath::new(&below_prefix(path)) else {
            return Ok(());
        };
        let allowed = self.of(caller, path).allows(&at, &caller.id, &tokens);
        allowed.map_err(|_| locked())
    }

    fn check_if_header(&self, asked: &Asked, header: &str) -> Result<IfHeader, Refusal> {
        let malformed = || {
            Refusal::new(
                StatusCode::BAD_REQUEST,
                "the If header is malformed",
                "see RFC 4918, section 10.4",
            )
        };
        let condition = IfHeader::parse(header).ok_or_else(malformed)?;
        let (caller, path) = (&asked.who.caller, &asked.path);
        let held = self.covering(caller, path);
        let current = match self.archive.records().node(caller, path, None) {
            Ok(Node::File(file)) => Some(file.etag),
            _ => None,
        };
        let is_request = |url: &str| {
            let inner = url
                .split_once("://")
                .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
            path::decode(inner.unwrap_or(url)).is_ok_and(|other| other == *path)
        };
        let holds = condition.holds(
            is_request,
            |token| held.iter().any(|lock| lock.token == token),
            |tag| current.as_deref() == Some(tag),
        );
        if holds {
            return Ok(condition);
        }
        Err(ArchiveError::Precondition("the If header does not hold".to_owned()).into())
    }

    /// The active locks on a path as the content of `DAV:lockdiscovery`. The token of a lock is shown
    /// to its owner only: whoever has it could be taken for them.
    pub fn discover(&self, caller: &Caller, path: &TreePath) -> String {
        let active = self.covering(caller, path).into_iter().map(|lock| {
            let scope = if lock.shared { "shared" } else { "exclusive" };
            let depth = if lock.deep { "infinity" } else { "0" };
            let left = lock
                .timeout_at
                .and_then(|ends| ends.duration_since(SystemTime::now()).ok());
            let token = match lock.principal.as_deref() == Some(caller.id.as_str()) {
                true => format!("<D:locktoken><D:href>{}</D:href></D:locktoken>", lock.token),
                false => String::new(),
            };
            format!(
                "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{scope}/>\
                 </D:lockscope><D:depth>{depth}</D:depth><D:timeout>Second-{}</D:timeout>{token}\
                 <D:lockroot><D:href>{PREFIX}{}</D:href></D:lockroot></D:activelock>",
                left.unwrap_or_default().as_secs(),
                lock.path.as_url_string()
            )
        });
        active.collect()
    }

    /// Ends a lock of the caller (RFC 4918, section 9.11).
    fn unlock(&self, asked: &Asked) -> Result<Response, Refusal> {
        let (caller, path) = (&asked.who.caller, &asked.path);
        let token = text(&asked.headers, "lock-token").unwrap_or_default();
        let token = token.trim().trim_start_matches('<').trim_end_matches('>');
        let held = self.covering(caller, path);
        match held.iter().find(|lock| lock.token == token) {
            None => Err(Refusal::new(
                StatusCode::CONFLICT,
                "there is no such lock here",
                "send the token that LOCK answered with as Lock-Token; locks end by themselves",
            )),
            Some(lock) if lock.principal.as_deref() != Some(caller.id.as_str()) => {
                let hint = "it ends by itself when its owner does not refresh it";
                Err(ArchiveError::Denied {
                    error: "this is somebody else's lock".to_owned(),
                    hint: hint.to_owned(),
                }
                .into())
            }
            Some(_) => {
                self.table.end(token);
                Ok(StatusCode::NO_CONTENT.into_response())
            }
        }
    }
}

fn locked() -> Refusal {
    Refusal::new(
        StatusCode::LOCKED,
        "somebody has this locked",
        "try again when they are done, or send the token of your own lock",
    )
}

fn below_prefix(path: &TreePath) -> String {
    match &path::encode(path)[PREFIX.len()..] {
        "" => "/".to_owned(),
        below => below.to_owned(),
    }
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
    let locks = method.as_str() != "PROPPATCH";
    let takes = method.as_str() == "LOCK";
    blocking(move || {
        let records = archive.records();
        match Place::of(&at, records.layout()) {
            Place::Folder(_) | Place::Voucher(_) if takes => {
                records.may_file(&caller, &at)?;
                return Err(ArchiveError::Denied {
                    error: "folders of the tree are not locked: that would stop everybody's filing"
                        .to_owned(),
                    hint: "lock the file".to_owned(),
                }
                .into());
            }
            // Those who decide must not be kept from it by those who wait for it.
            Place::File(_, VoucherFile::Review) if locks => {
                records.may_put(&caller, &at)?;
                if !records.rights(&caller, &at).write_content {
                    let hint = "whoever prepared it and whoever reviews it may lock it";
                    let error = "it is not for you to decide on this voucher".to_owned();
                    let hint = hint.to_owned();
                    return Err(ArchiveError::Denied { error, hint }.into());
                }
            }
            // A lock keeps others from writing, so it is for those who may write.
            _ if locks => records.may_put(&caller, &at)?,
            _ => {
                records.node(&caller, &at, None)?;
            }
        }
        Ok(())
    })
    .await?;
    if method.as_str() == "UNLOCK" {
        return share.locks.unlock(&asked);
    }
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
        .locksystem(Box::new(share.locks.of(&asked.who.caller, &asked.path)))
        .build_handler();
    let principal = asked.who.caller.id.clone();
    let answered: Response<dav_body::Body> = handler
        .handle_guarded(request, principal, asked.who.caller)
        .await;
    if answered.status() == StatusCode::LOCKED {
        return Err(locked());
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
