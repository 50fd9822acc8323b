//! The requests of the walk, and what came back.

use std::net::SocketAddr;

use serde_json::Value;
use ureq::http::{Request, StatusCode};

use crate::cli::sample::Person;

/// Largest answer that is read.
const ANSWER_MAX_BYTES: u64 = 64 << 20;

pub(super) struct Walk<'a> {
    pub agent: ureq::Agent,
    pub address: SocketAddr,
    pub people: &'a [Person],
}

pub(super) struct Answer {
    pub status: StatusCode,
    pub etag: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn expect(self, status: u16) -> Result<Answer, String> {
        if self.status.as_u16() == status {
            return Ok(self);
        }
        let body = String::from_utf8_lossy(&self.body)
            .chars()
            .take(200)
            .collect::<String>();
        Err(format!("expected {status}, got {}: {body}", self.status))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| error.to_string())
    }
}

impl Walk<'_> {
    /// Sends a request; `who` is a name of the sample, or empty for nobody.
    pub fn ask(
        &self,
        who: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, String> {
        use base64::Engine as _;
        let url = format!("http://{}{path}", self.address);
        let mut request = Request::builder().method(method).uri(url);
        if let Some(person) = self.people.iter().find(|person| person.name == who) {
            let pair = format!("{who}:{}", person.password);
            let pair = base64::engine::general_purpose::STANDARD.encode(pair);
            request = request.header("Authorization", format!("Basic {pair}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(body.to_vec())
            .map_err(|error| error.to_string())?;
        let mut response = self.agent.run(request).map_err(|error| error.to_string())?;
        let etag = response
            .headers()
            .get("etag")
            .and_then(|tag| tag.to_str().ok());
        Ok(Answer {
            status: response.status(),
            etag: etag.unwrap_or_default().to_owned(),
            body: response
                .body_mut()
                .with_config()
                .limit(ANSWER_MAX_BYTES)
                .read_to_vec()
                .map_err(|error| error.to_string())?,
        })
    }

    pub fn get(&self, who: &str, path: &str) -> Result<Answer, String> {
        self.ask(who, "GET", path, &[], b"")
    }

    pub fn put(&self, who: &str, path: &str, body: &Value) -> Result<Answer, String> {
        self.ask(who, "PUT", path, &[], body.to_string().as_bytes())
    }

    pub fn list(&self, who: &str, path: &str) -> Result<String, String> {
        let answer = self.ask(who, "PROPFIND", path, &[("Depth", "1")], b"")?;
        Ok(answer.expect(207)?.text())
    }
}
