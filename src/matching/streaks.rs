//! Lines that dust on a scanner's glass draws: straight along the scan's own columns or rows, from one edge of the picture to
//! the other, which no print and no pen does.

use std::ops::Range;

use super::plane::Plane;

/// How much darker than what is beside it a streak is at least, of 255.
const DARKER: u8 = 12;
/// How far away what is beside it is, in pixels: streaks are narrower.
const BESIDE: usize = 5;
/// Pixels along a streak of which one is looked at.
const SAMPLED: usize = 8;
/// Parts of a streak's length that must be darker than what is beside them: of all of it, which text and rules interrupt, and of
/// a margin at each end, which print does not reach.
const OF_ALL: f32 = 0.75;
const OF_MARGINS: f32 = 0.9;
/// How much of the length such a margin is.
const MARGIN: f32 = 0.03;
/// Most streaks of a page: where there are more, it is something else.
const STREAKS_MAX: usize = 24;

/// The streaks of a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Streaks {
    columns: Vec<Range<usize>>,
    rows: Vec<Range<usize>>,
}

/// For each line across a picture how many of so many samples are darker than what is beside it: in all, and at each end.
struct Counts {
    samples: usize,
    all: Vec<u32>,
    ends: [Vec<u32>; 2],
}

impl Counts {
    /// Nothing counted yet, along lines of so many pixels.
    fn new(lines: usize, length: usize) -> Counts {
        let blank = || vec![0; lines];
        Counts {
            samples: length.div_ceil(SAMPLED),
            all: blank(),
            ends: [blank(), blank()],
        }
    }

    /// How many samples are at each end.
    fn margin(&self) -> usize {
        (self.samples as f32 * MARGIN).ceil() as usize
    }

    /// Counts a sample of a line that is darker than what is beside it.
    fn count(&mut self, line: usize, sample: usize) {
        self.all[line] += 1;
        if sample < self.margin() {
            self.ends[0][line] += 1;
        } else if sample + self.margin() >= self.samples {
            self.ends[1][line] += 1;
        }
    }

    /// The lines that are dark from end to end, a few beside each other together.
    fn streaks(&self) -> Vec<Range<usize>> {
        let is_one = |line: &usize| {
            let part = |count: u32, of: usize| count as f32 / of.max(1) as f32;
            part(self.all[*line], self.samples) >= OF_ALL
                && (self.ends.iter()).all(|end| part(end[*line], self.margin()) >= OF_MARGINS)
        };
        let mut streaks: Vec<Range<usize>> = Vec::new();
        for line in (0..self.all.len()).filter(is_one) {
            match streaks.last_mut() {
                Some(last) if last.end == line => last.end += 1,
                _ => streaks.push(line..line + 1),
            }
        }
        streaks.retain(|streak| streak.len() < BESIDE);
        if streaks.len() > STREAKS_MAX {
            streaks.clear();
        }
        streaks
    }
}

fn is_darker(value: u8, beside: [u8; 2]) -> bool {
    value.saturating_add(DARKER) < beside[0].min(beside[1])
}

impl Streaks {
    /// Those in a picture's brightness.
    pub fn find(plane: &Plane) -> Streaks {
        let (width, height) = (plane.width, plane.height);
        if width <= 2 * BESIDE || height <= 2 * BESIDE {
            return Streaks {
                columns: Vec::new(),
                rows: Vec::new(),
            };
        }
        let row = |y: usize| &plane.values[y * width..][..width];
        let mut columns = Counts::new(width, height);
        for sample in 0..columns.samples {
            let line = row(sample * SAMPLED);
            for x in BESIDE..width - BESIDE {
                if is_darker(line[x], [line[x - BESIDE], line[x + BESIDE]]) {
                    columns.count(x, sample);
                }
            }
        }
        let mut rows = Counts::new(height, width);
        for y in BESIDE..height - BESIDE {
            let (before, line, after) = (row(y - BESIDE), row(y), row(y + BESIDE));
            for sample in 0..rows.samples {
                let x = sample * SAMPLED;
                if is_darker(line[x], [before[x], after[x]]) {
                    rows.count(y, sample);
                }
            }
        }
        Streaks {
            columns: columns.streaks(),
            rows: rows.streaks(),
        }
    }

