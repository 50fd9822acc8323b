//! The format holds still: the vectors of `docs/format.md` come out the same, byte by byte.
//!
//! `VOUCHSAFE_GOLDEN=renew cargo test --release --test format` writes them anew.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use vouchsafe_evidence::bundle;
use vouchsafe_evidence::checkpoint::Checkpoint;
use vouchsafe_evidence::digest::{Digest, content_digests, from_hex, to_hex};
use vouchsafe_evidence::entry::{Entry, Object, VERSION};
use vouchsafe_evidence::key::{KeyKind, SigningNoteKey, VerifierKey};
use vouchsafe_evidence::merkle::{
    Edge, Subtrees, consistency_proof, inclusion_proof, is_consistent, leaf_hash, node_hash, root,
    root_from_inclusion,
};
use vouchsafe_evidence::note::Note;
use vouchsafe_evidence::proof::{EntryProof, InclusionProof};
use vouchsafe_evidence::rotation::{KeyHistory, Rotation};
use vouchsafe_evidence::tile::{Tile, TileWriter, tile_bytes};
use vouchsafe_evidence::witness::AddCheckpoint;

const ORIGIN: &str = "vouchsafe/0123456789ab";
/// 2024-03-05T08:00:00Z.
const TIME: u64 = 1_709_625_600_000;
const PLACE: &str = "/深圳样例科技有限公司/主账套/2024-03/payment/0001";
const VOUCHER: &str = r#"{"company":"深圳样例科技有限公司","ledger":"主账套","period":"2024-03","type":"payment","number":"0001","date":"2024-03-05","currency":"CNY","lines":[{"summary":"支付三月房租","account":"管理费用","debit":"12000.00"},{"summary":"支付三月房租","account":"银行存款","credit":"12000.00"}],"preparer":"张三"}"#;
/// Leaves of the synthetic tree: leaf `n` is the text `leaf n`.
const LEAVES: u64 = 300;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/format")
}

/// Compares a file of the golden folder, or writes it when asked to.
fn golden(name: &str, bytes: &[u8]) {
    let path = folder().join(name);
    if std::env::var("VOUCHSAFE_GOLDEN").is_ok_and(|wish| wish == "renew") {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&path, bytes).unwrap();
    }
    let kept = fs::read(&path).unwrap_or_else(|error| {
        panic!("{name}: {error}; VOUCHSAFE_GOLDEN=renew writes it");
    });
    assert!(kept == bytes, "{name} is not what this version writes");
}

fn key() -> SigningNoteKey {
    let mut seed = [0; 32];
    for (at, byte) in seed.iter_mut().enumerate() {
        *byte = at as u8;
    }
    SigningNoteKey::from_seed(ORIGIN, KeyKind::Note, &seed).unwrap()
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// An entry with a salt that repeats its number.
fn entry(seq: u64, prev: Digest, actor: &str, kind: &str, path: &str, body: Value) -> Entry {
    Entry {
        actor: actor.to_owned(),
        body: map(body),
        kind: kind.to_owned(),
        objects: Vec::new(),
        path: path.to_owned(),
        prev,
        salt: to_hex(&[seq as u8; 16]),
        seq,
        time: TIME + seq,
        v: VERSION,
    }
}

/// The bytes of the three sample entries.
fn entries() -> Vec<Vec<u8>> {
    let created = json!({"origin": ORIGIN, "vkey": key().verifier().to_string()});
    let created = entry(
        0,
        Digest([0; 32]),
        "operator",
        "archive.created",
        "",
        created,
    );
    let first = created.encode().unwrap();
    let digests = content_digests(VOUCHER.as_bytes());
    let template = Digest::blake3(b"a template");
    let filed = json!({"version": 1, "template": 1, "template_blake3": template, "warnings": 0});
    let mut filed = entry(
        1,
        Digest::blake3(&first),
        "u2",
        "voucher.filed",
        PLACE,
        filed,
    );
    filed.objects.push(Object {
        blake3: digests.blake3,
        media_type: "application/json".to_owned(),
        name: "voucher.json".to_owned(),
        sha256: digests.sha256,
        size: digests.size,
    });
    let second = filed.encode().unwrap();
    // Every escape that the canonical form has, and characters that it does not escape.
    let field = "\"\\/\u{8}\u{c}\n\r\t\u{1}\u{1f}\u{7f}é\u{2028}😀";
    let rejected = json!({ "field": field });
    let rejected = entry(
        2,
        Digest::blake3(&second),
        "u2",
        "upload.rejected",
        PLACE,
        rejected,
    );
    let third = rejected.encode().unwrap();
    vec![first, second, third]
}

/// Subtree roots straight from the leaves, as RFC 6962 defines them.
struct Leaves(Vec<Digest>);

impl Subtrees for Leaves {
    type Error = Infallible;

    fn subtree(&self, height: u32, index: u64) -> Result<Digest, Infallible> {
        if height == 0 {
            return Ok(self.0[index as usize]);
        }
        let [left, right] = [0, 1].map(|side| self.subtree(height - 1, index * 2 + side));
        let (Ok(left), Ok(right)) = (left, right);
        Ok(node_hash(&left, &right))
    }
}

fn checkpoint(leaves: &Leaves, size: u64) -> Checkpoint {
    let Ok(root) = root(leaves, size);
    Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root,
    }
}

