//! Gathering anchors for a served archive: a thread that asks the witnesses and the time-stamp authority, so
//! that nobody who files or looks waits for them.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::note::Note;
use vouchsafe_evidence::witness::AddCheckpoint;

use super::{Authority, agent, post};
use crate::archive::{Archive, ArchiveError, Unanchored};
use crate::config::{Config, Timestamps, Witnesses};

/// How often a witness that has seen another size is asked again with that size.
const TRIES: usize = 3;
/// How far the clock of a witness or an authority may be from ours: less than a verifier allows.
const CLOCK_MAX_SECONDS: u64 = 240;

/// The thread; dropped, it ends it after the request under way.
pub struct Gathering {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Gathering {
    /// Starts to gather what the configuration asks for; nothing if it asks for nothing.
    pub fn start(archive: Arc<Archive>, config: &Config) -> Result<Gathering, String> {
        let mut gathering = Gathering {
            stop: None,
            thread: None,
        };
        let witnesses = config
            .witnesses
            .as_ref()
            .map(AskedWitnesses::new)
            .transpose()?;
        let authority = config
            .timestamps
            .as_ref()
            .map(AskedAuthority::new)
            .transpose()?;
        if witnesses.is_none() && authority.is_none() {
            return Ok(gathering);
        }
        if witnesses.is_some() {
            archive.records().publish_cosigned();
        }
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new()
            .name("anchors".to_owned())
            .spawn(move || run(&archive, witnesses, authority, &stopped))
            .map_err(|error| format!("starting a thread: {error}"))?;
        gathering.stop = Some(stop);
        gathering.thread = Some(thread);
        Ok(gathering)
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has been reported by its own hook.
            let _ = thread.join();
        }
    }
}

