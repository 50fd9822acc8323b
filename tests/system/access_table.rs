//! The table of every role, method and place in docs/access.md is what the archive answers.

use std::collections::BTreeMap;

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

/// An archive in which each of the people has their role, and there is a voucher with its scan here and elsewhere.
pub fn filed() -> (Archive, Served, Vec<u8>) {
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
