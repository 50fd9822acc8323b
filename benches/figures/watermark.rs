//! How often a mark is read from what was done to a copy, and that nothing else is ever read.

use std::time::Instant;

use image::codecs::jpeg::JpegEncoder;
use vouchsafe::render::{Mark as Code, PagePixels, Renderer};
use vouchsafe::voucher::Voucher;
use vouchsafe::voucher::template::Template;
use vouchsafe::watermark::{self, BEGINNING_BYTES, Kind, Mark, ViewId, find};

use crate::peer::number;
use crate::scans::random::Random;
use crate::server::voucher;

const DOTS_PER_INCH: u32 = 200;
const PARTS: [&str; 3] = ["whole", "half", "quarter"];
type Damage = fn(&PagePixels, &mut Random) -> PagePixels;

const DAMAGES: [(&str, Damage); 9] = [
    ("as it is", |page, _| page.clone()),
    ("JPEG 50 to 90", |page, random| {
        jpeg(page, between(random, 50.0, 90.0) as u8)
    }),
    ("JPEG 50", |page, _| jpeg(page, 50)),
    ("scale 0.5 to 1, JPEG 50 to 90", |page, random| {
        let factor = between(random, 0.5, 1.0);
        jpeg(&scaled(page, factor), between(random, 50.0, 90.0) as u8)
    }),
    ("scale 0.5, JPEG 50", |page, _| jpeg(&scaled(page, 0.5), 50)),
    ("turned by up to 10 degrees, JPEG 75", |page, random| {
        let angle = between(random, -10.0, 10.0).to_radians();
        jpeg(&seen(page, 1.0, angle, (0.0, 0.0)), 75)
    }),
    ("turned by 90 degrees, JPEG 75", |page, _| {
        jpeg(
            &seen(page, 1.0, std::f32::consts::FRAC_PI_2, (0.0, 0.0)),
            75,
        )
    }),
    ("slanted, JPEG 75", |page, random| {
        let slant = (between(random, -0.12, 0.12), between(random, -0.12, 0.12));
        jpeg(&seen(page, 0.9, 0.0, slant), 75)
    }),
    ("photograph of a screen", screen),
];

fn between(random: &mut Random, from: f32, to: f32) -> f32 {
    from + (to - from) * random.unit() as f32
}

fn jpeg(page: &PagePixels, quality: u8) -> PagePixels {
    let mut bytes = Vec::new();
    let (width, height) = (page.width as u32, page.height as u32);
    let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    let colour = image::ExtendedColorType::Rgb8;
    let written = image::ImageEncoder::write_image(
        encoder,
        page.pixels.as_flattened(),
        width,
        height,
        colour,
    );
    written.unwrap();
    pixels(&bytes)
}

fn pixels(file: &[u8]) -> PagePixels {
    let read = image::load_from_memory(file).unwrap().to_rgb8();
    PagePixels {
        width: read.width() as usize,
        height: read.height() as usize,
        pixels: read.pixels().map(|it| it.0).collect(),
    }
}

/// The picture as `place` says where each of its new pixels comes from, each the mean of four points.
fn resampled(
    page: &PagePixels,
    width: usize,
    height: usize,
    place: impl Fn(f32, f32) -> (f32, f32),
) -> PagePixels {
    let pixel = |x: f32, y: f32| {
        let (x, y) = (
            x.clamp(0.0, page.width as f32 - 1.001),
            y.clamp(0.0, page.height as f32 - 1.001),
        );
        let (left, top) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let at = |dx: usize, dy: usize| {
            let (x, y) = (
                (left + dx).min(page.width - 1),
                (top + dy).min(page.height - 1),
            );
            page.pixels[y * page.width + x].map(f32::from)
        };
        let (a, b, c, d) = (at(0, 0), at(1, 0), at(0, 1), at(1, 1));
        std::array::from_fn::<f32, 3, _>(|it| {
            (a[it] * (1.0 - fx) + b[it] * fx) * (1.0 - fy) + (c[it] * (1.0 - fx) + d[it] * fx) * fy
        })
    };
    let mut out = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let mut sum = [0.0; 3];
            for (dx, dy) in [(-0.25, -0.25), (0.25, -0.25), (-0.25, 0.25), (0.25, 0.25)] {
                let (from_x, from_y) = place(x as f32 + dx, y as f32 + dy);
                let inside = (-1.0..=page.width as f32).contains(&from_x)
                    && (-1.0..=page.height as f32).contains(&from_y);
                let colour = if inside {
                    pixel(from_x, from_y)
                } else {
                    [90.0, 80.0, 70.0]
                };
                sum.iter_mut()
                    .zip(colour)
                    .for_each(|(sum, it)| *sum += it / 4.0);
            }
            out.push(sum.map(|it| it.round().clamp(0.0, 255.0) as u8));
        }
    }
    PagePixels {
        width,
        height,
        pixels: out,
    }
}

