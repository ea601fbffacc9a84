//! Claims about time: `exp`, `nbf` and `iat`.

use serde_json::{Map, Value};

use super::Invalid;

/// The times in a JWT, in seconds since 1970. A missing time or null is not checked.
///
/// A value that is not a number is later than every number, because Guardian compares by Erlang's order of terms: such
/// an `exp` has never passed, such an `nbf` or `iat` is never reached.
#[derive(Clone, Copy)]
pub(super) struct Times {
    expiry: Option<f64>,
    beginning: Option<f64>,
    issued: Option<f64>,
}

impl Times {
    pub(super) fn of(claims: &Map<String, Value>) -> Self {
        let seconds =
            |name| claims.get(name).filter(|time| !time.is_null()).map(|time| time.as_f64().unwrap_or(f64::INFINITY));
        Self { expiry: seconds("exp"), beginning: seconds("nbf"), issued: seconds("iat") }
    }

    pub(super) fn check(&self, now: i64) -> Result<(), Invalid> {
        // Exact: seconds since 1970 need 31 of 53 bits.
        let now = now as f64;
        if let Some(expiry) = self.expiry.filter(|expiry| *expiry < now) {
            return Err(Invalid::Expired(expiry as i64));
        }
        let is_later = |time: Option<f64>| time.is_some_and(|time| time > now);
        if is_later(self.beginning) || is_later(self.issued) { Err(Invalid::NotYet) } else { Ok(()) }
    }

    /// Returns the second that the JWT is valid until, if it expires.
    pub(super) fn expires_at(&self) -> Option<i64> {
        self.expiry.filter(|expiry| expiry.is_finite()).map(|expiry| expiry as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_is_null_is_not_there() {
        let claims = ["exp", "nbf", "iat"].map(|name| (name.to_owned(), Value::Null)).into_iter().collect();
        assert!(Times::of(&claims).check(1_795_390_000).is_ok());
    }
}
