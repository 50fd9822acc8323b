//! A witness (C2SP tlog-witness): remembers the last checkpoint of each log that it knows and cosigns the next
//! only if the log did nothing but grow.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use rustix::fs::{FlockOperation, flock};
use vouchsafe_evidence::checkpoint::Checkpoint;
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::key::{SigningNoteKey, VerifierKey};
use vouchsafe_evidence::note::Note;
use vouchsafe_evidence::witness::{AddCheckpoint, REQUEST_MAX_BYTES, WitnessRefusal};

use crate::http::{Refusal, blocking, not_found};
use crate::store::replace_file;

/// How long a request's body may take.
const BODY_MAX: Duration = Duration::from_secs(10);
const TEXT: &str = "text/plain; charset=utf-8";

/// Why a witness cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum WitnessError {
    /// A file of its folder.
    #[error("{path}: {error}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Its record of a log contradicts itself; it signs nothing for that log any more.
    #[error("{0}: not a checkpoint that this witness cosigned")]
    Record(PathBuf),
    /// It does not cosign.
    #[error(transparent)]
    Refused(#[from] WitnessRefusal),
}

/// A witness at work.
pub struct Witness {
    key: SigningNoteKey,
    logs: Vec<VerifierKey>,
    records: PathBuf,
    /// Held while a checkpoint is compared, kept and cosigned.
    turn: Mutex<()>,
    /// The folder, locked: two witnesses that share it could cosign two successors of one checkpoint.
    _alone: File,
}

impl Witness {
    /// A witness that signs with `key`, of type 0x04, for `logs`, and keeps its records in the folder
    /// `records`, which no other process may use meanwhile.
    pub fn new(
        key: SigningNoteKey,
        logs: Vec<VerifierKey>,
        records: PathBuf,
    ) -> Result<Witness, WitnessError> {
        let file = |error: io::Error| WitnessError::File {
            path: records.clone(),
            error,
        };
        let alone = File::open(&records).map_err(file)?;
        flock(&alone, FlockOperation::NonBlockingLockExclusive)
            .map_err(|error| file(error.into()))?;
        Ok(Witness {
            key,
            logs,
            records,
            turn: Mutex::new(()),
            _alone: alone,
        })
    }

    /// The record of a log: SHA-256 of its origin names the file, as in the witness's own URLs.
    fn record(&self, origin: &str) -> PathBuf {
        self.records
            .join(Digest::sha256(origin.as_bytes()).to_string())
    }

    /// The checkpoint that was cosigned last, as a note with the cosignature.
    fn latest(&self, record: &Path) -> Result<Option<Checkpoint>, WitnessError> {
        let bytes = match fs::read(record) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                let path = record.to_owned();
                return Err(WitnessError::File { path, error });
            }
        };
        let broken = || WitnessError::Record(record.to_owned());
        let note = Note::parse(&bytes).map_err(|_| broken())?;
        let text = note.verify(self.key.verifier()).map_err(|_| broken())?;
        Ok(Some(Checkpoint::parse_text(text).ok_or_else(broken)?))
    }

    /// Answers a request to cosign: the signature line. `seconds` is the time since 1970-01-01 UTC. The
    /// checkpoint is on the disk before it is answered.
    pub fn add_checkpoint(&self, body: &[u8], seconds: u64) -> Result<String, WitnessError> {
        let request = AddCheckpoint::parse(body)?;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let record = self.record(request.origin());
        let latest = self.latest(&record)?;
        request.decide(&self.logs, latest.as_ref())?;
        let text = request.checkpoint.unverified_text();
        let cosigned = Note::sign(text.to_owned(), &self.key, seconds);
        // Of all the lines that came, only those of the log's own keys are kept, one each.
        let mut kept = Note::new(text.to_owned());
        let origin = request.origin();
        for key in self.logs.iter().filter(|key| key.name() == origin) {
            // Another of the log's keys may have signed it, which was seen above.
            let _ = kept.adopt(&request.checkpoint, key);
        }
        let adopted = kept.adopt(&cosigned, self.key.verifier());
        adopted.map_err(|error| WitnessError::Refused(WitnessRefusal::Signature(error)))?;
        replace_file(&record, kept.to_string().as_bytes()).map_err(|error| WitnessError::File {
            path: record,
            error,
        })?;
        Ok(cosigned.signature_lines())
    }
}

/// What tells the time, in seconds since 1970-01-01 UTC.
type Seconds = Arc<dyn Fn() -> u64 + Send + Sync>;

/// The routes of a witness.
pub fn routes(witness: Arc<Witness>, seconds: Seconds) -> Router {
    Router::new()
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{origin}/checkpoint", get(monitored))
        .with_state((witness, seconds))
        .fallback(|| async { not_found() })
}

async fn add_checkpoint(
    State((witness, seconds)): State<(Arc<Witness>, Seconds)>,
    body: Body,
) -> Response {
    // Nobody signs in here: a slow sender holds a connection, and nothing else.
    let read = tokio::time::timeout(BODY_MAX, axum::body::to_bytes(body, REQUEST_MAX_BYTES)).await;
    let Ok(Ok(body)) = read else {
        let error = "the request is too long, or took too long";
        let hint = "send at most 64 KiB within ten seconds";
        return Refusal::new(StatusCode::BAD_REQUEST, error, hint).into_response();
    };
    let answer = blocking(move || {
        Ok(match witness.add_checkpoint(&body, seconds()) {
            Ok(lines) => ([(header::CONTENT_TYPE, TEXT)], lines).into_response(),
            Err(error) => refuse(&error),
        })
    });
    answer.await.unwrap_or_else(Refusal::into_response)
}

