//! Bursts: who looked at unusually many vouchers in a short time.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;

use super::documents::rfc3339;
use super::open::entry;
use super::rows::{ViewRow, decode, each, key};
use super::traces::{refused, seq};
use super::{ArchiveError, Caller, Records};
use crate::access::{Right, Time};
use crate::catalog::TreePath;

/// Views that are looked at for bursts; more is said to be too much.
const BURST_VIEWS_MAX: usize = 2_000_000;

/// That somebody looked at many vouchers in a short time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Burst {
    /// Id of who looked.
    pub user: String,
    /// Their name.
    pub name: String,
    /// When it began, by RFC 3339.
    pub from: String,
    /// When it ended.
    pub until: String,
    /// Different vouchers at which they looked in it.
    pub vouchers: usize,
    /// Times that they looked.
    pub views: usize,
    /// The first entry of it.
    pub first_entry: u64,
    /// The last entry of it.
    pub last_entry: u64,
}

/// From when on many vouchers are unusually many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unusual {
    /// Different vouchers.
    pub vouchers: usize,
    /// Within so long, in milliseconds.
    pub within: Time,
}

impl Default for Unusual {
    /// More than a voucher in ten seconds, for ten minutes: nobody reads that fast.
    fn default() -> Unusual {
        Unusual {
            vouchers: 60,
            within: 10 * 60 * 1_000,
        }
    }
}

/// A look, as the search for bursts needs it.
struct Look {
    entry: u64,
    time: Time,
    path: String,
}

/// The times in which one user looked at unusually much, from their views in order.
fn bursts(
    views: impl IntoIterator<Item = Look>,
    unusual: Unusual,
    mut found: impl FnMut(&[Look], usize),
) {
    let mut window: VecDeque<Look> = VecDeque::new();
    let mut inside: HashMap<String, usize> = HashMap::new();
    // What belongs to the burst that is going on.
    let mut burst: Vec<Look> = Vec::new();
    let mut end = |burst: &mut Vec<Look>| {
        if !burst.is_empty() {
            let mut paths: Vec<&str> = burst.iter().map(|look| look.path.as_str()).collect();
            paths.sort_unstable();
            paths.dedup();
            found(burst, paths.len());
            burst.clear();
        }
    };
    for look in views {
        while let Some(first) = window.front()
            && first.time + unusual.within <= look.time
        {
            if let Some(count) = inside.get_mut(&first.path) {
                *count -= 1;
                if *count == 0 {
                    inside.remove(&first.path);
                }
            }
            window.pop_front();
        }
        *inside.entry(look.path.clone()).or_default() += 1;
        let copy = |look: &Look| Look {
            path: look.path.clone(),
            ..*look
        };
        window.push_back(copy(&look));
        if inside.len() > unusual.vouchers {
            match burst.last() {
                // All of the window that the burst does not have yet.
                Some(last) => {
                    let last = last.entry;
                    let news = window.iter().rev().take_while(|it| it.entry > last);
                    let at = burst.len();
                    burst.extend(news.map(copy));
                    burst[at..].reverse();
                }
                None => burst.extend(window.iter().map(copy)),
            }
        } else if burst
            .last()
            .is_some_and(|last| last.time + unusual.within <= look.time)
        {
            end(&mut burst);
        }
    }
    end(&mut burst);
}

impl Records {
    /// Who looked at unusually many vouchers since a time, in the order of users and times: for those who verify the
    /// whole tree.
    pub fn bursts(
        &self,
        caller: &Caller,
        since: Time,
        unusual: Unusual,
    ) -> Result<Vec<Burst>, ArchiveError> {
        if !caller
            .permissions
            .allow(Right::Verify, &TreePath::default())
        {
            return Err(refused());
        }
        let people = self.people();
        let mut found = Vec::new();
        let mut read = 0;
        let first = self.first_since(since)?;
        for user in people.users() {
            let prefix = key::views_by(&user.id);
            let mut views = Vec::new();
            let after = match first.checked_sub(1) {
                Some(before) => key::view_by(&user.id, before),
                None => prefix.clone(),
            };
            each(&*self.store, &prefix, &after, |key, row| {
                let ViewRow { time, path } = decode(key, row)?;
                let entry = seq(key)?;
                views.push(Look { entry, time, path });
                read += 1;
                if read > BURST_VIEWS_MAX {
                    let error = format!("there are more than {BURST_VIEWS_MAX} views");
                    return Err(ArchiveError::conflict(error, "ask for a shorter time"));
                }
                Ok(())
            })?;
            bursts(views, unusual, |looks, vouchers| {
                if let (Some(first), Some(last)) = (looks.first(), looks.last()) {
                    found.push(Burst {
                        user: user.id.clone(),
                        name: user.name.clone(),
                        from: rfc3339(first.time),
                        until: rfc3339(last.time),
                        vouchers,
                        views: looks.len(),
                        first_entry: first.entry,
                        last_entry: last.entry,
                    });
                }
            });
        }
        Ok(found)
    }

    /// Number of the first entry that is not before a time: times in the log never go back.
    fn first_since(&self, since: Time) -> Result<u64, ArchiveError> {
        let (mut first, mut behind) = (0, self.size()?);
        while first < behind {
            let middle = first + (behind - first) / 2;
            match entry(&*self.store, middle)?.time < since {
                true => first = middle + 1,
                false => behind = middle,
            }
        }
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(views: &[(Time, &str)]) -> Vec<(u64, u64, usize)> {
        let looks = (1..).zip(views).map(|(entry, (time, path))| Look {
            entry,
            time: *time,
            path: (*path).to_owned(),
        });
        let unusual = Unusual {
            vouchers: 2,
            within: 10,
        };
        let mut found = Vec::new();
        bursts(looks, unusual, |looks, vouchers| {
            found.push((looks[0].entry, looks[looks.len() - 1].entry, vouchers));
        });
        found
    }

    #[test]
    fn many_vouchers_in_a_short_time_are_a_burst() {
        assert_eq!(
            found(&[(0, "a"), (1, "b"), (2, "c"), (3, "d")]),
            [(1, 4, 4)]
        );
        // The same two vouchers again and again are none, nor are many over a long time.
        assert_eq!(
            found(&[(0, "a"), (1, "b"), (2, "a"), (3, "b"), (4, "a")]),
            []
        );
        assert_eq!(found(&[(0, "a"), (5, "b"), (10, "c"), (15, "d")]), []);
        // Two bursts with quiet between.
        let views = [
            (0, "a"),
            (1, "b"),
            (2, "c"),
            (50, "a"),
            (100, "d"),
            (101, "e"),
            (102, "f"),
        ];
        assert_eq!(found(&views), [(1, 3, 3), (5, 7, 3)]);
    }
}
