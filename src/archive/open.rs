//! Making and opening an archive: everything that is checked and mended before the first request.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use vouchsafe_evidence::entry::Entry;
use vouchsafe_evidence::rotation::KeyHistory;
use vouchsafe_evidence::tile::{TileWriter, tile_hashes};

use super::copies::Copies;
use super::credentials::Credentials;
use super::head::{check_head, check_not_rolled_back};
use super::high_water::HighWater;
use super::kind::{self, Draft, OPERATOR};
use super::marking::Marking;
use super::pool::News;
use super::reindex::{catch_up, is_of_this_version};
use super::verify::open_store_to_read;
use super::writer::{Committed, Pen, Room, Writer};
use super::{
    Archive, ArchiveError, Clock, People, QueueChange, Records, Signer, SigningProgram, folder,
    keys, log, sign_in,
};
use crate::catalog::Layout;
use crate::matching::InProcess;
use crate::render::Renderer;
use crate::store::{Rocks, Store};
use crate::voucher::Invalid;
use crate::voucher::template::Template;

/// Told how many entries of how many have been worked on.
pub type Progress<'a> = &'a dyn Fn(u64, u64);

/// Everything an archive is made of, before it is running.
pub(super) struct Parts {
    /// Where it lies, if it lies on a disk.
    pub folder: Option<PathBuf>,
    pub store: Arc<dyn Store>,
    pub layout: Layout,
    /// Everybody who may be meant to sign.
    pub signers: Vec<Signer>,
    pub credentials: Credentials,
    pub high_water: Option<HighWater>,
    pub marking: Marking,
    pub clock: Clock,
}

impl Archive {
    /// Makes a new archive in `folder`, which must be absent or empty, with its first admin. Its log is signed
    /// by a new key, or by a program.
    pub fn create(
        folder: &Path,
        admin: &str,
        password: &str,
        signer: Option<SigningProgram>,
        clock: Clock,
    ) -> Result<(), ArchiveError> {
        super::credentials::check_password(password)?;
        let signer = match signer {
            Some(program) => Signer::Program(program),
            None => Signer::Key(keys::new_key(None)?),
        };
        make_aside(folder, |aside| {
            Archive::create_aside(aside, admin, password, &signer, clock)
        })
    }

    fn create_aside(
        aside: &Path,
        admin: &str,
        password: &str,
        signer: &Signer,
        clock: Clock,
    ) -> Result<(), ArchiveError> {
        fs::create_dir_all(folder::store(aside)).map_err(|e| ArchiveError::io(aside, e))?;
        folder::write(aside, signer)?;
        drop(Rocks::create(&folder::store(aside))?);
        let archive = Archive::open(aside, clock, &|_, _| {})?;
        archive.write_beginning()?;
        archive.add_first_admin(admin, password)
    }

    /// The first entries: what the archive is called, and its templates.
    pub(super) fn write_beginning(&self) -> Result<(), ArchiveError> {
        let key = self.records.verifier_key();
        let created = kind::Created {
            origin: key.name().to_owned(),
            vkey: key.to_string(),
        };
        self.commit(move |desk| {
            let draft = Draft::new(OPERATOR, kind::ARCHIVE_CREATED, "", &created)?;
            desk.write(draft);
            Ok(())
        })?;
        for voucher_type in self.records.layout.types() {
            if let Some(text) = Template::builtin(&voucher_type.name) {
                let (name, always) = (&voucher_type.name, super::Condition::Always);
                self.publish_template(OPERATOR, name, text.as_bytes(), &always)?;
            }
        }
        Ok(())
    }

    /// Opens the archive in `folder` for reading and writing; only one process at a time can.
    /// `progress` is told when the index has to catch up with the log.
    pub fn open(
        folder: &Path,
        clock: Clock,
        progress: Progress<'_>,
    ) -> Result<Archive, ArchiveError> {
        let layout = folder::read_layout(folder)?;
        let signers = folder::read_signers(folder)?;
        let store: Arc<dyn Store> = Arc::new(Rocks::open(&folder::store(folder))?);
        check_not_rolled_back(
            folder,
            &*store,
            HighWater::read(&folder::high_water(folder))?,
        )?;
        let parts = Parts {
            folder: Some(folder.to_owned()),
            store,
            layout,
            signers,
            credentials: Credentials::open(&folder::credentials(folder))?,
            high_water: Some(HighWater::open(&folder::high_water(folder))?),
            marking: Marking::new(folder::mark_key(folder)?),
            clock,
        };
        Archive::start(parts, progress)
    }

