use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use tokio::sync::Semaphore;

use super::turns::Turns;
use super::{Peer, Refusal, blocking, session};
use crate::archive::{Archive, Caller, Client, SigningIn};

/// Longest `Authorization` header that is read, in bytes.
const AUTHORIZATION_MAX_BYTES: usize = 4_096;

/// Requests that may wait for their password to be checked; more are told to come again.
const WAITING_MAX: usize = 64;

/// Passwords that are checked at the same time: wrong ones take processor time by design, and must leave some for
/// everybody else.
static CHECKING: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Semaphore::new((processors / 2).max(1))
});
/// How many wait for that now.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// A place among those that wait; given back when it is dropped, also when the client goes away.
struct WaitingPlace;

impl WaitingPlace {
    fn take() -> Result<WaitingPlace, Refusal> {
        let place = WaitingPlace;
        if WAITING.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            return Err(Refusal::come_again(
                1_000,
                "too many passwords are being checked",
            ));
        }
        Ok(place)
    }
}

impl Drop for WaitingPlace {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Those who bring the very same name and password from the same address wait for each other: what the first finds out
/// is recalled for the rest. So a client that comes with a hundred connections at once, as after a restart, has one
/// password checked and takes one place.
static TWINS: LazyLock<Turns> = LazyLock::new(|| Turns::new(1));

/// A request's caller and where they are.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Who.
    pub caller: Caller,
    /// Whence.
    pub client: Client,
    /// The password or token that the request brought; none in a session.
    pub secret: Option<Secret>,
}

/// A password or token. Its debug form shows nothing of it.
#[derive(Clone)]
pub struct Secret(String);

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret)
    }
}

impl Secret {
    /// The secret itself, for what must have it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// Name and password of Basic authentication (RFC 7617, UTF-8).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > AUTHORIZATION_MAX_BYTES {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let (name, password) = decoded.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

/// Who has this name and password, checked within bounds.
pub async fn sign_in(
    archive: &Arc<Archive>,
    name: &str,
    secret: &Secret,
    peer: Peer,
) -> Result<Caller, Refusal> {
    let from = peer.0.to_string();
    if let Some(caller) = archive.recall(name, secret.expose(), &from) {
        return Ok(caller);
    }
    let _turn = TWINS.take((name, secret.expose(), &from)).await;
    if let Some(caller) = archive.recall(name, secret.expose(), &from) {
        return Ok(caller);
    }
    let checked = {
        let _place = WaitingPlace::take()?;
        // The semaphore is never closed.
        let _processor = CHECKING.acquire().await;
        let (archive, name, secret) = (Arc::clone(archive), name.to_owned(), secret.clone());
        blocking(move || Ok(archive.sign_in(&name, secret.expose(), &from)?)).await?
    };
    match checked {
        SigningIn::Welcome(caller) => Ok(caller),
        SigningIn::Refused => Err(Refusal::unauthorized()),
        SigningIn::Wait(wait) => Err(Refusal::too_many_failures(wait)),
    }
}

/// Signs the sender of a request in: by the name and password that it brings, else by the session of its cookie.
pub async fn authenticate(
    archive: &Arc<Archive>,
    headers: &HeaderMap,
    peer: Peer,
) -> Result<Authenticated, Refusal> {
    let (caller, secret) = match headers.contains_key(AUTHORIZATION) {
        true => {
            let (name, password) = basic(headers).ok_or_else(Refusal::unauthorized)?;
            let secret = Secret(password);
            (sign_in(archive, &name, &secret, peer).await?, Some(secret))
        }
        false => {
            let held = session::cookie(headers).ok_or_else(Refusal::unauthorized)?;
            let caller = archive.session(held).ok_or_else(Refusal::unauthorized)?;
            (caller, None)
        }
    };
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let client = Client {
        address: peer.0.to_string(),
        agent: agent.unwrap_or_default().to_owned(),
    };
    Ok(Authenticated {
        caller,
        client,
        secret,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(value: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())])
    }

    #[test]
    fn basic_credentials_are_read_in_utf8() {
        let encoded = format!("basic {}", BASE64.encode("张三:a:b"));
        let expected = Some(("张三".to_owned(), "a:b".to_owned()));
        assert_eq!(basic(&headers(&encoded)), expected);
        for bad in ["Basic", "Basic !!!", "Bearer abc", "Basic YWJj"] {
            assert_eq!(basic(&headers(bad)), None, "{bad}");
        }
        let long = format!("Basic {}", BASE64.encode("x".repeat(5_000) + ":y"));
        assert_eq!(basic(&headers(&long)), None);
    }
}