    /// A channel of the picture without them: brighter by as much as each usually darkens what is beside it, so that print which a
    /// streak crosses stays.
    pub fn taken_from(&self, mut plane: Plane) -> Plane {
        let (width, height) = (plane.width, plane.height);
        let values = &mut plane.values;
        for streak in &self.columns {
            brighten(values, streak, (1, width), (width, height));
        }
        for streak in &self.rows {
            brighten(values, streak, (width, height), (1, width));
        }
        plane
    }
}

/// Brightens a streak and its soft edges. Lines across it are a `step` apart, of so many; each has so many pixels, `along` apart.
fn brighten(
    values: &mut [u8],
    streak: &Range<usize>,
    (step, lines): (usize, usize),
    (along, length): (usize, usize),
) {
    let before = streak.start.saturating_sub(2);
    let after = (streak.end + 1).min(lines - 1);
    let beside = |values: &[u8], at: usize| {
        let value = |line: usize| values[line * step + at * along];
        value(before).min(value(after))
    };
    for line in before + 1..after {
        let mut darker: Vec<u8> = (0..length)
            .step_by(SAMPLED)
            .map(|at| beside(values, at).saturating_sub(values[line * step + at * along]))
            .collect();
        darker.sort_unstable();
        let usual = darker[darker.len() / 2];
        for at in 0..length {
            let least = beside(values, at);
            let value = &mut values[line * step + at * along];
            *value = value.saturating_add(usual).min(least).max(*value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page with a rule down and one across, neither of which reaches the edge, and a word.
    fn page() -> Plane {
        let (width, height) = (400, 320);
        let mut page = Plane::new(width, height);
        page.values.fill(240);
        for y in 20..300 {
            page.values[y * width + 100..][..3].fill(60);
        }
        for y in 150..153 {
            page.values[y * width + 20..y * width + 380].fill(60);
        }
        for y in 200..220 {
            for x in (200..300).step_by(10) {
                page.values[y * width + x..][..4].fill(20);
            }
        }
        page
    }

    #[test]
    fn a_line_from_edge_to_edge_is_taken_away_and_print_stays() {
        let print = page();
        assert_eq!(Streaks::find(&print).taken_from(print.clone()), print);
        let mut seen = print.clone();
        for y in 0..seen.height {
            for x in [251, 252, 330] {
                let value = &mut seen.values[y * 400 + x];
                *value = (*value).min(140);
            }
        }
        for x in 0..seen.width {
            let value = &mut seen.values[80 * 400 + x];
            *value = (*value).min(120);
        }
        let streaks = Streaks::find(&seen);
        assert_eq!(streaks.columns, [251..253, 330..331]);
        assert_eq!(streaks.rows.len(), 1);
        assert_eq!(streaks.rows[0], 80..81);
        let cleared = streaks.taken_from(seen);
        for (at, (value, printed)) in cleared.values.iter().zip(&print.values).enumerate() {
            let (x, y) = (at % 400, at / 400);
            match *printed {
                // Print under a streak is no darker than it was, and dark.
                20 => assert!((20..130).contains(value), "{x}, {y}: {value}"),
                _ => assert_eq!(value, printed, "{x}, {y}"),
            }
        }
    }

    #[test]
    fn noise_and_a_page_of_stripes_have_no_streaks() {
        let mut page = page();
        for (at, value) in page.values.iter_mut().enumerate() {
            *value = value.saturating_sub(((at * 2_654_435_761) >> 7) as u8 & 15);
        }
        let none = Streaks {
            columns: Vec::new(),
            rows: Vec::new(),
        };
        assert_eq!(Streaks::find(&page), none);
        for line in page.values.chunks_exact_mut(400) {
            line.iter_mut().step_by(12).for_each(|it| *it = 100);
        }
        assert_eq!(Streaks::find(&page), none);
        assert_eq!(Streaks::find(&Plane::new(3, 900)), none);
    }
}
