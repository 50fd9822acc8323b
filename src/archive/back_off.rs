//! Waiting after wrong passwords: who has failed often waits, longer each time. Pure: time comes from outside.

use std::collections::HashMap;

use crate::access::Time;

/// The longest wait, in milliseconds.
const WAIT_MAX_MS: Time = 5 * 60 * 1_000;
/// The first wait, in milliseconds; each further failure doubles it.
const WAIT_FIRST_MS: Time = 1_000;
/// Failures are forgotten so long after the last one, in milliseconds.
const FORGOTTEN_MS: Time = 15 * 60 * 1_000;
/// Names or addresses that are counted at most; then the oldest are forgotten.
const COUNTED_MAX: usize = 20_000;

struct Failures {
    count: u32,
    last: Time,
}

/// Failures by somebody: by the name that they tried, or by the address that they come from.
pub(super) struct BackOff {
    /// So many failures have no consequence: people mistype.
    free: u32,
    failures: HashMap<[u8; 32], Failures>,
}

impl BackOff {
    pub fn new(free: u32) -> BackOff {
        BackOff {
            free,
            failures: HashMap::new(),
        }
    }

    /// How long they have to wait from `now` on, in milliseconds; 0 when they may try.
    pub fn wait(&self, who: &[u8; 32], now: Time) -> Time {
        let Some(failures) = self.failures.get(who) else {
            return 0;
        };
        let Some(over) = failures.count.checked_sub(self.free) else {
            return 0;
        };
        // 2^16 seconds are far beyond the longest wait.
        let wait = (WAIT_FIRST_MS << over.min(16)).min(WAIT_MAX_MS);
        (failures.last + wait).saturating_sub(now)
    }

    /// Counts a failure.
    pub fn failed(&mut self, who: [u8; 32], now: Time) {
        if self.failures.len() >= COUNTED_MAX {
            self.make_room(now);
        }
        let failures = self.failures.entry(who).or_insert(Failures {
            count: 0,
            last: now,
        });
        if now >= failures.last + FORGOTTEN_MS {
            failures.count = 0;
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
    }

    /// Forgets the failures of somebody who came in.
    pub fn succeeded(&mut self, who: &[u8; 32]) {
        self.failures.remove(who);
    }

    /// Drops what is forgotten anyway, and else the older half: a flood of names must not fill the memory, and whoever
    /// is tried right now stays counted.
    fn make_room(&mut self, now: Time) {
        self.failures.retain(|_, it| now < it.last + FORGOTTEN_MS);
        if self.failures.len() < COUNTED_MAX {
            return;
        }
        let mut times: Vec<Time> = self.failures.values().map(|it| it.last).collect();
        let half = times.len() / 2;
        let (_, middle, _) = times.select_nth_unstable(half);
        let middle = *middle;
        self.failures.retain(|_, it| it.last > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let mut back_off = BackOff::new(3);
        let who = [1; 32];
        for _ in 0..2 {
            back_off.failed(who, 0);
        }
        assert_eq!(back_off.wait(&who, 0), 0);
        back_off.failed(who, 0);
        assert_eq!(back_off.wait(&who, 0), 1_000);
        assert_eq!(back_off.wait(&who, 400), 600);
        assert_eq!(back_off.wait(&who, 1_000), 0);
        back_off.failed(who, 1_000);
        assert_eq!(back_off.wait(&who, 1_000), 2_000);
        for _ in 0..100 {
            back_off.failed(who, 2_000);
        }
        assert_eq!(back_off.wait(&who, 2_000), WAIT_MAX_MS);
        assert_eq!(back_off.wait(&[2; 32], 2_000), 0);
        back_off.succeeded(&who);
        assert_eq!(back_off.wait(&who, 2_000), 0);
    }

    #[test]
    fn failures_are_forgotten_after_a_while() {
        let mut back_off = BackOff::new(1);
        for _ in 0..5 {
            back_off.failed([1; 32], 0);
        }
        back_off.failed([1; 32], FORGOTTEN_MS);
        assert_eq!(back_off.wait(&[1; 32], FORGOTTEN_MS), WAIT_FIRST_MS);
    }

    #[test]
    fn a_flood_of_names_takes_bounded_memory() {
        let mut back_off = BackOff::new(0);
        for number in 0..3 * COUNTED_MAX {
            let mut who = [0; 32];
            who[..8].copy_from_slice(&(number as u64).to_be_bytes());
            back_off.failed(who, number as Time);
        }
        assert!(back_off.failures.len() <= COUNTED_MAX);
    }
}
