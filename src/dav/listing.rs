//! A folder in a browser: a plain page of links, for whoever opens the share without mounting it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::path::{encode, encode_step};
use super::property::escape;
use super::{Asked, Share};
use crate::archive::{Child, Children, Node};
use crate::http::streamed;

const HEADERS: [(header::HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    (header::CACHE_CONTROL, "private, no-cache"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'unsafe-inline'",
    ),
];

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;max-width:50rem;margin:3rem auto;\
    padding:0 1rem;color:#222}h1{font-size:1.2rem;font-weight:600}a{color:#0b57a4;text-decoration:\
    none}a:hover{text-decoration:underline}table{border-collapse:collapse;width:100%}td{padding:\
    .3rem 0;border-top:1px solid #e4e4e4}td+td{text-align:right;color:#666;font-variant-numeric:\
    tabular-nums}";

/// The head of the page, for HEAD.
pub fn head() -> Response {
    (HEADERS, Body::empty()).into_response()
}

/// The page, written while it is read.
pub fn page(share: Share, asked: Asked) -> Response {
    let url = encode(&asked.path) + "/";
    let mut start = Some(beginning(&asked));
    let to = (Arc::clone(&share.archive), asked.who.caller.clone());
    let mut children = Children::of(asked.who.caller, asked.path);
    let body = streamed(to, move || {
        if !children.has_more() {
            return Ok(None);
        }
        let page = children.page(share.archive.records())?;
        let mut out = start.take().unwrap_or_default();
        for child in &page {
            row(&mut out, &url, child);
        }
        if !children.has_more() {
            out.push_str("</table></body></html>\n");
        }
        Ok(Some(Bytes::from(out)))
    });
    (HEADERS, body).into_response()
}

fn beginning(asked: &Asked) -> String {
    let mut out = String::from("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width\"><title>");
    escape(&mut out, &asked.path.to_string());
    out.push_str("</title><style>");
    out.push_str(STYLE);
    out.push_str("</style></head><body><h1><a href=\"/dav/\">Vouchsafe</a>");
    let mut url = "/dav/".to_owned();
    for step in asked.path.segments() {
        encode_step(&mut url, step);
        url.push('/');
        link(&mut out, " / ", &url, step);
    }
    out.push_str("</h1><table>");
    out
}

fn link(out: &mut String, before: &str, url: &str, name: &str) {
    out.push_str(before);
    out.push_str("<a href=\"");
    out.push_str(url);
    out.push_str("\">");
    escape(out, name);
    out.push_str("</a>");
}

fn row(out: &mut String, folder: &str, child: &Child) {
    let mut url = folder.to_owned();
    encode_step(&mut url, &child.name);
    match &child.node {
        Node::Folder { .. } => {
            link(out, "<tr><td>", &format!("{url}/"), &child.name);
            out.push_str("</td><td></td></tr>");
        }
        Node::File(file) => {
            link(out, "<tr><td>", &url, &child.name);
            out.push_str(&format!("</td><td>{} bytes</td></tr>", file.size));
        }
    }
}
