use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use tokio::net::TcpListener;
use vouchsafe_evidence::key::KeyKind;

use super::key_file::{new_key, read_key};
use super::serve::{runtime, told_to_stop};
use super::{Failure, terminal, verify};
use crate::anchor::{Witness, routes};
use crate::http;
use crate::store::replace_file;

#[derive(Subcommand)]
#[command(after_help = "Example: vouchsafe witness init ./witness --name witness.example/w1")]
pub enum Command {
    /// Make a witness: a folder with its key and, later, the last checkpoint of each log
    #[command(after_help = "Example: vouchsafe witness init ./witness --name witness.example/w1")]
    Init(Init),
    /// Serve a witness (C2SP tlog-witness)
    #[command(
        after_help = "Other people must run it, on another machine than the archive's.\n\n\
        Example: vouchsafe witness serve ./witness --log \"$(cat vkey)\" --listen 127.0.0.1:8650"
    )]
    Serve(Serve),
}

#[derive(Args)]
pub struct Init {
    /// The folder to make
    dir: PathBuf,
    /// The witness's name: an address without http://, that says who runs it
    #[arg(long)]
    name: String,
}

#[derive(Args)]
pub struct Serve {
    /// The witness's folder
    dir: PathBuf,
    /// The verifier key of a log that it cosigns (text or file); give several for several logs or keys
    #[arg(long = "log", value_name = "VKEY", required = true)]
    logs: Vec<String>,
    /// Address and port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8650")]
    listen: SocketAddr,
}

pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Init(arguments) => init(&arguments),
        Command::Serve(arguments) => serve(&arguments),
    }
}

fn key_file(dir: &Path) -> PathBuf {
    dir.join("signing-key")
}

fn init(arguments: &Init) -> Result<(), Failure> {
    let dir = &arguments.dir;
    let io = |error: std::io::Error| Failure::io(dir, &error);
    let key = new_key(&arguments.name, KeyKind::Cosignature)?;
    if key_file(dir).exists() {
        let error = format!("{} is a witness already", dir.display());
        return Err(Failure::Wrong(error));
    }
    fs::create_dir_all(dir.join("logs")).map_err(io)?;
    replace_file(
        &dir.join("vkey"),
        format!("{}\n", key.verifier()).as_bytes(),
    )
    .map_err(io)?;
    replace_file(&key_file(dir), key.secret_text().as_bytes()).map_err(io)?;
    terminal::print_line(&key.verifier().to_string())
}

fn serve(arguments: &Serve) -> Result<(), Failure> {
    let logs = arguments.logs.iter().map(|text| verify::key("--log", text));
    let logs = logs.collect::<Result<Vec<_>, _>>()?;
    let key = read_key(&key_file(&arguments.dir), KeyKind::Cosignature)?;
    let witness = Witness::new(key, logs, arguments.dir.join("logs"))
        .map_err(|error| Failure::Machine(error.to_string()))?;
    let seconds = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    };
    let routes = routes(Arc::new(witness), Arc::new(seconds));
    let fault = |error: &dyn std::fmt::Display| {
        Failure::Machine(format!("listening on {}: {error}", arguments.listen))
    };
    runtime()?.block_on(async {
        let listener = TcpListener::bind(arguments.listen).await;
        let listener = listener.map_err(|error| fault(&error))?;
        let running =
            http::serve(listener, routes, http::Front::default()).map_err(|error| fault(&error))?;
        terminal::print_line(&format!("listening on http://{}", running.address()))?;
        told_to_stop().await?;
        running.stop().await;
        Ok(())
    })
}
