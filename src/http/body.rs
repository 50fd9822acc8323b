use std::io::{self, Read};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_RANGE, EXPECT};
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;

use super::{Refusal, text};
use crate::archive::ArchiveError;
use crate::voucher::Invalid;

/// How long a sender may be silent in the middle of a body.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Bytes of a refused body that are read and thrown away, so that its sender gets to the answer.
const DRAINED_MAX_BYTES: usize = 16 << 20;
/// How long that may take in all.
const DRAINED_MAX: Duration = Duration::from_secs(2);

/// A request's body as a blocking reader, for threads that [`blocking`] runs. Nothing is asked of the
/// sender before the first read.
pub struct BodyReader {
    runtime: Handle,
    body: Body,
    piece: Bytes,
    begun: bool,
}

impl BodyReader {
    /// Must be called on the runtime that drives the connection.
    pub fn new(body: Body) -> BodyReader {
        BodyReader {
            runtime: Handle::current(),
            body,
            piece: Bytes::new(),
            begun: false,
        }
    }

    fn next(&mut self, patience: Duration) -> io::Result<Option<Bytes>> {
        self.begun = true;
        loop {
            let frame = self
                .runtime
                .block_on(async { tokio::time::timeout(patience, self.body.frame()).await });
            match frame {
                Err(_) => {
                    return Err(io::Error::new(
                        io::ErrorKind::TimedOut,
                        "no more bytes came",
                    ));
                }
                Ok(None) => return Ok(None),
                Ok(Some(Err(error))) => {
                    return Err(io::Error::new(
                        io::ErrorKind::UnexpectedEof,
                        error.to_string(),
                    ));
                }
                Ok(Some(Ok(frame))) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// Reads everything, at most `limit` bytes.
    pub fn read_all(&mut self, what: &str, limit: usize) -> Result<Vec<u8>, ArchiveError> {
        let mut content = Vec::new();
        while let Some(piece) = self
            .next(SILENCE_MAX)
            .map_err(|error| ArchiveError::CutOff(error.to_string()))?
        {
            if content.len() + piece.len() > limit {
                return Err(ArchiveError::TooLarge {
                    what: what.to_owned(),
                    limit: limit as u64,
                });
            }
            content.extend_from_slice(&piece);
        }
        Ok(content)
    }

    /// Throws away the rest of a body, within limits: hanging up on a sender who still sends would reset
    /// the connection and take the answer with it.
    pub fn drain(&mut self) {
        let end = Instant::now() + DRAINED_MAX;
        let mut drained = 0;
        while drained < DRAINED_MAX_BYTES {
            match self.next(end.saturating_duration_since(Instant::now())) {
                Ok(Some(piece)) => drained += piece.len(),
                Ok(None) | Err(_) => return,
            }
        }
    }
}

impl Read for BodyReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            match self.next(SILENCE_MAX)? {
                Some(piece) => self.piece = piece,
                None => return Ok(0),
            }
        }
        let read = into.len().min(self.piece.len());
        into[..read].copy_from_slice(&self.piece.split_to(read));
        Ok(read)
    }
}

/// A body whose pieces `next` makes one after the other, on a thread that may wait for the disk, while
/// the client reads; it is never more than a few pieces ahead.
pub fn streamed(
    mut next: impl FnMut() -> Result<Option<Bytes>, ArchiveError> + Send + 'static,
) -> Body {
    let (pieces, mut made) = tokio::sync::mpsc::channel(2);
    tokio::task::spawn_blocking(move || {
        loop {
            let piece = match next() {
                Ok(Some(piece)) => Ok(piece),
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(%error, "an answer could not be sent to its end");
                    Err(io::Error::other("the archive failed"))
                }
            };
            let last = piece.is_err();
            // Nobody receives any more when the client has gone.
            if pieces.blocking_send(piece).is_err() || last {
                return;
            }
        }
    });
    Body::from_stream(futures_util::stream::poll_fn(move |context| {
        made.poll_recv(context)
    }))
}

/// Hands a request's body to `take_in`, away from the threads that drive connections.
pub async fn received<T: Send + 'static>(
    headers: &HeaderMap,
    body: Body,
    take_in: impl FnOnce(&mut BodyReader) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let mut reader = BodyReader::new(body);
    // Whoever waits to be asked for the body (RFC 9110, section 10.1.1) gets a refusal instead. Asking for it and
    // hanging up in the middle could cut the answer off.
    let waits = headers
        .get(EXPECT)
        .is_some_and(|expected| expected.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    let part = text(headers, CONTENT_RANGE).is_some();
    blocking(move || {
        if part {
            let error = Invalid::new("Content-Range", "parts cannot be uploaded", "send it whole");
            return Err(ArchiveError::from(error).into());
        }
        take_in(&mut reader).inspect_err(|_| {
            if !waits || reader.begun {
                reader.drain();
            }
        })
    })
    .await
}

/// Runs work that may wait for the disk, away from the threads that drive connections.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) => Err(ArchiveError::Fault(format!("a request's work ended: {error}")).into()),
    }
}
