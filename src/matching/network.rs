//! A text recognition network: from a line of text to what it says of each frame of it.
//!
//! The networks are PP-OCRv6 tiny and small (PaddleOCR, Apache-2.0), run in the process by rten.

use std::collections::HashMap;
use std::sync::Arc;

use rten::{Model, ModelOptions, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};
use thiserror::Error;

use super::same::Same;

/// Height of a line of text that a network reads, in pixels.
const LINE_HEIGHT: usize = 48;
/// Widths that lines are padded to are multiples of this.
const WIDTH_STEP: usize = 32;
/// Widest line, in pixels of [`LINE_HEIGHT`].
const WIDTH_MAX: usize = 1_600;
/// Least probability of a character in a frame to be told from one that the network excludes.
const KEPT_MIN: f32 = 1e-6;

/// A network cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}: {reason}")]
pub struct NetworkError {
    /// The file that is at fault.
    pub file: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// The names of a network's two files.
pub(super) struct Files {
    pub network: &'static str,
    /// The characters that it knows, one a line.
    pub characters: &'static str,
}

/// A network, ready to read.
#[derive(Clone)]
pub(super) struct Network {
    model: Arc<Model>,
    /// Class of each character; 0 is the blank.
    classes: Arc<HashMap<char, usize>>,
    characters: Arc<[char]>,
}

/// What a network says of a line: the probability of every class in each of its frames, from left to right.
pub(super) struct Output {
    classes: usize,
    probabilities: Vec<f32>,
}

/// A line of text to read: brightness from 0 to 255, row after row.
pub(super) struct Line {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Network {
    /// A network from its files, whose contents `content` gives by name.
    pub fn new(
        files: &Files,
        content: impl Fn(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Network, NetworkError> {
        let fault = |file, reason: String| NetworkError { file, reason };
        let text = content(files.characters)
            .and_then(|text| String::from_utf8(text).map_err(|error| error.to_string()));
        let text = text.map_err(|reason| fault(files.characters, reason))?;
        // Class 0 is the blank, the last one a space.
        let mut known = vec!['\0'];
        known.extend(text.lines().map(|line| line.chars().next().unwrap_or(' ')));
        known.push(' ');
        let mut classes = HashMap::new();
        for (class, character) in known.iter().enumerate().skip(1) {
            classes.entry(*character).or_insert(class);
        }
        let model = content(files.network).and_then(|network| {
            let mut options = ModelOptions::with_all_ops();
            let model = options.prepack_weights(true).load(network);
            model.map_err(|error| error.to_string())
        });
        Ok(Network {
            model: Arc::new(model.map_err(|reason| fault(files.network, reason))?),
            classes: Arc::new(classes),
            characters: known.into(),
        })
    }

    /// The character of a class; none where there is no such class.
    pub fn character(&self, class: usize) -> Option<char> {
        self.characters.get(class).copied()
    }

    /// The class of a character, or of the one that is the same.
    pub fn class(&self, character: char, same: Same) -> Option<usize> {
        self.classes.get(&same.folded(character)).copied()
    }

    /// What the characters of these classes say.
    pub fn text(&self, classes: &[usize]) -> String {
        let characters = classes.iter().filter_map(|class| self.character(*class));
        characters.collect()
    }

    /// Looks at a line; none where the network fails.
    pub fn run(&self, line: &Line, threads: &Arc<ThreadPool>) -> Option<Output> {
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
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(threads)));
        let output = self
            .model
            .run_one(input.view().into(), Some(options))
            .ok()?;
        let output: NdTensor<f32, 3> = output.try_into().ok()?;
        let [_, steps, classes] = output.shape();
        let probabilities = output.into_data();
        let whole = classes >= 2 && steps > 0 && probabilities.len() == steps * classes;
        whole.then(|| Output::new(classes, probabilities))
    }
}

impl Output {
    /// The probabilities of so many classes, frame after frame.
    pub fn new(classes: usize, probabilities: Vec<f32>) -> Output {
        Output {
            classes,
            probabilities,
        }
    }

    /// For each frame, the classes that the network does not exclude, and their probabilities.
    pub fn likely(&self) -> impl Iterator<Item = impl Iterator<Item = (usize, f32)>> {
        let frames = self.probabilities.chunks_exact(self.classes);
        frames.map(|frame| {
            let all = frame.iter().copied().enumerate();
            all.filter(|it| it.1 > KEPT_MIN)
        })
    }

    /// The probability of a class in a frame; 0 where there is no such class.
    pub fn probability(&self, frame: usize, class: usize) -> f32 {
        let frame = self.probabilities.chunks_exact(self.classes).nth(frame);
        frame.and_then(|it| it.get(class)).copied().unwrap_or(0.0)
    }
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
