//! Who may do what: the table of `docs/access.md`, cell by cell; groups; and who could see what at a time.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use vouchsafe_evidence::key::VerifierKey;
use vouchsafe_evidence::proof::InclusionProof;
use vouchsafe_evidence::rotation::KeyHistory;

use crate::client::Client;
use crate::matching::{PLACE, image_set, paper, voucher};
use crate::served::{Archive, Served};

const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/access.md");

/// Each role, and somebody to whom nothing is granted.
const PEOPLE: [&str; 9] = [
    "uploader",
    "preparer",
    "reviewer",
    "viewer",
    "auditor",
    "compliance",
    "archivist",
    "admin",
    "nobody",
];

/// Methods, and what they send: nothing that succeeds changes what the next one finds.
const METHODS: [&str; 12] = [
    "GET",
    "HEAD",
    "PROPFIND",
    "PUT",
    "DELETE",
    "MKCOL",
    "MOVE",
    "COPY",
    "LOCK",
    "UNLOCK",
    "PROPPATCH",
    "POST",
];

/// The kinds of paths, with their names in the table.
fn places() -> Vec<(&'static str, String)> {
    let file = |name: &str| format!("{PLACE}/0001/{name}");
    vec![
        ("the root", "/dav/".to_owned()),
        ("a company", "/dav/acme".to_owned()),
        ("a period", "/dav/acme/gl/2024-03".to_owned()),
        ("a voucher", format!("{PLACE}/0001")),
        ("voucher.json", file("voucher.json")),
        ("voucher.png", file("voucher.png")),
        ("scan-1.png", file("scan-1.png")),
        ("match.json", file("match.json")),
        ("review.json", file("review.json")),
        ("history.json", file("history.json")),
        ("proof.json", file("proof.json")),
        ("another company", "/dav/other".to_owned()),
        (
            "a voucher of another company",
            "/dav/other/gl/2024-03/payment/0001/voucher.json".to_owned(),
        ),
        (
            "a voucher that is not there",
            format!("{PLACE}/9999/voucher.png"),
        ),
        (
            "no place of the tree",
            "/dav/acme/gl/2024-03/payment/0001/x/y".to_owned(),
        ),
        ("_inbox", "/dav/_inbox".to_owned()),
        (
            "a file in the inbox that is not there",
            "/dav/_inbox/none.bin".to_owned(),
        ),
        ("_templates", "/dav/_templates".to_owned()),
        ("a template", "/dav/_templates/payment.toml".to_owned()),
        ("_audit", "/dav/_audit".to_owned()),
        ("the checkpoint", "/dav/_audit/checkpoint".to_owned()),
        ("/log/checkpoint", "/log/checkpoint".to_owned()),
        ("/log: entries", "/log/tile/entries/000.p/20".to_owned()),
        ("the queue", "/api/v1/queue".to_owned()),
        (
            "a voucher as JSON",
            "/api/v1/tree?path=/acme/gl/2024-03/payment/0001".to_owned(),
        ),
        (
            "a voucher elsewhere as JSON",
            "/api/v1/tree?path=/other/gl/2024-03/payment/0001".to_owned(),
        ),
        (
            "rights elsewhere",
            "/api/v1/rights?path=/other/gl/2024-03/payment/0001".to_owned(),
        ),
        (
            "traces of a voucher",
            "/api/v1/traces?path=/acme/gl/2024-03/payment/0001".to_owned(),
        ),
        (
            "traces elsewhere",
            "/api/v1/traces?path=/other/gl/2024-03/payment/0001".to_owned(),
        ),
        ("bursts", "/api/v1/bursts".to_owned()),
        (
            "who could see a voucher",
            "/api/v1/access?path=/acme/gl/2024-03/payment/0001".to_owned(),
        ),
        ("templates as JSON", "/api/v1/templates".to_owned()),
    ]
}

