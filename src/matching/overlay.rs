//! A picture of a comparison that is understood at a glance: the scan above, the rendition below, both the same way
//! up; what differs is framed and says what was expected and what is seen.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::compare::Comparison;
use super::form::{Area, FORM_INK, FormPage};
use super::found::{FoundField, FoundPage};
use super::rectify::Pyramid;
use super::report::Verdict;
use super::{DecodeError, Form};
use crate::render::{PagePixels, Renderer, Typeface};

/// Height of the band that says the verdict, in pixels.
const BAND: usize = 96;
/// Height of the strip above a picture that says what it is.
const STRIP: usize = 44;
const GROUND: [u8; 3] = [0xE8, 0xE8, 0xEA];
const QUIET: [u8; 3] = [0x5A, 0x5F, 0x68];
/// Size of the text beside a frame, the height of its ground, and the distance from the frame.
const CAPTION_SIZE: f32 = 25.0;
const CAPTION_HEIGHT: i64 = 34;
const CAPTION_GAP: i64 = 2;
/// What is darker than this in some colour is something that a text must not cover.
const COVERED_BELOW: u8 = 150;
/// How near to the form's own print ink is taken for it, in pixels, and how much more other ink counts.
const FORM_REACH: i32 = 2;
const VALUE_LOSS: usize = 12;
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

    /// How much is lost if an area of a page is covered whose upper edge is at `page_top`: the ink in it, what the
    /// form itself has printed counting little.
    fn loss(
        &self,
        [left, top, right, bottom]: [i64; 4],
        (form, page_top): (&FormPage, i64),
    ) -> usize {
        let width = self.picture.width;
        let of_form = |x: i64, y: i64| {
            let reach = -FORM_REACH..=FORM_REACH;
            let mut near = reach
                .clone()
                .flat_map(|dy| reach.clone().map(move |dx| (dx, dy)));
            let (x, y) = (x as i32, (y - page_top) as i32);
            near.any(|(dx, dy)| form.fixed.get(x + dx, y + dy) > FORM_INK)
        };
        let mut loss = 0;
        for y in top.max(0)..bottom.min(self.picture.height as i64) {
            for x in left.max(0)..right.min(width as i64) {
                let pixel = self.picture.pixels[y as usize * width + x as usize];
                if pixel.iter().any(|it| *it < COVERED_BELOW) {
                    loss += if of_form(x, y) { 1 } else { VALUE_LOSS };
                }
            }
        }
        loss
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
        let pages = || form.pages.iter().map(|page| &page.picture);
        let width = pages().map(|it| it.width).max().unwrap_or(1);
        let height: usize = pages().map(|it| 2 * (STRIP + it.height)).sum();
        let height = BAND + height;
        let mut canvas = Canvas {
            renderer,
            picture: PagePixels {
                width,
                height,
                pixels: vec![GROUND; width * height],
            },
        };
        self.band(&mut canvas);
        let mut top = BAND;
        for (index, (page, found)) in form.pages.iter().zip(&self.found).enumerate() {
            let page_name = match form.pages.len() {
                1 => String::new(),
                _ => format!(" · {}", index + 1),
            };
            let scan_name = found.as_ref().map_or("", |it| &it.scan_name);
            let scan_name = match scan_name {
                "" => page_name.clone(),
                name => format!("{page_name} · {name}"),
            };
            let halves = [top, top + STRIP + page.picture.height];
            for (top, what) in halves.iter().zip([
                format!("影像  scan{scan_name}"),
                format!("归档凭证  as filed{page_name}"),
            ]) {
                canvas.text(&what, (36.0, *top as f32 + 31.0), 26.0, QUIET);
            }
            let [first, second] = halves.map(|top| top + STRIP);
            match found {
                Some(found) => {
                    canvas.put(&seen(found, page), first);
                    canvas.put(&page.picture, second);
                    fields(&mut canvas, found, page, [first, second]);
                }
                None => {
                    let empty = format!("page {} was not found on the scan", index + 1);
                    canvas.text(&empty, (60.0, first as f32 + 80.0), 40.0, AMBER);
                    canvas.put(&page.picture, second);
                }
            }
            top = second + page.picture.height;
        }
        encode(canvas.picture)
    }

    fn band(&self, canvas: &mut Canvas) {
        let verdict = self.report.verdict;
        let width = canvas.picture.width as i64;
        canvas.fill([0, 0, width, BAND as i64 - 12], colour(verdict));
        let end = canvas.text(words(verdict), (36.0, 58.0), 46.0, WHITE);
        // As much of it as there is room for.
        let (left, mut reason) = (end + 60.0, self.report.reason.clone());
        while left + canvas.width(&reason, 32.0) > canvas.picture.width as f32 - 36.0 {
            let fewer = reason.trim_end_matches('…').chars().count().max(1) - 1;
            reason = reason.chars().take(fewer).chain(['…']).collect();
            if fewer == 0 {
                break;
            }
        }
        canvas.text(&reason, (left, 55.0), 32.0, WHITE);
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

/// Marks the fields of a page whose scan and rendition begin at these heights.
fn fields(
    canvas: &mut Canvas,
    found: &FoundPage,
    form: &FormPage,
    [scan_top, form_top]: [usize; 2],
) {
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
    let open = |it: &&FoundField| it.decision.verdict != Verdict::Match;
    for FoundField { area, decision, .. } in found.fields.iter().filter(open) {
        for top in [scan_top, form_top] {
            canvas.frame(place(area, top, 5.0), 4, colour(decision.verdict));
        }
    }
    let differs = |it: &&FoundField| it.decision.verdict == Verdict::Mismatch;
    for FoundField {
        text,
        area,
        decision,
        ..
    } in found.fields.iter().filter(differs)
    {
        if decision.seen.is_empty() && text.is_empty() {
            continue;
        }
        let (text, seen) = (or_nothing(text), or_nothing(&decision.seen));
        let caption = format!("应为 {text} · 所见 {seen}");
        let frame = place(area, scan_top, 5.0);
        caption_beside(canvas, frame, (form, scan_top as i64), &caption);
    }
}

/// Writes a text beside a frame on a page whose upper edge is at `page_top`: where least is lost, else above.
fn caption_beside(
    canvas: &mut Canvas,
    [left, top, right, bottom]: [i64; 4],
    (form, page_top): (&FormPage, i64),
    caption: &str,
) {
    let width = canvas.width(caption, CAPTION_SIZE) as i64 + 16;
    let most_left = canvas.picture.width as i64 - width;
    let level = (top + bottom - CAPTION_HEIGHT) / 2;
    let (above, below) = (top - CAPTION_GAP - CAPTION_HEIGHT, bottom + CAPTION_GAP);
    let places = [
        (left, above),
        (right - width, above),
        (left, below),
        (right - width, below),
        (left - CAPTION_GAP - width, level),
        (right + CAPTION_GAP, level),
    ];
    let ground = |(x, y): (i64, i64)| {
        let x = x.min(most_left).max(0);
        let lowest = page_top + form.picture.height as i64 - CAPTION_HEIGHT;
        let y = y.min(lowest).max(page_top);
        [x, y, x + width, y + CAPTION_HEIGHT]
    };
    // Its own frame, too, is something that is covered.
    let best = places
        .map(ground)
        .into_iter()
        .min_by_key(|it| canvas.loss(*it, (form, page_top)));
    let Some(ground) = best else {
        return;
    };
    canvas.fill(ground, RED);
    let at = (ground[0] as f32 + 8.0, ground[1] as f32 + 26.0);
    canvas.text(caption, at, CAPTION_SIZE, WHITE);
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
