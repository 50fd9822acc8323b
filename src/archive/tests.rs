//! The archive over stores in memory: what becomes of it when the store fails, and when it is tampered with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use vouchsafe_evidence::key::{KeyKind, SigningNoteKey};
use vouchsafe_evidence::report::Report;

use super::credentials::Credentials;
use super::open::Parts;
use super::verify::Stored;
use super::verify::tests::verify_source;
use super::{Archive, ArchiveError, Caller, Children, Condition, Filed, ImageSet, Node, Signer};
use crate::access::{Grant, Permissions, Role, Scope};
use crate::catalog::{Layout, TreePath};
use crate::matching::{DecodeError, Decoder, Matcher, Thresholds};
use crate::render::PagePixels;
use crate::store::{Faulty, Index, Memory, Outcome, Store, Truth as _};

fn key() -> SigningNoteKey {
    SigningNoteKey::from_seed("vouchsafe/test", KeyKind::Note, &[7; 32]).unwrap()
}

/// An archive, and the folder of its credentials.
pub(super) struct Opened {
    archive: Archive,
    _folder: tempfile::TempDir,
}

impl std::ops::Deref for Opened {
    type Target = Archive;
    fn deref(&self) -> &Archive {
        &self.archive
    }
}

/// Opens an archive over `store`.
pub(super) fn open(store: Arc<dyn Store>) -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let ticks = AtomicU64::new(1_700_000_000_000);
    let parts = Parts {
        folder: None,
        store,
        layout: Layout::builtin(),
        signers: vec![Signer::Key(key())],
        credentials: Credentials::open(&folder.path().join("credentials.json")).unwrap(),
        high_water: None,
        marking: super::marking::Marking::ephemeral().unwrap(),
        clock: Arc::new(move || ticks.fetch_add(1, Ordering::Relaxed)),
    };
    Opened {
        archive: Archive::start(parts, &|_, _| {}).unwrap(),
        _folder: folder,
    }
}

pub(super) fn grant(role: Role, scope: &str) -> Grant {
    Grant {
        role,
        scope: Scope::parse(scope).unwrap(),
        from: None,
        until: None,
    }
}

fn caller(role: Role) -> Caller {
    Caller {
        id: "u9".to_owned(),
        name: "tester".to_owned(),
        permissions: Permissions::at(&[grant(role, "/").into()], 0),
        origin: Default::default(),
    }
}

fn voucher(number: &str) -> (TreePath, Vec<u8>) {
    let data = serde_json::json!({
        "company": "acme", "ledger": "gl", "period": "2024-03", "type": "payment",
        "number": number, "date": "2024-03-05", "currency": "CNY",
        "lines": [{"summary": "房租", "account": "管理费用", "debit": "1.00"},
                  {"summary": "房租", "account": "银行存款", "credit": "1.00"}],
        "preparer": "张三",
    });
    let path = format!("/acme/gl/2024-03/payment/{number}");
    (
        TreePath::parse(&path).unwrap(),
        data.to_string().into_bytes(),
    )
}

pub(super) fn file(archive: &Archive, number: &str) -> Result<Filed, ArchiveError> {
    let (path, data) = voucher(number);
    archive.file_voucher(&caller(Role::Uploader), &path, &data, &Condition::Always)
}

/// Whether the voucher's folder is there, with all its files.
fn is_filed(archive: &Archive, number: &str) -> bool {
    let (path, _) = voucher(number);
    match archive
        .records()
        .node(&caller(Role::Compliance), &path, None)
    {
        Ok(Node::Folder { .. }) => {
            let mut files = Children::of(caller(Role::Compliance), path);
            let files = files.page(archive.records()).unwrap();
            assert_eq!(files.len(), 6, "a voucher is there whole");
            true
        }
        Ok(Node::File(_)) => panic!("a voucher is a folder"),
        Err(ArchiveError::Absent(_)) => false,
        Err(error) => panic!("{error}"),
    }
}

