use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;
use serde_json::json;

use crate::archive::{Archive, ArchiveError, ImageSet};
use crate::http::{Peer, Refusal, authenticate, blocking};
use crate::voucher::Invalid;

#[derive(Deserialize)]
pub struct Asked {
    state: Option<String>,
    #[serde(default)]
    after: String,
}

/// The vouchers whose pictures are in a state of completeness, as far as the caller may read them.
pub async fn of_state(
    State(archive): State<Arc<Archive>>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let words = ImageSet::ALL.map(ImageSet::word).join(", ");
    let state = asked.ok().and_then(|Query(asked)| {
        let state = ImageSet::parse(asked.state.as_deref()?)?;
        Some((state, asked.after))
    });
    let Some((state, after)) = state else {
        let (error, hint) = (
            "none of the states that there are",
            format!("ask for one of {words}"),
        );
        return Err(ArchiveError::from(Invalid::new("state", error, hint)).into());
    };
    let (vouchers, next) =
        blocking(move || Ok(archive.records().image_sets(&who.caller, state, &after)?)).await?;
    Ok(Json(json!({"vouchers": vouchers, "next": next})).into_response())
}

/// The scans in the caller's inbox that found no voucher.
pub async fn unplaced(
    State(archive): State<Arc<Archive>>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let scans = blocking(move || Ok(archive.records().unplaced(&who.caller)?)).await?;
    Ok(Json(scans).into_response())
}