fn run(
    archive: &Archive,
    mut witnesses: Option<AskedWitnesses>,
    mut authority: Option<AskedAuthority>,
    stopped: &Receiver<()>,
) {
    loop {
        let now = Instant::now();
        let mut next = now + Duration::from_secs(3_600);
        if let Some(witnesses) = &mut witnesses {
            if witnesses.due <= now {
                witnesses.due = now + witnesses.every;
                if let Err(error) = witnesses.ask(archive) {
                    tracing::warn!(%error, "no cosigned checkpoint");
                }
            }
            next = next.min(witnesses.due);
        }
        if let Some(authority) = &mut authority {
            if authority.due <= now {
                let asked = authority.ask(archive);
                // What failed is tried again soon, not only after a day.
                authority.due = now
                    + authority.every.min(match &asked {
                        Ok(()) => Duration::MAX,
                        Err(_) => Duration::from_secs(60),
                    });
                if let Err(error) = asked {
                    tracing::warn!(%error, "no time-stamp");
                }
            }
            next = next.min(authority.due);
        }
        match stopped.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Refuses the time of somebody whose clock is far from this machine's: one of the two is wrong, and a verifier
/// would hold it against the log for ever.
fn check_clock(seconds: u64) -> Result<(), String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    match now.abs_diff(seconds) {
        ..=CLOCK_MAX_SECONDS => Ok(()),
        difference => Err(format!("its clock and ours are {difference} seconds apart")),
    }
}

struct AskedWitnesses {
    agent: ureq::Agent,
    witnesses: Vec<(String, VerifierKey)>,
    required: usize,
    every: Duration,
    due: Instant,
    /// The size that each witness is known to have cosigned last, by its URL.
    sizes: HashMap<String, u64>,
}

impl AskedWitnesses {
    fn new(config: &Witnesses) -> Result<AskedWitnesses, String> {
        let witnesses = config.witness.iter().map(|witness| {
            let url = format!("{}/add-checkpoint", witness.url.trim_end_matches('/'));
            Ok((url, witness.key().map_err(|error| error.to_string())?))
        });
        Ok(AskedWitnesses {
            agent: agent(),
            witnesses: witnesses.collect::<Result<_, String>>()?,
            required: config.required(),
            every: config.every(),
            due: Instant::now(),
            sizes: HashMap::new(),
        })
    }

    /// Sends the head to every witness, if it has news, and logs it when enough of them cosigned it.
    fn ask(&mut self, archive: &Archive) -> Result<(), String> {
        let head = archive.to_cosign().map_err(|error| error.to_string())?;
        let Some(Unanchored {
            checkpoint,
            mut note,
        }) = head
        else {
            return Ok(());
        };
        let (mut cosigned, mut failures) = (0, Vec::new());
        for (url, key) in self.witnesses.clone() {
            match self.ask_one(archive, &url, &key, checkpoint.size, &mut note) {
                Ok(()) => cosigned += 1,
                Err(error) => failures.push(format!("{url}: {error}")),
            }
        }
        if cosigned < self.required {
            return Err(failures.join("; "));
        }
        for failure in failures {
            tracing::warn!(%failure, "a witness did not cosign");
        }
        // What is logged stays for ever, so it is read back first.
        Note::parse(note.to_string().as_bytes()).map_err(|error| error.to_string())?;
        let added = archive.add_cosigned(&checkpoint, &note);
        added.map_err(|error| error.to_string())
    }

    fn ask_one(
        &mut self,
        archive: &Archive,
        url: &str,
        key: &VerifierKey,
        size: u64,
        note: &mut Note,
    ) -> Result<(), String> {
        for _ in 0..TRIES {
            let old_size = self.sizes.get(url).copied().unwrap_or(0);
            let proof = archive.consistency(old_size, size);
            let request = AddCheckpoint {
                old_size,
                proof: proof.map_err(|error: ArchiveError| error.to_string())?,
                checkpoint: note.clone(),
            };
            let body = request.to_text();
            let (status, answer) = post(&self.agent, url, "text/plain", body.as_bytes())?;
            let answer = String::from_utf8_lossy(&answer).into_owned();
            match status {
                200 => {
                    let text = format!("{}\n{answer}", note.unverified_text());
                    let other = Note::parse(text.as_bytes()).map_err(|error| error.to_string())?;
                    let seconds = other.cosigned_at(key).map_err(|error| error.to_string())?;
                    check_clock(seconds)?;
                    note.adopt(&other, key).map_err(|error| error.to_string())?;
                    self.sizes.insert(url.to_owned(), size);
                    return Ok(());
                }
                409 => {
                    let known = answer.trim().parse();
                    let known = known.map_err(|_| format!("409 with {answer:?}"))?;
                    self.sizes.insert(url.to_owned(), known);
                }
                _ => return Err(format!("{status} {}", answer.trim())),
            }
        }
        Err("it names another size each time".to_owned())
    }
}

struct AskedAuthority {
    agent: ureq::Agent,
    url: String,
    authority: Option<Authority>,
    every: Duration,
    due: Instant,
}

impl AskedAuthority {
    fn new(config: &Timestamps) -> Result<AskedAuthority, String> {
        let authority = config.certificates.as_ref().map(|file| {
            let pem = std::fs::read(file).map_err(|error| error.to_string());
            let authority =
                pem.and_then(|pem| Authority::from_pem(&pem).map_err(|e| e.to_string()));
            authority
                .map_err(|error| format!("timestamps.certificates, {}: {error}", file.display()))
        });
        Ok(AskedAuthority {
            agent: agent(),
            url: config.url.clone(),
            authority: authority.transpose()?,
            every: config.every(),
            due: Instant::now(),
        })
    }

    /// Has the head stamped, if it has news, and logs the answer.
    fn ask(&mut self, archive: &Archive) -> Result<(), String> {
        let head = archive.to_timestamp().map_err(|error| error.to_string())?;
        let Some(Unanchored { checkpoint, note }) = head else {
            return Ok(());
        };
        let content = note.to_string();
        let query =
            super::timestamp::query(content.as_bytes()).map_err(|error| error.to_string())?;
        let (status, token) = post(
            &self.agent,
            &self.url,
            "application/timestamp-query",
            &query,
        )?;
        if status != 200 {
            return Err(format!("{} answered {status}", self.url));
        }
        let stamp = super::timestamp::read(&token, content.as_bytes(), self.authority.as_ref());
        let stamp = stamp.map_err(|error| format!("{}: {error}", self.url))?;
        check_clock(stamp.time / 1_000)?;
        let added = archive.add_timestamp(&checkpoint, &note, &token, stamp.time);
        added.map_err(|error| error.to_string())
    }
}
