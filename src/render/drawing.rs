//! The display list: everything on the pages, in whole units, ready for any output.

use std::sync::Arc;

use crate::voucher::Date;
use crate::voucher::template::{Colour, Length, Locale, Page, Pixels, Point, Rectangle, Slot};

use super::typeset::Typeface;
use super::warning::Warning;
use super::{picture, raster};

/// A voucher laid out on its form. Lengths are in units of 1/7200 inch from the page's upper left corner.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    pub(super) title: String,
    pub(super) place: String,
    pub(super) digest: String,
    pub(super) date: Date,
    pub(super) locale: Locale,
    pub(super) page: Page,
    pub(super) pages: Vec<Vec<Item>>,
    pub(super) fields: Vec<FieldBox>,
    pub(super) slots: Vec<Slot>,
    pub(super) mark: Option<Rectangle>,
    pub(super) warnings: Vec<Warning>,
}

impl Drawing {
    /// The form's name and the voucher's number.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The voucher's path in the archive.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The digest of the voucher's data, as its mark has it.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Width of every page.
    pub fn width(&self) -> Length {
        self.page.width
    }

    /// Height of every page.
    pub fn height(&self) -> Length {
        self.page.height
    }

    /// The pages, each with its items in the order in which they are painted.
    pub fn pages(&self) -> &[Vec<Item>] {
        &self.pages
    }

    /// Where each value of the voucher stands, in the order in which they were drawn.
    pub fn fields(&self) -> &[FieldBox] {
        &self.fields
    }

    /// Places for seals and signatures, on every page.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Where the modules of the QR mark are, on every page, if there is one.
    pub fn mark(&self) -> Option<Rectangle> {
        self.mark
    }

    /// The resolution in dots per inch, at most `wanted`, at which all pages fit into one PNG.
    pub fn png_resolution(&self, wanted: u32) -> u32 {
        raster::fitting_resolution(self, wanted, picture::PNG_MAX_PIXELS)
    }

    /// The resolution in dots per inch, at most `wanted`, at which all pages fit into one JPEG.
    pub fn jpeg_resolution(&self, wanted: u32) -> u32 {
        raster::fitting_resolution(self, wanted, picture::JPEG_MAX_PIXELS)
    }

    /// What could not be drawn as it should be, each thing once for each field.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }
}

/// A value of the voucher on the page: what a reader must find there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldBox {
    /// The voucher's own name of the value, such as `number` or `lines[0].summary`.
    pub name: String,
    /// Index of the page.
    pub page: usize,
    /// The box that is the value's alone.
    pub rectangle: Rectangle,
    /// What is drawn in it; empty if the voucher has no such value.
    pub text: String,
    /// Whether it is an amount in a digit grid: one digit a cell, after a sign, the last two of them hundredths.
    pub in_grid: bool,
    /// Whether it is a place for words in a row without a line: what stands there alone is no line either.
    pub unused_words: bool,
    /// The items of the page that draw it.
    pub items: std::ops::Range<usize>,
}

/// One thing on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// Text.
    Glyphs(GlyphRun),
    /// Filled rectangles of one colour.
    Fill {
        /// The rectangles.
        rectangles: Vec<Rectangle>,
        /// Their colour.
        colour: Colour,
    },
    /// A picture that fills a rectangle.
    Picture {
        /// The rectangle, of the picture's proportions.
        rectangle: Rectangle,
        /// What fills it.
        pixels: Arc<Pixels>,
    },
    /// A slanting line.
    Stroke {
        /// One end.
        from: Point,
        /// The other end.
        to: Point,
        /// Thickness.
        weight: i32,
        /// Colour.
        colour: Colour,
    },
}

/// Characters of one typeface, size and colour on one baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlyphRun {
    /// The font.
    pub typeface: Typeface,
    /// Size of type.
    pub size: i32,
    /// Colour.
    pub colour: Colour,
    /// The baseline, below the page's upper edge.
    pub baseline: i32,
    /// The characters from left to right.
    pub glyphs: Vec<PlacedGlyph>,
}

/// A character in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedGlyph {
    /// Index in the typeface.
    pub id: u16,
    /// The character it stands for; a search of the document finds this one.
    pub character: char,
    /// Its origin, right of the page's left edge.
    pub x: i32,
}
