//! The pages room: the files of `web/`, which ask everything else of `/api/v1/` and `/dav/` as any program could.
//!
//! It does not know who looks at them or what is in the archive.

use axum::Router;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::http::not_found;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const DRAWING: &str = "image/svg+xml";

/// Scripts and styles come from here alone, and nobody frames the pages: a text from a voucher can do nothing even if it
/// were taken for markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

macro_rules! file {
    ($name:literal, $kind:ident) => {
        ($name, $kind, include_str!(concat!("../../web/", $name)))
    };
}

/// Name, media type and content of every file.
const FILES: [(&str, &str, &str); 13] = [
    file!("index.html", HTML),
    file!("style.css", STYLE),
    file!("seal.svg", DRAWING),
    file!("ask.js", SCRIPT),
    file!("draw.js", SCRIPT),
    file!("key.js", SCRIPT),
    file!("main.js", SCRIPT),
    file!("own.js", SCRIPT),
    file!("queue.js", SCRIPT),
    file!("traces.js", SCRIPT),
    file!("tree.js", SCRIPT),
    file!("voucher.js", SCRIPT),
    file!("words.js", SCRIPT),
];

/// The routes of the pages.
pub fn routes() -> Router {
    Router::new()
        .route("/", get(|| async { file("index.html") }))
        .route("/page/{name}", get(named))
}

async fn named(Path(name): Path<String>) -> Response {
    file(&name)
}

fn file(name: &str) -> Response {
    let Some((_, kind, content)) = FILES.into_iter().find(|(known, ..)| *known == name) else {
        return not_found();
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-cache"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that is not listed is a page that does not load.
    #[test]
    fn every_file_is_served_and_every_import_is_there() {
        let on_disk = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/web")).unwrap();
        let mut on_disk: Vec<String> = on_disk
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        on_disk.sort();
        let mut served: Vec<&str> = FILES.iter().map(|(name, ..)| *name).collect();
        served.sort_unstable();
        assert_eq!(served, on_disk);
        for (name, _, content) in FILES {
            let imports = content.split("from \"./").skip(1);
            for import in imports.filter_map(|rest| rest.split('"').next()) {
                assert!(served.contains(&import), "{name} imports {import}");
            }
        }
    }
}
