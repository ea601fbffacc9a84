//! Names of sessions.

use std::fmt;

use sha2::{Digest, Sha256};

/// Name of a session: the SHA-256 of the id in the browser's cookie, written as the table has it. No secret, since the id
/// cannot be found by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionHash([u8; 32]);

impl SessionHash {
    /// Names the session whose cookie holds this id.
    pub fn of(id: &str) -> Self {
        Self(Sha256::digest(id).into())
    }

    /// Reads 64 lower-case hexadecimal digits; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() || pairs.len() != 32 {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, &[high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(high)? << 4 | digit(low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for SessionHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SessionHash({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_and_read_alike_and_in_one_spelling() {
        let name = SessionHash::of("id");
        let text = name.to_string();
        assert_eq!(text, "a56145270ce6b3bebd1dd012b73948677dd618d496488bc608a3cb43ce3547dd");
        assert_eq!(SessionHash::parse(&text), Some(name));
        let (short, long) = (&text[1..], format!("{text}0"));
        let (even, upper, other) = (&text[2..], text.to_uppercase(), text.replace('d', "g"));
        for bad in ["", short, even, &long, &upper, &other, &"\u{e9}".repeat(32), &format!("+{short}")] {
            assert_eq!(SessionHash::parse(bad), None, "{bad}");
        }
    }
}
