//! Changing people and grants, also while the archive is served: then the serving process is asked, on
//! a socket in the archive's folder that only its owner can open.

use std::fs::{File, Permissions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Failure, terminal};
use crate::access::{Grant, Role, Scope, Time};
use crate::archive::{Archive, ArchiveError, SigningProgram, system_clock};
use crate::voucher::Invalid;

const SOCKET: &str = "control";
/// Longest message, in bytes.
const MESSAGE_MAX_BYTES: u64 = 256 << 10;
/// How long either side waits for the other.
const PATIENCE: Duration = Duration::from_secs(30);

/// A change that an operator of the machine asks for.
#[derive(Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    AddUser {
        name: String,
        password: String,
    },
    NewPassword {
        name: String,
        /// The one before, which keeps their signing key.
        old: Option<String>,
        password: String,
    },
    DisableUser {
        name: String,
    },
    AddToken {
        name: String,
        until: Option<Time>,
        scope: Option<String>,
    },
    AddGrant {
        user: String,
        role: Role,
        scope: String,
        from: Option<Time>,
        until: Option<Time>,
    },
    RevokeGrant {
        grant: String,
    },
    SetMember {
        group: String,
        user: String,
        member: bool,
    },
    PublishTemplate {
        voucher_type: String,
        text: String,
    },
    /// `signer` is the content of a `signer.toml`; without it a new key is made.
    RotateKey {
        signer: Option<String>,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Done(String),
    Wrong(String),
    No(String),
    Machine(String),
}

fn read_scope(text: &str) -> Result<Scope, Invalid> {
    let hint = "write it like '/acme/*/2024-*/'";
    Scope::parse(text).map_err(|error| Invalid::new("SCOPE", error.to_string(), hint))
}

/// Makes the change in an open archive; gives what it made: an id or a token.
fn perform(archive: &Archive, change: Change) -> Result<String, ArchiveError> {
    match change {
        Change::AddUser { name, password } => archive.add_user(&name, &password),
        Change::NewPassword {
            name,
            old,
            password,
        } => {
            archive.change_password(&name, old.as_deref(), &password)?;
            Ok(String::new())
        }
        Change::DisableUser { name } => {
            archive.disable_user(&name)?;
            Ok(String::new())
        }
        Change::AddToken { name, until, scope } => {
            let scope = scope.as_deref().map(read_scope).transpose()?;
            archive.add_token(&name, until, scope.as_ref())
        }
        Change::AddGrant {
            user,
            role,
            scope,
            from,
            until,
        } => {
            let scope = read_scope(&scope)?;
            let grant = Grant {
                role,
                scope,
                from,
                until,
            };
            archive.add_grant(&user, grant)
        }
        Change::PublishTemplate { voucher_type, text } => {
            archive.publish_template_as_operator(&voucher_type, &text)
        }
        Change::RotateKey { signer } => {
            let program = signer.as_deref().map(SigningProgram::from_toml);
            Ok(archive.rotate_key(program.transpose()?)?.to_string())
        }
        Change::SetMember {
            group,
            user,
            member,
        } => {
            archive.change_group(&group, &user, member)?;
            Ok(String::new())
        }
        Change::RevokeGrant { grant } => {
            archive.revoke_grant(&grant)?;
            Ok(String::new())
        }
    }
}

/// Makes the change in the archive in `folder`, whether it is served or not.
pub fn change(folder: &Path, change: Change) -> Result<String, Failure> {
    let progress = terminal::Progress::new("rebuilding the index");
    let started = Instant::now();
    loop {
        match Archive::open(folder, system_clock(), &|done, of| progress.at(done, of)) {
            Ok(archive) => return Ok(perform(&archive, change)?),
            Err(ArchiveError::InUse(_)) => match ask(folder, &change) {
                // Nobody listens: another command has the archive open for a moment.
                Err(Asked::Nobody(_)) if started.elapsed() < OTHERS_MAX => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(Asked::Nobody(failure) | Asked::Answered(failure)) => return Err(failure),
                Ok(made) => return Ok(made),
            },
            Err(error) => return Err(error.into()),
        }
    }
}

