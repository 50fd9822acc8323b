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
    for name in vouchsafe::voucher::template::Template::builtin_names() {
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

#[test]
fn what_could_not_be_drawn_is_in_the_answer_and_in_the_history_and_no_name_in_the_log() {
    let archive = Archive::new();
    let served = archive.serve();
    let erp = served.client("erp");
    let place = "acme/gl/2024-03/payment/0001";
    let mut voucher: serde_json::Value =
        serde_json::from_str(&crate::served::voucher(place, "1.00")).unwrap();
    voucher["preparer"] = "赵𠀀".into();
    voucher["lines"][0]["summary"] = "很长的摘要".repeat(60).into();
    let answer = erp.put(&format!("/dav/{place}/voucher.json"), voucher.to_string());
    assert_eq!(answer.status, 201, "{answer:?}");
    let told = serde_json::json!({"version": 1, "warnings": [
        "preparer: no typeface has U+20000, a box stands in for it",
        "lines[0].summary: shortened to fit its box",
    ]});
    assert_eq!(answer.json(), told);
    let history = erp.get(&format!("/dav/{place}/history.json")).json();
    let version = &history["versions"][0];
    assert_eq!(version["warnings"], 2);
    let warned = serde_json::json!([
        "preparer: a box stands in for a character",
        "lines[0].summary: shortened to fit its box",
    ]);
    assert_eq!(version["warned"], warned);
    // By its content, through the inbox, the same is told.
    voucher["number"] = "0002".into();
    let answer = erp.put("/dav/_inbox/voucher.json", voucher.to_string());
    assert_eq!(answer.json()["warnings"], told["warnings"]);
    let plain = crate::served::voucher("acme/gl/2024-03/payment/0003", "1.00");
    let answer = erp.put("/dav/acme/gl/2024-03/payment/0003/voucher.json", plain);
    assert_eq!(answer.json()["warnings"], serde_json::json!([]));
    // A name that the fonts have is drawn, however rare.
    voucher["preparer"] = "张喆䶮".into();
    voucher["lines"][0]["summary"] = "x".into();
    voucher["number"] = "0004".into();
    let answer = erp.put(
        "/dav/acme/gl/2024-03/payment/0004/voucher.json",
        voucher.to_string(),
    );
    assert_eq!(answer.json()["warnings"], serde_json::json!([]));
}

#[test]
fn a_logo_is_published_by_put_and_stands_on_new_vouchers_only() {
    let archive = Archive::new();
    let served = archive.serve();
    let (erp, root) = (served.client("erp"), served.client("root"));
    file(&erp, "0001");
    let folder = "/dav/acme/gl/2024-03/payment";
    let old = erp.get(&format!("{folder}/0001/voucher.png")).body;
    // A red square of two by two pixels.
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 2, 2);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[255, 0, 0].repeat(4)).unwrap();
    drop(writer);
    let png = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &png);
    let logo =
        format!("\n[[pictures]]\nbox = [60, 5.08, 25.4, 12.7]\npng = \"\"\"\n{png}\n\"\"\"\n");
    let text = builtin("payment") + &logo;
    let answer = root.put("/dav/_templates/payment.toml", &text);
    assert_eq!((answer.status, &answer.json()["version"]), (201, &2.into()));
    file(&erp, "0002");
    let pdf = erp.get(&format!("{folder}/0002/voucher.pdf")).body;
    assert!(
        pdf.windows(14)
            .any(|it| it == b"/Subtype/Image" || it == b"/Subtype /Imag")
    );
    assert_eq!(old, erp.get(&format!("{folder}/0001/voucher.png")).body);
    let bad = text.replace("png = \"\"\"\n", "png = \"\"\"\n!");
    let answer = root.put("/dav/_templates/payment.toml", bad);
    assert_eq!(answer.status, 400, "{answer:?}");
    let error = answer.json()["error"].to_string();
    assert!(
        error.contains("pictures[0].png") && error.contains("not Base64"),
        "{error}"
    );
    drop(served);
    run_expecting(0, &["verify", archive.text(), "--render"]);
}

