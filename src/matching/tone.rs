//! Tones that lie over print: that of a seal on a scan without colour, and the shade of a crease. Each is wider than print.

use super::plane::Plane;

/// The square in which print leaves something bright, in pixels: strokes are narrower.
const SEAL: (usize, usize) = (7, 7);
/// The level stretch in which it does, but for rules.
const CREASE: (usize, usize) = (41, 1);
/// Brightest tone, of 255, in which print is not told any more.
const BRIGHT_MIN: u32 = 48;

impl Plane {
    /// This without the tone of a seal.
    pub fn without_seal(&self) -> Plane {
        self.flattened(SEAL)
    }

    /// This without the shade of a crease that goes across the page.
    pub fn without_crease(&self) -> Plane {
        self.flattened(CREASE)
    }

    /// Ink against what is dark around it in all of a rectangle: a tone as wide goes, and print that
    /// stands in it stays (a black top-hat, Serra, Image Analysis and Mathematical Morphology, 1982; relative to the tone,
    /// because inks let through a part of the light).
    fn flattened(&self, sides: (usize, usize)) -> Plane {
        let least = self.around(sides, u8::min);
        let tone = least.around(sides, u8::max);
        let values = self.values.iter().zip(&tone.values).map(|(ink, tone)| {
            let bright = u32::from(255 - tone).max(BRIGHT_MIN);
            (u32::from(ink.saturating_sub(*tone)) * 255 / bright).min(255) as u8
        });
        Plane {
            width: self.width,
            height: self.height,
            values: values.collect(),
        }
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
        let flat = plane.without_seal();
        for x in 0..width as i32 {
            assert!(plane.get(x, 4) == 0 || plane.get(x, 4) > 130);
            assert!(flat.get(x, 4) < 5, "{x}: {}", flat.get(x, 4));
            let inked = flat.get(x, 24) > 220;
            assert_eq!(inked, x % 16 < 3, "{x}: {}", flat.get(x, 24));
        }
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
        let flat = plane.without_crease();
        for x in 0..width as i32 {
            let inked = x % 16 < 3 || (60..86).contains(&x);
            assert!(plane.get(x, 20) > 60);
            let value = flat.get(x, 20);
            assert!(if inked { value > 200 } else { value < 5 }, "{x}: {value}");
        }
    }
}
