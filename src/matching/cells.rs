//! Characters in their cells as a scan shows them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::optics::Optics;
use super::patch::Patch;
use crate::render::Typeface;

/// A character's cell: as wide as its advance, as tall as digits or Han characters are. A glyph that reaches beyond it is
/// seen whole.
pub(super) fn cell(
    character: char,
    (left, right): (f32, f32),
    (baseline, size): (f32, f32),
    glyph: &Patch,
) -> Patch {
    let wide = character.is_ascii() && !matches!(character, 'W' | 'M' | '@');
    let (above, below) = if wide { (0.80, 0.06) } else { (0.90, 0.14) };
    let top = (baseline - above * size).floor() as i32;
    let bottom = (baseline + below * size).ceil() as i32;
    Patch::blank(
        glyph.left.min((left - 1.0).floor() as i32),
        glyph.top.min(top),
        (glyph.left + glyph.width as i32).max((right + 1.0).ceil() as i32),
        (glyph.top + glyph.height as i32).max(bottom),
    )
}

/// Parts of a pixel in which two places are the same.
const PARTS: f32 = 256.0;

/// A glyph of a typeface at a size in pixels, with its origin right and down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glyph {
    pub typeface: Typeface,
    pub id: u16,
    pub size: f32,
    pub origin: (f32, f32),
}

/// A glyph in a cell as a scan shows it: what counts is what is where in the cell, not where that is on the page.
pub(super) struct Shown {
    pub drawn: Patch,
    centred: (Vec<f32>, f32),
}

impl Shown {
    /// The same, with what else is seen in the cell, with its mean taken away, and the square root of the sum of its squares.
    pub fn centred(&self, beside: Option<&Patch>) -> Cow<'_, (Vec<f32>, f32)> {
        match beside {
            Some(beside) => Cow::Owned(self.drawn.with(beside).centred()),
            None => Cow::Borrowed(&self.centred),
        }
    }
}

/// All that a glyph in a cell looks like on one scan depends on.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Place {
    typeface: Typeface,
    id: u16,
    size: u32,
    /// From the cell's corner.
    origin: (i32, i32),
    cell: (usize, usize),
    darkness: u32,
}

/// Glyphs that one scan was seen through: in a grid the same figures, and the same rivals of them, stand in the same part of many
/// cells.
#[derive(Default)]
pub(super) struct Cells(RefCell<HashMap<Place, Rc<Shown>>>);

impl Cells {
    /// What a scan with these optics makes of a glyph in a colour that is so dark, as `draw` draws it. Those of figures
    /// (`again`) are kept.
    pub fn shown(
        &self,
        (glyph, again): (Glyph, bool),
        cell: &Patch,
        (optics, darkness): (&Optics, f32),
        draw: impl FnOnce(Glyph) -> Patch,
    ) -> Rc<Shown> {
        let show = || {
            let mut pattern = cell.blank_beneath();
            pattern.add(&draw(glyph));
            let drawn = optics.shows(&pattern, darkness);
            let centred = drawn.centred();
            Rc::new(Shown { drawn, centred })
        };
        if !again {
            return show();
        }
        let part = |at: f32, edge: i32| ((at - edge as f32) * PARTS).round() as i32;
        let place = Place {
            typeface: glyph.typeface,
            id: glyph.id,
            size: glyph.size.to_bits(),
            origin: (
                part(glyph.origin.0, cell.left),
                part(glyph.origin.1, cell.top),
            ),
            cell: (cell.width, cell.height),
            darkness: darkness.to_bits(),
        };
        Rc::clone(self.0.borrow_mut().entry(place).or_insert_with(show))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Renderer;

    #[test]
    fn the_same_figure_in_the_same_part_of_a_cell_is_drawn_once() {
        let renderer = Renderer::new();
        let optics = Optics {
            blur: 0.8,
            cut: None,
            dark: 200.0,
            usual: 0.9,
            absent: 0.1,
            scatter: 0.0,
        };
        let cells = Cells::default();
        let drawn = std::cell::Cell::new(0);
        let shown = |figure: char, left: i32, x: f32, darkness: f32| {
            let shape = renderer.shape(Typeface::Serif, figure).unwrap();
            let glyph = Glyph {
                typeface: shape.typeface,
                id: shape.id,
                size: 26.4,
                origin: (left as f32 + x, 25.25),
            };
            let cell = Patch::blank(left, 0, left + 20, 30);
            let draw = |glyph: Glyph| {
                drawn.set(drawn.get() + 1);
                let Glyph { typeface, id, .. } = glyph;
                renderer
                    .coverage(typeface, id, glyph.size, glyph.origin)
                    .into()
            };
            let shown = cells.shown((glyph, true), &cell, (&optics, darkness), draw);
            (shown.drawn.values.clone(), shown.centred.1)
        };
        let first = shown('8', 100, 3.5, 1.0);
        assert_eq!(first, shown('8', 1330, 3.5, 1.0));
        assert_eq!(drawn.get(), 1);
        // Another figure, another part of the cell, another colour on a scan in black and white.
        for other in [
            shown('3', 100, 3.5, 1.0),
            shown('8', 100, 3.9, 1.0),
            shown('8', 100, 3.5, 0.5),
        ] {
            assert!(other.0.iter().sum::<f32>() > 10.0);
        }
        assert_eq!(drawn.get(), 4);
    }
}
