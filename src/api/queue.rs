use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Json, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::{Receiver, Sender, channel, error::RecvError};

use crate::access::Right;
use crate::archive::{Archive, ArchiveError, Caller, QueueChange};
use crate::http::{Peer, Refusal, Stopping, authenticate, blocking};

/// Changes that a slow listener may be behind before it is told to read its queue again.
const BEHIND_MAX: usize = 1_024;
/// How often a quiet stream says that it is still there, so that proxies keep it open.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Streams that one person has open at most: each browser window and connector has one, and each costs a connection.
const STREAMS_MAX: usize = 256;

/// Where changes of the queues come from.
#[derive(Clone)]
pub struct Changes {
    sender: Sender<QueueChange>,
    /// How many streams each person has, by their id.
    streams: Arc<Mutex<HashMap<String, usize>>>,
}

impl Changes {
    /// Listens to the archive from now on.
    pub fn of(archive: &Archive) -> Changes {
        let (sender, _) = channel(BEHIND_MAX);
        let changes = sender.clone();
        // Nobody may be listening; then there is nobody to tell.
        archive.on_queue_change(move |change| drop(changes.send(change.clone())));
        Changes {
            sender,
            streams: Arc::default(),
        }
    }

    /// One more stream of this person, until what is returned is dropped; none where they have too many.
    fn stream_of(&self, id: &str) -> Option<OpenStream> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let open = streams.get(id).copied().unwrap_or_default();
        if open == STREAMS_MAX {
            return None;
        }
        streams.insert(id.to_owned(), open + 1);
        Some(OpenStream {
            id: id.to_owned(),
            streams: Arc::clone(&self.streams),
        })
    }
}

/// Counts as one of its person's streams while it is there.
struct OpenStream {
    id: String,
    streams: Arc<Mutex<HashMap<String, usize>>>,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = streams.get_mut(&self.id) {
            *open -= 1;
            if *open == 0 {
                streams.remove(&self.id);
            }
        }
    }
}

#[derive(Deserialize, Default)]
pub struct Asked {
    #[serde(default)]
    after: String,
}

/// What waits for the caller's review.
pub async fn waiting(
    State(archive): State<Arc<Archive>>,
    asked: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let after = asked.map(|Query(asked)| asked.after).unwrap_or_default();
    let (vouchers, next) =
        blocking(move || Ok(archive.records().queue(&who.caller, &after)?)).await?;
    Ok(Json(json!({"vouchers": vouchers, "next": next})).into_response())
}

/// One listener: whose queue it is, and what has come since.
struct Listener {
    archive: Arc<Archive>,
    caller: Caller,
    changes: Receiver<QueueChange>,
    stopping: Stopping,
    begun: bool,
    /// Held while the stream is open.
    _open: OpenStream,
}

impl Listener {
    /// The next event; none where the stream ends: the server stops, or the caller may not sign in any more.
    async fn next(&mut self) -> Option<Event> {
        if !self.begun {
            self.begun = true;
            return self
                .look(|caller, archive| {
                    let (vouchers, next) = archive.records().queue(caller, "")?;
                    let queue = json!({"vouchers": vouchers, "next": next});
                    Ok(Some(event("queue", &queue)))
                })
                .await?;
        }
        loop {
            let change = tokio::select! {
                change = self.changes.recv() => change,
                () = self.stopping.wait() => return None,
            };
            let change = match change {
                Ok(change) => change,
                // Too slow to be told one by one: the whole queue again.
                // To whom nothing is told, nothing was missed.
                Err(RecvError::Lagged(_))
                    if !self.caller.permissions.allow_somewhere(Right::Review) =>
                {
                    continue;
                }
                Err(RecvError::Lagged(_)) => {
                    self.begun = false;
                    return Some(event("behind", &json!({})));
                }
                Err(RecvError::Closed) => return None,
            };
            let told = self.look(move |caller, archive| tell(caller, archive, &change));
            if let Some(event) = told.await? {
                return Some(event);
            }
        }
    }

    /// Looks into the archive as the caller is at this moment; none where they may not sign in any more.
    async fn look(
        &mut self,
        look: impl FnOnce(&Caller, &Archive) -> Result<Option<Event>, ArchiveError> + Send + 'static,
    ) -> Option<Option<Event>> {
        self.caller = self.archive.again(&self.caller)?;
        let (archive, caller) = (Arc::clone(&self.archive), self.caller.clone());
        blocking(move || Ok(look(&caller, &archive)?)).await.ok()
    }
}

/// What a change is to a caller: something that waits for them, or was decided; nothing where they may not review it.
fn tell(
    caller: &Caller,
    archive: &Archive,
    change: &QueueChange,
) -> Result<Option<Event>, ArchiveError> {
    let records = archive.records();
    if change.decided {
        let shown = records.reviews(caller, &change.path)?;
        return Ok(shown.then(|| event("decided", &json!({"path": change.path}))));
    }
    let waiting = records.waiting(caller, &change.path)?;
    Ok(waiting.map(|waiting| event("waiting", &json!(waiting))))
}

fn event(name: &str, data: &serde_json::Value) -> Event {
    Event::default().event(name).data(data.to_string())
}

/// The caller's queue as a stream of server-sent events: `queue` with all of it first, then `waiting` and `decided` as
/// they happen.
pub async fn events(
    State((archive, changes)): State<(Arc<Archive>, Changes)>,
    request: Request,
) -> Result<Response, Refusal> {
    let who = authenticate(&archive, request.headers(), Peer::of(&request)).await?;
    let open = changes.stream_of(&who.caller.id).ok_or_else(|| {
        let error = format!("{} has {STREAMS_MAX} streams open", who.caller.name);
        let hint = "close one, or let one stream serve all";
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, error, hint)
    })?;
    let listener = Listener {
        // Listening begins before the queue is read, so that nothing falls between.
        changes: changes.sender.subscribe(),
        stopping: Stopping::of(&request),
        caller: who.caller,
        archive,
        begun: false,
        _open: open,
    };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok::<_, Infallible>(event), listener))
    });
    let alive = KeepAlive::new().interval(SIGN_OF_LIFE);
    Ok(Sse::new(events).keep_alive(alive).into_response())
}
