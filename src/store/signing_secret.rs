//! Secrets of applications that JWTs are signed with.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Minimum length of a secret that signs, in characters.
pub const MIN_CHARACTERS: usize = 32;

/// Name of a secret: the first half of its SHA-256. Secrets that sign are too long to be found by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretId(pub u128);

/// A secret that nobody can guess from a JWT that it signed. JWTs are verified with nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningSecret {
    id: SecretId,
    text: Arc<str>,
}

impl SigningSecret {
    /// Returns the secret, or `None` for a weak one: shorter than [`MIN_CHARACTERS`], or a version 1 UUID in any spelling. The
    /// original's secrets are such UUIDs, made a moment after the public key of the application, on the same host: there are
    /// some 2^26 candidates, which anybody with one JWT could try.
    pub fn of(secret: &str) -> Option<Self> {
        let is_version_1 = Uuid::parse_str(secret.trim()).is_ok_and(|uuid| uuid.get_version_num() == 1);
        if is_version_1 || secret.chars().count() < MIN_CHARACTERS {
            return None;
        }
        let digest: [u8; 32] = Sha256::digest(secret).into();
        let (half, _) = digest.split_first_chunk().expect("16 of 32 bytes");
        Some(Self { id: SecretId(u128::from_be_bytes(*half)), text: secret.into() })
    }

    /// Returns the name of the secret.
    pub fn id(&self) -> SecretId {
        self.id
    }

    /// Returns the key that signs: the bytes of the text.
    pub fn key(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// Omits the secret.
impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningSecret").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_guessed_signs_nothing() {
        for weak in [
            "",
            "short",
            "0123456789abcdef0123456789abcde",
            "7f1c2f5a-6d0e-11e6-8b77-86f30ca893d3",
            "7F1C2F5A-6D0E-11E6-8B77-86F30CA893D3",
            "7f1c2f5a6d0e11e68b7786f30ca893d3",
            "{7f1c2f5a-6d0e-11e6-8b77-86f30ca893d3}",
            "urn:uuid:7f1c2f5a-6d0e-11e6-8b77-86f30ca893d3",
            " 7f1c2f5a-6d0e-11e6-8b77-86f30ca893d3\n",
        ] {
            assert_eq!(SigningSecret::of(weak), None, "{weak}");
        }
        let (one, other) = ("0123456789abcdef0123456789abcdef", "f81d4fae-7dec-4bd0-a765-00a0c91e6bf6");
        let [one, other] = [one, other].map(|strong| SigningSecret::of(strong).unwrap());
        assert_ne!(one.id(), other.id());
        assert!(!format!("{one:?}").contains("0123"));
    }
}
