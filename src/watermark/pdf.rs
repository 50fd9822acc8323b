//! Marked PDF forms: the archived bytes and, after them, an incremental update (ISO 32000-1, 7.5.6) that lays the mark
//! over every page. Reads what this program's own forms are made of, and tells when it meets anything else.
//!
//! The lattice is one small picture of its cells, turned by 45 degrees, and one of a wave, laid twice; the stamp is a
//! stencil. No tile is repeated by the reader: between tiles some draw seams.

mod objects;

use std::f64::consts::PI;
use std::fmt::Write as _;
use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};

use super::lattice::{CELL_LEVELS, DIAGONAL_MM, Lattice, TILE, WAVE_LEVELS};
use super::stamp::Line;
use super::tile::{SLOPE, STAMP_LEVELS};
use super::{Mark, MarkError};
use crate::render::Renderer;
use objects::{Objects, dictionary};

/// Bytes that the update of one page may have, and more for each byte of the file: other pages.
const UPDATE: u64 = 6 << 10;
const POINTS_PER_MM: f64 = 72.0 / 25.4;
/// Samples of the wave for each cell.
const WAVE_SAMPLES: usize = 8;
/// Pixels of the stencil a millimetre: 250 dots per inch.
const STENCIL_PER_MM: f64 = 250.0 / 25.4;
/// Largest page, in millimetres, and most pages.
const PAGE_MAX_MM: f64 = 1_500.0;
const PAGES_MAX: usize = 1_000;

/// Length of the marked file, from the length of the archived one.
pub(super) fn length(stored: u64) -> u64 {
    stored + stored / 4 + UPDATE
}

fn strange(what: &str) -> MarkError {
    MarkError::Damaged(format!("{what} is not as in a form"))
}

pub(super) fn form(
    renderer: &Renderer,
    mark: &Mark,
    content: &[u8],
    length: u64,
) -> Result<Vec<u8>, MarkError> {
    let objects = Objects::read(content).ok_or_else(|| strange("the cross-reference table"))?;
    let pages = objects
        .pages()
        .ok_or_else(|| strange("the tree of pages"))?;
    if pages.len() > PAGES_MAX {
        return Err(MarkError::TooLarge);
    }
    let mut update = Update {
        bytes: content.to_vec(),
        offsets: Vec::new(),
        next: objects.count,
    };
    if !content.ends_with(b"\n") {
        update.bytes.push(b'\n');
    }
    let before = update.add(|_| stream("", b"q\n"));
    let mut laid: Option<((i64, i64), Laid)> = None;
    for page in pages {
        let entries = dictionary(page.1).ok_or_else(|| strange("a page"))?;
        let size = objects
            .size(&entries)
            .ok_or_else(|| strange("a page's size"))?;
        let rounded = ((size.0 * 10.0) as i64, (size.1 * 10.0) as i64);
        let laid = match &laid {
            Some((same, laid)) if *same == rounded => laid,
            _ => &laid.insert((rounded, update.lay(renderer, mark, size)?)).1,
        };
        let contents = objects
            .contents(&entries)
            .ok_or_else(|| strange("a page's content"))?;
        let resources = objects
            .resources(&entries, laid)
            .ok_or_else(|| strange("a page's resources"))?;
        let mut text = String::from("<<");
        for (name, value) in &entries {
            if !["Contents", "Resources"].contains(&name.as_str()) {
                let _ = write!(text, "/{name} {} ", String::from_utf8_lossy(value));
            }
        }
        let _ = write!(
            text,
            "/Contents [{before} 0 R {contents} {} 0 R]/Resources {resources}>>",
            laid.content
        );
        update.replace(page.0, text.as_bytes());
    }
    update.finish(&objects, length)
}

/// What is laid over the pages of one size, by the numbers of its objects.
struct Laid {
    content: usize,
    cells: usize,
    wave: usize,
    line: usize,
    light: usize,
}

/// The file that is being written.
struct Update {
    bytes: Vec<u8>,
    /// Where each new object is.
    offsets: Vec<(usize, usize)>,
    next: usize,
}

fn stream(entries: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = format!("<<{entries}/Length {}>>stream\n", content.len()).into_bytes();
    bytes.extend_from_slice(content);
    bytes.extend_from_slice(b"\nendstream");
    bytes
}

