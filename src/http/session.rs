//! Sessions of the pages: the cookie that holds one, and the proof that a request comes from a page of this server.

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, COOKIE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use super::{Refusal, Secure, text};

/// Name of the cookie.
const COOKIE_NAME: &str = "vouchsafe";
/// The same over TLS: a name that no other host can plant a cookie under (RFC 6265bis, section 4.1.3.2).
const COOKIE_NAME_SECURE: &str = "__Host-vouchsafe";
/// The header that our pages send with every request. A page of another site cannot: a browser asks this server first
/// whether it may (a preflight of the Fetch standard), and this server never says so.
pub const PAGE: HeaderName = HeaderName::from_static("x-vouchsafe-page");
/// What a browser says about where a request comes from (Fetch Metadata).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Methods that change nothing.
const SAFE: [&str; 4] = ["GET", "HEAD", "OPTIONS", "PROPFIND"];

/// What the session's cookie of a request holds.
pub fn cookie(headers: &HeaderMap) -> Option<&str> {
    named_cookie(headers, COOKIE_NAME_SECURE).or_else(|| named_cookie(headers, COOKIE_NAME))
}

/// What the cookie of this name holds.
pub fn named_cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).iter();
    let mut pairs = cookies
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, held) = pairs.find(|(name, _)| *name == wanted)?;
    Some(held)
}

/// The header `Set-Cookie` that gives a browser a session, or takes it away (`None`): not for scripts, not for other
/// sites, not over a connection that can be read where there is one that cannot.
pub fn set_cookie(held: Option<&str>, secure: Secure) -> String {
    let (value, age) = match held {
        Some(held) => (held, ""),
        None => ("", "; Max-Age=0"),
    };
    let (name, secure) = match secure.0 {
        true => (COOKIE_NAME_SECURE, "; Secure"),
        false => (COOKIE_NAME, ""),
    };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{age}")
}

fn is_safe(method: &Method) -> bool {
    SAFE.contains(&method.as_str())
}

/// Whether a request that changes something may come from another site's page, in the browser of somebody who is
/// signed in here.
fn may_be_forged(request: &Request) -> bool {
    let headers = request.headers();
    if is_safe(request.method()) || headers.contains_key(AUTHORIZATION) || cookie(headers).is_none()
    {
        return false;
    }
    let elsewhere = text(headers, FETCH_SITE).is_some_and(|site| site != "same-origin");
    elsewhere || !headers.contains_key(PAGE)
}

/// Refuses what another site may have sent, and keeps the browser's own window for passwords away from our pages.
pub async fn guard_pages(request: Request, next: Next) -> Response {
    if may_be_forged(&request) {
        let error = "this change does not come from a page of this archive";
        let hint = "programs sign in with Basic authentication instead of a cookie";
        return Refusal::new(StatusCode::FORBIDDEN, error, hint).into_response();
    }
    let page = request.headers().contains_key(PAGE);
    let mut response = next.run(request).await;
    if page {
        response.headers_mut().remove(WWW_AUTHENTICATE);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, headers: &[(&str, &str)]) -> Request {
        let mut builder = Request::builder().method(method).uri("/dav/a");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(axum::body::Body::empty()).unwrap()
    }

    #[test]
    fn the_cookie_is_found_among_others_and_hidden_from_scripts() {
        let found = request("GET", &[("cookie", "a=1; vouchsafe=abc; b=2")]);
        assert_eq!(cookie(found.headers()), Some("abc"));
        let none = request("GET", &[("cookie", "novouchsafe=abc")]);
        assert_eq!(cookie(none.headers()), None);
        let set = set_cookie(Some("abc"), Secure(true));
        assert_eq!(
            set,
            "__Host-vouchsafe=abc; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        assert!(set_cookie(None, Secure(false)).ends_with("SameSite=Strict; Max-Age=0"));
    }

    #[test]
    fn changes_by_cookie_need_the_pages_own_header() {
        let cookie = ("cookie", "vouchsafe=abc");
        let page = ("x-vouchsafe-page", "1");
        assert!(may_be_forged(&request("PUT", &[cookie])));
        assert!(may_be_forged(&request(
            "DELETE",
            &[cookie, page, ("sec-fetch-site", "cross-site")]
        )));
        assert!(may_be_forged(&request(
            "POST",
            &[cookie, ("sec-fetch-site", "same-origin")]
        )));
        assert!(!may_be_forged(&request("PUT", &[cookie, page])));
        assert!(!may_be_forged(&request(
            "PUT",
            &[cookie, ("authorization", "Basic eDp5")]
        )));
        assert!(!may_be_forged(&request("PROPFIND", &[cookie])));
        assert!(!may_be_forged(&request("PUT", &[])));
    }
}
