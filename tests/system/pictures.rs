//! Pictures that somebody with the disk and the signing key replaces: whoever draws them again sees it.

use vouchsafe_evidence::digest::content_digests;
use vouchsafe_evidence::entry::Entry;

use crate::anchors::{file, vkey};
use crate::served::{Archive, run_expecting};
use crate::tampering::{Store, first_fault, flip, resign};

#[test]
fn a_replaced_picture_is_seen_when_it_is_drawn_again() {
    let archive = Archive::new();
    let served = archive.serve();
    file(&served.client("erp"), "0001");
    drop(served);
    let kept = archive.folder.path().join("kept");
    archive.command(&["export", "/", "--out", kept.to_str().unwrap()]);
    run_expecting(0, &["verify", archive.text(), "--render"]);
    // Somebody who has the signing key files another form in its place, and signs everything anew.
    resign(&archive.path(), false, |store, entry| {
        if entry.kind != "voucher.filed" {
            return;
        }
        let object = entry
            .objects
            .iter_mut()
            .find(|object| object.name == "voucher.pdf")
            .unwrap();
        let forged = flip(store.get("objects", &object.blake3.0)[1..].to_vec());
        let digests = content_digests(&forged);
        store.put("objects", &digests.blake3.0, &[&[0][..], &forged].concat());
        (object.blake3, object.sha256) = (digests.blake3, digests.sha256);
    });
    // Nothing in the archive contradicts itself, and the key is the right one.
    run_expecting(0, &["verify", archive.text(), "--key", &vkey(&archive)]);
    let (seq, text) = first_fault(&archive.path(), &["--render"]);
    assert!(
        seq.is_some() && text.contains("rendition voucher.pdf"),
        "{text}"
    );
    assert!(text.contains("/acme/gl/2024-03/payment/0001"), "{text}");
    // Whoever kept a checkpoint sees it without drawing.
    let checkpoint = kept.join("data/log/checkpoint");
    let (_, text) = first_fault(&archive.path(), &["--since", checkpoint.to_str().unwrap()]);
    assert!(text.contains("earlier checkpoint"), "{text}");
}

#[test]
fn a_picture_of_other_data_or_by_another_form_is_seen_when_it_is_drawn_again() {
    type Forge = fn(&Store, &mut Entry);
    let forgeries: [(&str, Forge, &str); 3] = [
        (
            "a form that was never published",
            |_, entry| {
                entry.body.insert("template".to_owned(), 7.into());
            },
            "nobody published it",
        ),
        (
            "no picture at all",
            |_, entry| entry.objects.retain(|object| object.name != "voucher.png"),
            "rendition voucher.png",
        ),
        (
            "the picture of a decoy",
            |store, entry| {
                let mut decoy = entry.objects[0].clone();
                let content = b"{}";
                let digests = content_digests(content);
                store.put("objects", &digests.blake3.0, &[&[0][..], content].concat());
                decoy.name = "decoy.json".to_owned();
                (decoy.blake3, decoy.sha256, decoy.size) = (digests.blake3, digests.sha256, 2);
                let data = entry
                    .objects
                    .iter_mut()
                    .find(|it| it.name == "voucher.json")
                    .unwrap();
                let forged = String::from_utf8(store.get("objects", &data.blake3.0)[1..].to_vec());
                let forged = forged.unwrap().replace("张三", "李四");
                let digests = content_digests(forged.as_bytes());
                store.put(
                    "objects",
                    &digests.blake3.0,
                    &[&[0][..], forged.as_bytes()].concat(),
                );
                (data.blake3, data.sha256) = (digests.blake3, digests.sha256);
                entry.objects.insert(0, decoy);
            },
            "rendition voucher.",
        ),
    ];
    for (name, forge, named) in forgeries {
        let archive = Archive::new();
        let served = archive.serve();
        file(&served.client("erp"), "0001");
        drop(served);
        resign(&archive.path(), false, |store, entry| {
            if entry.kind == "voucher.filed" {
                forge(store, entry);
            }
        });
        run_expecting(0, &["verify", archive.text()]);
        let (seq, text) = first_fault(&archive.path(), &["--render"]);
        assert!(seq.is_some() && text.contains(named), "{name}: {text}");
    }
}
