//! Who has to wait because of wrong passwords, and whom strangers cannot keep waiting. Pure: time comes from outside.

use std::collections::HashMap;
use std::net::IpAddr;

use super::back_off::BackOff;
use crate::access::Time;

/// Wrong passwords for one name that have no consequence yet.
const FREE_FOR_NAME: u32 = 5;
/// Wrong passwords from one network that have no consequence yet: an office shares one.
const FREE_FOR_NETWORK: u32 = 20;
/// From where somebody came in lately, only wrong guesses at their own name from there keep them waiting; so long, in
/// milliseconds.
const FAMILIAR_MS: Time = 24 * 60 * 60 * 1_000;
/// Familiar pairs at most.
const FAMILIAR_MAX: usize = 20_000;

/// The part of an address that one sender has for themselves: all of IPv4, half of IPv6 (RFC 6177).
pub(super) fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(address)) => {
            let own = address.segments();
            format!("{:x}:{:x}:{:x}:{:x}::", own[0], own[1], own[2], own[3])
        }
        _ => address.to_owned(),
    }
}

/// Failures by name, by network, and by both together.
pub(super) struct Guesses {
    names: BackOff,
    networks: BackOff,
    pairs: BackOff,
    /// Pairs of a name and a network that came in, and when last.
    familiar: HashMap<[u8; 32], Time>,
    /// Those who are signed in, by id, and prove their password once more.
    proofs: BackOff,
}

fn key(parts: &[&str]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

impl Guesses {
    pub fn new() -> Guesses {
        Guesses {
            names: BackOff::new(FREE_FOR_NAME),
            networks: BackOff::new(FREE_FOR_NETWORK),
            pairs: BackOff::new(FREE_FOR_NAME),
            familiar: HashMap::new(),
            proofs: BackOff::new(FREE_FOR_NAME),
        }
    }

    /// How long whoever tries this name from this address has to wait, in milliseconds.
    pub fn wait(&self, name: &str, from: &str, now: Time) -> Time {
        let network = network(from);
        let pair = key(&[name, &network]);
        let own = self.pairs.wait(&pair, now);
        let last = self.familiar.get(&pair);
        if last.is_some_and(|last| now < last + FAMILIAR_MS) {
            return own;
        }
        let of_name = self.names.wait(&key(&[name]), now);
        let of_network = self.networks.wait(&key(&["", &network]), now);
        own.max(of_name).max(of_network)
    }

    /// How long it is because of guesses at this very name from this very network.
    pub fn own_wait(&self, name: &str, from: &str, now: Time) -> Time {
        self.pairs.wait(&key(&[name, &network(from)]), now)
    }

    /// Notes what came of a name and a password from an address.
    pub fn note(&mut self, name: &str, from: &str, right: bool, now: Time) {
        let network = network(from);
        let pair = key(&[name, &network]);
        if right {
            // The failures of the network stay: one right password of the sender's own pays for no guesses.
            self.names.succeeded(&key(&[name]));
            self.pairs.succeeded(&pair);
            if self.familiar.len() >= FAMILIAR_MAX {
                self.familiar.clear();
            }
            self.familiar.insert(pair, now);
        } else {
            self.names.failed(key(&[name]), now);
            self.pairs.failed(pair, now);
            self.networks.failed(key(&["", &network]), now);
        }
    }

    /// How long a user who is signed in has to wait before they may prove their password again, in milliseconds.
    pub fn proof_wait(&self, user: &str, now: Time) -> Time {
        self.proofs.wait(&key(&[user]), now)
    }

    /// Notes whether a user who is signed in proved their password.
    pub fn note_proof(&mut self, user: &str, right: bool, now: Time) {
        match right {
            true => self.proofs.succeeded(&key(&[user])),
            false => self.proofs.failed(key(&[user]), now),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_make_the_name_and_the_network_wait_but_not_those_who_were_here() {
        let mut guesses = Guesses::new();
        guesses.note("ann", "10.0.0.1", true, 0);
        for guess in 0..FREE_FOR_NAME {
            assert_eq!(guesses.wait("ann", "10.0.0.9", 1), 0, "{guess}");
            guesses.note("ann", "10.0.0.9", false, 1);
        }
        assert!(guesses.wait("ann", "10.0.0.9", 1) > 0);
        assert!(guesses.wait("ann", "10.0.0.8", 1) > 0);
        assert_eq!(guesses.wait("ann", "10.0.0.1", 1), 0, "familiar");
        assert_eq!(guesses.wait("ben", "10.0.0.9", 1), 0);
        guesses.note("ben", "10.0.0.9", true, 1);
        for guess in 0..FREE_FOR_NETWORK {
            guesses.note(&format!("name{guess}"), "10.0.0.9", false, 2);
        }
        assert!(guesses.wait("cora", "10.0.0.9", 2) > 0);
        assert_eq!(
            guesses.wait("ben", "10.0.0.9", 2),
            0,
            "familiar behind the same address"
        );
        // Guesses at somebody's own name from their own network hold for them, too: it may be anybody behind it.
        for _ in 0..FREE_FOR_NAME {
            guesses.note("ann", "10.0.0.1", false, 3);
        }
        assert!(
            guesses.own_wait("ann", "10.0.0.1", 3) > 0 && guesses.wait("ann", "10.0.0.1", 3) > 0
        );
    }

    #[test]
    fn a_network_of_ipv6_is_one_sender() {
        let mut guesses = Guesses::new();
        for guess in 0..FREE_FOR_NETWORK {
            let from = format!("2001:db8::{guess:x}");
            guesses.note(&format!("name{guess}"), &from, false, 3);
        }
        assert!(guesses.wait("ben", "2001:db8::ffff", 3) > 0);
        assert_eq!(guesses.wait("ben", "2001:db8:1::1", 3), 0);
    }

    #[test]
    fn proofs_of_one_user_are_nobody_elses_and_no_strangers() {
        let mut guesses = Guesses::new();
        for _ in 0..FREE_FOR_NAME {
            guesses.note_proof("u3", false, 0);
        }
        assert!(guesses.proof_wait("u3", 0) > 0);
        assert_eq!(guesses.proof_wait("u4", 0), 0);
        guesses.note_proof("u3", true, 0);
        assert_eq!(guesses.proof_wait("u3", 0), 0);
    }
}
