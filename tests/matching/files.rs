//! Files as people send them: several pages, several vouchers on a page, other papers beside them, and harm.

use std::io::Cursor;

use image::{Rgb, RgbImage};
use vouchsafe::matching::{
    DecodeError, Form, InProcess, Matcher, SCAN_MAX_PIXELS, Thresholds, Verdict, each_page,
    marked_places,
};
use vouchsafe::render::Renderer;

use crate::scans::random::Random;
use crate::scans::scanner::{jpeg, pdf};
use crate::scans::{Printed, vouchers};

pub fn printed(renderer: &Renderer, seed: u64) -> Printed {
    let voucher = vouchers::voucher(&mut Random::new(seed), "payment");
    Printed::new(renderer, &voucher, None)
}

fn matcher() -> Matcher {
    Matcher::new(None, Thresholds::default())
}

fn verdict(form: &Form, scan: &[u8]) -> Verdict {
    verdict_of(&matcher(), form, scan)
}

/// What a comparison says of a file, by a matcher.
pub fn verdict_of(matcher: &Matcher, form: &Form, scan: &[u8]) -> Verdict {
    let report = matcher.compare(form, scan).unwrap().report;
    let fields = report.fields.iter();
    for field in fields.filter(|it| it.verdict != Verdict::Match) {
        // Shown where a test fails.
        println!("{}: {}", field.name, field.reason);
    }
    report.verdict
}

/// A page that is no voucher: an invoice's lines.
fn other_paper() -> RgbImage {
    let mut page = RgbImage::from_pixel(1_654, 2_339, Rgb([250; 3]));
    let mut random = Random::new(3);
    for line in 0..40u32 {
        for _ in 0..30 {
            let x = random.below(1_500) as u32 + 60;
            for dx in 0..random.below(20) as u32 {
                page.put_pixel(x + dx, 100 + line * 50, Rgb([40; 3]));
            }
        }
    }
    page
}

fn tiff(pages: &[RgbImage]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
    for page in pages {
        encoder
            .write_image::<tiff::encoder::colortype::RGB8>(
                page.width(),
                page.height(),
                page.as_raw(),
            )
            .unwrap();
    }
    bytes.into_inner()
}

#[test]
fn the_voucher_is_found_among_other_papers_in_a_pdf_and_in_a_tiff() {
    let renderer = Renderer::new();
    let (own, other) = (printed(&renderer, 11), printed(&renderer, 12));
    let form = own.form(&renderer);
    let pages = [other_paper(), own.page(&renderer, 200), other_paper()];
    for file in [pdf(&pages), tiff(&pages)] {
        let report = matcher().compare(&form, &file).unwrap().report;
        assert_eq!(report.verdict, Verdict::Match, "{}", report.reason);
        assert_eq!(report.pages[0].scan_page, Some(2));
        assert_ne!(verdict(&other.form(&renderer), &file), Verdict::Match);
    }
    // A file without it is no answer.
    assert_eq!(verdict(&form, &jpeg(&other_paper())), Verdict::Unsure);
    assert_eq!(verdict(&form, &own.pdf), Verdict::Match);
}

#[test]
fn of_several_vouchers_on_a_page_each_is_held_against_its_own() {
    let renderer = Renderer::new();
    let (upper, lower) = (printed(&renderer, 21), printed(&renderer, 22));
    let (first, second) = (upper.page(&renderer, 200), lower.page(&renderer, 200));
    let mut sheet =
        RgbImage::from_pixel(first.width() + 60, 2 * first.height() + 120, Rgb([255; 3]));
    image::imageops::overlay(&mut sheet, &first, 30, 30);
    // The second one upside down.
    image::imageops::overlay(
        &mut sheet,
        &image::imageops::rotate180(&second),
        30,
        i64::from(first.height()) + 90,
    );
    let scan = jpeg(&sheet);
    assert_eq!(verdict(&upper.form(&renderer), &scan), Verdict::Match);
    assert_eq!(verdict(&lower.form(&renderer), &scan), Verdict::Match);
    assert_ne!(
        verdict(&printed(&renderer, 23).form(&renderer), &scan),
        Verdict::Match
    );
    let mut places = marked_places(&InProcess, &scan).unwrap();
    places.sort();
    let mut expected = [
        upper.drawing.place().to_owned(),
        lower.drawing.place().to_owned(),
    ];
    expected.sort();
    assert_eq!(places, expected);
}