    /// Checks the head, lets the index catch up, and starts the writer.
    pub(super) fn start(parts: Parts, progress: Progress<'_>) -> Result<Archive, ArchiveError> {
        let Parts {
            folder,
            store,
            layout,
            signers,
            credentials,
            high_water,
            marking,
            clock,
        } = parts;
        let head = store.head()?;
        let tiles = TileWriter::resume(head.size, |tile| {
            log::tile(&*store, tile)?
                .and_then(|bytes| tile_hashes(&bytes))
                .ok_or_else(|| ArchiveError::Broken(format!("{} is missing", tile.path())))
        })?;
        // Which keys the log has had follows from the log, too.
        catch_up(&*store, progress)?;
        let own = signers.first().map(|signer| signer.verifier().clone());
        let own = own.ok_or_else(|| ArchiveError::Fault("nobody signs the log".to_owned()))?;
        let history = keys::history(&*store, &own)?;
        check_head(&*store, &history, &tiles)?;
        let signer = keys::choose(folder.as_deref(), signers, &history)?;
        let last_time = match head.size.checked_sub(1) {
            Some(last) => entry(&*store, last)?.time,
            None => 0,
        };
        let people = Arc::new(ArcSwap::from_pointee(People::read(&*store)?));
        let keys = Arc::new(ArcSwap::from_pointee(history));
        let news = Arc::new(News::default());
        let writer = Writer::start(Pen {
            store: Arc::clone(&store),
            signer,
            tiles,
            last: head.last,
            last_time,
            clock: Arc::clone(&clock),
            high_water,
            room: room(folder.clone(), Arc::clone(&store)),
            committed: refresh(
                Arc::clone(&store),
                Arc::clone(&people),
                Arc::clone(&keys),
                Arc::clone(&news),
            ),
        })?;
        Ok(Archive {
            folder,
            records: Records {
                store,
                layout,
                keys,
                people,
                publishes_cosigned: AtomicBool::new(false),
                marking,
                bundle_sizes: Mutex::default(),
            },
            clock,
            credentials,
            signed_in: sign_in::SignedIn::new()?,
            templates: super::templates::Templates::default(),
            renderer: Renderer::new(),
            copies: Copies::new(),
            readings: Arc::default(),
            decoder: Arc::new(InProcess),
            news,
            writer,
        })
    }
}

impl Records {
    /// Opens the archive in `folder` for reading, also while it is served: what it is at this moment.
    /// A log that is behind what was signed is not read.
    pub fn open_to_read(folder: &Path) -> Result<Records, ArchiveError> {
        // Read before the store is opened, so that a writer at work is never ahead of it.
        let mark = HighWater::read(&folder::high_water(folder))?;
        let store: Arc<dyn Store> = Arc::new(open_store_to_read(folder)?);
        check_not_rolled_back(folder, &*store, mark)?;
        let (size, applied) = (store.head()?.size, store.applied()?);
        if size != applied {
            return Err(ArchiveError::Busy(format!(
                "the index reflects {applied} of {size} entries; `vouchsafe serve` rebuilds it"
            )));
        }
        if !is_of_this_version(&*store)? {
            let why = "the index is of another version; `vouchsafe serve` makes it anew";
            return Err(ArchiveError::Busy(why.to_owned()));
        }
        Ok(Records {
            layout: folder::read_layout(folder)?,
            keys: Arc::new(ArcSwap::from_pointee(keys::history(
                &*store,
                &folder::read_verifier_key(folder)?,
            )?)),
            people: Arc::new(ArcSwap::from_pointee(People::read(&*store)?)),
            publishes_cosigned: AtomicBool::new(false),
            marking: Marking::ephemeral()?,
            bundle_sizes: Mutex::default(),
            store,
        })
    }
}

fn no_new_folder(error: String) -> ArchiveError {
    Invalid::new("DIR", error, "name a folder that does not exist yet").into()
}

