use std::path::PathBuf;

use clap::Args;

use super::{Failure, terminal};
use crate::access::Scope;
use crate::archive::export;

#[derive(Args)]
#[command(
    after_help = "The folder is a BagIt bag: vouchers, log, tiles and proofs. Check it with \
    `vouchsafe-verify DIR`.\n\nExample: vouchsafe export '/acme/*/2024-*/' --archive /srv/archive --out ./acme-2024"
)]
pub struct Arguments {
    /// A part of the tree, such as '/acme/*/2024-*/'; / is the whole archive with every entry
    scope: String,
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

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let scope = Scope::parse(&arguments.scope)
        .map_err(|error| Failure::Wrong(format!("SCOPE: {error}")))?;
    let progress = terminal::Progress::new("exporting");
    let report = export(&arguments.archive, &scope, &arguments.out, &|done, of| {
        progress.at(done, of);
    })?;
    drop(progress);
    if arguments.json {
        return terminal::print_json(&report);
    }
    terminal::print_line(&format!(
        "exported {} vouchers, {} of {} entries, {} objects, {} bytes to {}",
        report.vouchers,
        report.entries,
        report.size,
        report.objects,
        report.bytes,
        arguments.out.display()
    ))
}
