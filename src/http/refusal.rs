use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use serde_json::json;

use crate::archive::ArchiveError;
use crate::catalog::PathError;
use crate::voucher::Invalid;

/// Why a request is not served, as the status and the JSON object that CONTRACT.md describes.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    error: String,
    field: String,
    hint: String,
    /// After how many seconds the same may be asked again.
    again: Option<u64>,
}

impl Refusal {
    /// A refusal with a status that no error of the archive stands for.
    pub fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Refusal {
        Refusal {
            status,
            error: error.into(),
            field: String::new(),
            hint: hint.into(),
            again: None,
        }
    }

    /// A refusal that holds for a while, in milliseconds.
    pub fn come_again(wait: u64, error: &str) -> Refusal {
        let hint = "try again in a moment";
        let mut refusal = Refusal::new(StatusCode::SERVICE_UNAVAILABLE, error, hint);
        refusal.again = Some(wait.div_ceil(1_000));
        refusal
    }

    /// Too many wrong passwords; how long the next one has to wait, in milliseconds.
    pub fn too_many_failures(wait: u64) -> Refusal {
        let seconds = wait.div_ceil(1_000);
        let error = "too many wrong passwords";
        let hint = format!("try again in {seconds} seconds");
        let mut refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, error, hint);
        refusal.again = Some(seconds);
        refusal
    }

    /// Nobody, or nobody who is known.
    pub fn unauthorized() -> Refusal {
        let hint = "send a name with its password or token by Basic authentication";
        Refusal::new(StatusCode::UNAUTHORIZED, "sign in first", hint)
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
}

/// The one answer for what is not there, or not for this caller.
pub fn not_found() -> Response {
    Refusal::from(ArchiveError::Absent(String::new())).into_response()
}

impl From<ArchiveError> for Refusal {
    fn from(error: ArchiveError) -> Refusal {
        let text = error.to_string();
        let refuse = |status, hint: &str| Refusal::new(status, text.clone(), hint);
        match error {
            // The path is left out, so that every such answer is the same to the byte.
            ArchiveError::Absent(_) => Refusal::new(
                StatusCode::NOT_FOUND,
                "there is nothing here, or nothing that you may see",
                "check the path; ask an admin if you should see it",
            ),
            ArchiveError::Denied { error, hint } => {
                Refusal::new(StatusCode::FORBIDDEN, error, hint)
            }
            ArchiveError::Invalid(Invalid { error, field, hint }) => Refusal {
                status: StatusCode::BAD_REQUEST,
                error,
                field,
                hint,
                again: None,
            },
            ArchiveError::Conflict { error, hint } => {
                Refusal::new(StatusCode::CONFLICT, error, hint)
            }
            ArchiveError::Precondition(_) => refuse(
                StatusCode::PRECONDITION_FAILED,
                "read what is there and decide again",
            ),
            ArchiveError::TooLarge { .. } => {
                refuse(StatusCode::PAYLOAD_TOO_LARGE, "send a smaller file")
            }
            ArchiveError::WrongKind { error, hint } => {
                Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, error, hint)
            }
            ArchiveError::CutOff(_) => refuse(StatusCode::BAD_REQUEST, "send it again, whole"),
            ArchiveError::Full(why) => Refusal::new(
                StatusCode::INSUFFICIENT_STORAGE,
                format!("the archive's disk is full: {why}"),
                "nothing of this upload was kept; make room and send it again",
            ),
            ArchiveError::TooManyGuesses(wait) => Refusal::too_many_failures(wait),
            ArchiveError::Busy(_) | ArchiveError::InUse(_) => {
                refuse(StatusCode::SERVICE_UNAVAILABLE, "try again in a moment")
            }
            ArchiveError::Fault(why) | ArchiveError::Broken(why) => {
                tracing::error!(%why, "a request failed");
                Refusal::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the archive failed",
                    "the server's log says why",
                )
            }
        }
    }
}

impl From<PathError> for Refusal {
    fn from(error: PathError) -> Refusal {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            error: error.to_string(),
            field: "path".to_owned(),
            hint: "write /company/ledger/period/type/number/, percent-encoded UTF-8".to_owned(),
            again: None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal {
            status,
            error,
            field,
            hint,
            again,
        } = self;
        let body = Json(json!({"error": error, "field": field, "hint": hint}));
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            let challenge =
                HeaderValue::from_static("Basic realm=\"Vouchsafe\", charset=\"UTF-8\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        let again = again.or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(1));
        if let Some(again) = again {
            headers.insert(RETRY_AFTER, HeaderValue::from(again));
        }
        response
    }
}
