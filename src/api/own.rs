//! What people change about themselves: their password, and where their signing key is kept.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::Deserialize;

use super::body;
use crate::archive::Archive;
use crate::http::{Peer, Refusal, Secret, authenticate, blocking};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    old: Secret,
    new: Secret,
}

/// A new password in place of the old one; the signing key is kept, all sessions end.
pub async fn password(
    State(archive): State<Arc<Archive>>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let NewPassword { old, new } = body(request).await?;
    blocking(move || {
        archive.change_own_password(&who.caller, old.expose(), new.expose())?;
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnKey {
    /// Not needed by whom a provider vouched for a moment ago.
    password: Option<Secret>,
    /// The public half of a key that the caller keeps; without it, a new key is made here and sealed.
    vkey: Option<String>,
}

/// Where the caller's signing key is kept from now on.
pub async fn key(
    State(archive): State<Arc<Archive>>,
    request: Request,
) -> Result<StatusCode, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let OwnKey { password, vkey } = body(request).await?;
    blocking(move || {
        let password = password.as_ref().map_or("", Secret::expose);
        match vkey {
            Some(vkey) => {
                if !archive.freshly_vouched(&who.caller) {
                    archive.prove_password(&who.caller, password)?;
                }
                archive.keep_key_outside(&who.caller, &vkey)?;
            }
            None => archive.keep_key_inside(&who.caller, password)?,
        }
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}
