//! The payloads of `presence_state` and `presence_diff`: users, and for each of them one meta per joined socket.
//!
//! ```json
//! {"alice":{"metas":[{"phx_ref":"AAAAAAAAAAE","online_at":1795389373624}]}}
//! ```

use std::fmt;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// One joined socket of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    /// Tells this meta from every other; clients match the metas of a leave by it.
    pub phx_ref: PhxRef,
    /// When it joined, in milliseconds since 1970.
    pub online_at: u64,
}

/// A number that is written as a short string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PhxRef(pub u64);

impl fmt::Display for PhxRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 11];
        let len = URL_SAFE_NO_PAD
            .encode_slice(self.0.to_be_bytes(), &mut text)
            .expect("eight bytes are eleven digits in base64");
        formatter.write_str(std::str::from_utf8(&text[..len]).expect("base64 is ASCII"))
    }
}

/// Some users, each with some metas. A user without metas is not to be among them.
pub trait Users<'a, M>: IntoIterator<Item = (&'a str, M)> {}

impl<'a, M, U: IntoIterator<Item = (&'a str, M)>> Users<'a, M> for U {}

/// The payload of `presence_state`, which is also what REST calls `presence_list`.
pub fn state<'a, M: IntoIterator<Item = Meta>>(users: impl Users<'a, M>) -> String {
    let mut buffer = Vec::new();
    write_users(&mut buffer, users);
    into_string(buffer)
}

/// The payload of `presence_diff`. Clients apply the joins first.
pub fn diff<'a, M: IntoIterator<Item = Meta>>(joins: impl Users<'a, M>, leaves: impl Users<'a, M>) -> String {
    let mut buffer = Vec::with_capacity(128);
    buffer.extend_from_slice(br#"{"joins":"#);
    write_users(&mut buffer, joins);
    buffer.extend_from_slice(br#","leaves":"#);
    write_users(&mut buffer, leaves);
    buffer.push(b'}');
    into_string(buffer)
}

fn write_users<'a, M: IntoIterator<Item = Meta>>(buffer: &mut Vec<u8>, users: impl Users<'a, M>) {
    let mut separator = b'{';
    for (user, metas) in users {
        buffer.push(separator);
        separator = b',';
        serde_json::to_writer(&mut *buffer, user).expect("a string is always valid JSON");
        buffer.extend_from_slice(br#":{"metas":"#);
        write_metas(buffer, metas);
        buffer.push(b'}');
    }
    if separator == b'{' {
        buffer.push(b'{');
    }
    buffer.push(b'}');
}

fn write_metas(buffer: &mut Vec<u8>, metas: impl IntoIterator<Item = Meta>) {
    let mut separator = '[';
    for Meta { phx_ref, online_at } in metas {
        write!(buffer, r#"{separator}{{"phx_ref":"{phx_ref}","online_at":{online_at}}}"#)
            .expect("a vector takes every byte");
        separator = ',';
    }
    buffer.push(b']');
}

fn into_string(buffer: Vec<u8>) -> String {
    String::from_utf8(buffer).expect("JSON made of strings is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meta(number: u64) -> Meta {
        Meta { phx_ref: PhxRef(number), online_at: 1000 + number }
    }

    #[test]
    fn state_lists_the_metas_of_each_user() {
        assert_eq!(state::<[Meta; 0]>([]), "{}");
        assert_eq!(
            state([("al\"ice", vec![meta(1), meta(2)]), ("", vec![meta(3)])]),
            concat!(
                r#"{"al\"ice":{"metas":[{"phx_ref":"AAAAAAAAAAE","online_at":1001},"#,
                r#"{"phx_ref":"AAAAAAAAAAI","online_at":1002}]},"#,
                r#""":{"metas":[{"phx_ref":"AAAAAAAAAAM","online_at":1003}]}}"#
            )
        );
    }

    #[test]
    fn diffs_have_both_sides() {
        assert_eq!(
            diff([("bob", [meta(u64::MAX - 1000)])], []),
            r#"{"joins":{"bob":{"metas":[{"phx_ref":"__________c","online_at":18446744073709551615}]}},"leaves":{}}"#
                .replace("__________c", &PhxRef(u64::MAX - 1000).to_string())
        );
        assert_eq!(
            diff([("ann", [meta(2)])], [("bob", [meta(1)])]),
            concat!(
                r#"{"joins":{"ann":{"metas":[{"phx_ref":"AAAAAAAAAAI","online_at":1002}]}},"#,
                r#""leaves":{"bob":{"metas":[{"phx_ref":"AAAAAAAAAAE","online_at":1001}]}}}"#
            )
        );
    }
}
