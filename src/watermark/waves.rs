//! Where the two waves of a lattice are in a picture: their frequencies from the spectrum, then their phases from place
//! to place, which say where every cell lies.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::f32::consts::PI;

use super::fourier::{Complex, spectrum};
use super::paper::{Paper, Plane};
use super::warp::{Sighting, Warp};

/// Side of the square that is transformed, in pixels.
const SIDE: usize = 1_024;
/// Longest and shortest wave that is looked for, in pixels.
const PERIODS: (f32, f32) = (4.5, 40.0);
/// Frequencies around one whose power is its background.
const BACKGROUND: usize = 12;
/// Strongest frequencies that may be waves.
const PEAKS: usize = 20;
/// A frequency is one if it is so much stronger than its background.
const PEAK_MIN: f32 = 6.0;
/// The two waves are about as long, and about at right angles.
const RATIO_MAX: f32 = 1.25;
const COSINE_MAX: f32 = 0.3;
/// Most places in which phases are measured.
const PLACES_MAX: usize = 60_000;

/// A frequency in periods a pixel, across and down.
pub(super) type Frequency = (f32, f32);

/// The pairs of frequencies that look most like a lattice's waves, the likeliest first.
pub(super) fn pairs(paper: &Paper) -> Vec<(Frequency, Frequency)> {
    let half = paper.darker.width.max(paper.darker.height) > SIDE;
    let step = if half { 2 } else { 1 };
    let peaks = peaks(&square(&paper.darker, step));
    let mut pairs = Vec::new();
    for (number, (first, strength)) in peaks.iter().enumerate() {
        for (second, other) in &peaks[..number] {
            let length = |f: &Frequency| (f.0 * f.0 + f.1 * f.1).sqrt();
            let ratio = length(first) / length(second);
            let cosine = (first.0 * second.0 + first.1 * second.1) / length(first) / length(second);
            if ratio.max(1.0 / ratio) > RATIO_MAX || cosine.abs() > COSINE_MAX {
                continue;
            }
            let handed = first.0 * second.1 - first.1 * second.0 > 0.0;
            let pair = if handed {
                (*first, *second)
            } else {
                (*second, *first)
            };
            let to_pixels = |f: Frequency| (f.0 / step as f32, f.1 / step as f32);
            let alike = (1.0 - cosine.abs()) / ratio.max(1.0 / ratio);
            let likely = strength.min(*other) * alike;
            pairs.push(((to_pixels(pair.0), to_pixels(pair.1)), likely));
        }
    }
    pairs.sort_by(|a, b| b.1.total_cmp(&a.1));
    pairs.into_iter().map(|it| it.0).collect()
}

/// The picture, or every second pixel of it, in a square whose edges fade.
fn square(plane: &Plane, step: usize) -> Vec<f32> {
    let (width, height) = (
        (plane.width / step).min(SIDE),
        (plane.height / step).min(SIDE),
    );
    let fade = |place: usize, length: usize| {
        let inside = (place as f32 + 0.5) / length as f32;
        (PI * inside).sin().powi(2).min(0.5) * 2.0
    };
    let mut values = vec![0.0; SIDE * SIDE];
    for y in 0..height {
        for x in 0..width {
            let mut sum = 0.0;
            for (dx, dy) in [(0, 0), (step - 1, 0), (0, step - 1), (step - 1, step - 1)] {
                sum += plane.values[(y * step + dy) * plane.width + x * step + dx];
            }
            values[y * SIDE + x] = sum / 4.0 * fade(x, width) * fade(y, height);
        }
    }
    values
}

