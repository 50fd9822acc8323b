//! The one writer: a thread that collects what is waiting and commits it as one batch with one sync.
//!
//! A job decides against the index as it will be after the jobs before it, so two jobs never decide
//! on the same state. It is answered once everything it wrote is on disk.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use vouchsafe_evidence::checkpoint::Checkpoint;
use vouchsafe_evidence::digest::{Digest, to_hex};
use vouchsafe_evidence::entry::{Entry, VERSION};
use vouchsafe_evidence::merkle::leaf_hash;
use vouchsafe_evidence::note::Note;
use vouchsafe_evidence::tile::{Tile, TileWriter, tile_bytes};

use super::fold::Rows;
use super::high_water::HighWater;
use super::kind::Draft;
use super::{ArchiveError, Clock, Signer};
use crate::access::Time;
use crate::store::{Append, Store};

/// Jobs that may wait; more are refused as busy.
const QUEUE_MAX: usize = 8_192;
/// Entries after which a commit takes no further job.
const BATCH_ENTRIES_MAX: usize = 2_048;
const SALT_BYTES: usize = 16;
/// Salts for a commit of one entry cost no more than one.
const SALTS_AT_ONCE: usize = 16;

/// What a job sees and where it leaves its entries.
pub(super) struct Desk<'a> {
    /// The index after all jobs before this one.
    pub rows: &'a Rows<'a>,
    /// Who signs this commit.
    pub signer: &'a Signer,
    drafts: Vec<Draft>,
    next_signer: Option<Signer>,
}

impl Desk<'_> {
    /// Adds an entry. A job that fails afterwards adds nothing.
    pub fn write(&mut self, draft: Draft) {
        self.drafts.push(draft);
    }

    /// Lets another signer sign from the next commit on; both sign this one.
    pub fn hand_over(&mut self, next: Signer) {
        self.next_signer = Some(next);
    }
}

/// A decision and its answer.
trait Job: Send {
    /// The entries to write; none if the answer is ready without.
    fn decide(&mut self, desk: &mut Desk<'_>) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), ArchiveError>);
}

struct Decision<F, T, R> {
    decide: Option<F>,
    outcome: Option<Result<T, ArchiveError>>,
    reply: R,
}

impl<F, T, R> Job for Decision<F, T, R>
where
    F: FnOnce(&mut Desk<'_>) -> Result<T, ArchiveError> + Send,
    T: Send,
    R: FnOnce(Result<T, ArchiveError>) + Send,
{
    fn decide(&mut self, desk: &mut Desk<'_>) -> bool {
        let outcome = self.decide.take().map(|decide| decide(desk));
        let accepted = matches!(outcome, Some(Ok(_)));
        self.outcome = outcome;
        accepted
    }

    fn answer(self: Box<Self>, committed: Result<(), ArchiveError>) {
        let outcome = match (self.outcome, committed) {
            (Some(Ok(answer)), Ok(())) => Ok(answer),
            (Some(Err(refused)), _) => Err(refused),
            (_, Err(error)) => Err(error),
            (None, Ok(())) => Err(stopped()),
        };
        (self.reply)(outcome);
    }
}

pub(super) fn stopped() -> ArchiveError {
    ArchiveError::Busy("nothing more is written until the archive is opened again".to_owned())
}

/// A handle to the thread that writes. Dropped, it ends the thread after the last commit.
pub(super) struct Writer {
    jobs: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<AtomicBool>,
}

/// What is told of the entries of a commit.
pub(super) type Committed = Box<dyn Fn(&[Entry]) -> Result<(), ArchiveError> + Send>;

/// Says whether there is room for a commit.
pub(super) type Room = Box<dyn Fn() -> Result<(), ArchiveError> + Send>;

/// Everything that the thread keeps between commits.
pub(super) struct Pen {
    pub store: Arc<dyn Store>,
    pub signer: Signer,
    pub tiles: TileWriter,
    /// BLAKE3 of the last entry.
    pub last: Digest,
    /// Time of the last entry.
    pub last_time: Time,
    pub clock: Clock,
    pub high_water: Option<HighWater>,
    /// Refuses a commit for which the disk has no room; the next may find some again.
    pub room: Room,
    /// Told of the entries of every commit, before it is answered.
    pub committed: Committed,
}

impl Writer {
    pub fn start(pen: Pen) -> Result<Writer, ArchiveError> {
        let (jobs, waiting) = sync_channel(QUEUE_MAX);
        let failed = Arc::new(AtomicBool::new(false));
        let state = Arc::clone(&failed);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || pen.run(&waiting, &state))
            .map_err(|error| ArchiveError::Fault(format!("starting the writer: {error}")))?;
        Ok(Writer {
            jobs: Some(jobs),
            thread: Some(thread),
            failed,
        })
    }

    /// Whether a write failed, after which nothing more is written.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Runs `decide` on the writer's thread and returns its answer once its entries are durable.
    pub fn commit<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Desk<'_>) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ArchiveError> {
        let (reply, answer) = sync_channel(1);
        self.submit(decide, move |outcome| {
            // Whoever asked may be gone; what was written stays.
            let _ = reply.send(outcome);
        })?;
        answer.recv().unwrap_or_else(|_| Err(stopped()))
    }

