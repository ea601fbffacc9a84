//! The names of topics on the wire: `lobby:<app_key>:<name>`.

use pusher_lite_json_text::quote;

/// The beginning of every name.
pub const PREFIX: &str = "lobby:";

/// Returns the part behind [`PREFIX`], `<app_key>:<name>`. `None` for a name without the prefix, which is no topic of
/// an application.
pub fn unprefixed(wire: &str) -> Option<&str> {
    wire.strip_prefix(PREFIX)
}

/// Returns the key of the application and the topic's name in it, which is all behind the second colon, more colons
/// included. Either may be empty. `None` as for [`unprefixed`].
///
/// ```
/// use pusher_lite_protocol::phoenix::topic;
/// assert_eq!(topic::split("lobby:key:a:b"), Some(("key", "a:b")));
/// assert_eq!(topic::split("lobby:key"), Some(("key", "")));
/// assert_eq!(topic::split("phoenix"), None);
/// ```
pub fn split(wire: &str) -> Option<(&str, &str)> {
    let rest = unprefixed(wire)?;
    Some(rest.split_once(':').unwrap_or((rest, "")))
}

/// Returns the name of a topic on the wire, as JSON text.
pub fn quoted(app_key: &str, name: &str) -> String {
    // Two quotes and a colon.
    let mut json = String::with_capacity(PREFIX.len() + app_key.len() + name.len() + 3);
    json.push('"');
    json.push_str(PREFIX);
    push_escaped(app_key, &mut json);
    json.push(':');
    push_escaped(name, &mut json);
    json.push('"');
    json
}

/// Appends the inside of a JSON string.
fn push_escaped(text: &str, json: &mut String) {
    if text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\') {
        let quoted = quote(text);
        json.push_str(&quoted[1..quoted.len() - 1]);
    } else {
        json.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_all_behind_the_second_colon() {
        for (wire, expected) in [
            ("lobby:k:t", Some(("k", "t"))),
            ("lobby:k:a:b", Some(("k", "a:b"))),
            ("lobby:k::", Some(("k", ":"))),
            ("lobby:k:", Some(("k", ""))),
            ("lobby:k", Some(("k", ""))),
            ("lobby:", Some(("", ""))),
            ("lobby::a:b", Some(("", "a:b"))),
            ("lobby", None),
            ("Lobby:a:b", None),
            (" lobby:a:b", None),
            ("phoenix", None),
            ("", None),
        ] {
            assert_eq!(split(wire), expected, "{wire}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(app_key in "[^:]{0,20}", name in ".{0,20}") {
            let json = quoted(&app_key, &name);
            let wire: String = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(split(&wire), Some((app_key.as_str(), name.as_str())));
            prop_assert_eq!(json, quote(&wire));
        }
    }
}