fn filed() -> (Archive, Served, Vec<u8>) {
    let archive = Archive::new();
    for role in PEOPLE {
        archive.command(&["user", "add", role]);
        if role != "nobody" {
            archive.command(&["grant", "add", role, role, "/acme/"]);
        }
    }
    let served = archive.serve();
    let erp = served.client("erp");
    let folder = tempfile::tempdir().unwrap();
    let scan = paper(folder.path(), &voucher("0001", "12.00"), "png");
    for company in ["acme", "other"] {
        let mut data = voucher("0001", "12.00");
        data["company"] = company.into();
        let place = format!("/dav/{company}/gl/2024-03/payment/0001");
        assert_eq!(
            erp.put(&format!("{place}/voucher.json"), data.to_string())
                .status,
            201
        );
    }
    assert_eq!(
        erp.put(&format!("{PLACE}/0001/scan-1.png"), &scan).status,
        201
    );
    assert_eq!(image_set(&erp, "0001"), "complete");
    (archive, served, scan)
}

fn ask(client: &Client, method: &str, path: &str, scan: &[u8]) -> u16 {
    let data = voucher("0001", "12.00").to_string();
    let lock = "<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:shared/></D:lockscope>\
        <D:locktype><D:write/></D:locktype></D:lockinfo>";
    let patch = "<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop><x xmlns='urn:x'>1</x></D:prop></D:set>\
        </D:propertyupdate>";
    let body = match (method, path) {
        ("PUT", path) if path.ends_with(".png") => scan,
        ("PUT", path) if path.ends_with("/voucher.json") => data.as_bytes(),
        // What nobody can take for a decision, a template or a scan.
        ("PUT", _) => b"{\"nonsense\":1}",
        ("LOCK", _) => lock.as_bytes(),
        ("PROPPATCH", _) => patch.as_bytes(),
        _ => b"",
    };
    let headers = [
        (
            "Depth",
            if method == "LOCK" || method == "PROPFIND" {
                "0"
            } else {
                "infinity"
            },
        ),
        ("Destination", "/dav/acme/elsewhere"),
        (
            "Lock-Token",
            "<opaquelocktoken:00000000-0000-0000-0000-000000000000>",
        ),
        ("Timeout", "Second-1"),
    ];
    let lockless = &headers[..if matches!(method, "MOVE" | "COPY") {
        2
    } else {
        1
    }];
    let headers = match method {
        "UNLOCK" => &headers[2..3],
        "LOCK" => &[headers[0], headers[3]],
        "GET" | "HEAD" | "PUT" | "POST" => &[],
        _ => lockless,
    };
    let answer = client.ask(method, path, headers, body);
    let token = answer.header("lock-token").to_owned();
    if !token.is_empty() {
        client.ask("UNLOCK", path, &[("Lock-Token", &token)], b"");
    }
    answer.status
}

/// The rows of the table: what was asked, and the status for each of the people.
type Rows = BTreeMap<(String, String), Vec<String>>;

/// Reads the table of the documentation.
fn documented() -> Rows {
    let text = std::fs::read_to_string(TABLE).unwrap();
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let mut rows = text
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(cells)
        .skip_while(|cells| cells.last().is_none_or(|last| last != "nobody"));
    let head = rows.next().unwrap();
    assert_eq!(
        head[2..],
        PEOPLE.map(str::to_owned),
        "the columns of docs/access.md"
    );
    let rows = rows.skip(1).filter(|cells| cells.len() == head.len());
    rows.map(|cells| ((cells[0].clone(), cells[1].clone()), cells[2..].to_vec()))
        .collect()
}

/// Whether there is no such method at the place, for anybody: such rows are left out of the table.
fn is_no_method(statuses: &[String]) -> bool {
    statuses.iter().all(|status| status == "405")
}