/// Refuses to make something in the folder that it is made from.
pub(super) fn refuse_inside(
    from: &Path,
    to: &Path,
    field: &str,
    what: &str,
) -> Result<(), ArchiveError> {
    // A folder that is not there is refused when it is read.
    let from = from.canonicalize().ok();
    let inside = |folder: &Path| {
        let folder = folder.canonicalize().ok();
        folder
            .zip(from.as_ref())
            .is_some_and(|(folder, from)| folder.starts_with(from))
    };
    if to.ancestors().any(inside) {
        let error = format!("{what} does not go into the archive");
        return Err(Invalid::new(field, error, "name a folder outside the archive").into());
    }
    Ok(())
}

/// Makes a folder, which must be absent or empty, aside and moves it into place, so that a crash leaves no
/// half of it there. Only its owner can read it.
pub fn make_aside<T, E: From<ArchiveError>>(
    folder: &Path,
    make: impl FnOnce(&Path) -> Result<T, E>,
) -> Result<T, E> {
    let occupied = fs::read_dir(folder).is_ok_and(|mut items| items.next().is_some());
    if occupied || folder.is_file() {
        let error = format!("{} is not empty", folder.display());
        return Err(no_new_folder(error).into());
    }
    let Some(name) = folder.file_name() else {
        let error = format!("{} is no new folder", folder.display());
        return Err(no_new_folder(error).into());
    };
    let aside = format!(".{}.new-{}", name.to_string_lossy(), std::process::id());
    let aside = folder.with_file_name(aside);
    // Vouchers are for those who have grants, not for everybody who has an account on the machine.
    let made = DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&aside)
        .map_err(|error| ArchiveError::io(folder, error).into())
        .and_then(|()| make(&aside))
        .and_then(|made| {
            let moved = fs::rename(&aside, folder);
            moved.map_err(|error| ArchiveError::io(folder, error))?;
            Ok(made)
        });
    if made.is_err() {
        // What cannot be removed is left under a name that says what it is.
        let _ = fs::remove_dir_all(&aside);
    }
    made
}

/// The writer's question to the disk, where the archive lies on one.
fn room(folder: Option<PathBuf>, store: Arc<dyn Store>) -> Room {
    Box::new(move || match &folder {
        Some(folder) => folder::check_room(folder, &*store, folder::ROOM_FOR_ENTRIES_BYTES),
        None => Ok(()),
    })
}

/// Keeps the pictures of people and keys in step with the log, before whoever changed them is answered.
fn refresh(
    store: Arc<dyn Store>,
    people: Arc<ArcSwap<People>>,
    keys: Arc<ArcSwap<KeyHistory>>,
    news: Arc<News>,
) -> Committed {
    Box::new(move |entries| {
        let concerned = |entry: &Entry| {
            ["user.", "grant.", "group."]
                .iter()
                .any(|it| entry.kind.starts_with(it))
        };
        if entries.iter().any(concerned) {
            people.store(Arc::new(People::read(&*store)?));
        }
        if entries
            .iter()
            .any(|entry| entry.kind == kind::VOUCHER_FILED)
        {
            news.vouchers.fetch_add(1, Ordering::Relaxed);
        }
        let pictured = [
            kind::VOUCHER_FILED,
            kind::SCAN_RECEIVED,
            kind::INBOX_RECEIVED,
        ];
        if entries
            .iter()
            .any(|entry| pictured.contains(&entry.kind.as_str()))
        {
            news.tell();
        }
        let queued = [
            kind::VOUCHER_FILED,
            kind::SCAN_RECEIVED,
            kind::MATCH_DECIDED,
            kind::REVIEW_DECIDED,
        ];
        for entry in entries {
            if queued.contains(&entry.kind.as_str()) {
                news.queue_changed(&QueueChange {
                    path: entry.path.clone(),
                    decided: entry.kind == kind::REVIEW_DECIDED,
                });
            }
        }
        if entries.iter().any(|entry| entry.kind == kind::KEY_ROTATED) {
            keys::refresh(&*store, &keys)?;
        }
        Ok(())
    })
}

/// An entry that must be there.
pub(super) fn entry(store: &dyn Store, seq: u64) -> Result<Entry, ArchiveError> {
    decoded(seq, store.entries(seq..seq + 1)?.pop().flatten())
}

pub(super) fn decoded(seq: u64, bytes: Option<Vec<u8>>) -> Result<Entry, ArchiveError> {
    let bytes = bytes.ok_or_else(|| ArchiveError::Broken(format!("entry {seq} is missing")))?;
    Entry::decode(&bytes).map_err(|error| ArchiveError::Broken(format!("entry {seq}: {error}")))
}
