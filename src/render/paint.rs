//! Collects the items of a drawing page by page.

use std::collections::HashSet;
use std::mem::{self, Discriminant};
use std::sync::Arc;

use crate::voucher::template::{Colour, Face, Ink, Inks, Picture, Point, Rectangle};

use super::drawing::{FieldBox, GlyphRun, Item, PlacedGlyph};
use super::fit::{self, Fitted, Style};
use super::typeset::{self, Faces, Glyph};
use super::warning::{Shortfall, Warning};

/// Rules begin at whole hundredths of an inch, so that they are sharp at 100, 200 and 300 dots per inch.
const SNAP: i32 = 72;

fn snap(units: i32) -> i32 {
    (units + SNAP / 2).div_euclid(SNAP) * SNAP
}

/// The pages so far, and what there is to say about them.
pub(super) struct Canvas<'a> {
    pub(super) faces: &'a Faces,
    pub(super) inks: Inks,
    pub(super) pages: Vec<Vec<Item>>,
    pub(super) fields: Vec<FieldBox>,
    pub(super) warnings: Vec<Warning>,
    /// Where the QR mark's modules are.
    pub(super) mark: Option<Rectangle>,
    /// The fields that were warned of, with what gave way.
    warned: HashSet<(String, Discriminant<Shortfall>)>,
    /// Rules of the page that is being drawn, painted first and together.
    rules: Vec<(Colour, Vec<Rectangle>)>,
}

