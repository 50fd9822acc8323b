use std::collections::BTreeMap;
use std::path::PathBuf;

use skrifa::{FontRef, MetadataProvider};

use super::*;
use crate::matching::alike::alike;
use crate::matching::looks::is_han;
use crate::matching::misread::row;
use crate::render::Coverage;

/// Typefaces that characters are printed in: our own, and those of Debian's packages in build/packages.sh.
const TYPEFACES: [&str; 5] = [
    "fonts/NotoSerifSC-Regular.ttf",
    "fonts/NotoSansSC-Regular.ttf",
    "/usr/share/fonts/truetype/arphic-gbsn00lp/gbsn00lp.ttf",
    "/usr/share/fonts/truetype/arphic-gkai00mp/gkai00mp.ttf",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
];

/// Size of a print in pixels an em, that of values at 200 dots per inch.
const SIZE: f32 = 26.0;

/// The tables.
const TABLES: [&str; 2] = ["tiny", "small"];

/// A character printed alone, blurred as by a scanner or not; none if the typeface has none.
fn print_alone(font: &[u8], character: char, blurred: bool) -> Option<Line> {
    let font = FontRef::from_index(font, 0).unwrap();
    let id = font.charmap().map(character)?;
    let drawn = Coverage::draw(&font, id, SIZE, (0.3 * SIZE, 0.95 * SIZE));
    let (width, height) = ((1.6 * SIZE) as usize, (1.2 * SIZE) as usize);
    let mut values = vec![255.0f32; width * height];
    for (at, part) in drawn.values.iter().enumerate() {
        let x = drawn.left + (at % drawn.width) as i32;
        let y = drawn.top + (at / drawn.width) as i32;
        if (0..width as i32).contains(&x) && (0..height as i32).contains(&y) {
            values[y as usize * width + x as usize] -= 255.0 * part;
        }
    }
    if blurred {
        let sharp = values.clone();
        let at = |x: usize, y: usize| sharp[y.min(height - 1) * width + x.min(width - 1)];
        for y in 0..height {
            for x in 0..width {
                let around = (0..9).map(|it| {
                    let (column, row) = (it % 3, it / 3);
                    let part = [1.0, 6.0, 1.0][column] * [1.0, 6.0, 1.0][row] / 64.0;
                    part * at((x + column).saturating_sub(1), (y + row).saturating_sub(1))
                });
                values[y * width + x] = around.sum::<f32>();
            }
        }
    }
    Some(Line {
        width,
        height,
        values,
    })
}

fn reader() -> Reader {
    let folder = PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/vouchsafe");
    let folder = std::env::var_os("CACHE").map_or(folder, PathBuf::from);
    let content = |name: &str| std::fs::read(folder.join("models").join(name));
    Reader::new(|name| content(name).map_err(|error| error.to_string())).unwrap()
}

fn typefaces() -> Vec<Vec<u8>> {
    let read = |path| std::fs::read(path).unwrap_or_else(|_| panic!("{path} is not there"));
    TYPEFACES.map(read).into()
}

/// A character in every typeface, sharp and blurred.
fn prints(typefaces: &[Vec<u8>], character: char) -> impl Iterator<Item = Line> {
    let all = typefaces
        .iter()
        .flat_map(|font| [false, true].map(|blurred| (font, blurred)));
    all.filter_map(move |(font, blurred)| print_alone(font, character, blurred))
}

impl Judge {
    /// The other Han character that it reads a printed one as, and how much likelier that is to it.
    fn misreads(
        &self,
        line: &Line,
        printed: char,
        threads: &Arc<ThreadPool>,
    ) -> Option<(char, f32)> {
        let output = self.network.run(line, threads)?;
        let mut characters = self
            .network
            .text(&Frames::new(&output, &self.network, Same::default()).greedy(|_| true))
            .chars()
            .collect::<Vec<_>>();
        let claimed = characters
            .pop()
            .filter(|it| characters.is_empty() && is_han(*it) && *it != printed)?;
        let text = claimed.to_string();
        let reading = self.read(line, &text, (Wording::Free, f32::MAX, NO_SHAPES), threads)?;
        let same = Same::of(&text);
        let frames = Frames::new(&output, &self.network, same);
        let class = self.network.class(claimed, same)?;
        let gap = self.gap(&frames.exact_alignments(&[class]), (0, printed));
        let gap = gap.unwrap_or(2.0 * reading.margin);
        (reading.margin > 0.0).then_some((claimed, gap))
    }
}

/// Every second Han character of GB 2312, from the `first` or the second on.
fn characters(first: usize) -> impl Iterator<Item = char> {
    let all = ('\u{4E00}'..='\u{9FFF}').filter(|it| !alike(*it, 1).is_empty());
    all.skip(first).step_by(2)
}

/// What a network read, what was printed there, and how much likelier the first ever was to it.
type Misreadings = BTreeMap<(char, char), f32>;

fn note(surest: &mut Misreadings, misread: (char, char), gap: f32) {
    let known = surest.entry(misread).or_insert(gap);
    *known = known.max(gap);
}

#[test]
#[ignore = "makes the tables anew, in ten minutes"]
fn renew_what_the_networks_misread() {
    let (reader, typefaces) = (reader(), typefaces());
    let surest = |first: usize, reader: &Reader| {
        let mut surest = [Misreadings::new(), Misreadings::new()];
        for printed in characters(first) {
            for line in prints(&typefaces, printed) {
                for (surest, judge) in surest.iter_mut().zip([&reader.quick, &reader.careful]) {
                    if let Some((claimed, gap)) = judge.misreads(&line, printed, &reader.threads) {
                        note(surest, (claimed, printed), gap);
                    }
                }
            }
        }
        surest
    };
    let other = reader.another();
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| surest(1, &other));
        (surest(0, &reader), second.join().unwrap())
    });
    for (name, (mut all, second)) in TABLES.iter().zip(first.into_iter().zip(second)) {
        second
            .into_iter()
            .for_each(|(misread, gap)| note(&mut all, misread, gap));
        let row = |((claimed, printed), gap): (&(char, char), &f32)| {
            format!("{claimed} {printed} {gap:.1}\n")
        };
        let table: String = all.iter().map(row).collect();
        std::fs::write(format!("src/matching/misread/{name}.txt"), table).unwrap();
    }
}

#[test]
fn the_networks_misread_what_the_tables_say() {
    let (reader, typefaces) = (reader(), typefaces());
    for (judge, name) in [&reader.quick, &reader.careful].into_iter().zip(TABLES) {
        let table = std::fs::read_to_string(format!("src/matching/misread/{name}.txt")).unwrap();
        for line in table.lines().step_by(100) {
            let (claimed, printed, surest) = row(line).unwrap();
            let misread = prints(&typefaces, printed)
                .filter_map(|line| judge.misreads(&line, printed, &reader.threads))
                .filter(|misread| misread.0 == claimed);
            let gap = misread.map(|misread| misread.1).fold(0.0, f32::max);
            assert!((gap - surest).abs() < 0.5, "{name}: {line}: {gap}");
        }
    }
}
