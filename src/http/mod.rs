//! The http room: connections, signing in, refusals, and what every protocol over HTTP shares.
//!
//! It does not know WebDAV or what is in the archive, and it decides nothing. Status codes live here
//! and in the protocols above.

mod authentication;
mod body;
pub mod precondition;
mod refusal;
mod server;
pub mod session;
mod tls;
mod turns;

pub use authentication::{Authenticated, Secret, authenticate, sign_in};
pub use body::{BodyReader, blocking, received, streamed, whole};
pub use refusal::{Refusal, not_found};
pub use server::{Front, Peer, Running, Secure, ServeError, Stopping, serve};
pub use tls::{Certificate, TlsError};

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::json;

use crate::archive::{Archive, Filed};

/// The routes that belong to no protocol: readiness, and the answer where nothing is.
pub fn routes(archive: Arc<Archive>) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .with_state(archive)
        .fallback(|| async { not_found() })
}

/// A header's value as text; an unreadable one counts as absent.
pub fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The answer to an upload that was taken in.
pub fn filed(outcome: Filed) -> Response {
    match outcome {
        Filed::New { version, warnings } => {
            let body = json!({"version": version, "warnings": warnings});
            (StatusCode::CREATED, Json(body)).into_response()
        }
        Filed::Unchanged(_) => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn health(State(archive): State<Arc<Archive>>) -> Response {
    if archive.takes_writes() {
        return Json(json!({"status": "ok"})).into_response();
    }
    let body = json!({
        "status": "reading only",
        "error": "a write failed; nothing more is written until the archive is opened again",
        "hint": "look at the server's log, mend the disk, start the server again",
    });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}