#[test]
fn a_layout_may_show_a_jpeg() {
    let archive = Archive::new();
    let layout = archive.path().join("layout.toml");
    let text = fs::read_to_string(&layout).unwrap();
    let text = text.replace("[\"voucher.png\", ", "[\"voucher.jpg\", ");
    fs::write(&layout, text).unwrap();
    let served = archive.serve();
    let erp = served.client("erp");
    file(&erp, "0001");
    let folder = "/dav/acme/gl/2024-03/payment/0001";
    let answer = erp.get(&format!("{folder}/voucher.jpg"));
    assert_eq!(answer.header("content-type"), "image/jpeg");
    assert!(answer.body.starts_with(b"\xFF\xD8\xFF"));
    assert_eq!(erp.get(&format!("{folder}/voucher.png")).status, 404);
    drop(served);
    run_expecting(0, &["verify", archive.text(), "--render"]);
}

#[test]
fn the_api_publishes_and_tells_the_history_of_a_template() {
    let archive = Archive::new();
    let served = archive.serve();
    let (root, eve) = (served.client("root"), served.client("eve"));
    let described = served.client("").get("/api/v1/openapi.json").json();
    assert!(described["paths"]["/api/v1/templates/{type}"]["put"].is_object());
    let path = "/api/v1/templates/payment";
    let changed = builtin("payment").replace("\"付款凭证\"", "\"付款单\"");
    let answer = root.put(path, &changed);
    assert_eq!((answer.status, &answer.json()["version"]), (201, &2.into()));
    assert_eq!(root.put(path, &changed).status, 204);
    let versions = root.get(path).json();
    let versions = versions.as_array().unwrap();
    let told: Vec<_> = versions
        .iter()
        .map(|it| (&it["version"], &it["by"]))
        .collect();
    assert_eq!(
        told,
        [(&1.into(), &"operator".into()), (&2.into(), &"root".into())]
    );
    for (version, text) in versions.iter().zip([builtin("payment"), changed]) {
        let read = root.get(version["href"].as_str().unwrap());
        assert_eq!(read.text(), text);
        assert_eq!(
            version["blake3"],
            blake3::hash(text.as_bytes()).to_hex().as_str()
        );
    }
    // Who read another version does not overwrite this one, over either way.
    let newer = builtin("payment").replace("\"付款凭证\"", "\"付款\"");
    let another = ("If-Match", "\"another\"");
    for path in [path, "/dav/_templates/payment.toml"] {
        for condition in [another, ("If-None-Match", "*")] {
            let answer = root.ask("PUT", path, &[condition], newer.as_bytes());
            assert_eq!(answer.status, 412, "{path} {answer:?}");
        }
        let part = [("Content-Range", "bytes 0-9/20")];
        assert_eq!(
            root.ask("PUT", path, &part, newer.as_bytes()).status,
            400,
            "{path}"
        );
    }
    let all = root.get("/api/v1/templates").json();
    assert_eq!(all.as_array().unwrap().len(), 8);
    let refused = root.put(path, "format = 1\ntitle = 3\n");
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(
        refused.json()["error"]
            .as_str()
            .unwrap()
            .starts_with("line 2, column 9: title: ")
    );
    for (answer, status) in [
        (served.client("").get(path), 401),
        (eve.get(path), 404),
        (served.client("erp").put(path, "x"), 403),
        (root.get("/api/v1/templates/unheard-of"), 404),
        (
            root.put("/api/v1/templates/unheard-of", builtin("payment")),
            400,
        ),
        (root.put(path, "#".repeat(300_000)), 413),
        (root.ask("DELETE", path, &[], b""), 405),
        (served.client("").get("/api/v1/templates/%ff"), 404),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.json()["hint"].is_string());
    }
}
