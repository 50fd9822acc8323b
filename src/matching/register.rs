//! Registration: where on the scan each point of the form is, and how sure that is.
//!
//! First guesses come from the QR mark, from the corners of the form's frame and from the edges of the picture. Each
//! is refined from coarse to fine: corners of the form's own print are sought near where they should be, by normalised
//! cross-correlation (Lewis, Fast Template Matching, 1995), and the homography is fitted to those that agree. What
//! paper bends beyond a homography is kept as a smooth field of small displacements.

use std::sync::{Arc, OnceLock};

use super::form::FormPage;
use super::frame;
use super::homography::{Homography, Pair, Spot};
use super::mark::{self, FoundMark};
use super::plane::{Picture, Plane};

/// Longest side at which the form is looked for in all detail, in pixels; larger scans are halved for that.
const COARSE_SIDE_PIXELS: usize = 2_000;
/// Correlation from which on an anchor is taken to be found.
const FOUND_MIN: f32 = 0.55;
/// Fewest anchors that a guess must find to be refined, and that a registration must rest on.
const GUESS_ANCHORS_MIN: usize = 8;
/// Anchors that a guess is judged by.
const GUESS_ANCHORS: usize = 40;
/// Anchors that are sought at each step.
const ANCHORS: usize = 130;
/// Side of the squares in which displacements are kept, in pixels.
const BEND_CELL: usize = 64;
/// How far off anchors are on flat paper, in pixels: the median.
const FLAT: f32 = 0.45;
/// How bent paper is followed, step by step: how far anchors are sought at half resolution, how far each bends the
/// paper around it, and how far off it may be, in pixels. The last step only measures; flat paper needs but one.
const BEND_STEPS: [(i32, f32, f32); 3] = [(5, 110.0, 13.0), (3, 75.0, 7.0), (2, 60.0, 5.0)];
/// Anchors around a point that say whether the registration holds there.
const NEAR_ANCHORS: usize = 7;
/// Most regions of a page that are looked at as the voucher.
const REGIONS_MAX: usize = 4;

/// A page of a scan, made ready.
pub(super) struct ScanPage {
    /// Reduced where it was very large.
    pub picture: Arc<Picture>,
    /// Pixels of the original in one of the picture, along a side.
    pub factor: f64,
    /// Ink as the green channel shows it, in which all print is dark; coarse, for finding things.
    pub print: Pyramid,
    /// Ink as the brightest channel shows it, in which red seals are paper and blue pens pale; without colour, the
    /// only channel.
    pub black: Pyramid,
    /// The green channel's in full, made when something red is to be looked at.
    full_print: OnceLock<Pyramid>,
    pub marks: Vec<FoundMark>,
    /// Whether there is no colour in it.
    pub grey: bool,
}

impl ScanPage {
    pub fn new(picture: Picture) -> ScanPage {
        let (picture, factor) = picture.reduced();
        let green = picture.channel(1);
        let marks = mark::find(&green);
        let coloured = |pixel: &[u8; 3]| pixel[0].abs_diff(pixel[1]) > 24;
        // Noise and compression colour a few pixels of a grey scan, too.
        let some = picture.pixels.iter().step_by(37);
        let grey = some.clone().filter(|pixel| coloured(pixel)).count() * 2_000 < some.count();
        let black = if grey {
            green.ink()
        } else {
            picture.brightest().ink()
        };
        let large = green.width.max(green.height) > COARSE_SIDE_PIXELS;
        let print = match large {
            true => Pyramid::new(green.halved().ink(), 2.0),
            false => Pyramid::new(green.ink(), 1.0),
        };
        ScanPage {
            black: Pyramid::new(black, 1.0),
            full_print: OnceLock::new(),
            grey,
            picture: Arc::new(picture),
            factor,
            print,
            marks,
        }
    }

    /// All ink, in full.
    pub fn full_print(&self) -> &Pyramid {
        self.full_print
            .get_or_init(|| Pyramid::new(self.picture.channel(1).ink(), 1.0))
    }
}

/// A plane, and again and again at half its size.
pub(super) struct Pyramid {
    /// Pixels of the page in one of the first plane, along a side.
    base: f64,
    planes: Vec<Plane>,
}

