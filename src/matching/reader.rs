//! The second vote: does a text recognition network read the claimed string, and nothing else as well?
//!
//! The claim is held against every string that differs from it, or from what the network reads, by one character. There
//! are two networks: a quick one, PP-OCRv6 tiny, and a careful one, PP-OCRv6 small, at four times the time.

use std::cell::OnceCell;
use std::sync::Arc;

use rten::ThreadPool;

use super::alignments::{Alignments, Change};
use super::doubted::Shape;
use super::likelihood::Frames;
use super::misread::{Doubt, Misread};
use super::network::{Files, Line, Network, NetworkError, Output};
use super::same::Same;
use super::thresholds::Thresholds;
use super::wording::Wording;

const QUICK: Files = Files {
    network: "PP-OCRv6_rec_tiny.onnx",
    characters: "ppocrv6_tiny_dict.txt",
};
const CAREFUL: Files = Files {
    network: "PP-OCRv6_rec_small.onnx",
    characters: "ppocrv6_dict.txt",
};

/// The networks, ready to read.
pub struct Reader {
    quick: Judge,
    careful: Judge,
    /// One thread: whoever runs several comparisons at once runs several of these.
    threads: Arc<ThreadPool>,
}

/// What the shape of a character tells of a doubt about it.
type Shapes<'a> = &'a dyn Fn(Doubt) -> Shape;

/// Where nothing but the network tells.
const NO_SHAPES: Shapes = &|_| Shape::Untold;

/// A network, and what it is known to misread.
#[derive(Clone)]
struct Judge {
    network: Network,
    misread: Arc<Misread>,
}

/// What a network says of a claim.
#[derive(Debug, PartialEq)]
pub(super) struct Reading {
    /// What it reads, at its likeliest.
    pub text: String,
    /// How much likelier the claim is than the best other string: a difference of natural logarithms.
    pub margin: f32,
    /// The same where nothing else tells: less by what it gives to another character in the place of one of the claim's.
    pub alone: f32,
    /// That other character, if the network may have read it.
    pub doubt: Option<Doubt>,
}

impl Reader {
    /// A reader from the files of both networks, whose contents `content` gives by name.
    pub fn new(content: impl Fn(&str) -> Result<Vec<u8>, String>) -> Result<Reader, NetworkError> {
        let judge = |files, misread: &str| -> Result<Judge, NetworkError> {
            Ok(Judge {
                network: Network::new(files, &content)?,
                misread: Arc::new(Misread::of(misread)),
            })
        };
        Ok(Reader {
            quick: judge(&QUICK, include_str!("misread/tiny.txt"))?,
            careful: judge(&CAREFUL, include_str!("misread/small.txt"))?,
            threads: one_thread(),
        })
    }

    /// Another reader with the same networks, for another comparison at the same time.
    pub fn another(&self) -> Reader {
        Reader {
            quick: self.quick.clone(),
            careful: self.careful.clone(),
            threads: one_thread(),
        }
    }

    /// Reads a line and holds it against the claim; none where the claim has a character that the networks do not know, or
    /// they fail. Only what the field's `wording` can hold competes with the claim. Where it is to be done `quickly`, the
    /// careful network reads only what the quick one is not sure of. A doubt about a character counts unless its shape is the
    /// claimed one's, and always where it is the other one's.
    pub(super) fn read(
        &self,
        line: &Line,
        claim: &str,
        wording: Wording,
        (quickly, shapes): (bool, Shapes),
        at: &Thresholds,
    ) -> Option<Reading> {
        let by = |judge: &Judge, least| {
            let besides = (wording, least, shapes);
            judge.read(line, claim, besides, &self.threads)
        };
        let quick = quickly.then(|| by(&self.quick, at.reads_quickly)).flatten();
        let careful = match quick {
            Some(quick) if quick.alone >= at.reads_quickly => return Some(quick),
            _ => by(&self.careful, at.reads_alone)?,
        };
        // Two that find it, and neither where it may be misled, are surer than one.
        let finds = |it: &Reading| it.margin > 0.0 && it.doubt.is_none();
        Some(match quick {
            Some(quick) if finds(&quick) && finds(&careful) => Reading {
                alone: careful.margin + quick.margin,
                ..careful
            },
            _ => careful,
        })
    }

    /// Whether either network finds a text in a line, the quick one first.
    pub(super) fn finds(&self, line: &Line, text: &str) -> bool {
        [&self.quick, &self.careful].into_iter().any(|judge| {
            let besides = (Wording::Free, f32::MAX, NO_SHAPES);
            let reading = judge.read(line, text, besides, &self.threads);
            reading.is_some_and(|it| it.margin > 0.0)
        })
    }

