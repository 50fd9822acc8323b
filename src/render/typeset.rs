//! Typefaces: which glyph stands for a character, and how wide it is.

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

use crate::voucher::template::Face;

/// Noto Serif SC Regular, subset to GB 2312 (see fonts/).
pub(super) const SERIF: &[u8] = include_bytes!("../../fonts/NotoSerifSC-Regular.ttf");
/// Noto Sans SC Regular, subset to GB 2312.
pub(super) const SANS: &[u8] = include_bytes!("../../fonts/NotoSansSC-Regular.ttf");
/// Noto Serif SC Bold, subset to level 1 of GB 2312.
pub(super) const BOLD: &[u8] = include_bytes!("../../fonts/NotoSerifSC-Bold.ttf");

/// Font units in an em, the same in all three faces (a test says so).
const UNITS_PER_EM: i32 = 1_000;
/// Height of the em square above the baseline, in thousandths of an em, as Han characters are drawn.
const ASCENT: i32 = 880;
/// What stands for a character that no face has.
const MISSING: char = '□';

/// A character's glyph; lengths in thousandths of an em.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    pub(super) face: Face,
    pub(super) id: u16,
    pub(super) character: char,
    /// From this character's origin to the next one's.
    pub(super) advance: i32,
    /// From the character's origin to the glyph's.
    pub(super) shift: i32,
    /// Whether no face has the character and a box stands in for it.
    pub(super) missing: bool,
}

/// The typefaces with their character maps.
pub(super) struct Faces {
    serif: Metrics,
    sans: Metrics,
    bold: Metrics,
}

/// The glyphs of one face.
struct Metrics {
    /// Character, glyph and advance, ascending by character.
    glyphs: Vec<(u32, u16, u16)>,
    /// The advance of every digit: figures must stand in columns, and some faces' digits do not.
    digit: i32,
}

impl Metrics {
    fn read(font: &[u8]) -> Metrics {
        // The three fonts are part of the program, and a test reads each of them.
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

    fn glyph(&self, face: Face, character: char) -> Option<Glyph> {
        let (id, natural) = self.find(character)?;
        let advance = if character.is_ascii_digit() {
            self.digit
        } else {
            natural
        };
        Some(Glyph {
            face,
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
        Faces {
            serif: Metrics::read(SERIF),
            sans: Metrics::read(SANS),
            bold: Metrics::read(BOLD),
        }
    }

    fn metrics(&self, face: Face) -> &Metrics {
        match face {
            Face::Serif => &self.serif,
            Face::Sans => &self.sans,
            Face::Bold => &self.bold,
        }
    }

    /// The glyph of a character in the wanted face, else in another, else a visible box.
    pub(super) fn glyph(&self, wanted: Face, character: char) -> Glyph {
        [wanted, Face::Serif, Face::Sans]
            .into_iter()
            .find_map(|face| self.metrics(face).glyph(face, character))
            .unwrap_or_else(|| self.missing(character))
    }

    fn missing(&self, character: char) -> Glyph {
        // The box is in every face (a test says so), so the glyph 0 below is never drawn.
        let (id, advance) = self.serif.find(MISSING).unwrap_or((0, UNITS_PER_EM));
        Glyph {
            face: Face::Serif,
            id,
            character,
            advance,
            shift: 0,
            missing: true,
        }
    }

    /// The glyphs of a text in reading order.
    pub(super) fn shape(&self, wanted: Face, text: &str) -> Vec<Glyph> {
        text.chars()
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
        for font in [SERIF, SANS, BOLD] {
            let font = FontRef::new(font).unwrap();
            let metrics = font.metrics(Size::unscaled(), LocationRef::default());
            assert_eq!(i32::from(metrics.units_per_em), UNITS_PER_EM);
            assert!(font.charmap().map(MISSING).is_some());
        }
    }

    #[test]
    fn digits_have_one_width_in_every_face() {
        let faces = Faces::builtin();
        for face in [Face::Serif, Face::Sans, Face::Bold] {
            let widths: Vec<i32> = faces
                .shape(face, "0123456789")
                .iter()
                .map(|g| g.advance)
                .collect();
            assert!(widths.iter().all(|width| *width == widths[0] && *width > 0));
        }
    }

    #[test]
    fn falls_back_to_another_face_then_to_a_box() {
        let faces = Faces::builtin();
        // 龘 is outside GB 2312, 鬯 in its second level, which the bold face lacks.
        assert_eq!(faces.glyph(Face::Bold, '鬯').face, Face::Serif);
        let rare = faces.glyph(Face::Serif, '𠀀');
        assert!(rare.missing && rare.id != 0 && rare.character == '𠀀');
    }

    #[test]
    fn every_character_of_the_amounts_in_words_is_there() {
        let faces = Faces::builtin();
        for face in [Face::Serif, Face::Bold] {
            for glyph in faces.shape(face, "人民币负零壹贰叁肆伍陆柒捌玖拾佰仟万亿元角分整¥")
            {
                assert!(!glyph.missing && glyph.face == face, "{glyph:?}");
            }
        }
    }
}
