use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::control::{Change, change};
use super::{Failure, terminal};
use crate::access::Time;
use crate::archive::Records;

#[derive(Subcommand)]
#[command(after_help = "Example: vouchsafe user add ann --archive /srv/archive")]
pub enum Command {
    /// Add somebody; the password comes from VOUCHSAFE_PASSWORD or a prompt
    #[command(after_help = "Example: vouchsafe user add ann --archive /srv/archive")]
    Add(Named),
    /// Show everybody
    #[command(after_help = "Example: vouchsafe user list --archive /srv/archive --json")]
    List(List),
    /// Give somebody a new password
    #[command(
        after_help = "The old password, from VOUCHSAFE_OLD_PASSWORD or a prompt, keeps their signing key. Where it is \
        forgotten, leave it empty: the next signature makes a new key, and old signatures stay valid.\n\n\
        Example: vouchsafe user passwd ann --archive /srv/archive"
    )]
    Passwd(Named),
    /// End somebody's access; what they did stays theirs
    #[command(after_help = "Example: vouchsafe user disable ann --archive /srv/archive")]
    Disable(Named),
}

#[derive(Args)]
pub struct Named {
    /// The name with which they sign in
    name: String,
    /// The archive's folder
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
}

#[derive(Args)]
pub struct List {
    /// The archive's folder
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    name: &'a str,
    added: Time,
    disabled: Option<Time>,
}

pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(Named { name, archive }) => {
            let password = terminal::new_password(&name)?;
            let asked = Change::AddUser {
                name: name.clone(),
                password,
            };
            let id = change(&archive, asked)?;
            terminal::print_line(&format!("added {name} ({id})"))
        }
        Command::Passwd(Named { name, archive }) => {
            let old = terminal::old_password(&name)?;
            let password = terminal::new_password(&name)?;
            let asked = Change::NewPassword {
                name: name.clone(),
                old,
                password,
            };
            change(&archive, asked)?;
            terminal::print_line(&format!("{name} has a new password"))
        }
        Command::Disable(Named { name, archive }) => {
            change(&archive, Change::DisableUser { name: name.clone() })?;
            terminal::print_line(&format!("{name} cannot sign in any more"))
        }
        Command::List(arguments) => list(&arguments),
    }
}

fn list(arguments: &List) -> Result<(), Failure> {
    let people = Records::open_to_read(&arguments.archive)?.people();
    let rows: Vec<Row<'_>> = people
        .users()
        .iter()
        .map(|user| Row {
            id: &user.id,
            name: &user.name,
            added: user.added,
            disabled: user.disabled,
        })
        .collect();
    if arguments.json {
        return terminal::print_json(&rows);
    }
    for row in rows {
        let disabled = if row.disabled.is_some() {
            "  disabled"
        } else {
            ""
        };
        terminal::print_line(&format!("{:<6} {}{disabled}", row.id, row.name))?;
    }
    Ok(())
}
