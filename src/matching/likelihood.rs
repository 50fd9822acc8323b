//! What a network's output says of strings, scored as connectionist temporal classification (Graves et al., 2006).

use std::collections::HashMap;

use super::alignments::{Alignments, Change};
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
        Frames::of(output, |class| {
            let character = network.character(class).unwrap_or('\0');
            if class == 0 || same.is_none(character) {
                0
            } else {
                network.class(character, same).unwrap_or(class)
            }
        })
    }

    /// An output in which every class counts as the one that `fold` makes of it.
    fn of(output: &'a Output, fold: impl Fn(usize) -> usize) -> Frames<'a> {
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

    /// A string in all of its alignments.
    pub fn alignments<'c>(
        &'c self,
        classes: &'c [usize],
    ) -> Alignments<'c, impl Fn(usize, usize) -> f32 + 'c> {
        let log = |frame, class| self.log(frame, class);
        Alignments::new(classes, self.logs.len(), log)
    }

    /// The same with the probability that every class has, even one that the network excludes.
    pub fn exact_alignments<'c>(
        &'c self,
        classes: &'c [usize],
    ) -> Alignments<'c, impl Fn(usize, usize) -> f32 + 'c> {
        let probability = |frame, class| self.output.probability(frame, class);
        let log = move |frame, class| f32::max(probability(frame, class), f32::MIN_POSITIVE).ln();
        Alignments::new(classes, self.logs.len(), log)
    }

    /// The changes of one character of a claim, as far as any frame gives the new one a chance: what none gives more
    /// than [`CHANCE_MIN`] is less likely by more than any threshold.
    pub fn changes(&self, claim: &[usize], possible: impl Fn(&usize) -> bool) -> Vec<Change> {
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
        let mut changes = Vec::new();
        for (at, chances) in chances.iter().enumerate() {
            if at < claim.len() {
                changes.push(Change::Without(at));
            }
            for class in chances {
                if at < claim.len() && *class != claim[at] {
                    changes.push(Change::Instead(at, *class));
                }
                let own = claim.get(at) == Some(class) || at > 0 && claim[at - 1] == *class;
                if !own || claim.len() < LONG_CLAIM {
                    changes.push(Change::Before(at, *class));
                }
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_changes_by_one_character_that_has_a_chance_are_tried() {
        let frames: [&[f32]; 2] = [&[0.1, 0.8, 0.097, 0.003], &[0.9, 0.05, 0.05, 0.0]];
        let output = Output::new(4, frames.concat());
        let changes = Frames::of(&output, |class| class).changes(&[1], |class| *class != 3);
        assert!(changes.contains(&Change::Without(0)));
        assert!(changes.contains(&Change::Instead(0, 2)));
        assert!(changes.contains(&Change::Before(0, 2)) && changes.contains(&Change::Before(1, 2)));
        let tried = |class| {
            changes
                .iter()
                .any(|it| matches!(it, Change::Before(_, it) if *it == class))
        };
        assert!(tried(1) && !tried(3));
    }
}
