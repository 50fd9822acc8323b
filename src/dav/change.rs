//! Requests that change something: PUT, MKCOL, DELETE, and the ones that never do.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;

use super::precondition::writing;
use super::{Asked, Share, text};
use crate::archive::{Archive, ArchiveError, Caller, Condition, Filed, SCAN_MAX_BYTES};
use crate::catalog::{Place, TreePath, VoucherFile};
use crate::http::{BodyReader, Refusal, blocking};
use crate::voucher::template::TEMPLATE_MAX_BYTES;
use crate::voucher::{Invalid, VOUCHER_MAX_BYTES};

pub async fn put(share: Share, asked: Asked, body: Body) -> Result<Response, Refusal> {
    share.locks.check(&asked).await?;
    let condition = writing(&asked.headers)?;
    let mut reader = BodyReader::new(body);
    blocking(move || {
        let declared = text(&asked.headers, header::CONTENT_LENGTH)
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        if text(&asked.headers, header::CONTENT_RANGE).is_some() {
            let error = Invalid::new("Content-Range", "parts cannot be uploaded", "send it whole");
            return Err(ArchiveError::from(error).into());
        }
        if declared == 0 && announces_with_nothing(&asked) {
            return Ok(StatusCode::CREATED.into_response());
        }
        let (archive, caller, path) = (&share.archive, &asked.who.caller, &asked.path);
        let limit = limit(archive, path);
        let filed = if declared > limit {
            let what = path.name().to_owned();
            return Err(ArchiveError::TooLarge { what, limit }.into());
        } else {
            take_in(archive, caller, path, &mut reader, &condition)
        };
        match filed {
            Ok(Filed::New(version)) => {
                Ok((StatusCode::CREATED, Json(json!({"version": version}))).into_response())
            }
            Ok(Filed::Unchanged(_)) => Ok(StatusCode::NO_CONTENT.into_response()),
            Err(error) => {
                reader.drain();
                Err(error.into())
            }
        }
    })
    .await
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

fn take_in(
    archive: &Arc<Archive>,
    caller: &Caller,
    path: &TreePath,
    body: &mut BodyReader,
    condition: &Condition,
) -> Result<Filed, ArchiveError> {
    match Place::of(path, archive.records().layout()) {
        Place::File(place, VoucherFile::Data) => {
            archive.records().may_file(caller, &place)?;
            let data = body.read_all("voucher.json", VOUCHER_MAX_BYTES)?;
            archive.file_voucher(caller, &place, &data, condition)
        }
        Place::File(place, VoucherFile::Scan(name)) => {
            archive.add_scan(caller, &place, &name, body, condition)
        }
        Place::Inbox(inner) => archive.add_to_inbox(caller, &inner, body, condition),
        Place::Template(voucher_type) => {
            let content = body.read_all("the template", TEMPLATE_MAX_BYTES)?;
            archive.receive_template(caller, &voucher_type, &content)
        }
        Place::File(place, made) => {
            archive.records().may_file(caller, &place)?;
            Err(ArchiveError::Denied {
                error: format!("{} is made by the archive", made.name()),
                hint: "upload voucher.json, or scan-1.jpg (.png, .tif, .pdf)".to_owned(),
            })
        }
        Place::Folder(_) | Place::Voucher(_) | Place::Templates | Place::Nothing => {
            archive.records().may_file(caller, path)?;
            Err(Invalid::new(
                "path",
                "no file of this name is kept at this place",
                "upload to /company/ledger/period/type/number/voucher.json, or to /_inbox/",
            )
            .into())
        }
    }
}

pub async fn make_folder(share: Share, asked: Asked, body: Body) -> Result<Response, Refusal> {
    share.locks.check(&asked).await?;
    let mut reader = BodyReader::new(body);
    blocking(move || {
        if !reader.read_all("the body", 4_096)?.is_empty() {
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
            Place::Folder(_) | Place::Voucher(_) => {
                // Folders come with the first voucher in them; until then there is nothing to keep.
                archive.records().may_file(caller, path)?;
            }
            _ => {
                archive.records().may_file(caller, path)?;
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
    share.locks.check(&asked).await?;
    blocking(move || {
        let (archive, caller, path) = (&share.archive, &asked.who.caller, &asked.path);
        match Place::of(path, archive.records().layout()) {
            Place::Inbox(inner) => archive.remove_from_inbox(caller, &inner)?,
            _ => return Err(archive.records().refuse_change(caller, path).into()),
        }
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
