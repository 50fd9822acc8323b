//! The config room: what an operator decides about a served archive, as `config.toml` says it.
//!
//! It does not know what the archive does with it.

use std::time::Duration;

use serde::Deserialize;
use vouchsafe_evidence::key::{KeyKind, VerifierKey};

/// Longest configuration that is read, in bytes.
pub const CONFIG_MAX_BYTES: u64 = 256 << 10;

/// The whole of `config.toml`. What is left out is not done.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Who cosigns the log's checkpoints.
    pub witnesses: Option<Witnesses>,
    /// Who stamps them with the time.
    pub timestamps: Option<Timestamps>,
    /// How scans are compared with vouchers.
    pub matching: Comparing,
    /// Where people sign in to the pages, beside their password here.
    pub oidc: Option<Oidc>,
    /// How pictures are marked for those who only look.
    pub marks: Marks,
    /// Proxies in front, whose word for where a request comes from is believed.
    pub proxy: Proxy,
}

/// Proxies in front of the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Proxy {
    /// Their addresses. The last address of `X-Forwarded-For` is where a request through them comes from.
    pub addresses: Vec<std::net::IpAddr>,
}

/// A provider of OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    /// Its issuer identifier, below which it describes itself (OpenID Connect Discovery 1.0).
    pub issuer: String,
    /// As what the archive is known there.
    pub client_id: String,
    /// A file with the secret that proves it; none for a public client.
    pub client_secret_file: Option<std::path::PathBuf>,
    /// The address at which browsers reach the archive, such as `https://archive.example`; the provider must know
    /// `/api/v1/oidc/done` below it as a redirect.
    pub address: String,
    /// What of somebody is their name in the archive. Whoever can change it there can be anybody here.
    pub claim: Claim,
}

/// What a provider says of somebody that is their name in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// `preferred_username`
    PreferredUsername,
    /// `email`, if it is verified.
    Email,
    /// `sub`
    #[serde(rename = "sub")]
    Subject,
}

impl Claim {
    /// The scope that a provider has to grant for it.
    pub fn scope(self) -> &'static str {
        match self {
            Claim::PreferredUsername => "profile",
            Claim::Email => "email",
            Claim::Subject => "openid",
        }
    }
}

/// How pictures are marked for those who only look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Marks {
    /// How long a mark stays the same, in minutes: a day unless said; 0 marks nothing.
    pub window_minutes: u32,
}

impl Default for Marks {
    fn default() -> Marks {
        Marks {
            window_minutes: 24 * 60,
        }
    }
}

impl Marks {
    /// Longest window, in minutes: a year.
    const WINDOW_MAX_MINUTES: u32 = 366 * 24 * 60;

    /// How long a mark stays the same; none marks nothing.
    pub fn window(&self) -> Option<Duration> {
        let seconds = u64::from(self.window_minutes) * 60;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }
}

/// How scans are compared with vouchers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Comparing {
    /// Comparisons at the same time: one unless said; none compares nothing.
    pub threads: usize,
    /// The folder of the text recognition network; unless said, where `make` puts it.
    pub models: Option<std::path::PathBuf>,
    /// Where the verdicts part; what is left out is as calibrated.
    pub thresholds: toml::Table,
}

impl Default for Comparing {
    fn default() -> Comparing {
        Comparing {
            threads: 1,
            models: None,
            thresholds: toml::Table::new(),
        }
    }
}

/// Witnesses, and when they are asked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witnesses {
    /// How many must cosign a checkpoint before it is published; all of them unless said.
    pub require: Option<usize>,
    /// Seconds between two checkpoints that are sent to them.
    #[serde(default = "Witnesses::default_seconds")]
    pub every_seconds: u64,
    /// The witnesses.
    pub witness: Vec<Witness>,
}

/// One witness (C2SP tlog-witness).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Its submission prefix: `add-checkpoint` is asked below it.
    pub url: String,
    /// Its verifier key.
    pub vkey: String,
}

/// A time-stamp authority (RFC 3161), and when it is asked.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timestamps {
    /// Its address.
    pub url: String,
    /// A file with the certificates (PEM) that its own must be issued by, or be; without it, what the
    /// authority answers is kept, and judged only when somebody verifies.
    pub certificates: Option<std::path::PathBuf>,
    /// Seconds between two checkpoints that are stamped: a day unless said.
    #[serde(default = "Timestamps::default_seconds")]
    pub every_seconds: u64,
}

