//! Tokens that are mailed as links, each valid once for one purpose: to confirm an address, to set a password, to
//! unlock an account.
//!
//! The database holds only a hash of tokens made here, `sha256$<hex>`, so that a reader of the database cannot use
//! them. Tokens of the original are stored as they are, and continue to work.

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use sha2::{Digest, Sha256};

/// Lifetime of a token that confirms an address.
pub const CONFIRMATION_LIFETIME: TimeDelta = TimeDelta::days(5);
/// Lifetime of a token that sets a password.
pub const RESET_LIFETIME: TimeDelta = TimeDelta::days(2);
/// Lifetime of a token that unlocks an account.
pub const UNLOCK_LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// Prefix of the stored form of tokens made here.
const HASHED: &str = "sha256$";

/// A new token: 256 random bits.
pub struct MailedToken(String);

impl MailedToken {
    /// Creates a token whose age is in a column.
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random bits.
    pub fn new() -> Self {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
        Self(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Creates a token that contains its date, for tables without a column for it: see [`date_of`]. The hash covers the
    /// date too.
    pub fn dated(now: NaiveDateTime) -> Self {
        Self(format!("{}-{}", now.and_utc().timestamp(), Self::new().0))
    }

    /// Returns the text for the link: a secret.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Returns the form that the database keeps.
    pub fn stored(&self) -> String {
        hashed(&self.0)
    }
}

impl Default for MailedToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MailedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MailedToken").finish_non_exhaustive()
    }
}

/// Returns the forms in which a given token may be stored: hashed, and as the original did. None if the text is no
/// token; in particular the stored form of a token is not accepted as one.
pub fn stored_forms(given: &str) -> Option<[String; 2]> {
    let is_token = !given.is_empty() && !given.starts_with(HASHED) && given.len() <= 255 && !given.contains('\0');
    is_token.then(|| [hashed(given), given.to_owned()])
}

/// Returns true if a stored form is a hash, and the token was made here.
pub fn is_hashed(stored: &str) -> bool {
    stored.starts_with(HASHED)
}

/// Returns the creation time of a dated token.
pub fn date_of(given: &str) -> Option<NaiveDateTime> {
    let (seconds, _) = given.split_once('-')?;
    Some(DateTime::from_timestamp(seconds.parse().ok()?, 0)?.naive_utc())
}

/// Returns true if a token that was sent at this time is still valid.
pub fn is_fresh(sent_at: Option<NaiveDateTime>, lifetime: TimeDelta, now: NaiveDateTime) -> bool {
    sent_at.and_then(|sent_at| sent_at.checked_add_signed(lifetime)).is_some_and(|end| now < end)
}

fn hashed(token: &str) -> String {
    let hex: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{HASHED}{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_finds_a_token_and_is_none() {
        let token = MailedToken::new();
        assert_eq!(token.text().len(), 43);
        let [hashed, plain] = stored_forms(token.text()).unwrap();
        assert_eq!((hashed.as_str(), plain.as_str()), (token.stored().as_str(), token.text()));
        assert!(is_hashed(&hashed) && !is_hashed(&plain));
        assert_eq!(stored_forms(&token.stored()), None);
        assert_ne!(MailedToken::new().text(), token.text());
        assert!(!format!("{token:?}").contains(token.text()));
    }

    #[test]
    fn tokens_of_the_original_are_looked_for_as_they_are() {
        assert_eq!(stored_forms("c0nf1rm-9d1f0a7e5b7a4c43").unwrap()[1], "c0nf1rm-9d1f0a7e5b7a4c43");
        for bad in ["", "sha256$", "a\0", &"x".repeat(256)] {
            assert_eq!(stored_forms(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_dated_token_tells_its_age() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap().naive_utc();
        assert_eq!(date_of(MailedToken::dated(now).text()), Some(now));
        for bad in ["", "-", "x-y", "99999999999999999999-a", "9223372036854775807-a", "12"] {
            assert_eq!(date_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn links_stay_fresh_for_their_lifetime() {
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap().naive_utc();
        assert!(is_fresh(Some(at(0)), UNLOCK_LIFETIME, at(299)));
        assert!(!is_fresh(Some(at(0)), UNLOCK_LIFETIME, at(300)));
        assert!(!is_fresh(None, RESET_LIFETIME, at(0)));
        assert!(!is_fresh(Some(NaiveDateTime::MAX), CONFIRMATION_LIFETIME, at(0)));
    }
}
