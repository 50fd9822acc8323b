use std::collections::BTreeMap;
use std::io::Read as _;

use serde::Deserialize;

use super::Source;
use crate::digest::Digest;
use crate::entry::Entry;
use crate::key::VerifierKey;
use crate::note::{NOTE_MAX_BYTES, Note};
use crate::report::{Fault, Report};
use crate::statement::{Decision, Statement};

/// Kind of the entry that says which public key a user signs with from then on.
pub const USER_KEY_ADDED: &str = "user.key_added";
/// Kind of the entry of a review.
pub const REVIEW_DECIDED: &str = "review.decided";
/// The object of a review that has what was signed, with the signature.
const NOTE_FILE: &str = "review.note";

#[derive(Deserialize)]
struct KeyAdded {
    vkey: String,
}

#[derive(Deserialize)]
struct Decided {
    decision: Decision,
    version: u32,
    image_set: String,
    comment: Digest,
}

/// Checks that every review was signed by its reviewer's own key, over a statement that says what the entry says.
pub(super) struct Reviews<'a> {
    source: &'a dyn Source,
    origin: String,
    /// By user: the key that they sign with at this point of the log.
    keys: BTreeMap<String, VerifierKey>,
    faults: Vec<Fault>,
}

impl<'a> Reviews<'a> {
    pub fn new(source: &'a dyn Source, origin: &str) -> Reviews<'a> {
        Reviews {
            source,
            origin: origin.to_owned(),
            keys: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// Looks at the next entry.
    pub fn take(&mut self, entry: &Entry) {
        let outcome = match entry.kind.as_str() {
            USER_KEY_ADDED => self.key_added(entry),
            REVIEW_DECIDED => self.decided(entry),
            _ => return,
        };
        if let Err((expected, found)) = outcome {
            self.faults.push(Fault {
                seq: Some(entry.seq),
                path: entry.path.clone(),
                what: "review".to_owned(),
                expected,
                found,
            });
        }
    }

    fn key_added(&mut self, entry: &Entry) -> Result<(), (String, String)> {
        let wrong = |found: String| ("a public key of the user".to_owned(), found);
        let added: KeyAdded = body(entry).map_err(wrong)?;
        let key = VerifierKey::parse(&added.vkey).map_err(|error| wrong(error.to_string()))?;
        // A key is its owner's: nobody gives one to somebody else.
        let user = entry.path.rsplit('/').next().unwrap_or_default();
        if user != entry.actor || key.name() != format!("{}/{user}", self.origin) {
            return Err(wrong(format!("{} by {}", key.name(), entry.actor)));
        }
        self.keys.insert(user.to_owned(), key);
        Ok(())
    }

    fn decided(&mut self, entry: &Entry) -> Result<(), (String, String)> {
        let Some(key) = self.keys.get(&entry.actor) else {
            return Err((
                format!("a key of {} earlier in the log", entry.actor),
                "none".to_owned(),
            ));
        };
        let expected = || format!("a statement of this entry, signed by {key}");
        let wrong = |found: String| (expected(), found);
        let decided: Decided = body(entry).map_err(wrong)?;
        let mut objects = entry.objects.iter();
        let object = objects.find(|object| object.name == NOTE_FILE);
        let object = object.ok_or_else(|| wrong(format!("no {NOTE_FILE}")))?;
        let content = self.source.object(&object.blake3);
        let Some(content) = content.map_err(|error| wrong(error.to_string()))? else {
            // That an object is missing is said where objects are checked.
            return Ok(());
        };
        let mut bytes = Vec::new();
        content
            .take(NOTE_MAX_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| wrong(error.to_string()))?;
        let note = Note::parse(&bytes).map_err(|error| wrong(error.to_string()))?;
        let text = note.verify(key).map_err(|error| wrong(error.to_string()))?;
        let stated = Statement::parse(text).map_err(|error| wrong(error.to_string()))?;
        let same = stated.archive == self.origin
            && stated.path == entry.path
            && stated.reviewer == entry.actor
            && stated.version == decided.version
            && stated.decision == decided.decision
            && stated.image_set == decided.image_set
            && stated.comment == decided.comment;
        if same {
            Ok(())
        } else {
            Err(wrong("a statement of something else".to_owned()))
        }
    }

    /// Reports what was found.
    pub fn check(self, report: &mut Report) {
        for fault in self.faults {
            report.fault(fault);
        }
    }
}

fn body<T: serde::de::DeserializeOwned>(entry: &Entry) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::Object(entry.body.clone()))
        .map_err(|error| error.to_string())
}
