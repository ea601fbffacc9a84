//! The equivalent spellings of one JWT.

use std::borrow::Cow;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

/// Returns the spelling of a JWT that is verified and cached.
///
/// The library of the original also accepts payload and signature in the standard alphabet of base64, and with padding,
/// as some programs write them. The signed payload has no padding. Padding is accepted only if it fills the part to a
/// multiple of four characters: with a `=` too few or too many, the original answers 401.
pub(super) fn canonical(jwt: &str) -> Cow<'_, str> {
    // Bytes, which are looked at many at a time: characters are not.
    let is_standard = jwt.bytes().fold(false, |is_standard, byte| is_standard | matches!(byte, b'+' | b'/' | b'='));
    let Some((header, rest)) = jwt.split_once('.').filter(|_| is_standard) else {
        return Cow::Borrowed(jwt);
    };
    Cow::Owned(format!("{header}.{}", rest.split('.').map(bare).collect::<Vec<_>>().join(".")))
}

/// Returns a part in the alphabet for URLs, without its padding. Wrong padding stays, and is refused when the part is
/// decoded.
fn bare(part: &str) -> String {
    let bare = part.trim_end_matches('=');
    let is_padded = part.len() == bare.len().next_multiple_of(4);
    if is_padded { bare } else { part }.replace('+', "-").replace('/', "_")
}

/// Returns true if the header has the member `crit`, whatever its value: it lists extensions that the verifier must
/// understand, and this one supports none (RFC 7515, 4.1.11). An unreadable header counts as one that has it.
pub(super) fn has_critical_extensions(jwt: &str) -> bool {
    let header = jwt.split('.').next().unwrap_or_default();
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).ok();
    let header = header.and_then(|header| serde_json::from_slice::<Map<String, Value>>(&header).ok());
    header.is_none_or(|header| header.contains_key("crit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_and_signature_may_be_spelled_as_standard_base64() {
        for spelled in ["aaaa.b-_b.c-_", "aaaa.b+/b.c+/", "aaaa.b-_b.c-_=", "aaaa.b+/b.c+/="] {
            assert_eq!(canonical(spelled), "aaaa.b-_b.c-_", "{spelled}");
        }
        assert_eq!(canonical("aaaa.bb==.cc=="), "aaaa.bb.cc");
    }

    #[test]
    fn padding_that_does_not_fill_a_part_stays() {
        for spelled in [
            "aaaa.bb.cc=",
            "aaaa.bb.cc===",
            "aaaa.bb=.cc",
            "aaaa.bbb==.cc",
            "aaaa.bbbb=.cc",
            "aaaa.bbbb====.cc",
            "aaaa.bb.c=c",
            "aaaa.bb.=cc",
            "aaaa=.bb.cc",
            "aa==.bb.cc",
            "aaaa.bb.cc.=",
        ] {
            assert_eq!(canonical(spelled), spelled);
        }
    }

    #[test]
    fn any_critical_extension_is_one() {
        let jwt = |header: &str| format!("{}.e30.x", BASE64_URL_SAFE_NO_PAD.encode(header));
        for header in [r#"{"alg":"HS512"}"#, r#"{"alg":"HS512","typ":"JWT","kid":"crit"}"#] {
            assert!(!has_critical_extensions(&jwt(header)), "{header}");
        }
        for header in [
            r#"{"alg":"HS512","crit":["exp"]}"#,
            r#"{"alg":"HS512","crit":[]}"#,
            r#"{"alg":"HS512","crit":null}"#,
            r#"{"alg":"HS512","crit":["exp"],"crit":null}"#,
            r#"{"alg":"HS512","\u0063rit":["exp"]}"#,
            "[]",
            "no JSON",
        ] {
            assert!(has_critical_extensions(&jwt(header)), "{header}");
        }
    }
}
