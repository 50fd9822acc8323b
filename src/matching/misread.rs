//! What a network misreads: for each character the other one that it is surest to read as it.
//!
//! A network that is not sure reads the character that is common where it stands (`支` where `攴` is printed). How sure it
//! then is, was measured; a claim with such a character must be read surer than that. The tables are made anew by
//! `cargo test --release --lib renew_what_the_networks_misread -- --ignored`, which takes ten minutes.

use std::collections::HashMap;
use std::fmt;

/// How much surer of a character a network must be than it ever was of another in its place: between other characters,
/// on paper and in other typefaces than were measured it may be surer (`预箅` is read as `预算` by 3 more than `箅` as `算`).
const BEYOND: f32 = 4.5;

/// Characters of GB 2312 that are parts of others and no words: whoever sees one reads the character that it looks like
/// (`攴付` says `支付`), so that nobody means a difference by it.
const PARTS: &str = include_str!("misread/parts.txt");

/// A character of a claim, and another that is read as it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Doubt {
    pub claimed: char,
    pub printed: char,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Doubt { claimed, printed } = self;
        write!(f, "the network may read {printed} as {claimed} as well")
    }
}

/// For each character those that are read as it, and how much likelier the network then finds it than them.
pub(super) struct Misread(HashMap<char, Vec<(char, f32)>>);

impl Misread {
    /// What a table says; each of its lines has the character that is read, the one that is printed, and how much likelier
    /// the first is to the network than the second: a difference of natural logarithms. Where it does not know the second, it
    /// is twice the margin over everything, which says less.
    pub fn of(table: &str) -> Misread {
        let mut misread: HashMap<char, Vec<(char, f32)>> = HashMap::new();
        let rows = table.lines().filter_map(row);
        for (claimed, printed, surest) in rows.filter(|row| !PARTS.contains(row.1)) {
            misread.entry(claimed).or_default().push((printed, surest));
        }
        Misread(misread)
    }

    /// What is read as a character, and how much likelier the network must find the character for it to be there.
    pub fn of_character(&self, claimed: char) -> impl Iterator<Item = (char, f32)> {
        let misread = self.0.get(&claimed).into_iter().flatten();
        misread.map(|(printed, surest)| (*printed, surest + BEYOND))
    }
}

/// A line of a table.
pub(super) fn row(line: &str) -> Option<(char, char, f32)> {
    let mut parts = line.split(' ');
    let mut character = || parts.next()?.chars().next();
    let (claimed, printed) = (character()?, character()?);
    Some((claimed, printed, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_has_all_that_are_read_as_it() {
        let misread = Misread::of("支 攴 11.0\n第 笫 6.9\n第 弟 1.0\n");
        // A part is no word.
        assert_eq!(misread.of_character('支').count(), 0);
        let of = |claimed| misread.of_character(claimed).collect::<Vec<_>>();
        assert_eq!(of('第'), [('笫', 6.9 + BEYOND), ('弟', 1.0 + BEYOND)]);
        assert_eq!(of('文'), []);
    }

    #[test]
    fn the_tables_are_whole() {
        for table in [
            include_str!("misread/tiny.txt"),
            include_str!("misread/small.txt"),
        ] {
            let rows: Vec<_> = table.lines().filter_map(row).collect();
            assert!(rows.len() > 500 && rows.len() == table.lines().count());
            assert!(
                rows.iter()
                    .all(|(claimed, printed, surest)| claimed != printed && *surest >= 0.0)
            );
        }
    }
}
