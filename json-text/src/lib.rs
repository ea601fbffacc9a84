//! JSON functions that `serde_json` does not provide, for the wire protocols and for the bodies of requests. The text
//! of a payload is passed on as it came, so that these look at text and not at values.

#![warn(missing_docs)]

/// A `\u` escape of half a surrogate pair; no client could make a string of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a lone surrogate is escaped")]
pub struct LoneSurrogate;

/// Formats a string as JSON text.
///
/// ```
/// assert_eq!(pusher_lite_json_text::quote("a\"b"), r#""a\"b""#);
/// ```
pub fn quote(text: &str) -> String {
    serde_json::to_string(text).expect("a string is always valid JSON")
}

/// Returns the content of a JSON string without escapes, which is the string itself. `None` for any other JSON.
pub fn unquoted(json: &str) -> Option<&str> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    (!inner.as_bytes().contains(&b'\\')).then_some(inner)
}

/// Returns JSON with the control characters in its strings escaped; `None` if there are none. The parser of the
/// original accepts them unescaped. All JSON that this server sends is nevertheless well-formed.
pub fn escape_controls(text: &str) -> Option<String> {
    let mut escaped = String::with_capacity(text.len() + 64);
    let (mut is_in_string, mut is_behind_backslash, mut found) = (false, false, false);
    for character in text.chars() {
        if is_in_string && !is_behind_backslash && character < ' ' {
            found = true;
            escaped.push_str(&format!("\\u{:04x}", u32::from(character)));
            continue;
        }
        escaped.push(character);
        is_in_string ^= character == '"' && !is_behind_backslash;
        is_behind_backslash = is_in_string && character == '\\' && !is_behind_backslash;
    }
    found.then_some(escaped)
}

/// Refuses text with a `\u` escape of half a surrogate pair. `serde_json` accepts those in values that it does not
/// decode. Neither the original nor Phoenix reads such a message, and some receivers would fail at it.
///
/// # Errors
///
/// [`LoneSurrogate`].
pub fn check_surrogates(text: &str) -> Result<(), LoneSurrogate> {
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let escape = &rest[at..];
        let used = match code_unit(escape) {
            Some(0xD800..=0xDBFF) => match escape.get(6..).and_then(code_unit) {
                Some(0xDC00..=0xDFFF) => 12,
                _ => return Err(LoneSurrogate),
            },
            Some(0xDC00..=0xDFFF) => return Err(LoneSurrogate),
            _ => 2,
        };
        rest = escape.get(used..).unwrap_or_default();
    }
    Ok(())
}

/// Returns the UTF-16 code unit of an escape like `\u00e9` at the beginning of the text.
fn code_unit(text: &[u8]) -> Option<u16> {
    let digits = text.strip_prefix(br"\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn surrogates_must_come_in_pairs() {
        for good in [
            "",
            r"\ud83d\ude42",
            r"\uD83D\uDE42x",
            r"\\ud800",
            r"a\n\u00e9",
            r"\",
            r"\u12",
            r"\ud7ff\ue000",
            r#""\\\\\u0041\n\"""#,
        ] {
            assert!(check_surrogates(good).is_ok(), "{good}");
        }
        for bad in
            [r"\ud800", r"\udc00", r"\ud800x\udc00", r"\ud800\ud800", r"\ud83d\u0041", r"\\\ud800", r"\ude42\ud83d"]
        {
            assert!(check_surrogates(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn control_characters_are_escaped_in_strings_only() {
        for (text, escaped) in [
            ("{\"a\nb\":\"\u{0}\u{1f}\t\"}", Some(r#"{"a\u000ab":"\u0000\u001f\u0009"}"#)),
            ("[\"\\\\\r\",\n\"\\\"\u{8}☃\"]", Some("[\"\\\\\\u000d\",\n\"\\\"\\u0008☃\"]")),
            ("{\n\t\"a\": \"\u{7f}\\n\"\r}", None),
            ("[\" \"]", None),
            ("[\"\\\n\"]", None),
            ("\u{0}", None),
            ("", None),
        ] {
            assert_eq!(escape_controls(text).as_deref(), escaped, "{text:?}");
        }
    }

    #[test]
    fn only_strings_without_escapes_are_taken_as_they_are() {
        assert_eq!(unquoted(r#""a☃""#), Some("a☃"));
        assert_eq!(unquoted(r#""""#), Some(""));
        assert_eq!(unquoted(r#""a\"""#), None);
        assert_eq!(unquoted("null"), None);
        assert_eq!(unquoted(r#"""#), None);
    }
}
