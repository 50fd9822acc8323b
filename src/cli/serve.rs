use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::control::Control;
use super::decoding::Apart;
use super::{Failure, matching, terminal};
use crate::anchor::Gathering;
use crate::archive::{Archive, Matching, system_clock};
use crate::config::{CONFIG_MAX_BYTES, Config};
use crate::matching::Decoder;
use crate::{api, dav, http};

#[derive(Args)]
#[command(
    after_help = "SIGTERM or Ctrl-C ends it: requests under way are answered first.\n\n\
    Example: vouchsafe serve --archive /srv/archive --listen 127.0.0.1:8640"
)]
pub struct Arguments {
    /// The archive's folder
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// Address and port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8640")]
    listen: SocketAddr,
    /// Witnesses, time-stamps and matching; without it, `config.toml` in the archive's folder, if it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Serve plain HTTP beyond this machine, where passwords can be read on the way
    #[arg(long)]
    plain_http: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !arguments.listen.ip().is_loopback() && !arguments.plain_http {
        return Err(Failure::Wrong(format!(
            "{} is not on this machine alone, and passwords would cross the network in the clear\n  \
             put a proxy with TLS before a loopback address, or say --plain-http",
            arguments.listen
        )));
    }
    let config = config(arguments)?;
    let decoder: Arc<dyn Decoder> = Arc::new(Apart::new()?);
    let archive = open(&arguments.archive, &decoder)?;
    let matchers = matching::matchers(&config.matching, &decoder)?;
    let matching = Matching::start(Arc::clone(&archive), matchers)?;
    let gathering = Gathering::start(Arc::clone(&archive), &config).map_err(Failure::Wrong)?;
    runtime()?.block_on(async {
        let served = Served::start(&arguments.archive, archive, arguments.listen).await?;
        terminal::print_line(&format!("listening on http://{}", served.address()))?;
        served.until_told_to_stop().await
    })?;
    drop((gathering, matching));
    Ok(())
}

fn config(arguments: &Arguments) -> Result<Config, Failure> {
    let own = arguments.archive.join("config.toml");
    let file = match &arguments.config {
        Some(file) => file,
        None if own.exists() => &own,
        None => return Ok(Config::default()),
    };
    let mut text = String::new();
    let opened = File::open(file).map_err(|error| Failure::io(file, &error))?;
    let read = opened.take(CONFIG_MAX_BYTES).read_to_string(&mut text);
    read.map_err(|error| Failure::io(file, &error))?;
    Config::from_toml(&text).map_err(|error| Failure::Wrong(format!("{}: {error}", file.display())))
}

/// The archive in `folder`, with progress if its index has to be rebuilt, for which `decoder` looks at scans.
pub fn open(folder: &Path, decoder: &Arc<dyn Decoder>) -> Result<Arc<Archive>, Failure> {
    let progress = terminal::Progress::new("rebuilding the index");
    let archive = Archive::open(folder, system_clock(), &|done, of| progress.at(done, of))?;
    Ok(Arc::new(archive.decoding_by(Arc::clone(decoder))))
}

pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Machine(format!("starting the runtime: {error}")))
}

/// An archive on the network.
pub struct Served {
    running: http::Running,
    control: Control,
}

impl Served {
    pub async fn start(
        folder: &Path,
        archive: Arc<Archive>,
        listen: SocketAddr,
    ) -> Result<Served, Failure> {
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| Failure::Machine(format!("listening on {listen}: {error}")))?;
        let control = Control::start(folder, Arc::clone(&archive))?;
        let routes = dav::routes(Arc::clone(&archive))
            .merge(api::routes(Arc::clone(&archive)))
            .merge(http::routes(archive));
        let running = http::serve(listener, routes)
            .map_err(|error| Failure::Machine(format!("listening on {listen}: {error}")))?;
        Ok(Served { running, control })
    }

    pub fn address(&self) -> SocketAddr {
        self.running.address()
    }

    pub async fn stop(self) {
        self.running.stop().await;
        drop(self.control);
    }

    pub async fn until_told_to_stop(self) -> Result<(), Failure> {
        told_to_stop().await?;
        self.stop().await;
        Ok(())
    }
}

/// Waits for SIGTERM or Ctrl-C.
pub async fn told_to_stop() -> Result<(), Failure> {
    let fault = |error: std::io::Error| Failure::Machine(format!("waiting for signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(fault)?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        pressed = tokio::signal::ctrl_c() => pressed.map_err(fault),
    }
}
