//! Cookies of this server's own pages: no script reads them, and no other site's form or frame sends them along.

use std::{borrow::Cow, time::Duration};

use hyper::header::HeaderValue;

/// A cookie to set: for the whole server, `HttpOnly`, `SameSite=Lax`.
#[derive(Debug)]
pub struct Cookie {
    name: &'static str,
    value: String,
    max_age: Option<Duration>,
    secure: bool,
}

impl Cookie {
    /// Creates a cookie that lasts as long as the browser runs. With `secure` it is sent over TLS only.
    ///
    /// # Panics
    ///
    /// Panics if it is set, for a value that may not stand in a cookie: anything but base64url, `.` and the like.
    pub fn new(name: &'static str, value: impl Into<String>, secure: bool) -> Self {
        Self { name, value: value.into(), max_age: None, secure }
    }

    /// Creates a cookie that removes the one of this name.
    pub fn removal(name: &'static str, secure: bool) -> Self {
        Self::new(name, "", secure).lasting(Duration::ZERO)
    }

    /// Makes the cookie last for this long, even when the browser is closed meanwhile.
    #[must_use]
    pub fn lasting(mut self, max_age: Duration) -> Self {
        self.max_age = Some(max_age);
        self
    }

    pub(super) fn to_header(&self) -> HeaderValue {
        let mut cookie = cookie::Cookie::build((self.name, Cow::Borrowed(self.value.as_str())))
            .path("/")
            .http_only(true)
            .secure(self.secure)
            .same_site(cookie::SameSite::Lax);
        if let Some(max_age) = self.max_age {
            let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
            cookie = cookie.max_age(cookie::time::Duration::seconds(seconds));
        }
        let text = cookie.build().to_string();
        HeaderValue::try_from(text).expect("the values of our cookies are visible ASCII")
    }
}

/// Returns the cookies of one `Cookie` header. Malformed ones are skipped.
pub(super) fn pairs(header: &str) -> impl Iterator<Item = (&str, &str)> {
    cookie::Cookie::split_parse(header).filter_map(|cookie| {
        let cookie = cookie.ok()?;
        Some((cookie.name_raw()?, cookie.value_raw()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_kept_from_scripts_and_other_sites() {
        let cookie = Cookie::new("name", "a.b-c_d", false);
        assert_eq!(cookie.to_header(), "name=a.b-c_d; HttpOnly; SameSite=Lax; Path=/");
        let cookie = Cookie::new("name", "v", true).lasting(Duration::from_secs(60));
        assert_eq!(cookie.to_header(), "name=v; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60");
        let removal = Cookie::removal("name", false).to_header();
        assert!(removal.to_str().unwrap().contains("Max-Age=0"));
    }
}