/// Why a configuration is refused; the message names line and column, or the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl Witnesses {
    fn default_seconds() -> u64 {
        10
    }

    /// How many must cosign a checkpoint before it is published.
    pub fn required(&self) -> usize {
        self.require.unwrap_or(self.witness.len())
    }

    /// The time between two checkpoints that are sent.
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.every_seconds.max(1))
    }
}

impl Timestamps {
    fn default_seconds() -> u64 {
        24 * 60 * 60
    }

    /// The time between two checkpoints that are stamped.
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.every_seconds.max(1))
    }
}

impl Witness {
    /// Its key; [`Config::from_toml`] has seen that it is one.
    pub fn key(&self) -> Result<VerifierKey, ConfigError> {
        let bad = |why: String| ConfigError(format!("witnesses.witness.vkey: {why}"));
        let key = VerifierKey::parse(&self.vkey).map_err(|error| bad(error.to_string()))?;
        match key.kind() {
            KeyKind::Cosignature => Ok(key),
            KeyKind::Note => Err(bad(format!("{} is not a witness's key", self.vkey))),
        }
    }
}

impl Config {
    /// Reads and checks a configuration.
    pub fn from_toml(text: &str) -> Result<Config, ConfigError> {
        let config: Config =
            toml::from_str(text).map_err(|error| ConfigError(error.to_string()))?;
        if let Some(witnesses) = &config.witnesses {
            let required = witnesses.required();
            if required == 0 || required > witnesses.witness.len() {
                let count = witnesses.witness.len();
                let why = format!("witnesses.require: {required} of {count} witnesses");
                return Err(ConfigError(why));
            }
            for (number, witness) in witnesses.witness.iter().enumerate() {
                let key = witness.key()?;
                let others = &witnesses.witness[..number];
                if others.iter().any(|other| other.vkey == witness.vkey) {
                    let name = key.name();
                    let why = format!("witnesses.witness.vkey: {name} stands there twice");
                    return Err(ConfigError(why));
                }
                check_url("witnesses.witness.url", &witness.url)?;
            }
        }
        if let Some(timestamps) = &config.timestamps {
            check_url("timestamps.url", &timestamps.url)?;
        }
        if config.marks.window_minutes > Marks::WINDOW_MAX_MINUTES {
            let why = "marks.window_minutes: more than a year";
            return Err(ConfigError(why.to_owned()));
        }
        Ok(config)
    }
}

fn check_url(field: &str, url: &str) -> Result<(), ConfigError> {
    let address = url.strip_prefix("http://").or(url.strip_prefix("https://"));
    match address {
        Some(address) if !address.is_empty() && !address.contains('@') => Ok(()),
        _ => Err(ConfigError(format!(
            "{field}: {url} is no http:// or https:// address without a name and password"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITNESS: &str = "w.example+aa7bb7d0+BAqe8uHP5U4yqg5TyCOCEHTpoSUShvNpqn+ZWHXoPl0K";

    #[test]
    fn what_is_left_out_has_its_default() {
        let key = vouchsafe_evidence::key::SigningNoteKey::from_seed(
            "w.example",
            KeyKind::Cosignature,
            &[7; 32],
        );
        let vkey = key.unwrap().verifier().to_string();
        let text = format!(
            "[witnesses]\n[[witnesses.witness]]\nurl = \"http://127.0.0.1:1\"\nvkey = \"{vkey}\"\n\
             [timestamps]\nurl = \"http://tsa.example/\"\n"
        );
        let config = Config::from_toml(&text).unwrap();
        let witnesses = config.witnesses.unwrap();
        assert_eq!((witnesses.required(), witnesses.every_seconds), (1, 10));
        assert_eq!(config.timestamps.unwrap().every_seconds, 86_400);
        assert_eq!(Config::from_toml("").unwrap(), Config::default());
        let strict = text.replace("[witnesses]", "[witnesses]\nrequire = 2");
        let error = Config::from_toml(&strict).unwrap_err();
        assert!(
            error.to_string().starts_with("witnesses.require"),
            "{error}"
        );
    }

    #[test]
    fn errors_name_the_place() {
        let error = Config::from_toml("[witness]\n").unwrap_err().to_string();
        assert!(
            error.contains("line 1") && error.contains("witness"),
            "{error}"
        );
        for (url, vkey) in [
            ("ftp://x", WITNESS),
            ("http://a:b@x", WITNESS),
            ("http://x", "nonsense"),
        ] {
            let text = format!("[[witnesses.witness]]\nurl = \"{url}\"\nvkey = \"{vkey}\"\n");
            let error = Config::from_toml(&text).unwrap_err().to_string();
            assert!(error.starts_with("witnesses.witness."), "{error}");
        }
    }
}
