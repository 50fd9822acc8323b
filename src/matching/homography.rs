//! Homographies: how a plane looks from elsewhere, found from pairs of points of which some are wrong.
//!
//! Normalised direct linear transform and RANSAC as in Hartley and Zisserman, Multiple View Geometry (2003),
//! algorithms 4.2 and 4.6.

/// A point in pixels, right and down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Right of the picture's left edge.
    pub x: f64,
    /// Below its upper edge.
    pub y: f64,
}

impl Spot {
    pub(super) fn distance(self, other: Spot) -> f64 {
        self.distance_squared(other).sqrt()
    }

    fn distance_squared(self, other: Spot) -> f64 {
        let (x, y) = (self.x - other.x, self.y - other.y);
        x * x + y * y
    }
}

/// A point there and the same point here, with how much it is to be believed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pair {
    pub from: Spot,
    pub to: Spot,
    pub weight: f64,
}

/// A projective map of the plane: nine numbers, row after row, the last one 1 unless the map needs another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Homography(pub [f64; 9]);

impl Homography {
    pub(super) const IDENTITY: Homography =
        Homography([1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]);

    /// Where a point comes to.
    pub fn map(&self, at: Spot) -> Spot {
        let m = &self.0;
        let depth = m[6] * at.x + m[7] * at.y + m[8];
        Spot {
            x: (m[0] * at.x + m[1] * at.y + m[2]) / depth,
            y: (m[3] * at.x + m[4] * at.y + m[5]) / depth,
        }
    }

    pub(super) fn scaling(factor: f64) -> Homography {
        Homography([factor, 0.0, 0.0, 0.0, factor, 0.0, 0.0, 0.0, 1.0])
    }

    /// First `first`, then this.
    pub(super) fn after(&self, first: &Homography) -> Homography {
        let (a, b) = (&self.0, &first.0);
        let mut product = [0.0; 9];
        for (index, cell) in product.iter_mut().enumerate() {
            let (row, column) = (index / 3, index % 3);
            *cell = (0..3).map(|k| a[row * 3 + k] * b[k * 3 + column]).sum();
        }
        Homography(product).normalised()
    }

    /// The way back; none where everything falls on a line.
    pub(super) fn inverse(&self) -> Option<Homography> {
        let m = &self.0;
        let minor = |a: usize, b: usize, c: usize, d: usize| m[a] * m[d] - m[b] * m[c];
        let cofactors = [
            minor(4, 5, 7, 8),
            minor(2, 1, 8, 7),
            minor(1, 2, 4, 5),
            minor(5, 3, 8, 6),
            minor(0, 2, 6, 8),
            minor(2, 0, 5, 3),
            minor(3, 4, 6, 7),
            minor(1, 0, 7, 6),
            minor(0, 1, 3, 4),
        ];
        let determinant = m[0] * cofactors[0] + m[1] * cofactors[3] + m[2] * cofactors[6];
        let inverse = Homography(cofactors.map(|it| it / determinant)).normalised();
        inverse.0.iter().all(|it| it.is_finite()).then_some(inverse)
    }

    fn normalised(self) -> Homography {
        let last = self.0[8];
        if last.abs() < 1e-12 {
            return self;
        }
        Homography(self.0.map(|it| it / last))
    }

    /// Pixels there for one pixel here, near a point.
    pub(super) fn scale_at(&self, at: Spot) -> f64 {
        let here = self.map(at);
        let right = self.map(Spot {
            x: at.x + 1.0,
            ..at
        });
        let below = self.map(Spot {
            y: at.y + 1.0,
            ..at
        });
        (here.distance(right) * here.distance(below)).sqrt()
    }

