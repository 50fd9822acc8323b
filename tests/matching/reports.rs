//! What a report says of a scan: where things are on it, and what is in the places for seals and signatures.

use vouchsafe::matching::{Matcher, Thresholds, Verdict};
use vouchsafe::render::Renderer;

use crate::scans::{self, condition::Condition};
use crate::verdicts::{SEED, compare, matcher};

#[test]
fn a_report_says_where_things_are() {
    let (renderer, matcher) = (Renderer::new(), matcher());
    let case = scans::case(&renderer, &[], SEED + 40, "rotated", Some("digit")).unwrap();
    let comparison = compare(&matcher, &renderer, &case);
    let found = &comparison.report;
    let scan = image::load_from_memory(&case.scan).unwrap();
    let forged = found
        .fields
        .iter()
        .find(|field| field.verdict == Verdict::Mismatch)
        .unwrap();
    let [x, y, width, height] = forged.area;
    assert!(x >= 0 && y >= 0 && width > 10 && height > 10, "{forged:?}");
    assert!(x + width <= i64::from(scan.width()) && y + height <= i64::from(scan.height()));
    let (_, seen) = case
        .differing
        .iter()
        .find(|it| it.0 == forged.name)
        .unwrap();
    let figures = |text: &str| text.replace(['¥', ',', ' '], "");
    assert_eq!(figures(&forged.seen), figures(seen), "{forged:?}");
    // The homography takes the middle of the page into the scan.
    let m = found.homography;
    let depth = m[6] * 900.0 + m[7] * 500.0 + m[8];
    let (x, y) = (
        (m[0] * 900.0 + m[1] * 500.0 + m[2]) / depth,
        (m[3] * 900.0 + m[4] * 500.0 + m[5]) / depth,
    );
    assert!(x > 0.0 && x < f64::from(scan.width()) && y > 0.0 && y < f64::from(scan.height()));
    let overlay = comparison
        .overlay(&renderer, &case.claimed.form(&renderer))
        .unwrap();
    let overlay = image::load_from_memory(&overlay).unwrap();
    assert!(overlay.width() > 1_000 && overlay.height() > overlay.width() / 2);
}

#[test]
fn seals_and_signatures_in_their_places_are_seen() {
    let (renderer, matcher) = (Renderer::new(), Matcher::new(None, Thresholds::default()));
    let case = scans::case(&renderer, &[], SEED + 60, "clean", None).unwrap();
    let page = case.claimed.page(&renderer, 200);
    let slots = |scan: &[u8]| {
        let report = matcher
            .compare(&case.claimed.form(&renderer), scan)
            .unwrap()
            .report;
        let slots = report.pages[0].slots.iter().filter(|slot| slot.present);
        slots.map(|slot| slot.name.clone()).collect::<Vec<_>>()
    };
    let condition = Condition {
        dots_per_inch: 200,
        ..Condition::clean()
    };
    let mut random = scans::random::Random::new(5);
    let unsigned = scans::paper::scan(page.clone(), &condition, &[], &mut random);
    assert_eq!(slots(&unsigned), Vec::<String>::new());
    let slot = case
        .claimed
        .drawing
        .slots()
        .iter()
        .find(|it| it.name == "signature.preparer")
        .unwrap();
    let shape = slot.rectangle;
    let place = (
        f64::from(shape.x + shape.width / 2) / 7_200.0 * 25.4,
        f64::from(shape.y + shape.height / 2) / 7_200.0 * 25.4,
    );
    let signed = scans::paper::scan(page, &condition, &[place], &mut random);
    assert!(slots(&signed).contains(&"signature.preparer".to_owned()));
}
