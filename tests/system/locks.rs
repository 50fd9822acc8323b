//! Locks and conditions: who may write over what, and when not.

use crate::served::{Archive, voucher};

const PLACE: &str = "acme/gl/2024-03/payment/0001";
/// The body of a LOCK.
const EXCLUSIVE: &[u8] = b"<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>\
    <D:locktype><D:write/></D:locktype></D:lockinfo>";

/// An archive in which two people may file.
fn with_two_uploaders() -> Archive {
    let archive = Archive::new();
    archive.command(&["user", "add", "erp2"]);
    archive.command(&["grant", "add", "erp2", "uploader", "/*/"]);
    archive
}

#[test]
fn a_lock_keeps_others_from_writing() {
    let archive = with_two_uploaders();
    let served = archive.serve();
    let (erp, erp2) = (served.client("erp"), served.client("erp2"));
    let path = format!("/dav/{PLACE}/voucher.json");
    let data = voucher(PLACE, "1.00");
    erp.put(&path, &data);
    let lock = erp.ask("LOCK", &path, &[("Depth", "0")], EXCLUSIVE);
    assert_eq!(lock.status, 200, "{}", lock.text());
    let token = lock.header("lock-token").to_owned();
    assert_eq!(erp2.put(&path, &data).status, 423);
    assert_eq!(erp.put(&path, &data).status, 423, "the token is needed");
    let held = format!("({token})");
    assert_eq!(
        erp.ask("PUT", &path, &[("If", &held)], data.as_bytes())
            .status,
        204
    );
    assert_eq!(
        served
            .client("ann")
            .ask("LOCK", &path, &[("Depth", "0")], EXCLUSIVE)
            .status,
        403
    );
    assert_eq!(
        served
            .client("eve")
            .ask("LOCK", &path, &[("Depth", "0")], EXCLUSIVE)
            .status,
        404
    );
    assert_eq!(
        erp.ask("UNLOCK", &path, &[("Lock-Token", &token)], b"")
            .status,
        204
    );
    assert_eq!(erp2.put(&path, &data).status, 204);
}

#[test]
fn a_lock_is_ended_by_its_owner_only_and_by_itself() {
    let archive = with_two_uploaders();
    let served = archive.serve();
    let (erp, erp2) = (served.client("erp"), served.client("erp2"));
    let path = format!("/dav/{PLACE}/voucher.json");
    for timeout in [
        "Infinite",
        "garbage",
        "Second-99999999999999999",
        "Second-4000",
    ] {
        // Nothing is there yet: the name is kept for its owner, who can give it back.
        let lock = erp.ask(
            "LOCK",
            &path,
            &[("Depth", "0"), ("Timeout", timeout)],
            EXCLUSIVE,
        );
        assert_eq!(lock.status, 201, "{timeout}: {}", lock.text());
        assert!(
            lock.text().contains("Second-600"),
            "{timeout}: {}",
            lock.text()
        );
        let token = lock.header("lock-token").to_owned();
        for (user, status) in [("erp2", 403), ("ann", 403), ("eve", 404), ("erp", 204)] {
            let ended = served
                .client(user)
                .ask("UNLOCK", &path, &[("Lock-Token", &token)], b"");
            assert_eq!(ended.status, status, "{user}");
        }
    }
    erp.put(&path, voucher(PLACE, "1.00"));
    let lock = erp.ask("LOCK", &path, &[("Depth", "0")], EXCLUSIVE);
    let token = lock
        .header("lock-token")
        .trim_matches(['<', '>'])
        .to_owned();
    let shows = |client: &crate::client::Client| {
        client
            .ask("PROPFIND", &path, &[("Depth", "0")], b"")
            .text()
            .contains(&token)
    };
    assert!(
        shows(&erp) && !shows(&erp2),
        "the token is its owner's alone"
    );
    let folder = erp.ask(
        "LOCK",
        "/dav/acme/gl/2024-07/",
        &[("Depth", "infinity")],
        EXCLUSIVE,
    );
    assert_eq!(
        folder.status,
        403,
        "nobody stops a period: {}",
        folder.text()
    );
    let gone = erp2.ask("UNLOCK", &path, &[("Lock-Token", "<urn:uuid:none>")], b"");
    assert_eq!(gone.status, 409);
}

#[test]
fn conditions_on_writing_are_kept() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let path = format!("/dav/{PLACE}/voucher.json");
    erp.put(&path, voucher(PLACE, "1.00"));
    let tag = erp.get(&path).header("etag").to_owned();
    let (holds, fails) = (format!("([{tag}])"), format!("(Not [{tag}])"));
    for (name, value, status) in [
        (
            "If",
            "(<opaquelocktoken:00000000-0000-0000-0000-000000000000>)",
            412,
        ),
        ("If", "([\"bogus\"])", 412),
        ("If", "(<DAV:no-lock>)", 412),
        ("If", fails.as_str(), 412),
        ("If", "garbage((", 400),
        ("If-Unmodified-Since", "Mon, 01 Jan 2001 00:00:00 GMT", 412),
        ("If-Match", "\"bogus\"", 412),
        ("If-None-Match", tag.as_str(), 412),
        ("If-None-Match", "*", 412),
        ("If-None-Match", "\"bogus\"", 201),
    ] {
        let new = voucher(PLACE, "2.00");
        let answer = erp.ask("PUT", &path, &[(name, value)], new.as_bytes());
        assert_eq!(answer.status, status, "{name}: {value}: {}", answer.text());
    }
    let tag = erp.get(&path).header("etag").to_owned();
    let new = voucher(PLACE, "3.00");
    assert_eq!(
        erp.ask("PUT", &path, &[("If", &holds)], new.as_bytes())
            .status,
        412
    );
    let holds = format!("([{tag}])");
    assert_eq!(
        erp.ask("PUT", &path, &[("If", &holds)], new.as_bytes())
            .status,
        201
    );
}
