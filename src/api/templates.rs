use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Json, Response};

use crate::archive::{Archive, TemplateVersion};
use crate::catalog::{TEMPLATES, TreePath};
use crate::http::precondition::writing;
use crate::http::{Peer, Refusal, authenticate, blocking, filed, not_found, received};
use crate::voucher::template::TEMPLATE_MAX_BYTES;

/// Every version of every template.
pub async fn all(
    State(archive): State<Arc<Archive>>,
    request: Request,
) -> Result<Response, Refusal> {
    let versions = versions(archive, request.headers(), Peer::of(&request)).await?;
    Ok(Json(versions).into_response())
}

/// Every version of one type's template.
pub async fn of_type(
    State(archive): State<Arc<Archive>>,
    voucher_type: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let Ok(Path(voucher_type)) = voucher_type else {
        return Ok(not_found());
    };
    let mut versions = versions(archive, request.headers(), Peer::of(&request)).await?;
    versions.retain(|version| version.voucher_type == voucher_type);
    if versions.is_empty() {
        return Ok(not_found());
    }
    Ok(Json(versions).into_response())
}

async fn versions(
    archive: Arc<Archive>,
    headers: &HeaderMap,
    peer: Peer,
) -> Result<Vec<TemplateVersion>, Refusal> {
    let who = authenticate(&archive, headers, peer).await?;
    blocking(move || Ok(archive.records().template_history(&who.caller)?)).await
}

/// Publishes a new version, in effect at once for new vouchers. The body is the template's TOML.
pub async fn publish(
    State(archive): State<Arc<Archive>>,
    voucher_type: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let Ok(Path(voucher_type)) = voucher_type else {
        return Ok(not_found());
    };
    let peer = Peer::of(&request);
    let (parts, body) = request.into_parts();
    let who = authenticate(&archive, &parts.headers, peer).await?;
    let (headers, caller) = (parts.headers.clone(), who.caller.clone());
    received(&who.caller, &parts.headers, body, move |body| {
        let caller = &caller;
        archive.records().may_publish(caller)?;
        let condition = writing(&headers, || {
            let file = format!("{voucher_type}.toml");
            let file = TreePath::from_segments(vec![TEMPLATES.to_owned(), file]);
            let there = archive.records().node(caller, &file, None);
            there.ok().map(|node| node.modified())
        })?;
        let content = body.read_all("the template", TEMPLATE_MAX_BYTES)?;
        let outcome = archive.receive_template(caller, &voucher_type, &content, &condition)?;
        Ok(filed(outcome))
    })
    .await
}
