//! Who looked at what, as JSON, CSV or NDJSON; who looked at unusually much; and who could see a place at a time.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;
use serde_json::json;

use super::given;
use crate::access::Time;
use crate::archive::{Archive, ArchiveError, Trace, TracesOf, Unusual};
use crate::catalog::TreePath;
use crate::http::{Peer, Refusal, authenticate, blocking, streamed};
use crate::voucher::Invalid;

/// Longest time over which bursts are looked for where none is said: 30 days, in milliseconds.
const LOOK_BACK_MS: Time = 30 * 24 * 60 * 60 * 1_000;

/// Longest time of a burst, in minutes.
const MINUTES_MAX: u32 = 24 * 60;

#[derive(Deserialize)]
pub struct Asked {
    path: Option<String>,
    user: Option<String>,
    #[serde(default)]
    after: String,
    form: Option<String>,
}

/// How traces are written.
enum Form {
    Json,
    Csv,
    Ndjson,
}

fn invalid(field: &str, error: &str, hint: &str) -> Refusal {
    ArchiveError::from(Invalid::new(field, error, hint)).into()
}

fn read(asked: Asked) -> Result<(TracesOf, Form, String), Refusal> {
    let of = match (asked.path, asked.user) {
        (Some(path), None) => TracesOf::Place(TreePath::parse(&path)?),
        (None, Some(user)) => TracesOf::User(user),
        _ => {
            let hint = "ask for ?path=/company/ledger/period/type/number or for ?user=name";
            return Err(invalid("path", "neither a path nor a user, or both", hint));
        }
    };
    let form = match asked.form.as_deref() {
        None | Some("json") => Form::Json,
        Some("csv") => Form::Csv,
        Some("ndjson") => Form::Ndjson,
        Some(_) => {
            return Err(invalid(
                "form",
                "no such form",
                "ask for json, csv or ndjson",
            ));
        }
    };
    Ok((of, form, asked.after))
}

/// A text that no spreadsheet takes for a formula: what a client calls itself is written by whoever it is (OWASP, CSV
/// injection).
fn harmless(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

fn csv(traces: &[Trace], heading: bool) -> Result<Vec<u8>, ArchiveError> {
    let fault = |error: &dyn std::fmt::Display| ArchiveError::Fault(format!("CSV: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    if heading {
        let names = [
            "entry", "time", "user", "name", "path", "file", "blake3", "from", "client", "view",
        ];
        writer.write_record(names).map_err(|error| fault(&error))?;
    }
    for trace in traces {
        let row = [
            trace.entry.to_string(),
            trace.time.clone(),
            trace.user.clone(),
            harmless(&trace.name),
            harmless(&trace.path),
            trace.file.clone(),
            trace.blake3.to_string(),
            harmless(&trace.from),
            harmless(&trace.client),
            trace.view.clone().unwrap_or_default(),
        ];
        writer.write_record(row).map_err(|error| fault(&error))?;
    }
    writer.into_inner().map_err(|error| fault(&error))
}

fn ndjson(traces: &[Trace]) -> Result<Vec<u8>, ArchiveError> {
    let mut lines = Vec::new();
    for trace in traces {
        serde_json::to_writer(&mut lines, trace)
            .map_err(|error| ArchiveError::Fault(error.to_string()))?;
        lines.push(b'\n');
    }
    Ok(lines)
}

/// Who looked at a voucher or below a folder (`path`), or at what somebody looked (`user`). As JSON in pages, as CSV and
/// NDJSON whole.
pub async fn traces(
    State(archive): State<Arc<Archive>>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let (of, form, after) = read(given(asked)?)?;
    blocking(move || {
        // Read before the answer begins, so that a refusal is one.
        let (traces, next) = archive.records().traces(&who.caller, &of, &after)?;
        let kind = match form {
            Form::Json => return Ok(Json(json!({"traces": traces, "next": next})).into_response()),
            Form::Csv => "text/csv; charset=utf-8; header=present",
            Form::Ndjson => "application/x-ndjson",
        };
        let is_csv = matches!(form, Form::Csv);
        let mut page = Some((traces, next, true));
        let to = (Arc::clone(&archive), who.caller.clone());
        let body = streamed(to, move || {
            let Some((traces, next, first)) = page.take() else {
                return Ok(None);
            };
            let piece = match is_csv {
                true => csv(&traces, first)?,
                false => ndjson(&traces)?,
            };
            if let Some(next) = next {
                let (traces, next) = archive.records().traces(&who.caller, &of, &next)?;
                page = Some((traces, next, false));
            }
            Ok(Some(Bytes::from(piece)))
        });
        let name = format!(
            "attachment; filename=\"traces.{}\"",
            if is_csv { "csv" } else { "ndjson" }
        );
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_DISPOSITION, name.as_str()),
        ];
        Ok((headers, body).into_response())
    })
    .await
}

