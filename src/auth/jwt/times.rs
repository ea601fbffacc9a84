//! Claims about time: `exp`, `nbf` and `iat`.

use serde_json::{Map, Value};

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

    pub(super) fn include(&self, now: i64) -> bool {
        // Exact: seconds since 1970 need 31 of 53 bits.
        let now = now as f64;
        self.expiry.is_none_or(|expiry| expiry >= now)
            && self.beginning.is_none_or(|beginning| beginning <= now)
            && self.issued.is_none_or(|issued| issued <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_that_is_null_is_not_there() {
        let claims = ["exp", "nbf", "iat"].map(|name| (name.to_owned(), Value::Null)).into_iter().collect();
        assert!(Times::of(&claims).include(1_795_390_000));
    }
}
