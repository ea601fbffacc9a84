//! Browsers that signed in to an account before. Strangers who guess the account's password do not lock them out.
//!
//! The cookie is not a login. It lasts longer than any session, and identifies accounts by tags that only this server
//! can compute.

use std::time::Duration;

use super::browser_session::new_id;
use crate::{
    auth::Signer,
    http::{Cookie, Request},
};

/// The cookie's name.
const COOKIE: &str = "pusher_lite_known";
/// Lifetime of the cookie, the longest that browsers allow: 400 days.
const MAX_AGE: Duration = Duration::from_secs(400 * 24 * 3600);
/// Maximum number of accounts that a browser is known by; the account that signed in longest ago is forgotten first.
const MAX_ACCOUNTS: usize = 5;

/// The purposes of signatures.
const SIGNED: &str = "known browser";
const ACCOUNT: &str = "known browser: account";

/// Contents of a browser's cookie.
#[derive(Debug, Default)]
pub(super) struct KnownBrowser {
    /// None for a browser without any sign-in.
    id: Option<String>,
    /// Tags of the accounts, the first one first.
    accounts: Vec<String>,
}

impl KnownBrowser {
    /// Reads the cookie, if this server signed it.
    pub(super) fn of(signer: &Signer, request: &Request) -> Self {
        let text = request.cookie(COOKIE).and_then(|cookie| signer.verify(SIGNED, cookie));
        let mut parts = text.into_iter().flat_map(|text| text.split('.')).map(str::to_owned);
        Self { id: parts.next(), accounts: parts.take(MAX_ACCOUNTS).collect() }
    }

    /// Returns the id of the browser, if the account with this address was signed in here; without an address, if any
    /// was.
    pub(super) fn id_for(&self, signer: &Signer, email: Option<&str>) -> Option<&str> {
        let is_known = email.is_none_or(|email| self.accounts.contains(&tag(signer, email)));
        self.id.as_deref().filter(|_| is_known)
    }

    /// Returns the cookie with one account more.
    pub(super) fn with(&self, signer: &Signer, email: &str, secure: bool) -> Cookie {
        let (tag, id) = (tag(signer, email), self.id.clone().unwrap_or_else(new_id));
        let mut accounts: Vec<&str> = self.accounts.iter().map(String::as_str).filter(|other| *other != tag).collect();
        accounts.push(&tag);
        let newest = &accounts[accounts.len().saturating_sub(MAX_ACCOUNTS)..];
        let text = format!("{id}.{}", newest.join("."));
        Cookie::new(COOKIE, signer.sign(SIGNED, &text), secure).lasting(MAX_AGE)
    }
}

/// Returns the tag of an account, ignoring the case of its address.
fn tag(signer: &Signer, email: &str) -> String {
    signer.signature(ACCOUNT, &email.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Response;

    fn signer() -> Signer {
        Signer::new("thirty-two characters, if not more")
    }

    fn browser(cookie: Option<&Cookie>) -> KnownBrowser {
        let answer = cookie.into_iter().fold(Response::no_content(), Response::cookie);
        let set = answer.headers().get("set-cookie").map_or("", |cookie| cookie.to_str().unwrap());
        let sent = set.split(';').next().unwrap();
        KnownBrowser::of(&signer(), &Request::test("GET", "/", &[("cookie", sent)]))
    }

    #[test]
    fn a_browser_knows_the_accounts_that_were_signed_in_last() {
        let signer = signer();
        assert_eq!(browser(None).id_for(&signer, None), None);
        let mut cookie = browser(None).with(&signer, "ann@example.com", true);
        let id = browser(Some(&cookie)).id_for(&signer, Some(" Ann@example.com")).unwrap().to_owned();
        assert_eq!(browser(Some(&cookie)).id_for(&signer, Some("bob@example.com")), None);
        for number in 1..MAX_ACCOUNTS {
            cookie = browser(Some(&cookie)).with(&signer, &format!("{number}@example.com"), true);
        }
        cookie = browser(Some(&cookie)).with(&signer, "ann@example.com", true);
        let known = |email| browser(Some(&cookie)).id_for(&signer, email).map(str::to_owned);
        assert_eq!(known(Some("1@example.com")).as_ref(), Some(&id));
        assert_eq!(known(None), Some(id));
        cookie = browser(Some(&cookie)).with(&signer, "one-more@example.com", true);
        let known = |email| browser(Some(&cookie)).id_for(&signer, Some(email)).is_some();
        assert_eq!(["1@example.com", "2@example.com", "ann@example.com"].map(known), [false, true, true]);
    }

    #[test]
    fn nobody_else_can_write_the_cookie() {
        let other = Signer::new("another secret of at least 32 characters");
        let forged = browser(None).with(&other, "ann@example.com", true);
        assert_eq!(browser(Some(&forged)).id_for(&signer(), None), None);
    }
}
