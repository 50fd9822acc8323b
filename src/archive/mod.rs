//! The archive room: the use cases. It files, shows, signs in, exports and verifies, and everything it
//! does goes through one writer into one log, from which all else is derived.
//!
//! It does not know HTTP, WebDAV, command lines or sockets: adapters above translate.

mod anchors;
mod audit;
mod back_off;
mod backup;
mod bursts;
mod children;
mod copies;
mod credentials;
mod documents;
mod error;
mod export;
mod filing;
mod fold;
mod folder;
mod grants;
mod guesses;
mod head;
mod high_water;
mod image_set;
mod inbox;
mod keys;
mod kind;
mod log;
mod marking;
mod matching;
mod node;
mod open;
mod people;
mod personal_key;
mod placing;
mod pool;
mod prove;
mod published;
mod queue;
mod readings;
mod recognising;
mod redraw;
mod reindex;
mod renditions;
mod review;
mod rights;
mod rows;
mod scan;
mod sealed_key;
mod sessions;
mod settling;
mod sign_in;
mod signer;
mod stamps;
mod submission;
mod templates;
#[cfg(test)]
mod tests;
mod traces;
mod tree;
mod verify;
mod view;
mod writer;

pub use anchors::Unanchored;
pub use backup::{BackupReport, backup, restore};
pub use bursts::{Burst, Unusual};
pub use children::Children;
pub use documents::rfc3339;
pub use error::ArchiveError;
pub use export::{ExportReport, export};
pub use filing::{Condition, Filed};
pub use grants::{Access, GROUP_MARK, GrantRecord, Membership};
pub use image_set::{ImageSet, ImageSetState};
pub use kind::OPERATOR;
pub use marking::{Marked, WINDOW};
pub use node::{Child, Content, File, Node};
pub use open::{Progress, make_aside};
pub use people::{People, PersonalKey, User};
pub use placing::Unplaced;
pub use pool::Matching;
pub use prove::prove;
pub use queue::{QueueChange, Waiting};
pub use reindex::{IndexDigest, ReindexReport, reindex};
pub use review::{REVIEW_MAX_BYTES, ReviewState};
pub use rights::Rights;
pub use scan::SCAN_MAX_BYTES;
pub use settling::SETTLEMENT_MAX_BYTES;
pub use sign_in::{Caller, Origin, SigningIn};
pub use signer::{Signer, SigningProgram};
pub use templates::TemplateVersion;
pub use traces::{TRACES_MAX, Trace, TracesOf};
pub use verify::verify;
pub use view::Client;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::rotation::KeyHistory;

use crate::access::Time;
use crate::catalog::Layout;
use crate::matching::Decoder;
use crate::render::Renderer;
use crate::store::Store;
use writer::{Desk, Writer};

/// Tells the time; comes from outside so that tests can set it.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The clock of the machine.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_millis() as Time)
    })
}

/// Random bytes of the machine.
fn random<const N: usize>() -> Result<[u8; N], ArchiveError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| ArchiveError::Fault(format!("no randomness: {error}")))?;
    Ok(bytes)
}

/// An archive that is open for reading and writing. Every call may block on the disk.
pub struct Archive {
    /// Where it lies, if it lies on a disk: asked for its free space before anything is taken in.
    folder: Option<PathBuf>,
    records: Records,
    clock: Clock,
    credentials: credentials::Credentials,
    signed_in: sign_in::SignedIn,
    templates: templates::Templates,
    renderer: Renderer,
    copies: copies::Copies,
    readings: Arc<readings::Readings>,
    /// Shows what is on scans.
    decoder: Arc<dyn Decoder>,
    /// Told of what may have to be compared.
    news: Arc<pool::News>,
    writer: Writer,
}

/// What is filed, and who may see it: all that can be read without writing.
pub struct Records {
    store: Arc<dyn Store>,
    layout: Layout,
    keys: Arc<ArcSwap<KeyHistory>>,
    people: Arc<ArcSwap<People>>,
    /// Whether the published checkpoint is the latest that witnesses cosigned, and not the log's head.
    publishes_cosigned: AtomicBool,
    marking: marking::Marking,
    /// Sizes of full bundles of entries in bytes, by index, as far as they were asked for; 0 is unknown.
    bundle_sizes: Mutex<Vec<u32>>,
}

impl Records {
    /// How the tree is laid out.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The key that verifies the log.
    pub fn verifier_key(&self) -> VerifierKey {
        self.keys.load().current().clone()
    }

    /// Every key that the log has had.
    pub fn keys(&self) -> Arc<KeyHistory> {
        self.keys.load_full()
    }

    /// Number of entries in the log.
    pub fn size(&self) -> Result<u64, ArchiveError> {
        Ok(self.store.head()?.size)
    }

    /// Everybody, as they are now.
    pub fn people(&self) -> Arc<People> {
        self.people.load_full()
    }

    /// Some bytes of a stored content from `offset` on; none at its end.
    pub fn piece(&self, digest: &Digest, offset: u64) -> Result<Vec<u8>, ArchiveError> {
        Ok(self.store.object_piece(digest, offset)?)
    }

    /// The content of a file that is not in the store.
    pub fn derived(&self, content: &Content) -> Result<Arc<[u8]>, ArchiveError> {
        match content {
            Content::Derived(bytes) => Ok(Arc::clone(bytes)),
            Content::Log(file) => Ok(self.log_bytes(file)?.into()),
            Content::Stored(_) | Content::Marked(_) | Content::Withheld => Err(
                ArchiveError::Fault("the file is not derived from the log".to_owned()),
            ),
        }
    }

    /// A row of the index.
    fn row<T: serde::de::DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, ArchiveError> {
        let row = self.store.get(key)?;
        row.map(|row| rows::decode(key, &row)).transpose()
    }
}

impl Archive {
    /// The same archive, in which `decoder` looks at scans; without, they are decoded in this process.
    pub fn decoding_by(self, decoder: Arc<dyn Decoder>) -> Archive {
        Archive { decoder, ..self }
    }

    /// What can be read.
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// Whether writes are taken: none are after one failed, until the archive is opened again.
    pub fn takes_writes(&self) -> bool {
        !self.writer.has_failed()
    }

    /// What time it is for the archive.
    pub fn now(&self) -> Time {
        (self.clock)()
    }

    /// Lets the writer decide and waits until what it wrote is durable.
    fn commit<T: Send + 'static>(
        &self,
        decide: impl FnOnce(&mut Desk<'_>) -> Result<T, ArchiveError> + Send + 'static,
    ) -> Result<T, ArchiveError> {
        self.writer.commit(decide)
    }

    /// Refuses to take in an upload when nothing is written any more or the disk is nearly full.
    fn check_room(&self) -> Result<(), ArchiveError> {
        if !self.takes_writes() {
            return Err(writer::stopped());
        }
        match &self.folder {
            Some(folder) => {
                folder::check_room(folder, &*self.records.store, folder::ROOM_FOR_UPLOADS_BYTES)
            }
            None => Ok(()),
        }
    }
}