    /// The map that fits the pairs best, in the sense of weighted algebraic least squares; none for fewer than
    /// four pairs, or where they lie on a line.
    pub(super) fn fit(pairs: &[Pair]) -> Option<Homography> {
        if pairs.len() < 4 {
            return None;
        }
        let from = Normaliser::of(pairs.iter().map(|pair| pair.from))?;
        let to = Normaliser::of(pairs.iter().map(|pair| pair.to))?;
        let mut normal = [[0.0; 9]; 8];
        for pair in pairs {
            let (f, t) = (from.apply(pair.from), to.apply(pair.to));
            let weight = pair.weight;
            let rows = [
                [f.x, f.y, 1.0, 0.0, 0.0, 0.0, -t.x * f.x, -t.x * f.y, t.x],
                [0.0, 0.0, 0.0, f.x, f.y, 1.0, -t.y * f.x, -t.y * f.y, t.y],
            ];
            for row in rows {
                for (left, line) in normal.iter_mut().enumerate() {
                    for (right, cell) in line.iter_mut().enumerate() {
                        *cell += weight * row[left] * row[right];
                    }
                }
            }
        }
        let solved = solve(normal)?;
        let mut cells = [1.0; 9];
        cells[..8].copy_from_slice(&solved);
        let map = to
            .matrix()
            .inverse()?
            .after(&Homography(cells).after(&from.matrix()));
        map.0.iter().all(|it| it.is_finite()).then_some(map)
    }

    /// The map that most pairs agree with to within `tolerance`, fitted to those, and which pairs they are.
    /// Deterministic: the draws come from a fixed sequence.
    pub(super) fn ransac(pairs: &[Pair], tolerance: f64) -> Option<(Homography, Vec<bool>)> {
        const DRAWS: usize = 300;
        let count = pairs.len();
        if count < 4 {
            return None;
        }
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut next = move |below: usize| {
            // xorshift64* (Vigna, 2016).
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            ((state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below as u64) as usize
        };
        let mut best: Option<(f64, Homography)> = None;
        for _ in 0..DRAWS {
            let mut drawn = [0; 4];
            for slot in &mut drawn {
                *slot = next(count);
            }
            let distinct = (1..4).all(|index| !drawn[..index].contains(&drawn[index]));
            if !distinct {
                continue;
            }
            let Some(map) = Homography::fit(&drawn.map(|index| pairs[index])) else {
                continue;
            };
            // MSAC (Torr and Zisserman, 2000): how well a pair agrees counts, too.
            let score: f64 = pairs
                .iter()
                .map(|pair| {
                    let error = map.map(pair.from).distance_squared(pair.to);
                    pair.weight * (1.0 - error / (tolerance * tolerance)).max(0.0)
                })
                .sum();
            if best.as_ref().is_none_or(|(known, _)| score > *known) {
                best = Some((score, map));
            }
        }
        let (_, mut map) = best?;
        let mut agreeing = vec![false; count];
        for _ in 0..3 {
            for (agrees, pair) in agreeing.iter_mut().zip(pairs) {
                *agrees = map.map(pair.from).distance(pair.to) <= tolerance;
            }
            let chosen = pairs.iter().zip(&agreeing).filter(|it| *it.1);
            let chosen: Vec<Pair> = chosen.map(|it| *it.0).collect();
            map = Homography::fit(&chosen)?;
        }
        Some((map, agreeing))
    }
}

/// Moves points to their centre of gravity and scales them to a mean distance of about 1.
struct Normaliser {
    centre: Spot,
    factor: f64,
}

impl Normaliser {
    fn of(spots: impl Iterator<Item = Spot> + Clone) -> Option<Normaliser> {
        let count = spots.clone().count() as f64;
        let (x, y) = spots
            .clone()
            .fold((0.0, 0.0), |(x, y), spot| (x + spot.x, y + spot.y));
        let centre = Spot {
            x: x / count,
            y: y / count,
        };
        let spread = spots.map(|spot| spot.distance(centre)).sum::<f64>() / count;
        (spread > 1e-9 && spread.is_finite()).then_some(Normaliser {
            centre,
            factor: 1.0 / spread,
        })
    }

    fn apply(&self, spot: Spot) -> Spot {
        Spot {
            x: (spot.x - self.centre.x) * self.factor,
            y: (spot.y - self.centre.y) * self.factor,
        }
    }

