//! Version 1: objects. Used by phoenix.js 1.2 and by every client that sends no `vsn`.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize,
    de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{
    message::{Message, NULL, Name, Outgoing},
    payload::Payload,
};
use crate::DecodeError;

const PRESCRIBED: &str = "an object with topic, event, payload and ref";

/// Reads an object with the keys `topic`, `event`, `payload` and `ref`, in any order. All four must be present, with
/// any value. Of a repeated key the first counts, as in the original; other keys are ignored.
pub(crate) fn decode(text: &str) -> Result<Message<'_>, DecodeError> {
    let fields: Fields<'_> = serde_json::from_str(text).map_err(|error| DecodeError::from_json(&error, PRESCRIBED))?;
    Ok(Message {
        join_ref: Cow::Borrowed(NULL),
        r#ref: Cow::Borrowed(fields.r#ref.get()),
        topic: Name::from_json(fields.topic)?,
        event: Name::from_json(fields.event)?,
        payload: Payload::of_checked(fields.payload),
    })
}

const PIECES: [&str; 5] = [r#"{"topic":"#, r#","ref":"#, r#","payload":"#, r#","event":"#, "}"];

pub(crate) fn encoded_len(message: &Outgoing<'_>) -> usize {
    let pieces: usize = PIECES.iter().map(|piece| piece.len()).sum();
    pieces + message.topic.len() + message.r#ref.len() + message.payload.len() + message.event.len()
}

/// Returns the offset of the payload.
pub(crate) fn payload_at(message: &Outgoing<'_>) -> usize {
    let pieces: usize = PIECES[..3].iter().map(|piece| piece.len()).sum();
    pieces + message.topic.len() + message.r#ref.len()
}

pub(crate) fn encode(message: &Outgoing<'_>, buffer: &mut Vec<u8>) {
    let values = [message.topic, message.r#ref, message.payload, message.event, ""];
    for (piece, value) in PIECES.iter().zip(values) {
        buffer.extend_from_slice(piece.as_bytes());
        buffer.extend_from_slice(value.as_bytes());
    }
}

struct Fields<'a> {
    topic: &'a RawValue,
    event: &'a RawValue,
    payload: &'a RawValue,
    r#ref: &'a RawValue,
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Key {
    Topic,
    Event,
    Payload,
    Ref,
    #[serde(other)]
    Other,
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(PRESCRIBED)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let (mut topic, mut event, mut payload, mut r#ref) = (None, None, None, None);
                while let Some(key) = map.next_key()? {
                    let field = match key {
                        Key::Topic => &mut topic,
                        Key::Event => &mut event,
                        Key::Payload => &mut payload,
                        Key::Ref => &mut r#ref,
                        Key::Other => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    let value: &'de RawValue = map.next_value()?;
                    field.get_or_insert(value);
                }
                Ok(Fields {
                    topic: topic.ok_or_else(|| A::Error::missing_field("topic"))?,
                    event: event.ok_or_else(|| A::Error::missing_field("event"))?,
                    payload: payload.ok_or_else(|| A::Error::missing_field("payload"))?,
                    r#ref: r#ref.ok_or_else(|| A::Error::missing_field("ref"))?,
                })
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Name, Outgoing, Vsn, quote};

    #[test]
    fn reads_a_message() {
        let message =
            Vsn::V1.decode_text(r#" {"topic":"lobby:k:t","event":"e\u00e9","payload":{"z":1e3},"ref":"7"} "#).unwrap();
        assert_eq!(message.join_ref, "null");
        assert_eq!(message.r#ref, r#""7""#);
        assert_eq!(message.topic, Name { json: r#""lobby:k:t""#.into(), text: Some("lobby:k:t".into()) });
        assert_eq!(message.event.json, r#""e\u00e9""#);
        assert_eq!(message.event.text.as_deref(), Some("eé"));
        assert_eq!(message.payload.json(), Some(r#"{"z":1e3}"#));
        assert_eq!(Vsn::V1.decode_binary(br#"{"topic":1,"event":2,"payload":3,"ref":4}"#).unwrap().r#ref, "4");
    }

    #[test]
    fn null_is_a_value_and_the_order_is_free() {
        let message = Vsn::V1.decode_text(r#"{"ref":null,"x":[{}],"payload":null,"event":null,"topic":null}"#).unwrap();
        assert_eq!(message.r#ref, "null");
        assert_eq!(message.topic.text, None);
        assert_eq!(message.event.text, None);
        assert_eq!(message.payload.json(), Some("null"));
    }

    #[test]
    fn of_a_repeated_key_the_first_counts() {
        let message = Vsn::V1.decode_text(r#"{"topic":"t","event":"e","payload":{},"ref":"2","ref":"3"}"#).unwrap();
        assert_eq!(message.r#ref, r#""2""#);
        let message = Vsn::V1.decode_text(r#"{"topic":"t","event":"e","payload":{"a":1,"a":2},"ref":1}"#).unwrap();
        assert_eq!(message.payload.json(), Some(r#"{"a":1,"a":2}"#));
    }

    #[test]
    fn refuses_what_is_no_message() {
        for text in [
            "",
            "hello",
            "{}",
            "[]",
            r#""x""#,
            r#"["1","1","t","e",{}]"#,
            r#"{"topic":"t","event":"e","payload":{}}"#,
            r#"{"topic":"t","event":"e","ref":"1"}"#,
            r#"{"topic":"t","payload":{},"ref":"1"}"#,
            r#"{"event":"e","payload":{},"ref":"1"}"#,
            r#"{"topic":"t","event":"e","payload":{},"ref":"1"}{}"#,
            "\u{feff}{\"topic\":\"t\",\"event\":\"e\",\"payload\":{},\"ref\":\"1\"}",
            r#"{"topic":"t","event":"e","payload":{"a":"\ud800"},"ref":"1"}"#,
            r#"{"topic":"t","event":"e","payload":{a:1},"ref":"1"}"#,
            r#"{"topic":"t","event":"e","payload":01,"ref":"1"}"#,
            "{\"topic\":\"t\",\"event\":\"e\",\"payload\":\"\n\",\"ref\":\"1\"}",
        ] {
            assert!(Vsn::V1.decode_text(text).is_err(), "{text}");
        }
        assert!(Vsn::V1.decode_binary(b"\x00\x01\x02\xff").is_err());
    }

    #[test]
    fn control_characters_can_be_mended() {
        let text = "{\"topic\":\"t\",\"event\":\"e\t\",\n\"payload\":{\"a\":\"b\nc\"},\"ref\":\"1\"}";
        let mended = Vsn::V1.mend_text(text).unwrap();
        let message = Vsn::V1.decode_text(&mended).unwrap();
        assert_eq!(message.event.text.as_deref(), Some("e\t"));
        assert_eq!(message.payload.json(), Some(r#"{"a":"b\u000ac"}"#));
        assert_eq!(Vsn::V1.mend_text(&mended), None);
        assert_eq!(Vsn::V2.mend_text("[null,null,\"t\",\"e\",\"\n\"]"), None);
    }

    #[test]
    fn depth_is_no_matter() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let text = format!(r#"{{"x":{deep},"topic":{deep},"event":"e","payload":{deep},"ref":1}}"#);
        assert_eq!(Vsn::V1.decode_text(&text).unwrap().payload.json(), Some(deep.as_str()));
    }

    #[test]
    fn writes_a_message() {
        let message = Outgoing::close(r#""7""#, r#""t""#);
        let mut buffer = Vec::new();
        Vsn::V1.encode(&message, &mut buffer);
        assert_eq!(buffer, br#"{"topic":"t","ref":"7","payload":{},"event":"phx_close"}"#);
    }

    proptest! {
        #[test]
        fn decodes_what_it_encodes(topic in ".*", event in ".*", r#ref in any::<i64>(), text in ".*") {
            let (topic, event, r#ref) = (quote(&topic), quote(&event), r#ref.to_string());
            let payload = format!(r#"{{"a":{}}}"#, quote(&text));
            let message = Outgoing { join_ref: "null", r#ref: &r#ref, topic: &topic, event: &event, payload: &payload };
            let mut buffer = Vec::new();
            Vsn::V1.encode(&message, &mut buffer);
            prop_assert_eq!(buffer.len(), Vsn::V1.encoded_len(&message));

            let decoded = Vsn::V1.decode_binary(&buffer).unwrap();
            prop_assert_eq!(&decoded.r#ref, &r#ref);
            prop_assert_eq!(&decoded.topic.json, &topic);
            prop_assert_eq!(&decoded.event.json, &event);
            prop_assert_eq!(decoded.payload.json(), Some(payload.as_str()));
        }

        #[test]
        fn never_panics(text in ".*", bytes in any::<Vec<u8>>()) {
            let _ = Vsn::V1.decode_text(&text);
            let _ = Vsn::V1.decode_binary(&bytes);
        }
    }
}
