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
/// Kind of the entry by which a preparer stands by a voucher.
pub const VOUCHER_SUBMITTED: &str = "voucher.submitted";
/// Name of the note that a preparer signed.
pub const SUBMISSION_NOTE: &str = "submitted.note";
/// Kind of the entry of a review.
pub const REVIEW_DECIDED: &str = "review.decided";
/// The object of a review that has what was signed, with the signature.
pub const REVIEW_NOTE: &str = "review.note";

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
            REVIEW_DECIDED | VOUCHER_SUBMITTED => self.decided(entry),
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
        let submits = entry.kind == VOUCHER_SUBMITTED;
        if submits != (decided.decision == Decision::Submit) {
            return Err(wrong(format!(
                "a {} by {}",
                entry.kind,
                decided.decision.word()
            )));
        }
        let name = if submits {
            SUBMISSION_NOTE
        } else {
            REVIEW_NOTE
        };
        let mut objects = entry.objects.iter();
        let object = objects.find(|object| object.name == name);
        let object = object.ok_or_else(|| wrong(format!("no {name}")))?;
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
            && stated.person == entry.actor
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

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use serde_json::{Value, json};

    use super::*;
    use crate::digest::content_digests;
    use crate::entry::Object;
    use crate::entry::tests::sample;
    use crate::key::{KeyKind, SigningNoteKey};
    use crate::tile::Tile;
    use crate::verify::Unreadable;

    const ORIGIN: &str = "vouchsafe/test";
    const PATH: &str = "/acme/gl/2024-03/payment/0001";

    /// A source that has one object and nothing else.
    struct OneObject(Vec<u8>);

    impl Source for OneObject {
        fn verifier_key(&self) -> Result<Vec<u8>, Unreadable> {
            Err(Unreadable("none".to_owned()))
        }
        fn rotations(&self) -> Result<Vec<Vec<u8>>, Unreadable> {
            Ok(Vec::new())
        }
        fn checkpoint(&self) -> Result<Vec<u8>, Unreadable> {
            Err(Unreadable("none".to_owned()))
        }
        fn checkpoints(&self, _: Range<u64>) -> Result<Vec<(u64, Vec<u8>)>, Unreadable> {
            Ok(Vec::new())
        }
        fn entries(&self, _: Range<u64>) -> Result<Vec<Option<Vec<u8>>>, Unreadable> {
            Ok(Vec::new())
        }
        fn withholds(&self) -> bool {
            false
        }
        fn tile(&self, _: Tile) -> Result<Option<Vec<u8>>, Unreadable> {
            Ok(None)
        }
        fn publishes_partial_tiles(&self) -> bool {
            false
        }
        fn last_entry(&self) -> Result<Option<Digest>, Unreadable> {
            Ok(None)
        }
        fn object(&self, _: &Digest) -> Result<Option<Box<dyn std::io::Read + '_>>, Unreadable> {
            Ok(Some(Box::new(&self.0[..])))
        }
    }

    fn key(seed: u8) -> SigningNoteKey {
        SigningNoteKey::from_seed(&format!("{ORIGIN}/u3"), KeyKind::Note, &[seed; 32]).unwrap()
    }

    fn entry(kind: &str, actor: &str, path: &str, body: Value, objects: Vec<Object>) -> Entry {
        let Value::Object(body) = body else {
            panic!("a body is an object")
        };
        Entry {
            kind: kind.to_owned(),
            actor: actor.to_owned(),
            path: path.to_owned(),
            body,
            objects,
            ..sample(7, Digest([0; 32]))
        }
    }

    fn statement() -> Statement {
        Statement {
            archive: ORIGIN.to_owned(),
            path: PATH.to_owned(),
            version: 1,
            person: "u3".to_owned(),
            decision: Decision::Approve,
            comment: Digest::sha256(b""),
            image_set: "complete".to_owned(),
            time: "2026-11-25T08:00:00.000Z".to_owned(),
            files: Vec::new(),
        }
    }

    /// How many faults there are with this note of a review, where the key came by `owner`.
    fn faults(note: &str, owner: &str) -> u64 {
        faults_of(REVIEW_DECIDED, REVIEW_NOTE, Decision::Approve, note, owner)
    }

    /// The same for an entry of this kind, with a note of this name, that says this decision.
    fn faults_of(
        kind: &'static str,
        name: &str,
        decision: Decision,
        note: &str,
        owner: &str,
    ) -> u64 {
        let source = OneObject(note.as_bytes().to_vec());
        let mut reviews = Reviews::new(&source, ORIGIN);
        let vkey = key(1).verifier().to_string();
        let added = json!({"vkey": vkey});
        reviews.take(&entry(
            USER_KEY_ADDED,
            owner,
            "/_people/u3",
            added,
            Vec::new(),
        ));
        let digests = content_digests(note.as_bytes());
        let object = Object {
            blake3: digests.blake3,
            media_type: "text/plain".to_owned(),
            name: name.to_owned(),
            sha256: digests.sha256,
            size: digests.size,
        };
        let body = json!({"decision": decision, "version": 1, "image_set": "complete",
            "comment": Digest::sha256(b""), "scans": {}});
        reviews.take(&entry(kind, "u3", PATH, body, vec![object]));
        let mut report = Report::default();
        reviews.check(&mut report);
        report.faults
    }

    fn signed(statement: &Statement, seed: u8) -> String {
        Note::sign(statement.text(), &key(seed), 0).to_string()
    }

    #[test]
    fn a_submission_is_its_preparers_and_no_review() {
        let mut submitted = statement();
        submitted.decision = Decision::Submit;
        let note = signed(&submitted, 1);
        let as_kind =
            |kind, name, decision, note: &str| faults_of(kind, name, decision, note, "u3");
        let submission =
            |note: &str| as_kind(VOUCHER_SUBMITTED, SUBMISSION_NOTE, Decision::Submit, note);
        assert_eq!(submission(&note), 0);
        assert_eq!(submission(&signed(&submitted, 2)), 1, "another key");
        assert_eq!(
            submission(&signed(&statement(), 1)),
            1,
            "a review's statement"
        );
        // What a preparer signed is no review, and the other way round.
        assert_eq!(
            as_kind(REVIEW_DECIDED, REVIEW_NOTE, Decision::Submit, &note),
            1
        );
        let approved = signed(&statement(), 1);
        let crossed = as_kind(
            VOUCHER_SUBMITTED,
            SUBMISSION_NOTE,
            Decision::Approve,
            &approved,
        );
        assert_eq!(crossed, 1);
    }

    #[test]
    fn a_review_is_by_its_reviewers_own_key_and_about_its_own_entry() {
        assert_eq!(faults(&signed(&statement(), 1), "u3"), 0);
        assert_eq!(faults(&signed(&statement(), 2), "u3"), 1, "another key");
        let altered = signed(&statement(), 1).replace("complete", "unsure");
        assert_eq!(faults(&altered, "u3"), 1, "another text");
        assert_eq!(faults("no note at all", "u3"), 1);
        // Whoever holds the log may not give a user a key: then there is none to verify with either.
        assert_eq!(faults(&signed(&statement(), 1), "u1"), 2);
        let other = |change: fn(&mut Statement)| {
            let mut other = statement();
            change(&mut other);
            faults(&signed(&other, 1), "u3")
        };
        assert_eq!(
            other(|it| it.path = "/acme/gl/2024-03/payment/0002".to_owned()),
            1
        );
        assert_eq!(other(|it| it.decision = Decision::Reject), 1);
        assert_eq!(other(|it| it.version = 2), 1);
        assert_eq!(other(|it| it.person = "u4".to_owned()), 1);
        assert_eq!(other(|it| it.archive = "vouchsafe/other".to_owned()), 1);
        assert_eq!(other(|it| it.comment = Digest::sha256(b"x")), 1);
        assert_eq!(other(|it| it.image_set = "unsure".to_owned()), 1);
    }
}