impl<'a> Canvas<'a> {
    pub(super) fn new(faces: &'a Faces, inks: Inks) -> Canvas<'a> {
        Canvas {
            faces,
            inks,
            pages: Vec::new(),
            fields: Vec::new(),
            warnings: Vec::new(),
            mark: None,
            warned: HashSet::new(),
            rules: Vec::new(),
        }
    }

    pub(super) fn start_page(&mut self) {
        self.pages.push(Vec::new());
    }

    /// Index of the page that is being drawn.
    pub(super) fn page(&self) -> usize {
        self.pages.len().saturating_sub(1)
    }

    pub(super) fn colour(&self, ink: Ink) -> Colour {
        match ink {
            Ink::Form => self.inks.form,
            Ink::Value => self.inks.value,
            Ink::Accent => self.inks.accent,
        }
    }

    pub(super) fn push(&mut self, item: Item) {
        if let Some(page) = self.pages.last_mut() {
            page.push(item);
        }
    }

    fn next_item(&self) -> usize {
        self.pages.last().map_or(0, Vec::len)
    }

    /// A horizontal or vertical line of the form.
    pub(super) fn rule(&mut self, from: Point, to: Point, weight: i32, colour: Colour) {
        let (left, top) = (snap(from.x.min(to.x)), snap(from.y.min(to.y)));
        let (right, bottom) = (snap(from.x.max(to.x)), snap(from.y.max(to.y)));
        let (width, height) = if from.y == to.y {
            (right - left, weight)
        } else {
            (weight, bottom - top)
        };
        self.fill(left, top, (width, height), colour);
    }

    /// The four sides of a rectangle; the lines' upper and left edges lie on it.
    pub(super) fn frame(&mut self, shape: Rectangle, weight: i32, colour: Colour) {
        let (left, top) = (snap(shape.x), snap(shape.y));
        let (width, height) = (snap(shape.right()) - left, snap(shape.bottom()) - top);
        self.fill(left, top, (width, weight), colour);
        self.fill(left, top + height, (width + weight, weight), colour);
        self.fill(left, top, (weight, height), colour);
        self.fill(left + width, top, (weight, height), colour);
    }

    fn fill(&mut self, x: i32, y: i32, (width, height): (i32, i32), colour: Colour) {
        let rectangle = Rectangle {
            x,
            y,
            width,
            height,
        };
        match self.rules.iter_mut().find(|(known, _)| *known == colour) {
            Some((_, rectangles)) => rectangles.push(rectangle),
            None => self.rules.push((colour, vec![rectangle])),
        }
    }

    /// Paints the rules collected since the page began.
    pub(super) fn finish_rules(&mut self) {
        for (colour, rectangles) in std::mem::take(&mut self.rules) {
            self.push(Item::Fill { rectangles, colour });
        }
    }

    /// A picture in the middle of its box, as large as its proportions allow.
    pub(super) fn picture(&mut self, picture: &Picture) {
        let (room, pixels) = (picture.rectangle, &picture.pixels);
        let [across, down] = [pixels.width, pixels.height].map(i64::from);
        let [width, height] = [room.width, room.height].map(i64::from);
        let (width, height) = if width * down > height * across {
            (height * across / down, height)
        } else {
            (width, width * down / across)
        };
        // Neither side is longer than the box's.
        let (width, height) = (width.max(1) as i32, height.max(1) as i32);
        self.push(Item::Picture {
            rectangle: Rectangle {
                x: room.x + (room.width - width) / 2,
                y: room.y + (room.height - height) / 2,
                width,
                height,
            },
            pixels: Arc::clone(pixels),
        });
    }

    /// Units across of a text on one line.
    pub(super) fn label_width(&self, text: &str, face: Face, size: i32) -> i32 {
        typeset::width(&self.faces.shape(face, text, fit::TEXT_MAX_CHARS), size)
    }

    /// Whether a text stands in its box without being shortened.
    pub(super) fn fits(&self, text: &str, style: Style) -> bool {
        !fit::fit(self.faces, text, style).cut
    }

    /// A constant text.
    pub(super) fn label(&mut self, text: &str, style: Style, colour: Colour) {
        let fitted = fit::fit(self.faces, text, style);
        self.warn_unless_whole(&format!("label {text}"), &fitted);
        self.lines(&fitted, colour);
    }

    /// A value of the voucher: drawn, remembered as a field, and warned of if it is not whole.
    pub(super) fn value(&mut self, name: &str, text: &str, style: Style, colour: Colour) {
        let fitted = fit::fit(self.faces, text, style);
        self.warn_unless_whole(name, &fitted);
        let first = self.next_item();
        self.lines(&fitted, colour);
        self.field(name, style.rectangle, text.to_owned(), first);
    }

    /// Characters each in a place of its own, centred around `centres` on one baseline.
    pub(super) fn spaced(&mut self, characters: &[(char, i32)], style: Style, colour: Colour) {
        let glyphs: Vec<(Glyph, i32)> = characters
            .iter()
            .map(|(character, centre)| {
                let glyph = self.faces.glyph(style.face, *character);
                (
                    glyph,
                    centre - typeset::scale(glyph.advance, style.size) / 2,
                )
            })
            .collect();
        let top = style.rectangle.y + (style.rectangle.height - style.size) / 2;
        self.runs(
            &glyphs,
            top + typeset::ascent(style.size),
            style.size,
            colour,
        );
    }

    /// Like [`Canvas::spaced`], for a value of the voucher.
    pub(super) fn spaced_value(
        &mut self,
        name: &str,
        text: &str,
        characters: &[(char, i32)],
        style: Style,
        colour: Colour,
    ) {
        let first = self.next_item();
        self.spaced(characters, style, colour);
        self.field(name, style.rectangle, text.to_owned(), first);
        if let Some(field) = self.fields.last_mut() {
            field.in_grid = true;
        }
    }

    /// A place where nothing of the voucher stands, for words or for an amount.
    pub(super) fn empty_value(&mut self, name: &str, rectangle: Rectangle, for_words: bool) {
        let first = self.next_item();
        self.field(name, rectangle, String::new(), first);
        if let Some(field) = self.fields.last_mut() {
            field.unused_words = for_words;
        }
    }

    fn field(&mut self, name: &str, rectangle: Rectangle, text: String, first: usize) {
        self.fields.push(FieldBox {
            name: name.to_owned(),
            page: self.page(),
            rectangle,
            text,
            in_grid: false,
            unused_words: false,
            items: first..self.next_item(),
        });
    }

    /// A warning, once for each field: a value that repeats on every page is one fault, and of the characters that
    /// no typeface has the first is named.
    pub(super) fn warn(&mut self, field: &str, shortfall: Shortfall) {
        let warning = Warning {
            field: field.to_owned(),
            shortfall,
        };
        if self
            .warned
            .insert((field.to_owned(), mem::discriminant(&shortfall)))
        {
            self.warnings.push(warning);
        }
    }

    fn warn_unless_whole(&mut self, name: &str, fitted: &Fitted) {
        if fitted.cut {
            self.warn(name, Shortfall::Shortened);
        }
        let glyphs = fitted.lines.iter().flat_map(|line| &line.glyphs);
        for glyph in glyphs.filter(|glyph| glyph.missing) {
            self.warn(name, Shortfall::NoGlyph(glyph.character));
        }
    }

    fn lines(&mut self, fitted: &Fitted, colour: Colour) {
        for line in &fitted.lines {
            let mut x = line.x;
            let mut placed = Vec::with_capacity(line.glyphs.len());
            for glyph in &line.glyphs {
                placed.push((*glyph, x));
                x += typeset::scale(glyph.advance, fitted.size) + line.spacing;
            }
            self.runs(&placed, line.baseline, fitted.size, colour);
        }
    }

    /// One run for each stretch of one typeface.
    fn runs(&mut self, placed: &[(Glyph, i32)], baseline: i32, size: i32, colour: Colour) {
        for stretch in placed.chunk_by(|a, b| a.0.typeface == b.0.typeface) {
            let glyphs = stretch
                .iter()
                .map(|(glyph, x)| PlacedGlyph {
                    id: glyph.id,
                    character: glyph.character,
                    x: x + typeset::scale(glyph.shift, size),
                })
                .collect();
            self.push(Item::Glyphs(GlyphRun {
                typeface: stretch[0].0.typeface,
                size,
                colour,
                baseline,
                glyphs,
            }));
        }
    }
}
