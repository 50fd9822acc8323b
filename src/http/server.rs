use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::tls::{Certificate, TlsError};

/// Connections at the same time; more wait.
const CONNECTIONS_MAX: usize = 4_096;
/// How long a request's head may take.
const HEAD_MAX: Duration = Duration::from_secs(30);
/// How long a client may take to agree on TLS.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long requests under way may take to end once the server is told to.
const FAREWELL_MAX: Duration = Duration::from_secs(20);

/// The address that a request comes from, among its extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// Whence a request comes.
    pub fn of(request: &Request) -> Peer {
        let peer = request.extensions().get::<Peer>().copied();
        peer.unwrap_or(Peer(Ipv4Addr::UNSPECIFIED.into()))
    }
}

/// Whether a request came over TLS, here or to a proxy in front, among its extensions.
#[derive(Debug, Clone, Copy)]
pub struct Secure(pub bool);

impl Secure {
    /// How a request came.
    pub fn of(request: &Request) -> Secure {
        let secure = request.extensions().get::<Secure>().copied();
        // Anybody may claim it: it makes cookies stricter and nothing laxer.
        let proxy = super::text(request.headers(), "x-forwarded-proto");
        Secure(proxy == Some("https") || secure.is_some_and(|secure| secure.0))
    }
}

/// Whether the server is about to stop, among a request's extensions: answers that have no end of their own end then.
#[derive(Debug, Clone)]
pub struct Stopping(Option<watch::Receiver<bool>>);

impl Stopping {
    /// Of the server that a request came to.
    pub fn of(request: &Request) -> Stopping {
        let stopping = request.extensions().get::<Stopping>().cloned();
        stopping.unwrap_or(Stopping(None))
    }

    /// Returns when the server stops.
    pub async fn wait(&mut self) {
        match &mut self.0 {
            // An error says that the server has gone already.
            Some(stopped) => drop(stopped.wait_for(|stopped| *stopped).await),
            None => std::future::pending().await,
        }
    }
}

/// A server at work.
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    /// Looks for a renewed certificate.
    renewal: Option<AbortHandle>,
}

impl Running {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, lets requests under way end, and returns.
    pub async fn stop(self) {
        // The task only ends after this, so somebody receives it.
        let _ = self.stop.send(true);
        if let Some(renewal) = self.renewal {
            renewal.abort();
        }
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server ended badly");
        }
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listening socket has no address.
    #[error("listening: {0}")]
    Listener(#[from] io::Error),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// What stands between the server and its clients.
#[derive(Debug, Default)]
pub struct Front {
    /// Speaks TLS with this certificate.
    pub certificate: Option<Arc<Certificate>>,
    /// Believes these when they say where a request comes from (`X-Forwarded-For`).
    pub proxies: Vec<IpAddr>,
}

/// Where a request comes from: what a proxy says that is believed, else the other end of the connection.
fn sender(headers: &axum::http::HeaderMap, peer: IpAddr, proxies: &[IpAddr]) -> IpAddr {
    let said = super::text(headers, "x-forwarded-for").filter(|_| proxies.contains(&peer));
    let last = said.and_then(|said| said.rsplit(',').next());
    last.and_then(|last| last.trim().parse().ok())
        .unwrap_or(peer)
}

/// Serves `router` on `listener`, by TLS where there is a certificate. Must be called on a tokio runtime.
pub fn serve(listener: TcpListener, router: Router, front: Front) -> Result<Running, ServeError> {
    let Front {
        certificate,
        proxies,
    } = front;
    let address = listener.local_addr()?;
    let acceptor = certificate
        .as_ref()
        .map(Certificate::acceptor)
        .transpose()?;
    let renewal = certificate.map(|it| tokio::spawn(it.keep_current()).abort_handle());
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(accept(
        listener,
        router,
        (acceptor, proxies.into()),
        stopped,
    ));
    Ok(Running {
        address,
        stop,
        task,
        renewal,
    })
}

async fn accept(
    listener: TcpListener,
    router: Router,
    (acceptor, proxies): (Option<TlsAcceptor>, Arc<[IpAddr]>),
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (router, stopped) = (router.clone(), stopped.clone());
                    let front = (acceptor.clone(), Arc::clone(&proxies));
                    connections.spawn(async move {
                        arrived(stream, peer, router, front, stopped).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    // Too many open files, most likely: others must end first.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            _ = stopped.changed() => break,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    let farewell = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(FAREWELL_MAX, farewell).await.is_err() {
        tracing::warn!("some requests did not end in time");
    }
}

/// A connection that was just accepted: first TLS, where it is spoken.
async fn arrived(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    (acceptor, proxies): (Option<TlsAcceptor>, Arc<[IpAddr]>),
    stopped: watch::Receiver<bool>,
) {
    // Answers are written whole; waiting to fill packets only delays them.
    let _ = stream.set_nodelay(true);
    let Some(acceptor) = acceptor else {
        return connection(stream, (peer, Secure(false), proxies), router, stopped).await;
    };
    match tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => connection(stream, (peer, Secure(true), proxies), router, stopped).await,
        // Clients that trust no such certificate, scanners, plain HTTP: no fault of ours.
        Ok(Err(error)) => tracing::debug!(%error, "a client did not agree on TLS"),
        Err(_) => tracing::debug!("a client was too slow to agree on TLS"),
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    (peer, secure, proxies): (SocketAddr, Secure, Arc<[IpAddr]>),
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let stopping = Stopping(Some(stopped.clone()));
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request: Request = request.map(axum::body::Body::new);
        let sender = sender(request.headers(), peer.ip(), &proxies);
        request.extensions_mut().insert(Peer(sender));
        request.extensions_mut().insert(secure);
        request.extensions_mut().insert(stopping.clone());
        tower_service::Service::call(&mut router.clone(), request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let outcome = tokio::select! {
        outcome = serving.as_mut() => outcome,
        _ = stopped.changed() => {
            serving.as_mut().graceful_shutdown();
            serving.as_mut().await
        }
    };
    if let Err(error) = outcome {
        // Clients go away at any time; that is no fault of ours.
        tracing::debug!(%error, "a connection ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_proxy_is_believed_and_only_its_own_word() {
        let headers = axum::http::HeaderMap::from_iter([(
            axum::http::HeaderName::from_static("x-forwarded-for"),
            "203.0.113.7, 198.51.100.4".parse().unwrap(),
        )]);
        let proxy: IpAddr = "127.0.0.1".parse().unwrap();
        let stranger: IpAddr = "192.0.2.9".parse().unwrap();
        let said: IpAddr = "198.51.100.4".parse().unwrap();
        assert_eq!(sender(&headers, proxy, &[proxy]), said);
        assert_eq!(sender(&headers, stranger, &[proxy]), stranger);
        assert_eq!(sender(&headers, proxy, &[]), proxy);
        assert_eq!(
            sender(&axum::http::HeaderMap::new(), proxy, &[proxy]),
            proxy
        );
    }
}
