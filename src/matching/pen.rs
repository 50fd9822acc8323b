//! Strokes of a pen across a form: large ones are known by how far they go, not by what a piece of them looks like, small ones
//! by saying nothing.

use super::extra::{Explained, SPECK};
use super::form::{Area, FORM_INK};
use super::glyphs::AROUND;
use super::plane::Plane;

/// How far a stroke may go through what the form explains, in pixels, and still be followed: across a rule and the
/// room that print may stray in on both of its sides.
const THROUGH: i32 = 18;
/// Directions in which it is followed there.
const DIRECTIONS: usize = 16;
/// How large what hangs together must be to be a pen's, in pixels along its longer and its shorter side: 10 mm by 4.5 mm.
/// A line of printed characters that touch is as long, but no taller than 4 mm.
const LARGE: (usize, usize) = (79, 36);
/// Part of its box that it covers at most: a black area is no stroke.
const COVERS: f32 = 0.45;
/// How far beside a stroke its edge is soft, in pixels.
const EDGE: i32 = 2;

/// Ink that hangs together, also across rules, and that nothing explains.
#[derive(Debug, Clone)]
pub(super) struct Stroke {
    pub area: Area,
    /// Its pixels, by their place in the page.
    pixels: Vec<usize>,
}

impl Stroke {
    /// Those in what is darker than `dark` of 255.
    pub fn find_all(seen: &Plane, explained: &Explained, dark: f32) -> Vec<Stroke> {
        let (width, height) = (seen.width, seen.height);
        let dark = dark.clamp(1.0, 254.0) as u8;
        let mut open: Vec<bool> = (seen.values.iter().enumerate())
            .map(|(at, value)| *value > dark && !explained.at(at % width, at / width))
            .collect();
        let (mut strokes, mut stroke) = (Vec::new(), Vec::new());
        for start in 0..open.len() {
            if !open[start] {
                continue;
            }
            stroke.clear();
            stroke.push(start);
            open[start] = false;
            let (mut left, mut top, mut right, mut bottom) = (width, height, 0, 0);
            let mut followed = 0;
            while let Some(at) = stroke.get(followed).copied() {
                followed += 1;
                let (x, y) = (at % width, at / width);
                (left, right) = (left.min(x), right.max(x));
                (top, bottom) = (top.min(y), bottom.max(y));
                let mut take = |x: i32, y: i32| {
                    let inside = x >= 0 && y >= 0 && (x as usize) < width && (y as usize) < height;
                    if !inside {
                        return false;
                    }
                    let at = y as usize * width + x as usize;
                    let taken = std::mem::take(&mut open[at]);
                    if taken {
                        stroke.push(at);
                    }
                    taken
                };
                let mut ends = false;
                for (dx, dy) in AROUND.into_iter().skip(1) {
                    let (x, y) = (x as i32 + dx, y as i32 + dy);
                    let goes_on = !take(x, y) && seen.get(x, y) > dark;
                    ends |= goes_on && explained.at(x as usize, y as usize);
                }
                if ends {
                    through(seen, dark, (x, y), take);
                }
            }
            if stroke.len() < SPECK {
                continue;
            }
            strokes.push(Stroke {
                area: Area {
                    left: left as f32,
                    top: top as f32,
                    right: (right + 1) as f32,
                    bottom: (bottom + 1) as f32,
                },
                pixels: stroke.clone(),
            });
        }
        strokes
    }

    /// Whether it goes so far that it is a pen's, whatever a piece of it looks like.
    pub fn is_large(&self) -> bool {
        let (wide, high) = self.area.size();
        let (wide, high) = (wide as usize, high as usize);
        let covers = self.pixels.len() as f32 / (wide * high) as f32;
        wide.max(high) >= LARGE.0 && wide.min(high) >= LARGE.1 && covers <= COVERS
    }
}

/// Where strokes of a pen are on a page.
#[derive(Clone)]
pub(super) struct Pen {
    /// What was looked at with these strokes taken away, as far as the form has nothing there.
    pub without: Plane,
    strokes: Vec<Area>,
}