/// The frequencies that stand out, and their power.
fn peaks(values: &[f32]) -> Vec<(Frequency, f32)> {
    let power = spectrum(values, SIDE);
    let at = |x: i32, y: i32| {
        let wrap = |place: i32| place.rem_euclid(SIDE as i32) as usize;
        power[wrap(y) * SIDE + wrap(x)]
    };
    let reach = (SIDE as f32 / PERIODS.0) as i32;
    // The lower half says the same as the upper one.
    let width = (2 * reach + 1) as usize;
    let mut near = Plane {
        width,
        height: reach as usize + 1,
        values: Vec::with_capacity(width * (reach as usize + 1)),
    };
    for y in 0..=reach {
        for x in -reach..=reach {
            let around = (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy)));
            near.values
                .push(around.map(|(dx, dy)| at(x + dx, y + dy)).sum());
        }
    }
    let background = near.local_means(BACKGROUND);
    let mut found = Vec::new();
    for y in 0..near.height as i32 {
        for x in -reach..=reach {
            let length = ((x * x + y * y) as f32).sqrt() / SIDE as f32;
            let index = y as usize * width + (x + reach) as usize;
            let strength = near.values[index] / background.values[index].max(1e-6);
            let is_wave = (1.0 / PERIODS.1..=1.0 / PERIODS.0).contains(&length);
            if !is_wave || strength < PEAK_MIN || (y == 0 && x <= 0) {
                continue;
            }
            let around = (-2..=2).flat_map(|dy: i32| (-2..=2).map(move |dx: i32| (dx, dy)));
            let highest = around
                .clone()
                .all(|(dx, dy)| at(x, y) >= at(x + dx, y + dy));
            if highest {
                let (mut sum, mut place) = (0.0, (0.0, 0.0));
                for (dx, dy) in around {
                    let weight = at(x + dx, y + dy);
                    sum += weight;
                    place.0 += weight * (x + dx) as f32;
                    place.1 += weight * (y + dy) as f32;
                }
                let frequency = (place.0 / sum / SIDE as f32, place.1 / sum / SIDE as f32);
                found.push((frequency, near.values[index]));
            }
        }
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found.truncate(PEAKS);
    found
}

/// A place in which both phases were measured.
#[derive(Clone, Copy, Default)]
struct Place {
    phases: [Complex; 2],
    /// Turns of the waves beyond their frequencies, once they are known.
    turns: Option<[f32; 2]>,
}

impl Place {
    fn strength(&self) -> f32 {
        self.phases
            .map(|it| it.power().sqrt())
            .into_iter()
            .fold(f32::MAX, f32::min)
    }
}

/// The map from pixels to cells that two waves say. Coordinates of pixels are divided by `scale`, which comes with it.
pub(super) fn warp(paper: &Paper, pair: (Frequency, Frequency)) -> Option<(Warp, f64)> {
    let waves = [pair.0, pair.1];
    let length = (pair.0.0.hypot(pair.0.1) + pair.1.0.hypot(pair.1.1)) / 2.0;
    let step = (1.0 / length).round().max(2.0) as usize;
    let (across, down) = (paper.darker.width / step, paper.darker.height / step);
    if across < 4 || down < 4 || across * down > PLACES_MAX {
        return None;
    }
    let mut places = measured(&paper.darker, waves, step, (across, down));
    unwrap(&mut places, across, down)?;
    let scale = paper.darker.width.max(paper.darker.height) as f64;
    let mut sightings = Vec::new();
    for (index, place) in places.iter().enumerate() {
        let Some(turns) = place.turns else {
            continue;
        };
        let middle = |cell: usize| (cell as f64 + 0.5) * step as f64 - 0.5;
        let (x, y) = (middle(index % across), middle(index / across));
        // A wave has a period of two cells.
        let along = |wave: usize| {
            let (fx, fy) = waves[wave];
            2.0 * (f64::from(fx) * x + f64::from(fy) * y + f64::from(turns[wave]))
        };
        sightings.push(Sighting {
            picture: (x / scale, y / scale),
            lattice: (along(0), along(1)),
            weight: f64::from(place.strength()).powi(2),
        });
    }
    Some((Warp::fit(&sightings)?, scale))
}