fn scaled(page: &PagePixels, factor: f32) -> PagePixels {
    let side = |length: usize| (length as f32 * factor).round() as usize;
    resampled(page, side(page.width), side(page.height), |x, y| {
        ((x + 0.5) / factor - 0.5, (y + 0.5) / factor - 0.5)
    })
}

/// The page at a scale, turned, and seen from the side.
fn seen(page: &PagePixels, scale: f32, angle: f32, (across, down): (f32, f32)) -> PagePixels {
    let (sine, cosine) = angle.sin_cos();
    let (w, h) = (page.width as f32, page.height as f32);
    let width = (w * cosine.abs() + h * sine.abs()) * scale;
    let height = (h * cosine.abs() + w * sine.abs()) * scale;
    resampled(page, width as usize, height as usize, |x, y| {
        let (x, y) = ((x - width / 2.0) / scale, (y - height / 2.0) / scale);
        let depth = 1.0 + (across * x + down * y) * 2.0 / w;
        let (x, y) = (x / depth, y / depth);
        (
            w / 2.0 + x * cosine + y * sine,
            h / 2.0 - x * sine + y * cosine,
        )
    })
}

/// A page on a screen that a telephone photographs: the screen's own pixels, a hand that is not still, light from one
/// side, another gamma, noise, JPEG.
fn screen(page: &PagePixels, random: &mut Random) -> PagePixels {
    let shown = scaled(page, between(random, 0.6, 1.0));
    let scale = between(random, 1.1, 1.6);
    let slant = (between(random, -0.08, 0.08), between(random, -0.08, 0.08));
    let mut photo = seen(&shown, scale, between(random, -0.07, 0.07), slant);
    let (light_x, light_y) = (between(random, -0.25, 0.25), between(random, -0.2, 0.2));
    let (light, gamma) = (between(random, 0.75, 0.95), between(random, 0.85, 1.15));
    let (noise, grid) = (between(random, 1.5, 4.0), between(random, 0.0, 0.12));
    let pitch = between(random, 0.8, 1.2) / scale * std::f32::consts::TAU;
    let (width, height) = (photo.width as f32, photo.height as f32);
    for (at, pixel) in photo.pixels.iter_mut().enumerate() {
        let (x, y) = ((at % photo.width) as f32, (at / photo.width) as f32);
        let lit = light
            * (1.0 + light_x * (2.0 * x / width - 1.0) + light_y * (2.0 * y / height - 1.0))
                .min(1.05);
        let wave = |along: f32| 0.5 + 0.5 * (pitch * along).cos();
        let dark = 1.0 - grid * wave(x + 0.01 * y) * wave(y - 0.013 * x);
        *pixel = pixel.map(|it| {
            let grain = noise * random.normal() as f32;
            ((f32::from(it) / 255.0).powf(gamma) * lit * dark * 255.0 + grain)
                .round()
                .clamp(0.0, 255.0) as u8
        });
    }
    let quality = between(random, 70.0, 92.0) as u8;
    jpeg(&photo, quality)
}

fn cut(page: &PagePixels, part: &str, random: &mut Random) -> PagePixels {
    let (width, height) = match part {
        "whole" => return page.clone(),
        "half" if random.unit() < 0.5 => (page.width / 2, page.height),
        "half" => (page.width, page.height / 2),
        _ => (page.width / 2, page.height / 2),
    };
    let left = (random.unit() * (page.width - width) as f64) as usize;
    let top = (random.unit() * (page.height - height) as f64) as usize;
    let rows = page.pixels.chunks_exact(page.width).skip(top).take(height);
    PagePixels {
        width,
        height,
        pixels: rows
            .flat_map(|row| row[left..left + width].iter().copied())
            .collect(),
    }
}

