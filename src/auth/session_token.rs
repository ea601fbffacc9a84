//! The tokens of long-poll sessions: each names the session that a request belongs to, signed with the cookie secret.
//!
//! A token is `1.<id>`, signed by [`Signer`]: the version, and the 16 bytes of the session's random id in base64url. The id alone could not be guessed either; the signature keeps everything else away from the table of
//! sessions, and will say which server of several a session lives on once the tokens of a next version name it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::Signer;

/// The version of a token, with the separator behind it.
const VERSION: &str = "1.";
/// Purpose of the signature.
const PURPOSE: &str = "long-poll session";

/// Issues and verifies tokens. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SessionTokens(Signer);

impl SessionTokens {
    /// Creates tokens that are signed with this secret.
    pub fn new(secret: &str) -> Self {
        Self(Signer::new(secret))
    }

    /// Returns the token of a session: 68 characters that can stand in a URL.
    pub fn issue(&self, id: u128) -> String {
        let id = BASE64_URL_SAFE_NO_PAD.encode(id.to_be_bytes());
        self.0.sign(PURPOSE, &format!("{VERSION}{id}"))
    }

    /// Returns the session of a token; none if neither this server nor another one with the same secret issued it.
    pub fn verify(&self, token: &str) -> Option<u128> {
        let id = self.0.verify(PURPOSE, token)?.strip_prefix(VERSION)?;
        Some(u128::from_be_bytes(BASE64_URL_SAFE_NO_PAD.decode(id).ok()?.try_into().ok()?))
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
            assert_eq!(token.len(), 68, "{token}");
            assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{token}");
            assert_eq!(tokens.verify(&token), Some(id));
            assert_eq!(others.verify(&token), None);
        }
        assert!(!format!("{tokens:?}").contains("secret"));
    }

    /// Both share the secret of cookies.
    #[test]
    fn what_is_signed_for_something_else_is_no_token() {
        let (tokens, signer) = (SessionTokens::new("a secret"), Signer::new("a secret"));
        let token = tokens.issue(7);
        let (text, _) = token.rsplit_once('.').unwrap();
        assert_eq!(signer.sign(PURPOSE, text), token);
        assert_eq!(tokens.verify(&signer.sign("form", text)), None);
        for text in ["", "1.", "1.AA", "2.AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(tokens.verify(&signer.sign(PURPOSE, text)), None, "{text}");
        }
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
