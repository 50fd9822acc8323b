//! What other people's tools say of the PDFs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use vouchsafe::render::{Item, Renderer};
use vouchsafe::voucher::template::Template;

use crate::sample::{KINDS, Sample};

/// The output of a tool that must succeed.
fn tool(name: &str, arguments: &[&str]) -> String {
    let output = Command::new(name).args(arguments).output();
    let output = output.unwrap_or_else(|error| panic!("{name}: {error}; build/packages.sh test"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{name} {arguments:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

fn each(check: impl Fn(&Sample, &Path)) {
    let (renderer, folder) = (Renderer::new(), tempfile::tempdir().unwrap());
    for form in Template::builtin_names() {
        for kind in KINDS {
            let sample = Sample::new(form, kind);
            let file: PathBuf = folder.path().join(format!("{}.pdf", sample.name));
            fs::write(&file, sample.pdf(&renderer)).unwrap();
            check(&sample, &file);
        }
    }
}

#[test]
fn qpdf_finds_no_fault_and_no_encryption() {
    each(|sample, file| {
        let text = tool("qpdf", &["--check", file.to_str().unwrap()]);
        assert!(text.contains("not encrypted"), "{}: {text}", sample.name);
        assert!(!text.contains("WARNING"), "{}: {text}", sample.name);
    });
}

#[test]
fn every_font_is_embedded_as_a_subset_whose_text_can_be_read() {
    each(|sample, file| {
        let text = tool("pdffonts", &[file.to_str().unwrap()]);
        let fonts: Vec<&str> = text.lines().skip(2).collect();
        assert!(fonts.len() >= 2, "{}: {text}", sample.name);
        for font in fonts {
            assert!(font.contains(" yes yes yes "), "{}: {font}", sample.name);
            assert_eq!(font.as_bytes()[6], b'+', "{}: {font}", sample.name);
        }
    });
}

#[test]
fn the_data_is_attached_to_the_byte() {
    each(|sample, file| {
        let out = file.with_extension("json");
        let file = file.to_str().unwrap();
        tool(
            "pdfdetach",
            &["-save", "1", "-o", out.to_str().unwrap(), file],
        );
        assert_eq!(fs::read(&out).unwrap(), sample.data, "{}", sample.name);
        assert!(tool("pdfdetach", &["-list", file]).starts_with("1 embedded"));
    });
}

/// Every value is found as a text, whatever its lines and its spacing.
#[test]
fn every_value_can_be_searched() {
    let renderer = Renderer::new();
    each(|sample, file| {
        let text = tool("pdftotext", &["-raw", file.to_str().unwrap(), "-"]);
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        let found = squeezed(&text);
        let drawing = sample.draw(&renderer);
        assert!(drawing.fields().len() > 20);
        for field in drawing.fields() {
            // What was drawn: a text that was shortened ends with its ellipsis.
            let mut drawn = String::new();
            for item in &drawing.pages()[field.page][field.items.clone()] {
                if let Item::Glyphs(run) = item {
                    drawn.extend(run.glyphs.iter().map(|glyph| glyph.character));
                }
            }
            let drawn = squeezed(&drawn);
            assert!(
                found.contains(&drawn),
                "{} {}: {drawn} is not in {text}",
                sample.name,
                field.name
            );
        }
    });
}

/// ISO 19005-3: identification (6.6.4), output intent (6.2.3), associated file (6.8), no encryption (6.1.3).
#[test]
fn the_parts_that_make_it_pdf_a_are_there() {
    each(|sample, file| {
        let json = tool(
            "qpdf",
            &[
                "--json",
                "--json-stream-data=inline",
                "--decode-level=all",
                file.to_str().unwrap(),
            ],
        );
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        let objects = json["qpdf"][1].as_object().unwrap();
        let object = |reference: &serde_json::Value| match reference.as_str() {
            Some(reference) => objects[&format!("obj:{reference}")].clone(),
            None => serde_json::json!({ "value": reference }),
        };
        let name = &sample.name;
        let trailer = &objects["trailer"]["value"];
        assert!(
            trailer.get("/Encrypt").is_none() && trailer["/ID"].is_array(),
            "{name}"
        );
        let catalog = object(&trailer["/Root"])["value"].clone();
        let list = |key: &str| object(&catalog[key])["value"].clone();
        let metadata = object(&catalog["/Metadata"]);
        let xmp = metadata["stream"]["data"].as_str().unwrap();
        let xmp = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, xmp).unwrap();
        let xmp = String::from_utf8(xmp).unwrap();
        let blake3 = blake3::hash(&sample.data).to_hex();
        for part in [
            "<pdfaid:part>3</pdfaid:part>",
            "<pdfaid:conformance>B</pdfaid:conformance>",
            "2024-03-05T00:00:00",
            blake3.as_str(),
        ] {
            assert!(xmp.contains(part), "{name}: no {part} in {xmp}");
        }
        let intent = object(&list("/OutputIntents")[0])["value"].clone();
        assert_eq!(intent["/S"], "/GTS_PDFA1", "{name}");
        let profile = object(&intent["/DestOutputProfile"]);
        assert_eq!(profile["stream"]["dict"]["/N"], 3, "{name}");
        let attached = object(&list("/AF")[0])["value"].clone();
        assert_eq!(attached["/AFRelationship"], "/Source", "{name}");
        assert_eq!(attached["/UF"], "u:voucher.json", "{name}");
        let language = if sample.name.starts_with("journal") {
            "u:en-GB"
        } else {
            "u:zh-CN"
        };
        assert_eq!(catalog["/Lang"], language, "{name}");
    });
}
