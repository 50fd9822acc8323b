//! The cli room: the command line, one file a command. It reads arguments, calls the archive, and says
//! what came of it.

mod control;
mod demo;
mod export;
mod failure;
mod grant;
mod init;
mod render;
mod sample;
mod serve;
mod terminal;
mod token;
mod user;
mod verify;
mod walk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// An archive of electronic accounting vouchers whose log anyone can verify.
#[derive(Parser)]
#[command(name = "vouchsafe", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit status: 0 done and all is well, 1 the answer is no, 2 wrong use or bad \
    input, 3 the machine failed.\n\nExample: vouchsafe demo"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a sample archive and serve it; or walk through it as each kind of user
    Demo(demo::Arguments),
    /// Make a new, empty archive
    Init(init::Arguments),
    /// Serve an archive
    Serve(serve::Arguments),
    /// People
    #[command(subcommand)]
    User(user::Command),
    /// Tokens for ERP systems
    #[command(subcommand)]
    Token(token::Command),
    /// Who may do what, where
    #[command(subcommand)]
    Grant(grant::Command),
    /// Draw a voucher without an archive
    Render(render::Arguments),
    /// Check an archive or an exported folder
    Verify(verify::Arguments),
    /// Write a part of an archive to a folder that verifies offline
    Export(export::Arguments),
}

/// Reads the arguments, does what they say, and gives the exit status of CONTRACT.md.
pub fn run() -> ExitCode {
    terminal::start_log();
    let outcome = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::User(command) => user::run(command),
        Command::Token(command) => token::run(command),
        Command::Grant(command) => grant::run(command),
        Command::Render(arguments) => render::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if !failure.is_silent() {
                eprintln!("vouchsafe: {failure}");
            }
            failure.exit_code()
        }
    }
}
