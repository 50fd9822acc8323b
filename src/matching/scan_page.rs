//! A page of a scan, made ready: its ink, coarse and fine, and the marks on it.

use std::sync::{Arc, OnceLock};

use super::mark::{self, FoundMark};
use super::plane::Plane;
use super::rectify::Pyramid;
use super::streaks::Streaks;
use crate::render::PagePixels;

/// Longest side at which the form is looked for in all detail, in pixels; larger scans are halved for that.
const COARSE_SIDE_PIXELS: usize = 2_000;

/// A page of a scan, made ready.
pub(super) struct ScanPage {
    /// Reduced where it was very large.
    pub picture: Arc<PagePixels>,
    /// Pixels of the original in one of the picture, along a side.
    pub factor: f64,
    /// Ink as the green channel shows it, in which all print is dark; coarse, for finding things.
    pub print: Pyramid,
    /// Ink as the brightest channel shows it, in which red seals are paper and blue pens pale; without colour, the
    /// only channel.
    pub black: Pyramid,
    /// The red channel's, made when something is looked at.
    cold: OnceLock<Pyramid>,
    /// The green channel's in full, made when something red is to be looked at.
    full_print: OnceLock<Pyramid>,
    /// Ink without colour, made when coloured ink may lie over print.
    colourless: OnceLock<Pyramid>,
    pub marks: Vec<FoundMark>,
    /// What the scanner drew on the picture; nothing but the picture itself shows it.
    streaks: Streaks,
    /// Whether there is no colour in it.
    pub grey: bool,
    /// Whether there are no greys in it either.
    pub bilevel: bool,
}

impl ScanPage {
    pub fn new(picture: PagePixels) -> ScanPage {
        let (darkest, between) = darkest_and_between(&picture);
        let (picture, factor) = picture.reduced();
        let (green, brightest) = picture.green_and_brightest();
        let streaks = Streaks::find(&green);
        let (green, brightest) = (streaks.taken_from(green), streaks.taken_from(brightest));
        let coloured = |pixel: &[u8; 3]| pixel[0].abs_diff(pixel[1]) > 24;
        // Noise and compression colour a few pixels of a grey scan, too.
        let some = sample(&picture);
        let grey = some.clone().filter(|pixel| coloured(pixel)).count() * 2_000 < some.count();
        let black = if grey { green.clone() } else { brightest }.ink();
        let marks = mark::find(&green, &black);
        let large = green.width.max(green.height) > COARSE_SIDE_PIXELS;
        let print = match large {
            true => Pyramid::new(green.halved().ink(), 2.0),
            false => Pyramid::new(green.ink(), 1.0),
        };
        ScanPage {
            black: Pyramid::new(black, 1.0),
            cold: OnceLock::new(),
            full_print: OnceLock::new(),
            colourless: OnceLock::new(),
            grey,
            bilevel: grey && between * 10 < darkest,
            picture: Arc::new(picture),
            factor,
            print,
            marks,
            streaks,
        }
    }

    /// Ink as the red channel shows it, in which red seals are paper and everything else that was added is dark.
    pub fn cold(&self) -> &Pyramid {
        self.cold
            .get_or_init(|| Pyramid::new(self.channel(0).ink(), 1.0))
    }

    /// Ink that has no colour, as print has and most pens have not; none without colour.
    pub fn colourless(&self) -> Option<&Pyramid> {
        let make = || {
            let inks = [0, 1, 2].map(|channel| self.channel(channel).ink());
            Pyramid::new(Plane::colourless(&inks), 1.0)
        };
        (!self.grey).then(|| self.colourless.get_or_init(make))
    }

    /// All ink, in full.
    pub fn full_print(&self) -> &Pyramid {
        self.full_print
            .get_or_init(|| Pyramid::new(self.channel(1).ink(), 1.0))
    }

    fn channel(&self, channel: usize) -> Plane {
        self.streaks.taken_from(self.picture.channel(channel))
    }
}

/// Some pixels of all over a picture, of few of its rows.
fn sample(picture: &PagePixels) -> impl Iterator<Item = &[u8; 3]> + Clone {
    let rows = picture.pixels.chunks(picture.width.max(1)).step_by(6);
    rows.flat_map(|row| row.iter().step_by(5))
}

/// How many pixels of a sample are as good as black, and how many neither that nor as good as white.
fn darkest_and_between(picture: &PagePixels) -> (usize, usize) {
    sample(picture).fold((0, 0), |(darkest, between), [_, value, _]| {
        (
            darkest + usize::from(*value < 64),
            between + usize::from((64..192).contains(value)),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_in_black_and_white_where_nothing_is_between() {
        let page = |edge: [u8; 3]| {
            let row = |_| {
                [
                    [255; 3], [250; 3], edge, [0; 3], [0; 3], [10; 3], edge, [255; 3],
                ]
            };
            let pixels: Vec<[u8; 3]> = (0..80 * 10).flat_map(row).collect();
            ScanPage::new(PagePixels {
                width: 80,
                height: 80,
                pixels,
            })
        };
        // A few levels besides are what compression leaves of a page of two.
        assert!(page([230; 3]).bilevel && page([230; 3]).grey);
        assert!(!page([128; 3]).bilevel && page([128; 3]).grey);
        assert!(!page([230, 0, 0]).bilevel && !page([230, 0, 0]).grey);
    }
}
