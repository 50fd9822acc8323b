use std::io::{self, Read};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_RANGE, EXPECT};
use http_body_util::BodyExt as _;
use tokio::runtime::Handle;

use super::turns::Turns;
use super::{Refusal, text};
use crate::archive::{Archive, ArchiveError, Caller};
use crate::voucher::Invalid;

/// How long a sender may be silent in the middle of a body.
const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Bytes of a refused body that are read and thrown away, so that its sender gets to the answer.
const DRAINED_MAX_BYTES: usize = 16 << 20;
/// How long that may take in all.
const DRAINED_MAX: Duration = Duration::from_secs(2);

/// Uploads of one person that are taken in at once. Each holds a thread until its last byte has come, so those of one who
/// sends slowly must leave threads for everybody else.
const UPLOADS_AT_ONCE: usize = 64;

static UPLOADS: LazyLock<Turns> = LazyLock::new(|| Turns::new(UPLOADS_AT_ONCE));

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
        self.runtime.block_on(next(&mut self.body, patience))
    }

    /// Reads everything, at most `limit` bytes.
    pub fn read_all(&mut self, what: &str, limit: usize) -> Result<Vec<u8>, ArchiveError> {
        self.begun = true;
        self.runtime.block_on(whole(&mut self.body, what, limit))
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

/// The next bytes of a body; none at its end.
async fn next(body: &mut Body, patience: Duration) -> io::Result<Option<Bytes>> {
    loop {
        match tokio::time::timeout(patience, body.frame()).await {
            Err(_) => {
                let error = io::Error::new(io::ErrorKind::TimedOut, "no more bytes came");
                return Err(error);
            }
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => {
                let kind = io::ErrorKind::UnexpectedEof;
                return Err(io::Error::new(kind, error.to_string()));
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

/// All of a body, at most `limit` bytes. Waiting for it holds no thread.
pub async fn whole(body: &mut Body, what: &str, limit: usize) -> Result<Vec<u8>, ArchiveError> {
    let mut content = Vec::new();
    while let Some(piece) = next(body, SILENCE_MAX)
        .await
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

/// A body for `reader` whose pieces `next` makes one after the other, each on a thread that may wait for the disk, when the
/// client has room for it: who does not read holds no thread. It breaks off when something that the reader might do was
/// taken from them.
pub fn streamed(
    (archive, reader): (Arc<Archive>, Caller),
    mut next: impl FnMut() -> Result<Option<Bytes>, ArchiveError> + Send + 'static,
) -> Body {
    pieces(move || match archive.holds(&reader) {
        true => next(),
        false => Err(ArchiveError::Denied {
            error: "the reader's grants ended".to_owned(),
            hint: "ask again".to_owned(),
        }),
    })
}

fn pieces(next: impl FnMut() -> Result<Option<Bytes>, ArchiveError> + Send + 'static) -> Body {
    let pieces = futures_util::stream::unfold(Some(next), |next| async {
        let mut next = next?;
        let made = tokio::task::spawn_blocking(move || (next(), next)).await;
        let error = match made {
            Ok((Ok(piece), next)) => return piece.map(|piece| (Ok(piece), Some(next))),
            Ok((Err(error), _)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!(error, "an answer could not be sent to its end");
        Some((Err(io::Error::other("it ends here")), None))
    });
    Body::from_stream(pieces)
}

/// Hands a body that `caller` sends to `take_in`, away from the threads that drive connections.
pub async fn received<T: Send + 'static>(
    caller: &Caller,
    headers: &HeaderMap,
    body: Body,
    take_in: impl FnOnce(&mut BodyReader) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let _turn = UPLOADS.take(&caller.id).await;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_nobody_reads_hold_no_thread() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .max_blocking_threads(1)
            .build()
            .unwrap();
        runtime.block_on(async {
            let endless = || pieces(|| Ok(Some(Bytes::from_static(b"more"))));
            let mut open: Vec<Body> = (0..8).map(|_| endless()).collect();
            for body in &mut open {
                let piece = next(body, Duration::from_secs(20)).await.unwrap();
                assert_eq!(piece.as_deref(), Some(&b"more"[..]));
            }
        });
    }
}