    fn matrix(&self) -> Homography {
        let (factor, centre) = (self.factor, self.centre);
        Homography([
            factor,
            0.0,
            -centre.x * factor,
            0.0,
            factor,
            -centre.y * factor,
            0.0,
            0.0,
            1.0,
        ])
    }
}

/// Solves eight linear equations, given with their right sides, by elimination with the largest pivot.
fn solve(mut rows: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let pivot =
            (column..8).max_by(|a, b| rows[*a][column].abs().total_cmp(&rows[*b][column].abs()))?;
        rows.swap(column, pivot);
        let lead = rows[column];
        if lead[column].abs() < 1e-12 {
            return None;
        }
        for (index, row) in rows.iter_mut().enumerate() {
            if index != column {
                let factor = row[column] / lead[column];
                for (cell, lead) in row.iter_mut().zip(lead) {
                    *cell -= factor * lead;
                }
            }
        }
    }
    Some(std::array::from_fn(|index| {
        rows[index][8] / rows[index][index]
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn warp() -> impl Strategy<Value = Homography> {
        let numbers = (
            -0.7f64..0.7,
            0.3f64..3.0,
            -400.0f64..400.0,
            -400.0f64..400.0,
            -2e-4f64..2e-4,
            -2e-4f64..2e-4,
        );
        numbers.prop_map(|(angle, scale, dx, dy, px, py)| {
            let (sin, cos) = (angle.sin() * scale, angle.cos() * scale);
            Homography([cos, -sin, dx, sin, cos, dy, px, py, 1.0])
        })
    }

    fn grid(warp: &Homography) -> Vec<Pair> {
        (0..48)
            .map(|index| {
                let from = Spot {
                    x: f64::from(index % 8) * 250.0,
                    y: f64::from(index / 8) * 200.0,
                };
                Pair {
                    from,
                    to: warp.map(from),
                    weight: 1.0,
                }
            })
            .collect()
    }

    proptest! {
        #[test]
        fn a_known_warp_is_found_again(warp in warp()) {
            let pairs = grid(&warp);
            let found = Homography::fit(&pairs).unwrap();
            for pair in &pairs {
                prop_assert!(found.map(pair.from).distance(pair.to) < 1e-6);
            }
        }

        #[test]
        fn a_third_of_wrong_pairs_does_not_mislead(warp in warp(), seed in 1u64..1_000_000) {
            let mut pairs = grid(&warp);
            let mut state = seed;
            for (index, pair) in pairs.iter_mut().enumerate() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let noise = |bits: u64| (bits % 1_000) as f64 / 500.0 - 1.0;
                let reach = if index % 3 == 0 { 120.0 } else { 0.4 };
                pair.to.x += noise(state >> 20) * reach;
                pair.to.y += noise(state >> 40) * reach;
            }
            let (found, agreeing) = Homography::ransac(&pairs, 2.0).unwrap();
            for (index, pair) in pairs.iter().enumerate() {
                let off = found.map(pair.from).distance(warp.map(pair.from));
                prop_assert!(off < 1.0, "pair {index} is {off} off");
            }
            prop_assert!(agreeing.iter().filter(|it| **it).count() >= 32);
        }

        #[test]
        fn there_and_back_is_the_same_place(warp in warp(), x in 0.0f64..2000.0, y in 0.0f64..1500.0) {
            let back = warp.inverse().unwrap();
            let spot = Spot { x, y };
            prop_assert!(back.map(warp.map(spot)).distance(spot) < 1e-5);
            prop_assert!(back.after(&warp).map(spot).distance(spot) < 1e-5);
        }
    }

    #[test]
    fn points_on_a_line_are_no_plane() {
        let pairs: Vec<Pair> = (0..9)
            .map(|index| {
                let at = Spot {
                    x: f64::from(index),
                    y: 2.0 * f64::from(index),
                };
                Pair {
                    from: at,
                    to: at,
                    weight: 1.0,
                }
            })
            .collect();
        assert_eq!(Homography::fit(&pairs), None);
        assert_eq!(Homography::fit(&pairs[..3]), None);
    }
}
