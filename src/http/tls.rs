use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

/// How often the files are looked at for a renewed certificate.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Why a server cannot speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or has nothing of the kind in it.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is the matter with it.
        why: String,
    },
    /// The certificate and the key do not belong together, or are of a kind that is not served.
    #[error("{} and {}: {source}", certificate.display(), key.display())]
    Pair {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of its key.
        key: PathBuf,
        /// What rustls says.
        source: rustls::Error,
    },
    /// The versions of TLS that are served are none that this build can speak.
    #[error("TLS: {0}")]
    Versions(rustls::Error),
}

/// A certificate chain and its private key in PEM files, read again when somebody renews them: connections under way
/// keep what they began with.
#[derive(Debug)]
pub struct Certificate {
    certificate: PathBuf,
    key: PathBuf,
    current: ArcSwap<CertifiedKey>,
}

/// What tells that a file was written again.
type Stamp = Option<(SystemTime, u64)>;

fn stamp(path: &Path) -> Stamp {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let file = |path: &Path, why: String| TlsError::File {
        path: path.to_owned(),
        why,
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| file(certificate, error.to_string()))?;
    if chain.is_empty() {
        let why = "no certificate in PEM (-----BEGIN CERTIFICATE-----) is in it".to_owned();
        return Err(file(certificate, why));
    }
    // The error of a key names its form, never its content.
    let private =
        PrivateKeyDer::from_pem_file(key).map_err(|error| file(key, error.to_string()))?;
    let pair = |source| TlsError::Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
        source,
    };
    let certified =
        CertifiedKey::from_der(chain, private, &ring::default_provider()).map_err(pair)?;
    certified.keys_match().map_err(pair)?;
    Ok(certified)
}

impl Certificate {
    /// Reads both files.
    pub fn open(certificate: &Path, key: &Path) -> Result<Arc<Certificate>, TlsError> {
        let current = ArcSwap::from_pointee(read(certificate, key)?);
        Ok(Arc::new(Certificate {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current,
        }))
    }

    /// What makes TLS 1.2 and 1.3 of connections, always with the current certificate.
    pub(super) fn acceptor(self: &Arc<Certificate>) -> Result<TlsAcceptor, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Versions)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// Looks at the files again and again. A pair that does not fit, as between the writing of one file and of the
    /// other, is said and not used; the one before stays.
    pub(super) async fn keep_current(self: Arc<Certificate>) {
        let stamps = |it: &Certificate| (stamp(&it.certificate), stamp(&it.key));
        let mut seen = stamps(&self);
        loop {
            tokio::time::sleep(LOOK_AGAIN).await;
            let now = stamps(&self);
            if now == seen {
                continue;
            }
            match read(&self.certificate, &self.key) {
                Ok(renewed) => {
                    self.current.store(Arc::new(renewed));
                    tracing::info!("the certificate was renewed");
                }
                Err(error) => tracing::warn!(%error, "the certificate was not renewed"),
            }
            seen = now;
        }
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}