/// The waves' phases in blocks of `step` pixels, each smoothed with its neighbours.
fn measured(
    plane: &Plane,
    waves: [Frequency; 2],
    step: usize,
    (across, down): (usize, usize),
) -> Vec<Place> {
    let mut places = vec![Place::default(); across * down];
    for (number, wave) in waves.iter().enumerate() {
        let turn = |frequency: f32| Complex::turn(-2.0 * PI * frequency);
        let one = turn(wave.0);
        for y in 0..down * step {
            let row = &plane.values[y * plane.width..];
            let start = -2.0 * std::f64::consts::PI * f64::from(wave.1) * y as f64;
            let phase = Complex::turn((start % (2.0 * std::f64::consts::PI)) as f32);
            for column in 0..across {
                // Kept exact from block to block; inside one, turned pixel by pixel.
                let first =
                    f64::from(wave.0) * (column * step) as f64 * -2.0 * std::f64::consts::PI;
                let mut at =
                    phase.times(Complex::turn((first % (2.0 * std::f64::consts::PI)) as f32));
                let mut sum = Complex::default();
                for value in &row[column * step..(column + 1) * step] {
                    sum = sum.plus(Complex {
                        re: at.re * value,
                        im: at.im * value,
                    });
                    at = at.times(one);
                }
                let place = &mut places[y / step * across + column].phases[number];
                *place = place.plus(sum);
            }
        }
    }
    smoothed(&places, across, down)
}

/// Each place with the two around it on every side, by binomial weights.
fn smoothed(places: &[Place], across: usize, down: usize) -> Vec<Place> {
    const WEIGHTS: [f32; 5] = [1.0, 4.0, 6.0, 4.0, 1.0];
    let pass = |from: &[Place], dx: i32, dy: i32| -> Vec<Place> {
        let mut out = vec![Place::default(); from.len()];
        for (index, place) in out.iter_mut().enumerate() {
            let (x, y) = ((index % across) as i32, (index / across) as i32);
            for (number, weight) in WEIGHTS.iter().enumerate() {
                let off = number as i32 - 2;
                let (x, y) = (x + off * dx, y + off * dy);
                if x < 0 || y < 0 || x >= across as i32 || y >= down as i32 {
                    continue;
                }
                let other = &from[y as usize * across + x as usize];
                for (sum, phase) in place.phases.iter_mut().zip(other.phases) {
                    sum.re += weight * phase.re;
                    sum.im += weight * phase.im;
                }
            }
        }
        out
    };
    pass(&pass(places, 1, 0), 0, 1)
}

/// A place at the edge of what is known.
struct Edge {
    strength: f32,
    place: usize,
    from: usize,
}

impl PartialEq for Edge {
    fn eq(&self, other: &Edge) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Edge {}
impl PartialOrd for Edge {
    fn partial_cmp(&self, other: &Edge) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Edge {
    fn cmp(&self, other: &Edge) -> Ordering {
        self.strength.total_cmp(&other.strength)
    }
}

/// Counts the turns of both waves from the strongest place on, always where they are clearest.
fn unwrap(places: &mut [Place], across: usize, down: usize) -> Option<()> {
    let strongest =
        (0..places.len()).max_by(|a, b| places[*a].strength().total_cmp(&places[*b].strength()))?;
    let mut edges = BinaryHeap::from([Edge {
        strength: f32::MAX,
        place: strongest,
        from: strongest,
    }]);
    while let Some(Edge { place, from, .. }) = edges.pop() {
        if places[place].turns.is_some() {
            continue;
        }
        let near = places[from].turns.unwrap_or([0.0; 2]);
        let mut turns = [0.0; 2];
        for (number, turns) in turns.iter_mut().enumerate() {
            let part = places[place].phases[number].angle() / (2.0 * PI);
            *turns = part + (near[number] - part).round();
        }
        places[place].turns = Some(turns);
        let (x, y) = (place % across, place / across);
        let beside = [
            (x > 0).then(|| place - 1),
            (x + 1 < across).then_some(place + 1),
            (y > 0).then(|| place - across),
            (y + 1 < down).then_some(place + across),
        ];
        for next in beside.into_iter().flatten() {
            if places[next].turns.is_none() {
                edges.push(Edge {
                    strength: places[next].strength(),
                    place: next,
                    from: place,
                });
            }
        }
    }
    Some(())
}