    /// What the network reads at its likeliest.
    pub(super) fn read_freely(&self, line: &Line) -> Option<String> {
        let network = &self.careful.network;
        Some(likeliest(&network.run(line, &self.threads)?, network))
    }
}

impl Judge {
    /// Reads a line. Of a claim that another is read as as surely, it is less sure than `least`.
    fn read(
        &self,
        line: &Line,
        claim: &str,
        (wording, least, shapes): (Wording, f32, Shapes),
        threads: &Arc<ThreadPool>,
    ) -> Option<Reading> {
        let network = &self.network;
        let same = Same::of(claim);
        let characters: Vec<char> = claim.chars().filter(|c| !same.is_none(*c)).collect();
        let classes = characters.iter().map(|c| network.class(*c, same));
        let claimed: Vec<usize> = classes.collect::<Option<_>>()?;
        let output = network.run(line, threads)?;
        let frames = Frames::new(&output, network, same);
        let alignments = frames.alignments(&claimed);
        let likelihood = alignments.likelihood();
        let possible = |class: &usize| {
            let character = network.character(*class);
            character.is_none_or(|it| wording.may_hold(it))
        };
        let best = frames.greedy(|class| possible(class) || claimed.contains(class));
        let read = (best != claimed).then(|| frames.alignments(&best).likelihood());
        let changes = frames.changes(&claimed, possible).into_iter();
        let others = changes.map(|it| alignments.changed(it)).chain(read);
        let margin = others.map(|it| likelihood - it).fold(f32::MAX, f32::min);
        // What is not found is not found, whatever it may be taken for.
        let worst = match margin > 0.0 {
            true => self.hardest_doubt(&frames, (&characters, &claimed), margin, shapes),
            false => None,
        };
        let alone = worst.map_or(margin, |(beyond, _)| margin.min((beyond + least).max(0.0)));
        let doubt = worst.filter(|it| it.0 < 0.0).map(|it| it.1);
        Some(Reading {
            text: likeliest(&output, network),
            margin,
            alone,
            doubt,
        })
    }

    /// Of all characters that are read as one of the claim's, the one that is hardest to tell from it here, and how much
    /// likelier the claim is than with that one in its place, beyond what is usual where that one is printed. What has the
    /// claimed one's shape raises no doubt, and the other one's shape is beyond all doubt. Where the network does not know the other, the `margin` over everything stands for it.
    fn hardest_doubt(
        &self,
        frames: &Frames,
        (characters, claimed): (&[char], &[usize]),
        margin: f32,
        shapes: Shapes,
    ) -> Option<(f32, Doubt)> {
        let claims = characters.iter().enumerate();
        let doubts = claims.flat_map(|(at, character)| {
            let misread = self.misread.of_character(*character);
            misread.map(move |(printed, surest)| (at, *character, printed, surest))
        });
        let alignments = OnceCell::new();
        let beyond = doubts.map(|(at, character, printed, surest)| {
            let alignments = alignments.get_or_init(|| frames.exact_alignments(claimed));
            let gap = self.gap(alignments, (at, printed));
            let doubt = Doubt {
                claimed: character,
                printed,
            };
            (gap.unwrap_or(margin) - surest, doubt)
        });
        let counting = beyond.filter_map(|(beyond, doubt)| match shapes(doubt) {
            Shape::Claimed => (beyond >= 0.0).then_some((beyond, doubt)),
            Shape::Other => Some((f32::MIN, doubt)),
            Shape::Untold => Some((beyond, doubt)),
        });
        counting.min_by(|one, other| one.0.total_cmp(&other.0))
    }

    /// How much likelier a claim is than the same with another character in one place; none if the network does not know
    /// that one.
    fn gap(
        &self,
        claimed: &Alignments<impl Fn(usize, usize) -> f32>,
        (at, other): (usize, char),
    ) -> Option<f32> {
        let class = self.network.class(other, Same::default())?;
        Some(claimed.likelihood() - claimed.changed(Change::Instead(at, class)))
    }
}

/// The text of the likeliest character of each frame, with nothing taken for the same but what is of another width.
fn likeliest(output: &Output, network: &Network) -> String {
    network.text(&Frames::new(output, network, Same::default()).greedy(|_| true))
}

fn one_thread() -> Arc<ThreadPool> {
    Arc::new(ThreadPool::with_num_threads(1))
}

#[cfg(test)]
mod tests;