fn deflated(content: &[u8]) -> Result<Vec<u8>, MarkError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(content).and_then(|()| encoder.finish());
    packed.map_err(|error| MarkError::Damaged(error.to_string()))
}

impl Update {
    fn replace(&mut self, number: usize, content: &[u8]) {
        self.offsets.push((number, self.bytes.len()));
        self.bytes
            .extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        self.bytes.extend_from_slice(content);
        self.bytes.extend_from_slice(b"\nendobj\n");
    }

    fn add(&mut self, content: impl FnOnce(usize) -> Vec<u8>) -> usize {
        let number = self.next;
        self.next += 1;
        self.replace(number, &content(number));
        number
    }

    /// A picture of black ink, as light as its mask says: from none to `levels` of 255.
    fn ink(
        &mut self,
        (width, height): (usize, usize),
        bits: usize,
        levels: f32,
        mask: &[u8],
    ) -> Result<usize, MarkError> {
        let mask = deflated(mask)?;
        let entries = format!(
            "/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray/BitsPerComponent {bits}\
             /Decode[0 {:.5}]/Filter/FlateDecode",
            levels / 255.0
        );
        let mask = self.add(|_| stream(&entries, &mask));
        let entries = format!(
            "/Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray/BitsPerComponent 8/SMask {mask} 0 R"
        );
        Ok(self.add(|_| stream(&entries, &[0])))
    }

