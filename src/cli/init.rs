use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, terminal};
use crate::archive::{Archive, SigningProgram, system_clock};

#[derive(Args)]
#[command(
    after_help = "The password comes from VOUCHSAFE_PASSWORD or a prompt.\n\n\
    Example: vouchsafe init /srv/archive --admin root"
)]
pub struct Arguments {
    /// The folder to make; it must be absent or empty
    dir: PathBuf,
    /// Name of the first user, who may add others
    #[arg(long, value_name = "NAME")]
    admin: String,
    /// A program that has the signing key and signs for the log: a file with `vkey` and `command`
    #[arg(long, value_name = "FILE")]
    signer: Option<PathBuf>,
}

/// The signing program that a file describes.
pub fn signing_program(file: &Path) -> Result<SigningProgram, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::io(file, &error))?;
    Ok(SigningProgram::from_toml(&text)?)
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let password = terminal::new_password(&arguments.admin)?;
    let signer = arguments
        .signer
        .as_deref()
        .map(signing_program)
        .transpose()?;
    Archive::create(
        &arguments.dir,
        &arguments.admin,
        &password,
        signer,
        system_clock(),
    )?;
    let dir = arguments.dir.display();
    terminal::print_line(&format!(
        "made an archive in {dir}\nserve it with: vouchsafe serve --archive {dir}"
    ))
}
