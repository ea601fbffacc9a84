//! The tokens of long-poll sessions: which session a request belongs to, signed with the cookie secret.
//!
//! A token is `1.<id>.<signature>`, both parts in base64url: the version, the 16 bytes of the session's random id, and an
//! HMAC-SHA256. The id alone could not be guessed either; the signature keeps everything else away from the table of
//! sessions, and will say which server of several a session lives on once the tokens of a next version name it.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The version of a token, with the separator behind it.
const VERSION: &str = "1.";
/// What is signed before the id: no other signature with the same secret can be taken for one of these.
const PURPOSE: &[u8] = b"pusher-lite long-poll session 1:";
/// The length of an id in base64url.
const ID_TEXT: usize = 22;

/// Issues and verifies tokens. Cheap to clone.
#[derive(Clone)]
pub struct SessionTokens(Hmac<Sha256>);

impl SessionTokens {
    /// Tokens that are signed with this secret.
    pub fn new(secret: &str) -> Self {
        Self(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length"))
    }

    /// The token of a session.
    pub fn issue(&self, id: u128) -> String {
        let (id, signature) = (id.to_be_bytes(), self.signing(id).finalize().into_bytes());
        let [id, signature] = [&id[..], &signature[..]].map(|bytes| BASE64_URL_SAFE_NO_PAD.encode(bytes));
        format!("{VERSION}{id}.{signature}")
    }

    /// The session of a token; none if this server, or another one with the same secret, did not issue it.
    pub fn verify(&self, token: &str) -> Option<u128> {
        let (id, signature) = token.strip_prefix(VERSION)?.split_once('.')?;
        if id.len() != ID_TEXT {
            return None;
        }
        let id = u128::from_be_bytes(BASE64_URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?);
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        // In constant time.
        self.signing(id).verify_slice(&signature).ok()?;
        Some(id)
    }

    fn signing(&self, id: u128) -> Hmac<Sha256> {
        self.0.clone().chain_update(PURPOSE).chain_update(id.to_be_bytes())
    }
}

impl fmt::Debug for SessionTokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SessionTokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tokens_of_the_same_secret_are_valid() {
        let (tokens, others) = (SessionTokens::new("a secret"), SessionTokens::new("another"));
        for id in [0, 1, u128::MAX] {
            let token = tokens.issue(id);
            assert_eq!(tokens.verify(&token), Some(id));
            assert_eq!(others.verify(&token), None);
        }
        assert!(!format!("{tokens:?}").contains("secret"));
    }

    #[test]
    fn whatever_is_changed_makes_a_token_invalid() {
        let tokens = SessionTokens::new("a secret");
        let (token, other) = (tokens.issue(7), tokens.issue(8));
        for at in 0..token.len() {
            assert_eq!(tokens.verify(&token[..at]), None, "{at}");
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'Q' } else { b'A' };
            assert_eq!(tokens.verify(std::str::from_utf8(&changed).unwrap()), None, "{at}");
        }
        let (id, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        for bad in [format!("{id}.{signature}"), format!("{token}="), format!("{token} "), format!("{token}.x")] {
            assert_eq!(tokens.verify(&bad), None, "{bad}");
        }
        for bad in ["", ".", "garbage", "1.", "1..", "2.a.b", "1.\u{e9}.x"] {
            assert_eq!(tokens.verify(bad), None, "{bad}");
        }
    }
}
