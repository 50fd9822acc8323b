//! A page of a scan, made ready: its ink, coarse and fine, and the marks on it.

use std::sync::{Arc, OnceLock};

use super::mark::{self, FoundMark};
use super::rectify::Pyramid;
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
    pub marks: Vec<FoundMark>,
    /// Whether there is no colour in it.
    pub grey: bool,
}

impl ScanPage {
    pub fn new(picture: PagePixels) -> ScanPage {
        let (picture, factor) = picture.reduced();
        let (green, brightest) = picture.green_and_brightest();
        let marks = mark::find(&green);
        let coloured = |pixel: &[u8; 3]| pixel[0].abs_diff(pixel[1]) > 24;
        // Noise and compression colour a few pixels of a grey scan, too.
        let some = picture.pixels.iter().step_by(37);
        let grey = some.clone().filter(|pixel| coloured(pixel)).count() * 2_000 < some.count();
        let black = if grey { &green } else { &brightest }.ink();
        let large = green.width.max(green.height) > COARSE_SIDE_PIXELS;
        let print = match large {
            true => Pyramid::new(green.halved().ink(), 2.0),
            false => Pyramid::new(green.ink(), 1.0),
        };
        ScanPage {
            black: Pyramid::new(black, 1.0),
            cold: OnceLock::new(),
            full_print: OnceLock::new(),
            grey,
            picture: Arc::new(picture),
            factor,
            print,
            marks,
        }
    }

    /// Ink as the red channel shows it, in which red seals are paper and everything else that was added is dark; none
    /// without colour.
    pub fn cold(&self) -> Option<&Pyramid> {
        let make = || Pyramid::new(self.picture.channel(0).ink(), 1.0);
        (!self.grey).then(|| self.cold.get_or_init(make))
    }

    /// All ink, in full.
    pub fn full_print(&self) -> &Pyramid {
        self.full_print
            .get_or_init(|| Pyramid::new(self.picture.channel(1).ink(), 1.0))
    }
}
