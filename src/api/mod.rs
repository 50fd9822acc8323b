//! The api room: the archive as JSON over HTTP, below `/api/v1/`, described by `/api/v1/openapi.json`.
//!
//! It translates and decides nothing; what it refuses, and how, is what the drive refuses.

mod image_sets;
mod queue;
mod templates;

use std::sync::Arc;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::archive::Archive;
use crate::http::Refusal;

/// What can be asked, as OpenAPI 3.1.
const DESCRIPTION: &str = include_str!("openapi.json");

/// The routes of the interface.
pub fn routes(archive: Arc<Archive>) -> Router {
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
        .method_not_allowed_fallback(not_allowed)
        .with_state(archive)
        .merge(live)
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
