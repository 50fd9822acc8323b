//! A plane seen from an angle: the projective map that fits measured points best.

/// A map from the picture's pixels to the lattice's cells: eight numbers, the ninth is 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Warp {
    numbers: [f64; 9],
}

/// A point of the picture, where it is in the lattice, and how much that is to be believed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting {
    pub picture: (f64, f64),
    pub lattice: (f64, f64),
    pub weight: f64,
}

/// Distance in cells at which a sighting counts half.
const TOLERANCE: f64 = 0.15;
const ROUNDS: usize = 8;

impl Warp {
    /// The map that fits best, where sightings that lie far from it count little. None if they do not say one.
    pub(super) fn fit(sightings: &[Sighting]) -> Option<Warp> {
        let mut warp: Option<Warp> = None;
        for round in 0..ROUNDS {
            // From generous to strict, so that the first map need not be the right one.
            let tolerance = TOLERANCE * f64::from(1 << (ROUNDS - 1 - round).min(3));
            let mut sums = [[0.0; 9]; 8];
            for Sighting {
                picture: (x, y),
                lattice: (u, v),
                weight,
            } in sightings
            {
                let off = warp.map_or(0.0, |warp| {
                    let (seen_u, seen_v) = warp.apply(*x, *y);
                    ((seen_u - u).powi(2) + (seen_v - v).powi(2)).sqrt()
                });
                let weight = weight / (1.0 + (off / tolerance).powi(2)).powi(2);
                let rows = [
                    [*x, *y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, *u],
                    [0.0, 0.0, 0.0, *x, *y, 1.0, -v * x, -v * y, *v],
                ];
                for row in rows {
                    for (line, left) in sums.iter_mut().zip(row) {
                        for (sum, right) in line.iter_mut().zip(row) {
                            *sum += weight * left * right;
                        }
                    }
                }
            }
            let solved = solve(sums)?;
            let mut numbers = [1.0; 9];
            numbers[..8].copy_from_slice(&solved);
            warp = Some(Warp { numbers });
        }
        warp
    }

    /// Where a point of the picture is in the lattice.
    pub(super) fn apply(&self, x: f64, y: f64) -> (f64, f64) {
        let [a, b, c, d, e, f, g, h, i] = self.numbers;
        let depth = g * x + h * y + i;
        ((a * x + b * y + c) / depth, (d * x + e * y + f) / depth)
    }

    /// The map back.
    pub(super) fn inverse(&self) -> Warp {
        let [a, b, c, d, e, f, g, h, i] = self.numbers;
        let numbers = [
            e * i - f * h,
            c * h - b * i,
            b * f - c * e,
            f * g - d * i,
            a * i - c * g,
            c * d - a * f,
            d * h - e * g,
            b * g - a * h,
            a * e - b * d,
        ];
        Warp { numbers }
    }
}

/// Solves eight linear equations by Gauss's elimination; none if they do not say one answer.
fn solve(mut lines: [[f64; 9]; 8]) -> Option<[f64; 8]> {
    for column in 0..8 {
        let best = (column..8).max_by(|a, b| {
            let (a, b) = (lines[*a][column].abs(), lines[*b][column].abs());
            a.total_cmp(&b)
        })?;
        lines.swap(column, best);
        let pivot = lines[column];
        // No number at all is no pivot either.
        if pivot[column].is_nan() || pivot[column].abs() <= 1e-12 {
            return None;
        }
        for (number, line) in lines.iter_mut().enumerate() {
            if number != column {
                let factor = line[column] / pivot[column];
                for (value, above) in line.iter_mut().zip(pivot).skip(column) {
                    *value -= factor * above;
                }
            }
        }
    }
    let mut solved = [0.0; 8];
    for (number, line) in lines.iter().enumerate() {
        solved[number] = line[8] / line[number];
    }
    Some(solved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slanted_plane_is_found_among_errors() {
        let truth = Warp {
            numbers: [12.0, 3.0, 1.0, -2.0, 11.0, 4.0, 0.1, -0.05, 1.0],
        };
        let points = (0..400).map(|at| {
            let picture = (
                f64::from(at % 20) / 10.0 - 1.0,
                f64::from(at / 20) / 10.0 - 1.0,
            );
            let (u, v) = truth.apply(picture.0, picture.1);
            let wrong = if at % 9 == 0 { 2.0 } else { 0.0 };
            Sighting {
                picture,
                lattice: (u + wrong, v),
                weight: 1.0,
            }
        });
        let found = Warp::fit(&points.collect::<Vec<_>>()).unwrap();
        let (u, v) = found.apply(0.7, -0.3);
        let (right_u, right_v) = truth.apply(0.7, -0.3);
        assert!((u - right_u).abs() < 0.05 && (v - right_v).abs() < 0.05);
        let (x, y) = found.inverse().apply(u, v);
        assert!((x - 0.7).abs() < 1e-9 && (y + 0.3).abs() < 1e-9);
        assert_eq!(Warp::fit(&[]), None);
    }
}