impl Pyramid {
    pub fn new(plane: Plane, base: f64) -> Pyramid {
        let mut planes = vec![plane];
        while let Some(last) = planes.last()
            && last.width.min(last.height) > 64
            && planes.len() < 5
        {
            planes.push(last.halved());
        }
        Pyramid { base, planes }
    }
}

/// Small displacements, in pixels of the form, that lead from the homography to the bent paper.
#[derive(Debug, Clone)]
pub(super) struct Bends {
    columns: usize,
    cells: Vec<(f32, f32)>,
}

impl Bends {
    fn none(width: usize, height: usize) -> Bends {
        let (columns, rows) = (width / BEND_CELL + 2, height / BEND_CELL + 2);
        Bends {
            columns,
            cells: vec![(0.0, 0.0); columns * rows],
        }
    }

    /// The displacement at a point.
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let (x, y) = (x / BEND_CELL as f32, y / BEND_CELL as f32);
        let rows = self.cells.len() / self.columns;
        let (left, top) = (
            (x as usize).min(self.columns - 2),
            (y as usize).min(rows - 2),
        );
        let (fx, fy) = (
            (x - left as f32).clamp(0.0, 1.0),
            (y - top as f32).clamp(0.0, 1.0),
        );
        let cell = |column: usize, row: usize| self.cells[row * self.columns + column];
        let mix = |a: (f32, f32), b: (f32, f32), part: f32| {
            (a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part)
        };
        let upper = mix(cell(left, top), cell(left + 1, top), fx);
        let lower = mix(cell(left, top + 1), cell(left + 1, top + 1), fx);
        mix(upper, lower, fy)
    }

    /// Adds the displacements that were seen at some points, fading with the distance from them.
    fn add(&mut self, seen: &[Sight], reach: f32) {
        let columns = self.columns;
        for (index, cell) in self.cells.iter_mut().enumerate() {
            let x = (index % columns * BEND_CELL) as f32;
            let y = (index / columns * BEND_CELL) as f32;
            let (mut sum, mut weight) = ((0.0, 0.0), 0.5);
            for sight in seen {
                let (dx, dy) = (sight.at.0 - x, sight.at.1 - y);
                let near = (dx * dx + dy * dy) / (reach * reach);
                if near < 9.0 {
                    let own = (-near).exp() * sight.score;
                    sum = (sum.0 + own * sight.off.0, sum.1 + own * sight.off.1);
                    weight += own;
                }
            }
            *cell = (cell.0 + sum.0 / weight, cell.1 + sum.1 / weight);
        }
    }
}

/// An anchor that was found, in pixels of the form: where it should be, and how far from there it is.
#[derive(Debug, Clone, Copy)]
struct Sight {
    at: (f32, f32),
    off: (f32, f32),
    score: f32,
}

/// Where a page of the form is on a page of the scan.
#[derive(Debug, Clone)]
pub(super) struct Registration {
    /// From pixels of the form to pixels of the (reduced) scan.
    pub map: Homography,
    pub bends: Bends,
    /// Part of the form's own print that was found where it should be, 0 to 1.
    pub found: f32,
    /// How far it is from there, in pixels of the form: the median.
    pub residual: f32,
    /// The anchors, in pixels of the form, and whether each was found.
    pub anchors: Vec<((f32, f32), bool)>,
}

impl Registration {
    /// Whether most anchors around a point were found: where the paper is bent beyond what could be followed, nothing
    /// can be said of what is printed there.
    pub fn holds_at(&self, x: f32, y: f32) -> bool {
        let mut near: Vec<(f32, bool)> = self
            .anchors
            .iter()
            .map(|((ax, ay), found)| ((ax - x).hypot(ay - y), *found))
            .collect();
        near.sort_by(|a, b| a.0.total_cmp(&b.0));
        let near = &near[..near.len().min(NEAR_ANCHORS)];
        near.iter().filter(|it| it.1).count() * 3 >= near.len() * 2
    }

    /// A point of the form on the scan.
    pub fn locate(&self, x: f32, y: f32) -> Spot {
        let (dx, dy) = self.bends.at(x, y);
        self.map.map(Spot {
            x: f64::from(x + dx),
            y: f64::from(y + dy),
        })
    }
}

/// Pixels of a line between which places on the scan are interpolated: a homography is straight enough that long.
const STRIDE: usize = 16;

