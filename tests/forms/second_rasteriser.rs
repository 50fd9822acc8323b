//! PDF and PNG are one drawing: poppler, which shares no code with ours, shows the same content.

use std::fs;
use std::process::Command;

use image::GrayImage;
use vouchsafe::render::Renderer;
use vouchsafe::voucher::template::Template;

use crate::sample::Sample;

const DOTS_PER_INCH: u32 = 200;
/// Side of the squares whose mean darkness is compared, in pixels: 1 mm. Rasterisers place and smooth the edges
/// of a stroke differently, by less than half a pixel; a missing, added or moved stroke changes a square.
const SQUARE: u32 = 8;
/// Most that the mean darkness of a square may differ, of 255. Measured: 44.2, and 131 for another digit.
const SQUARE_MAX: f64 = 55.0;
/// Most that the whole picture's may. Measured: 0.87.
const MEAN_MAX: f64 = 1.2;

/// Mean darkness of a square.
fn darkness(picture: &GrayImage, left: u32, top: u32) -> f64 {
    let mut sum = 0.0;
    for y in top..top + SQUARE {
        for x in left..left + SQUARE {
            sum += 255.0 - f64::from(picture.get_pixel(x, y).0[0]);
        }
    }
    sum / f64::from(SQUARE * SQUARE)
}

/// The largest difference of a square with its place, and the mean of all.
fn difference(ours: &GrayImage, theirs: &GrayImage) -> (f64, (u32, u32), f64) {
    let (mut largest, mut place, mut sum, mut count) = (0.0, (0, 0), 0.0, 0.0);
    // The last squares end at the edges, where they may lie over the ones before.
    let starts = |side: u32| {
        (0..side)
            .step_by(SQUARE as usize)
            .map(move |at| at.min(side - SQUARE))
    };
    for top in starts(ours.height()) {
        for left in starts(ours.width()) {
            let different = (darkness(ours, left, top) - darkness(theirs, left, top)).abs();
            (sum, count) = (sum + different, count + 1.0);
            if different > largest {
                (largest, place) = (different, (left, top));
            }
        }
    }
    (largest, place, sum / count)
}

fn both(sample: &Sample) -> (GrayImage, GrayImage) {
    let (renderer, folder) = (Renderer::new(), tempfile::tempdir().unwrap());
    let pdf = sample.pdf(&renderer);
    let file = folder.path().join("voucher.pdf");
    fs::write(&file, &pdf).unwrap();
    let status = Command::new("pdftoppm")
        .args(["-png", "-singlefile", "-r", &DOTS_PER_INCH.to_string()])
        .arg(&file)
        .arg(folder.path().join("poppler"))
        .status();
    assert!(status.expect("pdftoppm; build/packages.sh test").success());
    let read = |bytes: &[u8]| image::load_from_memory(bytes).unwrap().to_luma8();
    let ours = read(&renderer.png(&pdf, DOTS_PER_INCH).unwrap());
    (
        ours,
        read(&fs::read(folder.path().join("poppler.png")).unwrap()),
    )
}

#[test]
fn poppler_shows_the_same_content() {
    for form in Template::builtin_names() {
        for kind in ["usual", "rare"] {
            let sample = Sample::new(form, kind);
            let (ours, theirs) = both(&sample);
            assert_eq!(ours.dimensions(), theirs.dimensions(), "{}", sample.name);
            let (largest, place, mean) = difference(&ours, &theirs);
            println!("{}: {largest:.1} at {place:?}, mean {mean:.2}", sample.name);
            assert!(
                largest < SQUARE_MAX,
                "{}: {largest} at {place:?}",
                sample.name
            );
            assert!(mean < MEAN_MAX, "{}: {mean}", sample.name);
        }
    }
}

/// The bound tells something: one digit that is another one breaks it.
#[test]
fn one_other_digit_is_beyond_the_bound() {
    let sample = Sample::new("payment", "usual");
    let (ours, _) = both(&sample);
    let mut other = Sample::new("payment", "usual");
    let text = String::from_utf8(other.data.clone()).unwrap();
    other.data = text
        .replace("\"number\":\"0001\"", "\"number\":\"0007\"")
        .into_bytes();
    let (_, theirs) = both(&other);
    let (largest, ..) = difference(&ours, &theirs);
    println!("another digit: {largest:.1}");
    assert!(largest > SQUARE_MAX, "{largest}");
}
