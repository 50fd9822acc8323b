//! `vouchsafe-verify TARGET`: the verifier alone, for those who audit it.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use vouchsafe_evidence::entry::Entry;
use vouchsafe_evidence::folder::verify_path;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::verify::{Options, distinct};

const HELP: &str = "\
Verifies a Vouchsafe log without Vouchsafe.

Usage: vouchsafe-verify TARGET [--key VKEY]... [--since CHECKPOINT-FILE]
                        [--witness VKEY]... [--require N] [--json]

  TARGET          an exported folder, a mounted drive, the folder of one voucher, or one proof
  --key VKEY      the log's verifier key, obtained elsewhere than from TARGET (text or file)
  --since FILE    a checkpoint that you kept: proves that the log has only grown since
  --witness VKEY  the verifier key of a witness whose cosignatures count (text or file)
  --require N     how many of them must have cosigned one checkpoint
  --json          the report as JSON

Example: vouchsafe-verify ./export --key \"$(cat vkey-from-the-auditor)\"

Exit status: 0 all is well, 1 something is wrong, 2 wrong use or nothing that can be verified.";

/// Progress is shown when the work lasts longer.
const PATIENCE: Duration = Duration::from_secs(1);

struct Arguments {
    target: PathBuf,
    keys: Vec<VerifierKey>,
    witnesses: Vec<VerifierKey>,
    require: usize,
    since: Option<Vec<u8>>,
    json: bool,
}

/// A key, or the key in the file of this name.
fn key(option: &str, text: String) -> Result<VerifierKey, String> {
    let text = std::fs::read_to_string(&text).unwrap_or(text);
    VerifierKey::parse(&text).map_err(|error| format!("{option}: {error}"))
}

fn arguments() -> Result<Option<Arguments>, String> {
    let mut words = std::env::args().skip(1);
    let (mut target, mut since, mut json) = (None, None, false);
    let (mut keys, mut witnesses, mut require) = (Vec::new(), Vec::new(), 0);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--help" | "-h" => return Ok(None),
            "--json" => json = true,
            "--key" => keys.push(key("--key", value()?)?),
            "--witness" => witnesses.push(key("--witness", value()?)?),
            "--require" => {
                let number = value()?.parse();
                require = number.map_err(|_| "--require needs a number".to_owned())?;
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
    if require > distinct(&witnesses).len() {
        return Err(format!("--require {require} needs as many --witness keys"));
    }
    let target = target.ok_or("name what to verify")?;
    Ok(Some(Arguments {
        target,
        keys,
        witnesses,
        require,
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
    let mut ignore = |_: &Entry| {};
    let started = Instant::now();
    let show = std::io::stderr().is_terminal();
    let progress = |done: u64, of: u64| {
        if show && started.elapsed() > PATIENCE {
            let percent = done * 100 / of.max(1);
            eprint!("\rverifying {percent:3} % of {of} entries ");
        }
    };
    let options = Options {
        keys: arguments.keys,
        witnesses: arguments.witnesses,
        require: arguments.require,
        since: arguments.since,
        progress: &progress,
        ..Options::new(&mut ignore)
    };
    let Some(report) = verify_path(&arguments.target, options) else {
        eprintln!(
            "vouchsafe-verify: {} is no export, no mounted drive and no voucher with a proof\n  an \
             archive's own folder is verified by `vouchsafe verify`",
            arguments.target.display()
        );
        return ExitCode::from(2);
    };
    if show && started.elapsed() > PATIENCE {
        eprintln!();
    }
    match serde_json::to_string(&report) {
        Ok(text) if arguments.json => println!("{text}"),
        _ => println!("{report}"),
    }
    ExitCode::from(u8::from(!report.ok))
}
