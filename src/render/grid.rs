//! Digit grids (亿千百十万千百十元角分): one cell a digit, so that nothing can be added to an amount.

use crate::voucher::Amount;
use crate::voucher::template::Rectangle;

/// The heading of each cell, from the right.
const UNITS: [char; 17] = [
    '分', '角', '元', '十', '百', '千', '万', '十', '百', '千', '亿', '十', '百', '千', '万', '十',
    '百',
];

/// The cells of a digit column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) x: i32,
    pub(super) width: i32,
    pub(super) digits: usize,
}

/// How a boundary between two cells is ruled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Boundary {
    /// Between digits of one group.
    Plain,
    /// Between groups of three digits.
    Group,
    /// Between the unit and its hundredths.
    Point,
}

impl Grid {
    /// The left edge of a cell, counted from the left.
    fn edge(&self, cell: usize) -> i32 {
        self.x + self.width * cell as i32 / self.digits as i32
    }

    fn centre(&self, cell: usize) -> i32 {
        (self.edge(cell) + self.edge(cell + 1)) / 2
    }

    /// The boundaries inside the grid with their places.
    pub(super) fn boundaries(self) -> impl Iterator<Item = (i32, Boundary)> {
        (1..self.digits).map(move |cell| {
            let kind = match self.digits - cell {
                2 => Boundary::Point,
                from_right if from_right > 2 && (from_right - 2) % 3 == 0 => Boundary::Group,
                _ => Boundary::Plain,
            };
            (self.edge(cell), kind)
        })
    }

    /// The unit of each cell with its centre.
    pub(super) fn units(self) -> Vec<(char, i32)> {
        (0..self.digits)
            .filter_map(|cell| Some((*UNITS.get(self.digits - 1 - cell)?, self.centre(cell))))
            .collect()
    }

    /// The amount's digits with their centres, after a minus or else `sign` if a cell is free for it.
    /// `None` if the amount does not fit, or has parts below a hundredth.
    pub(super) fn place(self, amount: Amount, sign: Option<char>) -> Option<Vec<(char, i32)>> {
        let hundredths = amount.hundredths()?;
        // Nothing is lost below one unit: 0.05 is written 005.
        let mut text: Vec<char> = format!("{:03}", hundredths.unsigned_abs())
            .chars()
            .collect();
        if hundredths < 0 {
            text.insert(0, '-');
        } else if let Some(sign) = sign.filter(|_| text.len() < self.digits) {
            text.insert(0, sign);
        }
        let first = self.digits.checked_sub(text.len())?;
        Some(
            text.into_iter()
                .enumerate()
                .map(|(index, c)| (c, self.centre(first + index)))
                .collect(),
        )
    }

    /// The rectangle of the grid in a row.
    pub(super) fn cell(self, y: i32, height: i32) -> Rectangle {
        Rectangle {
            x: self.x,
            y,
            width: self.width,
            height,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: Grid = Grid {
        x: 0,
        width: 1_100,
        digits: 11,
    };

    fn placed(amount: &str, sign: Option<char>) -> Option<String> {
        let cells = GRID.place(amount.parse().unwrap(), sign)?;
        assert!(cells.is_sorted_by_key(|cell| cell.1));
        assert_eq!(
            cells.last().unwrap().1,
            1_050,
            "hundredths stand in the last cell"
        );
        Some(cells.into_iter().map(|cell| cell.0).collect())
    }

    #[test]
    fn digits_stand_below_their_units() {
        let units: String = GRID.units().into_iter().map(|unit| unit.0).collect();
        assert_eq!(units, "亿千百十万千百十元角分");
        assert_eq!(placed("12000.00", None).unwrap(), "1200000");
        assert_eq!(placed("12000", Some('¥')).unwrap(), "¥1200000");
        assert_eq!(placed("-0.05", Some('¥')).unwrap(), "-005");
        assert_eq!(placed("999999999.99", Some('¥')).unwrap(), "99999999999");
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        assert_eq!(placed("1000000000", None), None);
        assert_eq!(placed("-999999999.99", None), None);
        assert_eq!(placed("0.001", None), None);
    }

    #[test]
    fn the_point_and_the_thousands_are_ruled() {
        let kinds: Vec<Boundary> = GRID.boundaries().map(|boundary| boundary.1).collect();
        assert_eq!(kinds[8], Boundary::Point);
        assert_eq!((kinds[5], kinds[2]), (Boundary::Group, Boundary::Group));
        assert_eq!(
            kinds
                .iter()
                .filter(|kind| **kind == Boundary::Plain)
                .count(),
            7
        );
    }
}
