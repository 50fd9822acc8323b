//! The anchor room: what fixes a log outside of its archive. It asks witnesses and time-stamp authorities, and
//! it can be a witness itself for the logs of others.
//!
//! It does not know what the entries of a log say, nor how they are kept.

mod gather;
mod timestamp;
mod witness;

pub use gather::Gathering;
pub use timestamp::{Authority, Stamp, TimestampError, read as read_timestamp};
pub use witness::{Witness, WitnessError, routes};

use std::io::Read as _;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest answer that is read, in bytes.
const ANSWER_MAX_BYTES: u64 = 256 << 10;

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .tls_config(
            ureq::tls::TlsConfig::builder()
                .root_certs(ureq::tls::RootCerts::PlatformVerifier)
                .build(),
        )
        .build()
        .new_agent()
}

/// Sends `body` and gives the status and the body of the answer.
fn post(
    agent: &ureq::Agent,
    url: &str,
    media_type: &str,
    body: &[u8],
) -> Result<(u16, Vec<u8>), String> {
    let request = agent.post(url).header("Content-Type", media_type);
    let mut response = request.send(body).map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    let reader = response.body_mut().as_reader();
    let read = reader.take(ANSWER_MAX_BYTES).read_to_end(&mut answer);
    read.map_err(|error| error.to_string())?;
    Ok((response.status().as_u16(), answer))
}
