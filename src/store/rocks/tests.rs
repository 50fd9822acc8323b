use super::*;
use crate::store::{Index as _, Memory, conformance, get_object, put_object};

#[test]
fn the_embedded_engine_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    conformance::store(|before: Option<Rocks>| match before {
        None => Rocks::create(folder.path()).unwrap(),
        Some(before) => {
            drop(before);
            Rocks::open(folder.path()).unwrap()
        }
    });
}

#[test]
fn the_engine_in_memory_keeps_its_promises() {
    conformance::store(Option::<Memory>::unwrap_or_default);
}

#[test]
fn a_second_writer_is_refused_and_a_reader_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Rocks::create(folder.path()).unwrap();
    assert!(matches!(
        Rocks::open(folder.path()),
        Err(StoreError::InUse(_))
    ));
    let digests = put_object(&writer, b"seen").unwrap();
    let reader = Rocks::open_to_read(folder.path()).unwrap();
    assert_eq!(reader.object_size(&digests.blake3), Ok(Some(4)));
}

#[test]
fn what_was_cut_off_is_gone_after_opening() {
    let folder = tempfile::tempdir().unwrap();
    let store = Rocks::create(folder.path()).unwrap();
    let mut object = store.new_object().unwrap();
    object.write(&vec![1; 2 * CHUNK_BYTES]).unwrap();
    // A killed process runs no destructor.
    std::mem::forget(object);
    drop(store);
    let store = Rocks::open(folder.path()).unwrap();
    assert!(store.rows(CHUNKS, &[], 9, |_| true).unwrap().is_empty());
    assert!(store.rows(UNFINISHED, &[], 9, |_| true).unwrap().is_empty());
}

#[test]
fn an_absent_store_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(
        Rocks::open(&folder.path().join("none")),
        Err(StoreError::Absent(_))
    ));
    assert!(!folder.path().join("none").exists());
}

#[test]
fn a_copy_has_every_row_and_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::create_dir(&from).unwrap();
    std::fs::create_dir(&to).unwrap();
    let store = Rocks::create(&from).unwrap();
    let large = put_object(&store, &vec![5; 3 * CHUNK_BYTES]).unwrap();
    let mut append = Append {
        entries: vec![b"entry".to_vec()],
        checkpoint: b"note".to_vec(),
        ..Append::default()
    };
    append
        .index
        .insert(b"row".to_vec(), Some(b"value".to_vec()));
    store.append(&append).unwrap();
    // Copied while the writer has it open.
    Rocks::open_to_read(&from).unwrap().copy_to(&to).unwrap();
    drop(store);
    std::fs::remove_dir_all(&from).unwrap();
    let copy = Rocks::open(&to).unwrap();
    assert_eq!(copy.head().unwrap().size, 1);
    assert_eq!(copy.applied(), Ok(1));
    assert_eq!(copy.checkpoints(0..9, 9).unwrap(), [(1, b"note".to_vec())]);
    let content = get_object(&copy, &large.blake3, 1 << 30);
    assert_eq!(content.unwrap().unwrap(), vec![5; 3 * CHUNK_BYTES]);
    let rows = copy.scan(b"", b"", 9).unwrap();
    assert_eq!(rows, [(b"row".to_vec(), b"value".to_vec())]);
}