    /// Writes what is laid over a page of this width and height in millimetres.
    fn lay(
        &mut self,
        renderer: &Renderer,
        mark: &Mark,
        (width, height): (f64, f64),
    ) -> Result<Laid, MarkError> {
        if !(1.0..PAGE_MAX_MM).contains(&width) || !(1.0..PAGE_MAX_MM).contains(&height) {
            return Err(strange("a page's size"));
        }
        let per_mm = TILE as f64 / DIAGONAL_MM;
        // In cells along the grid's axes: the first runs from 0, the second from before it.
        let (columns, rows) = (
            ((width + height) * per_mm).ceil() as usize,
            ((width + height) * per_mm).ceil() as usize + 2,
        );
        let first_row = -(width * per_mm).ceil();
        let lattice = Lattice::new(mark.id);
        let mut cells = Vec::new();
        for row in 0..rows {
            let mut line = vec![0u8; columns.div_ceil(8)];
            for column in 0..columns {
                if lattice.is_dark(column as i64, row as i64 + first_row as i64) {
                    line[column / 8] |= 0x80 >> (column % 8);
                }
            }
            cells.extend(line);
        }
        let cells = self.ink((columns, rows), 1, 2.0 * CELL_LEVELS, &cells)?;
        let longer = rows.max(columns).next_multiple_of(2) + 2;
        let samples = longer * WAVE_SAMPLES;
        let wave: Vec<u8> = (0..samples)
            .map(|at| {
                let place = (at as f64 + 0.5) / WAVE_SAMPLES as f64;
                (127.5 * (1.0 + (PI * place).cos())).round() as u8
            })
            .collect();
        let wave = self.ink((samples, 1), 8, 2.0 * WAVE_LEVELS, &wave)?;
        let line = Line::draw(renderer, &mark.line(), STENCIL_PER_MM);
        let mut stencil = Vec::new();
        for row in line.values.chunks_exact(line.width) {
            // A stencil paints where its bit is 0.
            stencil.extend(row.chunks(8).map(|bits| {
                bits.iter()
                    .zip(0..)
                    .fold(0xFFu8, |byte, (covered, bit)| match *covered > 0.45 {
                        true => byte & !(0x80 >> bit),
                        false => byte,
                    })
            }));
        }
        let entries = format!(
            "/Type/XObject/Subtype/Image/Width {}/Height {}/ImageMask true/BitsPerComponent 1/Filter/FlateDecode",
            line.width, line.height
        );
        let stencil = deflated(&stencil)?;
        let stencil = self.add(|_| stream(&entries, &stencil));
        let light = self
            .add(|_| format!("<</Type/ExtGState/ca {:.5}>>", STAMP_LEVELS / 255.0).into_bytes());
        // From cells to points: the grid's axes are the page's diagonals.
        let place = |u: f64, v: f64| {
            let (x, y) = ((u - v) / 2.0 / per_mm, (u + v) / 2.0 / per_mm);
            (x * POINTS_PER_MM, (height - y) * POINTS_PER_MM)
        };
        // A picture fills the unit square, its first row at the top.
        let mut content = String::from("Q\n");
        let mut draw = |name: &str, origin: (f64, f64), right: (f64, f64), top: (f64, f64)| {
            let (a, b) = (right.0 - origin.0, right.1 - origin.1);
            let (c, d) = (top.0 - origin.0, top.1 - origin.1);
            let _ = writeln!(
                content,
                "q {a:.4} {b:.4} {c:.4} {d:.4} {:.4} {:.4} cm /{name} Do Q",
                origin.0, origin.1
            );
        };
        let (last_column, last_row) = (columns as f64, first_row + rows as f64);
        draw(
            "VsCells",
            place(0.0, last_row),
            place(last_column, last_row),
            place(0.0, first_row),
        );
        let reach = longer as f64;
        draw(
            "VsWave",
            place(0.0, last_row),
            place(reach, last_row),
            place(0.0, first_row),
        );
        // From an even cell on, where a wave is at its crest.
        let from = first_row - first_row.rem_euclid(2.0);
        draw(
            "VsWave",
            place(0.0, from),
            place(0.0, from + reach),
            place(last_column, from),
        );
        content.push_str("q /VsLight gs 0 g\n");
        let millimetre = POINTS_PER_MM / line.per_mm;
        let (length, tall) = (
            line.width as f64 * millimetre,
            line.height as f64 * millimetre,
        );
        let (sine, cosine) = SLOPE.sin_cos();
        // As the tile of pictures has it.
        let (step_x, step_y) = (DIAGONAL_MM, DIAGONAL_MM / 2.0);
        let down = (height / step_y).ceil() as usize;
        for row in 0..=down {
            let shift = if row % 2 == 0 { 0.5 } else { 1.5 };
            for column in 0..=(width / step_x / 2.0).ceil() as usize {
                let middle_x = (shift + 2.0 * column as f64) * step_x * POINTS_PER_MM;
                let middle_y = (height - (row as f64 + 0.5) * step_y) * POINTS_PER_MM;
                let x = middle_x - length / 2.0 * cosine + tall / 2.0 * sine;
                let y = middle_y - length / 2.0 * sine - tall / 2.0 * cosine;
                let _ = writeln!(
                    content,
                    "q {:.3} {:.3} {:.3} {:.3} {x:.3} {y:.3} cm /VsLine Do Q",
                    length * cosine,
                    length * sine,
                    -tall * sine,
                    tall * cosine
                );
            }
        }
        content.push_str("Q\n");
        let content = deflated(content.as_bytes())?;
        let content = self.add(|_| stream("/Filter/FlateDecode", &content));
        Ok(Laid {
            content,
            cells,
            wave,
            line: stencil,
            light,
        })
    }

    /// Writes the table of what is new, after as much of a comment as brings the file to its length.
    fn finish(mut self, objects: &Objects<'_>, length: u64) -> Result<Vec<u8>, MarkError> {
        self.offsets.sort_unstable();
        let table = |start: usize| {
            let mut table = String::from("xref\n");
            for (number, offset) in &self.offsets {
                let _ = write!(table, "{number} 1\n{offset:010} 00000 n \n");
            }
            let trailer = objects.trailer_entries();
            let _ = write!(
                table,
                "trailer\n<</Size {}/Prev {}{trailer}>>\nstartxref\n{start:010}\n%%EOF\n",
                self.next, objects.start
            );
            table
        };
        let fixed = self.bytes.len() + table(0).len();
        let room = usize::try_from(length)
            .ok()
            .and_then(|it| it.checked_sub(fixed));
        let room = room.filter(|room| *room >= 2).ok_or(MarkError::TooLarge)?;
        self.bytes.push(b'%');
        self.bytes.resize(self.bytes.len() + room - 2, b' ');
        self.bytes.push(b'\n');
        let table = table(self.bytes.len());
        self.bytes.extend_from_slice(table.as_bytes());
        Ok(self.bytes)
    }
}