/// Reads back what is kept, as a verifier does.
fn check_what_is_kept() {
    let read = |name: &str| fs::read(folder().join(name)).unwrap();
    let text = |name: &str| String::from_utf8(read(name)).unwrap();
    let key = VerifierKey::parse(&text("vkey")).unwrap();
    let checkpoint = Checkpoint::verify(&read("checkpoint"), &key).unwrap();
    let bundle = from_hex(text("bundle.hex").trim_end()).unwrap();
    let entries = bundle::decode(&bundle).unwrap();
    let mut edge = Edge::default();
    entries.iter().for_each(|entry| edge.push(leaf_hash(entry)));
    assert_eq!(
        (edge.size(), edge.root()),
        (checkpoint.size, checkpoint.root)
    );
    let keys = KeyHistory::new(key.clone());
    let (proven, _) = EntryProof::verify(&read("proof.json"), &keys).unwrap();
    assert_eq!(proven.seq, 1);
    let (proven, _) = InclusionProof::verify_with_entry(&read("1.tlog-proof"), &keys).unwrap();
    assert_eq!(proven.seq, 1);
    assert_eq!(
        SigningNoteKey::parse(&text("signing-key"))
            .unwrap()
            .verifier(),
        &key
    );
}

#[test]
fn entries_chain_checkpoint_and_proof_are_those_of_the_document() {
    let (entries, key) = (entries(), key());
    let leaves = Leaves(entries.iter().map(|entry| leaf_hash(entry)).collect());
    let mut table = String::new();
    for (seq, bytes) in entries.iter().enumerate() {
        assert_eq!(Entry::decode(bytes).unwrap().seq, seq as u64);
        golden(&format!("{seq}.json"), bytes);
        writeln!(table, "blake3 {seq} {}", Digest::blake3(bytes)).unwrap();
        writeln!(table, "leaf {seq} {}", leaf_hash(bytes)).unwrap();
    }
    for size in 0..=entries.len() as u64 {
        let Ok(root) = root(&leaves, size);
        writeln!(table, "root {size} {root}").unwrap();
    }
    golden("entries.txt", table.as_bytes());
    golden("voucher.json", VOUCHER.as_bytes());
    golden(
        "bundle.hex",
        (to_hex(&bundle::encode(&entries)) + "\n").as_bytes(),
    );
    golden("signing-key", key.secret_text().as_bytes());
    golden("vkey", format!("{}\n", key.verifier()).as_bytes());
    let note = checkpoint(&leaves, 3).sign(&key);
    golden("checkpoint", note.as_bytes());
    let Ok(hashes) = inclusion_proof(&leaves, 1, 3);
    let proof = InclusionProof {
        extra: entries[1].clone(),
        index: 1,
        hashes,
        checkpoint: note,
    };
    golden("1.tlog-proof", proof.to_text().as_bytes());
    let proof = EntryProof::new(proof, key.verifier());
    let json = serde_json::to_string_pretty(&proof).unwrap() + "\n";
    golden("proof.json", json.as_bytes());
    check_what_is_kept();
}

