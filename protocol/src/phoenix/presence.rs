//! The payloads of `presence_state` and `presence_diff`: users, and for each of them one meta per joined socket.
//!
//! ```json
//! {"alice":{"metas":[{"phx_ref":"AAAAAAAAAAE","online_at":1795389373624}]}}
//! ```
//!
//! A meta with a description of its user has that as `info` behind the others.

use std::{fmt, io::Write};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::presence::{Changes, Diff, Meta, MetaId, Users};

/// The form of a [`MetaId`] on the wire.
struct PhxRef(MetaId);

impl fmt::Display for PhxRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 11];
        let len = URL_SAFE_NO_PAD
            .encode_slice(self.0.0.to_be_bytes(), &mut text)
            .expect("eight bytes are eleven digits in base64");
        formatter.write_str(std::str::from_utf8(&text[..len]).expect("base64 is ASCII"))
    }
}

/// Returns the payload of `presence_state`, which REST calls `presence_list`.
pub fn state<'a, M: IntoIterator<Item = &'a Meta>>(users: impl Users<'a, M>) -> String {
    let mut buffer = Vec::new();
    write_users(&mut buffer, users);
    into_string(buffer)
}

/// Returns the payload of `presence_diff`. Clients apply the joins first.
pub fn diff(diff: &Diff) -> String {
    let mut buffer = Vec::with_capacity(128);
    buffer.extend_from_slice(br#"{"joins":"#);
    write_users(&mut buffer, users(&diff.joins));
    buffer.extend_from_slice(br#","leaves":"#);
    write_users(&mut buffer, users(&diff.leaves));
    buffer.push(b'}');
    into_string(buffer)
}

fn write_users<'a, M: IntoIterator<Item = &'a Meta>>(buffer: &mut Vec<u8>, users: impl Users<'a, M>) {
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

fn users(changes: &Changes) -> impl Iterator<Item = (&str, impl Iterator<Item = &Meta>)> {
    changes.iter().map(|(user, metas)| (&**user, metas.iter()))
}

fn write_metas<'a>(buffer: &mut Vec<u8>, metas: impl IntoIterator<Item = &'a Meta>) {
    let mut separator = '[';
    for Meta { id, online_at, info } in metas {
        let phx_ref = PhxRef(*id);
        write!(buffer, r#"{separator}{{"phx_ref":"{phx_ref}","online_at":{online_at}"#)
            .expect("a vector takes every byte");
        if let Some(info) = info {
            buffer.extend_from_slice(br#","info":"#);
            buffer.extend_from_slice(info.as_str().as_bytes());
        }
        buffer.push(b'}');
        separator = ',';
    }
    buffer.push(b']');
}

fn into_string(buffer: Vec<u8>) -> String {
    String::from_utf8(buffer).expect("JSON made of strings is UTF-8")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::presence::MetaInfo;

    fn meta(number: u64) -> Meta {
        Meta { id: MetaId(number), online_at: 1000 + number, info: None }
    }

    fn changes<const N: usize>(users: [(&str, Meta); N]) -> Changes {
        users.into_iter().map(|(user, meta)| (Arc::from(user), [meta].into_iter().collect())).collect()
    }

    #[test]
    fn state_lists_the_metas_of_each_user() {
        assert_eq!(state::<&[Meta]>([]), "{}");
        assert_eq!(
            state([("al\"ice", &[meta(1), meta(2)][..]), ("", &[meta(3)])]),
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
            diff(&Diff { joins: changes([("bob", meta(u64::MAX - 1000))]), leaves: Changes::new() }),
            r#"{"joins":{"bob":{"metas":[{"phx_ref":"__________c","online_at":18446744073709551615}]}},"leaves":{}}"#
                .replace("__________c", &PhxRef(MetaId(u64::MAX - 1000)).to_string())
        );
        assert_eq!(
            diff(&Diff { joins: changes([("ann", meta(2))]), leaves: changes([("bob", meta(1))]) }),
            concat!(
                r#"{"joins":{"ann":{"metas":[{"phx_ref":"AAAAAAAAAAI","online_at":1002}]}},"#,
                r#""leaves":{"bob":{"metas":[{"phx_ref":"AAAAAAAAAAE","online_at":1001}]}}}"#
            )
        );
    }

    #[test]
    fn info_is_written_where_there_is_one() {
        let info = MetaInfo::check(serde_json::from_str(r#"{"name" : "\u00c4nn"}"#).unwrap()).unwrap();
        let described = Meta { info: Some(info), ..meta(1) };
        assert_eq!(
            state([("ann", &[described, meta(2)][..])]),
            concat!(
                r#"{"ann":{"metas":[{"phx_ref":"AAAAAAAAAAE","online_at":1001,"info":{"name" : "\u00c4nn"}},"#,
                r#"{"phx_ref":"AAAAAAAAAAI","online_at":1002}]}}"#
            )
        );
    }
}
