//! Which characters look like which: the alternatives that a claimed character has to beat.

/// For each Han character of the common typeface, ascending: the character and those that look most like it, the
/// likest first, each as two bytes, the lower first. Made from the typeface by a test; see fonts/README.md.
const TABLE: &[u8] = include_bytes!("../../fonts/alike.bin");
/// Alternatives of a character in the table.
pub(super) const ALTERNATIVES: usize = 24;
const ROW_BYTES: usize = 2 * (1 + ALTERNATIVES);
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

fn row(character: char) -> Option<impl Iterator<Item = char>> {
    let (rows, _) = TABLE.as_chunks::<ROW_BYTES>();
    let code = |row: &[u8; ROW_BYTES]| u32::from(u16::from_le_bytes([row[0], row[1]]));
    let at = rows
        .binary_search_by_key(&u32::from(character), code)
        .ok()?;
    let (codes, _) = rows[at][2..].as_chunks::<2>();
    Some(
        codes
            .iter()
            .filter_map(|code| char::from_u32(u32::from(u16::from_le_bytes(*code)))),
    )
}

#[cfg(test)]
mod tests {
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