/// The scan as the form sees it: `planes` through the map, at one `step`th of the form's resolution.
pub(super) fn rectify(
    pyramid: &Pyramid,
    map: &Homography,
    bends: Option<&Bends>,
    (width, height): (usize, usize),
    step: usize,
) -> Plane {
    let step_f = step as f64;
    let middle = Spot {
        x: (width * step) as f64 / 2.0,
        y: (height * step) as f64 / 2.0,
    };
    let planes = &pyramid.planes;
    let mut level = 0;
    let mut reduction = pyramid.base;
    while map.scale_at(middle) * step_f > 1.6 * reduction && level + 1 < planes.len() {
        level += 1;
        reduction *= 2.0;
    }
    let plane = &planes[level];
    let mut seen = Plane::new(width, height);
    let m = &map.0;
    let centre = (step_f - 1.0) / 2.0;
    let shift = (reduction - 1.0) / 2.0 / reduction;
    let place = |u: usize, v: usize| -> (f32, f32) {
        let (mut x, mut y) = (u as f64 * step_f + centre, v as f64 * step_f + centre);
        if let Some(bends) = bends {
            let (dx, dy) = bends.at(x as f32, y as f32);
            x += f64::from(dx);
            y += f64::from(dy);
        }
        let depth = reduction * (m[6] * x + m[7] * y + m[8]);
        (
            ((m[0] * x + m[1] * y + m[2]) / depth - shift) as f32,
            ((m[3] * x + m[4] * y + m[5]) / depth - shift) as f32,
        )
    };
    for (v, line) in seen.values.chunks_exact_mut(width).enumerate() {
        let mut from = place(0, v);
        for (index, stretch) in line.chunks_mut(STRIDE).enumerate() {
            let to = place((index + 1) * STRIDE, v);
            let (dx, dy) = (
                (to.0 - from.0) / STRIDE as f32,
                (to.1 - from.1) / STRIDE as f32,
            );
            plane.along(from, (dx, dy), stretch);
            from = to;
        }
    }
    seen
}

/// The best places for the form on the page, the best first; none where nothing looks like it.
pub(super) fn find(form: &FormPage, scan: &ScanPage, place: &str) -> Vec<Registration> {
    // What names this voucher is taken at its word, if the form is there.
    let mut judged = judge_all(form, scan, guesses_by_mark(form, scan, place, true));
    if judged.is_empty() {
        judged = judge_all(form, scan, guesses_by_outline(form, scan));
    }
    if judged.is_empty() {
        judged = judge_all(form, scan, guesses_by_mark(form, scan, place, false));
    }
    if judged.is_empty() {
        judged = judge_all(form, scan, guesses_by_edge(form, scan));
    }
    judged.sort_by(|a, b| b.0.cmp(&a.0).then(b.1.total_cmp(&a.1)));
    let mut regions: Vec<Homography> = Vec::new();
    let most = judged.first().map_or(0, |best| best.0);
    let middle = Spot {
        x: form.ink[0].width as f64 / 2.0,
        y: form.ink[0].height as f64 / 2.0,
    };
    for (count, _, map) in judged {
        let apart = |known: &Homography| {
            let side = known.scale_at(middle) * middle.y;
            known.map(middle).distance(map.map(middle)) > side
        };
        if count * 2 >= most && regions.iter().all(apart) && regions.len() < REGIONS_MAX {
            regions.push(map);
        }
    }
    regions
        .into_iter()
        .filter_map(|map| refine(form, scan, map))
        .collect()
}

/// The guesses of each place that find enough of the form; of the turns of one place, the first that finds most of it.
fn judge_all(
    form: &FormPage,
    scan: &ScanPage,
    places: Vec<Vec<Homography>>,
) -> Vec<(usize, f32, Homography)> {
    let mut judged = Vec::new();
    for turns in places {
        for guess in turns {
            let Some(found) = judge(form, scan, guess) else {
                continue;
            };
            judged.push(found);
            if found.0 * 3 >= form.anchors.len().min(GUESS_ANCHORS) * 2 {
                break;
            }
        }
    }
    judged
}