/// How long a command waits for others that have the archive open.
const OTHERS_MAX: Duration = Duration::from_secs(10);

/// Why asking the serving process came to nothing.
enum Asked {
    /// No process listens; nothing was asked.
    Nobody(Failure),
    /// It was asked.
    Answered(Failure),
}

/// The socket's path, short enough for any folder: the address of a socket has at most 107 bytes.
fn socket_of(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()))
}

fn ask(folder: &Path, change: &Change) -> Result<String, Asked> {
    let unreachable = |error: io::Error| {
        Failure::Machine(format!(
            "the archive in {} is in use by another process, which does not answer: {error}",
            folder.display()
        ))
    };
    let opened = File::open(folder).map_err(|error| Asked::Nobody(unreachable(error)))?;
    let mut stream = UnixStream::connect(socket_of(&opened))
        .map_err(|error| Asked::Nobody(unreachable(error)))?;
    tell(&mut stream, change, unreachable).map_err(Asked::Answered)
}

fn tell(
    stream: &mut UnixStream,
    change: &Change,
    unreachable: impl Fn(io::Error) -> Failure,
) -> Result<String, Failure> {
    stream
        .set_read_timeout(Some(PATIENCE))
        .map_err(&unreachable)?;
    let mut request =
        serde_json::to_vec(change).map_err(|error| Failure::Machine(error.to_string()))?;
    request.push(b'\n');
    stream.write_all(&request).map_err(&unreachable)?;
    let mut reply = String::new();
    BufReader::new(stream.take(MESSAGE_MAX_BYTES))
        .read_line(&mut reply)
        .map_err(&unreachable)?;
    match serde_json::from_str(&reply) {
        Ok(Reply::Done(made)) => Ok(made),
        Ok(Reply::Wrong(text)) => Err(Failure::Wrong(text)),
        Ok(Reply::No(text)) => Err(Failure::No(text)),
        Ok(Reply::Machine(text)) => Err(Failure::Machine(text)),
        Err(_) => Err(Failure::Machine(
            "the serving process gave no answer".to_owned(),
        )),
    }
}

/// The socket of a served archive; removed when this is dropped.
pub struct Control {
    folder: File,
}

impl Control {
    /// Answers changes for `archive`, which lies in `folder`, until the process ends.
    pub fn start(folder: &Path, archive: Arc<Archive>) -> Result<Control, Failure> {
        let fault = |error: io::Error| Failure::io(&folder.join(SOCKET), &error);
        let opened = File::open(folder).map_err(fault)?;
        let path = socket_of(&opened);
        // Left by a process that was killed; the archive is locked by this one now.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).map_err(fault)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(fault)?;
        std::thread::Builder::new()
            .name("control".to_owned())
            .spawn(move || {
                for stream in listener.incoming() {
                    if let Err(error) = stream.and_then(|stream| answer(&archive, stream)) {
                        tracing::warn!(%error, "a command was not answered");
                    }
                }
            })
            .map_err(fault)?;
        Ok(Control { folder: opened })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        // If it cannot be removed, the next process that serves removes it.
        let _ = std::fs::remove_file(socket_of(&self.folder));
    }
}

fn answer(archive: &Archive, mut stream: UnixStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut request = String::new();
    BufReader::new((&stream).take(MESSAGE_MAX_BYTES)).read_line(&mut request)?;
    let outcome = match serde_json::from_str(&request) {
        Ok(change) => perform(archive, change).map_err(Failure::from),
        // The text of the error could quote a password.
        Err(_) => Err(Failure::Wrong(
            "not a change that this version knows".to_owned(),
        )),
    };
    let mut reply = serde_json::to_vec(&match outcome {
        Ok(made) => Reply::Done(made),
        Err(Failure::Wrong(text)) => Reply::Wrong(text),
        Err(Failure::No(text)) => Reply::No(text),
        Err(failure @ Failure::Unsure) => Reply::No(failure.to_string()),
        Err(Failure::Machine(text)) => Reply::Machine(text),
    })?;
    reply.push(b'\n');
    stream.write_all(&reply)
}
