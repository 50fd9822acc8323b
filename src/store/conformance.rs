//! What every engine must do. Each suite takes a function that opens the engine again over the same
//! data, and panics with the promise that was broken. For tests of engines, ours and others'.

use vouchsafe_evidence::digest::Digest;
use vouchsafe_evidence::tile::Tile;

use super::{Append, Index, IndexChanges, Store, StoreError, Truth, get_object, put_object};

fn append(size: u64, entries: &[&[u8]]) -> Append {
    Append {
        expected_size: size,
        entries: entries.iter().map(|entry| entry.to_vec()).collect(),
        checkpoint: format!("checkpoint {}", size + entries.len() as u64).into_bytes(),
        ..Append::default()
    }
}

/// The promises of [`Truth`] and [`Index`] together.
pub fn store<S: Store>(mut reopen: impl FnMut(Option<S>) -> S) {
    let mut engine = reopen(None);
    for promise in [log::<S>, objects::<S>, index::<S>] {
        promise(&engine);
        engine = reopen(Some(engine));
        let head = engine.head().expect("head after reopening");
        assert_eq!(
            head.size, 3,
            "an acknowledged entry is there after reopening"
        );
    }
    assert_eq!(
        get_object(&engine, &Digest::blake3(b""), 9),
        Ok(Some(Vec::new())),
        "objects stay"
    );
    assert_eq!(engine.applied(), Ok(0), "a cleared index stays cleared");
}

fn log<S: Store>(engine: &S) {
    let empty = engine.head().expect("head of an empty log");
    assert_eq!(
        (empty.size, empty.last),
        (0, Digest([0; 32])),
        "a new log is empty"
    );
    let mut first = append(0, &[b"zero", b"one"]);
    let tile = Tile {
        level: 2,
        index: 7,
        width: 256,
    };
    first.tiles.push((tile, vec![1, 2, 3]));
    first.index.insert(b"row".to_vec(), Some(b"value".to_vec()));
    engine.append(&first).expect("append");
    assert_eq!(
        Index::get(engine, b"row"),
        Ok(Some(b"value".to_vec())),
        "index rows ride along"
    );
    assert_eq!(
        engine.applied(),
        Ok(2),
        "so does the number of entries that they reflect"
    );

    let moved = StoreError::Moved {
        expected: 0,
        found: 2,
    };
    assert_eq!(engine.append(&first), Err(moved), "a fork is refused");
    engine.append(&append(2, &[b"two"])).expect("append");
    let head = engine.head().expect("head");
    assert_eq!(
        (head.size, head.last),
        (3, Digest::blake3(b"two")),
        "the head follows"
    );

    let entries = engine.entries(1..5).expect("entries");
    let expected = [Some(b"one".to_vec()), Some(b"two".to_vec()), None, None];
    assert_eq!(
        entries, expected,
        "entries come in order, absent ones as None"
    );
    assert_eq!(engine.tile(2, 7), Ok(Some(vec![1, 2, 3])), "tiles are kept");
    assert_eq!(engine.tile(2, 8), Ok(None), "absent tiles are None");
    let notes = engine.checkpoints(0..4, 9).expect("checkpoints");
    assert_eq!(
        notes,
        [(2, b"checkpoint 2".to_vec()), (3, b"checkpoint 3".to_vec())]
    );
    assert_eq!(
        engine.checkpoints(0..4, 1).expect("checkpoints").len(),
        1,
        "limits hold"
    );
    assert_eq!(
        engine.checkpoints(3..3, 9),
        Ok(Vec::new()),
        "an empty span has none"
    );
}

fn objects<S: Truth>(engine: &S) {
    for size in [0usize, 1, 65_536, 65_537, 3 << 20] {
        let content: Vec<u8> = (0..size).map(|n| (n * 31 % 251) as u8).collect();
        let digests = put_object(engine, &content).expect("put");
        assert_eq!(
            digests.blake3,
            Digest::blake3(&content),
            "an object's address is its BLAKE3"
        );
        assert_eq!(
            put_object(engine, &content),
            Ok(digests),
            "putting again changes nothing"
        );
        assert_eq!(engine.object_size(&digests.blake3), Ok(Some(size as u64)));
        assert_eq!(
            get_object(engine, &digests.blake3, 1 << 30),
            Ok(Some(content.clone()))
        );
        for offset in [0, size / 3, size.saturating_sub(1), size] {
            let piece = engine
                .object_piece(&digests.blake3, offset as u64)
                .expect("piece");
            assert!(
                content[offset..].starts_with(&piece),
                "a piece is part of the object"
            );
            assert_eq!(
                piece.is_empty(),
                offset == size,
                "a piece is empty only at the end"
            );
            assert!(piece.len() <= 1 << 20, "a piece is at most a megabyte");
        }
    }
    let listed = engine.objects(&Digest([0; 32]), 99).expect("objects");
    assert_eq!(listed.len(), 5, "each object is listed once");
    assert!(
        listed.is_sorted_by(|one, next| one.0 < next.0),
        "objects are listed by address"
    );
    assert_eq!(
        engine.objects(&listed[2].0, 2),
        Ok(listed[2..4].to_vec()),
        "a list begins where it is asked to, and has a limit"
    );
    let absent = Digest::blake3(b"never put");
    assert_eq!(engine.object_size(&absent), Ok(None));
    assert_eq!(engine.object_piece(&absent, 0), Ok(Vec::new()));
    let mut unfinished = engine.new_object().expect("new object");
    unfinished.write(&vec![7; 3 << 20]).expect("write");
    drop(unfinished);
    assert_eq!(
        engine.object_size(&Digest::blake3(&vec![7; 3 << 20])),
        Ok(None),
        "nothing half-written"
    );
}

fn index<S: Index>(engine: &S) {
    let rows = |pairs: &[(&str, Option<&str>)]| -> IndexChanges {
        let bytes = |text: &str| text.as_bytes().to_vec();
        pairs
            .iter()
            .map(|(key, value)| (bytes(key), value.map(bytes)))
            .collect()
    };
    let keys = |prefix: &str, after: &str, limit| -> Vec<String> {
        let found = engine
            .scan(prefix.as_bytes(), after.as_bytes(), limit)
            .expect("scan");
        found
            .into_iter()
            .map(|(key, _)| String::from_utf8_lossy(&key).into_owned())
            .collect()
    };
    let changes = rows(&[
        ("a/1", Some("1")),
        ("a/2", Some("2")),
        ("a/3", Some("3")),
        ("b", Some("b")),
        ("row", None),
    ]);
    engine.apply(&changes, 3).expect("apply");
    assert_eq!(engine.applied(), Ok(3));
    assert_eq!(Index::get(engine, b"row"), Ok(None), "rows can be removed");
    assert_eq!(
        keys("a/", "", 9),
        ["a/1", "a/2", "a/3"],
        "a scan is ordered and stays in its prefix"
    );
    assert_eq!(keys("a/", "a/1", 1), ["a/2"], "a scan goes on after a key");
    assert_eq!(keys("a/", "a/3", 9), Vec::<String>::new());
    engine.clear().expect("clear");
    assert_eq!(
        (engine.applied(), keys("", "", 9).len()),
        (Ok(0), 0),
        "clear removes all"
    );
}
