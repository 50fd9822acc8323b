//! Signing in on a page by a provider of OpenID Connect (Core 1.0, authorization code flow with PKCE, RFC 7636).
//!
//! The provider says who somebody is; whether they may come in, and what they see, is the archive's to say.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json, Redirect, Response};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::given;
use crate::access::Time;
use crate::archive::Archive;
use crate::config::{Claim, Oidc};
use crate::http::session::{named_cookie, set_cookie};
use crate::http::{Refusal, Secure, blocking, not_found};

/// How long somebody may take to sign in at the provider, in milliseconds.
const PATIENCE_MS: Time = 10 * 60 * 1_000;
/// Questions to a provider at the same time.
const ASKING_MAX: usize = 4;
/// How long what a provider says about itself is believed.
const METADATA_KEPT: Duration = Duration::from_secs(5 * 60);
/// How long a provider may be silent.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// Largest answer of a provider, in bytes.
const ANSWER_MAX_BYTES: u64 = 1 << 20;
/// Ties a sign-in to the browser that began it.
const COOKIE: &str = "vouchsafe-oidc";

/// A sign-in that waits for the browser to come back: the browser itself keeps it, so that nobody's floods push it out.
#[derive(Serialize, Deserialize)]
struct Begun {
    state: String,
    nonce: String,
    verifier: String,
    /// Milliseconds since 1970-01-01 UTC.
    began: Time,
}

/// The provider that people sign in at.
pub struct Provider {
    settings: Oidc,
    agent: ureq::Agent,
    metadata: Mutex<Option<(Instant, CoreProviderMetadata)>>,
    /// Authenticates what browsers keep.
    secret: [u8; 32],
    /// Questions to the provider at the same time: one that is silent must not hold all threads.
    asking: Semaphore,
}

type Asked = (Arc<Archive>, Option<Arc<Provider>>);

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(what: &str, why: &dyn std::fmt::Display) -> Refusal {
    tracing::warn!(%why, "{what}");
    let hint = "try again; the server's log says why";
    Refusal::new(StatusCode::BAD_GATEWAY, what, hint)
}

fn wrong(error: &str) -> Refusal {
    let hint = "begin again on the page of this archive";
    Refusal::new(StatusCode::FORBIDDEN, error, hint)
}

impl Provider {
    /// A provider as `config.toml` says. Nothing is asked of it before somebody signs in.
    pub fn new(settings: Oidc) -> Arc<Provider> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Following a redirect would let the provider make us ask for anything (RFC 9700, section 4.11).
            .max_redirects(0)
            .timeout_global(Some(SILENCE_MAX))
            .build()
            .new_agent();
        Arc::new(Provider {
            settings,
            agent,
            metadata: Mutex::default(),
            secret: *blake3::hash(CsrfToken::new_random_len(32).secret().as_bytes()).as_bytes(),
            asking: Semaphore::new(ASKING_MAX),
        })
    }

    fn ask(&self, request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
        let response = self.agent.run(request)?;
        let (parts, mut body) = response.into_parts();
        let bytes = body.with_config().limit(ANSWER_MAX_BYTES).read_to_vec()?;
        Ok(HttpResponse::from_parts(parts, bytes))
    }

    /// What the provider says about itself, asked at most every few minutes. Blocks.
    fn described(&self) -> Result<CoreProviderMetadata, Refusal> {
        if let Some((asked, metadata)) = &*lock(&self.metadata)
            && asked.elapsed() < METADATA_KEPT
        {
            return Ok(metadata.clone());
        }
        let unknown = "the sign-in provider does not say who it is";
        let issuer = IssuerUrl::new(self.settings.issuer.clone());
        let issuer = issuer.map_err(|error| failed(unknown, &error))?;
        let metadata = CoreProviderMetadata::discover(&issuer, &|request| self.ask(request))
            .map_err(|error| failed(unknown, &error))?;
        *lock(&self.metadata) = Some((Instant::now(), metadata.clone()));
        Ok(metadata)
    }

    fn redirect(&self) -> Result<RedirectUrl, Refusal> {
        let address = self.settings.address.trim_end_matches('/');
        RedirectUrl::new(format!("{address}/api/v1/oidc/done"))
            .map_err(|error| failed("oidc.address is no address", &error))
    }

    /// Begins a sign-in; gives where the browser has to go and the cookie that it is to hold. Blocks.
    fn begin(&self, now: Time) -> Result<(String, String), Refusal> {
        let client = CoreClient::from_provider_metadata(
            self.described()?,
            ClientId::new(self.settings.client_id.clone()),
            None,
        )
        .set_redirect_uri(self.redirect()?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new(self.settings.claim.scope().to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        let begun = Begun {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            began: now,
        };
        let held = serde_json::to_vec(&begun)
            .map_err(|error| failed("a sign-in could not begin", &error))?;
        let seal = blake3::keyed_hash(&self.secret, &held).to_hex();
        Ok((url.to_string(), format!("{seal}.{}", BASE64.encode(held))))
    }

    /// What a browser has kept since it began.
    fn begun(&self, held: &str, state: &str, now: Time) -> Option<Begun> {
        let (seal, held) = held.split_once('.')?;
        let held = BASE64.decode(held).ok()?;
        // Compared in constant time.
        if blake3::keyed_hash(&self.secret, &held) != blake3::Hash::from_hex(seal).ok()? {
            return None;
        }
        let begun: Begun = serde_json::from_slice(&held).ok()?;
        (begun.state == state && now < begun.began + PATIENCE_MS).then_some(begun)
    }

    /// The name that the provider vouches for. A code is good for one answer, which is the provider's to see to. Blocks.
    fn finish(&self, code: String, begun: Begun) -> Result<String, Refusal> {
        let secret = match &self.settings.client_secret_file {
            Some(file) => {
                let text = std::fs::read_to_string(file);
                let text = text.map_err(|error| failed("oidc.client_secret_file", &error))?;
                Some(ClientSecret::new(text.trim_end().to_owned()))
            }
            None => None,
        };
        let id = ClientId::new(self.settings.client_id.clone());
        let client = CoreClient::from_provider_metadata(self.described()?, id, secret)
            .set_redirect_uri(self.redirect()?);
        let refused = "the sign-in provider does not confirm who you are";
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| failed(refused, &error))?
            .set_pkce_verifier(PkceCodeVerifier::new(begun.verifier))
            .request(&|request| self.ask(request))
            .map_err(|error| failed(refused, &error))?;
        let token = answer
            .id_token()
            .ok_or_else(|| failed(refused, &"no ID token"))?;
        let claims = token
            .claims(&client.id_token_verifier(), &Nonce::new(begun.nonce))
            .map_err(|error| failed(refused, &error))?;
        let name = match self.settings.claim {
            Claim::Subject => Some(claims.subject().to_string()),
            Claim::PreferredUsername => claims.preferred_username().map(|it| it.to_string()),
            // An address that nobody has checked could be anybody's.
            Claim::Email if claims.email_verified() == Some(true) => {
                claims.email().map(|it| it.to_string())
            }
            Claim::Email => None,
        };
        name.ok_or_else(|| wrong("the sign-in provider does not tell your name"))
    }
}

