use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use vouchsafe_evidence::key::KeyKind;
use vouchsafe_evidence::note::Note;
use vouchsafe_evidence::statement::Statement;

use super::key_file::{new_key, read_key};
use super::remote::Server;
use super::{Failure, terminal};
use crate::catalog::TreePath;
use crate::dav;
use crate::store::replace_file;

#[derive(Args)]
#[command(
    after_help = "The password comes from VOUCHSAFE_PASSWORD or a prompt. Without --key it opens the key that the archive \
    keeps sealed; with --key the statement is signed here, and the archive never has the key.\n\n\
    Example: vouchsafe review --new-key rita.key --server https://archive.example --user rita\n         \
    vouchsafe review /acme/gl/2024-03/payment/0001 --approve --key rita.key --server https://archive.example --user rita"
)]
pub struct Arguments {
    /// The voucher
    #[arg(required_unless_present = "new_key")]
    path: Option<String>,
    /// Address of the archive
    #[arg(long, value_name = "URL")]
    server: String,
    /// Who signs in
    #[arg(long, value_name = "NAME")]
    user: String,
    /// It is in order
    #[arg(long, conflicts_with = "reject")]
    approve: bool,
    /// It goes back
    #[arg(long)]
    reject: bool,
    /// Why: needed to reject, and to approve what is not complete
    #[arg(long, value_name = "TEXT", default_value = "")]
    comment: String,
    /// Sign with the key in this file
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Make a key in this new file, and let the archive know its public half
    #[arg(long, value_name = "FILE", conflicts_with_all = ["path", "approve", "reject", "key"])]
    new_key: Option<PathBuf>,
    /// What came of it as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let password = terminal::password(&arguments.user)?;
    let server = Server::new(&arguments.server, Some((&arguments.user, &password)))?;
    match (&arguments.new_key, &arguments.path) {
        (Some(file), _) => make(&server, file, &password),
        (None, Some(path)) => review(&server, arguments, path),
        // clap asks for one of them.
        (None, None) => Err(Failure::Wrong("name a voucher".to_owned())),
    }
}

fn make(server: &Server, file: &Path, password: &str) -> Result<(), Failure> {
    if file.exists() {
        let error = format!("{}: the file is there already", file.display());
        return Err(Failure::Wrong(error));
    }
    let own: Value = server.ask("GET", "/api/v1/session", None)?;
    let name = own["key_name"].as_str().unwrap_or_default();
    let key = new_key(name, KeyKind::Note)?;
    // Kept before it is known: a key that the archive waits for and nobody has would lock its owner out.
    replace_file(file, key.secret_text().as_bytes()).map_err(|error| Failure::io(file, &error))?;
    let vkey = key.verifier().to_string();
    let body = json!({"password": password, "vkey": vkey});
    server.ask("PUT", "/api/v1/own/key", Some(&body))?;
    terminal::print_line(&vkey)
}

fn review(server: &Server, arguments: &Arguments, path: &str) -> Result<(), Failure> {
    let decision = match (arguments.approve, arguments.reject) {
        (true, false) => "approve",
        (false, true) => "reject",
        _ => return Err(Failure::Wrong("say --approve or --reject".to_owned())),
    };
    let path = TreePath::parse(path.trim_end_matches('/'))
        .map_err(|error| Failure::Wrong(format!("{path}: {error}")))?;
    let url = dav::url(&path);
    let mut wish = json!({"decision": decision, "comment": arguments.comment});
    if let Some(file) = &arguments.key {
        let key = read_key(file, KeyKind::Note)?;
        let query = url.strip_prefix(dav::PREFIX).unwrap_or_default();
        let asked = server.ask(
            "POST",
            &format!("/api/v1/review-statement?path={query}"),
            Some(&wish),
        )?;
        let text = asked["statement"].as_str().unwrap_or_default();
        // What is signed must be what was asked for, whatever a server says.
        let stated = Statement::parse(text).map_err(|error| Failure::Machine(error.to_string()))?;
        let comment =
            vouchsafe_evidence::digest::Digest::sha256(arguments.comment.trim().as_bytes());
        if stated.path != path.to_string()
            || stated.decision.word() != decision
            || stated.comment != comment
        {
            let error = "the server asks for a signature under something else";
            return Err(Failure::No(error.to_owned()));
        }
        wish["note"] = Note::sign(text.to_owned(), &key, 0).to_string().into();
    }
    let file = format!("{url}/review.json");
    let answer = server.ask("PUT", &file, Some(&wish))?;
    if arguments.json {
        return terminal::print_json(&json!({
            "path": path.to_string(), "decision": decision, "review": answer["version"],
        }));
    }
    terminal::print_line(&format!("{path}: {decision}"))
}
