//! What a witness decides (C2SP tlog-witness, `add-checkpoint`), and the request that asks it.
//!
//! Where its records are kept, how requests arrive and what time it is come from outside.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::digest::Digest;
use crate::key::VerifierKey;
use crate::merkle::is_consistent;
use crate::note::{Note, NoteError};
use crate::tile::decimal;

/// Longest request that is read, in bytes: 63 hashes and a checkpoint with many signatures.
pub const REQUEST_MAX_BYTES: usize = 64 << 10;
/// Most hashes of a consistency proof.
const HASHES_MAX: usize = 63;

/// A request to cosign a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// Size of the checkpoint that the witness cosigned last; 0 if there is none.
    pub old_size: u64,
    /// RFC 6962 consistency proof from that size.
    pub proof: Vec<Digest>,
    /// The checkpoint, as the log signed it.
    pub checkpoint: Note,
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessRefusal {
    /// Not a request, or an old size beyond the new one.
    #[error("not a request to add a checkpoint: {0}")]
    Form(&'static str),
    /// Of a log that the witness does not know.
    #[error("the log {0} is not known here")]
    UnknownLog(String),
    /// Not signed by a key that the witness trusts for the log.
    #[error(transparent)]
    Signature(NoteError),
    /// The witness cosigned another size last.
    #[error("the last checkpoint cosigned here has {0} entries")]
    OtherSize(u64),
    /// The log does not extend what the witness cosigned last.
    #[error("the checkpoint is not consistent with the one that was cosigned last")]
    Inconsistent,
}

impl AddCheckpoint {
    /// The request's body.
    pub fn to_text(&self) -> String {
        let mut text = format!("old {}\n", self.old_size);
        for hash in &self.proof {
            text += &BASE64.encode(hash.0);
            text.push('\n');
        }
        format!("{text}\n{}", self.checkpoint)
    }

    /// Reads a request's body.
    pub fn parse(body: &[u8]) -> Result<AddCheckpoint, WitnessRefusal> {
        let form = |problem| WitnessRefusal::Form(problem);
        let text = std::str::from_utf8(body).map_err(|_| form("not UTF-8"))?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or(form("no blank line before the checkpoint"))?;
        let mut lines = head.split('\n');
        let old_size = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(decimal)
            .ok_or(form("no old size"))?;
        let proof = lines
            .map(|line| Some(Digest(BASE64.decode(line).ok()?.try_into().ok()?)))
            .collect::<Option<Vec<_>>>()
            .filter(|proof| proof.len() <= HASHES_MAX)
            .ok_or(form("a proof is at most 63 hashes of 32 bytes in base64"))?;
        let checkpoint = Note::parse(note.as_bytes()).map_err(|_| form("no checkpoint"))?;
        Ok(AddCheckpoint {
            old_size,
            proof,
            checkpoint,
        })
    }

    /// The origin that the checkpoint names; nobody has confirmed it.
    pub fn origin(&self) -> &str {
        let text = self.checkpoint.unverified_text();
        text.split('\n').next().unwrap_or_default()
    }

    /// Decides whether the checkpoint may be cosigned. `keys` are trusted for its origin; `latest` is what
    /// was cosigned last of it. What is accepted must be kept before the cosignature is given away.
    pub fn decide(
        &self,
        keys: &[VerifierKey],
        latest: Option<&Checkpoint>,
    ) -> Result<Checkpoint, WitnessRefusal> {
        let checkpoint = self.signed_by(keys)?;
        if self.old_size > checkpoint.size {
            return Err(WitnessRefusal::Form("the old size is beyond the new one"));
        }
        let known = latest.map_or(0, |latest| latest.size);
        if self.old_size != known {
            return Err(WitnessRefusal::OtherSize(known));
        }
        let consistent = match latest.filter(|latest| latest.size > 0) {
            Some(latest) => is_consistent(
                latest.size,
                latest.root,
                checkpoint.size,
                checkpoint.root,
                &self.proof,
            ),
            None => {
                let right = checkpoint.size > 0 || checkpoint.root == Digest::sha256(b"");
                self.proof.is_empty() && right
            }
        };
        if !consistent {
            return Err(WitnessRefusal::Inconsistent);
        }
        Ok(checkpoint)
    }

    fn signed_by(&self, keys: &[VerifierKey]) -> Result<Checkpoint, WitnessRefusal> {
        let origin = self.origin();
        let mut keys = keys.iter().filter(|key| key.name() == origin).peekable();
        if keys.peek().is_none() {
            return Err(WitnessRefusal::UnknownLog(origin.to_owned()));
        }
        let note = self.checkpoint.to_string();
        let mut signed = Err(NoteError::NotSigned(origin.to_owned()));
        for key in keys {
            match Checkpoint::verify(note.as_bytes(), key) {
                Ok(checkpoint) => signed = Ok(checkpoint),
                Err(CheckpointError::Note(NoteError::NotSigned(_))) => {}
                Err(CheckpointError::Note(wrong)) => return Err(WitnessRefusal::Signature(wrong)),
                Err(CheckpointError::Form | CheckpointError::Origin(_)) => {
                    return Err(WitnessRefusal::Form("no checkpoint"));
                }
            }
        }
        signed.map_err(WitnessRefusal::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{KeyKind, SigningNoteKey};
    use crate::merkle::consistency_proof;
    use crate::merkle::tests::{Leaves, leaves, mth};
    use proptest::prelude::*;

    fn key(name: &str) -> SigningNoteKey {
        SigningNoteKey::from_seed(name, KeyKind::Note, &[3; 32]).unwrap()
    }

    fn checkpoint(size: u64) -> Checkpoint {
        Checkpoint {
            origin: "log".into(),
            size,
            root: mth(&leaves(size)),
        }
    }

    fn request(old_size: u64, size: u64) -> AddCheckpoint {
        let proof = match old_size {
            0 => Ok(Vec::new()),
            old => consistency_proof(&Leaves(leaves(size)), old, size),
        };
        AddCheckpoint {
            old_size,
            proof: proof.unwrap(),
            checkpoint: Note::sign(checkpoint(size).text(), &key("log"), 0),
        }
    }

    fn decide(request: &AddCheckpoint, latest: Option<u64>) -> Result<Checkpoint, WitnessRefusal> {
        let request = AddCheckpoint::parse(request.to_text().as_bytes())?;
        let latest = latest.map(checkpoint);
        request.decide(&[key("log").verifier().clone()], latest.as_ref())
    }

    #[test]
    fn a_log_that_only_grows_is_cosigned() {
        assert_eq!(decide(&request(0, 5), None), Ok(checkpoint(5)));
        assert_eq!(decide(&request(5, 12), Some(5)), Ok(checkpoint(12)));
        assert_eq!(decide(&request(12, 12), Some(12)), Ok(checkpoint(12)));
        assert_eq!(decide(&request(0, 0), None), Ok(checkpoint(0)));
        assert_eq!(decide(&request(0, 5), Some(0)), Ok(checkpoint(5)));
    }

    #[test]
    fn every_refusal_is_the_one_of_the_specification() {
        use WitnessRefusal as No;
        assert_eq!(decide(&request(0, 5), Some(3)), Err(No::OtherSize(3)));
        assert_eq!(decide(&request(3, 5), None), Err(No::OtherSize(0)));
        let mut forked = request(5, 12);
        let other = Checkpoint {
            root: Digest::sha256(b"fork"),
            ..checkpoint(12)
        };
        forked.checkpoint = Note::sign(other.text(), &key("log"), 0);
        assert_eq!(decide(&forked, Some(5)), Err(No::Inconsistent));
        let mut same_size = request(12, 12);
        same_size.checkpoint = forked.checkpoint.clone();
        assert_eq!(decide(&same_size, Some(12)), Err(No::Inconsistent));
        let mut needless = request(0, 5);
        needless.proof.push(Digest([1; 32]));
        assert_eq!(decide(&needless, None), Err(No::Inconsistent));
        let mut backwards = request(0, 5);
        backwards.old_size = 6;
        assert!(matches!(decide(&backwards, Some(6)), Err(No::Form(_))));
        let mut unsigned = request(0, 5);
        unsigned.checkpoint = Note::sign(checkpoint(5).text(), &key("other"), 0);
        assert!(matches!(decide(&unsigned, None), Err(No::Signature(_))));
        let unknown = Checkpoint {
            origin: "elsewhere".into(),
            ..checkpoint(5)
        };
        unsigned.checkpoint = Note::sign(unknown.text(), &key("elsewhere"), 0);
        assert_eq!(
            decide(&unsigned, None),
            Err(No::UnknownLog("elsewhere".into()))
        );
    }

    proptest! {
        #[test]
        fn hostile_requests_never_panic(text in "(old |[0-9]|\n|AAAA|— a AAAAAAAA|\\PC){0,40}") {
            if let Ok(request) = AddCheckpoint::parse(text.as_bytes()) {
                prop_assert!(request.decide(&[], None).is_err());
            }
        }
    }
}