/// The map that takes four corners to four others, of which the first is `turn` places further on.
fn corners_to(from: &[Spot; 4], to: &[Spot; 4], turn: usize) -> Option<Homography> {
    let pairs: [Pair; 4] = std::array::from_fn(|index| Pair {
        from: from[index],
        to: to[(index + turn) % 4],
        weight: 1.0,
    });
    Homography::fit(&pairs)
}

/// Guesses from the QR marks that name this voucher, or from the others.
fn guesses_by_mark(
    form: &FormPage,
    scan: &ScanPage,
    place: &str,
    named: bool,
) -> Vec<Vec<Homography>> {
    let Some(own) = &form.mark else {
        return Vec::new();
    };
    let marks = scan
        .marks
        .iter()
        .filter(|mark| (mark.place == place) == named);
    marks
        .map(|mark| corners_to(own, &mark.corners, 0).into_iter().collect())
        .collect()
}

/// Guesses from the outlines of what is printed together.
fn guesses_by_outline(form: &FormPage, scan: &ScanPage) -> Vec<Vec<Homography>> {
    let Some(own) = &form.frame else {
        return Vec::new();
    };
    // Seals reach over the frame; in the colours that they have not, they do not.
    let planes = &scan.black.planes;
    let Some(plane) = planes
        .iter()
        .find(|plane| plane.width.max(plane.height) <= 2_400)
    else {
        return Vec::new();
    };
    let reduced = plane.halved_to_darkest();
    let factor = planes[0].width as f64 / reduced.width as f64;
    let side = reduced.width.max(reduced.height) / 6;
    let outlines = frame::outlines(&reduced, side).into_iter().map(|outline| {
        let outline = outline.map(|it| Spot {
            x: (it.x + 0.5) * factor - 0.5,
            y: (it.y + 0.5) * factor - 0.5,
        });
        (0..4)
            .filter_map(|turn| corners_to(own, &outline, turn))
            .collect()
    });
    outlines.collect()
}

/// Guesses from the edges of the picture: the page fills it.
fn guesses_by_edge(form: &FormPage, scan: &ScanPage) -> Vec<Vec<Homography>> {
    let corners = |width: usize, height: usize| {
        let (right, bottom) = (width as f64 - 1.0, height as f64 - 1.0);
        [(0.0, 0.0), (right, 0.0), (right, bottom), (0.0, bottom)].map(|(x, y)| Spot { x, y })
    };
    let page = corners(form.ink[0].width, form.ink[0].height);
    let picture = corners(scan.picture.width, scan.picture.height);
    vec![
        (0..4)
            .filter_map(|turn| corners_to(&page, &picture, turn))
            .collect(),
    ]
}

/// How many anchors a guess finds, at the coarsest resolution, and the map that they agree on.
fn judge(form: &FormPage, scan: &ScanPage, guess: Homography) -> Option<(usize, f32, Homography)> {
    let mut map = guess;
    let mut outcome = None;
    for (search, tolerance) in [(9, 14.0), (5, 6.0)] {
        let seen = sights(form, scan, &map, (2, GUESS_ANCHORS, 12, search))?;
        let (fitted, count, score) = fit(&map, &seen, tolerance)?;
        if count < GUESS_ANCHORS_MIN {
            return None;
        }
        map = fitted;
        outcome = Some((count, score, map));
    }
    outcome
}

/// The anchors that are found near where the map has them: level, how many are sought, half the side of the patch
/// and the reach of the search in pixels of that level.
fn sights(
    form: &FormPage,
    scan: &ScanPage,
    map: &Homography,
    (level, count, reach, search): (usize, usize, i32, i32),
) -> Option<Vec<Sight>> {
    let plane = &form.ink[level];
    let step = 1usize << level;
    let plausible = map.0.iter().all(|it| it.is_finite()) && {
        // A map that turns the form inside out, or shows it as a speck, is none.
        let corners = [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(x, y)| {
            map.map(Spot {
                x: (x * plane.width * step) as f64,
                y: (y * plane.height * step) as f64,
            })
        });
        (0..4).all(|index| {
            let [a, b, c] = [0, 1, 2].map(|offset| corners[(index + offset) % 4]);
            (b.x - a.x) * (c.y - b.y) - (b.y - a.y) * (c.x - b.x) > 2_500.0
        })
    };
    if !plausible {
        return None;
    }
    let seen = rectify(&scan.print, map, None, (plane.width, plane.height), step);
    let chosen = form.anchors.iter().take(count);
    Some(
        chosen
            .filter_map(|(x, y)| {
                let at = (x / step as i32, y / step as i32);
                let found = seek(plane, at, reach, &seen, search)?;
                let full = step as f32;
                (found.2 >= FOUND_MIN).then_some(Sight {
                    at: (*x as f32, *y as f32),
                    off: (found.0 * full, found.1 * full),
                    score: found.2,
                })
            })
            .collect(),
    )
}

