//! What lies over print and can be told from it: the tone of a seal on a scan without colour and the shade of a crease,
//! which are wider than print, and a pen's ink, which has a colour.

use super::claim::Claim;
use super::form::FormPage;
use super::plane::Plane;
use super::register::Registration;
use super::scan_page::ScanPage;

/// The square in which print leaves something bright, in pixels: strokes are narrower. And the same on its corner: how far from its
/// middle its corners are.
const SEAL: (usize, usize) = (7, 7);
const SEAL_ON_CORNER: usize = 4;
/// How far beyond these it is still the same tone that hangs together with them, in pixels: its soft edge and its corners.
const EDGE: usize = 3;
/// The level stretch in which it does, but for rules.
const CREASE: (usize, usize) = (41, 1);
/// Brightest tone, of 255, in which print is not told any more.
const BRIGHT_MIN: u32 = 48;

/// Colour, as a part of the ink, up to which ink has none and from which on it is a pen's: the difference of the channels
/// where print is black is what a scanner's edges and compression make of it.
const PALE_COLOUR: f32 = 0.2;
const FULL_COLOUR: f32 = 0.45;

/// The density of red ink in the red channel, as a part of that in the green one: bright seals have 0.1, dark ones 0.3.
const RED_DENSITY: f32 = 0.33;

/// Something that may lie over print and be taken away from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// That of a seal on a scan without colour.
    Seal,
    /// The shade of a crease that goes across the page.
    Crease,
    /// A pen's that is not black.
    Pen,
}

impl Tone {
    pub const ALL: [Tone; 3] = [Tone::Seal, Tone::Crease, Tone::Pen];

    /// Whether a scan may show a claim better without it. What is where nothing should be stays to be seen, but for what is
    /// told by its width alone.
    pub fn may_lie_over(self, claim: &Claim, scan: &ScanPage) -> bool {
        match self {
            Tone::Seal => scan.grey,
            Tone::Crease => !scan.bilevel && !claim.text.is_empty(),
            Tone::Pen => !scan.grey && !claim.text.is_empty(),
        }
    }

    /// What is left without it of a page that was found and is seen as `black`.
    pub fn taken_from(
        self,
        black: &Plane,
        form: &FormPage,
        scan: &ScanPage,
        registration: &Registration,
    ) -> Plane {
        match self {
            Tone::Seal => black.without_wide_tones(),
            Tone::Crease => black.without_creases(),
            Tone::Pen => match scan.colourless() {
                Some(inks) => {
                    let size = (form.ink[0].width, form.ink[0].height);
                    registration.rectified(inks, size, 1)
                }
                None => black.clone(),
            },
        }
    }
}

impl Plane {
    /// What of the ink has no colour, from the ink in the red, the green and the blue channel.
    pub fn colourless([red, green, blue]: &[Plane; 3]) -> Plane {
        let mut plane = red.clone();
        let others = green.values.iter().zip(&blue.values);
        for (value, (green, blue)) in plane.values.iter_mut().zip(others) {
            let least = f32::from((*value).min(*green).min(*blue));
            let most = f32::from((*value).max(*green).max(*blue));
            let colour = (most - least) / least.max(1.0);
            let black = (FULL_COLOUR - colour) / (FULL_COLOUR - PALE_COLOUR);
            *value = (least * black.clamp(0.0, 1.0)) as u8;
        }
        plane
    }

    /// This ink as the red channel shows it, without what red ink has of it: inks that lie over each other multiply, so that their
    /// logarithms add up (Ruifrok and Johnston, Quantification of histochemical staining by color deconvolution, 2001). `green` is
    /// the ink as the green channel shows it. What is as dark in both is no red.
    pub fn without_red(&self, green: &Plane) -> Plane {
        let density: [f32; 256] =
            std::array::from_fn(|ink| -((255 - ink.min(254)) as f32 / 255.0).ln());
        self.with(green, |red, green| {
            if green <= red {
                return red;
            }
            let [whole, green] = [red, green].map(|ink| density[usize::from(ink)]);
            let other = (whole - RED_DENSITY * green).max(0.0) / (1.0 - RED_DENSITY);
            (255.0 - 255.0 * (-other).exp()).round() as u8
        })
    }