/// The archived picture of a voucher of each built-in form.
fn archived(renderer: &Renderer) -> Vec<Vec<u8>> {
    ["payment", "receipt", "transfer", "general", "journal"]
        .iter()
        .map(|kind| {
            let data = String::from_utf8(voucher("0001")).unwrap();
            let voucher = Voucher::from_json(data.as_bytes()).unwrap();
            let template = Template::from_toml(Template::builtin(kind).unwrap()).unwrap();
            let code = Code {
                place: "/acme/gl/2024-03/payment/0001".to_owned(),
                digest: "0".repeat(64),
            };
            let drawing = renderer.draw(&template, &voucher, &code).unwrap();
            let pdf = renderer.pdf(&drawing, data.as_bytes()).unwrap();
            renderer.png(&pdf, DOTS_PER_INCH).unwrap()
        })
        .collect()
}

pub fn measure() {
    let renderer = Renderer::new();
    let archived = archived(&renderer);
    let mut random = Random::new(number("SEED", 1));
    let mark = |number: u64| Mark {
        id: ViewId::new(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 14),
        name: "ann.example".to_owned(),
        date: "2026-11-25".to_owned(),
    };
    let copy = |which: usize, id: &Mark| {
        let file = &archived[which];
        let length = Kind::Png
            .length(file.len() as u64, &file[..BEGINNING_BYTES])
            .unwrap();
        let made = watermark::form(&renderer, id, Kind::Png, file, length).unwrap();
        (made.unwrap(), length)
    };
    let rounds = 40;
    let start = Instant::now();
    let mut length = 0;
    (0..rounds).for_each(|round| length = copy(0, &mark(round)).1);
    let each = start.elapsed().as_secs_f64() * 1e3 / rounds as f64;
    println!(
        "watermark marking a PNG of 200 dpi {each:8.2} ms   {} bytes, from {}",
        length,
        archived[0].len()
    );
    let (cases, mut wrong, mut slowest) = (number("CASES", 40), 0, 0.0f64);
    for (name, damage) in DAMAGES {
        print!("watermark {name:36}");
        for part in PARTS {
            let mut right = 0;
            for case in 0..cases {
                let mark = mark(random.next());
                let (file, _) = copy(case % archived.len(), &mark);
                let photo = damage(&cut(&pixels(&file), part, &mut random), &mut random);
                let start = Instant::now();
                match find(&photo) {
                    Some(id) if id == mark.id => right += 1,
                    Some(_) => wrong += 1,
                    None => {}
                }
                slowest = slowest.max(start.elapsed().as_secs_f64());
            }
            print!("  {part} {:5.1} %", 100.0 * right as f64 / cases as f64);
        }
        println!("   of {cases} each");
    }
    println!("watermark wrong ids {wrong}, slowest search {slowest:.2} s");
    let pictures = number("UNMARKED", 10_000);
    let (mut named, mut read) = (0, 0);
    let plain: Vec<PagePixels> = archived.iter().map(|file| pixels(file)).collect();
    for case in 0..pictures {
        // Small ones, so that there can be many: parts of forms without a mark, and parts of marked ones in which
        // more is destroyed than can be mended.
        let id = mark(random.next());
        let destroyed = case % 2 == 1;
        let page = if destroyed {
            pixels(&copy(case % archived.len(), &id).0)
        } else {
            plain[case % plain.len()].clone()
        };
        let mut part = cut(&cut(&page, "quarter", &mut random), "quarter", &mut random);
        if destroyed {
            let noise = between(&mut random, 4.0, 24.0);
            for pixel in &mut part.pixels {
                let grain = noise * random.normal() as f32;
                *pixel = pixel.map(|it| (f32::from(it) + grain).clamp(0.0, 255.0) as u8);
            }
        }
        let photo = jpeg(&part, between(&mut random, 20.0, 90.0) as u8);
        match find(&photo) {
            Some(found) if destroyed && found == id.id => read += 1,
            Some(_) => named += 1,
            None => {}
        }
    }
    println!(
        "watermark false names {named} in {pictures} unmarked or destroyed pictures ({read} were read rightly)"
    );
}
