use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::control::{Change, change};
use super::grant::moment;
use super::{Failure, terminal};

#[derive(Subcommand)]
#[command(after_help = "Example: vouchsafe token add erp --archive /srv/archive")]
pub enum Command {
    /// Make a token with which a user signs in instead of the password; it is shown once
    #[command(
        after_help = "Example: vouchsafe token add erp --archive /srv/archive --until 2025-12-31 --scope '/acme/'"
    )]
    Add(Add),
}

#[derive(Args)]
pub struct Add {
    /// The user
    name: String,
    /// The archive's folder
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// Until when it holds: a day (its start in UTC) or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The only part of the tree that it is for, such as '/acme/*/'; all that the user may, unless said
    #[arg(long)]
    scope: Option<String>,
}

pub fn run(command: Command) -> Result<(), Failure> {
    let Command::Add(Add {
        name,
        archive,
        until,
        scope,
    }) = command;
    let until = until
        .as_deref()
        .map(|text| moment("--until", text))
        .transpose()?;
    terminal::print_line(&change(&archive, Change::AddToken { name, until, scope })?)
}
