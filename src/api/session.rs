//! Signing in and out on a page, and who the caller is.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body;
use crate::access::Right;
use crate::archive::{Archive, Caller};
use crate::http::session::{PAGE, cookie, set_cookie};
use crate::http::{Peer, Refusal, Secret, Secure, authenticate, sign_in};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    name: String,
    password: Secret,
}

/// What a caller is told of themselves.
fn told(archive: &Archive, caller: &Caller) -> Value {
    let somewhere = |right| caller.permissions.allow_somewhere(right);
    let roles: Vec<Value> = caller
        .permissions
        .grants()
        // A token for one part of the tree tells nothing of the others.
        .filter(|_| !caller.permissions.is_limited())
        .map(|grant| json!({"role": grant.role, "scope": grant.scope.to_string(), "until": grant.until}))
        .collect();
    let key = archive.current_key(caller);
    json!({
        "id": caller.id, "name": caller.name, "grants": roles,
        "uploads": somewhere(Right::Upload), "reviews": somewhere(Right::Review),
        "verifies": somewhere(Right::Verify), "administers": somewhere(Right::Administer),
        "key_name": archive.key_name(caller),
        "key": key.map(|key| json!({"vkey": key.vkey, "outside": key.outside})),
    })
}

/// Begins a session. Only our own pages may: another site could sign its visitors in as somebody else.
pub async fn begin(
    State(archive): State<Arc<Archive>>,
    request: Request,
) -> Result<Response, Refusal> {
    if !request.headers().contains_key(PAGE) {
        let hint = format!("send the header {PAGE}: 1; programs use Basic authentication instead");
        let error = "sessions are for the pages of this archive";
        return Err(Refusal::new(StatusCode::FORBIDDEN, error, hint));
    }
    let (peer, secure) = (Peer::of(&request), Secure::of(&request));
    let SignIn { name, password } = body(request).await?;
    let caller = sign_in(&archive, &name, &password, peer).await?;
    let held = archive.begin_session(&caller, password.expose())?;
    let told = told(&archive, &caller);
    Ok((
        [(header::SET_COOKIE, set_cookie(Some(&held), secure))],
        Json(told),
    )
        .into_response())
}

/// Who the caller is, and what they may do somewhere.
pub async fn who(
    State(archive): State<Arc<Archive>>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    Ok(Json(told(&archive, &who.caller)).into_response())
}

/// Ends the session of the request's cookie.
pub async fn end(State(archive): State<Arc<Archive>>, request: Request) -> Response {
    if let Some(held) = cookie(request.headers()) {
        archive.end_session(held);
    }
    let gone = [(header::SET_COOKIE, set_cookie(None, Secure::of(&request)))];
    (StatusCode::NO_CONTENT, gone).into_response()
}
