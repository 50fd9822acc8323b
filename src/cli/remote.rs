//! An archive on a server, asked over HTTP; and its log as a source for the verifier.

use std::io::Read;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::Value;
use ureq::tls::{RootCerts, TlsConfig};
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::log_file::LogFile;
use vouchsafe_evidence::published::{FILE_MAX_BYTES, LogFiles};
use vouchsafe_evidence::verify::Unreadable;

use super::{Failure, terminal};

/// How long a server may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// Largest answer that is no file of the log, in bytes.
const ANSWER_MAX_BYTES: u64 = 4 << 20;

/// A server of an archive, as somebody.
pub struct Server {
    agent: ureq::Agent,
    url: String,
    authorization: Option<String>,
}

impl Server {
    /// The server at `url`, for the user of this name and password.
    pub fn new(url: &str, who: Option<(&str, &str)>) -> Result<Server, Failure> {
        let address = url.split_once("://").map_or("", |(_, address)| address);
        if address.is_empty() || address.split('/').next().is_some_and(|it| it.contains('@')) {
            let hint = "give the name with --user, and the password in VOUCHSAFE_PASSWORD";
            return Err(Failure::Wrong(format!(
                "not an address without a password\n  {hint}"
            )));
        }
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier);
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(PATIENCE))
            .timeout_recv_response(Some(PATIENCE))
            .timeout_recv_body(Some(PATIENCE))
            .tls_config(tls.build())
            .build()
            .new_agent();
        Ok(Server {
            agent,
            url: url.trim_end_matches('/').to_owned(),
            authorization: who.map(|(name, password)| {
                format!("Basic {}", BASE64.encode(format!("{name}:{password}")))
            }),
        })
    }

    /// Asks for something at `path`; gives the JSON that comes back, null where nothing does.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let url = format!("{}{path}", self.url);
        let mut request = ureq::http::Request::builder().method(method).uri(&url);
        if let Some(authorization) = &self.authorization {
            request = request.header("Authorization", authorization);
        }
        let sent = body.map(Value::to_string).unwrap_or_default();
        let request = request
            .header("Content-Type", "application/json")
            .body(sent)
            .map_err(|error| Failure::Wrong(format!("{url}: {error}")))?;
        let fault = |error: &dyn std::fmt::Display| Failure::Machine(format!("{url}: {error}"));
        let mut response = self.agent.run(request).map_err(|error| fault(&error))?;
        let status = response.status().as_u16();
        let reading = response.body_mut().with_config().limit(ANSWER_MAX_BYTES);
        let text = reading.read_to_string().map_err(|error| fault(&error))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let said = |field: &str| answer[field].as_str().unwrap_or_default();
        let text = match said("error") {
            "" => format!("{url}: the server answered {status}"),
            error => format!("{error}\n  {}", said("hint")),
        };
        Err(match status {
            401 | 403 | 404 | 409 | 423 | 429 => Failure::No(text),
            400 | 405 | 412..=415 => Failure::Wrong(text),
            _ => Failure::Machine(text),
        })
    }
}

/// The log below `/log/` of a server.
pub struct Remote {
    server: Server,
    prefix: String,
}

impl Remote {
    /// Whether `target` is an address.
    pub fn is_url(target: &str) -> bool {
        target.starts_with("http://") || target.starts_with("https://")
    }

    /// The log of the server at `url`, for the user of this name.
    pub fn new(url: &str, user: Option<&str>) -> Result<Remote, Failure> {
        let password = user.map(terminal::password).transpose()?;
        let server = Server::new(url, user.zip(password.as_deref()))?;
        let url = server.url.clone();
        Ok(Remote {
            server,
            prefix: format!("{}/log/", url.strip_suffix("/log").unwrap_or(&url)),
        })
    }

    fn get(&self, file: &LogFile) -> Result<Option<Box<dyn Read + '_>>, Unreadable> {
        let url = format!("{}{}", self.prefix, file.path());
        let unreadable = |why: String| Unreadable(format!("{url}: {why}"));
        let mut request = self.server.agent.get(&url);
        if let Some(authorization) = &self.server.authorization {
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
