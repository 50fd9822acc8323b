use std::path::PathBuf;
use std::str::FromStr as _;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::control::{Change, change};
use super::{Failure, terminal};
use crate::access::{Role, Time};
use crate::archive::{Records, rfc3339};

#[derive(Subcommand)]
#[command(
    after_help = "Example: vouchsafe grant add ann auditor '/acme/*/2024-*/' --archive /srv/archive"
)]
pub enum Command {
    /// Let somebody do something below a path
    #[command(
        after_help = "Example: vouchsafe grant add ann auditor '/acme/*/2024-*/' --archive /srv/archive"
    )]
    Add(Add),
    /// Show who may do what, now or at a time
    #[command(after_help = "Example: vouchsafe grant list --archive /srv/archive --at 2024-03-03")]
    List(List),
    /// Take a grant back
    #[command(after_help = "Example: vouchsafe grant revoke g3 --archive /srv/archive")]
    Revoke(Revoke),
}

#[derive(Args)]
pub struct Add {
    /// The user, or a group such as @accounting
    user: String,
    /// uploader, preparer, reviewer, viewer, auditor, compliance, archivist or admin
    #[arg(value_parser = role)]
    role: Role,
    /// A path with * for any name and first..last for ranges, such as '/acme/*/2024-01..2024-06/'
    scope: String,
    /// The archive's folder
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// From when it holds: a day (its start in UTC) or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Until when it holds
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(Args)]
pub struct List {
    /// The archive's folder
    #[arg(long, value_name = "DIR")]
    pub archive: PathBuf,
    /// Only what held at this time: a day (its start in UTC) or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

impl List {
    pub fn moment(&self) -> Result<Option<Time>, Failure> {
        self.at
            .as_deref()
            .map(|text| moment("--at", text))
            .transpose()
    }
}

#[derive(Args)]
pub struct Revoke {
    /// The grant, such as g3
    grant: String,
    /// The archive's folder
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
}

#[derive(Serialize)]
struct Row {
    id: String,
    user: String,
    role: Role,
    scope: String,
    from: Option<Time>,
    until: Option<Time>,
    added: Time,
    entry: u64,
    revoked: Option<Time>,
    revoked_entry: Option<u64>,
}

fn role(text: &str) -> Result<Role, String> {
    Role::parse(text).ok_or_else(|| {
        let names = Role::ALL.map(Role::name);
        format!("no such role; use one of {}", names.join(", "))
    })
}

/// A moment that somebody wrote on the command line.
pub fn moment(option: &str, text: &str) -> Result<Time, Failure> {
    let time = Timestamp::from_str(text).ok().or_else(|| {
        let day = Date::from_str(text).ok()?;
        TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok()
    });
    time.and_then(|time| Time::try_from(time.as_millisecond()).ok())
        .ok_or_else(|| {
            let hint = "write a day such as 2024-03-31, or a time such as 2024-03-31T08:00:00Z";
            Failure::Wrong(format!("{option}: {text} is no time\n  {hint}"))
        })
}

pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Add(arguments) => add(arguments),
        Command::List(arguments) => list(&arguments),
        Command::Revoke(Revoke { grant, archive }) => {
            let asked = Change::RevokeGrant {
                grant: grant.clone(),
            };
            change(&archive, asked)?;
            terminal::print_line(&format!("revoked {grant}"))
        }
    }
}

fn add(arguments: Add) -> Result<(), Failure> {
    let time = |option, text: &Option<String>| {
        text.as_deref().map(|text| moment(option, text)).transpose()
    };
    let asked = Change::AddGrant {
        from: time("--from", &arguments.from)?,
        until: time("--until", &arguments.until)?,
        user: arguments.user.clone(),
        role: arguments.role,
        scope: arguments.scope.clone(),
    };
    let id = change(&arguments.archive, asked)?;
    let (user, role) = (arguments.user, arguments.role.name());
    terminal::print_line(&format!("{id}: {user} is {role} of {}", arguments.scope))
}

fn list(arguments: &List) -> Result<(), Failure> {
    let at = arguments.moment()?;
    let people = Records::open_to_read(&arguments.archive)?.people();
    let shown = people.grants().iter().filter(|grant| match at {
        Some(at) => grant.held(at),
        None => grant.revoked.is_none(),
    });
    let rows: Vec<Row> = shown
        .map(|record| Row {
            id: record.id.clone(),
            user: people.name(&record.holder).to_owned(),
            role: record.grant.role,
            scope: record.grant.scope.to_string(),
            from: record.grant.from,
            until: record.grant.until,
            added: record.added,
            entry: record.entry,
            revoked: record.revoked,
            revoked_entry: record.revoked_entry,
        })
        .collect();
    if arguments.json {
        return terminal::print_json(&rows);
    }
    for row in rows {
        let (id, user, role) = (row.id, row.user, row.role.name());
        let limits: String = [("from", row.from), ("until", row.until)]
            .into_iter()
            .filter_map(|(word, time)| Some(format!("  {word} {}", rfc3339(time?))))
            .collect();
        let scope = row.scope;
        terminal::print_line(&format!("{id:<6} {user:<16} {role:<11} {scope}{limits}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_read_as_utc() {
        assert_eq!(moment("--at", "1970-01-02").unwrap(), 86_400_000);
        assert_eq!(moment("--at", "1970-01-01T01:00:00+01:00").unwrap(), 0);
        for text in ["", "yesterday", "2024-02-31", "1969-12-31"] {
            assert!(moment("--at", text).is_err(), "{text}");
        }
    }
}
