use std::path::PathBuf;

use clap::Args;

use super::{Failure, terminal};
use crate::archive::{BackupReport, backup, restore as restore_archive, system_clock};

#[derive(Args)]
#[command(
    after_help = "The copy is the archive as it was at one moment. It has the signing key, if the archive's \
    folder has it: keep it as you keep the archive.\n\n\
    Example: vouchsafe backup --archive /srv/archive --out /mnt/backup/2024-04-01"
)]
pub struct BackupArguments {
    /// The archive's folder (also while it is served)
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// The folder to make; it must be absent or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(
    after_help = "The backup is verified, and the restored log says that it was restored. What was acknowledged \
    after the backup is not in it.\n\n\
    Example: vouchsafe restore /mnt/backup/2024-04-01 --archive /srv/archive"
)]
pub struct RestoreArguments {
    /// The backup's folder
    backup: PathBuf,
    /// The folder to make; it must be absent or empty
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &BackupArguments) -> Result<(), Failure> {
    let progress = terminal::Progress::new("verifying the copy");
    let report = backup(&arguments.archive, &arguments.out, &|done, of| {
        progress.at(done, of);
    })?;
    drop(progress);
    let out = arguments.out.display();
    say(
        &report,
        arguments.json,
        &format!("copied and verified in {out}"),
    )
}

pub fn restore(arguments: &RestoreArguments) -> Result<(), Failure> {
    let progress = terminal::Progress::new("verifying the archive");
    let clock = system_clock();
    let report = restore_archive(&arguments.backup, &arguments.archive, clock, &|done, of| {
        progress.at(done, of);
    })?;
    drop(progress);
    let archive = arguments.archive.display();
    say(
        &report,
        arguments.json,
        &format!("restored and verified in {archive}"),
    )
}

fn say(report: &BackupReport, json: bool, what: &str) -> Result<(), Failure> {
    if json {
        return terminal::print_json(report);
    }
    terminal::print_line(&format!(
        "{} entries, {} objects, {} bytes of {} {what}",
        report.entries, report.objects, report.bytes, report.origin
    ))
}
