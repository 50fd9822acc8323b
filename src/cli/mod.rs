//! The cli room: the command line, one file a command. It reads arguments, calls the archive, and says
//! what came of it.

mod backup;
mod control;
mod decoding;
mod demo;
mod export;
mod failure;
mod grant;
mod init;
mod key;
mod matching;
mod prove;
mod reindex;
mod remote;
mod render;
mod sample;
mod serve;
mod template;
mod terminal;
mod token;
mod user;
mod verify;
mod walk;
mod witness;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use failure::Failure;

/// An archive of electronic accounting vouchers whose log anyone can verify.
#[derive(Parser)]
#[command(name = "vouchsafe", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit status: 0 done and all is well, 1 the answer is no, 2 wrong use or bad \
    input, 3 the machine failed, 4 it cannot be told (match).\n\nExample: vouchsafe demo"
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
    /// The forms that vouchers are drawn on
    #[command(subcommand)]
    Template(template::Command),
    /// Draw a voucher without an archive
    Render(render::Arguments),
    /// Compare a voucher with the scan of its paper, without an archive
    Match(matching::Arguments),
    /// Draw a PDF that comes in, with limits, and send its pages out; other commands start this
    #[command(name = "decode-scan", hide = true)]
    DecodeScan,
    /// Check an archive or an exported folder
    Verify(verify::Arguments),
    /// Prove to somebody outside that one voucher is in the log
    Prove(prove::Arguments),
    /// Write a part of an archive to a folder that verifies offline
    Export(export::Arguments),
    /// The key that signs the log
    #[command(subcommand)]
    Key(key::Command),
    /// Copy an archive, also while it is served, and verify the copy
    Backup(backup::BackupArguments),
    /// Make an archive from a backup
    Restore(backup::RestoreArguments),
    /// Rebuild the index from the log, and show that it comes out the same
    Reindex(reindex::Arguments),
    /// Run a witness that cosigns the checkpoints of logs which only grow
    #[command(subcommand)]
    Witness(witness::Command),
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
        Command::Template(command) => template::run(command),
        Command::Render(arguments) => render::run(&arguments),
        Command::Match(arguments) => matching::run(&arguments),
        Command::DecodeScan => decoding::run(),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Prove(arguments) => prove::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Key(command) => key::run(command),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Reindex(arguments) => reindex::run(&arguments),
        Command::Witness(command) => witness::run(command),
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
