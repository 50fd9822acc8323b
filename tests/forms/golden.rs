//! The same bytes on every machine and every run. A difference means that archived vouchers would be drawn
//! differently from now on, so it is made knowingly.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, Luma};
use vouchsafe::render::Renderer;
use vouchsafe::voucher::template::Template;

use crate::sample::{KINDS, Sample};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/forms")
}

fn line(lines: &mut String, bytes: &[u8], name: &str) {
    writeln!(lines, "{} {name}", blake3::hash(bytes).to_hex()).unwrap();
}

/// Every file of every sample, by digest; a second renderer must give the same.
fn digests() -> String {
    let renderer = Renderer::new();
    let mut lines = String::new();
    for form in Template::builtin_names() {
        for kind in KINDS {
            let sample = Sample::new(form, kind);
            let pdf = sample.pdf(&renderer);
            assert_eq!(pdf, sample.pdf(&Renderer::new()), "{}", sample.name);
            line(&mut lines, &pdf, &format!("{}.pdf", sample.name));
            let dots = if kind == "many" { 50 } else { 200 };
            let png = renderer.png(&pdf, dots).unwrap();
            line(&mut lines, &png, &format!("{}-{dots}.png", sample.name));
            if kind == "usual" {
                assert_eq!(png, Renderer::new().png(&pdf, dots).unwrap());
                for dots in [100, 300] {
                    let png = renderer.png(&pdf, dots).unwrap();
                    line(&mut lines, &png, &format!("{}-{dots}.png", sample.name));
                }
                let jpeg = renderer.jpeg(&pdf, 200).unwrap();
                line(&mut lines, &jpeg, &format!("{}-200.jpg", sample.name));
            }
        }
    }
    lines
}

fn pictures() -> Vec<(String, Vec<u8>)> {
    let renderer = Renderer::new();
    let picture = |form: &str| {
        let pdf = Sample::new(form, "usual").pdf(&renderer);
        (format!("{form}.png"), renderer.png(&pdf, 100).unwrap())
    };
    Template::builtin_names().map(picture).collect()
}

/// What differs, black on white.
fn difference(old: &[u8], new: &[u8]) -> Vec<u8> {
    let read = |bytes: &[u8]| image::load_from_memory(bytes).map(|picture| picture.to_rgb8());
    let (old, new) = (read(old).unwrap_or_default(), read(new).unwrap());
    let shown = GrayImage::from_fn(new.width(), new.height(), |x, y| {
        let same = old.get_pixel_checked(x, y) == Some(new.get_pixel(x, y));
        Luma([if same { 255 } else { 0 }])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    shown.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Writes the new digests and pictures, and a page that shows old, new and difference.
fn renew(digests: &str, pictures: &[(String, Vec<u8>)]) {
    let page = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    fs::create_dir_all(&page).unwrap();
    let mut html = "<!doctype html><meta charset=utf-8><title>Golden forms</title>\
        <style>img{width:32%;border:1px solid #ccc}pre{font-size:12px}</style>\
        <h1>Old, new, difference</h1>\n"
        .to_owned();
    for (name, new) in pictures {
        let old = fs::read(folder().join(name)).unwrap_or_default();
        let same = if old == *new { "the same" } else { "changed" };
        writeln!(html, "<h2>{name}: {same}</h2>").unwrap();
        let difference = difference(&old, new);
        for (kind, bytes) in [("old", &old), ("new", new), ("difference", &difference)] {
            fs::write(page.join(format!("{kind}-{name}")), bytes).unwrap();
            writeln!(html, "<img src={kind}-{name} alt=\"{kind} {name}\">").unwrap();
        }
        fs::write(folder().join(name), new).unwrap();
    }
    let old = fs::read_to_string(folder().join("digests")).unwrap_or_default();
    let changed: Vec<&str> = digests.lines().filter(|line| !old.contains(line)).collect();
    let (changed, all) = (changed.join("\n"), digests.lines().count());
    writeln!(
        html,
        "<h2>Digests that changed, of {all}</h2><pre>{changed}</pre>"
    )
    .unwrap();
    fs::write(folder().join("digests"), digests).unwrap();
    fs::write(page.join("index.html"), html).unwrap();
    println!("look at {}", page.join("index.html").display());
}

#[test]
fn the_same_vouchers_have_the_same_bytes_on_every_machine() {
    let (digests, pictures) = (digests(), pictures());
    if std::env::var_os("VOUCHSAFE_GOLDEN").is_some_and(|wish| wish == "renew") {
        renew(&digests, &pictures);
    }
    for (name, picture) in &pictures {
        let golden = fs::read(folder().join(name)).unwrap();
        assert!(
            golden == *picture,
            "{name} is drawn differently: `make golden` shows how"
        );
    }
    let golden = fs::read_to_string(folder().join("digests")).unwrap();
    for (new, old) in digests.lines().zip(golden.lines()) {
        assert_eq!(new, old, "`make golden` renews the digests");
    }
    assert_eq!(digests.lines().count(), golden.lines().count());
}
