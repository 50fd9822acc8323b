//! The program `vouchsafe`; what it can do is in [`vouchsafe::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    vouchsafe::cli::run()
}
