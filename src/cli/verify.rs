use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use vouchsafe_evidence::bag::verify_directory;
use vouchsafe_evidence::entry::Entry;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::note::Note;
use vouchsafe_evidence::report::{Fault, Report};
use vouchsafe_evidence::verify::Options;

use super::{Failure, terminal};
use crate::archive::{self, ArchiveError};

#[derive(Args)]
#[command(
    after_help = "Names the first thing that is wrong by its number in the log and its path.\n\n\
    Example: vouchsafe verify /srv/archive --key \"$(cat vkey-kept-elsewhere)\""
)]
pub struct Arguments {
    /// An archive's folder (also while it is served), or an exported folder
    target: PathBuf,
    /// The log's verifier key, kept elsewhere than in TARGET (text or file)
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
    /// A file with a checkpoint that was kept: proves that the log has only grown since
    #[arg(long, value_name = "CHECKPOINT")]
    since: Option<PathBuf>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let key = arguments.key.as_deref().map(key).transpose()?;
    let since = match &arguments.since {
        Some(file) => Some(fs::read(file).map_err(|error| Failure::io(file, &error))?),
        None => None,
    };
    if let (Some(file), Some(note)) = (&arguments.since, &since)
        && Note::parse(note).is_err()
    {
        return Err(Failure::Wrong(format!(
            "--since {}: not a checkpoint",
            file.display()
        )));
    }
    let progress = terminal::Progress::new("verifying");
    let mut ignore = |_: &Entry| {};
    let options = Options {
        key,
        since,
        progress: &|done, of| progress.at(done, of),
        ..Options::new(&mut ignore)
    };
    let report = check(&arguments.target, options)?;
    drop(progress);
    if arguments.json {
        terminal::print_json(&report)?;
    } else {
        terminal::print_line(&report.to_string())?;
    }
    if report.ok {
        return Ok(());
    }
    Err(Failure::No(String::new()))
}

fn key(text: &str) -> Result<VerifierKey, Failure> {
    let content = fs::read_to_string(text);
    VerifierKey::parse(content.as_deref().unwrap_or(text))
        .map_err(|error| Failure::Wrong(format!("--key: {error}")))
}

fn check(target: &Path, options: Options<'_>) -> Result<Report, Failure> {
    if target.join("data/log").is_dir() {
        return Ok(verify_directory(target, options));
    }
    if !target.join("store").is_dir() {
        return Err(Failure::Wrong(format!(
            "{} is neither an archive nor an exported folder",
            target.display()
        )));
    }
    match archive::verify(target, options) {
        // A store that cannot be opened because it is damaged is an answer: not well.
        Err(ArchiveError::Broken(what)) => {
            let mut report = Report::default();
            report.fault(Fault {
                seq: None,
                path: target.join("store").display().to_string(),
                what: "store".to_owned(),
                expected: "files as they were written".to_owned(),
                found: what,
            });
            Ok(report)
        }
        outcome => Ok(outcome?),
    }
}
