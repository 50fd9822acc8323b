//! QR marks on a scan: which vouchers they name, and where they are.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rxing::common::{BitArray, BitMatrix, HybridBinarizer, LineOrientation};
use rxing::multi::MultipleBarcodeReader as _;
use rxing::qrcode::cpp_port::QrReader;
use rxing::{
    BarcodeFormat, Binarizer, BinaryBitmap, DecodeHints, Exceptions, Luma8Source, RXingResult,
};

use super::decode::{DecodeError, Decoder};
use super::homography::Spot;
use super::plane::Plane;

/// Most marks of one page.
const MARKS_MAX: usize = 16;
/// Ink from which on a pixel is black: half of what print has.
const BLACK: u8 = 104;
/// Pixels of a row that are found blank at once.
const BLANK_TOGETHER: usize = 64;

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

/// The marks of a page, from its brightness and its ink: what is dark against the paper is quicker to tell than what is
/// dark against all around it, and under a seal surer; a pale mark is found by its surroundings alone.
pub(super) fn find(page: &Plane, ink: &Plane) -> Vec<FoundMark> {
    let marks = by_ink(ink);
    match marks.is_empty() {
        true => by_surroundings(page),
        false => marks,
    }
}

fn by_ink(ink: &Plane) -> Vec<FoundMark> {
    guarded(|| read(Inked::of(ink)?))
}

fn by_surroundings(page: &Plane) -> Vec<FoundMark> {
    guarded(|| {
        let (width, height) = (page.width as u32, page.height as u32);
        let source = Luma8Source::new_with_slice(&page.values, width, height);
        read(HybridBinarizer::new(source.ok()?))
    })
}

/// A hostile picture may drive the decoder into a panic; then there is no mark.
fn guarded(read: impl Fn() -> Option<Vec<RXingResult>>) -> Vec<FoundMark> {
    let found = catch_unwind(AssertUnwindSafe(read)).ok().flatten();
    let found = found.unwrap_or_default();
    found.iter().take(MARKS_MAX).filter_map(of).collect()
}

/// What QR marks say that are black where a page's pixels are found so.
fn read(black: impl Binarizer) -> Option<Vec<RXingResult>> {
    let hints = DecodeHints {
        TryHarder: Some(true),
        PossibleFormats: Some([BarcodeFormat::QR_CODE].into()),
        ..DecodeHints::default()
    };
    let mut bitmap = BinaryBitmap::new(black);
    let found = QrReader.decode_multiple_with_hints(&mut bitmap, &hints);
    found.ok()
}

/// A page that is black where there is ink.
struct Inked {
    black: BitMatrix,
    /// The page itself, which nothing asks for any more.
    nothing: Luma8Source<'static>,
}

impl Inked {
    fn of(ink: &Plane) -> Option<Inked> {
        let mut black = BitMatrix::new(ink.width as u32, ink.height as u32).ok()?;
        for (y, line) in ink.values.chunks_exact(ink.width).enumerate() {
            for (at, pixels) in line.chunks(BLANK_TOGETHER).enumerate() {
                // Most of a page is blank.
                if pixels.iter().fold(0, |most, it| *it.max(&most)) < BLACK {
                    continue;
                }
                for (x, value) in (at * BLANK_TOGETHER..).zip(pixels) {
                    if *value >= BLACK {
                        black.set(x as u32, y as u32);
                    }
                }
            }
        }
        let nothing = Luma8Source::with_empty_image(1, 1);
        Some(Inked { black, nothing })
    }
}

impl Binarizer for Inked {
    type Source = Luma8Source<'static>;

    fn get_luminance_source(&self) -> &Self::Source {
        &self.nothing
    }

