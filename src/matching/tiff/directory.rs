//! What a TIFF says of its pages (TIFF 6.0, section 2), as far as the decoder does not go by it.

use std::borrow::Cow;

use hayro_ccitt::EncodingMode;

use crate::matching::SCAN_MAX_PAGES;

/// Tags, and values of them.
const BITS_PER_SAMPLE: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const FILL_ORDER: u16 = 266;
const STRIP_OFFSETS: u16 = 273;
const STRIP_SIZES: u16 = 279;
const COLOUR_MAP: u16 = 320;
const ROWS_PER_STRIP: u16 = 278;
const FAX_OPTIONS: u16 = 292;
const TILE_OFFSETS: u16 = 324;
const TILE_SIZES: u16 = 325;
const FAX_WITHOUT_LINE_ENDS: u32 = 2;
const GROUP_3_FAX: u32 = 3;
const BLACK_IS_ZERO: u32 = 1;
const PALETTE: u32 = 3;
const LOW_BITS_FIRST: u32 = 2;
const JPEG: [u32; 2] = [6, 7];
/// Most values of one tag that are looked at: strips of one line each on the longest page.
const VALUES_MAX: usize = 1 << 17;

/// Colours by their number.
pub type Palette = Vec<[u8; 3]>;

/// What the decoder is not told of a page, or cannot read.
pub struct Page {
    pub palette: Option<Palette>,
    pub fax: Option<Fax>,
}

/// A page of group 3 fax (ITU-T T.4).
pub struct Fax {
    pub encoding: EncodingMode,
    /// Whether each row begins with a byte, without an end of the one before.
    pub is_aligned: bool,
    /// Where its strips begin, and their sizes.
    pub strips: Vec<(usize, usize)>,
    pub rows_per_strip: u32,
    /// Whether what a fax calls white is black.
    pub is_inverse: bool,
}

/// The file as the decoder can read it: numbers of colours are called shades of grey, bits are in their usual order. With
/// what has to be known of its pages besides.
pub fn prepared(content: &[u8]) -> (Cow<'_, [u8]>, Vec<Page>) {
    let mut file = Cow::Borrowed(content);
    let mut pages = Vec::new();
    let source = Source {
        content,
        is_big_endian: content.starts_with(b"MM"),
    };
    let mut reversed = 0;
    let mut next = source.u32_at(4);
    while let Some(at) = next.filter(|at| *at != 0 && pages.len() < SCAN_MAX_PAGES) {
        let Some(directory) = source.directory(at as usize) else {
            break;
        };
        let palette = directory.palette();
        if let (Some(_), Some(at)) = (&palette, directory.place(PHOTOMETRIC)) {
            let grey = match source.is_big_endian {
                true => (BLACK_IS_ZERO as u16).to_be_bytes(),
                false => (BLACK_IS_ZERO as u16).to_le_bytes(),
            };
            if let Some(value) = file.to_mut().get_mut(at..at + 2) {
                value.copy_from_slice(&grey);
            }
        }
        let fax = directory.fax();
        pages.push(Page { palette, fax });
        for (start, size) in directory.in_reverse() {
            // A file whose strips are more than itself means harm.
            reversed += size;
            if reversed <= content.len()
                && let Some(bytes) = file.to_mut().get_mut(start..start + size)
            {
                bytes.iter_mut().for_each(|it| *it = it.reverse_bits());
            }
        }
        next = source.u32_at(directory.end);
    }
    (file, pages)
}

/// A file, and in which order its numbers have their bytes.
#[derive(Clone, Copy)]
struct Source<'a> {
    content: &'a [u8],
    is_big_endian: bool,
}

/// Tag, type, how many values, and where these are, or where it says where.
struct Entry {
    tag: u16,
    kind: u16,
    count: usize,
    place: usize,
}

/// What is said of one page.
struct Directory<'a> {
    source: Source<'a>,
    entries: Vec<Entry>,
    /// Where it says where the next one is.
    end: usize,
}

impl<'a> Source<'a> {
    fn u16_at(&self, at: usize) -> Option<u16> {
        let bytes = *self.content.get(at..)?.first_chunk()?;
        Some(match self.is_big_endian {
            true => u16::from_be_bytes(bytes),
            false => u16::from_le_bytes(bytes),
        })
    }