#[test]
fn every_role_gets_what_the_table_of_the_documentation_says() {
    let (archive, served, scan) = filed();
    let mut found = Vec::new();
    for (name, path) in places() {
        for method in METHODS {
            let statuses =
                PEOPLE.map(|who| ask(&served.client(who), method, &path, &scan).to_string());
            found.push(((name.to_owned(), method.to_owned()), statuses.to_vec()));
        }
    }
    if std::env::var_os("VOUCHSAFE_GOLDEN").is_some_and(|it| it == "renew") {
        let text = std::fs::read_to_string(TABLE).unwrap();
        let (before, _) = text.split_once("| place | method |").unwrap();
        let mut table = format!("{before}| place | method | {} |\n", PEOPLE.join(" | "));
        table += &format!("|{}\n", "---|".repeat(PEOPLE.len() + 2));
        for ((place, method), statuses) in found.iter().filter(|(_, it)| !is_no_method(it)) {
            table += &format!("| {place} | {method} | {} |\n", statuses.join(" | "));
        }
        std::fs::write(TABLE, table).unwrap();
    }
    let documented = documented();
    let listed = found.iter().filter(|(_, it)| !is_no_method(it));
    assert_eq!(
        documented.len(),
        listed.clone().count(),
        "rows of docs/access.md"
    );
    let differing: Vec<String> = listed
        .filter(|(asked, statuses)| documented.get(asked) != Some(statuses))
        .map(|(asked, statuses)| {
            format!("{asked:?}: {statuses:?}, not {:?}", documented.get(asked))
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    // None of it changed anything.
    let history = served
        .client("erp")
        .get(&format!("{PLACE}/0001/history.json"))
        .json();
    assert_eq!(history["versions"].as_array().unwrap().len(), 1);
    assert_eq!(history["scans"].as_array().unwrap().len(), 1);
    assert_eq!(history["review"], "waiting");
    drop(served);
    archive.assert_well();
}

/// Milliseconds that answers to these paths took, asked in turns so that the machine's moods fall on both.
fn times(client: &Client, paths: [&str; 2], turns: usize) -> [Vec<f64>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..2 * turns {
        let which = turn % 2;
        let began = Instant::now();
        assert_eq!(client.get(paths[which]).status, 404);
        times[which].push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    times
}

/// The greatest difference between the shares of both samples that lie below any value (Kolmogorov and Smirnov).
fn distance(one: &[f64], other: &[f64]) -> f64 {
    let below = |sample: &[f64], value: f64| {
        sample.iter().filter(|it| **it <= value).count() as f64 / sample.len() as f64
    };
    let values = one.iter().chain(other);
    values
        .map(|value| (below(one, *value) - below(other, *value)).abs())
        .fold(0.0, f64::max)
}

#[test]
fn what_is_hidden_takes_as_long_as_what_is_not_there() {
    let (_archive, served, _) = filed();
    let nobody = served.client("nobody");
    let hidden = format!("{PLACE}/0001/voucher.json");
    let absent = format!("{PLACE}/9999/voucher.json");
    nobody.get(&hidden);
    // With 400 of each, two samples of one distribution are further apart than this once in 10,000 times; a machine
    // with other work may need a second look.
    let limit = 2.2 * (2.0_f64 / 400.0).sqrt();
    let distances: Vec<f64> = (0..4)
        .map(|_| {
            let [one, other] = times(&nobody, [&hidden, &absent], 400);
            distance(&one, &other)
        })
        .take_while(|distance| *distance > limit)
        .collect();
    assert!(
        distances.len() < 4,
        "the distributions differ: {distances:?}, not below {limit}"
    );
}

#[test]
fn what_is_granted_to_a_group_is_granted_to_its_members_while_they_are_in_it() {
    let archive = Archive::new();
    let served = archive.serve();
    let place = format!("{PLACE}/0001/voucher.json");
    served
        .client("erp")
        .put(&place, voucher("0001", "12.00").to_string());
    let eve = served.client("eve");
    assert_eq!(eve.get(&place).status, 404);
    archive.command(&["grant", "add", "@accounting", "viewer", "/acme/"]);
    archive.command(&["group", "add", "@accounting", "eve"]);
    assert_eq!(eve.get(&place).status, 200);
    let listed = archive.command(&["group", "list"]);
    assert!(
        listed.contains("@accounting") && listed.contains("eve"),
        "{listed}"
    );
    archive.command(&["group", "remove", "accounting", "eve"]);
    assert_eq!(eve.get(&place).status, 404);
    let groups = archive.command(&["group", "list", "--json"]);
    assert_eq!(groups.trim(), "[]");
    // Again: a membership has more than one time.
    archive.command(&["group", "add", "accounting", "eve"]);
    assert_eq!(eve.get(&place).status, 200);
    drop(served);
    archive.command(&["reindex"]);
    archive.assert_well();
}

/// The names of those who could see it, in the order in which they were added.
fn names(access: &Value) -> Vec<String> {
    let people = access["people"].as_array().unwrap().iter();
    people
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn who_could_see_a_voucher_at_a_time_is_told_with_proof() {
    let archive = Archive::new();
    let served = archive.serve();
    let ben = served.client("ben");
    served.client("erp").put(
        &format!("{PLACE}/0001/voucher.json"),
        voucher("0001", "12.00").to_string(),
    );
    let now = || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        let answer = ben.get("/api/v1/access?path=/acme").json();
        answer["at"].as_str().unwrap().to_owned()
    };
    let path = "/acme/gl/2024-03/payment/0001";
    let at = |time: &str| {
        ben.get(&format!("/api/v1/access?path={path}&at={time}"))
            .json()
    };
    let before = now();
    archive.command(&["group", "add", "@guests", "eve"]);
    archive.command(&["grant", "add", "@guests", "auditor", "/acme/gl/"]);
    let during = now();
    archive.command(&["group", "remove", "@guests", "eve"]);
    let after = now();
    assert_eq!(names(&at(&before)), ["erp", "ann", "ben"]);
    assert_eq!(names(&at(&after)), ["erp", "ann", "ben"]);
    let told = at(&during);
    assert_eq!(names(&told), ["erp", "ann", "ben", "eve"]);
    let eve = told["people"].as_array().unwrap().last().unwrap();
    assert_eq!(eve["because"][0]["group"], "@guests");
    assert_eq!(eve["because"][0]["entries"].as_array().unwrap().len(), 2);
    // Each proof is one that the log's key verifies, of an entry that says what is claimed.
    let key = std::fs::read_to_string(archive.path().join("vkey")).unwrap();
    let keys = KeyHistory::new(VerifierKey::parse(key.trim()).unwrap());
    let proofs = told["proofs"].as_array().unwrap();
    assert!(proofs.len() >= 5, "{proofs:?}");
    for proof in proofs {
        let read = InclusionProof::parse(proof["proof"].as_str().unwrap()).unwrap();
        read.verify(&read.extra, &keys).unwrap();
        let entry: Value = serde_json::from_slice(&read.extra).unwrap();
        assert_eq!(entry["seq"], proof["entry"]);
        let kind = entry["kind"].as_str().unwrap();
        assert!(
            ["grant.added", "group.member_added"].contains(&kind),
            "{kind}"
        );
    }
    // The command line says the same of grants.
    let grants = archive.command(&["grant", "list", "--at", &during]);
    assert!(grants.contains("@guests"), "{grants}");
    // Not for those who only look.
    let ann = served
        .client("ann")
        .get(&format!("/api/v1/access?path={path}"));
    assert_eq!(ann.status, 403);
}

#[test]
fn an_end_takes_effect_on_an_open_connection() {
    let archive = Archive::new();
    let served = archive.serve();
    let place = format!("{PLACE}/0001/voucher.json");
    served
        .client("erp")
        .put(&place, voucher("0001", "12.00").to_string());
    let end = jiff::Timestamp::now() + std::time::Duration::from_secs(3);
    archive.command(&[
        "grant",
        "add",
        "eve",
        "reviewer",
        "/acme/",
        "--until",
        &end.to_string(),
    ]);
    let eve = served.client("eve");
    assert_eq!(eve.get(&place).status, 200);
    // Listens before the end, and is told nothing after it.
    let events = Command::new("curl")
        .args(["-sSN", "--max-time", "6", "-u"])
        .arg(format!("eve:{}", crate::served::PASSWORD))
        .arg(format!("{}/api/v1/queue/events", served.url))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while jiff::Timestamp::now() <= end {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // The same connection, kept alive by the client.
    assert_eq!(eve.get(&place).status, 404);
    served.client("erp").put(
        &format!("{PLACE}/0002/voucher.json"),
        voucher("0002", "12.00").to_string(),
    );
    let output = events.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("0001") && !text.contains("0002"), "{text}");
}

#[test]
fn rights_are_told_to_drives_and_programs() {
    let (_archive, served, _) = filed();
    let ask =
        "<D:propfind xmlns:D='DAV:'><D:prop><D:current-user-privilege-set/></D:prop></D:propfind>";
    let privileges = |who: &str, path: &str| {
        let answer = served
            .client(who)
            .ask("PROPFIND", path, &[("Depth", "0")], ask.as_bytes());
        assert_eq!(answer.status, 207);
        answer.text()
    };
    let voucher = format!("{PLACE}/0001");
    let uploader = privileges("uploader", &voucher);
    assert!(
        uploader.contains("<D:bind/>") && !uploader.contains(":review"),
        "{uploader}"
    );
    assert!(privileges("reviewer", &voucher).contains("<V:review"));
    let viewer = privileges("viewer", &format!("{voucher}/voucher.json"));
    assert!(
        viewer.contains("<D:read/>") && !viewer.contains("write-content"),
        "{viewer}"
    );
    assert!(privileges("uploader", &format!("{voucher}/voucher.json")).contains("write-content"));
    assert!(!privileges("uploader", &format!("{voucher}/history.json")).contains("write-content"));
    let all = served
        .client("viewer")
        .ask("PROPFIND", &voucher, &[("Depth", "0")], b"");
    assert!(
        !all.text().contains("privilege"),
        "not among all properties: RFC 3744, section 5"
    );
    let rights = |who: &str| {
        served
            .client(who)
            .get("/api/v1/rights?path=/acme/gl/2024-03/payment/0001")
    };
    assert_eq!(rights("reviewer").json()["review"], json!(true));
    assert_eq!(
        rights("viewer").json(),
        json!({
            "read": true, "write-content": false, "bind": false, "unbind": false, "review": false, "submit": false, "verify": false,
        })
    );
    assert_eq!(rights("nobody").status, 404);
}

#[test]
fn where_a_page_ends_tells_no_name_that_one_may_not_see() {
    let archive = Archive::new();
    let served = archive.serve();
    let count = 1_030;
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let erp = served.client("erp");
            scope.spawn(move || {
                for number in (thread..count).step_by(8) {
                    let number = format!("{number:04}");
                    let path = format!("{PLACE}/{number}/voucher.json");
                    assert_eq!(
                        erp.put(&path, voucher(&number, "12.00").to_string()).status,
                        201
                    );
                }
            });
        }
    });
    let page = |who: &str, after: &str| {
        let asked = format!("/api/v1/tree?path=/acme/gl/2024-03/payment&after={after}");
        let told = served.client(who).get(&asked).json();
        let children = told["children"].as_array().unwrap().iter();
        let names: Vec<String> = children
            .map(|it| it["name"].as_str().unwrap().to_owned())
            .collect();
        (names, told["next"].as_str().map(str::to_owned))
    };
    let (all, next) = page("erp", "");
    assert_eq!((all.len(), next.as_deref()), (1_024, Some("1023")));
    assert_eq!(page("erp", "1023").0.len(), 6);
    // Two of them, one on each side of where the archive's own page ends.
    for number in ["0007", "1029"] {
        archive.command(&[
            "grant",
            "add",
            "eve",
            "viewer",
            &format!("/acme/gl/2024-03/payment/{number}/"),
        ]);
    }
    let (first, next) = page("eve", "");
    assert_eq!(
        (first, next.as_deref()),
        (vec!["0007".to_owned()], Some("0007"))
    );
    assert_eq!(page("eve", "0007"), (vec!["1029".to_owned()], None));
}
