//! The second vote: does a text recognition network read the claimed string, and nothing else as well?
//!
//! The network is PP-OCRv6 small (PaddleOCR, Apache-2.0), run in the process by rten. Its output is scored as
//! connectionist temporal classification (Graves et al., 2006): the claim against every string that differs from it,
//! or from what the network reads, by one character.

use std::collections::HashMap;
use std::sync::Arc;

use rten::{Model, ModelOptions, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
use thiserror::Error;

use super::same::Same;
use super::wording::Wording;

/// File name of the network.
pub const NETWORK_FILE: &str = "PP-OCRv6_rec_small.rten";
/// File name of the characters that it knows, one a line.
pub const CHARACTERS_FILE: &str = "ppocrv6_dict.txt";
/// Height of a line of text that the network reads, in pixels.
const LINE_HEIGHT: usize = 48;
/// Widths that lines are padded to are multiples of this.
const WIDTH_STEP: usize = 32;
/// Widest line, in pixels of [`LINE_HEIGHT`].
const WIDTH_MAX: usize = 1_600;
/// Likeliest characters of a place that are tried there.
const TRIED: usize = 4;
/// Least probability of a character in a frame to be tried there.
const CHANCE_MIN: f32 = 0.004;
/// Characters from which on a claim is so long that a doubled character is not tried.
const LONG_CLAIM: usize = 30;
/// Least probability of a character in a frame to be told from one that the network excludes.
const KEPT_MIN: f32 = 1e-6;
/// Least probability of a character, so that logarithms stay finite.
const FLOOR: f32 = 1e-9;

/// The network cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the text recognition network: {0}")]
pub struct ReaderError(String);

/// The network, ready to read.
pub struct Reader {
    model: Arc<Model>,
    /// Class of each character; 0 is the blank.
    classes: Arc<HashMap<char, usize>>,
    characters: Arc<[char]>,
    /// One thread: whoever runs several comparisons at once runs several of these.
    threads: Arc<ThreadPool>,
}

/// What the network says of a line: for each of its frames, from left to right, the classes that it does not exclude and
/// their probabilities.
type Output = Vec<Vec<(usize, f32)>>;

/// A line of text to read: brightness from 0 to 255, row after row.
pub(super) struct Line {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

/// What the network says of a claim.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    /// What it reads, at its likeliest.
    pub text: String,
    /// How much likelier the claim is than the best other string: a difference of natural logarithms.
    pub margin: f32,
    /// The best other string.
    pub other: String,
}

impl Reader {
    /// A reader from the contents of [`NETWORK_FILE`] and [`CHARACTERS_FILE`].
    pub fn new(network: Vec<u8>, characters: &str) -> Result<Reader, ReaderError> {
        // Class 0 is the blank, the last one a space.
        let mut known = vec!['\0'];
        known.extend(
            characters
                .lines()
                .map(|line| line.chars().next().unwrap_or(' ')),
        );
        known.push(' ');
        let mut classes = HashMap::new();
        for (class, character) in known.iter().enumerate().skip(1) {
            classes.entry(*character).or_insert(class);
        }
        let mut options = ModelOptions::with_all_ops();
        let model = options
            .prepack_weights(true)
            .load(network)
            .map_err(|error| ReaderError(error.to_string()))?;
        Ok(Reader {
            model: Arc::new(model),
            classes: Arc::new(classes),
            characters: known.into(),
            threads: one_thread(),
        })
    }

    /// Another reader with the same network, for another comparison at the same time.
    pub fn another(&self) -> Reader {
        Reader {
            model: Arc::clone(&self.model),
            classes: Arc::clone(&self.classes),
            characters: Arc::clone(&self.characters),
            threads: one_thread(),
        }
    }

    /// Reads a line and holds it against the claim; none where the claim has a character that the network does not
    /// know, or the network fails. Only what the field's `wording` can hold competes with the claim.
    pub(super) fn read(&self, line: &Line, claim: &str, wording: Wording) -> Option<Reading> {
        let same = Same::of(claim);
        let claimed: Vec<usize> = claim
            .chars()
            .filter(|c| !same.is_none(*c))
            .map(|c| self.class(c, same))
            .collect::<Option<_>>()?;
        let output = self.run(line)?;
        let text = self.likeliest(&output);
        let frames = Frames::new(&output, self, same);
        let likelihood = frames.likelihood(&claimed);
        let possible = |class: &usize| {
            let character = self.characters.get(*class);
            character.is_none_or(|it| wording.may_hold(*it))
        };
        let best = frames.greedy(|class| possible(class) || claimed.contains(class));
        let mut others: Vec<Vec<usize>> = frames.variants(&claimed, possible);
        if best != claimed {
            others.push(best);
        }
        let (mut margin, mut other) = (f32::MAX, Vec::new());
        for candidate in others {
            let gap = likelihood - frames.likelihood(&candidate);
            if gap < margin {
                (margin, other) = (gap, candidate);
            }
        }
        Some(Reading {
            text,
            margin,
            other: self.text(&other),
        })
    }

    /// What the network reads at its likeliest.
    pub(super) fn read_freely(&self, line: &Line) -> Option<String> {
        Some(self.likeliest(&self.run(line)?))
    }

    /// The text of the likeliest character of each frame, with nothing taken for the same but what is of another width.
    fn likeliest(&self, output: &Output) -> String {
        self.text(&Frames::new(output, self, Same::default()).greedy(|_| true))
    }

    fn text(&self, classes: &[usize]) -> String {
        classes
            .iter()
            .filter_map(|class| self.characters.get(*class))
            .collect()
    }

    /// The class of a character, or of the one that is the same.
    fn class(&self, character: char, same: Same) -> Option<usize> {
        self.classes.get(&same.folded(character)).copied()
    }

    fn run(&self, line: &Line) -> Option<Output> {
        let scale = LINE_HEIGHT as f32 / line.height as f32;
        let inner = ((line.width as f32 * scale).round() as usize).clamp(8, WIDTH_MAX);
        let width = inner.div_ceil(WIDTH_STEP) * WIDTH_STEP;
        let mut plane = vec![1.0f32; LINE_HEIGHT * width];
        for y in 0..LINE_HEIGHT {
            let sy = (y as f32 + 0.5) / scale - 0.5;
            for x in 0..inner {
                let sx = (x as f32 + 0.5) * line.width as f32 / inner as f32 - 0.5;
                plane[y * width + x] = line.sample(sx, sy) / 127.5 - 1.0;
            }
        }
        let mut values = Vec::with_capacity(plane.len() * 3);
        (0..3).for_each(|_| values.extend_from_slice(&plane));
        let input = Tensor::from_data(&[1, 3, LINE_HEIGHT, width], values);
        let options = RunOptions::default().with_thread_pool(Some(self.threads.clone()));
        let output = self
            .model
            .run_one(input.view().into(), Some(options))
            .ok()?;
        let output: NdTensor<f32, 3> = output.try_into().ok()?;
        let [_, steps, classes] = output.shape();
        let data = output.data()?;
        if classes < 2 || steps == 0 || data.len() != steps * classes {
            return None;
        }
        let likely = |frame: &[f32]| {
            let all = frame.iter().copied().enumerate();
            all.filter(|it| it.1 > KEPT_MIN).collect()
        };
        Some(data.chunks_exact(classes).map(likely).collect())
    }
}

fn one_thread() -> Arc<ThreadPool> {
    Arc::new(ThreadPool::with_num_threads(1))
}

impl Line {
    fn sample(&self, x: f32, y: f32) -> f32 {
        let x = x.clamp(0.0, (self.width - 1) as f32);
        let y = y.clamp(0.0, (self.height - 1) as f32);
        let (left, top) = (x as usize, y as usize);
        let (right, bottom) = (
            (left + 1).min(self.width - 1),
            (top + 1).min(self.height - 1),
        );
        let (fx, fy) = (x.fract(), y.fract());
        let at = |x: usize, y: usize| self.values[y * self.width + x];
        let upper = at(left, top) + (at(right, top) - at(left, top)) * fx;
        let lower = at(left, bottom) + (at(right, bottom) - at(left, bottom)) * fx;
        upper + (lower - upper) * fy
    }
}

/// Logarithms of the probabilities that matter: those of the claim's characters and of the likeliest of each frame.
struct Frames {
    /// For each frame, all classes that were kept, with their logarithms.
    logs: Vec<HashMap<usize, f32>>,
    /// For each frame, its likeliest classes, the likeliest first.
    likeliest: Vec<Vec<usize>>,
}

impl Frames {
    fn new(output: &Output, reader: &Reader, same: Same) -> Frames {
        // Classes of characters that look the same count as one.
        let fold = |class: usize| {
            let character = reader.characters.get(class).copied().unwrap_or('\0');
            if class == 0 || same.is_none(character) {
                0
            } else {
                reader.class(character, same).unwrap_or(class)
            }
        };
        let (mut logs, mut likeliest) = (Vec::new(), Vec::new());
        for frame in output {
            let mut kept: HashMap<usize, f32> = HashMap::new();
            for (class, probability) in frame {
                *kept.entry(fold(*class)).or_default() += probability;
            }
            let mut order: Vec<usize> = kept.keys().copied().collect();
            order.sort_by(|a, b| kept[b].total_cmp(&kept[a]).then(a.cmp(b)));
            order.truncate(TRIED + 1);
            for value in kept.values_mut() {
                *value = value.max(FLOOR).ln();
            }
            logs.push(kept);
            likeliest.push(order);
        }
        Frames { logs, likeliest }
    }

    fn log(&self, frame: usize, class: usize) -> f32 {
        self.logs[frame]
            .get(&class)
            .copied()
            .unwrap_or_else(|| FLOOR.ln())
    }

    /// The likeliest class of each frame among the `possible`, blanks and repetitions left out.
    fn greedy(&self, possible: impl Fn(&usize) -> bool) -> Vec<usize> {
        let mut read = Vec::new();
        let mut last = 0;
        for frame in &self.likeliest {
            let likeliest = frame.iter().find(|class| **class == 0 || possible(class));
            let class = likeliest.copied().unwrap_or(0);
            if class != 0 && class != last {
                read.push(class);
            }
            last = class;
        }
        read
    }

    /// Logarithm of the likelihood of a string over all alignments (the forward algorithm).
    fn likelihood(&self, classes: &[usize]) -> f32 {
        // States: blank, first, blank, second, … blank.
        let states = 2 * classes.len() + 1;
        let class = |state: usize| {
            if state.is_multiple_of(2) {
                0
            } else {
                classes[state / 2]
            }
        };
        let mut now = vec![f32::NEG_INFINITY; states];
        now[0] = self.log(0, 0);
        if states > 1 {
            now[1] = self.log(0, class(1));
        }
        let mut next = now.clone();
        for frame in 1..self.logs.len() {
            for state in 0..states {
                let mut sum = now[state];
                if state > 0 {
                    sum = add(sum, now[state - 1]);
                }
                if state > 1 && class(state) != 0 && class(state) != class(state - 2) {
                    sum = add(sum, now[state - 2]);
                }
                next[state] = sum + self.log(frame, class(state));
            }
            std::mem::swap(&mut now, &mut next);
        }
        let last = now[states - 1];
        if states > 1 {
            add(last, now[states - 2])
        } else {
            last
        }
    }

    /// Strings that differ from the claim by one character, as far as any frame gives that character a chance: what
    /// none gives more than [`CHANCE_MIN`] is less likely by more than any threshold.
    fn variants(&self, claim: &[usize], possible: impl Fn(&usize) -> bool) -> Vec<Vec<usize>> {
        let steps = self.logs.len();
        let least = CHANCE_MIN.ln();
        // Where in the claim each frame is, roughly: characters follow each other evenly.
        let mut chances: Vec<Vec<usize>> = vec![Vec::new(); claim.len() + 1];
        let reach = 2.0 + 4.0 * claim.len() as f32 / steps.max(1) as f32;
        for (frame, likeliest) in self.likeliest.iter().enumerate() {
            let middle = (frame as f32 + 0.5) / steps as f32 * claim.len() as f32;
            for class in likeliest
                .iter()
                .filter(|class| **class != 0 && self.log(frame, **class) > least && possible(class))
            {
                let first = (middle - reach).max(0.0) as usize;
                let last = ((middle + reach) as usize).min(claim.len());
                for known in &mut chances[first..=last] {
                    if !known.contains(class) {
                        known.push(*class);
                    }
                }
            }
        }
        let mut variants = Vec::new();
        for (at, chances) in chances.iter().enumerate() {
            if at < claim.len() {
                let mut shorter = claim.to_vec();
                shorter.remove(at);
                variants.push(shorter);
            }
            for class in chances {
                if at < claim.len() && *class != claim[at] {
                    let mut changed = claim.to_vec();
                    changed[at] = *class;
                    variants.push(changed);
                }
                let own = claim.get(at) == Some(class) || at > 0 && claim[at - 1] == *class;
                if !own || claim.len() < LONG_CLAIM {
                    let mut longer = claim.to_vec();
                    longer.insert(at, *class);
                    variants.push(longer);
                }
            }
        }
        variants
    }
}

/// The logarithm of a sum, from the logarithms of its parts.
fn add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low == f32::NEG_INFINITY {
        high
    } else {
        high + (low - high).exp().ln_1p()
    }
}
