use std::path::PathBuf;

use clap::Args;
use vouchsafe_evidence::proof::EntryProof;

use super::{Failure, terminal};
use crate::archive::prove;

#[derive(Args)]
#[command(
    after_help = "Prints a C2SP tlog-proof: inclusion proof and checkpoint, with the entry itself as its extra \
    data.\nWhoever gets it with the voucher's files checks it with `vouchsafe-verify FOLDER`.\n\n\
    Example: vouchsafe prove /acme/gl/2024-03/payment/0001 --archive /srv/archive > voucher.tlog-proof"
)]
pub struct Arguments {
    /// A voucher's path, or that of one of its files
    path: String,
    /// The archive's folder (also while it is served)
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// The proof with entry and key as JSON, like the drive's proof.json
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (proof, key) = prove(&arguments.archive, &arguments.path)?;
    if arguments.json {
        return terminal::print_json(&EntryProof::new(proof, &key));
    }
    terminal::print_line(proof.to_text().trim_end_matches('\n'))
}