#[test]
fn several_files_of_one_voucher_are_taken_together() {
    let renderer = Renderer::new();
    let own = printed(&renderer, 31);
    let form = own.form(&renderer);
    let (page, other) = (jpeg(&own.page(&renderer, 200)), jpeg(&other_paper()));
    let matcher = matcher();
    let together = |scans: &[(&str, &[u8])]| {
        let mut several = matcher.several(&form);
        for (name, scan) in scans {
            several.add(name, scan).unwrap();
        }
        several.finish().report
    };
    let report = together(&[("scan-1.jpg", &other), ("scan-2.jpg", &page)]);
    assert_eq!(
        (report.verdict, report.pages[0].scan.as_str()),
        (Verdict::Match, "scan-2.jpg")
    );
    // A scan that shows something else is not outvoted by one that does not.
    let mut forged: serde_json::Value = serde_json::from_slice(&own.data).unwrap();
    forged["number"] = serde_json::json!("7777");
    let mark = crate::scans::own_mark(&serde_json::from_slice(&own.data).unwrap());
    let forged = jpeg(&Printed::new(&renderer, &forged, Some(&mark)).page(&renderer, 200));
    for scans in [
        [("a", &page[..]), ("b", &forged[..])],
        [("a", &forged[..]), ("b", &page[..])],
    ] {
        assert_eq!(together(&scans).verdict, Verdict::Mismatch);
    }
    // One that cannot be read may show anything: no match, and nothing of the others is hidden.
    let torn = &b"\xFF\xD8\xFF"[..];
    let beside = together(&[("scan-1.jpg", torn), ("scan-2.jpg", &page), ("b.pdf", b"x")]);
    assert_eq!(beside.verdict, Verdict::Unsure);
    assert!(!beside.is_of_other_papers());
    assert!(beside.fields.iter().all(|it| it.verdict == Verdict::Match));
    let all = format!("all {} fields agree; not read: ", beside.fields.len());
    assert!(beside.reason.starts_with(&all), "{}", beside.reason);
    let named: Vec<_> = beside
        .unread
        .iter()
        .map(|it| it.split(": ").next())
        .collect();
    assert_eq!(named, [Some("scan-1.jpg"), Some("b.pdf")]);
    let differs = together(&[("scan-1.jpg", torn), ("scan-2.jpg", &forged)]);
    assert_eq!(differs.verdict, Verdict::Mismatch);
    let none = together(&[("scan-1.jpg", torn)]);
    assert_eq!(none.verdict, Verdict::Unsure);
    assert!(
        none.reason.starts_with("not read: scan-1.jpg: page 1: "),
        "{}",
        none.reason
    );
    assert!(!none.is_of_other_papers());
}

/// A PNG of a size that it has not the pixels for.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().unwrap();
    writer
        .write_chunk(png::chunk::IDAT, b"x\x9c\x03\0\0\0\0\x01")
        .unwrap();
    drop(writer);
    bytes
}

