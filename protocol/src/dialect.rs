//! The protocols that clients speak.

use crate::{
    Notice, TopicName, Vsn,
    phoenix::{self, notice::Written},
    presence::{Meta, Users},
};

/// The protocol of one client, with its version. Members of all dialects share topics and presence. A topic encodes each
/// of its notices once for each dialect that has members there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Phoenix channels.
    Phoenix(Vsn),
}

/// The kind of frame that carries a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// UTF-8.
    Text,
    /// Any bytes. Only members on a WebSocket can take them.
    Binary,
}

/// A notice in one dialect, not written yet.
#[derive(Debug)]
pub struct Encoding<'a>(Written<'a>);

impl Dialect {
    /// Number of dialects, for tables indexed by [`Dialect::index`].
    pub const COUNT: usize = 2;

    /// All dialects, in the order of their indices.
    pub const ALL: [Dialect; Dialect::COUNT] = [Dialect::Phoenix(Vsn::V1), Dialect::Phoenix(Vsn::V2)];

    /// Returns a number below [`Dialect::COUNT`].
    #[inline]
    pub fn index(self) -> usize {
        match self {
            Dialect::Phoenix(vsn) => vsn as usize,
        }
    }

    /// Returns the serializer version of a Phoenix client.
    pub fn vsn(self) -> Option<Vsn> {
        match self {
            Dialect::Phoenix(vsn) => Some(vsn),
        }
    }

    /// Encodes a notice of a topic. Returns `None` if the dialect has no form for it, so that its members do not get it.
    #[inline]
    pub fn encoding<'a>(self, topic: TopicName<'a>, notice: &Notice<'a>) -> Option<Encoding<'a>> {
        match self {
            Dialect::Phoenix(vsn) => phoenix::notice::encoding(vsn, topic, notice).map(Encoding),
        }
    }

    /// Writes the presence of a topic: the part of the message to a member that joins which is the same for all that join.
    pub fn write_presence<'a, M: IntoIterator<Item = &'a Meta>>(self, users: impl Users<'a, M>) -> String {
        match self {
            Dialect::Phoenix(_) => phoenix::presence::state(users),
        }
    }
}

impl From<Vsn> for Dialect {
    fn from(vsn: Vsn) -> Dialect {
        Dialect::Phoenix(vsn)
    }
}

impl Encoding<'_> {
    /// Returns the kind of frame that carries the message.
    #[inline]
    pub fn form(&self) -> Form {
        match self.0 {
            Written::Text { .. } => Form::Text,
            Written::Binary(_) => Form::Binary,
        }
    }

    /// Returns the number of bytes that [`Encoding::write`] will append.
    #[inline]
    pub fn written_len(&self) -> usize {
        self.0.len()
    }

    /// Appends the message.
    #[inline]
    pub fn write(&self, buffer: &mut Vec<u8>) {
        self.0.write(buffer);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use indexmap::IndexMap;
    use smallvec::smallvec;

    use super::*;
    use crate::{
        EventPayload, Payload, Spelling,
        presence::{Changes, Diff, MetaId},
    };

    fn topic(spelling: Spelling<'_>) -> TopicName<'_> {
        TopicName { app_key: "k", name: "a:\"☃", spelling }
    }

    fn written<'a>(dialect: Dialect, topic: TopicName<'a>, notice: &Notice<'a>) -> Option<(Form, Vec<u8>)> {
        let (encoding, mut buffer) = (dialect.encoding(topic, notice)?, b"before".to_vec());
        encoding.write(&mut buffer);
        let bytes = buffer.strip_prefix(b"before").unwrap().to_vec();
        assert_eq!(bytes.len(), encoding.written_len());
        Some((encoding.form(), bytes))
    }

    fn text(dialect: Dialect, topic: TopicName<'_>, notice: &Notice<'_>) -> String {
        let (form, bytes) = written(dialect, topic, notice).unwrap();
        assert_eq!(form, Form::Text);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn dialects_are_listed_in_the_order_of_their_indices() {
        assert_eq!(Dialect::ALL.map(Dialect::index), std::array::from_fn(|at| at));
    }

    #[test]
    fn an_event_is_written_in_each_dialect() {
        let payload = EventPayload::check(serde_json::from_str(r#"{"z" : 1}"#).unwrap()).unwrap();
        let notice = Notice::Event { event: r#""\u0065""#, payload };
        let [v1, v2] = Dialect::ALL.map(|dialect| text(dialect, topic(Spelling::Own), &notice));
        assert_eq!(v1, r#"{"topic":"lobby:k:a:\"☃","ref":null,"payload":{"z" : 1},"event":"\u0065"}"#);
        assert_eq!(v2, r#"[null,null,"lobby:k:a:\"☃","\u0065",{"z" : 1}]"#);
        let spelled = Spelling::Phoenix(r#""lobby:k:\u0061:\"☃""#);
        let [v1, v2] = Dialect::ALL.map(|dialect| text(dialect, topic(spelled), &notice));
        assert_eq!(v1, r#"{"topic":"lobby:k:\u0061:\"☃","ref":null,"payload":{"z" : 1},"event":"\u0065"}"#);
        assert_eq!(v2, r#"[null,null,"lobby:k:\u0061:\"☃","\u0065",{"z" : 1}]"#);
    }

    #[test]
    fn a_binary_push_has_no_form_in_the_first_version() {
        let push = b"\x00\x01\x01\x09\x0112lobby:k:teb\xff";
        let Payload::Binary(push) = Vsn::V2.decode_binary(push).unwrap().payload else { panic!("it is binary") };
        let [v1, v2] = Dialect::ALL.map(|dialect| written(dialect, topic(Spelling::Own), &Notice::Binary(push)));
        assert_eq!(v1, None);
        assert_eq!(v2, Some((Form::Binary, b"\x02\x09\x01lobby:k:teb\xff".to_vec())));
    }

    #[test]
    fn a_difference_in_presence_is_written_in_each_dialect() {
        let user = |name: &str, id| -> Changes {
            IndexMap::from([(Arc::from(name), smallvec![Meta { id: MetaId(id), online_at: 7, info: None }])])
        };
        let diff = Diff { joins: user("ann", 2), leaves: user("bob", 1) };
        let [v1, v2] = Dialect::ALL.map(|dialect| text(dialect, topic(Spelling::Own), &Notice::PresenceDiff(&diff)));
        let payload = concat!(
            r#"{"joins":{"ann":{"metas":[{"phx_ref":"AAAAAAAAAAI","online_at":7}]}},"#,
            r#""leaves":{"bob":{"metas":[{"phx_ref":"AAAAAAAAAAE","online_at":7}]}}}"#
        );
        assert_eq!(
            v1,
            format!(r#"{{"topic":"lobby:k:a:\"☃","ref":null,"payload":{payload},"event":"presence_diff"}}"#)
        );
        assert_eq!(v2, format!(r#"[null,null,"lobby:k:a:\"☃","presence_diff",{payload}]"#));
    }
}
