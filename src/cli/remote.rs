//! A log on a server, read over HTTP, as a source for the verifier.

use std::io::Read;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use ureq::tls::{RootCerts, TlsConfig};
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::log_file::LogFile;
use vouchsafe_evidence::published::{FILE_MAX_BYTES, LogFiles};
use vouchsafe_evidence::verify::Unreadable;

use super::{Failure, terminal};

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// The log below `/log/` of a server.
pub struct Remote {
    agent: ureq::Agent,
    prefix: String,
    authorization: Option<String>,
}

impl Remote {
    /// Whether `target` is an address.
    pub fn is_url(target: &str) -> bool {
        target.starts_with("http://") || target.starts_with("https://")
    }

    /// The log of the server at `url`, for the user of this name.
    pub fn new(url: &str, user: Option<&str>) -> Result<Remote, Failure> {
        let address = url.split_once("://").map_or("", |(_, address)| address);
        if address.is_empty() || address.split('/').next().is_some_and(|it| it.contains('@')) {
            let hint = "give the name with --user, and the password in VOUCHSAFE_PASSWORD";
            return Err(Failure::Wrong(format!(
                "not an address without a password\n  {hint}"
            )));
        }
        let authorization = match user {
            Some(user) => {
                let password = terminal::password(user)?;
                Some(format!(
                    "Basic {}",
                    BASE64.encode(format!("{user}:{password}"))
                ))
            }
            None => None,
        };
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_recv_body(Some(PATIENCE))
            .tls_config(tls.build())
            .build()
            .new_agent();
        let url = url.trim_end_matches('/');
        Ok(Remote {
            agent,
            prefix: format!("{}/log/", url.strip_suffix("/log").unwrap_or(url)),
            authorization,
        })
    }

    fn get(&self, file: &LogFile) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        let url = format!("{}{}", self.prefix, file.path());
        let unreadable = |why: String| Unreadable(format!("{url}: {why}"));
        let mut request = self.agent.get(&url);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let response = request
            .call()
            .map_err(|error| unreadable(error.to_string()))?;
        match response.status().as_u16() {
            200 => Ok(Some(Box::new(response.into_body().into_reader()))),
            403 | 404 => Ok(None),
            401 => Err(unreadable(
                "sign in with --user and VOUCHSAFE_PASSWORD".to_owned(),
            )),
            status => Err(unreadable(format!("the server answered {status}"))),
        }
    }
}

impl LogFiles for Remote {
    fn read(&self, file: &LogFile) -> Result<Option<Vec<u8>>, Unreadable> {
        let Some(reader) = self.get(file)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        let read = reader.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| Unreadable(format!("{}: {error}", file.path())))?;
        if bytes.len() as u64 > FILE_MAX_BYTES {
            return Err(Unreadable(format!("{} is too large", file.path())));
        }
        Ok(Some(bytes))
    }

    fn object(&self, digest: &Digest) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        self.get(&LogFile::Object(*digest))
    }
}