#[test]
fn what_means_harm_is_refused() {
    let see = |content: &[u8]| each_page(content, |_, _| true);
    assert_eq!(see(b"GIF89a"), Err(DecodeError::Unknown));
    assert_eq!(see(b""), Err(DecodeError::Unknown));
    let side = (SCAN_MAX_PIXELS as f64).sqrt() as u32 + 1;
    for (width, height) in [(side, side), (60_000, 60_000)] {
        assert_eq!(
            see(&bomb(width, height)),
            Err(DecodeError::TooManyPixels { page: 1 })
        );
    }
    let renderer = Renderer::new();
    let own = printed(&renderer, 41);
    let page = own.page(&renderer, 100);
    for whole in [
        jpeg(&page),
        tiff(std::slice::from_ref(&page)),
        pdf(std::slice::from_ref(&page)),
        own.pdf.clone(),
        with_tags(&[1; 1_024], 8, &[(262, vec![3]), (320, vec![7; 768])]),
        with_tags(&[0x1B; 32], 1, &[(259, vec![2]), (266, vec![1])]),
    ] {
        assert_eq!(see(&whole), Ok(()));
        for part in [9, 40, whole.len() / 2, whole.len() - 1] {
            // Refused or read as far as it goes, but never a panic that reaches the caller.
            let _ = see(&whole[..part]);
        }
        let mut random = Random::new(whole.len() as u64);
        for _ in 0..40 {
            let mut damaged = whole.clone();
            for _ in 0..8 {
                let at = random.below(damaged.len());
                damaged[at] = random.next() as u8;
            }
            let _ = see(&damaged);
        }
    }
    // A decoder would make grey of what is cut off.
    let whole = jpeg(&page);
    for length in [60, whole.len() / 3, whole.len() * 97 / 100, whole.len() - 2] {
        let cut = see(&whole[..length]);
        assert!(
            matches!(cut, Err(DecodeError::Damaged { page: 1, .. })),
            "{length}"
        );
    }
    // What some programs write behind a picture harms nothing.
    assert_eq!(see(&[&whole[..], &[0; 9]].concat()), Ok(()));
}

#[test]
fn bilevel_and_sixteen_bit_tiffs_are_read() {
    use tiff::encoder::{TiffEncoder, colortype};
    let (width, height) = (64u32, 32u32);
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    let grey: Vec<u16> = (0..width * height)
        .map(|at| (at % 2 * 65_535) as u16)
        .collect();
    encoder
        .write_image::<colortype::Gray16>(width, height, &grey)
        .unwrap();
    let mut seen = Vec::new();
    each_page(&bytes.into_inner(), |_, picture| {
        seen.push((
            picture.width,
            picture.height,
            picture.pixels[0],
            picture.pixels[1],
        ));
        true
    })
    .unwrap();
    assert_eq!(seen, [(64, 32, [0; 3], [255; 3])]);
}

/// A TIFF of two pages alike, 32 pixels a side: samples of so many bits, and tags of its own.
fn with_tags(samples: &[u8], bits: u16, tags: &[(u16, Vec<u16>)]) -> Vec<u8> {
    use tiff::encoder::TiffEncoder;
    use tiff::tags::Tag;
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    for _ in 0..2 {
        let mut page = encoder.image_directory().unwrap();
        let strip = page.write_data(samples).unwrap() as u32;
        for (tag, value) in [
            (Tag::ImageWidth, 32),
            (Tag::ImageLength, 32),
            (Tag::RowsPerStrip, 32),
            (Tag::StripOffsets, strip),
            (Tag::StripByteCounts, samples.len() as u32),
        ] {
            page.write_tag(tag, value).unwrap();
        }
        // Samples, and that black is zero: others may be said below.
        for (tag, value) in [(258, bits), (259, 1), (262, 1), (277, 1)] {
            page.write_tag(Tag::from_u16_exhaustive(tag), value)
                .unwrap();
        }
        for (tag, values) in tags {
            let tag = Tag::from_u16_exhaustive(*tag);
            page.write_tag(tag, &values[..]).unwrap();
        }
        page.finish().unwrap();
    }
    bytes.into_inner()
}

