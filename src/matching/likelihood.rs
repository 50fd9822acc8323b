//! What a network's output says of strings, scored as connectionist temporal classification (Graves et al., 2006).

use std::collections::HashMap;

use super::network::{Network, Output};
use super::same::Same;

/// Likeliest characters of a place that are tried there.
const TRIED: usize = 4;
/// Least probability of a character in a frame to be tried there.
const CHANCE_MIN: f32 = 0.004;
/// Characters from which on a claim is so long that a doubled character is not tried.
const LONG_CLAIM: usize = 30;
/// Least probability of a character, so that logarithms stay finite.
const FLOOR: f32 = 1e-9;

/// Logarithms of the probabilities that matter: those of the claim's characters and of the likeliest of each frame.
pub(super) struct Frames<'a> {
    output: &'a Output,
    /// For each frame, all classes that were kept, with their logarithms.
    logs: Vec<HashMap<usize, f32>>,
    /// For each frame, its likeliest classes, the likeliest first.
    likeliest: Vec<Vec<usize>>,
}

impl<'a> Frames<'a> {
    pub fn new(output: &'a Output, network: &Network, same: Same) -> Frames<'a> {
        // Classes of characters that look the same count as one.
        let fold = |class: usize| {
            let character = network.character(class).unwrap_or('\0');
            if class == 0 || same.is_none(character) {
                0
            } else {
                network.class(character, same).unwrap_or(class)
            }
        };
        let (mut logs, mut likeliest) = (Vec::new(), Vec::new());
        for frame in output.likely() {
            let mut kept: HashMap<usize, f32> = HashMap::new();
            for (class, probability) in frame {
                *kept.entry(fold(class)).or_default() += probability;
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
        Frames {
            output,
            logs,
            likeliest,
        }
    }

    fn log(&self, frame: usize, class: usize) -> f32 {
        self.logs[frame]
            .get(&class)
            .copied()
            .unwrap_or_else(|| FLOOR.ln())
    }

    /// The likeliest class of each frame among the `possible`, blanks and repetitions left out.
    pub fn greedy(&self, possible: impl Fn(&usize) -> bool) -> Vec<usize> {
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

    /// Logarithm of the likelihood of a string over all alignments.
    pub fn likelihood(&self, classes: &[usize]) -> f32 {
        self.forward(classes, |frame, class| self.log(frame, class))
    }

    /// The same with the probability that every class has, even one that the network excludes.
    pub fn exact_likelihood(&self, classes: &[usize]) -> f32 {
        let probability = |frame, class| self.output.probability(frame, class);
        self.forward(classes, |frame, class| {
            probability(frame, class).max(f32::MIN_POSITIVE).ln()
        })
    }

    /// The forward algorithm, from the logarithm of the probability that a frame is of a class.
    fn forward(&self, classes: &[usize], log: impl Fn(usize, usize) -> f32) -> f32 {
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
        now[0] = log(0, 0);
        if states > 1 {
            now[1] = log(0, class(1));
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
                next[state] = sum + log(frame, class(state));
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
    pub fn variants(&self, claim: &[usize], possible: impl Fn(&usize) -> bool) -> Vec<Vec<usize>> {
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
