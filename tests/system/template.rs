//! Whoever designs forms: checks a template, looks at it, publishes it, and reads its history.

use std::fs;
use std::path::Path;

use crate::anchors::file;
use crate::served::{Archive, run_expecting};

fn builtin(name: &str) -> String {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    fs::read_to_string(templates.join(format!("{name}.toml"))).unwrap()
}

#[test]
fn every_error_of_a_template_is_named_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let template = folder.path().join("payment.toml");
    let path = template.to_str().unwrap();
    let good = builtin("payment");
    fs::write(&template, &good).unwrap();
    let text = run_expecting(0, &["template", "check", path]);
    assert!(
        text.contains("付款凭证, 240.0 x 140.0 mm") && text.contains(": good"),
        "{text}"
    );
    // Three faults of three kinds, each at its place.
    let bad = good
        .replace("digits = 11", "digits = 99")
        .replace("from = [84.836, 18.034]", "from = [84.836, 19.034]")
        .replace("box = [223.79, 69, 8, 6]", "box = [400, 69, 8, 6]");
    fs::write(&template, &bad).unwrap();
    let text = run_expecting(2, &["template", "check", path]);
    for (place, error) in [
        (
            line_of(&bad, "from = [84.836, 19.034]"),
            "a rule is horizontal or vertical",
        ),
        (line_of(&bad, "digits = 99"), "between 5 and 17 digits"),
        (
            line_of(&bad, "box = [400, 69, 8, 6]"),
            "reaches beyond the page",
        ),
    ] {
        let line = text
            .lines()
            .find(|line| line.contains(error))
            .unwrap_or_else(|| panic!("{text}"));
        let found: usize = line
            .strip_prefix(&format!("{path}:"))
            .unwrap()
            .split(':')
            .next()
            .unwrap()
            .parse()
            .unwrap();
        // The place is that of the item that the key belongs to.
        assert!(
            found <= place && place <= found + 8,
            "{line}, and it stands in line {place}"
        );
    }
    for (bad, named) in [
        (
            good.replace("value = \"number\"", "value = \"nubmer\""),
            "no value is called \"nubmer\"",
        ),
        (good.replace("size = 22", "szie = 22"), "szie"),
        (good.replace("[page]", "[page"), ":5:6: "),
        (String::new(), "format"),
    ] {
        fs::write(&template, bad).unwrap();
        let text = run_expecting(2, &["template", "check", path]);
        assert!(
            text.contains(named) && text.contains(&format!("{path}:")),
            "{text}"
        );
    }
    run_expecting(2, &["template", "check", "/none.toml"]);
}

fn line_of(text: &str, needle: &str) -> usize {
    let at = text.find(needle).unwrap();
    text[..at].matches('\n').count() + 1
}

#[test]
fn a_preview_shows_a_sample_or_a_voucher_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["receipt", "payment", "transfer", "receivable", "payable"] {
        let template = folder.path().join(format!("{name}.toml"));
        fs::write(&template, builtin(name)).unwrap();
        let preview = folder.path().join(format!("{name}.png"));
        let arguments = [
            "template",
            "check",
            template.to_str().unwrap(),
            "--preview",
            preview.to_str().unwrap(),
        ];
        run_expecting(0, &arguments);
        assert!(
            fs::read(&preview).unwrap().starts_with(b"\x89PNG"),
            "{name}"
        );
    }
    let voucher = folder.path().join("voucher.json");
    fs::write(
        &voucher,
        crate::served::voucher("acme/gl/2024-03/payment/0001", "1.00"),
    )
    .unwrap();
    let (template, pdf) = (
        folder.path().join("payment.toml"),
        folder.path().join("payment.pdf"),
    );
    let arguments = [
        "template",
        "check",
        template.to_str().unwrap(),
        "--preview",
        pdf.to_str().unwrap(),
    ];
    run_expecting(
        0,
        &[&arguments[..], &["--voucher", voucher.to_str().unwrap()]].concat(),
    );
    assert!(fs::read(&pdf).unwrap().starts_with(b"%PDF"));
}

#[test]
fn a_template_is_published_by_command_also_while_it_is_served_and_its_history_is_read() {
    let archive = Archive::new();
    let template = archive.folder.path().join("payment.toml");
    fs::write(
        &template,
        builtin("payment").replace("\"付款凭证\"", "\"付款单\""),
    )
    .unwrap();
    let path = template.to_str().unwrap();
    let served = archive.serve();
    let erp = served.client("erp");
    file(&erp, "0001");
    let before = erp
        .get("/dav/acme/gl/2024-03/payment/0001/voucher.pdf")
        .body;
    assert!(
        archive
            .command(&["template", "publish", path])
            .contains("payment is at version 2")
    );
    assert!(
        archive
            .command(&["template", "publish", path])
            .contains("version 2"),
        "the same again is nothing new"
    );
    file(&erp, "0002");
    let history = |number: &str| {
        let path = format!("/dav/acme/gl/2024-03/payment/{number}/history.json");
        erp.get(&path).json()["versions"][0]["template"].clone()
    };
    assert_eq!((history("0001"), history("0002")), (1.into(), 2.into()));
    let after = erp
        .get("/dav/acme/gl/2024-03/payment/0001/voucher.pdf")
        .body;
    assert_eq!(before, after, "an old voucher keeps its form");
    let listed = archive.command(&["template", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let payment: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter(|it| it["type"] == "payment")
        .collect();
    assert_eq!(payment.len(), 2);
    assert_eq!(
        (&payment[1]["version"], &payment[1]["by"]),
        (&2.into(), &"operator".into())
    );
    assert!(archive.command(&["template", "list"]).contains("payment"));
    drop(served);
    fs::write(&template, "format = 1").unwrap();
    run_expecting(
        2,
        &["template", "publish", path, "--archive", archive.text()],
    );
    let other = archive.folder.path().join("voucher-form.toml");
    fs::write(&other, builtin("payment")).unwrap();
    let unknown = [
        "template",
        "publish",
        other.to_str().unwrap(),
        "--archive",
        archive.text(),
    ];
    let text = run_expecting(2, &unknown);
    assert!(text.contains("no voucher type"), "{text}");
    run_expecting(0, &[&unknown[..], &["--type", "receipt"]].concat());
    run_expecting(0, &["verify", archive.text(), "--render"]);
}