    /// Ink against a tone of its own: the tone goes, and print that stands in it stays (a black top-hat, Serra, Image Analysis and
    /// Mathematical Morphology, 1982; relative to the tone, because inks let through a part of the light).
    fn against(&self, tone: &Plane) -> Plane {
        self.with(tone, |ink, tone| {
            let bright = u32::from(255 - tone).max(BRIGHT_MIN);
            (u32::from(ink.saturating_sub(tone)) * 255 / bright).min(255) as u8
        })
    }

    /// What comes of each pixel and that of another plane in its place.
    fn with(&self, other: &Plane, of: impl Fn(u8, u8) -> u8) -> Plane {
        let pairs = self.values.iter().zip(&other.values);
        Plane {
            width: self.width,
            height: self.height,
            values: pairs.map(|(own, other)| of(*own, *other)).collect(),
        }
    }

    /// What is dark in all of some rectangle around a pixel (an opening): tones wider than print.
    fn wide(&self, sides: (usize, usize)) -> Plane {
        self.around(sides, u8::min).around(sides, u8::max)
    }

    /// The tones as wide as a seal's, whose ring goes in all directions.
    pub fn as_wide_as_a_seal(&self) -> Plane {
        let steps = 0..SEAL_ON_CORNER;
        let narrower = steps.clone().fold(self.clone(), |it, _| it.beside(u8::min));
        let on_corner = steps.fold(narrower, |it, _| it.beside(u8::max));
        self.wide(SEAL).with(&on_corner, u8::max)
    }

    /// Without those tones: on a scan without colour, without seals.
    pub fn without_wide_tones(&self) -> Plane {
        self.against(&self.with_edges(self.as_wide_as_a_seal()))
    }

    /// Tones of this ink with what is as dark right beside them (a reconstruction of few steps, Vincent, Morphological grayscale
    /// reconstruction in image analysis, 1993).
    fn with_edges(&self, tone: Plane) -> Plane {
        (0..EDGE).fold(tone, |tone, _| tone.beside(u8::max).with(self, u8::min))
    }

    /// Without the shades that are longer than level strokes of print.
    pub fn without_creases(&self) -> Plane {
        self.against(&self.wide(CREASE))
    }

    /// The extreme of each pixel and the four beside it.
    fn beside(&self, extreme: impl Fn(u8, u8) -> u8) -> Plane {
        let width = self.width;
        let mut both = self.clone();
        let rows = self.values.chunks_exact(width);
        for (row, line) in rows.zip(both.values.chunks_exact_mut(width)) {
            for (value, other) in line.iter_mut().zip(&row[1..]) {
                *value = extreme(*value, *other);
            }
            for (value, other) in line[1..].iter_mut().zip(row) {
                *value = extreme(*value, *other);
            }
        }
        let below = both.values.iter_mut().zip(self.values.iter().skip(width));
        below.for_each(|(value, other)| *value = extreme(*value, *other));
        let above = both.values.iter_mut().skip(width).zip(&self.values);
        above.for_each(|(value, other)| *value = extreme(*value, *other));
        both
    }