/// A turn to ask the provider, if not too many do.
fn turn(provider: &Provider) -> Result<SemaphorePermit<'_>, Refusal> {
    let turn = provider.asking.try_acquire();
    turn.map_err(|_| Refusal::come_again(1_000, "many people sign in right now"))
}

/// Whether, and where, people can sign in elsewhere.
pub async fn described(State((_, provider)): State<Asked>) -> Response {
    match provider {
        Some(provider) => Json(json!({"issuer": provider.settings.issuer})).into_response(),
        None => not_found(),
    }
}

/// Sends the browser to the provider.
pub async fn begin(
    State((archive, provider)): State<Asked>,
    request: Request,
) -> Result<Response, Refusal> {
    let Some(provider) = provider else {
        return Ok(not_found());
    };
    let now = archive.now();
    let asking = Arc::clone(&provider);
    let _turn = turn(&asking)?;
    let secure = if Secure::of(&request).0 {
        "; Secure"
    } else {
        ""
    };
    let (url, held) = blocking(move || provider.begin(now)).await?;
    // Lax: the browser comes back from another site.
    let cookie = format!("{COOKIE}={held}; Path=/api/v1/oidc; HttpOnly; SameSite=Lax{secure}");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&url)).into_response())
}

/// How the browser comes back.
#[derive(Deserialize)]
pub struct Back {
    state: String,
    code: Option<String>,
    /// Why the provider refused.
    error: Option<String>,
}

/// Takes the browser back from the provider, and begins its session.
pub async fn done(
    State((archive, provider)): State<Asked>,
    asked: Result<Query<Back>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let Some(provider) = provider else {
        return Ok(not_found());
    };
    let back = given(asked)?;
    let secure = Secure::of(&request);
    let browser = named_cookie(request.headers(), COOKIE)
        .unwrap_or_default()
        .to_owned();
    let Some(code) = back.code else {
        tracing::info!(
            error = back.error.as_deref().unwrap_or(""),
            "a sign-in was refused elsewhere"
        );
        return Err(wrong("the sign-in provider refused"));
    };
    let begun = provider.begun(&browser, &back.state, archive.now());
    let begun = begun.ok_or_else(|| wrong("this sign-in did not begin in this browser"))?;
    let asking = Arc::clone(&provider);
    let _turn = turn(&asking)?;
    let held = blocking(move || {
        let name = provider.finish(code, begun)?;
        let caller = archive.vouched_for(&name).ok_or_else(|| {
            let hint = "ask an admin to add you under the name that the provider tells";
            Refusal::new(
                StatusCode::FORBIDDEN,
                "you are known there, and not here",
                hint,
            )
        })?;
        Ok(archive.begin_vouched_session(&caller)?)
    });
    let cookie = set_cookie(Some(&held.await?), secure);
    // The session's cookie is for this site's own requests (Strict), and this one began on another: the page asks again.
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}
