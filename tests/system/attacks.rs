//! The table of attacks in `docs/operations.md`, row by row: somebody with access to the disk, and in the last
//! rows with the signing key too, changes a real archive, and the named command finds it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::anchors::{file, published, vkey, wait_for, with_witness};
use crate::served::{Archive, Served, run, run_expecting};
use crate::tampering::{Store, first_fault, flip, resign};

/// An archive with a voucher, a view of it, and more than a tile of entries.
fn filed() -> Archive {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    file(&erp, "0001");
    for _ in 0..300 {
        erp.get("/dav/acme/gl/2024-03/payment/0001/voucher.json");
    }
    drop(served);
    archive.assert_well();
    archive
}

fn copy_of(archive: &Archive, name: &str) -> PathBuf {
    let copy = archive.folder.path().join(name);
    let copied = Command::new("cp")
        .arg("-r")
        .arg(archive.path())
        .arg(&copy)
        .status();
    assert!(copied.unwrap().success());
    copy
}

#[test]
fn whatever_is_changed_in_the_store_is_named() {
    let archive = filed();
    type Deed = fn(&Store) -> (Option<u64>, &'static str);
    let deeds: [(&str, Deed); 9] = [
        ("a bit of an entry", |store| {
            let seq = store.find("voucher.filed");
            store.put(
                "entries",
                &seq.to_be_bytes(),
                &flip(store.get("entries", &seq.to_be_bytes())),
            );
            (Some(seq), "entry")
        }),
        ("a bit of an object", |store| {
            let seq = store.find("voucher.filed");
            let digest = store.entry(seq).objects[0].blake3;
            store.put("objects", &digest.0, &flip(store.get("objects", &digest.0)));
            (Some(seq), "object voucher.json")
        }),
        ("a bit of a tile", |store| {
            let key = [0; 12];
            store.put("tiles", &key, &flip(store.get("tiles", &key)));
            (None, "tile")
        }),
        ("a bit of a kept checkpoint", |store| {
            let note = store.get("checkpoints", &100u64.to_be_bytes());
            store.put("checkpoints", &100u64.to_be_bytes(), &flip(note));
            (Some(99), "kept checkpoint of size 100")
        }),
        ("entries swapped", |store| {
            let (one, other) = (40u64.to_be_bytes(), 200u64.to_be_bytes());
            let (first, second) = (store.get("entries", &one), store.get("entries", &other));
            store.put("entries", &one, &second);
            store.put("entries", &other, &first);
            (Some(40), "entry")
        }),
        ("an entry dropped", |store| {
            let family = store.0.cf_handle("entries").unwrap();
            store.0.delete_cf(family, 77u64.to_be_bytes()).unwrap();
            (Some(77), "entry")
        }),
        ("a trace deleted, and the rest moved up", |store| {
            let deleted = 50;
            for seq in deleted..store.size() - 1 {
                let next = store.get("entries", &(seq + 1).to_be_bytes());
                store.put("entries", &seq.to_be_bytes(), &next);
            }
            assert_eq!(store.entry(deleted).kind, "view");
            (Some(deleted), "entry")
        }),
        ("a template changed under old vouchers", |store| {
            let seq = store.find("template.published");
            let digest = store.entry(seq).objects[0].blake3;
            let row = store.get("objects", &digest.0);
            let forged = String::from_utf8_lossy(&row).replace("mm", "MM");
            store.put("objects", &digest.0, forged.as_bytes());
            (Some(seq), "object")
        }),
        ("a signature stripped", |store| {
            let key = store.size().to_be_bytes();
            let note = String::from_utf8(store.get("checkpoints", &key)).unwrap();
            let text = note.split("\n\n").next().unwrap().to_owned() + "\n\n";
            store.put("checkpoints", &key, text.as_bytes());
            (None, "signed head")
        }),
    ];
    for (number, (name, deed)) in deeds.iter().enumerate() {
        let copy = copy_of(&archive, &format!("copy-{number}"));
        let store = Store::open(&copy);
        let (seq, what) = deed(&store);
        drop(store);
        let (found, text) = first_fault(&copy, &[]);
        assert_eq!(found, seq, "{name}: {text}");
        assert!(text.contains(what), "{name}: {text}");
    }
}

#[test]
fn a_forged_head_is_refused_and_the_archive_is_not_served() {
    let archive = filed();
    let store = Store::open(&archive.path());
    let key = store.size().to_be_bytes();
    let note = String::from_utf8(store.get("checkpoints", &key)).unwrap();
    let root = note.lines().nth(2).unwrap();
    store.put(
        "checkpoints",
        &key,
        note.replace(root, &format!("{}=", "A".repeat(43)))
            .as_bytes(),
    );
    drop(store);
    let (_, text) = first_fault(&archive.path(), &[]);
    assert!(text.contains("checkpoint"), "{text}");
    let text = run_expecting(
        3,
        &[
            "serve",
            "--archive",
            archive.text(),
            "--listen",
            "127.0.0.1:0",
        ],
    );
    assert!(text.contains("damaged"), "{text}");
}

#[test]
fn a_log_that_was_rolled_back_is_seen_by_the_mark_by_old_checkpoints_and_by_witnesses() {
    let archive = Archive::new();
    let witness = with_witness(&archive);
    let served = archive.serve();
    file(&served.client("erp"), "0001");
    drop(served);
    let report = run(&["verify", archive.text(), "--json"]).stdout;
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let earlier_size = report["size"].as_u64().unwrap();
    let earlier = copy_of(&archive, "earlier");
    let served = archive.serve();
    let erp = served.client("erp");
    file(&erp, "0002");
    wait_for("cosigned checkpoint", || {
        let (size, text) = published(&erp);
        (size > earlier_size && text.contains("— witness.example/w1 ")).then_some(())
    });
    let kept = archive.folder.path().join("kept");
    fs::write(&kept, published(&erp).1).unwrap();
    drop(served);
    let mark = fs::read(archive.path().join("high-water")).unwrap();
    fs::remove_dir_all(archive.path()).unwrap();
    fs::rename(&earlier, archive.path()).unwrap();
    // The mark, kept on another disk, tells.
    let own = fs::read(archive.path().join("high-water")).unwrap();
    fs::write(archive.path().join("high-water"), &mark).unwrap();
    let (_, text) = first_fault(&archive.path(), &[]);
    assert!(text.contains("rolled back"), "{text}");
    let text = run_expecting(
        3,
        &[
            "serve",
            "--archive",
            archive.text(),
            "--listen",
            "127.0.0.1:0",
        ],
    );
    assert!(text.contains("rolled back"), "{text}");
    // Without the mark the archive looks well by itself; whoever kept a checkpoint sees it,
    fs::write(archive.path().join("high-water"), own).unwrap();
    archive.assert_well();
    let (_, text) = first_fault(&archive.path(), &["--since", kept.to_str().unwrap()]);
    assert!(text.contains("entries signed earlier"), "{text}");
    // also after the log has grown again,
    let served = archive.serve();
    let erp = served.client("erp");
    (10..40).for_each(|number| file(&erp, &format!("{number:04}")));
    let (_, text) = first_fault(&archive.path(), &["--since", kept.to_str().unwrap()]);
    assert!(text.contains("earlier checkpoint"), "{text}");
    // and the witness cosigns no more.
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    let cosigned = published(&erp);
    assert!(
        !cosigned.1.contains("— witness.example/w1 ") || cosigned.0 <= earlier_size,
        "{}",
        cosigned.1
    );
    drop(served);
    let arguments = [
        "verify",
        archive.text(),
        "--witness",
        &witness.key(),
        "--require",
        "1",
        "--json",
    ];
    let report: serde_json::Value = serde_json::from_slice(&run(&arguments).stdout).unwrap();
    let (witnessed, size) = (
        report["witnessed"].as_u64().unwrap(),
        report["size"].as_u64().unwrap(),
    );
    assert!(witnessed + 30 < size, "{report}");
}

#[test]
fn a_history_that_is_shown_to_two_people_in_two_forms_is_seen_when_they_compare() {
    let archive = Archive::new();
    let other = copy_of(&archive, "other");
    let show = |served: Served, number: &str, name: &str| {
        let erp = served.client("erp");
        file(&erp, number);
        let kept = archive.folder.path().join(name);
        fs::write(&kept, published(&erp).1).unwrap();
        kept
    };
    let to_ann = show(archive.serve(), "0001", "ann");
    let to_ben = show(Served::start(&other), "0002", "ben");
    // Each is well by itself, with the right key.
    let key = vkey(&archive);
    for folder in [archive.path(), other.clone()] {
        run_expecting(0, &["verify", folder.to_str().unwrap(), "--key", &key]);
    }
    // Ann holds what Ben was shown against hers.
    let (_, text) = first_fault(&archive.path(), &["--since", to_ben.to_str().unwrap()]);
    assert!(text.contains("earlier checkpoint"), "{text}");
    let (_, text) = first_fault(&other, &["--since", to_ann.to_str().unwrap()]);
    assert!(text.contains("earlier checkpoint"), "{text}");
    // One witness cosigns one of the two.
    let witness = with_witness(&archive);
    fs::copy(
        archive.path().join("config.toml"),
        other.join("config.toml"),
    )
    .unwrap();
    let cosigned = |served: &Served| {
        published(&served.client("erp"))
            .1
            .contains("— witness.example/w1 ")
    };
    let first = archive.serve();
    wait_for("cosigned checkpoint", || cosigned(&first).then_some(()));
    let second = Served::start(&other);
    file(&second.client("erp"), "0003");
    std::thread::sleep(std::time::Duration::from_millis(2_500));
    assert!(!cosigned(&second), "a fork was cosigned");
    drop((first, second, witness));
}

#[test]
fn another_key_is_seen_by_whoever_kept_the_right_one() {
    let archive = filed();
    let right = vkey(&archive);
    resign(&archive.path(), true, |_, _| {});
    // The forger renamed even the key of the first entry: the log is well in itself.
    archive.assert_well();
    let (_, text) = first_fault(&archive.path(), &["--key", &right]);
    assert!(text.contains("vkey"), "{text}");
    // A forger who is less careful is seen by everybody.
    let other = Archive::new();
    let archive = filed();
    let strange = fs::read(other.path().join("vkey")).unwrap();
    fs::write(archive.path().join("vkey"), strange).unwrap();
    let (_, text) = first_fault(&archive.path(), &[]);
    assert!(
        text.contains("vkey") || text.contains("checkpoint"),
        "{text}"
    );
}

#[test]
fn a_time_that_goes_backwards_inside_the_log_is_named() {
    let archive = Archive::new();
    resign(&archive.path(), false, |_, entry| {
        if entry.seq == 9 {
            entry.time -= 60_000;
        }
    });
    let (seq, text) = first_fault(&archive.path(), &[]);
    assert_eq!(seq, Some(9), "{text}");
    assert!(text.contains("not earlier than"), "{text}");
}

#[test]
fn a_key_that_was_given_up_signs_no_head_over_the_log_that_gave_it_up() {
    let archive = Archive::new();
    let old = vkey(&archive);
    let secret = fs::read(archive.path().join("signing-key")).unwrap();
    archive.command(&["key", "rotate"]);
    let kept = archive.folder.path().join("kept");
    archive.command(&["export", "/", "--out", kept.to_str().unwrap()]);
    // A thief of the old key adds to the log, signs it, and hides that the key was changed.
    let store = Store::open(&archive.path());
    let family = store.0.cf_handle("index").unwrap();
    for row in ["count\u{0}rotation", "rotation\u{0}00000001"] {
        store.0.delete_cf(family, row).unwrap();
    }
    drop(store);
    fs::write(archive.path().join("signing-key"), secret).unwrap();
    fs::write(archive.path().join("vkey"), &old).unwrap();
    resign(&archive.path(), false, |_, entry| {
        if entry.kind == "key.rotated" {
            entry.salt = "00".repeat(16);
        }
    });
    let (_, text) = first_fault(&archive.path(), &["--key", &old]);
    assert!(text.contains("key changes that the log tells of"), "{text}");
}

#[test]
fn a_stamp_of_something_else_is_no_stamp_of_the_log() {
    use std::sync::Arc;
    use vouchsafe_evidence::note::Note;
    let archive = Archive::new();
    let clock = Arc::new(|| 1_900_000_000_000);
    let open = || vouchsafe::archive::Archive::open(&archive.path(), clock.clone(), &|_, _| {});
    let opened = open().unwrap();
    let head = opened.to_timestamp().unwrap().unwrap();
    let other = Note::new("an unrelated shopping list\n".to_owned());
    opened
        .add_timestamp(&head.checkpoint, &other, b"token", 1_900_000_000_000)
        .unwrap();
    drop(opened);
    let (seq, text) = first_fault(&archive.path(), &[]);
    assert!(
        seq.is_some() && text.contains("a checkpoint of this log"),
        "{text}"
    );
    let archive = Archive::new();
    let open = || vouchsafe::archive::Archive::open(&archive.path(), clock.clone(), &|_, _| {});
    let opened = open().unwrap();
    let mut head = opened.to_timestamp().unwrap().unwrap();
    head.checkpoint.size = 3;
    opened
        .add_timestamp(&head.checkpoint, &head.note, b"token", 1_900_000_000_000)
        .unwrap();
    drop(opened);
    let (_, text) = first_fault(&archive.path(), &[]);
    assert!(text.contains("another size or root"), "{text}");
}
