//! Requests that change something: PUT, MKCOL, DELETE, and the ones that never do.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Asked, Share};
use crate::archive::{
    Archive, ArchiveError, Condition, Filed, REVIEW_MAX_BYTES, SCAN_MAX_BYTES, SETTLEMENT_MAX_BYTES,
};
use crate::catalog::{Place, TreePath, VoucherFile};
use crate::http::precondition::writing;
use crate::http::text;
use crate::http::{Authenticated, BodyReader, Refusal, Secret, blocking, filed, received, whole};
use crate::voucher::template::TEMPLATE_MAX_BYTES;
use crate::voucher::{Invalid, VOUCHER_MAX_BYTES};

pub async fn put(share: Share, asked: Asked, body: Body) -> Result<Response, Refusal> {
    let (caller, headers) = (asked.who.caller.clone(), asked.headers.clone());
    received(&caller, &headers, body, move |reader| {
        let outcome = take_in(&share, &asked, reader)?;
        Ok(outcome.map_or_else(|| StatusCode::CREATED.into_response(), filed))
    })
    .await
}

/// Files what a PUT brings; `None` for the empty file that announces the real one.
fn take_in(share: &Share, asked: &Asked, body: &mut BodyReader) -> Result<Option<Filed>, Refusal> {
    let (archive, caller, path) = (&share.archive, &asked.who.caller, &asked.path);
    check_may_change(share, asked)?;
    let condition = writing(&asked.headers, || {
        let there = archive.records().node(caller, path, None);
        there.ok().map(|node| node.modified())
    })?;
    let declared: Option<u64> =
        text(&asked.headers, header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if declared == Some(0) && announces_with_nothing(asked) {
        return Ok(None);
    }
    let limit = limit(archive, path);
    if declared.is_some_and(|declared| declared > limit) {
        let what = path.name().to_owned();
        return Err(ArchiveError::TooLarge { what, limit }.into());
    }
    Ok(Some(file(archive, &asked.who, path, body, &condition)?))
}

/// First whether the caller may change something here at all, and only then whether it is locked: a
/// lock tells that there is something.
fn check_may_change(share: &Share, asked: &Asked) -> Result<(), Refusal> {
    let records = share.archive.records();
    records.may_put(&asked.who.caller, &asked.path)?;
    share.locks.check(asked)
}

/// Windows and macOS send an empty file first, and then the real one: that is one upload.
fn announces_with_nothing(asked: &Asked) -> bool {
    let agent = &asked.who.client.agent;
    ["Microsoft-WebDAV-MiniRedir", "WebDAVFS", "WebDAVLib"]
        .iter()
        .any(|client| agent.starts_with(client))
}

fn limit(archive: &Archive, path: &TreePath) -> u64 {
    match Place::of(path, archive.records().layout()) {
        Place::File(_, VoucherFile::Scan(_)) | Place::Inbox(_) => SCAN_MAX_BYTES,
        Place::Template(_) => TEMPLATE_MAX_BYTES as u64,
        _ => VOUCHER_MAX_BYTES as u64,
    }
}

fn file(
    archive: &Archive,
    who: &Authenticated,
    path: &TreePath,
    body: &mut BodyReader,
    condition: &Condition,
) -> Result<Filed, ArchiveError> {
    let caller = &who.caller;
    match Place::of(path, archive.records().layout()) {
        Place::File(place, VoucherFile::Data) => {
            let data = body.read_all("voucher.json", VOUCHER_MAX_BYTES)?;
            archive.file_voucher(caller, &place, &data, condition)
        }
        Place::File(place, VoucherFile::Scan(name)) => {
            archive.add_scan(caller, &place, &name, body, condition)
        }
        Place::File(place, VoucherFile::Match) => {
            let content = body.read_all("match.json", SETTLEMENT_MAX_BYTES)?;
            archive.settle_match(caller, &place, &content, condition)
        }
        Place::File(place, VoucherFile::Review) => {
            let content = body.read_all("review.json", REVIEW_MAX_BYTES)?;
            let secret = who.secret.as_ref().map(Secret::expose);
            archive.review(caller, secret, &place, &content, condition)
        }
        Place::Inbox(inner) => archive.add_to_inbox(caller, &inner, body, condition),
        Place::Template(voucher_type) => {
            let content = body.read_all("the template", TEMPLATE_MAX_BYTES)?;
            archive.receive_template(caller, &voucher_type, &content, condition)
        }
        Place::File(_, made) => Err(ArchiveError::Denied {
            error: format!("{} is made by the archive", made.name()),
            hint: "upload voucher.json, or scan-1.jpg (.png, .tif, .pdf)".to_owned(),
        }),
        Place::Folder(_)
        | Place::Voucher(_)
        | Place::Audit(_)
        | Place::Templates
        | Place::Nothing => Err(Invalid::new(
            "path",
            "no file of this name is kept at this place",
            "upload to /company/ledger/period/type/number/voucher.json, or to /_inbox/",
        )
        .into()),
    }
}

pub async fn make_folder(share: Share, asked: Asked, mut body: Body) -> Result<Response, Refusal> {
    let sent = whole(&mut body, "the body", 4_096).await?;
    blocking(move || {
        check_may_change(&share, &asked)?;
        if !sent.is_empty() {
            return Err(Refusal::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "a folder is made without a body",
                "send MKCOL without a body",
            ));
        }
        let (archive, caller, path) = (&share.archive, &asked.who.caller, &asked.path);
        if archive.records().node(caller, path, None).is_ok() {
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "there is something here already",
                "choose another name",
            ));
        }
        match Place::of(path, archive.records().layout()) {
            Place::Inbox(inner) => archive.make_inbox_folder(caller, &inner)?,
            // Folders come with the first voucher in them; until then there is nothing to keep.
            Place::Folder(_) | Place::Voucher(_) => {}
            _ => {
                let error = Invalid::new(
                    "path",
                    "no folder can be here",
                    "folders are /company/ledger/period/type/number/",
                );
                return Err(ArchiveError::from(error).into());
            }
        }
        Ok(StatusCode::CREATED.into_response())
    })
    .await
}

pub async fn remove(share: Share, asked: Asked) -> Result<Response, Refusal> {
    blocking(move || {
        let (archive, caller, path) = (&share.archive, &asked.who.caller, &asked.path);
        let Place::Inbox(inner) = Place::of(path, archive.records().layout()) else {
            return Err(archive.records().refuse_change(caller, path).into());
        };
        check_may_change(&share, &asked)?;
        archive.remove_from_inbox(caller, &inner)?;
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}

/// MOVE and COPY.
pub async fn refuse(share: Share, asked: Asked) -> Result<Response, Refusal> {
    blocking(move || {
        let records = share.archive.records();
        Err(records.refuse_change(&asked.who.caller, &asked.path).into())
    })
    .await
}
