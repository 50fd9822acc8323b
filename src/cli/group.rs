use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::control::{Change, change};
use super::grant::List;
use super::{Failure, terminal};
use crate::access::Time;
use crate::archive::Records;

#[derive(Subcommand)]
#[command(
    after_help = "What is granted to a group is granted to whoever is in it: vouchsafe grant add @accounting …\n\n\
    Example: vouchsafe group add @accounting ann --archive /srv/archive"
)]
pub enum Command {
    /// Put somebody into a group
    #[command(after_help = "Example: vouchsafe group add @accounting ann --archive /srv/archive")]
    Add(Membership),
    /// Take somebody out of a group
    #[command(
        after_help = "Example: vouchsafe group remove @accounting ann --archive /srv/archive"
    )]
    Remove(Membership),
    /// Show who is in which group, now or at a time
    #[command(after_help = "Example: vouchsafe group list --archive /srv/archive --at 2024-03-03")]
    List(List),
}

#[derive(Args)]
pub struct Membership {
    /// The group, such as @accounting
    group: String,
    /// The user
    user: String,
    /// The archive's folder
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
}

#[derive(Serialize)]
struct Row {
    group: String,
    user: String,
    added: Time,
    entry: u64,
    removed: Option<Time>,
}

pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(membership) => {
            let said = format!("{} is in {}", membership.user, membership.group);
            set(membership, true, &said)
        }
        Command::Remove(membership) => {
            let said = format!("{} is no longer in {}", membership.user, membership.group);
            set(membership, false, &said)
        }
        Command::List(arguments) => list(&arguments),
    }
}

fn set(membership: Membership, member: bool, said: &str) -> Result<(), Failure> {
    let Membership {
        group,
        user,
        archive,
    } = membership;
    let asked = Change::SetMember {
        group,
        user,
        member,
    };
    change(&archive, asked)?;
    terminal::print_line(said)
}

fn list(arguments: &List) -> Result<(), Failure> {
    let at = arguments.moment()?;
    let people = Records::open_to_read(&arguments.archive)?.people();
    let shown = people.memberships().iter().filter(|it| match at {
        Some(at) => it.held(at),
        None => it.removed.is_none(),
    });
    let rows: Vec<Row> = shown
        .map(|it| Row {
            group: it.group.clone(),
            user: people.name(&it.user).to_owned(),
            added: it.added,
            entry: it.entry,
            removed: it.removed,
        })
        .collect();
    if arguments.json {
        return terminal::print_json(&rows);
    }
    for row in rows {
        terminal::print_line(&format!("{:<16} {}", row.group, row.user))?;
    }
    Ok(())
}