#[test]
fn palettes_and_bits_in_reverse_order_are_read() {
    let first = |file: &[u8]| {
        let mut pages = Vec::new();
        each_page(file, |_, picture| {
            assert_eq!((picture.width, picture.height), (32, 32));
            pages.push(picture.pixels[..4].to_vec());
            true
        })
        .unwrap();
        let [one, other] = &pages[..] else {
            panic!("{} pages", pages.len());
        };
        assert_eq!(one, other);
        one.clone()
    };
    let (red, paper) = ([200, 10, 20], [250, 251, 252]);
    // All of the reds, then of the greens, then of the blues: of 16 bits, or of 8 as some write them.
    let colours = |count: usize, part: u16| -> Vec<u16> {
        let mut map = vec![0u16; 3 * count];
        for channel in 0..3 {
            map[channel * count + 1] = u16::from(red[channel]) * part;
            map[channel * count + 2] = u16::from(paper[channel]) * part;
        }
        map
    };
    let palette = |bits: u16, part: u16| vec![(262, vec![3u16]), (320, colours(1 << bits, part))];
    let eight: Vec<u8> = (0..1_024).map(|at| [1, 2, 0, 2][at % 4]).collect();
    let four: Vec<u8> = (0..512).map(|at| [0x12, 0x02][at % 2]).collect();
    let two: Vec<u8> = vec![0b01_10_00_10; 256];
    for part in [257, 1] {
        for (samples, bits) in [(&eight, 8), (&four, 4), (&two, 2)] {
            let file = with_tags(samples, bits, &palette(bits, part));
            assert_eq!(first(&file), [red, paper, [0; 3], paper], "{bits} bits");
        }
    }
    // Without a palette the same are shades.
    let file = with_tags(&four, 4, &[]);
    assert_eq!(first(&file), [[17; 3], [34; 3], [0; 3], [34; 3]]);
    let bits = vec![0b1011_0000u8; 128];
    let reversed: Vec<u8> = bits.iter().map(|it| it.reverse_bits()).collect();
    let expected = [[255; 3], [0; 3], [255; 3], [255; 3]];
    assert_eq!(first(&with_tags(&bits, 1, &[])), expected);
    assert_eq!(first(&with_tags(&reversed, 1, &[(266, vec![2])])), expected);
    // A palette that is not there, or not whole, is an error and no guess.
    for tags in [
        vec![(262, vec![3u16])],
        vec![(262, vec![3u16]), (320, vec![7; 9])],
    ] {
        assert!(each_page(&with_tags(&eight, 8, &tags), |_, _| true).is_err());
    }
}

#[test]
fn faxes_of_group_3_are_read_whole_or_not_at_all() {
    // 32 white pixels; none white, 16 black, 16 white (ITU-T T.4, table 2).
    let (blank, half) = ("00011011", "00110101 0000010111 101010");
    let end_of_line = "000000000001";
    let bytes = |bits: String| -> Vec<u8> {
        let bits: Vec<u8> = bits.bytes().filter(|it| *it != b' ').collect();
        let byte = |part: &[u8]| {
            let each = part.iter().enumerate();
            each.fold(0u8, |byte, (at, bit)| byte | (bit - b'0') << (7 - at))
        };
        bits.chunks(8).map(byte).collect()
    };
    let with_ends = bytes(format!("{end_of_line}{blank}{end_of_line}{half}").repeat(16));
    let without = bytes(format!("{blank}{half}").repeat(16));
    let read = |strip: &[u8], tags: &[(u16, Vec<u16>)]| {
        let mut seen = Vec::new();
        each_page(&with_tags(strip, 1, tags), |_, picture| {
            let at = |x: usize, y: usize| picture.pixels[y * 32 + x][0];
            seen.push([at(0, 0), at(31, 0), at(15, 31), at(16, 31)]);
            true
        })
        .map(|()| seen)
    };
    let tags = |compression: u16, photometric: u16| {
        vec![(259, vec![compression]), (262, vec![photometric])]
    };
    let expected = Ok(vec![[255, 255, 0, 255]; 2]);
    assert_eq!(read(&with_ends, &tags(3, 0)), expected);
    assert_eq!(read(&without, &tags(2, 0)), expected);
    assert_eq!(read(&without, &tags(2, 1)), Ok(vec![[0, 0, 255, 0]; 2]));
    let reversed: Vec<u8> = with_ends.iter().map(|it| it.reverse_bits()).collect();
    let in_reverse = [tags(3, 0), vec![(266, vec![2])]].concat();
    assert_eq!(read(&reversed, &in_reverse), expected);
    // What is missing is not called white.
    for (strip, compression) in [(&with_ends, 3), (&without, 2)] {
        for length in [0, 1, strip.len() / 2, strip.len() - 3] {
            let cut = read(&strip[..length], &tags(compression, 0));
            assert!(cut.is_err(), "{length} of {compression}: {cut:?}");
        }
    }
}
