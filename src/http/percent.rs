//! Strict percent-decoding: a malformed escape is an error, where the URL standard would let it pass.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::Error;

/// Decodes one segment of a path. `+` stays `+`; NUL is refused, since no database column can hold it.
pub(super) fn decode_segment(text: &str) -> Result<String, Error> {
    let decoded = decode(text, "path")?;
    if decoded.contains('\0') {
        return Err(Error::bad_request("the path contains a NUL character"));
    }
    Ok(decoded.into_owned())
}

/// Decodes one name or value of a query or form, where `+` is a space.
pub(super) fn decode_form(text: &str) -> Result<String, Error> {
    if text.contains('+') {
        return decode(&text.replace('+', " "), "query or form").map(Cow::into_owned);
    }
    decode(text, "query or form").map(Cow::into_owned)
}

fn decode<'a>(text: &'a str, place: &str) -> Result<Cow<'a, str>, Error> {
    // Most texts have no escape, and JWTs are long.
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    if !escapes_are_complete(text.as_bytes()) {
        return Err(Error::bad_request(format!("a % in the {place} is not followed by two hexadecimal digits")));
    }
    percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| Error::bad_request(format!("the {place} is not UTF-8 once its escapes are decoded")))
}

fn escapes_are_complete(bytes: &[u8]) -> bool {
    bytes
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'%')
        .all(|(at, _)| bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_segments_and_forms() {
        assert_eq!(decode_segment("a%2Fb+c%20%E2%98%83").unwrap(), "a/b+c \u{2603}");
        assert_eq!(decode_form("a+b%2B").unwrap(), "a b+");
    }

    #[test]
    fn refuses_what_is_no_escape() {
        for bad in ["%", "a%z", "%zz", "%f", "%ff", "%C3", "%+1"] {
            assert!(decode_segment(bad).is_err(), "{bad}");
            assert!(decode_form(bad).is_err(), "{bad}");
        }
        assert!(decode_segment("a%00").is_err());
    }
}
