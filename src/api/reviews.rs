//! The text that a reviewer signs who keeps their key themselves. The signed note is filed by PUT of `review.json`.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;

use super::{AtPath, bytes, place};
use crate::archive::{Archive, REVIEW_MAX_BYTES};
use crate::http::{Peer, Refusal, authenticate, blocking};

/// What would be signed by deciding so, now, on the voucher of `path`; nothing is filed.
pub async fn statement(
    State(archive): State<Arc<Archive>>,
    asked: Result<Query<AtPath>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let path = place(asked)?;
    let wish = bytes(request, REVIEW_MAX_BYTES).await?;
    let statement =
        blocking(move || Ok(archive.review_statement(&who.caller, &path, &wish)?)).await?;
    Ok(Json(json!({"statement": statement.text()})).into_response())
}
