//! Which characters look like which: the alternatives that a claimed character has to beat.

/// For each Han character of the common typeface, ascending: the character and those that look most like it, the
/// likest first, each as two bytes, the lower first. Made from the typeface by a test; see fonts/README.md.
const TABLE: &[u8] = include_bytes!("../../fonts/alike.bin");
/// Alternatives of a character in the table.
pub(super) const ALTERNATIVES: usize = 24;
const ROW_BYTES: usize = 2 * (1 + ALTERNATIVES);
/// How much ink of each character of the table correlates with each of those in its row at most, at [`LIKENESS_SIZE`] or larger
/// and blurred by [`LIKENESS_BLUR`] or less, from -1 to 1 as a byte; after the rows, the same for [`CAPITALS`]. Made by a test as well.
const LIKENESSES: &[u8] = include_bytes!("../../fonts/likeness.bin");
/// The size in pixels an em for which these are: 9.5 points at 200 dots per inch.
pub(super) const LIKENESS_SIZE: f32 = 26.0;
/// The blur in pixels.
pub(super) const LIKENESS_BLUR: f32 = 1.0;
/// How much more than in the table two characters may correlate: elsewhere within their pixels, and in other sizes.
const LIKENESS_MARGIN: f32 = 0.02;
/// What amounts are written with, in capital numerals.
pub(super) const CAPITALS: &str = "零壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整";
/// What an amount, a number or a date can have instead of one of its characters.
const FIGURES: &str = "0123456789";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SIGNS: &str = "1lI|-/";

/// The characters that look most like this one, the likest first, at most so many if it is a Han character; none are known
/// of a rare one.
pub(super) fn alike(character: char, most: usize) -> Vec<char> {
    let among = |set: &str| set.chars().filter(|it| *it != character).collect();
    match character {
        '0'..='9' => among(FIGURES),
        'A'..='Z' | 'a'..='z' => among(LETTERS),
        ' '..='~' | '¥' => among(SIGNS),
        _ => row(character).map_or(Vec::new(), |row| {
            row.filter(|it| *it != character).take(most).collect()
        }),
    }
}

/// The others in a character's row.
fn row(character: char) -> Option<impl Iterator<Item = char>> {
    place(character).map(row_at)
}

fn row_at(place: usize) -> impl Iterator<Item = char> {
    let (rows, _) = TABLE.as_chunks::<ROW_BYTES>();
    let (codes, _) = rows[place][2..].as_chunks::<2>();
    codes
        .iter()
        .filter_map(|code| char::from_u32(u32::from(u16::from_le_bytes(*code))))
}

/// Where a character's row is.
fn place(character: char) -> Option<usize> {
    let (rows, _) = TABLE.as_chunks::<ROW_BYTES>();
    let code = |row: &[u8; ROW_BYTES]| u32::from(u16::from_le_bytes([row[0], row[1]]));
    rows.binary_search_by_key(&u32::from(character), code).ok()
}

/// How much the ink of a character correlates with that of another at most, wherever within a pixel the two are: of type of
/// [`LIKENESS_SIZE`] or more, blurred by [`LIKENESS_BLUR`] or less. None where that is not known.
pub(super) fn likeness(character: char, other: char) -> Option<f32> {
    let capital = |it: char| CAPITALS.chars().position(|capital| capital == it);
    let place = place(character)?;
    let at = match row_at(place).position(|it| it == other) {
        Some(column) => place * ALTERNATIVES + column,
        None => {
            let rows = TABLE.len() / ROW_BYTES * ALTERNATIVES;
            rows + capital(character)? * CAPITALS.chars().count() + capital(other)?
        }
    };
    let known = f32::from(*LIKENESSES.get(at)?) / 127.5 - 1.0;
    Some((known + LIKENESS_MARGIN).min(1.0))
}

