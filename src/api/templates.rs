use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Json, Response};

use crate::archive::{Archive, TemplateVersion};
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
    Path(voucher_type): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
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
    Path(voucher_type): Path<String>,
    request: Request,
) -> Result<Response, Refusal> {
    let peer = Peer::of(&request);
    let (parts, body) = request.into_parts();
    let who = authenticate(&archive, &parts.headers, peer).await?;
    received(&parts.headers, body, move |body| {
        let caller = &who.caller;
        archive.records().may_publish(caller)?;
        let content = body.read_all("the template", TEMPLATE_MAX_BYTES)?;
        let outcome = archive.receive_template(caller, &voucher_type, &content)?;
        Ok(filed(outcome))
    })
    .await
}