/// The map that the sights agree on, how many do, and the sum of their scores.
fn fit(map: &Homography, seen: &[Sight], tolerance: f64) -> Option<(Homography, usize, f32)> {
    let spot = |(x, y): (f32, f32)| Spot {
        x: f64::from(x),
        y: f64::from(y),
    };
    // In pixels of the form, so that a tolerance means the same on every scan.
    let pairs: Vec<Pair> = seen
        .iter()
        .map(|it| Pair {
            from: spot(it.at),
            to: spot((it.at.0 + it.off.0, it.at.1 + it.off.1)),
            weight: f64::from(it.score),
        })
        .collect();
    let (moved, agreeing) = Homography::ransac(&pairs, tolerance)?;
    let chosen = seen.iter().zip(&agreeing).filter(|it| *it.1);
    let (count, score) = chosen.fold((0, 0.0), |(count, score), it| {
        (count + 1, score + it.0.score)
    });
    Some((map.after(&moved), count, score))
}

/// From a guess to the last tenth of a pixel.
fn refine(form: &FormPage, scan: &ScanPage, guess: Homography) -> Option<Registration> {
    let mut map = guess;
    for (level, reach, search, tolerance) in [(2, 12, 4, 6.0), (1, 14, 5, 4.0)] {
        let seen = sights(form, scan, &map, (level, ANCHORS, reach, search))?;
        let (fitted, count, _) = fit(&map, &seen, tolerance)?;
        if count < GUESS_ANCHORS_MIN {
            return None;
        }
        map = fitted;
    }
    let plane = &form.ink[1];
    let mut bends = Bends::none(form.ink[0].width, form.ink[0].height);
    let mut outcome = (0.0, f32::MAX);
    let mut anchors = Vec::new();
    for (round, (search, reach, most)) in BEND_STEPS.into_iter().enumerate() {
        let size = (plane.width, plane.height);
        let seen = rectify(&scan.print, &map, Some(&bends), size, 2);
        let sought: Vec<Sight> = form
            .anchors
            .iter()
            .take(ANCHORS)
            .map(|(x, y)| {
                let (dx, dy, score) =
                    seek(plane, (x / 2, y / 2), 14, &seen, search).unwrap_or_default();
                Sight {
                    at: (*x as f32, *y as f32),
                    off: (dx * 2.0, dy * 2.0),
                    score,
                }
            })
            .collect();
        let mut offs: Vec<f32> = Vec::new();
        anchors.clear();
        let mut found = Vec::new();
        for sight in &sought {
            let off = sight.off.0.hypot(sight.off.1);
            let is_found = sight.score >= FOUND_MIN && off < most;
            anchors.push((sight.at, is_found));
            if is_found {
                offs.push(off);
                found.push(*sight);
            }
        }
        if found.len() < GUESS_ANCHORS_MIN {
            return None;
        }
        offs.sort_by(f32::total_cmp);
        outcome = (
            found.len() as f32 / sought.len() as f32,
            offs[offs.len() / 2],
        );
        let flat = outcome.1 < FLAT && outcome.0 > 0.9;
        if round + 1 < BEND_STEPS.len() {
            bends.add(&found, reach);
        }
        if flat {
            break;
        }
    }
    Some(Registration {
        map,
        bends,
        found: outcome.0,
        residual: outcome.1,
        anchors,
    })
}

