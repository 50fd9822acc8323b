//! Proof that one entry is in the log (C2SP tlog-proof), and `proof.json`, which carries it together
//! with the entry so that one person can verify one voucher offline without seeing any other entry.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::digest::Digest;
use crate::entry::{Entry, EntryError};
use crate::key::VerifierKey;
use crate::merkle::{leaf_hash, root_from_inclusion};
use crate::rotation::KeyHistory;
use crate::tile::decimal;

const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^64 leaves has paths of 64 hashes.
const HASHES_MAX: usize = 64;

/// An inclusion proof with the checkpoint that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// What the format leaves to the application: Vouchsafe puts the entry's exact bytes here, so that the
    /// proof can be checked with nothing else. Empty where there is none.
    pub extra: Vec<u8>,
    /// The entry's number.
    pub index: u64,
    /// From the leaf's sibling upwards.
    pub hashes: Vec<Digest>,
    /// The signed checkpoint, as it was published.
    pub checkpoint: String,
}

/// Why a proof does not prove.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a tlog-proof, or not a `proof.json`.
    #[error("not a proof: {0}")]
    Form(String),
    /// Its checkpoint is not the log's.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// What it claims to prove is not an entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The hashes lead elsewhere than to the checkpoint's root.
    #[error("the entry is not in the tree that the checkpoint signs")]
    NotIncluded,
}

