//! Typefaces: which glyph stands for a character, and how wide it is.

use std::sync::OnceLock;

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};
use unicode_normalization::UnicodeNormalization as _;

use crate::voucher::template::Face;

/// A font file. Each of a template's faces has one, and a last one serves them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Typeface {
    /// Noto Serif SC Regular: GB 2312 (see fonts/).
    Serif,
    /// Noto Sans SC Regular: GB 2312.
    Sans,
    /// Noto Serif SC Bold: level 1 of GB 2312.
    Bold,
    /// Source Serif 4 Light, enlarged, which Noto Serif SC has its Latin letters from: the accents of Europe, Greek,
    /// Cyrillic.
    Latin,
    /// All else that Noto Serif SC has: rare names (生僻字), traditional characters.
    Rare,
}

impl Typeface {
    pub(super) const ALL: [Typeface; 5] = [
        Typeface::Serif,
        Typeface::Sans,
        Typeface::Bold,
        Typeface::Latin,
        Typeface::Rare,
    ];

    /// The font file.
    pub(super) fn file(self) -> &'static [u8] {
        match self {
            Typeface::Serif => include_bytes!("../../fonts/NotoSerifSC-Regular.ttf"),
            Typeface::Sans => include_bytes!("../../fonts/NotoSansSC-Regular.ttf"),
            Typeface::Bold => include_bytes!("../../fonts/NotoSerifSC-Bold.ttf"),
            Typeface::Latin => include_bytes!("../../fonts/SourceSerif4-Latin.ttf"),
            Typeface::Rare => include_bytes!("../../fonts/NotoSerifSC-Rare.ttf"),
        }
    }

    /// The one that a template's face is drawn with, as far as it goes.
    fn of(face: Face) -> Typeface {
        match face {
            Face::Serif => Typeface::Serif,
            Face::Sans => Typeface::Sans,
            Face::Bold => Typeface::Bold,
        }
    }
}

/// Font units in an em, the same in all three faces (a test says so).
const UNITS_PER_EM: i32 = 1_000;
/// Height of the em square above the baseline, in thousandths of an em, as Han characters are drawn.
const ASCENT: i32 = 880;
/// What stands for a character that no face has.
const MISSING: char = '□';

/// A character's glyph; lengths in thousandths of an em.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) typeface: Typeface,
    pub(super) id: u16,
    pub(super) character: char,
    /// From this character's origin to the next one's.
    pub(super) advance: i32,
    /// From the character's origin to the glyph's.
    pub(super) shift: i32,
    /// Whether no face has the character and a box stands in for it.
    pub(super) missing: bool,
}

/// The typefaces with their character maps, each read when it is first needed.
pub(super) struct Faces([OnceLock<Metrics>; Typeface::ALL.len()]);

/// The glyphs of one face.
struct Metrics {
    /// Character, glyph and advance, ascending by character.
    glyphs: Vec<(u32, u16, u16)>,
    /// The advance of every digit: figures must stand in columns, and some faces' digits do not.
    digit: i32,
}

impl Metrics {
    fn read(font: &[u8]) -> Metrics {
        // The fonts are part of the program, and a test reads each of them.
        let font = FontRef::new(font).expect("a built-in font is a font");
        let widths = font.glyph_metrics(Size::unscaled(), LocationRef::default());
        let mut glyphs: Vec<(u32, u16, u16)> = font
            .charmap()
            .mappings()
            .map(|(character, id)| {
                let advance = widths.advance_width(id).unwrap_or(0.0);
                (character, id.to_u32() as u16, advance as u16)
            })
            .collect();
        glyphs.sort_unstable();
        let mut metrics = Metrics { glyphs, digit: 0 };
        metrics.digit = ('0'..='9')
            .filter_map(|digit| metrics.find(digit))
            .map(|(_, advance)| advance)
            .max()
            .unwrap_or(0);
        metrics
    }

    fn find(&self, character: char) -> Option<(u16, i32)> {
        let index = self
            .glyphs
            .binary_search_by_key(&u32::from(character), |glyph| glyph.0)
            .ok()?;
        let (_, id, advance) = self.glyphs[index];
        Some((id, i32::from(advance)))
    }

    fn glyph(&self, typeface: Typeface, character: char) -> Option<Glyph> {
        let (id, natural) = self.find(character)?;
        let advance = if character.is_ascii_digit() {
            self.digit
        } else {
            natural
        };
        Some(Glyph {
            typeface,
            id,
            character,
            advance,
            shift: (advance - natural) / 2,
            missing: false,
        })
    }
}

impl Faces {
    pub(super) fn builtin() -> Faces {
        Faces(std::array::from_fn(|_| OnceLock::new()))
    }

    fn metrics(&self, typeface: Typeface) -> &Metrics {
        self.0[typeface as usize].get_or_init(|| Metrics::read(typeface.file()))
    }

