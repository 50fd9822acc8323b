use std::cell::RefCell;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;
use vouchsafe_evidence::checkpoint::Checkpoint;
use vouchsafe_evidence::entry::Entry;
use vouchsafe_evidence::folder::verify_path;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::note::Note;
use vouchsafe_evidence::published::Published;
use vouchsafe_evidence::report::{Fault, Report};
use vouchsafe_evidence::verify::{
    CHECKPOINT_TIMESTAMPED, Options, Source, check_clock, distinct, verify,
};

use super::remote::Remote;
use super::{Failure, terminal};
use crate::anchor::{Authority, read_timestamp};
use crate::archive::{self, ArchiveError};

/// Longest time-stamp or stamped checkpoint that is read, in bytes.
const STAMP_MAX_BYTES: u64 = 1 << 20;

#[derive(Args)]
#[command(
    after_help = "Names the first thing that is wrong by its number in the log and its path.\n\n\
    Example: vouchsafe verify /srv/archive --key \"$(cat vkey-kept-elsewhere)\"\n\
    Example: VOUCHSAFE_PASSWORD=... vouchsafe verify https://archive.example --user cleo"
)]
pub struct Arguments {
    /// An archive's folder (also while it is served), an exported folder, a mounted drive, the folder of one
    /// voucher with its proof, or the address of a server
    target: String,
    /// The log's verifier key, kept elsewhere than in TARGET (text or file); may be given several times
    #[arg(long = "key", value_name = "VKEY")]
    keys: Vec<String>,
    /// A file with a checkpoint that was kept: proves that the log has only grown since
    #[arg(long, value_name = "CHECKPOINT")]
    since: Option<PathBuf>,
    /// The verifier key of a witness whose cosignatures count (text or file)
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<String>,
    /// How many of these witnesses must have cosigned one checkpoint
    #[arg(long, value_name = "N", default_value_t = 0)]
    require: usize,
    /// Certificates (PEM) that the time-stamps must lead to
    #[arg(long, value_name = "FILE")]
    tsa: Option<PathBuf>,
    /// Draw every voucher again from its data and template, and compare (an archive's folder only)
    #[arg(long)]
    render: bool,
    /// Who signs in, where TARGET is a server; the password comes from VOUCHSAFE_PASSWORD or a prompt
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let keys = arguments.keys.iter().map(|text| key("--key", text));
    let witnesses = arguments
        .witnesses
        .iter()
        .map(|text| key("--witness", text));
    let (keys, witnesses) = (
        keys.collect::<Result<Vec<_>, _>>()?,
        witnesses.collect::<Result<Vec<_>, _>>()?,
    );
    if arguments.require > distinct(&witnesses).len() {
        let require = arguments.require;
        return Err(Failure::Wrong(format!(
            "--require {require} needs as many --witness keys"
        )));
    }
    let since = arguments.since.as_deref().map(checkpoint).transpose()?;
    let authority = arguments.tsa.as_deref().map(authority).transpose()?;
    let progress = terminal::Progress::new("verifying");
    let stamped = RefCell::new(Vec::new());
    let mut take = |entry: &Entry| {
        if entry.kind == CHECKPOINT_TIMESTAMPED {
            stamped.borrow_mut().push(entry.clone());
        }
    };
    let after = |source: &dyn Source, report: &mut Report| {
        check_timestamps(source, &stamped.borrow(), authority.as_ref(), report);
    };
    let options = Options {
        keys,
        witnesses,
        require: arguments.require,
        since,
        progress: &|done, of| progress.at(done, of),
        after: &after,
        ..Options::new(&mut take)
    };
    let report = check(arguments, options)?;
    drop(progress);
    if authority.is_some() && report.timestamps.is_none() {
        let target = &arguments.target;
        return Err(Failure::Wrong(format!(
            "--tsa: {target} has no log whose time-stamps could be judged"
        )));
    }
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

/// The verifier key that an option gives, as text or in a file.
pub fn key(option: &str, text: &str) -> Result<VerifierKey, Failure> {
    let content = fs::read_to_string(text);
    VerifierKey::parse(content.as_deref().unwrap_or(text))
        .map_err(|error| Failure::Wrong(format!("{option}: {error}")))
}

fn checkpoint(file: &Path) -> Result<Vec<u8>, Failure> {
    let note = fs::read(file).map_err(|error| Failure::io(file, &error))?;
    match Note::parse(&note) {
        Ok(_) => Ok(note),
        Err(_) => {
            let file = file.display();
            Err(Failure::Wrong(format!("--since {file}: not a checkpoint")))
        }
    }
}

fn authority(file: &Path) -> Result<Authority, Failure> {
    let pem = fs::read(file).map_err(|error| Failure::io(file, &error))?;
    Authority::from_pem(&pem)
        .map_err(|error| Failure::Wrong(format!("--tsa {}: {error}", file.display())))
}

fn check(arguments: &Arguments, options: Options<'_>) -> Result<Report, Failure> {
    let target = Path::new(&arguments.target);
    if target.join("store").is_dir() {
        return check_archive(target, options, arguments.render);
    }
    if arguments.render {
        let hint = "verify the archive's own folder, or leave --render out";
        return Err(Failure::Wrong(format!(
            "--render: {} is no archive's folder\n  {hint}",
            arguments.target
        )));
    }
    if Remote::is_url(&arguments.target) {
        let remote = Remote::new(&arguments.target, arguments.user.as_deref())?;
        let published = Published::new(remote);
        // A server that cannot be reached, or not by this user, is no broken log.
        if let Err(error) = published.verifier_key() {
            return Err(Failure::Machine(error.to_string()));
        }
        return Ok(verify(&published, options));
    }
    verify_path(target, options).ok_or_else(|| {
        Failure::Wrong(format!(
            "{} is no archive, no export, no mounted drive and no voucher with a proof",
            arguments.target
        ))
    })
}

fn check_archive(target: &Path, options: Options<'_>, redraw: bool) -> Result<Report, Failure> {
    match archive::verify(target, options, redraw) {
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

/// Holds every time-stamp in the log against the checkpoint that it stamps, and against the times of entries.
fn check_timestamps(
    source: &dyn Source,
    entries: &[Entry],
    authority: Option<&Authority>,
    report: &mut Report,
) {
    for entry in entries {
        let content = |number: usize| {
            let digest = entry.objects.get(number)?.blake3;
            let mut content = Vec::new();
            let object = source.object(&digest).ok()??;
            object
                .take(STAMP_MAX_BYTES)
                .read_to_end(&mut content)
                .ok()?;
            Some(content)
        };
        let (Some(note), Some(token)) = (content(0), content(1)) else {
            // That an object is missing has been reported already.
            continue;
        };
        *report.timestamps.get_or_insert(0) += 1;
        // That it is a checkpoint of this log is seen with the other anchors.
        let stamped = Note::parse(&note).ok();
        let stamped = stamped.and_then(|note| Checkpoint::parse_text(note.unverified_text()));
        let size = stamped.map_or(0, |checkpoint| checkpoint.size);
        match read_timestamp(&token, &note, authority) {
            Ok(stamp) => check_clock(source, size, &[stamp.time], report),
            Err(error) => report.fault(Fault {
                seq: Some(entry.seq),
                path: entry.path.clone(),
                what: "time-stamp".to_owned(),
                expected: "an answer of the authority about the checkpoint".to_owned(),
                found: error.to_string(),
            }),
        }
    }
    if authority.is_some() && report.timestamps.is_none() {
        report.timestamps = Some(0);
    }
}
