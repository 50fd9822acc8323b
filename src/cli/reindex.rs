use std::path::PathBuf;

use clap::Args;

use super::{Failure, terminal};
use crate::archive::{IndexDigest, reindex};

#[derive(Args)]
#[command(
    after_help = "The archive must not be served meanwhile. Exit status 1 says that the index was not what the \
    log says; it is now.\n\nExample: vouchsafe reindex --archive /srv/archive"
)]
pub struct Arguments {
    /// The archive's folder
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let progress = terminal::Progress::new("rebuilding the index");
    let report = reindex(&arguments.archive, &|done, of| progress.at(done, of))?;
    drop(progress);
    if arguments.json {
        terminal::print_json(&report)?;
    } else {
        let words = |index: &IndexDigest| {
            let IndexDigest {
                entries,
                rows,
                blake3,
            } = index;
            format!("{rows} rows of {entries} entries, BLAKE3 {blake3}")
        };
        terminal::print_line(&format!("found    {}", words(&report.before)))?;
        terminal::print_line(&format!("rebuilt  {}", words(&report.after)))?;
        let result = match report.same {
            true => "the same to the byte",
            false => "NOT the same; the rebuilt one is in its place",
        };
        terminal::print_line(&format!("result   {result}"))?;
    }
    match report.same {
        true => Ok(()),
        false => Err(Failure::No(String::new())),
    }
}
