//! From a clean print to what a scanner or a telephone makes of it.

use std::f64::consts::TAU;

use image::{ImageBuffer, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder};

use super::condition::{Condition, Ink};
use super::random::Random;

fn smooth_noise(x: f64, y: f64, seed: u64) -> f64 {
    let corner = |x: i64, y: i64| {
        let mut hash = (x as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ (y as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F)
            ^ seed;
        hash = (hash ^ (hash >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        ((hash >> 40) & 0xFFFF) as f64 / 32_768.0 - 1.0
    };
    let (left, top) = (x.floor(), y.floor());
    let (fx, fy) = (x - left, y - top);
    let (left, top) = (left as i64, top as i64);
    let upper = corner(left, top) + (corner(left + 1, top) - corner(left, top)) * fx;
    let lower = corner(left, top + 1) + (corner(left + 1, top + 1) - corner(left, top + 1)) * fx;
    upper + (lower - upper) * fy
}

/// Multiplies a pixel's channels by what ink lets through.
fn ink(page: &mut RgbImage, x: i64, y: i64, through: [f64; 3], part: f64) {
    if x < 0 || y < 0 || x >= i64::from(page.width()) || y >= i64::from(page.height()) {
        return;
    }
    let pixel = page.get_pixel_mut(x as u32, y as u32);
    for (value, through) in pixel.0.iter_mut().zip(through) {
        *value = (f64::from(*value) * (1.0 - part * (1.0 - through))) as u8;
    }
}

/// A red company seal: ring, star and blurred characters, unevenly inked.
fn seal(page: &mut RgbImage, centre: (f64, f64), radius: f64, random: &mut Random) {
    let red = [0.86, random.between(0.15, 0.35), random.between(0.15, 0.35)];
    let (seed, square) = (random.next(), random.chance(0.3));
    let reach = radius as i64 + 2;
    for dy in -reach..=reach {
        for dx in -reach..=reach {
            let (fx, fy) = (dx as f64 / radius, dy as f64 / radius);
            let distance = if square {
                fx.abs().max(fy.abs())
            } else {
                fx.hypot(fy)
            };
            let angle = fy.atan2(fx);
            let ring = (0.92..1.0).contains(&distance);
            let letters = (0.62..0.85).contains(&distance)
                && (angle * 9.0).sin() > 0.1
                && smooth_noise(fx * 14.0, fy * 14.0, seed) > -0.2;
            let star =
                distance < 0.34 && (5.0 * (angle + 1.57)).cos() * 0.12 + 0.2 > distance - 0.02;
            if ring || letters || star {
                let uneven = 0.75 + 0.25 * smooth_noise(fx * 6.0, fy * 6.0, seed ^ 7);
                ink(
                    page,
                    centre.0 as i64 + dx,
                    centre.1 as i64 + dy,
                    red,
                    uneven,
                );
            }
        }
    }
}

/// A stroke of a pen through some points.
fn stroke(page: &mut RgbImage, points: &[(f64, f64)], width: f64, colour: [f64; 3]) {
    for pair in points.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let steps = ((a.0 - b.0).hypot(a.1 - b.1) * 2.0).ceil().max(1.0) as usize;
        for step in 0..steps {
            let part = step as f64 / steps as f64;
            let (x, y) = (a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part);
            let reach = (width / 2.0).ceil() as i64;
            for dy in -reach..=reach {
                for dx in -reach..=reach {
                    if ((dx * dx + dy * dy) as f64) <= width * width / 4.0 {
                        let (px, py) = (x as i64 + dx, y as i64 + dy);
                        if px >= 0
                            && py >= 0
                            && px < i64::from(page.width())
                            && py < i64::from(page.height())
                        {
                            let pixel = page.get_pixel_mut(px as u32, py as u32);
                            for (value, colour) in pixel.0.iter_mut().zip(colour) {
                                *value = (f64::from(*value)).min(colour * 255.0) as u8;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A scrawl as of a signature around a point.
fn scrawl(page: &mut RgbImage, at: (f64, f64), size: f64, millimetre: f64, random: &mut Random) {
    let colour = random.pick(&[[0.1, 0.1, 0.12], [0.12, 0.15, 0.45], [0.05, 0.1, 0.35]]);
    let (mut x, mut y) = (at.0 - size, at.1);
    let mut points = vec![(x, y)];
    for _ in 0..14 {
        x += random.between(-0.1, 0.3) * size;
        y = at.1 + random.between(-0.35, 0.35) * size;
        points.push((x, y));
    }
    let smooth: Vec<(f64, f64)> = points
        .windows(3)
        .flat_map(|it| {
            (0..8).map(move |step| {
                let t = f64::from(step) / 8.0;
                let mix = |a: f64, b: f64, c: f64| {
                    let (p, q) = ((a + b) / 2.0, (b + c) / 2.0);
                    p * (1.0 - t) * (1.0 - t) + 2.0 * b * t * (1.0 - t) + q * t * t
                };
                (
                    mix(it[0].0, it[1].0, it[2].0),
                    mix(it[0].1, it[1].1, it[2].1),
                )
            })
        })
        .collect();
    stroke(page, &smooth, 0.45 * millimetre, colour);
}

/// A JPEG file of a scan of `print`, a page at the condition's resolution. `signed` are places in millimetres
/// where people sign.
pub fn scan(
    mut print: RgbImage,
    condition: &Condition,
    signed: &[(f64, f64)],
    random: &mut Random,
) -> Vec<u8> {
    let millimetre = f64::from(condition.dots_per_inch) / 25.4;
    let (width, height) = (f64::from(print.width()), f64::from(print.height()));
    for (x, y) in signed {
        scrawl(
            &mut print,
            (x * millimetre, y * millimetre),
            8.0 * millimetre,
            millimetre,
            random,
        );
    }
    for _ in 0..condition.strokes {
        let at = (
            random.between(0.1, 0.9) * width,
            random.between(0.3, 0.8) * height,
        );
        scrawl(
            &mut print,
            at,
            random.between(4.0, 10.0) * millimetre,
            millimetre,
            random,
        );
    }
    for _ in 0..condition.seals {
        let at = (
            random.between(0.15, 0.9) * width,
            random.between(0.3, 0.9) * height,
        );
        seal(
            &mut print,
            at,
            random.between(12.0, 20.0) * millimetre,
            random,
        );
    }
    let moved = geometry(&print, condition, millimetre, random);
    let picture = optics(moved, condition, random);
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    let mut bytes = Vec::new();
    let encoder = Encoder::new(&mut bytes, condition.jpeg);
    match condition.ink {
        Ink::Colour => encoder
            .encode(picture.as_raw(), width, height, ColorType::Rgb)
            .unwrap(),
        Ink::Grey | Ink::Bilevel => {
            let luma = |pixel: &Rgb<u8>| {
                let [r, g, b] = pixel.0.map(f64::from);
                (0.299 * r + 0.587 * g + 0.114 * b) as u8
            };
            let grey: Vec<u8> = picture.pixels().map(luma).collect();
            if condition.ink == Ink::Bilevel {
                bytes.clear();
                let bits: Vec<u8> = grey
                    .iter()
                    .map(|it| if *it > 150 { 255 } else { 0 })
                    .collect();
                let image: ImageBuffer<image::Luma<u8>, Vec<u8>> =
                    ImageBuffer::from_raw(u32::from(width), u32::from(height), bits).unwrap();
                image
                    .write_to(
                        &mut std::io::Cursor::new(&mut bytes),
                        image::ImageFormat::Png,
                    )
                    .unwrap();
                return bytes;
            }
            encoder
                .encode(&grey, width, height, ColorType::Luma)
                .unwrap();
        }
    }
    bytes
}

/// Rotation, perspective, fold and curl.
fn geometry(
    print: &RgbImage,
    condition: &Condition,
    millimetre: f64,
    random: &mut Random,
) -> RgbImage {
    let (width, height) = (f64::from(print.width()), f64::from(print.height()));
    let margin = condition.margin * millimetre;
    let angle = condition.rotation.to_radians();
    let (sin, cos) = angle.sin_cos();
    let span = (
        (width * cos.abs() + height * sin.abs()) + 2.0 * margin,
        (width * sin.abs() + height * cos.abs()) + 2.0 * margin,
    );
    let (tilt_x, tilt_y) = (
        condition.perspective * random.between(-1.0, 1.0) / width * 2.0,
        condition.perspective * random.between(-1.0, 1.0) / height * 2.0,
    );
    let fold_at = random.between(0.3, 0.7) * height;
    let (phase, period) = (random.between(0.0, TAU), random.between(0.6, 1.6) * width);
    let seed = random.next();
    let (out_width, out_height) = (span.0 as u32, span.1 as u32);
    let bleed = condition.bleed;
    let pixel = |x: f64, y: f64| -> Option<[f64; 3]> {
        if x < 0.0 || y < 0.0 || x >= width - 1.0 || y >= height - 1.0 {
            return None;
        }
        let (left, top) = (x as u32, y as u32);
        let (fx, fy) = (x - f64::from(left), y - f64::from(top));
        let at = |dx: u32, dy: u32| print.get_pixel(left + dx, top + dy).0.map(f64::from);
        let (a, b, c, d) = (at(0, 0), at(1, 0), at(0, 1), at(1, 1));
        Some(std::array::from_fn(|it| {
            let upper = a[it] + (b[it] - a[it]) * fx;
            let lower = c[it] + (d[it] - c[it]) * fx;
            upper + (lower - upper) * fy
        }))
    };
    let mut out = RgbImage::new(out_width, out_height);
    for (x, y, value) in out.enumerate_pixels_mut() {
        let (cx, cy) = (f64::from(x) - span.0 / 2.0, f64::from(y) - span.1 / 2.0);
        let depth = 1.0 + tilt_x * cx + tilt_y * cy;
        let (cx, cy) = (cx / depth, cy / depth);
        let mut px = cx * cos + cy * sin + width / 2.0;
        let mut py = -cx * sin + cy * cos + height / 2.0;
        if condition.curl > 0.0 {
            py += condition.curl * millimetre * (px / period * TAU + phase).sin();
            px += condition.curl * 0.4 * millimetre * (py / height * 5.0 + phase).cos();
        }
        let mut shade = 1.0;
        if condition.fold {
            let off = (py - fold_at) / millimetre;
            py += 0.25 * millimetre * off.signum() * (-off.abs() / 8.0).exp();
            shade -= 0.25 * (-(off / 0.7).powi(2)).exp();
        }
        let mut colour = match pixel(px, py) {
            Some(colour) => colour,
            None => {
                let around = f64::from(condition.around)
                    + 6.0 * smooth_noise(f64::from(x) / 9.0, f64::from(y) / 9.0, seed);
                value.0 = [around.clamp(0.0, 255.0) as u8; 3];
                continue;
            }
        };
        if bleed > 0.0
            && let Some(back) = pixel(width - px, py + 4.0 * millimetre)
        {
            for (value, back) in colour.iter_mut().zip(back) {
                *value *= 1.0 - bleed * (1.0 - back / 255.0);
            }
        }
        if condition.texture > 0.0 {
            let grain = condition.texture
                * (0.6 * smooth_noise(px / 3.0, py / 3.0, seed)
                    + 0.4 * smooth_noise(px / 40.0, py / 40.0, seed ^ 3));
            for value in &mut colour {
                *value += grain - condition.texture * 0.5;
            }
        }
        value.0 = colour.map(|it| (it * shade).clamp(0.0, 255.0) as u8);
    }
    match condition.turns % 4 {
        1 => image::imageops::rotate90(&out),
        2 => image::imageops::rotate180(&out),
        3 => image::imageops::rotate270(&out),
        _ => out,
    }
}

/// Light, blur, gamma and noise.
fn optics(mut picture: RgbImage, condition: &Condition, random: &mut Random) -> RgbImage {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    if condition.blur > 0.05 {
        // Not `fast_blur`: image 0.25 rounds its radii up to odd numbers, so that no deviation under 1.4 pixels is possible.
        picture = image::imageops::blur(&picture, condition.blur as f32);
    }
    let direction = random.between(0.0, TAU);
    let (dx, dy) = (direction.cos(), direction.sin());
    let edge = random.between(0.2, 0.6);
    let hard = random.chance(0.3);
    let mut noise = random.clone();
    let shown = |value: u8, light: f64| {
        let lit = f64::from(value) / 255.0 * light;
        lit.max(0.0).powf(condition.gamma) * 255.0
    };
    let evenly: [f64; 256] = std::array::from_fn(|value| shown(value as u8, 1.0));
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let along =
            0.5 + ((f64::from(x) / width - 0.5) * dx + (f64::from(y) / height - 0.5) * dy) / 1.42;
        let part = if hard {
            ((along - edge) * 12.0).clamp(0.0, 1.0)
        } else {
            along
        };
        let light = 1.0 - condition.shade * part;
        let grain = noise.normal() * condition.noise;
        for value in &mut pixel.0 {
            let shown = match condition.shade > 0.0 {
                true => shown(*value, light),
                false => evenly[usize::from(*value)],
            };
            *value = (shown + grain).clamp(0.0, 255.0) as u8;
        }
    }
    picture
}
