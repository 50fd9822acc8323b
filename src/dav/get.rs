//! GET and HEAD. The first byte leaves only after the archive has the view on disk.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::log_file::LogFile;

use super::range::{Wanted, wanted};
use super::{Asked, Share, listing};
use crate::archive::{Archive, ArchiveError, Caller, Content, File, Node};
use crate::http::precondition::{Reading, names, range_holds, reading, system_time};
use crate::http::text;
use crate::http::{Refusal, blocking, not_found, streamed};

/// How much of what is in memory is sent before the reader's grants are looked at again.
const PIECE_BYTES: usize = 1 << 20;

pub async fn answer(share: Share, asked: Asked, head_only: bool) -> Result<Response, Refusal> {
    match blocking(move || open(share, asked, head_only)).await? {
        Opened::Folder(..) if head_only => Ok(listing::head()),
        Opened::Folder(folder) => {
            let (share, asked) = *folder;
            Ok(listing::page(share, asked))
        }
        opened => finish(opened).await,
    }
}

async fn finish(opened: Opened) -> Result<Response, Refusal> {
    match opened {
        Opened::Folder(..) => Ok(not_found()),
        Opened::File(response) => Ok(response),
        Opened::Viewed(response, traced) => {
            // The answer is ready; it is sent once the trace of it is durable.
            let gone = |_| ArchiveError::Busy("the archive is closing".to_owned());
            traced.await.map_err(gone)??;
            Ok(response)
        }
    }
}

enum Opened {
    Folder(Box<(Share, Asked)>),
    File(Response),
    Viewed(Response, oneshot::Receiver<Result<(), ArchiveError>>),
}

fn open(share: Share, asked: Asked, head_only: bool) -> Result<Opened, Refusal> {
    let records = share.archive.records();
    match records.node(&asked.who.caller, &asked.path, asked.version)? {
        Node::File(file) => {
            let file = as_asked_for(&share, &asked, file)?;
            send(&share, &asked, file, head_only)
        }
        Node::Folder { .. } => Ok(Opened::Folder(Box::new((share, asked)))),
    }
}

/// The copy that the request is about: at the turn of a window a client may name the one before, or be in the middle of
/// reading it.
fn as_asked_for(share: &Share, asked: &Asked, file: File) -> Result<File, Refusal> {
    let Asked {
        who, path, headers, ..
    } = asked;
    let earlier = match names(headers, &file) {
        Some(true) => None,
        Some(false) => {
            let before = share
                .archive
                .records()
                .before_the_turn(&who.caller, path, &file)?;
            before.filter(|before| names(headers, before) == Some(true))
        }
        None if headers.contains_key(header::RANGE) => {
            share
                .archive
                .begun_before(&who.caller, path, &file, &who.client)?
        }
        None => None,
    };
    Ok(earlier.unwrap_or(file))
}

/// A file of the log, for everybody who may see it, at its address below `/log/`.
pub async fn log_file(
    share: Share,
    asked: Asked,
    file: LogFile,
    head_only: bool,
) -> Result<Response, Refusal> {
    let opened = blocking(move || {
        let found = share.archive.records().log_file(&asked.who.caller, &file)?;
        send(&share, &asked, found, head_only)
    });
    finish(opened.await?).await
}