fn assert_well(store: &Memory) {
    let key = key().verifier().clone();
    let source = Stored { store, key };
    let report: Report = verify_source(&source);
    assert!(report.ok, "{report}");
}

#[test]
fn every_failing_write_leaves_all_of_a_voucher_or_nothing() {
    for outcome in [Outcome::Lost, Outcome::Kept] {
        let mut failures = 0;
        for fail_at in 0.. {
            let memory = Arc::new(Memory::default());
            let archive = open(memory.clone());
            archive.write_beginning().unwrap();
            assert_eq!(file(&archive, "before"), Ok(Filed::new(1)));
            drop(archive);

            let faulty = Arc::new(Faulty::new(memory.clone(), fail_at, outcome));
            let archive = open(faulty.clone());
            let answer = file(&archive, "during");
            if answer.is_err() {
                failures += 1;
                assert!(is_filed(&archive, "before"), "reading goes on");
                assert!(file(&archive, "later").is_err(), "writing does not");
                assert!(!is_filed(&archive, "later"));
            }
            drop(archive);

            let archive = open(memory.clone());
            assert!(is_filed(&archive, "before"));
            if answer.is_ok() {
                assert!(
                    is_filed(&archive, "during"),
                    "what was acknowledged is there"
                );
            } else {
                is_filed(&archive, "during");
            }
            assert_eq!(
                file(&archive, "after"),
                Ok(Filed::new(1)),
                "it opens and writes again"
            );
            drop(archive);
            assert_well(&memory);
            if faulty.calls() <= fail_at {
                break;
            }
        }
        assert!(
            failures >= 5,
            "{failures} writes of an upload were made to fail"
        );
    }
}

#[test]
fn every_failing_call_of_the_store_leaves_all_of_a_voucher_or_nothing() {
    let begun = || {
        let memory = Arc::new(Memory::default());
        let archive = open(memory.clone());
        archive.write_beginning().unwrap();
        assert_eq!(file(&archive, "before"), Ok(Filed::new(1)));
        memory
    };
    let until_open = {
        let faulty = Arc::new(Faulty::at_any_call(begun(), u64::MAX, Outcome::Lost));
        drop(open(faulty.clone()));
        faulty.calls()
    };
    for outcome in [Outcome::Lost, Outcome::Kept] {
        let mut failures = 0;
        for fail_at in until_open.. {
            let memory = begun();
            let faulty = Faulty::at_any_call(memory.clone(), fail_at, outcome);
            let faulty = Arc::new(faulty);
            let archive = open(faulty.clone());
            let answer = file(&archive, "during");
            drop(archive);
            let archive = open(memory.clone());
            assert!(is_filed(&archive, "before"));
            let filed = is_filed(&archive, "during");
            assert!(filed || answer.is_err(), "what was acknowledged is there");
            assert_eq!(file(&archive, "after"), Ok(Filed::new(1)));
            drop(archive);
            assert_well(&memory);
            failures += u32::from(answer.is_err());
            if faulty.calls() <= fail_at {
                break;
            }
        }
        assert!(
            failures >= 12,
            "{failures} calls of an upload were made to fail"
        );
    }
}

