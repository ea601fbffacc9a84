//! A message that the next page shows once. It is in a signed cookie, since it need not be stored longer.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::{
    auth::Signer,
    http::{Cookie, Request},
};

/// The cookie's name.
pub(super) const FLASH_COOKIE: &str = "pusher_lite_flash";

/// Time for which the message waits for the next page.
const LIFETIME: Duration = Duration::from_secs(60);
/// The purpose of the signature: no other site can make a page show a message.
const PURPOSE: &str = "flash";

/// A message of one sentence or two.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::web) struct Flash {
    kind: Kind,
    message: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Notice,
    Error,
}

impl Flash {
    /// Creates a message about a success.
    pub(in crate::web) fn notice(message: impl Into<String>) -> Self {
        Self { kind: Kind::Notice, message: message.into() }
    }

    /// Creates a message about a failure.
    pub(in crate::web) fn error(message: impl Into<String>) -> Self {
        Self { kind: Kind::Error, message: message.into() }
    }

    pub(super) fn of(signer: &Signer, request: &Request) -> Option<Self> {
        let encoded = signer.verify(PURPOSE, request.cookie(FLASH_COOKIE)?)?;
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
    }

    pub(super) fn to_cookie(&self, signer: &Signer, secure: bool) -> Cookie {
        let json = serde_json::to_vec(self).expect("two texts can be written as JSON");
        let signed = signer.sign(PURPOSE, &BASE64_URL_SAFE_NO_PAD.encode(json));
        Cookie::new(FLASH_COOKIE, signed, secure).lasting(LIFETIME)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_with_the_cookie_of_this_server_only() {
        let (signer, other) = (Signer::new("a secret"), Signer::new("another"));
        let header = Flash::notice("Grüße, \"du\"; <b>").to_cookie(&signer, false);
        let set = crate::http::Response::no_content().cookie(&header);
        let set = set.headers()["set-cookie"].to_str().unwrap();
        let request = Request::test("GET", "/", &[("cookie", set.split(';').next().unwrap())]);
        let flash = Flash::of(&signer, &request).unwrap();
        assert_eq!(serde_json::to_value(&flash).unwrap()["kind"], "notice");
        assert_eq!(flash.message, "Grüße, \"du\"; <b>");
        assert!(Flash::of(&other, &request).is_none());
    }
}