/// How much ink correlates at most with a character of this likeness to another, with which it correlates by `claimed`:
/// correlations are cosines of angles, and the angle between two is no more than those between each and a third.
pub(super) fn correlates_at_most(claimed: f32, likeness: f32) -> f32 {
    let angle = |correlation: f32| correlation.clamp(-1.0, 1.0).acos();
    (angle(likeness) - angle(claimed)).max(0.0).cos()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::glyphs::AROUND;
    use super::super::patch::Patch;
    use super::*;
    use crate::render::{Renderer, Typeface};

    /// Side of the squares in which characters are compared, in pixels.
    const SIDE: usize = 20;

    /// A character as a small blurred picture of mean 0 and length 1.
    fn look(
        renderer: &Renderer,
        typeface: Typeface,
        character: char,
    ) -> Option<[f32; SIDE * SIDE]> {
        let shape = renderer.shape(typeface, character)?;
        let ems = SIDE as f32 / 1.1;
        let drawn = renderer.coverage(typeface, shape.id, ems, (0.05 * ems, 0.93 * ems));
        let mut sharp = [0.0f32; SIDE * SIDE];
        for row in 0..drawn.height {
            for column in 0..drawn.width {
                let (x, y) = (drawn.left + column as i32, drawn.top + row as i32);
                if (0..SIDE as i32).contains(&x) && (0..SIDE as i32).contains(&y) {
                    sharp[y as usize * SIDE + x as usize] =
                        drawn.values[row * drawn.width + column];
                }
            }
        }
        let mut look = [0.0f32; SIDE * SIDE];
        for y in 0..SIDE {
            for x in 0..SIDE {
                let mut sum = 0.0;
                for (dy, wy) in [(0usize, 0.25), (1, 0.5), (2, 0.25)] {
                    for (dx, wx) in [(0usize, 0.25), (1, 0.5), (2, 0.25)] {
                        let (x, y) = ((x + dx).wrapping_sub(1), (y + dy).wrapping_sub(1));
                        if x < SIDE && y < SIDE {
                            sum += wx * wy * sharp[y * SIDE + x];
                        }
                    }
                }
                look[y * SIDE + x] = sum;
            }
        }
        let mean = look.iter().sum::<f32>() / look.len() as f32;
        look.iter_mut().for_each(|it| *it -= mean);
        let norm = look.iter().map(|it| it * it).sum::<f32>().sqrt().max(1e-6);
        look.iter_mut().for_each(|it| *it /= norm);
        Some(look)
    }

    /// Ink of a character as large and as blurred as its likeness is told for, with a margin.
    fn ink(renderer: &Renderer, (character, size): (char, f32), origin: f32, blur: f32) -> Patch {
        let shape = renderer.shape(Typeface::Serif, character).unwrap();
        let margin = 4;
        let high = (0.90 * size).ceil() as i32;
        let mut ink = Patch::blank(
            -margin,
            -high - margin,
            (shape.advance as f32 * size / 1000.0).ceil() as i32 + margin,
            (0.14 * size).ceil() as i32 + margin,
        );
        let start = origin + shape.shift as f32 * size / 1000.0;
        let drawn = renderer.coverage(Typeface::Serif, shape.id, size, (start, origin));
        ink.add(&drawn.into());
        ink.blurred(blur)
    }

    /// The largest correlation of two inks up to a pixel apart.
    fn likest(one: &Patch, other: &Patch) -> f32 {
        let within = |patch: &Patch, (dx, dy): (i32, i32)| -> (Vec<f32>, f32) {
            let mut cell = Patch::blank(
                patch.left + 3,
                patch.top + 3,
                patch.left + patch.width as i32 - 3,
                patch.top + patch.height as i32 - 3,
            );
            cell.add(&Patch {
                left: patch.left + dx,
                top: patch.top + dy,
                values: patch.values.clone(),
                ..*patch
            });
            cell.centred()
        };
        let own = within(one, (0, 0));
        let correlation = |apart: (i32, i32)| {
            let other = within(other, apart);
            let sum: f32 = own.0.iter().zip(&other.0).map(|(a, b)| a * b).sum();
            sum / (own.1 * other.1).max(1e-3)
        };
        AROUND.into_iter().map(correlation).fold(-1.0, f32::max)
    }

    /// The likenesses of a character and others, as bytes.
    fn likenesses(
        renderer: &Renderer,
        inks: &mut HashMap<char, Patch>,
        character: char,
        others: impl Iterator<Item = char>,
    ) -> Vec<u8> {
        let others: Vec<char> = others.collect();
        for drawn in others.iter().copied().chain([character]) {
            let draw = || ink(renderer, (drawn, LIKENESS_SIZE), 0.25, LIKENESS_BLUR);
            inks.entry(drawn).or_insert_with(draw);
        }
        let as_byte = |other: &char| {
            let most = likest(&inks[&character], &inks[other]);
            ((most + 1.0) * 127.5).ceil() as u8
        };
        others.iter().map(as_byte).collect()
    }

    #[test]
    fn the_likenesses_are_what_the_typeface_gives() {
        let renderer = Renderer::new();
        let mut inks = HashMap::new();
        let (rows, _) = TABLE.as_chunks::<ROW_BYTES>();
        let renew = std::env::var("VOUCHSAFE_GOLDEN").is_ok_and(|it| it == "renew");
        let step = if renew { 1 } else { 500 };
        let mut renewed = Vec::new();
        for (at, row) in rows.iter().enumerate().step_by(step) {
            let character =
                char::from_u32(u32::from(u16::from_le_bytes([row[0], row[1]]))).unwrap();
            let others = super::row(character).unwrap();
            let made = likenesses(&renderer, &mut inks, character, others);
            if renew {
                renewed.extend(made);
            } else {
                assert_eq!(
                    LIKENESSES[at * ALTERNATIVES..][..ALTERNATIVES],
                    made,
                    "{character}"
                );
            }
        }
        for (at, capital) in CAPITALS.chars().enumerate() {
            let made = likenesses(&renderer, &mut inks, capital, CAPITALS.chars());
            if renew {
                renewed.extend(made);
            } else {
                let count = made.len();
                let from = rows.len() * ALTERNATIVES + at * count;
                assert_eq!(LIKENESSES[from..][..count], made, "{capital}");
            }
        }
        if renew {
            std::fs::write("fonts/likeness.bin", renewed).unwrap();
        }
    }

    #[test]
    fn larger_and_sharper_characters_anywhere_are_no_more_alike_than_it_is_told() {
        let renderer = Renderer::new();
        let pairs = [
            ('己', '已'),
            ('未', '末'),
            ('账', '帐'),
            ('费', '贵'),
            ('壹', '贰'),
            ('佰', '万'),
        ];
        for (one, other) in pairs {
            let told = likeness(one, other).unwrap();
            let mut most = -1.0f32;
            for size in [26.4, 29.0, 33.3, 44.4] {
                for origin in [0.0, 0.3, 0.6, 0.9] {
                    for blur in [0.45, 0.8, 1.0] {
                        let [one, other] =
                            [one, other].map(|it| ink(&renderer, (it, size), origin, blur));
                        most = most.max(likest(&one, &other));
                    }
                }
            }
            assert!(
                (told - 0.12..=told).contains(&most),
                "{one} {other}: {most} for {told}"
            );
        }
        assert!(likeness('己', '费').is_none() && likeness('7', '1').is_none());
    }

    #[test]
    fn no_ink_correlates_more_with_another_character_than_it_can() {
        let renderer = Renderer::new();
        let blurred = |character: char| ink(&renderer, (character, 26.4), 0.4, 0.8);
        let correlation = |one: &Patch, other: &Patch| {
            let ((one, own), (other, others)) = (one.centred(), other.centred());
            one.iter().zip(&other).map(|(a, b)| a * b).sum::<f32>() / (own * others)
        };
        // Ink of the one, of the other, and of anything between or over both.
        for (claimed, other) in [('己', '已'), ('账', '帐'), ('壹', '贰'), ('未', '费')] {
            let (claimed, other) = (blurred(claimed), blurred(other));
            let likeness = correlation(&claimed, &other);
            for (part, stroke) in [(0.0, 0.0), (0.1, 0.0), (0.5, 0.5), (0.9, 0.1), (1.0, 1.0)] {
                let mixed = claimed.values.iter().zip(&other.values).enumerate();
                let seen = Patch {
                    values: mixed
                        .map(|(at, (a, b))| {
                            let over = if at / 7 % 5 == 0 { stroke } else { 0.0 };
                            f32::max(a + (b - a) * part, over)
                        })
                        .collect(),
                    ..claimed
                };
                let most = correlates_at_most(correlation(&seen, &claimed), likeness);
                assert!(correlation(&seen, &other) <= most + 1e-3, "{part} {stroke}");
            }
            assert!(correlates_at_most(1.0, likeness) <= likeness + 1e-3);
        }
    }

    /// The rows of the table for the characters from `first` on, as many as `count`.
    fn rows(first: usize, count: usize) -> Vec<u8> {
        let renderer = Renderer::new();
        let characters: Vec<char> = renderer
            .characters(Typeface::Serif)
            .filter(|it| {
                (0x3400..0x1_0000).contains(&u32::from(*it))
                    && !('\u{FF00}'..='\u{FFEF}').contains(it)
            })
            .collect();
        let looks: Vec<[f32; SIDE * SIDE]> = characters
            .iter()
            .map(|it| look(&renderer, Typeface::Serif, *it).unwrap())
            .collect();
        let mut table = Vec::new();
        for (character, own) in characters.iter().zip(&looks).skip(first).take(count) {
            let mut scores: Vec<(f32, char)> = looks
                .iter()
                .zip(&characters)
                .filter(|(_, other)| *other != character)
                .map(|(other, character)| {
                    (own.iter().zip(other).map(|(a, b)| a * b).sum(), *character)
                })
                .collect();
            scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            table.extend((u32::from(*character) as u16).to_le_bytes());
            for (_, other) in &scores[..ALTERNATIVES] {
                table.extend((u32::from(*other) as u16).to_le_bytes());
            }
        }
        table
    }

    #[test]
    fn the_table_is_what_the_typeface_gives() {
        if std::env::var("VOUCHSAFE_GOLDEN").is_ok_and(|it| it == "renew") {
            std::fs::write("fonts/alike.bin", rows(0, usize::MAX)).unwrap();
            return;
        }
        for first in [0, 1_000, 5_000] {
            let expected = rows(first, 20);
            assert_eq!(TABLE[first * ROW_BYTES..][..expected.len()], expected);
        }
        assert!(TABLE.len() > 6_000 * ROW_BYTES);
    }

    #[test]
    fn what_people_mistake_for_each_other_is_alike() {
        let pairs = [
            ('己', '已'),
            ('未', '末'),
            ('士', '土'),
            ('王', '玉'),
            ('人', '入'),
        ];
        for (one, other) in pairs {
            assert!(alike(one, 8).contains(&other), "{one}: {:?}", alike(one, 8));
        }
        assert_eq!(alike('3', 8).len(), 9);
        assert!(alike('喆', 8).is_empty());
    }
}
