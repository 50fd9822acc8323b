//! The api room: the archive as JSON over HTTP, below `/api/v1/`, described by `/api/v1/openapi.json`.
//!
//! It translates and decides nothing; what it refuses, and how, is what the drive refuses.

mod image_sets;
mod oidc;
mod own;
mod queue;
mod reviews;
mod session;
mod templates;
mod traces;
mod tree;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::archive::{Archive, ArchiveError};
use crate::catalog::TreePath;
use crate::config::Oidc;
use crate::http::Refusal;
use crate::voucher::Invalid;

/// Longest body of a small request, in bytes.
const BODY_MAX_BYTES: usize = 64 << 10;
/// How long it may take to arrive.
const BODY_MAX: Duration = Duration::from_secs(10);

/// A question about one place.
#[derive(Deserialize)]
struct AtPath {
    path: String,
}

/// What a query says; a wrong one is refused with what is wrong.
fn given<T>(asked: Result<Query<T>, QueryRejection>) -> Result<T, Refusal> {
    let Query(given) = asked.map_err(|rejection| {
        let hint = "/api/v1/openapi.json says what can be asked";
        ArchiveError::from(Invalid::new("query", rejection.body_text(), hint))
    })?;
    Ok(given)
}

fn place(asked: Result<Query<AtPath>, QueryRejection>) -> Result<TreePath, Refusal> {
    Ok(TreePath::parse(&given(asked)?.path)?)
}

/// All of a body, at most `limit` bytes and within a time: nobody who is slow holds a thread.
async fn bytes(request: Request, limit: usize) -> Result<Vec<u8>, Refusal> {
    let reading = axum::body::to_bytes(request.into_body(), limit);
    match tokio::time::timeout(BODY_MAX, reading).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(_)) => {
            let error = format!("the request has more than {limit} bytes, or was cut off");
            let hint = "send a smaller request, whole";
            Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error, hint))
        }
        Err(_) => {
            let error = "the request took too long";
            Err(Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                error,
                "send it at once",
            ))
        }
    }
}

/// A body as JSON. The refusal names the field and never quotes it: it may be a password.
async fn body<T: DeserializeOwned>(request: Request) -> Result<T, Refusal> {
    let bytes = bytes(request, BODY_MAX_BYTES).await?;
    let mut reading = serde_json::Deserializer::from_slice(&bytes);
    serde_path_to_error::deserialize(&mut reading).map_err(|error| {
        let field = error.path().to_string();
        let at = error.inner();
        let why = format!(
            "not what is asked for, at line {} column {}",
            at.line(),
            at.column()
        );
        let hint = "/api/v1/openapi.json says what to send";
        ArchiveError::from(Invalid::new(field, why, hint)).into()
    })
}

/// What can be asked, as OpenAPI 3.1.
const DESCRIPTION: &str = include_str!("openapi.json");

/// The routes of the interface; with the provider at which people may sign in.
pub fn routes(archive: Arc<Archive>, oidc: Option<Oidc>) -> Router {
    let elsewhere = Router::new()
        .route("/api/v1/oidc", get(oidc::described))
        .route("/api/v1/oidc/begin", get(oidc::begin))
        .route("/api/v1/oidc/done", get(oidc::done))
        .with_state((Arc::clone(&archive), oidc.map(oidc::Provider::new)));
    let changes = queue::Changes::of(&archive);
    let live = Router::new()
        .route("/api/v1/queue/events", get(queue::events))
        .with_state((Arc::clone(&archive), changes));
    Router::new()
        .route("/api/v1/queue", get(queue::waiting))
        .route("/api/v1/openapi.json", get(description))
        .route("/api/v1/templates", get(templates::all))
        .route(
            "/api/v1/templates/{type}",
            get(templates::of_type).put(templates::publish),
        )
        .route("/api/v1/unplaced", get(image_sets::unplaced))
        .route("/api/v1/image-sets", get(image_sets::of_state))
        .route(
            "/api/v1/session",
            get(session::who).post(session::begin).delete(session::end),
        )
        .route("/api/v1/own/password", put(own::password))
        .route("/api/v1/own/key", put(own::key))
        .route("/api/v1/review-statement", post(reviews::statement))
        .route("/api/v1/tree", get(tree::children))
        .route("/api/v1/rights", get(tree::rights))
        .route("/api/v1/traces", get(traces::traces))
        .route("/api/v1/bursts", get(traces::bursts))
        .route("/api/v1/access", get(traces::access))
        .method_not_allowed_fallback(not_allowed)
        .with_state(archive)
        .merge(live)
        .merge(elsewhere)
}

async fn description() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION).into_response()
}

async fn not_allowed() -> Refusal {
    let hint = "/api/v1/openapi.json says what can be asked";
    let error = "this cannot be done here";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, error, hint)
}

#[cfg(test)]
mod tests {
    /// A description that names a route that there is not, or leaves one out, is worse than none.
    #[test]
    fn the_description_has_the_routes() {
        let described: serde_json::Value = serde_json::from_str(super::DESCRIPTION).unwrap();
        let paths = described["paths"].as_object().unwrap();
        let routed = include_str!("mod.rs")
            .split('"')
            .filter(|text| text.starts_with("/api/v1/") && text.len() > 8 && !text.contains(' '));
        let routed: std::collections::BTreeSet<&str> = routed.collect();
        let described: std::collections::BTreeSet<&str> =
            paths.keys().map(String::as_str).collect();
        assert_eq!(routed, described);
    }
}
