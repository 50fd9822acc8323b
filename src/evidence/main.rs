//! `vouchsafe-verify DIR`: the verifier alone, for those who audit it.

use std::path::PathBuf;
use std::process::ExitCode;

use vouchsafe_evidence::bag::verify_directory;
use vouchsafe_evidence::entry::Entry;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::verify::Options;

const HELP: &str = "\
Verifies an exported Vouchsafe folder without Vouchsafe.

Usage: vouchsafe-verify DIR [--key VKEY] [--since CHECKPOINT-FILE] [--json]

  --key VKEY     the log's verifier key, obtained elsewhere than from DIR (text or file)
  --since FILE   a checkpoint that you kept: proves that the log has only grown since
  --json         the report as JSON

Example: vouchsafe-verify ./export --key \"$(cat vkey-from-the-auditor)\"

Exit status: 0 all is well, 1 something is wrong, 2 wrong use or no exported folder.";

struct Arguments {
    target: PathBuf,
    key: Option<VerifierKey>,
    since: Option<Vec<u8>>,
    json: bool,
}

fn arguments() -> Result<Option<Arguments>, String> {
    let mut words = std::env::args().skip(1);
    let (mut target, mut key, mut since, mut json) = (None, None, None, false);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--json" => json = true,
            "--key" => {
                let text = value()?;
                let text = std::fs::read_to_string(&text).unwrap_or(text);
                key = Some(VerifierKey::parse(&text).map_err(|error| format!("--key: {error}"))?);
            }
            "--since" => {
                let file = value()?;
                since =
                    Some(std::fs::read(&file).map_err(|error| format!("--since {file}: {error}"))?);
            }
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            _ if target.is_none() => target = Some(PathBuf::from(word)),
            _ => return Err(format!("more than one folder: {word}")),
        }
    }
    let target = target.ok_or("name the folder to verify")?;
    Ok(Some(Arguments {
        target,
        key,
        since,
        json,
    }))
}

fn main() -> ExitCode {
    let arguments = match arguments() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("vouchsafe-verify: {error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    if !arguments.target.join("data/log").is_dir() {
        eprintln!(
            "vouchsafe-verify: {} is no exported folder: it has no data/log",
            arguments.target.display()
        );
        return ExitCode::from(2);
    }
    let mut ignore = |_: &Entry| {};
    let options = Options {
        key: arguments.key,
        since: arguments.since,
        ..Options::new(&mut ignore)
    };
    let report = verify_directory(&arguments.target, options);
    match serde_json::to_string(&report) {
        Ok(text) if arguments.json => println!("{text}"),
        _ => println!("{report}"),
    }
    ExitCode::from(u8::from(!report.ok))
}
