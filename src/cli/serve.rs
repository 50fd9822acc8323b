use std::fs::File;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::control::Control;
use super::decoding::Apart;
use super::{Failure, matching, terminal};
use crate::anchor::Gathering;
use crate::archive::{Archive, Matching, system_clock};
use crate::config::{CONFIG_MAX_BYTES, Config, Oidc};
use crate::http::{Certificate, Front};
use crate::matching::Decoder;
use crate::{api, dav, http, pages};

#[derive(Args)]
#[command(
    after_help = "SIGTERM or Ctrl-C ends it: requests under way are answered first.\n\n\
    Example: vouchsafe serve --archive /srv/archive --listen 0.0.0.0:8640 --tls-cert chain.pem --tls-key key.pem"
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
    /// Certificate chain in PEM; renewing the file renews what is served
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Serve plain HTTP beyond this machine, where passwords can be read on the way
    #[arg(long)]
    plain_http: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let certificate = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(certificate), Some(key)) => Some(
            Certificate::open(certificate, key)
                .map_err(|error| Failure::Wrong(error.to_string()))?,
        ),
        _ => None,
    };
    let open_to_all = certificate.is_none() && !arguments.plain_http;
    if open_to_all && !arguments.listen.ip().is_loopback() {
        return Err(Failure::Wrong(format!(
            "{} is not on this machine alone, and passwords would cross the network in the clear\n  \
             give --tls-cert and --tls-key, put a proxy with TLS before a loopback address, or say --plain-http",
            arguments.listen
        )));
    }
    open_many_files();
    let config = config(arguments)?;
    let decoder: Arc<dyn Decoder> = Arc::new(Apart::new()?);
    let archive = open(&arguments.archive, &decoder)?;
    archive.records().mark_views(config.marks.window());
    let matchers = matching::matchers(&config.matching, &decoder)?;
    let matching = Matching::start(Arc::clone(&archive), matchers)?;
    let gathering = Gathering::start(Arc::clone(&archive), &config).map_err(Failure::Wrong)?;
    runtime()?.block_on(async {
        let scheme = if certificate.is_some() {
            "https"
        } else {
            "http"
        };
        let front = Front {
            certificate,
            proxies: config.proxy.addresses,
        };
        let served = Served::start(
            &arguments.archive,
            archive,
            arguments.listen,
            front,
            config.oidc,
        )
        .await?;
        terminal::print_line(&format!("listening on {scheme}://{}", served.address()))?;
        served.until_told_to_stop().await
    })?;
    drop((gathering, matching));
    Ok(())
}

/// Open files that are asked for: each connection is one, the store has a thousand, and there is room for more.
const OPEN_FILES: u64 = 16_384;

/// Asks for enough open files: many systems start programs with fewer than there may be connections.
fn open_many_files() {
    let allowed = getrlimit(Resource::Nofile);
    let most = allowed
        .maximum
        .map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if allowed.current.is_none_or(|current| current >= most) {
        return;
    }
    let limit = Rlimit {
        current: Some(most),
        ..allowed
    };
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%error, "only as many files can be open as the shell allows");
    }
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
        front: Front,
        oidc: Option<Oidc>,
    ) -> Result<Served, Failure> {
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| Failure::Machine(format!("listening on {listen}: {error}")))?;
        let control = Control::start(folder, Arc::clone(&archive))?;
        let routes = dav::routes(Arc::clone(&archive))
            .merge(api::routes(Arc::clone(&archive), oidc))
            .merge(pages::routes())
            .merge(http::routes(archive))
            .layer(axum::middleware::from_fn(http::session::guard_pages));
        let running = http::serve(listener, routes, front)
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