    /// The extreme of the rectangle around each pixel.
    fn around(&self, (wide, high): (usize, usize), extreme: impl Fn(u8, u8) -> u8) -> Plane {
        let (width, height) = (self.width, self.height);
        let mut across = self.clone();
        let rows = self.values.chunks_exact(width);
        for (row, line) in rows.zip(across.values.chunks_exact_mut(width)) {
            for offset in 1..=(wide / 2).min(width - 1) {
                for (value, other) in line.iter_mut().zip(&row[offset..]) {
                    *value = extreme(*value, *other);
                }
                for (value, other) in line[offset..].iter_mut().zip(row) {
                    *value = extreme(*value, *other);
                }
            }
        }
        let mut both = across.clone();
        for (y, line) in both.values.chunks_exact_mut(width).enumerate() {
            for other in y.saturating_sub(high / 2)..(y + high / 2 + 1).min(height) {
                let other = &across.values[other * width..][..width];
                for (value, other) in line.iter_mut().zip(other) {
                    *value = extreme(*value, *other);
                }
            }
        }
        both
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_over_print_goes_and_the_print_stays() {
        let (width, height) = (96, 40);
        let mut plane = Plane::new(width, height);
        for y in 0..height {
            for x in 0..width {
                let tone = if x >= 48 { 0.45 } else { 1.0 };
                let print = if x % 16 < 3 && y > 10 { 0.1 } else { 1.0 };
                plane.values[y * width + x] = (255.0 - 255.0 * tone * print) as u8;
            }
        }
        let flat = plane.without_wide_tones();
        for x in 0..width as i32 {
            assert!(plane.get(x, 4) == 0 || plane.get(x, 4) > 130);
            assert!(flat.get(x, 4) < 5, "{x}: {}", flat.get(x, 4));
            let inked = flat.get(x, 24) > 220;
            assert_eq!(inked, x % 16 < 3, "{x}: {}", flat.get(x, 24));
        }
    }

    #[test]
    fn the_ring_of_a_seal_goes_in_all_directions_with_its_soft_edge() {
        let side = 200;
        let mut plane = Plane::new(side, side);
        let is_print = |x: usize, y: usize| x.abs_diff(100) < 2 && (10..40).contains(&y);
        for (at, value) in plane.values.iter_mut().enumerate() {
            let (x, y) = (at % side, at / side);
            let from_ring = ((x as f32 - 100.0).hypot(y as f32 - 100.0) - 80.0).abs();
            // Nine pixels wide, and one that is half as dark.
            let tone = 1.0 - 0.5 * (5.0 - from_ring).clamp(0.0, 1.0);
            let print = if is_print(x, y) { 0.1 } else { 1.0 };
            *value = (255.0 - 255.0 * tone * print) as u8;
        }
        let flat = plane.without_wide_tones();
        for (at, value) in flat.values.iter().enumerate() {
            let (x, y) = (at % side, at / side);
            assert_eq!(*value > 180, is_print(x, y), "{x} {y}: {value}");
            assert!(*value > 180 || *value < 30, "{x} {y}: {value}");
        }
    }

    #[test]
    fn what_a_red_seal_leaves_goes_and_pale_and_blue_ink_stays() {
        // Ink in the red and in the green channel: a bright seal, a dark one, print in black and in grey, blue, a dark grey
        // stroke under a bright seal, paper.
        let inks = [
            (30, 190),
            (80, 180),
            (230, 230),
            (60, 60),
            (220, 140),
            (176, 232),
            (0, 0),
        ];
        let channel = |of: fn(&(u8, u8)) -> u8| Plane {
            width: inks.len(),
            height: 1,
            values: inks.iter().map(of).collect(),
        };
        let seen = channel(|it| it.0).without_red(&channel(|it| it.1));
        let print = &seen.values[2..5];
        assert_eq!(print, [230, 60, 220]);
        assert!(seen.values[..2] == [0, 0] && seen.values[5] > 100 && seen.values[6] == 0);
    }

    #[test]
    fn ink_of_a_pen_goes_and_the_print_under_it_stays() {
        // Paper, print, a blue pen, print under the pen, the pen's edge, the edge of print, a black pen.
        let inks = [
            (0, 0, 0),
            (230, 230, 230),
            (225, 217, 140),
            (235, 233, 220),
            (100, 96, 62),
            (120, 112, 108),
            (228, 228, 222),
        ];
        let channel = |of: fn(&(u8, u8, u8)) -> u8| Plane {
            width: inks.len(),
            height: 1,
            values: inks.iter().map(of).collect(),
        };
        let seen = Plane::colourless(&[channel(|it| it.0), channel(|it| it.1), channel(|it| it.2)]);
        assert_eq!(seen.values, [0, 230, 0, 220, 0, 108, 222]);
    }

    #[test]
    fn the_shade_of_a_crease_goes_and_print_and_short_strokes_stay() {
        let (width, height) = (160, 40);
        let mut plane = Plane::new(width, height);
        for y in 0..height {
            for x in 0..width {
                let shade = 1.0 - 0.3 * (-((y as f32 - 20.0) / 4.0).powi(2)).exp();
                // Upright strokes, and a level one as long as a character is wide.
                let level = (60..86).contains(&x) && (19..21).contains(&y);
                let print = if x % 16 < 3 || level { 0.1 } else { 1.0 };
                plane.values[y * width + x] = (255.0 - 255.0 * shade * print) as u8;
            }
        }
        let flat = plane.without_creases();
        for x in 0..width as i32 {
            let inked = x % 16 < 3 || (60..86).contains(&x);
            assert!(plane.get(x, 20) > 60);
            let value = flat.get(x, 20);
            assert!(if inked { value > 200 } else { value < 5 }, "{x}: {value}");
        }
    }
}