    /// The glyph of a character in the wanted face, else in another, else a visible box.
    pub(super) fn glyph(&self, wanted: Face, character: char) -> Glyph {
        [
            Typeface::of(wanted),
            Typeface::Serif,
            Typeface::Latin,
            Typeface::Rare,
            Typeface::Sans,
        ]
        .into_iter()
        .find_map(|typeface| self.metrics(typeface).glyph(typeface, character))
        .unwrap_or_else(|| self.missing(character))
    }

    /// The glyph of a character in this very typeface.
    pub(super) fn own(&self, typeface: Typeface, character: char) -> Option<Glyph> {
        self.metrics(typeface).glyph(typeface, character)
    }

    /// Every character that a typeface has, ascending.
    pub(super) fn characters(&self, typeface: Typeface) -> impl Iterator<Item = char> {
        let glyphs = self.metrics(typeface).glyphs.iter();
        glyphs.filter_map(|(character, ..)| char::from_u32(*character))
    }

    fn missing(&self, character: char) -> Glyph {
        // The regular face has the box (a test says so), so the glyph 0 below is never drawn.
        let serif = self.metrics(Typeface::Serif);
        let (id, advance) = serif.find(MISSING).unwrap_or((0, UNITS_PER_EM));
        Glyph {
            typeface: Typeface::Serif,
            id,
            character,
            advance,
            shift: 0,
            missing: true,
        }
    }

    /// The glyphs of a text in reading order, at most `most`. Letters are put together with their accents (NFC).
    pub(super) fn shape(&self, wanted: Face, text: &str, most: usize) -> Vec<Glyph> {
        text.nfc()
            .take(most)
            .map(|character| self.glyph(wanted, character))
            .collect()
    }
}

/// `thousandths` of an em at a size of type, in units.
pub(super) fn scale(thousandths: i32, size: i32) -> i32 {
    (thousandths * size + UNITS_PER_EM / 2).div_euclid(UNITS_PER_EM)
}

/// Width of a line at a size of type, in units.
pub(super) fn width(glyphs: &[Glyph], size: i32) -> i32 {
    glyphs.iter().map(|glyph| scale(glyph.advance, size)).sum()
}

/// From the upper edge of a line of type to its baseline, in units.
pub(super) fn ascent(size: i32) -> i32 {
    scale(ASCENT, size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_fonts_are_what_the_code_takes_them_for() {
        for typeface in Typeface::ALL {
            let font = FontRef::new(typeface.file()).unwrap();
            let metrics = font.metrics(Size::unscaled(), LocationRef::default());
            assert_eq!(i32::from(metrics.units_per_em), UNITS_PER_EM);
        }
        let serif = FontRef::new(Typeface::Serif.file()).unwrap();
        assert!(serif.charmap().map(MISSING).is_some());
    }

    #[test]
    fn digits_have_one_width_in_every_face() {
        let faces = Faces::builtin();
        for face in [Face::Serif, Face::Sans, Face::Bold] {
            let widths: Vec<i32> = faces
                .shape(face, "0123456789", 10)
                .iter()
                .map(|g| g.advance)
                .collect();
            assert!(widths.iter().all(|width| *width == widths[0] && *width > 0));
        }
    }

    #[test]
    fn falls_back_to_another_face_then_to_a_box() {
        let faces = Faces::builtin();
        // 鬯 is in the second level of GB 2312, which the bold face lacks.
        assert_eq!(faces.glyph(Face::Bold, '鬯').typeface, Typeface::Serif);
        let none = faces.glyph(Face::Serif, '𠀀');
        assert!(none.missing && none.id != 0 && none.character == '𠀀');
    }

    #[test]
    fn names_outside_gb_2312_are_drawn() {
        let faces = Faces::builtin();
        // Common in names; traditional; CJK Extension A, B, C, E; Polish, Czech, Hungarian, Turkish, Vietnamese.
        for (typeface, characters) in [
            (Typeface::Rare, "喆堃玥婳昇旸犇䶮㛃㙍龘國𦙶𫖯𬱖𬳶"),
            (Typeface::Latin, "ŁłčřžőűğşİễșĦ"),
        ] {
            for character in characters.chars() {
                let glyph = faces.glyph(Face::Serif, character);
                let found = (glyph.typeface, glyph.missing);
                assert_eq!(found, (typeface, false), "{character}");
            }
        }
        let whole = |block: std::ops::RangeInclusive<u32>| {
            let mut characters = block.filter_map(char::from_u32);
            characters.all(|character| !faces.glyph(Face::Serif, character).missing)
        };
        assert!(whole(0x4E00..=0x9FFF), "CJK Unified Ideographs");
        assert!(whole(0x3400..=0x4DBF), "CJK Extension A");
    }

    #[test]
    fn every_character_of_the_amounts_in_words_is_there() {
        let faces = Faces::builtin();
        for face in [Face::Serif, Face::Bold] {
            for glyph in faces.shape(face, "人民币负零壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整¥", 99)
            {
                let whole = !glyph.missing && glyph.typeface == Typeface::of(face);
                assert!(whole, "{glyph:?}");
            }
        }
    }
}
