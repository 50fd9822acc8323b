//! A character that is printed beside a text later, in ink of any colour, by who has only the paper.

use image::RgbImage;
use skrifa::{FontRef, MetadataProvider};
use vouchsafe::render::{Coverage, FieldBox, GlyphRun, Item, Renderer};
use vouchsafe::voucher::template::Colour;

use super::Printed;
use super::foreign::cover;
use super::random::Random;

pub const FORGERY: &str = "character-added";

/// Black, two blues, green, and a grey that is paler than most prints.
const INKS: [[u8; 3]; 5] = [
    [0, 0, 0],
    [20, 30, 140],
    [30, 60, 230],
    [0, 110, 40],
    [100, 100, 100],
];
/// What makes another text of one.
const WORDS: &str = "费款工公司部分月年补退未等二";
/// How far behind a text one is printed at most, in sizes of its type.
const GAP: f64 = 0.4;

/// The printers that a forger has.
pub struct Printers<'a> {
    pub own: &'a Renderer,
    /// Those of other typefaces; for a page of another system, its own alone.
    pub others: &'a [Vec<u8>],
    /// Whether the page is the form's own printer's.
    pub is_own_page: bool,
}

impl Printers<'_> {
    fn draw(
        &self,
        character: char,
        run: &GlyphRun,
        (size, origin): (f32, (f32, f32)),
        random: &mut Random,
    ) -> Option<Coverage> {
        if self.is_own_page && (self.others.is_empty() || random.chance(0.5)) {
            let shape = self.own.shape(run.typeface, character)?;
            return Some(self.own.coverage(shape.typeface, shape.id, size, origin));
        }
        let font = FontRef::from_index(&self.others[random.below(self.others.len())], 0).unwrap();
        Some(Coverage::draw(
            &font,
            font.charmap().map(character)?,
            size,
            origin,
        ))
    }
}

/// Whether a text can be made another one by a character behind it. Names are left out: people sign beside them.
fn is_text(field: &FieldBox) -> bool {
    let name = &field.name;
    let ends = ["summary", "account", "subaccount"];
    let named = name == "number" || ends.iter().any(|it| name.ends_with(it));
    named && field.page == 0 && !field.text.is_empty()
}

/// Prints one behind a text of the page: the name of its field, and what it says then. None if there is no bare paper.
pub fn add(
    page: &mut RgbImage,
    printed: &Printed,
    printers: &Printers,
    dots_per_inch: u32,
    random: &mut Random,
) -> Option<(String, String)> {
    let scale = dots_per_inch as f32 / 7_200.0;
    let fields: Vec<&FieldBox> = printed
        .drawing
        .fields()
        .iter()
        .filter(|it| is_text(it))
        .collect();
    let field = random.pick(&fields);
    let items = &printed.drawing.pages()[field.page][field.items.clone()];
    let run = items.iter().rev().find_map(|item| match item {
        Item::Glyphs(run) => Some(run),
        _ => None,
    })?;
    let last = run.glyphs.last()?;
    let words: Vec<char> = match last.character.is_ascii_digit() {
        true => ('0'..='9').collect(),
        false => WORDS.chars().collect(),
    };
    let character = random.pick(&words);
    let size = run.size as f32 * scale;
    let width = if last.character.is_ascii() { 0.55 } else { 1.0 };
    let gap = random.between(0.0, GAP) as f32;
    let x = last.x as f32 * scale + (width + gap) * size;
    let place = (size, (x, run.baseline as f32 * scale));
    let glyph = printers.draw(character, run, place, random)?;
    let is_bare = |at: usize| {
        let (x, y) = (
            glyph.left + (at % glyph.width) as i32,
            glyph.top + (at / glyph.width) as i32,
        );
        let inside = x >= 0 && y >= 0;
        inside
            && page
                .get_pixel_checked(x as u32, y as u32)
                .is_some_and(|it| it[1] > 160)
    };
    if !(0..glyph.values.len()).all(is_bare) {
        return None;
    }
    let [red, green, blue] = random.pick(&INKS);
    cover(page, &glyph, Colour { red, green, blue });
    Some((field.name.clone(), format!("{}{character}", field.text)))
}
