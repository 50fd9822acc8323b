//! How likely a string is over all of its alignments with the frames of a line, and how likely it is with one character
//! changed (the forward and the backward algorithm of connectionist temporal classification, Graves et al., 2006).

/// How much less a logarithm is whose number changes no bit of another's in a sum.
const NEGLIGIBLE: f32 = 17.0;

/// What makes another string of one: a change of one character, at a place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is not there.
    Without(usize),
    /// A class is there instead.
    Instead(usize, usize),
    /// A class is there before it, or behind the end of the string.
    Before(usize, usize),
}

/// A string in all of its alignments, from both ends: what it is with one character changed follows from how likely all is
/// that comes before the change, and all that comes after.
pub(super) struct Alignments<'c, L> {
    classes: &'c [usize],
    /// How many frames there are.
    count: usize,
    /// The logarithm of the probability that a frame is of a class; class 0 is the blank.
    log: L,
    /// For each frame and state (blank, first, blank, second, … blank), the logarithm of the likelihood of all frames up to
    /// this one, which is in that state.
    begun: Vec<f32>,
    /// The same of this frame and all behind it.
    ended: Vec<f32>,
}

impl<'c, L: Fn(usize, usize) -> f32> Alignments<'c, L> {
    /// Those of a string with so many frames.
    pub fn new(classes: &'c [usize], count: usize, log: L) -> Alignments<'c, L> {
        let states = 2 * classes.len() + 1;
        // From a character to the next one without a blank between them, if they differ.
        let skips = |state: usize| {
            let pair = classes.get(state / 2..state / 2 + 2);
            state % 2 == 1 && pair.is_some_and(|pair| pair[0] != pair[1])
        };
        let class = |state: usize| match state % 2 {
            0 => 0,
            _ => classes[state / 2],
        };
        let logs: Vec<f32> = (0..count)
            .flat_map(|frame| (0..states).map(move |state| (frame, state)))
            .map(|(frame, state)| log(frame, class(state)))
            .collect();
        let mut begun = logs.clone();
        for frame in 0..count {
            let (before, now) = begun.split_at_mut(frame * states);
            let before = frame.checked_sub(1).map(|last| &before[last * states..]);
            for (state, now) in now[..states].iter_mut().enumerate() {
                *now += match before {
                    None if state < 2 => 0.0,
                    None => f32::NEG_INFINITY,
                    Some(before) => {
                        let mut sum = before[state];
                        if state > 0 {
                            sum = add(sum, before[state - 1]);
                        }
                        if state > 1 && skips(state - 2) {
                            sum = add(sum, before[state - 2]);
                        }
                        sum
                    }
                };
            }
        }
        let mut ended = logs;
        for frame in (0..count).rev() {
            let (now, after) = ended[frame * states..].split_at_mut(states);
            for (state, now) in now.iter_mut().enumerate() {
                *now += match after.get(..states) {
                    None if state + 2 >= states => 0.0,
                    None => f32::NEG_INFINITY,
                    Some(after) => {
                        let mut sum = after[state];
                        if state + 1 < states {
                            sum = add(sum, after[state + 1]);
                        }
                        if skips(state) {
                            sum = add(sum, after[state + 2]);
                        }
                        sum
                    }
                };
            }
        }
        Alignments {
            classes,
            count,
            log,
            begun,
            ended,
        }
    }

    /// Those up to a frame, by the state that it is in; none before the first one.
    fn begun(&self, frame: Option<usize>) -> Option<&[f32]> {
        let states = 2 * self.classes.len() + 1;
        self.begun.get(frame? * states..)?.get(..states)
    }

    /// Those from a frame on, by the state that it is in; none behind the last one.
    fn ended(&self, frame: usize) -> Option<&[f32]> {
        let states = 2 * self.classes.len() + 1;
        self.ended.get(frame * states..)?.get(..states)
    }

    /// Logarithm of the likelihood of the string over all alignments.
    pub fn likelihood(&self) -> f32 {
        let first = self.ended(0).into_iter().flatten().take(2);
        first.copied().fold(f32::NEG_INFINITY, add)
    }

    /// The same of the string with a change.
    pub fn changed(&self, change: Change) -> f32 {
        match change {
            Change::Without(at) => self.without(at),
            Change::Instead(at, class) => self.with(class, at, at + 1),
            Change::Before(at, class) => self.with(class, at, at),
        }
    }

    /// Logarithm of the likelihood of the first `before` characters, another one, and all from `after` on.
    fn with(&self, class: usize, before: usize, after: usize) -> f32 {
        let classes = self.classes;
        let follows = before > 0 && classes[before - 1] != class;
        let precedes = classes.get(after).is_some_and(|next| *next != class);
        let (mut inside, mut all) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        for frame in 0..self.count {
            let entered = match self.begun(frame.checked_sub(1)) {
                None if before == 0 => 0.0,
                None => f32::NEG_INFINITY,
                Some(begun) if follows => add(begun[2 * before], begun[2 * before - 1]),
                Some(begun) => begun[2 * before],
            };
            inside = add(inside, entered) + (self.log)(frame, class);
            let left = match self.ended(frame + 1) {
                None if after == classes.len() => 0.0,
                None => f32::NEG_INFINITY,
                Some(ended) if precedes => add(ended[2 * after], ended[2 * after + 1]),
                Some(ended) => ended[2 * after],
            };
            all = add(all, inside + left);
        }
        all
    }

    /// Logarithm of the likelihood of all characters but one.
    fn without(&self, at: usize) -> f32 {
        let next = self.classes.get(at + 1);
        let follows = at > 0 && next != Some(&self.classes[at - 1]);
        let mut all = f32::NEG_INFINITY;
        // Between two frames the last character before it, or a blank behind that, gives way to the next character, or to
        // the end.
        for frame in 0..=self.count {
            let behind = match self.begun(frame.checked_sub(1)) {
                None if at == 0 => 0.0,
                None => f32::NEG_INFINITY,
                Some(begun) if follows => add(begun[2 * at], begun[2 * at - 1]),
                Some(begun) => begun[2 * at],
            };
            let ahead = match (next, self.ended(frame)) {
                (Some(_), Some(ended)) => ended[2 * at + 3],
                (None, None) => 0.0,
                _ => f32::NEG_INFINITY,
            };
            all = add(all, behind + ahead);
        }
        all
    }
}

/// The logarithm of a sum, from the logarithms of its parts.
fn add(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    if low > high - NEGLIGIBLE {
        high + (low - high).exp().ln_1p()
    } else {
        high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five frames, and the probabilities that they give a blank and three characters.
    const FRAMES: [[f32; 4]; 5] = [
        [0.2, 0.5, 0.2, 0.1],
        [0.4, 0.3, 0.1, 0.2],
        [0.1, 0.1, 0.6, 0.2],
        [0.5, 0.2, 0.2, 0.1],
        [0.1, 0.3, 0.2, 0.4],
    ];

    /// The likelihood of a string as the sum over all paths that say it.
    fn over_all_paths(classes: &[usize]) -> f32 {
        let mut sum = 0.0;
        for path in 0..4usize.pow(5) {
            let steps = [0, 1, 2, 3, 4].map(|frame| path / 4usize.pow(frame) % 4);
            let mut said = Vec::new();
            for (frame, class) in steps.iter().enumerate() {
                if *class != 0 && (frame == 0 || steps[frame - 1] != *class) {
                    said.push(*class);
                }
            }
            if said == classes {
                let each = steps.iter().zip(FRAMES).map(|(class, frame)| frame[*class]);
                sum += each.product::<f32>();
            }
        }
        sum
    }

    #[test]
    fn a_string_and_every_change_of_it_is_as_likely_as_all_paths_that_say_it() {
        let same = |said: f32, classes: &[usize]| {
            let all = over_all_paths(classes);
            assert!(
                (said.exp() - all).abs() < 1e-5,
                "{classes:?}: {} {all}",
                said.exp()
            );
        };
        for claim in [&[1, 2, 3][..], &[1, 1, 2], &[2, 1, 2], &[3], &[]] {
            let log = |frame: usize, class: usize| FRAMES[frame][class].ln();
            let alignments = Alignments::new(claim, FRAMES.len(), log);
            same(alignments.likelihood(), claim);
            for at in 0..=claim.len() {
                let (before, rest) = claim.split_at(at);
                for class in 1..4 {
                    let more = [before, &[class], rest].concat();
                    same(alignments.changed(Change::Before(at, class)), &more);
                    if let Some((_, after)) = rest.split_first() {
                        let other = [before, &[class], after].concat();
                        same(alignments.changed(Change::Instead(at, class)), &other);
                    }
                }
                if let Some((_, after)) = rest.split_first() {
                    let fewer = [before, after].concat();
                    same(alignments.changed(Change::Without(at)), &fewer);
                }
            }
        }
    }

    #[test]
    fn of_what_cannot_be_nothing_is_likely() {
        let none = Alignments::new(&[1], 0, |_, _| 0.0);
        assert_eq!(none.likelihood(), f32::NEG_INFINITY);
        assert_eq!(none.changed(Change::Instead(0, 2)), f32::NEG_INFINITY);
        // More characters than frames.
        let long = Alignments::new(&[1, 2], 1, |_, _| -1.0);
        assert_eq!(long.likelihood(), f32::NEG_INFINITY);
        assert_eq!(long.changed(Change::Without(0)), -1.0);
    }
}