    fn u32_at(&self, at: usize) -> Option<u32> {
        let bytes = *self.content.get(at..)?.first_chunk()?;
        Some(match self.is_big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        })
    }

    fn directory(self, at: usize) -> Option<Directory<'a>> {
        let count = usize::from(self.u16_at(at)?);
        let entry = |index: usize| {
            let at = at + 2 + 12 * index;
            Some(Entry {
                tag: self.u16_at(at)?,
                kind: self.u16_at(at + 2)?,
                count: self.u32_at(at + 4)? as usize,
                place: at + 8,
            })
        };
        Some(Directory {
            source: self,
            entries: (0..count).map(entry).collect::<Option<_>>()?,
            end: at + 2 + 12 * count,
        })
    }
}

impl Directory<'_> {
    /// Where the only value of a tag is, a number of two bytes.
    fn place(&self, tag: u16) -> Option<usize> {
        let entry = self.entries.iter().find(|it| it.tag == tag)?;
        (entry.kind == 3 && entry.count == 1).then_some(entry.place)
    }

    /// The values of a tag, numbers of two or four bytes; none if there is something else.
    fn values(&self, tag: u16) -> Option<Vec<u32>> {
        let entry = self.entries.iter().find(|it| it.tag == tag)?;
        let size = match entry.kind {
            3 => 2,
            4 => 4,
            _ => return None,
        };
        if entry.count > VALUES_MAX {
            return None;
        }
        let first = match entry.count * size <= 4 {
            true => entry.place,
            false => self.source.u32_at(entry.place)? as usize,
        };
        let value = |index: usize| match size {
            2 => self.source.u16_at(first + 2 * index).map(u32::from),
            _ => self.source.u32_at(first + 4 * index),
        };
        (0..entry.count).map(value).collect()
    }

    fn value(&self, tag: u16) -> Option<u32> {
        self.values(tag)?.first().copied()
    }

    /// The colours, if the samples are numbers of colours.
    fn palette(&self) -> Option<Palette> {
        if self.value(PHOTOMETRIC) != Some(PALETTE) {
            return None;
        }
        let bits = self.value(BITS_PER_SAMPLE).unwrap_or(1);
        let map = self.values(COLOUR_MAP)?;
        let count = 1usize << bits.min(16);
        if bits > 8 || map.len() != 3 * count {
            return None;
        }
        // Numbers of 16 bits; some programs write 8.
        let shift = if map.iter().all(|it| *it < 256) { 0 } else { 8 };
        let colour = |at: usize| [0, 1, 2].map(|part| (map[part * count + at] >> shift) as u8);
        Some((0..count).map(colour).collect())
    }

    /// Where the strips or tiles are whose bits are in reverse order, and their sizes.
    fn in_reverse(&self) -> Vec<(usize, usize)> {
        let is_jpeg = self.value(COMPRESSION).is_some_and(|it| JPEG.contains(&it));
        if is_jpeg || self.value(FILL_ORDER) != Some(LOW_BITS_FIRST) {
            return Vec::new();
        }
        let mut places = self.places(STRIP_OFFSETS, STRIP_SIZES);
        places.extend(self.places(TILE_OFFSETS, TILE_SIZES));
        places
    }

    /// Where parts of the page are, and their sizes.
    fn places(&self, offsets: u16, sizes: u16) -> Vec<(usize, usize)> {
        let both = self.values(offsets).zip(self.values(sizes));
        let (offsets, sizes) = both.unwrap_or_default();
        let each = offsets.into_iter().zip(sizes);
        each.map(|(offset, size)| (offset as usize, size as usize))
            .collect()
    }

    fn fax(&self) -> Option<Fax> {
        let compression = self.value(COMPRESSION)?;
        let is_aligned = compression == FAX_WITHOUT_LINE_ENDS;
        if !is_aligned && compression != GROUP_3_FAX {
            return None;
        }
        let in_two_dimensions = !is_aligned && self.value(FAX_OPTIONS).unwrap_or(0) & 1 == 1;
        Some(Fax {
            encoding: match in_two_dimensions {
                true => EncodingMode::Group3_2D,
                false => EncodingMode::Group3_1D,
            },
            is_aligned,
            strips: self.places(STRIP_OFFSETS, STRIP_SIZES),
            rows_per_strip: self.value(ROWS_PER_STRIP).unwrap_or(u32::MAX),
            is_inverse: self.value(PHOTOMETRIC) == Some(BLACK_IS_ZERO),
        })
    }
}
