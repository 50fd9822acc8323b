use std::fmt;
use std::str::FromStr;

/// Digits of Douglas Crockford's base 32: no I, L, O or U, so that nobody misreads one on a photograph.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Digits of a written id, each of five bits.
const LENGTH: usize = 10;

/// What a marked copy says of itself: who was shown which bytes at which path in which window of time, as a number
/// that says so only to whoever has the log. Written `K3F7Q-9XA2B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewId(u64);

/// Why a text is no view id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a view id has ten letters and digits, such as K3F7Q-9XA2B")]
pub struct ViewIdError;

impl ViewId {
    /// Bits of an id.
    pub const BITS: usize = 5 * LENGTH;

    /// The id with these low bits; higher ones are left out.
    pub fn new(bits: u64) -> ViewId {
        ViewId(bits & ((1 << ViewId::BITS) - 1))
    }

    /// Its bits.
    pub fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for ViewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..LENGTH).rev() {
            let digit = DIGITS[(self.0 >> (5 * place)) as usize & 31];
            write!(f, "{}", char::from(digit))?;
            if place == LENGTH / 2 {
                f.write_str("-")?;
            }
        }
        Ok(())
    }
}

impl FromStr for ViewId {
    type Err = ViewIdError;

    /// Reads an id as people type it: in small letters, without the hyphen, with O for 0 and I or L for 1.
    fn from_str(text: &str) -> Result<ViewId, ViewIdError> {
        let mut bits = 0;
        let mut length = 0;
        for letter in text.bytes().filter(|it| *it != b'-') {
            let letter = match letter.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                letter => letter,
            };
            let digit = DIGITS.iter().position(|it| *it == letter);
            bits = bits << 5 | digit.ok_or(ViewIdError)? as u64;
            length += 1;
            if length > LENGTH {
                return Err(ViewIdError);
            }
        }
        match length {
            LENGTH => Ok(ViewId(bits)),
            _ => Err(ViewIdError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_people_type_it() {
        for bits in [0, 1, 0x2_A5F0_1234_5678, (1 << 50) - 1] {
            let id = ViewId::new(bits);
            let text = id.to_string();
            assert_eq!((text.len(), text.parse()), (11, Ok(id)));
            assert_eq!(text.to_lowercase().replace('-', "").parse(), Ok(id));
        }
        assert_eq!("oOiIl-00000".parse(), "00111-00000".parse::<ViewId>());
        for wrong in ["", "K3F7Q", "K3F7Q-9XA2B0", "K3F7Q-9XA2U", "K3F7Q 9XA2B"] {
            assert_eq!(wrong.parse::<ViewId>(), Err(ViewIdError), "{wrong}");
        }
    }
}