    /// Runs `decide` on the writer's thread, and `reply` there once its entries are durable; `reply`
    /// must not take long. When it is dropped instead, the writer ended before it came to the job.
    pub fn submit<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Desk<'_>) -> Result<T, ArchiveError> + Send + 'static,
        reply: impl FnOnce(Result<T, ArchiveError>) + Send + 'static,
    ) -> Result<(), ArchiveError> {
        let job = Box::new(Decision {
            decide: Some(decide),
            outcome: None,
            reply,
        });
        match self.jobs.as_ref().map(|jobs| jobs.try_send(job)) {
            Some(Ok(())) => Ok(()),
            Some(Err(TrySendError::Full(_))) => Err(ArchiveError::Busy(format!(
                "{QUEUE_MAX} writes are waiting; try again in a moment"
            ))),
            Some(Err(TrySendError::Disconnected(_))) | None => Err(stopped()),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic in the thread has been reported by its own hook.
            let _ = thread.join();
        }
    }
}

impl Pen {
    fn run(mut self, waiting: &Receiver<Box<dyn Job>>, failed: &AtomicBool) {
        while let Ok(first) = waiting.recv() {
            if failed.load(Ordering::Acquire) {
                first.answer(Err(stopped()));
                continue;
            }
            if let Err(error) = self.commit(first, waiting) {
                tracing::error!(%error, "a write failed; nothing more is written");
                failed.store(true, Ordering::Release);
            }
        }
    }

    /// Decides what is waiting, commits it, and answers.
    fn commit(
        &mut self,
        first: Box<dyn Job>,
        waiting: &Receiver<Box<dyn Job>>,
    ) -> Result<(), ArchiveError> {
        let store = Arc::clone(&self.store);
        let mut rows = Rows::new(&*store);
        let mut page = Page {
            time: (self.clock)().max(self.last_time),
            size: self.tiles.edge().size(),
            last: self.last,
            entries: Vec::new(),
            bytes: Vec::new(),
            salts: Vec::new(),
        };
        let mut accepted = Vec::new();
        let mut next_signer = None;
        let mut next = Some(first);
        while let Some(mut job) = next {
            let mut desk = Desk {
                rows: &rows,
                signer: &self.signer,
                drafts: Vec::new(),
                next_signer: None,
            };
            if job.decide(&mut desk) {
                next_signer = desk.next_signer;
                let drafts = desk.drafts;
                match page.write(drafts, &mut rows) {
                    Ok(()) => accepted.push(job),
                    Err(error) => {
                        // The rows may hold half of a job now, so nothing of this batch is kept.
                        job.answer(Err(error.clone()));
                        answer_all(accepted, &Err(error.clone()));
                        return Err(error);
                    }
                }
            } else {
                job.answer(Ok(()));
            }
            let goes_on = page.entries.len() < BATCH_ENTRIES_MAX && next_signer.is_none();
            next = goes_on.then(|| waiting.try_recv().ok()).flatten();
        }
        if page.entries.is_empty() {
            answer_all(accepted, &Ok(()));
            return Ok(());
        }
        let can_fail = self.signer.is_outside() || next_signer.is_some();
        let before = can_fail.then(|| self.tiles.clone());
        let prepared = (self.room)().and_then(|()| self.prepare(&page, next_signer.as_ref()));
        let (append, checkpoint) = match prepared {
            Ok(prepared) => prepared,
            Err(refused) => {
                // Nothing was written: the next commit may find room, or a signer that answers.
                if let Some(before) = before {
                    self.tiles = before;
                }
                answer_all(accepted, &Err(refused));
                return Ok(());
            }
        };
        let written = self.append(append, &checkpoint, page, rows);
        if written.is_ok()
            && let Some(next) = next_signer
        {
            self.signer = next;
        }
        answer_all(accepted, &written);
        written
    }

