//! How an id becomes bits that survive damage: a CRC-16, and a convolutional code that is decoded with soft decisions.
//!
//! The code has rate 1/4 and constraint length 9, with the generators of cdma2000 (3GPP2 C.S0002, 2.1.3.1.4: 765,
//! 671, 513 and 473, octal; free distance 24). It is decoded by Viterbi's algorithm.

use super::ViewId;

const CRC_BITS: usize = 16;
/// Bits of the encoder's memory; as many zeros end the message.
const MEMORY: usize = 8;
const STATES: usize = 1 << MEMORY;
const GENERATORS: [usize; 4] = [0o765, 0o671, 0o513, 0o473];
const MESSAGE_BITS: usize = ViewId::BITS + CRC_BITS;
const STEPS: usize = MESSAGE_BITS + MEMORY;
/// Bits of an encoded id.
pub(super) const CODED_BITS: usize = STEPS * GENERATORS.len();

/// CRC-16/CCITT-FALSE over the low `count` bits of a number, the highest first.
fn crc16(bits: u64, count: usize) -> u16 {
    (0..count).rev().fold(0xFFFF, |crc: u16, place| {
        let bit = (bits >> place) as u16 & 1;
        match (crc >> 15) ^ bit {
            0 => crc << 1,
            _ => (crc << 1) ^ 0x1021,
        }
    })
}

/// What the encoder emits when it takes in `bit` with `state` in its memory: one bit a generator.
fn emitted(state: usize, bit: usize) -> [bool; 4] {
    let register = bit << MEMORY | state;
    GENERATORS.map(|generator| (register & generator).count_ones() % 2 == 1)
}

/// The state after that.
fn following(state: usize, bit: usize) -> usize {
    (bit << MEMORY | state) >> 1
}

/// The encoded id, one bit an element.
pub(super) fn encode(id: ViewId) -> [bool; CODED_BITS] {
    let crc = crc16(id.bits(), ViewId::BITS);
    let message = u128::from(id.bits()) << CRC_BITS | u128::from(crc);
    let message = message << MEMORY;
    let mut coded = [false; CODED_BITS];
    let mut state = 0;
    for (step, place) in coded
        .chunks_exact_mut(GENERATORS.len())
        .zip((0..STEPS).rev())
    {
        let bit = (message >> place) as usize & 1;
        step.copy_from_slice(&emitted(state, bit));
        state = following(state, bit);
    }
    coded
}

/// The id whose code is nearest to the soft values, positive for one and negative for zero, and how near it is:
/// their correlation, 1 for the code itself. None if the CRC does not hold.
pub(super) fn decode(soft: &[f32; CODED_BITS]) -> Option<(ViewId, f32)> {
    let mut metric = [f32::NEG_INFINITY; STATES];
    metric[0] = 0.0;
    // Which of its two predecessors each state came from, a step a row.
    let mut came_from = vec![[false; STATES]; STEPS];
    for (step, values) in soft.chunks_exact(GENERATORS.len()).enumerate() {
        let mut next = [f32::NEG_INFINITY; STATES];
        let most = if step < MESSAGE_BITS { 1 } else { 0 };
        for (state, reached) in metric.iter().enumerate().filter(|it| it.1.is_finite()) {
            for bit in 0..=most {
                let gain: f32 = emitted(state, bit)
                    .iter()
                    .zip(values)
                    .map(|(one, value)| if *one { *value } else { -value })
                    .sum();
                let to = following(state, bit);
                if reached + gain > next[to] {
                    next[to] = reached + gain;
                    came_from[step][to] = state & 1 == 1;
                }
            }
        }
        metric = next;
    }
    let mut state = 0;
    let mut message: u128 = 0;
    for (step, came_from) in came_from.iter().enumerate().rev() {
        let bit = state >> (MEMORY - 1) & 1;
        if step < MESSAGE_BITS {
            message |= (bit as u128) << (MESSAGE_BITS - 1 - step);
        }
        state = (state << 1) & (STATES - 1) | usize::from(came_from[state]);
    }
    let id = ViewId::new((message >> CRC_BITS) as u64);
    if crc16(id.bits(), ViewId::BITS) != (message & 0xFFFF) as u16 {
        return None;
    }
    let power: f32 = soft.iter().map(|value| value * value).sum();
    let likeness = metric[0] / (power * CODED_BITS as f32).sqrt();
    (power > 0.0).then_some((id, likeness))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soft(id: ViewId) -> [f32; CODED_BITS] {
        encode(id).map(|one| if one { 1.0 } else { -1.0 })
    }

    #[test]
    fn the_crc_is_that_of_the_catalogue() {
        // "123456789" gives 29B1 (CRC-16/CCITT-FALSE, also IBM-3740); here its first eight bytes and the ninth apart.
        let bits = u64::from_be_bytes(*b"12345678");
        assert_eq!(crc16(bits, 64), 0xA12B);
    }

    #[test]
    fn a_third_of_the_bits_may_be_lost_and_an_eighth_wrong() {
        let id = ViewId::new(0x1_2345_6789_ABCD);
        assert_eq!(decode(&soft(id)), Some((id, 1.0)));
        let mut damaged = soft(id);
        for (place, value) in damaged.iter_mut().enumerate() {
            match place * 37 % 24 {
                0..8 => *value = 0.0,
                8..11 => *value = -*value,
                _ => {}
            }
        }
        assert_eq!(decode(&damaged).map(|it| it.0), Some(id));
    }

    #[test]
    fn noise_is_no_id() {
        let mut random = 1u64;
        let mut found = 0;
        for _ in 0..300 {
            let noise = std::array::from_fn(|_| {
                random = random
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (random >> 40) as f32 - (1 << 23) as f32
            });
            found += usize::from(decode(&noise).is_some_and(|(_, likeness)| likeness > 0.6));
        }
        assert_eq!(found, 0);
        assert_eq!(decode(&[0.0; CODED_BITS]), None);
    }
}
