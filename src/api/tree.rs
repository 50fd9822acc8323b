//! Folders of the tree as JSON, and what the caller may do at a place.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{AtPath, given, place};
use crate::archive::{Archive, Children, Node};
use crate::catalog::TreePath;
use crate::http::{Peer, Refusal, authenticate, blocking};

/// A folder that is asked for, and from where on.
#[derive(Deserialize)]
pub struct Folder {
    path: String,
    #[serde(default)]
    after: String,
}

fn told(name: &str, node: &Node) -> Value {
    match node {
        Node::Folder { modified, .. } => {
            json!({"name": name, "folder": true, "modified": modified})
        }
        Node::File(file) => json!({
            "name": name, "folder": false, "modified": file.modified, "size": file.size,
            "media_type": file.media_type, "etag": file.etag,
        }),
    }
}

/// What is directly below a place, as the caller sees it.
pub async fn children(
    State(archive): State<Arc<Archive>>,
    asked: Result<Query<Folder>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let Folder { path, after } = given(asked)?;
    let path = TreePath::parse(&path)?;
    let told = blocking(move || {
        let records = archive.records();
        records.node(&who.caller, &path, None)?;
        let mut children = Children::after(who.caller, path.clone(), after);
        let page = children.page(records)?;
        let next = page.last().filter(|_| children.has_more());
        let next = next.map(|child| child.name.clone());
        let children = page.iter().map(|child| told(&child.name, &child.node));
        let children: Vec<Value> = children.collect();
        Ok(json!({"path": path.to_string(), "children": children, "next": next}))
    });
    Ok(Json(told.await?).into_response())
}

/// What the caller may do at a place that they see.
pub async fn rights(
    State(archive): State<Arc<Archive>>,
    asked: Result<Query<AtPath>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let path = place(asked)?;
    let rights = blocking(move || {
        let records = archive.records();
        records.node(&who.caller, &path, None)?;
        Ok(records.rights(&who.caller, &path))
    });
    Ok(Json(rights.await?).into_response())
}