/// Seeks a patch of `form` around `at` in `seen`, up to `search` pixels away: where it is, to a part of a pixel, and
/// how well it correlates there. None where the patch is blank or reaches over the edge.
fn seek(
    form: &Plane,
    (x, y): (i32, i32),
    reach: i32,
    seen: &Plane,
    search: i32,
) -> Option<(f32, f32, f32)> {
    let side = (2 * reach + 1) as usize;
    let (left, top) = (x - reach, y - reach);
    let fits = |left: i32, top: i32, side: usize, plane: &Plane| {
        left >= 0
            && top >= 0
            && left as usize + side <= plane.width
            && top as usize + side <= plane.height
    };
    if !fits(left, top, side, form) {
        return None;
    }
    let mut patch: Vec<f32> = Vec::with_capacity(side * side);
    for row in 0..side {
        let at = (top as usize + row) * form.width + left as usize;
        patch.extend(form.values[at..at + side].iter().map(|it| f32::from(*it)));
    }
    let count = patch.len() as f32;
    let mean = patch.iter().sum::<f32>() / count;
    patch.iter_mut().for_each(|it| *it -= mean);
    let norm = patch.iter().map(|it| it * it).sum::<f32>().sqrt();
    if norm < 4.0 * side as f32 {
        return None;
    }
    // The part of what is seen that the search reaches, with paper beyond the edge.
    let wide = side + 2 * search as usize;
    let mut window = vec![0.0f32; wide * wide];
    let first = left - search;
    let from = first.clamp(0, seen.width as i32) as usize;
    let until = (first + wide as i32).clamp(0, seen.width as i32) as usize;
    let margin = (from as i32 - first) as usize;
    for (row, line) in window.chunks_exact_mut(wide).enumerate() {
        let y = top - search + row as i32;
        if y < 0 || y as usize >= seen.height {
            continue;
        }
        let source = &seen.values[y as usize * seen.width..][..seen.width];
        for (value, ink) in line[margin..].iter_mut().zip(&source[from..until]) {
            *value = f32::from(*ink);
        }
    }
    let steps = (2 * search + 1) as usize;
    let mut scores = vec![0.0f32; steps * steps];
    for dy in 0..steps {
        for dx in 0..steps {
            let (mut sum, mut squares, mut product) = (0.0, 0.0, 0.0);
            for (row, patch) in patch.chunks_exact(side).enumerate() {
                let line = &window[(dy + row) * wide + dx..][..side];
                let (s, q, p) = products(patch, line);
                (sum, squares, product) = (sum + s, squares + q, product + p);
            }
            let spread = (squares - sum * sum / count).max(1.0).sqrt();
            scores[dy * steps + dx] = product / (norm * spread.max(2.0 * side as f32));
        }
    }
    let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b]))?;
    let (column, row) = (best % steps, best / steps);
    let peak = |before: Option<f32>, at: f32, after: Option<f32>| match (before, after) {
        (Some(before), Some(after)) => {
            let bend = before - 2.0 * at + after;
            if bend < -1e-6 {
                ((before - after) / (2.0 * bend)).clamp(-0.5, 0.5)
            } else {
                0.0
            }
        }
        _ => 0.0,
    };
    let at = |column: usize, row: usize| {
        (column < steps && row < steps).then(|| scores[row * steps + column])
    };
    let score = scores[best];
    let dx = peak(
        column.checked_sub(1).and_then(|it| at(it, row)),
        score,
        at(column + 1, row),
    );
    let dy = peak(
        row.checked_sub(1).and_then(|it| at(column, it)),
        score,
        at(column, row + 1),
    );
    let search = search as f32;
    Some((column as f32 + dx - search, row as f32 + dy - search, score))
}

/// Sum, sum of squares and product with the patch of a line, in eight lanes so that the compiler can use wide
/// registers.
pub(super) fn products(patch: &[f32], line: &[f32]) -> (f32, f32, f32) {
    let (mut sums, mut squares, mut products) = ([0.0f32; 8], [0.0f32; 8], [0.0f32; 8]);
    let (patches, patch_rest) = patch.as_chunks::<8>();
    let (lines, line_rest) = line.as_chunks::<8>();
    for (a, b) in patches.iter().zip(lines) {
        for lane in 0..8 {
            sums[lane] += b[lane];
            squares[lane] += b[lane] * b[lane];
            products[lane] += a[lane] * b[lane];
        }
    }
    let add = |lanes: [f32; 8]| lanes.iter().sum::<f32>();
    let (mut sum, mut square, mut product) = (add(sums), add(squares), add(products));
    for (a, b) in patch_rest.iter().zip(line_rest) {
        sum += b;
        square += b * b;
        product += a * b;
    }
    (sum, square, product)
}
