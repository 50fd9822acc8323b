//! Ink that the form does not explain: an added digit, an added line, or only a pen and a seal.

use super::form::{Area, FORM_INK};
use super::glyphs::AROUND;
use super::plane::Plane;

/// How far print may stray from where the form has it, in pixels.
const STRAY: usize = 3;
/// Pixels of the smallest piece of ink that counts: what is less is a speck.
pub(super) const SPECK: usize = 6;

/// Where the form may be dark.
pub(super) struct Explained {
    width: usize,
    allowed: Vec<bool>,
}

impl Explained {
    /// All places near the form's ink.
    pub fn new(form: &Plane) -> Explained {
        let (width, height) = (form.width, form.height);
        // Spread along each row and then along each column, forth and back: a dark pixel counts on for a while.
        const COUNT: u8 = STRAY as u8 + 1;
        let mut across = vec![0u8; width * height];
        for (line, spread) in form
            .values
            .chunks_exact(width)
            .zip(across.chunks_exact_mut(width))
        {
            let mut count = 0u8;
            for (value, spread) in line.iter().zip(spread.iter_mut()) {
                count = if *value > FORM_INK {
                    COUNT
                } else {
                    count.saturating_sub(1)
                };
                *spread = count;
            }
            count = 0;
            for (value, spread) in line.iter().zip(spread.iter_mut()).rev() {
                count = if *value > FORM_INK {
                    COUNT
                } else {
                    count.saturating_sub(1)
                };
                *spread |= count;
            }
        }
        let mut allowed = vec![false; width * height];
        let mut counts = vec![0u8; width];
        let mut step = |y: usize, allowed: &mut [bool]| {
            let row = y * width..(y + 1) * width;
            let spread = across[row.clone()].iter().zip(&mut allowed[row]);
            for ((spread, allowed), count) in spread.zip(counts.iter_mut()) {
                *count = if *spread > 0 {
                    COUNT
                } else {
                    count.saturating_sub(1)
                };
                *allowed |= *count > 0;
            }
        };
        (0..height).for_each(|y| step(y, &mut allowed));
        // What counts on from the last row reaches no further than the rows just seen.
        (0..height).rev().for_each(|y| step(y, &mut allowed));
        Explained { width, allowed }
    }

    pub fn at(&self, x: usize, y: usize) -> bool {
        self.allowed
            .get(y * self.width + x)
            .copied()
            .unwrap_or(true)
    }
}

/// A piece of ink that nothing explains.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Blob {
    pub area: Area,
    /// Dark pixels, and the darkest of them, of 255.
    pub size: usize,
    pub darkest: u8,
    /// Whether dark ink goes on beyond what was looked at: a stroke that comes from elsewhere.
    pub passing: bool,
}

impl Blob {
    /// Whether it has the size of a character. What only touches something else has, and a pen's stroke that passes
    /// through is thin in its box.
    pub fn is_like_a_character(&self, size: f32) -> bool {
        let ((width, height), ink) = (self.area.size(), self.size as f32);
        let sized = (0.35 * size..=1.7 * size).contains(&height)
            && width <= 1.8 * size
            && ink >= 0.03 * size * size;
        let compact = width >= 0.15 * size && height >= 0.4 * size && ink >= 0.2 * width * height;
        sized && (!self.passing || compact)
    }

    /// Whether it is a short level stroke, as a minus is.
    pub fn is_like_a_minus(&self, size: f32) -> bool {
        let (width, height) = self.area.size();
        let lies = (0.25 * size..=1.2 * size).contains(&width) && height <= 0.2 * size;
        lies && !self.passing && self.size as f32 >= 0.5 * width * height
    }
}

/// How near each other, in sizes of type, pieces of one character are.
const NEAR: f32 = 0.35;
/// How wide and how tall such pieces are together, in sizes of type, and how much ink they have at least, in squares of it. Of 224
/// true scans in fourteen conditions pieces beside a text were together like this on one, and none beside an amount, a number or a
/// date.
const WIDE: std::ops::RangeInclusive<f32> = 0.2..=1.2;
const TALL: std::ops::RangeInclusive<f32> = 0.25..=1.1;
const BROKEN_INK: f32 = 0.01;

/// Whether some blobs are what is left of a character that is pale or thin: pieces that are together as large as one.
pub(super) fn are_a_broken_character(mut pieces: Vec<Blob>, size: f32) -> bool {
    pieces.retain(|piece| !piece.passing);
    pieces.sort_by(|one, other| one.area.left.total_cmp(&other.area.left));
    let mut rest = pieces.as_slice();
    while let Some((first, others)) = rest.split_first() {
        let (mut area, mut ink, mut count) = (first.area, first.size, 1);
        rest = others;
        while let Some((next, others)) = rest.split_first()
            && next.area.left - area.right < NEAR * size
        {
            (area, ink, count) = (area.with(&next.area), ink + next.size, count + 1);
            rest = others;
        }
        let (wide, tall) = area.size();
        let sized = WIDE.contains(&(wide / size)) && TALL.contains(&(tall / size));
        if count > 1 && sized && ink as f32 >= BROKEN_INK * size * size {
            return true;
        }
    }
    false
}