#[derive(Deserialize)]
pub struct Bursts {
    since: Option<String>,
    vouchers: Option<usize>,
    minutes: Option<u32>,
}

/// A moment as programs write it.
fn moment(field: &str, text: &str) -> Result<Time, Refusal> {
    let time: Option<jiff::Timestamp> = text.parse().ok();
    time.and_then(|time| Time::try_from(time.as_millisecond()).ok())
        .ok_or_else(|| {
            invalid(
                field,
                "not a time",
                "write it by RFC 3339, as 2024-03-03T00:00:00Z",
            )
        })
}

/// Who looked at unusually many vouchers.
pub async fn bursts(
    State(archive): State<Arc<Archive>>,
    asked: Result<Query<Bursts>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let asked = given(asked)?;
    let usual = Unusual::default();
    let unusual = Unusual {
        vouchers: asked.vouchers.unwrap_or(usual.vouchers),
        within: asked.minutes.map_or(usual.within, |minutes| {
            Time::from(minutes.clamp(1, MINUTES_MAX)) * 60_000
        }),
    };
    let since = match asked.since {
        Some(text) => moment("since", &text)?,
        None => archive.now().saturating_sub(LOOK_BACK_MS),
    };
    let bursts =
        blocking(move || Ok(archive.records().bursts(&who.caller, since, unusual)?)).await?;
    Ok(Json(json!({"bursts": bursts})).into_response())
}

#[derive(Deserialize)]
pub struct AtTime {
    path: String,
    at: Option<String>,
}

/// Who could see a place at a time, or can now, with the proof.
pub async fn access(
    State(archive): State<Arc<Archive>>,
    asked: Result<Query<AtTime>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let AtTime { path, at } = given(asked)?;
    let path = TreePath::parse(&path)?;
    let at = match at {
        Some(text) => moment("at", &text)?,
        None => archive.now(),
    };
    let access = blocking(move || Ok(archive.records().access_at(&who.caller, &path, at)?)).await?;
    Ok(Json(access).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_evidence::digest::Digest;

    #[test]
    fn a_client_cannot_write_a_formula_into_a_spreadsheet() {
        let trace = Trace {
            entry: 7,
            time: "2026-11-25T00:00:00.000Z".to_owned(),
            user: "u3".to_owned(),
            name: "ann".to_owned(),
            path: "/acme/gl/2024-03/payment/0001".to_owned(),
            file: "voucher.png".to_owned(),
            blake3: Digest::blake3(b""),
            from: "::1".to_owned(),
            client: "=HYPERLINK(\"http://x\"), \"y\"".to_owned(),
            view: None,
        };
        let text = String::from_utf8(csv(&[trace], true).unwrap()).unwrap();
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("entry,time,user"));
        let row = lines.next().unwrap();
        assert!(
            row.ends_with(r#","'=HYPERLINK(""http://x""), ""y""","#),
            "{row}"
        );
    }
}