fn send(share: &Share, asked: &Asked, file: File, head_only: bool) -> Result<Opened, Refusal> {
    let Asked {
        who, path, headers, ..
    } = asked;
    if matches!(file.content, Content::Withheld) {
        // A refusal before anything is said of it.
        share.archive.whole(&file)?;
    }
    let described = |status| {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = status;
        describe(&mut response, &file);
        Opened::File(response)
    };
    match reading(headers, &file) {
        Reading::Known => return Ok(described(StatusCode::NOT_MODIFIED)),
        Reading::Changed => {
            return Err(ArchiveError::Precondition("the file has changed".to_owned()).into());
        }
        Reading::Send => {}
    }
    let range = text(headers, header::RANGE).filter(|_| range_holds(headers, &file));
    let (status, first, last) = match wanted(range, file.size) {
        Wanted::Whole => (StatusCode::OK, 0, file.size.checked_sub(1)),
        Wanted::Part(first, last) => (StatusCode::PARTIAL_CONTENT, first, Some(last)),
        Wanted::Beyond => {
            let mut response = Refusal::new(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "the file has no such bytes",
                "ask for a range inside its length",
            )
            .into_response();
            set(
                &mut response,
                header::CONTENT_RANGE,
                &format!("bytes */{}", file.size),
            );
            return Ok(Opened::File(response));
        }
    };
    let length = last.map_or(0, |last| last + 1 - first);
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    describe(&mut response, &file);
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    if let (StatusCode::PARTIAL_CONTENT, Some(last)) = (status, last) {
        let range = format!("bytes {first}-{last}/{}", file.size);
        set(&mut response, header::CONTENT_RANGE, &range);
    }
    if head_only {
        return Ok(Opened::File(response));
    }
    // What is read is what was just described, also when a new version comes in between. What cannot be shown leaves
    // no trace.
    let body = content((&share.archive, &who.caller), &file, first, length)?;
    let (reply, traced) = oneshot::channel();
    let leaves_trace = share.archive.trace_view(
        &who.caller,
        path,
        &file,
        &who.client,
        status == StatusCode::PARTIAL_CONTENT,
        // A client that went away has no use for the answer; the trace stays.
        move |outcome| drop(reply.send(outcome)),
    )?;
    *response.body_mut() = body;
    Ok(match leaves_trace {
        true => Opened::Viewed(response, traced),
        false => Opened::File(response),
    })
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    // Values are made of digits, dates, digests and media types, which are valid in headers.
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn describe(response: &mut Response, file: &File) {
    set(response, header::ETAG, &format!("\"{}\"", file.etag));
    set(response, header::ACCEPT_RANGES, "bytes");
    set(response, header::CONTENT_TYPE, &file.media_type);
    let modified = httpdate::fmt_http_date(system_time(file.modified));
    set(response, header::LAST_MODIFIED, &modified);
    // What one may see today one may not see tomorrow, and every view leaves a trace. Only what the log
    // itself consists of stays as it is, and tells nothing that its reader will not know for ever.
    let caching = match file.content {
        Content::Log(_) => "private, max-age=31536000, immutable",
        // Kept nowhere: a look at what a browser had kept would leave no trace.
        Content::Stored(_) | Content::Marked(_) | Content::Withheld => "private, no-store",
        Content::Derived(_) => "private, no-cache",
    };
    set(response, header::CACHE_CONTROL, caching);
    // Nothing that was uploaded is run by a browser.
    set(response, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(response, header::CONTENT_SECURITY_POLICY, "sandbox");
}

/// `length` bytes of the file from `first` on, for `reader`. The first piece is read at once.
fn content(
    (archive, reader): (&Arc<Archive>, &Caller),
    file: &File,
    first: u64,
    length: u64,
) -> Result<Body, Refusal> {
    let to = (Arc::clone(archive), reader.clone());
    let Content::Stored(digest) = file.content else {
        let all = Bytes::from_owner(archive.whole(file)?);
        let part = first as usize..(first + length) as usize;
        if part.end > all.len() {
            let error = format!("a file of {} bytes has {}", file.size, all.len());
            return Err(ArchiveError::Fault(error).into());
        }
        let mut rest = all.slice(part);
        if rest.len() <= PIECE_BYTES {
            return Ok(Body::from(rest));
        }
        return Ok(streamed(to, move || {
            let piece = rest.split_to(rest.len().min(PIECE_BYTES));
            Ok((!piece.is_empty()).then_some(piece))
        }));
    };
    let mut ready = Some(piece(archive, &digest, first, length)?);
    if let Some(all) = ready.take_if(|piece| piece.len() as u64 == length) {
        return Ok(Body::from(all));
    }
    let (archive, end, mut offset) = (Arc::clone(archive), first + length, first);
    Ok(streamed(to, move || {
        let piece = match ready.take() {
            Some(piece) => piece,
            None => piece(&archive, &digest, offset, end - offset)?,
        };
        offset += piece.len() as u64;
        Ok((!piece.is_empty()).then_some(piece))
    }))
}

/// At least one byte of an object, at most `length`; an object that ends early is damaged, never
/// filled up.
fn piece(
    archive: &Archive,
    digest: &Digest,
    offset: u64,
    length: u64,
) -> Result<Bytes, ArchiveError> {
    if length == 0 {
        return Ok(Bytes::new());
    }
    let mut piece = archive.records().piece(digest, offset)?;
    if piece.is_empty() {
        return Err(ArchiveError::Broken(format!(
            "object {digest} ends at byte {offset}"
        )));
    }
    piece.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    Ok(piece.into())
}
