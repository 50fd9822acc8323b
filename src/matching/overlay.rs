//! A picture of a comparison that is understood at a glance: the scan above, the rendition below, both the same way
//! up; what differs is framed and says what was expected and what is seen.

use super::canvas::Canvas;
use super::compare::Comparison;
use super::form::{Area, FORM_INK, FormPage};
use super::found::{FoundField, FoundPage};
use super::rectify::Pyramid;
use super::report::Verdict;
use super::{DecodeError, Form};
use crate::render::{PagePixels, Renderer};

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

impl Canvas<'_> {
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
        let mut canvas = Canvas::blank(renderer, (width, height), GROUND);
        band(&mut canvas, self.report.verdict, &self.report.reason);
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
        canvas.picture.few_shades()
    }
}

/// The picture of a comparison with what a person decided above it, and what the archive had seen without colour. None where it
/// is no picture.
pub fn settled(
    renderer: &Renderer,
    picture: &[u8],
    verdict: Verdict,
    reason: &str,
) -> Option<Vec<u8>> {
    let before = image::load_from_memory(picture).ok()?.to_rgb8();
    let (width, height) = (before.width() as usize, before.height() as usize);
    let mut before: Vec<[u8; 3]> = before.pixels().map(|pixel| pixel.0).collect();
    for pixel in before.iter_mut().take(width * BAND) {
        // How bright it is to the eye (ITU-R BT.601), so that what is written on it stays legible.
        let [red, green, blue] = pixel.map(u32::from);
        *pixel = [((77 * red + 150 * green + 29 * blue) / 256) as u8; 3];
    }
    let mut canvas = Canvas::blank(renderer, (width, BAND + height), GROUND);
    band(&mut canvas, verdict, reason);
    let before = PagePixels {
        width,
        height,
        pixels: before,
    };
    canvas.put(&before, BAND);
    canvas.picture.few_shades().ok()
}

/// The band at the top of a picture: a verdict, and as much of its reason as there is room for.
fn band(canvas: &mut Canvas, verdict: Verdict, reason: &str) {
    let width = canvas.picture.width as i64;
    canvas.fill([0, 0, width, BAND as i64 - 12], colour(verdict));
    let end = canvas.text(words(verdict), (36.0, 58.0), 46.0, WHITE);
    let left = end + 60.0;
    let reason = canvas.fitting(reason, 32.0, width as f32 - 36.0 - left);
    canvas.text(&reason, (left, 55.0), 32.0, WHITE);
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
