//! A picture of a comparison that is understood at a glance: the scan above, the rendition below, both the same way
//! up; what differs is framed and says what was expected and what is seen.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::compare::Comparison;
use super::form::{Area, FormPage};
use super::found::{FoundField, FoundPage};
use super::rectify::Pyramid;
use super::report::Verdict;
use super::{DecodeError, Form};
use crate::render::{PagePixels, Renderer, Typeface};

/// Height of the band that says the verdict, in pixels.
const BAND: usize = 96;
/// Space between scan and rendition.
const GAP: usize = 28;
const GREEN: [u8; 3] = [0x1B, 0x7F, 0x3B];
const AMBER: [u8; 3] = [0xB2, 0x6A, 0x00];
const RED: [u8; 3] = [0xC2, 0x1A, 0x1A];
const WHITE: [u8; 3] = [0xFF; 3];
/// Most characters of a text beside a frame.
const CAPTION_MAX_CHARS: usize = 40;

fn colour(verdict: Verdict) -> [u8; 3] {
    match verdict {
        Verdict::Match => GREEN,
        Verdict::Unsure => AMBER,
        Verdict::Mismatch => RED,
    }
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Match => "相符  match",
        Verdict::Unsure => "待定  unsure",
        Verdict::Mismatch => "不符  mismatch",
    }
}

/// What is drawn on.
struct Canvas<'a> {
    renderer: &'a Renderer,
    picture: PagePixels,
}

impl Canvas<'_> {
    fn fill(&mut self, area: [i64; 4], colour: [u8; 3]) {
        let clamp = |value: i64, most: usize| value.clamp(0, most as i64) as usize;
        let [left, top, right, bottom] = area;
        let (left, right) = (
            clamp(left, self.picture.width),
            clamp(right, self.picture.width),
        );
        for y in clamp(top, self.picture.height)..clamp(bottom, self.picture.height) {
            let row = y * self.picture.width;
            self.picture.pixels[row + left..row + right.max(left)].fill(colour);
        }
    }

    fn frame(&mut self, [left, top, right, bottom]: [i64; 4], weight: i64, colour: [u8; 3]) {
        self.fill([left, top, right, top + weight], colour);
        self.fill([left, bottom - weight, right, bottom], colour);
        self.fill([left, top, left + weight, bottom], colour);
        self.fill([right - weight, top, right, bottom], colour);
    }

    fn put(&mut self, picture: &PagePixels, top: usize) {
        for (row, line) in picture.pixels.chunks_exact(picture.width).enumerate() {
            let at = (top + row) * self.picture.width;
            let width = picture.width.min(self.picture.width);
            if let Some(target) = self.picture.pixels.get_mut(at..at + width) {
                target.copy_from_slice(&line[..width]);
            }
        }
    }

    /// Pixels across of a text.
    fn width(&self, text: &str, size: f32) -> f32 {
        text.chars()
            .map(|c| self.glyph(c).map_or(size, |it| it.1 * size))
            .sum()
    }

    fn glyph(&self, character: char) -> Option<((Typeface, u16), f32)> {
        let faces = [
            Typeface::Sans,
            Typeface::Serif,
            Typeface::Latin,
            Typeface::Rare,
        ];
        let shape = faces
            .into_iter()
            .find_map(|face| self.renderer.shape(face, character))?;
        Some(((shape.typeface, shape.id), shape.advance as f32 / 1000.0))
    }

    /// A line of text, its baseline at `y`; gives where it ends.
    fn text(&mut self, text: &str, (mut x, y): (f32, f32), size: f32, colour: [u8; 3]) -> f32 {
        for character in text.chars() {
            let Some(((face, id), advance)) = self.glyph(character) else {
                x += size;
                continue;
            };
            let drawn = self.renderer.coverage(face, id, size, (x, y));
            for row in 0..drawn.height {
                for column in 0..drawn.width {
                    let (px, py) = (drawn.left + column as i32, drawn.top + row as i32);
                    let inside = px >= 0
                        && py >= 0
                        && (px as usize) < self.picture.width
                        && (py as usize) < self.picture.height;
                    if inside {
                        let part = drawn.values[row * drawn.width + column];
                        let pixel = &mut self.picture.pixels
                            [py as usize * self.picture.width + px as usize];
                        for (value, ink) in pixel.iter_mut().zip(colour) {
                            *value =
                                (f32::from(*value) * (1.0 - part) + f32::from(ink) * part) as u8;
                        }
                    }
                }
            }
            x += advance * size;
        }
        x
    }
}

fn shortened(text: &str) -> String {
    match text.chars().count() > CAPTION_MAX_CHARS {
        true => text
            .chars()
            .take(CAPTION_MAX_CHARS - 1)
            .chain(['…'])
            .collect(),
        false => text.to_owned(),
    }
}

