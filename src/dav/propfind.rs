//! PROPFIND. Rows are written straight from pages of the index while the client reads, so that a
//! folder of any size costs the same memory.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use quick_xml::NsReader;
use quick_xml::events::Event;
use quick_xml::name::ResolveResult;

use super::path::{encode, encode_step};
use super::property::{DAV, Property, RowWriter, Selection};
use super::{Asked, Share};
use crate::archive::{Archive, ArchiveError, Caller, Child, Children, Node, Rights};
use crate::catalog::TreePath;
use crate::http::text;
use crate::http::{Refusal, blocking, streamed, whole};

/// Longest body, in bytes.
const BODY_MAX_BYTES: usize = 64 << 10;
/// Most properties in one request.
const PROPERTIES_MAX: usize = 200;
/// Deepest nesting of elements.
const DEPTH_MAX: usize = 16;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:multistatus xmlns:D=\"DAV:\">\n";
const TAIL: &str = "</D:multistatus>\n";

pub async fn answer(share: Share, asked: Asked, mut body: Body) -> Result<Response, Refusal> {
    let below = match text(&asked.headers, "depth").map(str::trim) {
        Some("0") => false,
        // Without the header the RFC means infinity, which no client that leaves it out wants.
        Some("1") | None => true,
        Some(depth) if depth.eq_ignore_ascii_case("infinity") => return Ok(too_deep()),
        Some(_) => return Err(bad("the Depth header is neither 0 nor 1")),
    };
    let request = whole(&mut body, "the request", BODY_MAX_BYTES).await?;
    let selection = parse(&request)?;
    let locks = match selection.wants(Property::LockDiscovery) {
        true => share.locks.discover(&asked.who.caller, &asked.path),
        false => String::new(),
    };
    blocking(move || {
        let listing = Listing::new(
            share.archive,
            asked.who.caller,
            asked.path,
            selection,
            below,
        );
        Ok(listing.start(&locks)?)
    })
    .await
}

fn multistatus(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/xml; charset=utf-8"),
        (header::CACHE_CONTROL, "private, no-cache"),
    ];
    (StatusCode::MULTI_STATUS, headers, body).into_response()
}

/// RFC 4918, section 9.1: the precondition code for a listing without end.
fn too_deep() -> Response {
    let body = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
        <D:error xmlns:D=\"DAV:\"><D:propfind-finite-depth/></D:error>\n";
    let headers = [(header::CONTENT_TYPE, "application/xml; charset=utf-8")];
    (StatusCode::FORBIDDEN, headers, body).into_response()
}

fn bad(error: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, error, "see RFC 4918, section 9.1")
}

/// A listing on its way out.
struct Listing {
    archive: Arc<Archive>,
    caller: Caller,
    path: TreePath,
    /// URL of the folder, ending with a slash.
    folder: String,
    rows: RowWriter,
    /// What is below the place and still to be told; none where only the place itself is asked for.
    children: Option<Children>,
}

impl Listing {
    fn new(
        archive: Arc<Archive>,
        caller: Caller,
        path: TreePath,
        selection: Selection,
        below: bool,
    ) -> Listing {
        Listing {
            folder: encode(&path) + "/",
            archive,
            children: below.then(|| Children::of(caller.clone(), path.clone())),
            caller,
            path,
            rows: RowWriter::new(&selection),
        }
    }

    /// Writes the first page, and sends it whole if it is the only one.
    fn start(mut self, locks: &str) -> Result<Response, ArchiveError> {
        let node = self
            .archive
            .records()
            .node(&self.caller, &self.path, None)?;
        let mut out = HEAD.to_owned();
        let folder = matches!(node, Node::Folder { .. });
        let url = if folder {
            &self.folder
        } else {
            self.folder.trim_end_matches('/')
        };
        let rights = match self.rows.has(Property::Privileges) {
            true => self.rights(&self.path),
            false => Rights::default(),
        };
        let name = self.path.name();
        self.rows.row(&mut out, url, name, &node, (locks, rights));
        let Some(mut children) = self.children.take_if(|_| folder) else {
            out.push_str(TAIL);
            return Ok(multistatus(Body::from(out)));
        };
        self.page(&mut children, &mut out)?;
        if !children.has_more() {
            return Ok(multistatus(Body::from(out)));
        }
        let mut first = Some(out);
        let to = (Arc::clone(&self.archive), self.caller.clone());
        Ok(multistatus(streamed(to, move || {
            let mut out = first.take().unwrap_or_default();
            if out.is_empty() {
                if !children.has_more() {
                    return Ok(None);
                }
                self.page(&mut children, &mut out)?;
            }
            Ok(Some(Bytes::from(out)))
        })))
    }

    /// Writes the next page, and the end after the last.
    fn page(&mut self, children: &mut Children, out: &mut String) -> Result<(), ArchiveError> {
        let page = children.page(self.archive.records())?;
        out.reserve(page.len() * 320);
        let mut href = self.folder.clone();
        let tells_rights = self.rows.has(Property::Privileges);
        for Child { name, node } in page {
            href.truncate(self.folder.len());
            encode_step(&mut href, &name);
            if matches!(node, Node::Folder { .. }) {
                href.push('/');
            }
            let rights = match tells_rights {
                true => self.rights(&self.path.child(&name)),
                false => Rights::default(),
            };
            self.rows.row(out, &href, &name, &node, ("", rights));
        }
        if !children.has_more() {
            out.push_str(TAIL);
        }
        Ok(())
    }

