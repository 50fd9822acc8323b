use std::path::PathBuf;

use clap::{Args, Subcommand};
use vouchsafe_evidence::key::{KeyKind, VerifierKey};

use super::control::{Change, change};
use super::{Failure, terminal};
use crate::archive::Records;

#[derive(Subcommand)]
#[command(after_help = "Example: vouchsafe key list --archive /srv/archive")]
pub enum Command {
    /// Every key that the log has had, the current one last
    #[command(after_help = "Example: vouchsafe key list --archive /srv/archive")]
    List(List),
    /// Change the key: the old key signs the new one, in the log; the old one is removed
    #[command(after_help = "Example: vouchsafe key rotate --archive /srv/archive")]
    Rotate(Rotate),
    /// The verifier key of an Ed25519 key that another program has
    #[command(
        after_help = "Example: vouchsafe key describe vouchsafe/1a2b3c --public log.pem\n\
        where log.pem is what `openssl pkey -in key.pem -pubout` prints"
    )]
    Describe(Describe),
}

#[derive(Args)]
pub struct List {
    /// The archive's folder (also while it is served)
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// The keys as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Rotate {
    /// The archive's folder (also while it is served)
    #[arg(long, value_name = "DIR")]
    archive: PathBuf,
    /// A program that has the new key: a file with `vkey` and `command`; without it a new key is made
    #[arg(long, value_name = "FILE")]
    signer: Option<PathBuf>,
}

#[derive(Args)]
pub struct Describe {
    /// The key's name: that of the log, which must stay as it is
    name: String,
    /// The public key in PEM
    #[arg(long, value_name = "FILE")]
    public: PathBuf,
}

pub fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(List { archive, json }) => {
            let keys = Records::open_to_read(&archive)?.keys();
            let texts: Vec<String> = keys.keys().iter().map(ToString::to_string).collect();
            match json {
                true => terminal::print_json(&texts),
                false => texts.iter().try_for_each(|text| terminal::print_line(text)),
            }
        }
        Command::Rotate(Rotate { archive, signer }) => {
            let signer = match signer {
                Some(file) => Some(
                    std::fs::read_to_string(&file).map_err(|error| Failure::io(&file, &error))?,
                ),
                None => None,
            };
            terminal::print_line(&change(&archive, Change::RotateKey { signer })?)
        }
        Command::Describe(Describe { name, public }) => {
            let text =
                std::fs::read_to_string(&public).map_err(|error| Failure::io(&public, &error))?;
            let wrong = |why: String| Failure::Wrong(format!("{}: {why}", public.display()));
            let key = public_key(&text).ok_or_else(|| {
                wrong("not an Ed25519 public key in PEM (`openssl pkey -pubout`)".to_owned())
            })?;
            let key = VerifierKey::new(&name, KeyKind::Note, &key);
            terminal::print_line(&key.map_err(|error| wrong(error.to_string()))?.to_string())
        }
    }
}

/// The 32 bytes of an Ed25519 public key in PEM (RFC 8410, section 4): they stand behind a fixed head.
fn public_key(pem: &str) -> Option<[u8; 32]> {
    const HEAD: [u8; 12] = [48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0];
    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
    let body = pem.split("-----BEGIN PUBLIC KEY-----").nth(1)?;
    let body = body.split("-----END PUBLIC KEY-----").next()?;
    let body: String = body.split_whitespace().collect();
    let der = BASE64.decode(body).ok()?;
    der.strip_prefix(&HEAD)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_are_read_from_pem() {
        // RFC 8410, section 10.1.
        let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        assert_eq!(public_key(pem).unwrap()[..4], [0x19, 0xbf, 0x44, 0x09]);
        assert_eq!(public_key("-----BEGIN PUBLIC KEY-----\nAAAA\n"), None);
    }
}