impl Pen {
    /// A page with nothing of a pen on it yet.
    pub fn none(seen: &Plane) -> Pen {
        Pen {
            without: seen.clone(),
            strokes: Vec::new(),
        }
    }

    /// Takes a stroke for a pen's.
    pub fn take(&mut self, stroke: &Stroke, form: &Plane) {
        let width = self.without.width;
        for at in &stroke.pixels {
            self.take_away(form, (at % width) as i32, (at / width) as i32);
        }
        self.strokes.push(stroke.area);
    }

    fn take_away(&mut self, form: &Plane, x: i32, y: i32) {
        let plane = &mut self.without;
        for y in (y - EDGE).max(0)..(y + EDGE + 1).min(plane.height as i32) {
            for x in (x - EDGE).max(0)..(x + EDGE + 1).min(plane.width as i32) {
                if form.get(x, y) <= FORM_INK {
                    plane.values[y as usize * plane.width + x as usize] = 0;
                }
            }
        }
    }

    /// Whether such a stroke is near an area.
    pub fn is_near(&self, area: &Area) -> bool {
        self.strokes.iter().any(|stroke| stroke.overlaps(area))
    }
}

/// Follows a stroke from where it meets what the form explains to where it comes out, straight on in every direction.
fn through(seen: &Plane, dark: u8, (x, y): (usize, usize), mut take: impl FnMut(i32, i32) -> bool) {
    for direction in 0..DIRECTIONS {
        let angle = direction as f32 / DIRECTIONS as f32 * std::f32::consts::TAU;
        let (dy, dx) = angle.sin_cos();
        for step in 2..=THROUGH {
            let at = |by: f32| (step as f32 * by).round() as i32;
            let (x, y) = (x as i32 + at(dx), y as i32 + at(dy));
            if seen.get(x, y) <= dark || take(x, y) {
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A form of three rows.
    fn rows() -> Plane {
        let mut form = Plane::new(300, 200);
        for y in [50, 100, 150] {
            form.values[y * 300..(y + 2) * 300].fill(220);
        }
        form
    }

    /// A stroke three pixels wide from one place to another.
    fn draw(plane: &mut Plane, from: (i32, i32), to: (i32, i32)) {
        for step in 0..=300 {
            let at = |from: i32, to: i32| from + (to - from) * step / 300;
            for dy in 0..3 {
                let (x, y) = (at(from.0, to.0), at(from.1, to.1) + dy);
                plane.values[y as usize * 300 + x as usize..][..3].fill(230);
            }
        }
    }

    #[test]
    fn a_stroke_across_rows_is_a_pens_and_characters_between_two_rules_are_none() {
        let form = rows();
        let explained = Explained::new(&form);
        let mut seen = form.clone();
        // Four characters that touch, and one more on a rule.
        for x in [20, 40, 60, 80] {
            draw(&mut seen, (x, 60), (x + 22, 85));
            draw(&mut seen, (x, 85), (x + 22, 60));
        }
        draw(&mut seen, (200, 90), (204, 112));
        let large = |seen: &Plane| {
            let mut strokes = Stroke::find_all(seen, &explained, 120.0);
            strokes.retain(Stroke::is_large);
            strokes
        };
        assert!(large(&seen).is_empty());
        draw(&mut seen, (120, 20), (190, 180));
        let strokes = large(&seen);
        assert_eq!(strokes.len(), 1);
        let mut pen = Pen::none(&seen);
        pen.take(&strokes[0], &form);
        let ink = |plane: &Plane, x: i32, y: i32| plane.get(x, y) > 120;
        // The stroke is away, the rules and the characters are not.
        assert!(ink(&seen, 144, 76) && !ink(&pen.without, 144, 76));
        assert!(
            ink(&pen.without, 150, 100) && ink(&pen.without, 202, 95) && ink(&pen.without, 31, 73)
        );
        let area = |left: f32, right: f32| Area {
            left,
            right,
            top: 60.0,
            bottom: 90.0,
        };
        assert!(pen.is_near(&area(110.0, 130.0)) && !pen.is_near(&area(20.0, 100.0)));
    }
}
