use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, USER_AGENT};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::{Peer, Refusal, blocking};
use crate::archive::{Archive, Caller, Client};

/// Longest `Authorization` header that is read, in bytes.
const AUTHORIZATION_MAX_BYTES: usize = 4_096;

/// A request's caller and where they are.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Who.
    pub caller: Caller,
    /// Whence.
    pub client: Client,
    /// The password or token that they signed in with.
    pub secret: Secret,
}

/// A password or token. Its debug form shows nothing of it.
#[derive(Clone)]
pub struct Secret(String);

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

/// Signs the sender of a request in.
pub async fn authenticate(
    archive: &Arc<Archive>,
    headers: &HeaderMap,
    peer: Peer,
) -> Result<Authenticated, Refusal> {
    let (name, password) = basic(headers).ok_or_else(Refusal::unauthorized)?;
    let address = peer.0.to_string();
    let caller = match archive.recall(&name, &password) {
        Some(caller) => caller,
        None => {
            let (archive, address) = (Arc::clone(archive), address.clone());
            let (name, password) = (name.clone(), password.clone());
            blocking(move || Ok(archive.sign_in(&name, &password, &address)?))
                .await?
                .ok_or_else(Refusal::unauthorized)?
        }
    };
    let agent = headers
        .get(USER_AGENT)
        .and_then(|agent| agent.to_str().ok());
    let client = Client {
        address,
        agent: agent.unwrap_or_default().to_owned(),
    };
    Ok(Authenticated {
        caller,
        client,
        secret: Secret(password),
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