/// The blobs within an area, darker than `dark` of 255.
pub(super) fn blobs(seen: &Plane, explained: &Explained, area: &Area, dark: f32) -> Vec<Blob> {
    let left = area.left.max(0.0) as usize;
    let top = area.top.max(0.0) as usize;
    let right = (area.right.max(0.0) as usize).min(seen.width);
    let bottom = (area.bottom.max(0.0) as usize).min(seen.height);
    if right <= left + 2 || bottom <= top + 2 {
        return Vec::new();
    }
    let (width, height) = (right - left, bottom - top);
    let inked = |x: usize, y: usize| f32::from(seen.values[y * seen.width + x]) > dark;
    let mut open: Vec<bool> = Vec::with_capacity(width * height);
    for y in top..bottom {
        open.extend((left..right).map(|x| inked(x, y) && !explained.at(x, y)));
    }
    let mut blobs = Vec::new();
    let mut stack = Vec::new();
    for start in 0..open.len() {
        if !open[start] {
            continue;
        }
        open[start] = false;
        stack.push(start);
        let (mut size, mut darkest, mut passing) = (0, 0, false);
        let (mut l, mut t, mut r, mut b) = (width, height, 0, 0);
        while let Some(at) = stack.pop() {
            let (x, y) = (at % width, at / width);
            size += 1;
            darkest = darkest.max(seen.values[(top + y) * seen.width + left + x]);
            (l, t, r, b) = (l.min(x), t.min(y), r.max(x), b.max(y));
            for (dx, dy) in AROUND.into_iter().skip(1) {
                let (nx, ny) = (x as i32 + dx, y as i32 + dy);
                let (px, py) = (left as i32 + nx, top as i32 + ny);
                if px < 0 || py < 0 || px as usize >= seen.width || py as usize >= seen.height {
                    continue;
                }
                let (px, py) = (px as usize, py as usize);
                let inside = nx >= 0 && ny >= 0 && (nx as usize) < width && (ny as usize) < height;
                if inside && open[ny as usize * width + nx as usize] {
                    open[ny as usize * width + nx as usize] = false;
                    stack.push(ny as usize * width + nx as usize);
                } else if inked(px, py) && (!inside || explained.at(px, py)) {
                    passing = true;
                }
            }
        }
        let at = |base: usize, offset: usize| (base + offset) as f32;
        blobs.push(Blob {
            area: Area {
                left: at(left, l),
                top: at(top, t),
                right: at(left, r + 1),
                bottom: at(top, b + 1),
            },
            size,
            darkest,
            passing,
        });
    }
    blobs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(plane: &mut Plane, left: usize, top: usize, width: usize, height: usize) {
        for y in top..top + height {
            plane.values[y * plane.width + left..][..width].fill(230);
        }
    }

    #[test]
    fn what_the_form_has_is_explained_and_what_it_has_not_is_a_blob() {
        let mut form = Plane::new(200, 60);
        fill(&mut form, 20, 20, 12, 20);
        let mut seen = form.clone();
        // One digit more beside it, and a stroke from edge to edge below.
        fill(&mut seen, 60, 20, 12, 20);
        fill(&mut seen, 0, 50, 200, 2);
        let explained = Explained::new(&form);
        let area = Area {
            left: 10.0,
            top: 10.0,
            right: 150.0,
            bottom: 55.0,
        };
        let found = blobs(&seen, &explained, &area, 120.0);
        assert_eq!(found.len(), 2);
        let (added, stroke) = (found[0], found[1]);
        assert_eq!((added.size, added.passing), (240, false));
        assert!(stroke.passing);
        assert!(blobs(&form, &explained, &area, 120.0).is_empty());
    }

    #[test]
    fn pieces_are_a_character_where_they_are_together_as_large_as_one() {
        let piece = |left: f32, top: f32, (wide, high): (f32, f32)| Blob {
            area: Area {
                left,
                top,
                right: left + wide,
                bottom: top + high,
            },
            size: (wide * high) as usize,
            darkest: 200,
            passing: false,
        };
        // A pale digit, of which parts of its strokes are left.
        let digit = [
            piece(100.0, 20.0, (1.0, 5.0)),
            piece(108.0, 18.0, (2.0, 4.0)),
            piece(107.0, 30.0, (3.0, 2.0)),
        ];
        assert!(are_a_broken_character(digit.to_vec(), 30.0));
        // Specks that lie further apart, a single one, and two on top of each other.
        let specks = [piece(10.0, 18.0, (3.0, 4.0)), piece(60.0, 30.0, (3.0, 4.0))];
        assert!(!are_a_broken_character(specks.to_vec(), 30.0));
        assert!(!are_a_broken_character(digit[..1].to_vec(), 30.0));
        let upright = [piece(10.0, 10.0, (2.0, 9.0)), piece(10.0, 21.0, (2.0, 9.0))];
        assert!(!are_a_broken_character(upright.to_vec(), 30.0));
        // What comes from elsewhere is looked at as a stroke.
        let passing = digit.map(|it| Blob {
            passing: true,
            ..it
        });
        assert!(!are_a_broken_character(passing.to_vec(), 30.0));
    }
}
