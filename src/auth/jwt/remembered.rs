//! JWTs whose signature was checked.

use std::hash::{Hash, Hasher};

use quick_cache::{Equivalent, sync::Cache};

/// Most JWTs that are remembered.
const MOST: usize = 10_000;

/// The longest JWT that is remembered, in bytes; one of ours has some 400. A longer one is checked whenever it comes.
const LONGEST: usize = 1024;

/// Content of signed JWTs, by their text: some 5 MB when all places are taken.
///
/// The text is looked up by a keyed hash and then compared in full, in a time that does not depend on the place of a
/// difference. So an attacker cannot find out a remembered JWT bit by bit, and no two JWTs are taken for each other. A
/// cryptographic hash would do the same, at ten times the cost on processors without instructions for it.
pub(super) struct Remembered<T> {
    signed: Cache<Text, T>,
}

/// The text of a JWT that is remembered.
struct Text(Box<[u8]>);

/// The text of a JWT that is looked up.
struct Asked<'a>(&'a [u8]);

impl<T: Clone> Default for Remembered<T> {
    fn default() -> Self {
        Self { signed: Cache::new(MOST) }
    }
}

impl<T: Clone> Remembered<T> {
    pub(super) fn get(&self, jwt: &str) -> Option<T> {
        self.signed.get(&Asked(jwt.as_bytes()))
    }

    pub(super) fn insert(&self, jwt: &str, signed: T) {
        if jwt.len() <= LONGEST {
            self.signed.insert(Text(jwt.as_bytes().into()), signed);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.signed.len()
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Asked(&self.0).hash(state);
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        is_same(&self.0, &other.0)
    }
}

impl Eq for Text {}

impl Hash for Asked<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0);
    }
}

impl Equivalent<Text> for Asked<'_> {
    fn equivalent(&self, text: &Text) -> bool {
        is_same(self.0, &text.0)
    }
}

/// Returns true if two texts are the same. Looks at all bytes of texts of the same length, eight at a time.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let ((words, rest), (other_words, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let of_words =
        words.iter().zip(other_words).map(|(one, other)| u64::from_ne_bytes(*one) ^ u64::from_ne_bytes(*other));
    let of_rest = rest.iter().zip(other_rest).map(|(one, other)| u64::from(one ^ other));
    let difference = of_words.chain(of_rest).fold(0, |all, difference| all | difference);
    bool::from(subtle::ConstantTimeEq::ct_eq(&difference, &0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_told_apart_wherever_they_differ() {
        let text: Vec<u8> = (0..43).collect();
        assert!(is_same(&text, &text) && is_same(b"", b""));
        for at in 0..text.len() {
            let mut other = text.clone();
            other[at] ^= 0x80;
            assert!(!is_same(&text, &other) && !is_same(&text, &text[..at]), "{at}");
        }
    }

    #[test]
    fn what_is_long_is_not_kept() {
        let (remembered, long) = (Remembered::default(), "a".repeat(LONGEST + 1));
        remembered.insert(&long, 1);
        assert_eq!((remembered.get(&long), remembered.len()), (None, 0));
        remembered.insert(&long[1..], 2);
        assert_eq!(remembered.get(&long[1..]), Some(2));
        assert_eq!(remembered.get(&long[2..]), None);
    }
}