    fn get_black_row(&self, y: usize) -> Result<Cow<'_, BitArray>, Exceptions> {
        Ok(Cow::Owned(self.black.getRow(y as u32)))
    }

    fn get_black_row_from_matrix(&self, y: usize) -> Result<Cow<'_, BitArray>, Exceptions> {
        self.get_black_row(y)
    }

    fn get_black_matrix(&self) -> Result<&BitMatrix, Exceptions> {
        Ok(&self.black)
    }

    fn get_black_line(
        &self,
        at: usize,
        direction: LineOrientation,
    ) -> Result<Cow<'_, BitArray>, Exceptions> {
        Ok(Cow::Owned(match direction {
            LineOrientation::Row => self.black.getRow(at as u32),
            LineOrientation::Column => self.black.getCol(at as u32),
        }))
    }

    fn create_binarizer(&self, source: Self::Source) -> Inked {
        Inked {
            black: self.black.clone(),
            nothing: source,
        }
    }

    fn get_width(&self) -> usize {
        self.black.width() as usize
    }

    fn get_height(&self) -> usize {
        self.black.height() as usize
    }
}

/// The vouchers that the marks on a scan name, each once, in the order in which they are found.
pub fn marked_places(decoder: &dyn Decoder, scan: &[u8]) -> Result<Vec<String>, DecodeError> {
    let mut places: Vec<String> = Vec::new();
    decoder.each_page(scan, &mut |_, picture| {
        let (picture, _) = picture.reduced();
        add_places(&picture.channel(1), &mut places);
        true
    })?;
    Ok(places)
}

/// Adds what the marks on a page name. Where one mark is found another may be paler, and each is somebody's voucher.
fn add_places(page: &Plane, places: &mut Vec<String>) {
    let marks = by_ink(&page.clone().ink())
        .into_iter()
        .chain(by_surroundings(page));
    for mark in marks {
        if !mark.place.is_empty() && !places.contains(&mark.place) {
            places.push(mark.place);
        }
    }
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

    const MODULE: usize = 6;

    /// A page with a mark for a voucher, its brightness where the mark is black and where something lies over it from the
    /// left.
    fn page(place: &str, black: u8, (over, width): (u8, usize)) -> Plane {
        let text = format!("{place} B3:{}", "AB".repeat(32));
        let code = qrcodegen::QrCode::encode_text(&text, qrcodegen::QrCodeEcc::Medium).unwrap();
        let side = (code.size() as usize + 20) * MODULE;
        let mut page = Plane::new(side, side);
        for (at, value) in page.values.iter_mut().enumerate() {
            let (x, y) = (at % side, at / side);
            let module = |it: usize| (it / MODULE) as i32 - 10;
            let light = match code.get_module(module(x), module(y)) {
                true => black,
                false => 240,
            };
            *value = if x < width { light.min(over) } else { light };
        }
        page
    }

    #[test]
    fn a_mark_is_found_by_its_ink_and_a_pale_one_by_what_is_around_it() {
        let found = |page: &Plane, ink: &Plane| {
            let marks = find(page, ink);
            marks.iter().map(|it| it.corners[0].x).collect::<Vec<f64>>()
        };
        for black in [20, 150] {
            let page = page("", black, (255, 0));
            let corners = found(&page, &page.clone().ink());
            assert_eq!(corners.len(), 1, "{black}");
            assert!((corners[0] - 60.0).abs() < 4.0, "{black} {corners:?}");
        }
        // A seal over half of it: as dark as the mark in the green channel, paper in the brightest.
        let sealed = page("", 20, (20, 150));
        assert!(found(&sealed, &sealed.clone().ink()).is_empty());
        assert_eq!(found(&sealed, &page("", 20, (255, 0)).ink()).len(), 1);
    }

    #[test]
    fn every_voucher_of_a_page_is_named_however_pale_its_mark_is() {
        let mut both = page("/acme/gl/2024-03/payment/0001", 20, (255, 0));
        let pale = page("/acme/gl/2024-03/payment/0002", 150, (255, 0));
        // Half a page lower.
        let between = vec![240; 1_000 * both.width];
        both.height += 1_000 + pale.height;
        both.values.extend(between.into_iter().chain(pale.values));
        let mut places = Vec::new();
        add_places(&both, &mut places);
        let (first, second) = (
            "/acme/gl/2024-03/payment/0001",
            "/acme/gl/2024-03/payment/0002",
        );
        assert_eq!(places, [first, second]);
    }

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
