//! Texts that only this server can have written: cookies and the tokens of forms.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The length of a signature in base64url.
const SIGNATURE_TEXT: usize = 43;

/// Signs texts with HMAC-SHA256, each for one purpose: a signature for one purpose is invalid for another. Cheap to
/// clone.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl Signer {
    /// Signs with this secret.
    pub fn new(secret: &str) -> Self {
        Self(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of every length"))
    }

    /// Returns the text and its signature, as one text that can stand in a cookie if `text` can. Anyone can read it.
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        let signature = self.signature(purpose, text);
        format!("{text}.{signature}")
    }

    /// Returns the text that [`Signer::sign`] signed for the same purpose; compares in constant time.
    pub fn verify<'a>(&self, purpose: &str, signed: &'a str) -> Option<&'a str> {
        let (text, signature) = signed.rsplit_once('.')?;
        self.matches(purpose, text, signature).then_some(text)
    }

    /// Returns the signature alone: 43 characters of base64url.
    pub fn signature(&self, purpose: &str, text: &str) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.signing(purpose, text).finalize().into_bytes())
    }

    /// Returns true if this is the signature of the text; compares in constant time.
    pub fn matches(&self, purpose: &str, text: &str, signature: &str) -> bool {
        if signature.len() != SIGNATURE_TEXT {
            return false;
        }
        let Ok(signature) = BASE64_URL_SAFE_NO_PAD.decode(signature) else { return false };
        self.signing(purpose, text).verify_slice(&signature).is_ok()
    }

    /// Starts a signature. NUL, which no purpose contains, keeps one purpose from being the prefix of another.
    fn signing(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(b"pusher-lite ").chain_update(purpose).chain_update(b"\0").chain_update(text)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Signer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_signed_with_this_secret_for_this_purpose_is_valid() {
        let (signer, other) = (Signer::new("a secret"), Signer::new("another"));
        for text in ["", "id", "a.b", "ä"] {
            let signed = signer.sign("cookie", text);
            assert_eq!(signer.verify("cookie", &signed), Some(text));
            assert_eq!(signer.verify("form", &signed), None);
            assert_eq!(other.verify("cookie", &signed), None);
        }
        assert!(!format!("{signer:?}").contains("secret"));
    }

    #[test]
    fn whatever_is_changed_is_invalid() {
        let signer = Signer::new("a secret");
        let signed = signer.sign("cookie", "text");
        for at in 0..signed.len() {
            assert_eq!(signer.verify("cookie", &signed[..at]), None, "{at}");
            let mut changed = signed.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'Q' } else { b'A' };
            assert_eq!(signer.verify("cookie", std::str::from_utf8(&changed).unwrap()), None, "{at}");
        }
        for bad in ["", ".", "text", "text.", "text.short", ".\u{e9}"] {
            assert_eq!(signer.verify("cookie", bad), None, "{bad}");
        }
    }
}