impl InclusionProof {
    /// The text form.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        if !self.extra.is_empty() {
            text += &format!("extra {}\n", BASE64.encode(&self.extra));
        }
        text += &format!("index {}\n", self.index);
        for hash in &self.hashes {
            text += &BASE64.encode(hash.0);
            text.push('\n');
        }
        text + "\n" + &self.checkpoint
    }

    /// Reads the text form.
    pub fn parse(text: &str) -> Result<InclusionProof, ProofError> {
        let form = |problem: &str| ProofError::Form(problem.to_owned());
        let (head, checkpoint) = text
            .split_once("\n\n")
            .ok_or_else(|| form("no checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(form("unknown header"));
        }
        let mut extra = Vec::new();
        if let Some(text) = lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            extra = BASE64
                .decode(text)
                .map_err(|_| form("extra is not base64"))?;
            lines.next();
        }
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(decimal)
            .ok_or_else(|| form("no index"))?;
        let hashes = lines
            .map(|line| Some(Digest(BASE64.decode(line).ok()?.try_into().ok()?)))
            .collect::<Option<Vec<_>>>()
            .filter(|hashes| hashes.len() <= HASHES_MAX)
            .ok_or_else(|| form("a hash is not 32 bytes in base64"))?;
        Ok(InclusionProof {
            extra,
            index,
            hashes,
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// Checks that `entry` is number `index` of the log that one of `keys` signed.
    pub fn verify(&self, entry: &[u8], keys: &KeyHistory) -> Result<Checkpoint, ProofError> {
        let checkpoint = keys.verify(self.checkpoint.as_bytes())?;
        let root = root_from_inclusion(leaf_hash(entry), self.index, checkpoint.size, &self.hashes);
        if root == Some(checkpoint.root) {
            Ok(checkpoint)
        } else {
            Err(ProofError::NotIncluded)
        }
    }

    /// Reads a text whose extra data is the entry, and checks it; gives the entry that it proves.
    pub fn verify_with_entry(
        text: &[u8],
        keys: &KeyHistory,
    ) -> Result<(Entry, Checkpoint), ProofError> {
        let text =
            std::str::from_utf8(text).map_err(|error| ProofError::Form(error.to_string()))?;
        let proof = InclusionProof::parse(text)?;
        proof.verify_entry(&proof.extra, keys)
    }

    /// Checks the proof of the entry that has these bytes; gives it, and the checkpoint that covers it.
    pub fn verify_entry(
        &self,
        bytes: &[u8],
        keys: &KeyHistory,
    ) -> Result<(Entry, Checkpoint), ProofError> {
        let entry = Entry::decode(bytes)?;
        let checkpoint = self.verify(bytes, keys)?;
        if self.index != entry.seq {
            return Err(ProofError::NotIncluded);
        }
        Ok((entry, checkpoint))
    }
}

/// The content of a `proof.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EntryProof {
    /// The entry's exact bytes, which are UTF-8.
    pub entry: String,
    /// [`InclusionProof::to_text`].
    pub proof: String,
    /// The verifier key of the checkpoint; compare it with one that was obtained elsewhere.
    pub vkey: String,
}

impl EntryProof {
    /// A proof whose extra data is its entry, with the key of its checkpoint; the entry is not in it twice.
    /// Entries are UTF-8; what is not becomes U+FFFD, and does not verify.
    pub fn new(mut proof: InclusionProof, key: &VerifierKey) -> EntryProof {
        let entry = std::mem::take(&mut proof.extra);
        EntryProof {
            entry: String::from_utf8_lossy(&entry).into_owned(),
            proof: proof.to_text(),
            vkey: key.to_string(),
        }
    }

    /// Reads and checks a `proof.json`; gives the entry that it proves.
    pub fn verify(bytes: &[u8], keys: &KeyHistory) -> Result<(Entry, Checkpoint), ProofError> {
        let proof: EntryProof =
            serde_json::from_slice(bytes).map_err(|error| ProofError::Form(error.to_string()))?;
        InclusionProof::parse(&proof.proof)?.verify_entry(proof.entry.as_bytes(), keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::tests::sample;
    use crate::key::{KeyKind, SigningNoteKey};
    use crate::merkle::Edge;
    use proptest::prelude::*;

    fn proven() -> (Vec<u8>, InclusionProof, SigningNoteKey) {
        let key = SigningNoteKey::from_seed("vouchsafe/test", KeyKind::Note, &[5; 32]).unwrap();
        let first = sample(0, Digest([0; 32])).encode().unwrap();
        let second = sample(1, Digest::blake3(&first)).encode().unwrap();
        let mut edge = Edge::default();
        edge.push(leaf_hash(&first));
        edge.push(leaf_hash(&second));
        let checkpoint = Checkpoint {
            origin: "vouchsafe/test".into(),
            size: 2,
            root: edge.root(),
        };
        let proof = InclusionProof {
            extra: second.clone(),
            index: 1,
            hashes: vec![leaf_hash(&first)],
            checkpoint: checkpoint.sign(&key),
        };
        (second, proof, key)
    }

    fn keys(key: &SigningNoteKey) -> KeyHistory {
        KeyHistory::new(key.verifier().clone())
    }

    #[test]
    fn a_proof_verifies_and_a_changed_entry_does_not() {
        let (entry, proof, key) = proven();
        let read = InclusionProof::parse(&proof.to_text()).unwrap();
        assert_eq!(read, proof);
        assert!(read.verify(&entry, &keys(&key)).is_ok());
        assert_eq!(
            read.verify(b"{}", &keys(&key)),
            Err(ProofError::NotIncluded)
        );
        let text = proof.to_text();
        let (proven, checkpoint) =
            InclusionProof::verify_with_entry(text.as_bytes(), &keys(&key)).unwrap();
        assert_eq!((proven.seq, checkpoint.size), (1, 2));
        let extra = text.lines().nth(1).unwrap();
        let bare = text.replace(&format!("{extra}\n"), "");
        assert!(
            InclusionProof::parse(&bare)
                .unwrap()
                .verify(&entry, &keys(&key))
                .is_ok()
        );
        assert!(InclusionProof::verify_with_entry(bare.as_bytes(), &keys(&key)).is_err());
    }

    #[test]
    fn proof_json_gives_the_entry() {
        let (entry, proof, key) = proven();
        let json = serde_json::to_vec(&EntryProof {
            entry: String::from_utf8(entry).unwrap(),
            proof: proof.to_text(),
            vkey: key.verifier().to_string(),
        })
        .unwrap();
        assert_eq!(EntryProof::verify(&json, &keys(&key)).unwrap().0.seq, 1);
        let other = SigningNoteKey::from_seed("vouchsafe/test", KeyKind::Note, &[6; 32]).unwrap();
        assert!(EntryProof::verify(&json, &keys(&other)).is_err());
    }

    proptest! {
        #[test]
        fn hostile_text_never_panics(text in "(c2sp.org/tlog-proof@v1|index |[0-9]|\n|AAAA|\\PC){0,40}") {
            let _ = InclusionProof::parse(&text);
        }
    }
}