#[test]
fn a_view_and_an_upload_share_a_commit() {
    let memory = Arc::new(Memory::default());
    let archive = open(memory.clone());
    archive.write_beginning().unwrap();
    file(&archive, "0001").unwrap();
    let before = archive.records().size().unwrap();
    let (release, held) = std::sync::mpsc::channel::<()>();
    // The writer is busy until both wait for it.
    let busy = move |_: &mut super::writer::Desk<'_>| {
        held.recv().unwrap();
        Ok(())
    };
    archive.writer.submit(busy, |_| {}).unwrap();
    std::thread::scope(|scope| {
        let uploading = scope.spawn(|| file(&archive, "0002"));
        let (path, _) = voucher("0001");
        let path = path.child("voucher.pdf");
        let viewer = caller(Role::Viewer);
        let Ok(Node::File(shown)) = archive.records().node(&viewer, &path, None) else {
            panic!("the voucher is filed");
        };
        let client = super::Client::default();
        let traced = |outcome: Result<(), ArchiveError>| outcome.unwrap();
        assert!(
            archive
                .trace_view(&viewer, &path, &shown, &client, false, traced)
                .unwrap()
        );
        // Long enough to draw the other voucher.
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        release.send(()).unwrap();
        assert_eq!(uploading.join().unwrap(), Ok(Filed::new(1)));
    });
    let size = archive.records().size().unwrap();
    assert_eq!(size, before + 2);
    let commits = memory.checkpoints(before + 1..size + 1, 9).unwrap();
    assert_eq!(commits.len(), 1, "one checkpoint, one sync");
}

#[test]
fn the_index_is_rebuilt_from_the_log_to_the_same_rows() {
    let memory = Arc::new(Memory::default());
    let archive = open(memory.clone());
    archive.write_beginning().unwrap();
    archive.add_user("ann", "Correct-Horse-9").unwrap();
    archive
        .add_grant("ann", grant(Role::Viewer, "/acme/"))
        .unwrap();
    file(&archive, "0001").unwrap();
    file(&archive, "0002").unwrap();
    drop(archive);
    let rows = memory.scan(&[], &[], usize::MAX).unwrap();
    assert!(rows.len() > 10, "{} rows", rows.len());
    memory.clear().unwrap();
    drop(open(memory.clone()));
    assert_eq!(memory.scan(&[], &[], usize::MAX).unwrap(), rows);
}

#[test]
fn a_proof_stays_the_same_while_the_log_grows() {
    let archive = open(Arc::new(Memory::default()));
    archive.write_beginning().unwrap();
    file(&archive, "0001").unwrap();
    let proof = || {
        let path = TreePath::parse("/acme/gl/2024-03/payment/0001/proof.json").unwrap();
        match archive
            .records()
            .node(&caller(Role::Compliance), &path, None)
        {
            Ok(Node::File(file)) => file.etag,
            other => panic!("{other:?}"),
        }
    };
    let before = proof();
    archive.add_user("ann", "Correct-Horse-9").unwrap();
    for _ in 0..600 {
        archive
            .add_grant("ann", grant(Role::Viewer, "/acme/"))
            .unwrap();
    }
    assert_eq!(proof(), before);
}

/// A decoder that has one answer to everything.
struct Answering(fn() -> Result<(), DecodeError>);

impl Decoder for Answering {
    fn each_page(
        &self,
        _: &[u8],
        _: &mut dyn FnMut(usize, PagePixels) -> bool,
    ) -> Result<(), DecodeError> {
        self.0()
    }
}

#[test]
fn a_comparison_that_cannot_be_made_now_waits_and_one_that_panics_is_unsure() {
    let archive = open(Arc::new(Memory::default()));
    archive.write_beginning().unwrap();
    file(&archive, "0001").unwrap();
    let (path, _) = voucher("0001");
    let (uploader, mut scan) = (caller(Role::Uploader), &b"%PDF-1.7"[..]);
    let added = archive.add_scan(
        &uploader,
        &path,
        "scan-1.pdf",
        &mut scan,
        &Condition::Always,
    );
    assert_eq!(added, Ok(Filed::new(1)));
    let decide = |answer| {
        let matcher = Matcher::new(None, Thresholds::default());
        archive.decide_match(&matcher.decoding_by(Arc::new(Answering(answer))), &path)
    };
    let busy = decide(|| Err(DecodeError::Busy("so much to do".to_owned())));
    assert!(matches!(busy, Err(ArchiveError::Busy(_))), "{busy:?}");
    assert_eq!(decide(|| panic!("hostile")), Ok(Some(ImageSet::Unsure)));
    assert_eq!(decide(|| panic!("hostile")), Ok(None), "it is decided");
}