    /// The tree with the new entries, and its signed head.
    fn prepare(
        &mut self,
        page: &Page,
        next_signer: Option<&Signer>,
    ) -> Result<(Append, Checkpoint), ArchiveError> {
        let mut append = Append {
            expected_size: self.tiles.edge().size(),
            ..Append::default()
        };
        for entry in &page.bytes {
            let full = &mut append.tiles;
            self.tiles
                .push(leaf_hash(entry), |tile, hashes| full.push((tile, hashes)));
        }
        // What these entries began above is kept as far as it goes: every proof would compute it again from
        // hundreds of tiles below.
        let begun: BTreeSet<u32> = append
            .tiles
            .iter()
            .map(|(tile, _)| tile.level + 1)
            .collect();
        let size = self.tiles.edge().size();
        for level in begun {
            let hashes = self.tiles.partial(level);
            let width = hashes.len() as u64;
            if let Some(tile) = Tile::at_edge(level, size).filter(|tile| tile.width == width) {
                append.tiles.push((tile, tile_bytes(hashes)));
            }
        }
        let checkpoint = Checkpoint {
            origin: self.signer.verifier().name().to_owned(),
            size: self.tiles.edge().size(),
            root: self.tiles.edge().root(),
        };
        let mut note = Note::new(checkpoint.text());
        for signer in [Some(&self.signer), next_signer].into_iter().flatten() {
            signer.sign(&mut note)?;
        }
        append.checkpoint = note.to_string().into_bytes();
        Ok((append, checkpoint))
    }

    fn append(
        &mut self,
        mut append: Append,
        checkpoint: &Checkpoint,
        page: Page,
        rows: Rows<'_>,
    ) -> Result<(), ArchiveError> {
        append.entries = page.bytes;
        append.index = rows.into_changes();
        self.store.append(&append)?;
        if let Some(high_water) = &self.high_water {
            high_water.raise(checkpoint)?;
        }
        self.last = page.last;
        self.last_time = page.time;
        (self.committed)(&page.entries)
    }
}

fn answer_all(jobs: Vec<Box<dyn Job>>, written: &Result<(), ArchiveError>) {
    for job in jobs {
        job.answer(written.clone());
    }
}

/// The entries of one commit as they come to be.
struct Page {
    time: Time,
    size: u64,
    last: Digest,
    entries: Vec<Entry>,
    bytes: Vec<Vec<u8>>,
    /// Random bytes that no entry has had yet.
    salts: Vec<[u8; SALT_BYTES]>,
}

impl Page {
    /// Random bytes for one entry; the kernel is asked for those of many at once.
    fn salt(&mut self) -> Result<[u8; SALT_BYTES], ArchiveError> {
        if self.salts.is_empty() {
            let mut random = [[0; SALT_BYTES]; SALTS_AT_ONCE];
            getrandom::fill(random.as_flattened_mut())
                .map_err(|error| ArchiveError::Fault(format!("no randomness: {error}")))?;
            self.salts.extend(random);
        }
        let none = || ArchiveError::Fault("no randomness".to_owned());
        self.salts.pop().ok_or_else(none)
    }

    fn write(&mut self, drafts: Vec<Draft>, rows: &mut Rows<'_>) -> Result<(), ArchiveError> {
        for draft in drafts {
            let salt = self.salt()?;
            let entry = Entry {
                actor: draft.actor,
                body: draft.body,
                kind: draft.kind.to_owned(),
                objects: draft.objects,
                path: draft.path,
                prev: self.last,
                salt: to_hex(&salt),
                seq: self.size + self.entries.len() as u64,
                time: self.time,
                v: VERSION,
            };
            let bytes = entry.encode()?;
            rows.fold(&entry)?;
            self.last = Digest::blake3(&bytes);
            self.bytes.push(bytes);
            self.entries.push(entry);
        }
        Ok(())
    }
}