#[test]
fn tiles_and_proofs_of_a_larger_tree_are_those_of_the_document() {
    let leaf = |n: u64| leaf_hash(format!("leaf {n}").as_bytes());
    let leaves = Leaves((0..LEAVES).map(leaf).collect());
    let (mut writer, mut tiles) = (TileWriter::default(), Vec::new());
    for leaf in &leaves.0 {
        writer.push(*leaf, |tile, bytes| tiles.push((tile, bytes)));
    }
    for tile in Tile::all(LEAVES).filter(|tile| tile.width < 256) {
        tiles.push((tile, tile_bytes(writer.partial(tile.level))));
    }
    let mut table = String::new();
    for size in [1, 2, 3, 255, 256, 257, LEAVES] {
        let Ok(root) = root(&leaves, size);
        writeln!(table, "root {size} {root}").unwrap();
    }
    for (tile, bytes) in &tiles {
        let (path, digest) = (tile.path(), Digest::sha256(bytes));
        writeln!(table, "{path} {} bytes, SHA-256 {digest}", bytes.len()).unwrap();
    }
    let head = checkpoint(&leaves, LEAVES).root;
    for index in [0, 255, 277, 299] {
        let Ok(proof) = inclusion_proof(&leaves, index, LEAVES);
        let proven = root_from_inclusion(leaves.0[index as usize], index, LEAVES, &proof);
        assert_eq!(proven, Some(head));
        writeln!(table, "inclusion of {index} in {LEAVES}").unwrap();
        proof
            .iter()
            .for_each(|hash| writeln!(table, "  {hash}").unwrap());
    }
    for old in [1, 100, 256, 299, 300] {
        let Ok(proof) = consistency_proof(&leaves, old, LEAVES);
        let Ok(old_root) = root(&leaves, old);
        assert!(is_consistent(old, old_root, LEAVES, head, &proof));
        writeln!(table, "consistency of {old} with {LEAVES}").unwrap();
        proof
            .iter()
            .for_each(|hash| writeln!(table, "  {hash}").unwrap());
    }
    golden("tree-300.txt", table.as_bytes());
    let partial = tiles.iter().find(|(tile, _)| tile.level == 1);
    golden(
        "tile-1-000.p-1.hex",
        (to_hex(&partial.unwrap().1) + "\n").as_bytes(),
    );
    golden(
        "checkpoint-300",
        checkpoint(&leaves, LEAVES).sign(&key()).as_bytes(),
    );
}

#[test]
fn key_changes_and_cosignatures_are_those_of_the_document() {
    let new = SigningNoteKey::from_seed(ORIGIN, KeyKind::Note, &[0x20; 32]).unwrap();
    let rotation = Rotation {
        old: key().verifier().clone(),
        new: new.verifier().clone(),
    };
    let mut note = Note::sign(rotation.text(), &key(), 0);
    note.add(new.verifier(), new.sign(rotation.text().as_bytes(), 0));
    golden("rotation-1", note.to_string().as_bytes());
    let kept = fs::read(folder().join("rotation-1")).unwrap();
    assert_eq!(Rotation::verify(&kept).unwrap(), rotation);

    let witness =
        SigningNoteKey::from_seed("witness.example/w1", KeyKind::Cosignature, &[0x40; 32]);
    let witness = witness.unwrap();
    golden(
        "witness-vkey",
        format!("{}\n", witness.verifier()).as_bytes(),
    );
    let leaf = |n: u64| leaf_hash(format!("leaf {n}").as_bytes());
    let leaves = Leaves((0..LEAVES).map(leaf).collect());
    let text = checkpoint(&leaves, LEAVES).text();
    let mut note = Note::sign(text.clone(), &key(), 0);
    let Ok(proof) = consistency_proof(&leaves, 256, LEAVES);
    let request = AddCheckpoint {
        old_size: 256,
        proof,
        checkpoint: note.clone(),
    };
    golden("add-checkpoint", request.to_text().as_bytes());
    let answer = Note::sign(text, &witness, TIME / 1_000);
    note.adopt(&answer, witness.verifier()).unwrap();
    golden("cosigned-checkpoint-300", note.to_string().as_bytes());
    let kept = fs::read(folder().join("cosigned-checkpoint-300")).unwrap();
    let kept = Note::parse(&kept).unwrap();
    assert_eq!(kept.cosigned_at(witness.verifier()), Ok(TIME / 1_000));
    assert!(kept.verify(key().verifier()).is_ok());
}
