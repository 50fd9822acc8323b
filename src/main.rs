//! The program `vouchsafe`; what it can do is in [`vouchsafe::cli`].

use std::process::ExitCode;

/// Verifying and listing make and drop millions of small pieces, on which the system's allocator spends a fifth
/// of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    vouchsafe::cli::run()
}
