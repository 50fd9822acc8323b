//! QR marks on a scan: which vouchers they name, and where they are.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rxing::common::HybridBinarizer;
use rxing::multi::MultipleBarcodeReader as _;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{BinaryBitmap, DecodeHints, Luma8Source, RXingResult};

use super::decode::{DecodeError, Decoder};
use super::homography::Spot;
use super::plane::Plane;

/// Most marks of one page.
const MARKS_MAX: usize = 16;

/// A mark that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundMark {
    /// The voucher's path, as printed; empty if the mark has only the digest.
    pub place: String,
    /// The digest of its data, 64 hexadecimal digits.
    pub digest: String,
    /// Corners of the modules from the upper left one clockwise, as the mark stands upright, in pixels.
    pub corners: [Spot; 4],
}

impl FoundMark {
    /// Why this is not the mark of the voucher at `place` with data of `digest`; none if it is.
    pub fn differs(&self, place: &str, digest: &str) -> Option<&'static str> {
        if !self.place.is_empty() && self.place != place {
            return Some("the QR mark on it is another voucher's");
        }
        let same = self.digest.eq_ignore_ascii_case(digest);
        (!same).then_some("the QR mark on it is of other data of this voucher")
    }

    /// Its middle, in pixels.
    pub fn middle(&self) -> Spot {
        let sum = |of: fn(&Spot) -> f64| self.corners.iter().map(of).sum::<f64>() / 4.0;
        Spot {
            x: sum(|it| it.x),
            y: sum(|it| it.y),
        }
    }
}

/// The marks of a page, from its brightness.
pub(super) fn find(page: &Plane) -> Vec<FoundMark> {
    // A hostile picture may drive the decoder into a panic; then there is no mark.
    let found = catch_unwind(AssertUnwindSafe(|| {
        let source =
            Luma8Source::new_with_slice(&page.values, page.width as u32, page.height as u32)
                .ok()?;
        let mut bitmap = BinaryBitmap::new(HybridBinarizer::new(source));
        let hints = DecodeHints {
            TryHarder: Some(true),
            ..DecodeHints::default()
        };
        QrReader
            .decode_multiple_with_hints(&mut bitmap, &hints)
            .ok()
    }));
    let found = found.ok().flatten().unwrap_or_default();
    found.iter().take(MARKS_MAX).filter_map(of).collect()
}

/// The vouchers that the marks on a scan name, each once, in the order in which they are found.
pub fn marked_places(decoder: &dyn Decoder, scan: &[u8]) -> Result<Vec<String>, DecodeError> {
    let mut places: Vec<String> = Vec::new();
    decoder.each_page(scan, &mut |_, picture| {
        let (picture, _) = picture.reduced();
        for mark in find(&picture.channel(1)) {
            if !mark.place.is_empty() && !places.contains(&mark.place) {
                places.push(mark.place);
            }
        }
        true
    })?;
    Ok(places)
}

fn of(result: &RXingResult) -> Option<FoundMark> {
    let (place, digest) = parse(result.getText())?;
    let points: Vec<Spot> = result
        .getPoints()
        .iter()
        .map(|point| Spot {
            x: f64::from(point.x),
            y: f64::from(point.y),
        })
        .collect();
    // The reader gives upper left, upper right, lower left, lower right.
    let [a, b, d, c] = <[Spot; 4]>::try_from(points).ok()?;
    Some(FoundMark {
        place,
        digest,
        corners: [a, b, c, d],
    })
}

/// The two parts of what a mark of ours says.
fn parse(text: &str) -> Option<(String, String)> {
    let (place, digest) = text.rsplit_once(" B3:")?;
    let digest = digest.to_ascii_lowercase();
    let whole = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| (place.to_owned(), digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_marks_are_marks() {
        let digest = "AB".repeat(32);
        let (place, read) = parse(&format!("/acme/gl/2024-03/payment/0001 B3:{digest}")).unwrap();
        assert_eq!(
            (place.as_str(), read.len()),
            ("/acme/gl/2024-03/payment/0001", 64)
        );
        assert_eq!(parse(&format!(" B3:{digest}")).unwrap().0, "");
        assert_eq!(parse("https://example.org"), None);
        assert_eq!(parse("/a B3:12"), None);
    }
}
