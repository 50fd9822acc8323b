//! Whether something on a scan may have been added in blue or green, which the red channel shows alone.

use super::claim::Claim;
use super::extra::Explained;
use super::plane::Plane;
use super::register::Registration;
use super::scan_page::ScanPage;
use crate::render::PagePixels;

/// How much darker than in its brightest channel a pixel must be in the red one to count, of 255, where the form has nothing.
const COLDER: u8 = 12;
/// How much at what the form has printed in black, which may have a coloured edge.
const CLEARLY_COLDER: u8 = 40;
/// How many such pixels in one place are more than noise, of those that are looked at.
const COLD_MIN: usize = 3;
/// How far apart rows and pixels are that are looked at, in pixels of the form: 0.25 mm, less than a stroke of print or a pen is
/// long.
const APART: usize = 2;
/// Pixels of a row between which places on the scan are interpolated.
const STRIDE: usize = 32;

impl PagePixels {
    /// How much darker each pixel is in the red channel than in its brightest one.
    pub(super) fn cold(&self) -> Plane {
        Plane {
            width: self.width,
            height: self.height,
            values: self.pixels.iter().map(coldness).collect(),
        }
    }
}

fn coldness([red, green, blue]: &[u8; 3]) -> u8 {
    green.max(blue).saturating_sub(*red)
}

impl ScanPage {
    /// Whether ink may have been added in the places of some claims that is darker in the red channel than in the brightest one.
    /// Where none was, the two show the same there. A scan that counts as one without colour may have it there, and only there.
    /// `explained` is where the form is dark, and where it is so in the red channel.
    pub(super) fn has_cold_ink(
        &self,
        claims: &[Claim],
        explained: [&Explained; 2],
        registration: &Registration,
    ) -> bool {
        let [print, cold_print] = explained;
        let is_added = |x: usize, y: usize, coldness: u8| match print.at(x, y) {
            true => coldness > CLEARLY_COLDER && !cold_print.at(x, y),
            false => coldness > COLDER,
        };
        let in_place = |claim: &Claim| {
            let place = claim.place();
            let edges = [place.left, place.top, place.right, place.bottom];
            let [left, top, right, bottom] = edges.map(|edge| edge.max(0.0) as usize);
            let mut added = 0;
            (top..bottom).step_by(APART).enumerate().any(|(row, y)| {
                // Every other row is moved, so that what stands upright is met as well.
                let first = left + row % APART;
                for start in (first..right.max(first)).step_by(STRIDE) {
                    let cold = self.coldness_along(start, y, registration);
                    let each = (start..right.min(start + STRIDE)).step_by(APART);
                    added += each.filter(|x| is_added(*x, y, cold(*x))).count();
                }
                added >= COLD_MIN
            })
        };
        claims.iter().any(in_place)
    }

    /// How cold pixels of a row of the form, from `start` on, are on the scan.
    fn coldness_along(
        &self,
        start: usize,
        y: usize,
        registration: &Registration,
    ) -> impl Fn(usize) -> u8 {
        let from = registration.locate(start as f32, y as f32);
        let to = registration.locate((start + STRIDE) as f32, y as f32);
        let part = 1.0 / STRIDE as f64;
        let (dx, dy) = ((to.x - from.x) * part, (to.y - from.y) * part);
        move |x: usize| {
            let along = (x - start) as f64;
            let (x, y) = (from.x + dx * along + 0.5, from.y + dy * along + 0.5);
            let picture = &self.picture;
            let inside = x >= 0.0 && y >= 0.0 && (x as usize) < picture.width;
            let at = y as usize * picture.width + x as usize;
            let pixel = picture.pixels.get(at).filter(|_| inside);
            pixel.map_or(0, coldness)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bends::Bends;
    use super::super::form::Area;
    use super::super::homography::Homography;
    use super::*;

    const BLACK: [u8; 3] = [20, 20, 20];
    const BLUE: [u8; 3] = [30, 90, 200];
    const RED: [u8; 3] = [200, 40, 40];

    /// Paper of 240 by 120 pixels with bars: left, top, width, height and colour.
    fn paper(bars: &[([usize; 4], [u8; 3])]) -> PagePixels {
        let mut pixels = vec![[250, 248, 245]; 240 * 120];
        for ([left, top, width, height], colour) in bars {
            for y in *top..top + height {
                pixels[y * 240 + left..][..*width].fill(*colour);
            }
        }
        PagePixels {
            width: 240,
            height: 120,
            pixels,
        }
    }

    #[test]
    fn what_was_added_in_blue_is_cold_and_what_the_form_prints_so_is_not() {
        // A blue rule, and an amount in black.
        let form = [([10, 90, 200, 2], BLUE), ([60, 50, 12, 20], BLACK)];
        let printed = paper(&form);
        let ink = printed.channel(1).ink();
        let explained = [&ink, &printed.cold()].map(Explained::new);
        let claim = Claim {
            name: "total.debit".to_owned(),
            text: String::new(),
            area: Area {
                left: 20.0,
                top: 40.0,
                right: 200.0,
                bottom: 100.0,
            },
            runs: Vec::new(),
            in_grid: false,
            unused_words: false,
        };
        let registration = Registration {
            map: Homography::IDENTITY,
            bends: Bends::none(240, 120),
            found: 1.0,
            residual: 0.0,
            named: false,
            anchors: Vec::new(),
        };
        let has = |added: &[([usize; 4], [u8; 3])]| {
            let scan = ScanPage::new(paper(&[&form, added].concat()));
            let explained = [&explained[0], &explained[1]];
            scan.has_cold_ink(std::slice::from_ref(&claim), explained, &registration)
        };
        assert!(
            !has(&[]) && !has(&[([100, 50, 12, 20], BLACK)]) && !has(&[([100, 50, 12, 20], RED)])
        );
        // Beside the amount, across it, across the rule and thin; not in another place.
        assert!(has(&[([100, 50, 12, 20], BLUE)]) && has(&[([61, 60, 10, 2], BLUE)]));
        assert!(has(&[([100, 80, 3, 20], BLUE)]) && has(&[([100, 50, 1, 20], BLUE)]));
        assert!(!has(&[([100, 5, 12, 20], BLUE)]));
    }
}
