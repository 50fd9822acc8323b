//! The dav room: the tree as a WebDAV share (RFC 4918, classes 1 and 2).
//!
//! It translates between the protocol and the archive. It does not know how anything is filed, who
//! may see what, or how people prove who they are.

mod change;
mod get;
mod if_header;
mod listing;
mod lock_table;
mod locks;
mod path;
mod property;
mod propfind;
mod range;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use vouchsafe_evidence::log_file::LogFile;

use crate::archive::Archive;
use crate::catalog::{AUDIT, TreePath, is_litter};
use crate::http::{Authenticated, Peer, Refusal, authenticate, not_found, whole};
use locks::Locks;

/// Where the share is mounted.
pub const PREFIX: &str = "/dav";

pub use path::encode as url;

/// The methods of the share.
const METHODS: &str =
    "OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK";

/// The share.
#[derive(Clone)]
struct Share {
    archive: Arc<Archive>,
    locks: Locks,
}

/// A request whose sender is known and whose path is read.
struct Asked {
    who: Authenticated,
    path: TreePath,
    /// The older version of a file that is asked for, counted from 1.
    version: Option<u32>,
    headers: HeaderMap,
}

/// The routes of the share.
pub fn routes(archive: Arc<Archive>) -> Router {
    let locks = Locks::new(Arc::clone(&archive));
    Router::new()
        .route(
            "/",
            axum::routing::options(root).fallback(|| async { not_found() }),
        )
        .route(PREFIX, any(handle))
        .route("/dav/", any(handle))
        .route("/dav/{*path}", any(handle))
        .route("/log/{*path}", any(log))
        .with_state(Share { archive, locks })
}

/// The server's root: Windows asks it for the share's abilities before it asks the share.
async fn root() -> Response {
    options()
}

async fn handle(State(share): State<Share>, request: Request) -> Response {
    answer(share, request)
        .await
        .unwrap_or_else(Refusal::into_response)
}

/// The log's own files (C2SP tlog-tiles): the same as below `_audit/`, for everybody who is signed in.
async fn log(State(share): State<Share>, Path(path): Path<String>, request: Request) -> Response {
    let peer = Peer::of(&request);
    let (parts, _) = request.into_parts();
    log_answer(share, &path, parts, peer)
        .await
        .unwrap_or_else(Refusal::into_response)
}

async fn log_answer(
    share: Share,
    path: &str,
    parts: Parts,
    peer: Peer,
) -> Result<Response, Refusal> {
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        let hint = "the log is written by what happens in the archive";
        let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "the log is only read", hint);
        return Ok(([(header::ALLOW, "GET, HEAD")], refusal).into_response());
    }
    let asked = Asked {
        who: authenticate(&share.archive, &parts.headers, peer).await?,
        path: TreePath::parse(&format!("/{AUDIT}/{path}"))?,
        version: None,
        headers: parts.headers,
    };
    match LogFile::parse(path) {
        Some(file) => get::log_file(share, asked, file, parts.method == Method::HEAD).await,
        None => Ok(not_found()),
    }
}

async fn answer(share: Share, request: Request) -> Result<Response, Refusal> {
    if request.method() == Method::OPTIONS {
        return Ok(options());
    }
    let peer = Peer::of(&request);
    let (parts, body) = request.into_parts();
    let (method, uri, headers) = (parts.method, parts.uri, parts.headers);
    let who = authenticate(&share.archive, &headers, peer).await?;
    let asked = Asked {
        who,
        path: path::decode(uri.path())?,
        version: path::version(uri.query())?,
        headers,
    };
    if is_litter(asked.path.name()) {
        return litter(&method, body).await;
    }
    match method.as_str() {
        "GET" | "HEAD" => get::answer(share, asked, method == Method::HEAD).await,
        "PUT" => change::put(share, asked, body).await,
        "MKCOL" => change::make_folder(share, asked, body).await,
        "DELETE" => change::remove(share, asked).await,
        "MOVE" | "COPY" => change::refuse(share, asked).await,
        "PROPFIND" => propfind::answer(share, asked, body).await,
        "PROPPATCH" | "LOCK" | "UNLOCK" => locks::answer(share, asked, method, body).await,
        _ => {
            let error = format!("{method} is no method of this share");
            let hint = format!("use one of {METHODS}");
            let refusal = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error, hint);
            Ok(([(header::ALLOW, METHODS)], refusal).into_response())
        }
    }
}

fn options() -> Response {
    let headers = [
        ("DAV", "1, 2"),
        ("MS-Author-Via", "DAV"),
        (header::ALLOW.as_str(), METHODS),
    ];
    (StatusCode::OK, headers).into_response()
}

/// What drive clients scatter is taken and forgotten, which keeps them calm.
async fn litter(method: &Method, mut body: Body) -> Result<Response, Refusal> {
    const LITTER_MAX_BYTES: usize = 16 << 20;
    match method.as_str() {
        "PUT" => {
            whole(&mut body, "the file", LITTER_MAX_BYTES).await?;
            Ok(StatusCode::CREATED.into_response())
        }
        "DELETE" => Ok(StatusCode::NO_CONTENT.into_response()),
        _ => Ok(not_found()),
    }
}