/// The status codes of C2SP tlog-witness.
fn refuse(error: &WitnessError) -> Response {
    let status = match error {
        WitnessError::Refused(WitnessRefusal::OtherSize(size)) => {
            let headers = [(header::CONTENT_TYPE, "text/x.tlog.size")];
            return (StatusCode::CONFLICT, headers, format!("{size}\n")).into_response();
        }
        WitnessError::Refused(WitnessRefusal::Form(_)) => StatusCode::BAD_REQUEST,
        WitnessError::Refused(WitnessRefusal::UnknownLog(_)) => StatusCode::NOT_FOUND,
        WitnessError::Refused(WitnessRefusal::Signature(_)) => StatusCode::FORBIDDEN,
        WitnessError::Refused(WitnessRefusal::Inconsistent) => StatusCode::UNPROCESSABLE_ENTITY,
        WitnessError::File { .. } | WitnessError::Record(_) => {
            tracing::error!(%error, "a checkpoint could not be cosigned");
            return Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the witness failed",
                "its own messages say why",
            )
            .into_response();
        }
    };
    tracing::warn!(%error, "a checkpoint was not cosigned");
    let hint = "see C2SP tlog-witness, add-checkpoint";
    Refusal::new(status, error.to_string(), hint).into_response()
}

/// The last cosigned checkpoint of a log, for monitors.
async fn monitored(
    State((witness, _)): State<(Arc<Witness>, Seconds)>,
    UrlPath(origin): UrlPath<String>,
) -> Response {
    let Ok(origin) = origin.parse::<Digest>() else {
        return not_found();
    };
    let read = blocking(move || Ok(fs::read(witness.records.join(origin.to_string())).ok()));
    match read.await {
        Ok(Some(note)) => ([(header::CONTENT_TYPE, TEXT)], note).into_response(),
        _ => not_found(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vouchsafe_evidence::key::KeyKind;

    fn key(kind: KeyKind, seed: u8) -> SigningNoteKey {
        let name = if kind == KeyKind::Note {
            "log"
        } else {
            "w.example"
        };
        SigningNoteKey::from_seed(name, kind, &[seed; 32]).unwrap()
    }

    fn request(old_size: u64, size: u64, root: &[u8]) -> Vec<u8> {
        let checkpoint = Checkpoint {
            origin: "log".into(),
            size,
            root: Digest::sha256(root),
        };
        let request = AddCheckpoint {
            old_size,
            proof: Vec::new(),
            checkpoint: Note::sign(checkpoint.text(), &key(KeyKind::Note, 1), 0),
        };
        request.to_text().into_bytes()
    }

    #[test]
    fn a_witness_remembers_across_restarts_and_refuses_a_fork() {
        let folder = tempfile::tempdir().unwrap();
        let witness = || {
            let logs = vec![key(KeyKind::Note, 1).verifier().clone()];
            Witness::new(key(KeyKind::Cosignature, 2), logs, folder.path().to_owned()).unwrap()
        };
        let lines = witness()
            .add_checkpoint(&request(0, 5, b"one"), 1_700_000_000)
            .unwrap();
        assert!(lines.starts_with("— w.example "), "{lines}");
        let again = witness().add_checkpoint(&request(5, 5, b"one"), 1_700_000_001);
        assert!(again.is_ok());
        let forked = witness().add_checkpoint(&request(5, 5, b"other"), 1_700_000_002);
        let inconsistent = WitnessRefusal::Inconsistent;
        assert!(matches!(forked, Err(WitnessError::Refused(no)) if no == inconsistent));
        let stale = witness().add_checkpoint(&request(0, 9, b"nine"), 1_700_000_003);
        let other = WitnessRefusal::OtherSize(5);
        assert!(matches!(stale, Err(WitnessError::Refused(no)) if no == other));
    }

    #[test]
    fn strange_lines_under_a_checkpoint_are_not_kept_and_two_witnesses_do_not_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let logs = vec![key(KeyKind::Note, 1).verifier().clone()];
        let witness = || {
            let records = folder.path().to_owned();
            Witness::new(key(KeyKind::Cosignature, 2), logs.clone(), records)
        };
        let first = witness().unwrap();
        assert!(witness().is_err());
        let mut crowded = request(0, 5, b"one");
        (0..99).for_each(|n| crowded.extend(format!("— j{n} AAAAAAAA\n").bytes()));
        first.add_checkpoint(&crowded, 1).unwrap();
        let kept = fs::read_to_string(first.record("log")).unwrap();
        assert_eq!(kept.matches("— ").count(), 2, "{kept}");
        assert!(first.add_checkpoint(&request(5, 5, b"one"), 2).is_ok());
    }

    #[test]
    fn a_record_that_was_tampered_with_stops_the_witness() {
        let folder = tempfile::tempdir().unwrap();
        let logs = vec![key(KeyKind::Note, 1).verifier().clone()];
        let records = folder.path().to_owned();
        let witness = Witness::new(key(KeyKind::Cosignature, 2), logs, records).unwrap();
        witness.add_checkpoint(&request(0, 5, b"one"), 1).unwrap();
        let record = witness.record("log");
        let text = fs::read_to_string(&record).unwrap();
        fs::write(&record, text.replace("\n5\n", "\n4\n")).unwrap();
        let refused = witness.add_checkpoint(&request(4, 6, b"six"), 2);
        assert!(matches!(refused, Err(WitnessError::Record(_))));
    }
}