impl Comparison {
    /// The picture as a PNG.
    pub fn overlay(&self, renderer: &Renderer, form: &Form) -> Result<Vec<u8>, DecodeError> {
        let width = form
            .pages
            .iter()
            .map(|page| page.picture.width)
            .max()
            .unwrap_or(1);
        let heights = form
            .pages
            .iter()
            .map(|page| 2 * (page.picture.height + GAP));
        let height = BAND + heights.sum::<usize>();
        let mut canvas = Canvas {
            renderer,
            picture: PagePixels {
                width,
                height,
                pixels: vec![[0xE8, 0xE8, 0xEA]; width * height],
            },
        };
        self.band(&mut canvas);
        let mut top = BAND;
        for (index, (page, found)) in form.pages.iter().zip(&self.found).enumerate() {
            let second = top + page.picture.height + GAP;
            match found {
                Some(found) => {
                    canvas.put(&seen(found, page), top);
                    canvas.put(&page.picture, second);
                    fields(&mut canvas, found, top, second);
                }
                None => {
                    let empty = format!("page {} was not found on the scan", index + 1);
                    canvas.text(&empty, (60.0, top as f32 + 80.0), 40.0, AMBER);
                    canvas.put(&page.picture, second);
                }
            }
            top = second + page.picture.height + GAP;
        }
        encode(canvas.picture)
    }

    fn band(&self, canvas: &mut Canvas) {
        let verdict = self.report.verdict;
        let width = canvas.picture.width as i64;
        canvas.fill([0, 0, width, BAND as i64 - 12], colour(verdict));
        let end = canvas.text(words(verdict), (36.0, 58.0), 46.0, WHITE);
        canvas.text(&self.report.reason, (end + 60.0, 55.0), 32.0, WHITE);
    }
}

/// The scan as the form sees it.
fn seen(found: &FoundPage, page: &FormPage) -> PagePixels {
    let size = (page.picture.width, page.picture.height);
    let channels = [0, 1, 2].map(|channel| {
        let plane = found.picture.channel(channel);
        found
            .registration
            .rectified(&Pyramid::new(plane, 1.0), size, 1)
    });
    let pixels = (0..size.0 * size.1).map(|at| [0, 1, 2].map(|it| channels[it].values[at]));
    PagePixels {
        width: size.0,
        height: size.1,
        pixels: pixels.collect(),
    }
}

fn fields(canvas: &mut Canvas, found: &FoundPage, scan_top: usize, form_top: usize) {
    let place = |area: &Area, top: usize, room: f32| {
        let top = top as f32;
        [
            (area.left - room) as i64,
            (area.top - room + top) as i64,
            (area.right + room) as i64,
            (area.bottom + room + top) as i64,
        ]
    };
    let agrees = |it: &&FoundField| it.decision.verdict == Verdict::Match && !it.text.is_empty();
    for FoundField { area, .. } in found.fields.iter().filter(agrees) {
        let [left, _, right, bottom] = place(area, scan_top, 0.0);
        canvas.fill([left, bottom, right, bottom + 2], [0x9C, 0xD6, 0xAE]);
    }
    let mut captions: Vec<[i64; 4]> = Vec::new();
    let others = found
        .fields
        .iter()
        .filter(|it| it.decision.verdict != Verdict::Match);
    for FoundField {
        text,
        area,
        decision,
        ..
    } in others
    {
        let colour = colour(decision.verdict);
        let on_scan = place(area, scan_top, 5.0);
        canvas.frame(on_scan, 4, colour);
        canvas.frame(place(area, form_top, 5.0), 4, colour);
        if decision.verdict != Verdict::Mismatch || decision.seen.is_empty() && text.is_empty() {
            continue;
        }
        let caption = format!(
            "应为 {} · 所见 {}",
            or_nothing(text),
            or_nothing(&decision.seen)
        );
        let size = 25.0;
        let width = canvas.width(&caption, size) as i64 + 16;
        let left = on_scan[0].min(canvas.picture.width as i64 - width).max(0);
        // Above the frame, or below it where the page begins.
        let above = on_scan[1] - 34;
        let mut top = if above > scan_top as i64 {
            above
        } else {
            on_scan[3]
        };
        // Above the captions that are there already.
        let covers = |top: i64, it: &[i64; 4]| {
            left < it[2] && it[0] < left + width && top < it[3] && it[1] < top + 34
        };
        while captions.iter().any(|it| covers(top, it)) && top > scan_top as i64 {
            top -= 36;
        }
        captions.push([left, top, left + width, top + 34]);
        canvas.fill([left, top, left + width, top + 34], colour);
        canvas.text(
            &caption,
            (left as f32 + 8.0, top as f32 + 26.0),
            size,
            WHITE,
        );
    }
}

fn or_nothing(text: &str) -> String {
    if text.is_empty() {
        "无".to_owned()
    } else {
        shortened(text)
    }
}

/// Few shades, and paper quite white, so that noise does not make the file large.
fn encode(picture: PagePixels) -> Result<Vec<u8>, DecodeError> {
    let shade = |value: u8| if value > 214 { 255 } else { (value >> 4) * 17 };
    let bytes: Vec<u8> = picture
        .pixels
        .iter()
        .flatten()
        .map(|value| shade(*value))
        .collect();
    let mut png = Vec::new();
    let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Up);
    let (width, height) = (picture.width as u32, picture.height as u32);
    encoder
        .write_image(&bytes, width, height, ExtendedColorType::Rgb8)
        .map_err(|error| DecodeError::Damaged {
            page: 1,
            why: error.to_string(),
        })?;
    Ok(png)
}
