//! A place on the page as the line of text that a network reads.

use std::ops::Range;

use super::claim::Claim;
use super::form::{Area, pixels};
use super::look::Look;
use super::network::Line;
use super::plane::Plane;

/// How far beside a text the network looks, in squares of its size, to see that text alone, one more character beside it, and all of
/// its place.
pub(super) const TEXT_ALONE: f32 = 0.6;
pub(super) const ONE_MORE: f32 = 1.7;
pub(super) const WHOLE_PLACE: f32 = 100.0;
/// How far within a place the rules and words around it may be printed by another system, in pixels.
const STRAY: f32 = 6.0;

/// The form's own ink from which on a pixel says nothing of a value.
const FIXED_INK: u8 = 40;

/// Ink from which on a column of pixels is not taken for paper, of 255 for full ink.
const FAINT_INK: f32 = 40.0;

/// All of a place as a line of text, the form's own print taken out.
pub(super) fn place_as_line(seen: &Plane, form: &Plane, area: &Area) -> Option<Line> {
    let (left, top) = (area.left as i32, area.top as i32);
    let (width, height) = (area.right as i32 - left, area.bottom as i32 - top);
    if width < 8 || height < 8 {
        return None;
    }
    let value = |x: i32, y: i32| match form.get(x, y) > FIXED_INK {
        true => 255.0,
        false => 255.0 - f32::from(seen.get(x, y)),
    };
    let rows = (top..top + height).flat_map(|y| (left..left + width).map(move |x| (x, y)));
    Some(Line {
        width: width as usize,
        height: height as usize,
        values: rows.map(|(x, y)| value(x, y)).collect(),
    })
}

/// All columns of a place from where the `text` is to the outermost that are inked, and a `margin` beyond them: of bare paper
/// a network reads nothing, but not quickly.
fn without_bare_paper(
    all: Range<i32>,
    text: Range<i32>,
    margin: i32,
    inked: impl Fn(i32) -> bool,
) -> Range<i32> {
    let left = (all.start..text.start).find(|x| inked(*x));
    let right = (text.end..all.end).rev().find(|x| inked(*x));
    let start = left.map_or(text.start, |it| (it - margin).max(all.start));
    let end = right.map_or(text.end, |it| (it + 1 + margin).min(all.end));
    start..end
}

impl Look<'_> {
    /// The field's place on a plane as a line of text: the form's own print taken out, the cells of a digit grid moved together.
    pub(super) fn line(
        &self,
        claim: &Claim,
        ((dx, dy), beside): ((i32, i32), f32),
        (plane, form): (&Plane, Option<&Plane>),
    ) -> Option<Line> {
        let first = claim.runs.first()?;
        let size = pixels(first.size);
        let mut lines: Vec<i32> = claim.runs.iter().map(|run| run.baseline).collect();
        lines.sort_unstable();
        lines.dedup();
        let value = |x: i32, y: i32| {
            let printed = form.is_some_and(|form| form.get(x, y) > FIXED_INK);
            if printed {
                255.0
            } else {
                255.0 - (f32::from(plane.get(x, y)) / self.optics.dark * 255.0).min(255.0)
            }
        };
        let mut strips: Vec<(i32, i32, i32)> = Vec::new();
        let above = (0.95 * size) as i32;
        let below = (0.25 * size) as i32;
        let height = above + below;
        for baseline in lines {
            let glyphs: Vec<(f32, char)> = claim
                .runs
                .iter()
                .filter(|run| run.baseline == baseline)
                .flat_map(|run| {
                    run.glyphs
                        .iter()
                        .map(|glyph| (pixels(glyph.x), glyph.character))
                })
                .collect();
            let top = pixels(baseline) as i32 + dy - above;
            let spaced = glyphs.len() > 1
                && glyphs.windows(2).all(|pair| {
                    (pair[0].1.is_ascii() || pair[0].1 == '¥') && pair[1].0 - pair[0].0 > 0.8 * size
                })
                || glyphs.len() == 1
                    && claim.area.right - claim.area.left > 3.0 * size
                    && claim.name.ends_with("it");
            if spaced {
                for (x, _) in &glyphs {
                    let left = (*x - 0.12 * size) as i32 + dx;
                    strips.push((left, top, left + (0.8 * size) as i32));
                }
            } else {
                let first = glyphs.iter().map(|it| it.0).fold(f32::MAX, f32::min);
                let last = glyphs.iter().map(|it| it.0).fold(f32::MIN, f32::max) + size;
                // The whole place is seen with what may have been written beyond its edges; one more character only within them.
                let of_text = 2.0f32;
                let edge = if beside <= TEXT_ALONE {
                    of_text
                } else if beside < WHOLE_PLACE {
                    -STRAY
                } else {
                    0.7 * size
                };
                let part = |beside: f32, edge: f32| {
                    let left = (first - beside * size).max(claim.area.left - edge);
                    let right = (last + beside * size).min(claim.area.right + edge);
                    left as i32 + dx..right as i32 + dx
                };
                let text = part(TEXT_ALONE, edge.max(of_text));
                let all = part(beside, edge);
                let all = all.start.min(text.start)..all.end.max(text.end);
                let inked = |x: i32| (top..top + height).any(|y| value(x, y) < 255.0 - FAINT_INK);
                let part = without_bare_paper(all, text, (TEXT_ALONE * size) as i32, inked);
                let (left, right) = (part.start, part.end);
                strips.push((left, top, right.max(left + 4)));
            }
        }
        let width: i32 = strips.iter().map(|it| it.2 - it.0).sum();
        let mut values = Vec::with_capacity((width * height) as usize);
        for row in 0..height {
            for (left, top, right) in &strips {
                values.extend((*left..*right).map(|x| value(x, top + row)));
            }
        }
        Some(Line {
            width: width as usize,
            height: height as usize,
            values,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_beside_a_text_is_read_and_bare_paper_is_not() {
        let read = |ink: &[i32]| without_bare_paper(0..500, 200..300, 10, |x| ink.contains(&x));
        assert_eq!(read(&[250]), 200..300);
        assert_eq!(read(&[120, 150]), 110..300);
        assert_eq!(read(&[400]), 200..411);
        assert_eq!(read(&[3, 498]), 0..500);
    }
}
