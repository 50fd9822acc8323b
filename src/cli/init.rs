use std::path::PathBuf;

use clap::Args;

use super::{Failure, terminal};
use crate::archive::{Archive, system_clock};

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
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let password = terminal::new_password(&arguments.admin)?;
    Archive::create(&arguments.dir, &arguments.admin, &password, system_clock())?;
    let dir = arguments.dir.display();
    terminal::print_line(&format!(
        "made an archive in {dir}\nserve it with: vouchsafe serve --archive {dir}"
    ))
}