    /// What the caller may do at a place.
    fn rights(&self, path: &TreePath) -> Rights {
        self.archive.records().rights(&self.caller, path)
    }
}

/// Reads the body of a PROPFIND; an empty one asks for all properties.
fn parse(body: &[u8]) -> Result<Selection, Refusal> {
    let malformed = || bad("the request's body is not the XML of a PROPFIND");
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Selection::All);
    }
    let mut reader = NsReader::from_reader(body);
    reader.config_mut().trim_text(true);
    let (mut path, mut found) = (Vec::new(), None);
    loop {
        let (namespace, event) = reader.read_resolved_event().map_err(|_| malformed())?;
        let (element, ends) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(_) => {
                path.pop();
                continue;
            }
            // Entities of a document type can be made to grow without end.
            Event::DocType(_) => return Err(bad("a document type is not read")),
            Event::Eof => break,
            _ => continue,
        };
        let namespace = match namespace {
            ResolveResult::Bound(namespace) => utf8(namespace.into_inner())?,
            ResolveResult::Unbound => String::new(),
            ResolveResult::Unknown(_) => return Err(bad("a namespace prefix is not declared")),
        };
        let name = utf8(element.local_name().into_inner())?;
        take(&path, &namespace, &name, &mut found)?;
        if !ends {
            path.push((namespace == DAV).then_some(name));
            if path.len() > DEPTH_MAX {
                return Err(bad("the request's body is nested too deep"));
            }
        }
    }
    found.filter(|_| path.is_empty()).ok_or_else(malformed)
}

fn utf8(bytes: &[u8]) -> Result<String, Refusal> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned)
        .map_err(|_| bad("the request's body is not UTF-8"))
}

/// Takes in one element, whose ancestors (those of the `DAV:` namespace by name) are `path`.
fn take(
    path: &[Option<String>],
    namespace: &str,
    name: &str,
    found: &mut Option<Selection>,
) -> Result<(), Refusal> {
    let ancestors: Vec<&str> = path
        .iter()
        .map(|name| name.as_deref().unwrap_or(""))
        .collect();
    match (ancestors.as_slice(), namespace, name) {
        ([], DAV, "propfind") => {}
        ([], ..) => return Err(bad("the request's body is no propfind element")),
        (["propfind"], DAV, "allprop") => *found = Some(Selection::All),
        (["propfind"], DAV, "propname") => *found = Some(Selection::Names),
        (["propfind"], DAV, "prop") => {
            found.get_or_insert_with(|| Selection::These(Vec::new(), Vec::new()));
        }
        (["propfind", "prop"], ..) => {
            if let Some(Selection::These(known, unknown)) = found {
                let property = (namespace == DAV).then(|| Property::parse(name)).flatten();
                match property {
                    Some(property) if known.contains(&property) => {}
                    Some(property) => known.push(property),
                    None => unknown.push((namespace.to_owned(), name.to_owned())),
                }
                if unknown.len() > PROPERTIES_MAX {
                    return Err(bad("too many properties"));
                }
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn status(body: &str) -> StatusCode {
        parse(body.as_bytes()).map_or_else(|refusal| refusal.status(), |_| StatusCode::OK)
    }

    #[test]
    fn requests_are_read_whatever_their_prefixes() {
        let body = "<?xml version=\"1.0\"?><propfind xmlns=\"DAV:\"><prop><getetag/>\
            <x:color xmlns:x=\"urn:x\"/><resourcetype/></prop></propfind>";
        let expected = Selection::These(
            vec![Property::EntityTag, Property::ResourceType],
            vec![("urn:x".to_owned(), "color".to_owned())],
        );
        assert_eq!(parse(body.as_bytes()).unwrap(), expected);
        let all = "<a:propfind xmlns:a='DAV:'><a:allprop/></a:propfind>";
        assert_eq!(parse(all.as_bytes()).unwrap(), Selection::All);
        assert_eq!(parse(b" \n").unwrap(), Selection::All);
    }

    #[test]
    fn what_is_no_propfind_is_refused() {
        for body in [
            "<foo>",
            "text",
            "<D:propfind xmlns:D='DAV:'>",
            "<D:propfind><D:allprop/></D:propfind>",
            "<D:lockinfo xmlns:D='DAV:'/>",
            "<D:propfind xmlns:D='DAV:'/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><D:propfind xmlns:D='DAV:'><D:allprop/></D:propfind>",
        ] {
            assert_eq!(status(body), StatusCode::BAD_REQUEST, "{body}");
        }
        let deep = "<D:propfind xmlns:D='DAV:'>".to_owned() + &"<D:a>".repeat(100);
        assert_eq!(status(&deep), StatusCode::BAD_REQUEST);
    }

    proptest! {
        #[test]
        fn hostile_bodies_never_panic(body in "(<|>|/|D:|propfind|prop| xmlns:D='DAV:'|&x;|\\PC){0,30}") {
            let _ = status(&body);
        }
    }
}
