//! Version 2: arrays. Used by phoenix.js from 1.3 on. Its binary frames are in `binary`.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    message::{Message, Name, Outgoing},
    payload::Payload,
};
use crate::DecodeError;

const PRESCRIBED: &str = "an array of join_ref, ref, topic, event and payload";

/// Reads `[join_ref, ref, topic, event, payload]`. Each element may have any JSON value, and additional elements are
/// ignored.
pub(crate) fn decode(text: &str) -> Result<Message<'_>, DecodeError> {
    let Elements([join_ref, r#ref, topic, event, payload]) =
        serde_json::from_str(text).map_err(|error| DecodeError::from_json(&error, PRESCRIBED))?;
    Ok(Message {
        join_ref: Cow::Borrowed(join_ref.get()),
        r#ref: Cow::Borrowed(r#ref.get()),
        topic: Name::from_json(topic)?,
        event: Name::from_json(event)?,
        payload: Payload::of_checked(payload),
    })
}

/// Bytes of two brackets and four commas.
const PUNCTUATION: usize = 6;

pub(crate) fn encoded_len(message: &Outgoing<'_>) -> usize {
    PUNCTUATION + elements(message).iter().map(|element| element.len()).sum::<usize>()
}

/// Returns the offset of the payload, which is the last element.
pub(crate) fn payload_at(message: &Outgoing<'_>) -> usize {
    encoded_len(message) - message.payload.len() - 1
}

pub(crate) fn encode(message: &Outgoing<'_>, buffer: &mut Vec<u8>) {
    let mut separator = b'[';
    for element in elements(message) {
        buffer.push(separator);
        buffer.extend_from_slice(element.as_bytes());
        separator = b',';
    }
    buffer.push(b']');
}

fn elements<'a>(message: &Outgoing<'a>) -> [&'a str; 5] {
    [message.join_ref, message.r#ref, message.topic, message.event, message.payload]
}

struct Elements<'a>([&'a RawValue; 5]);

impl<'de: 'a, 'a> Deserialize<'de> for Elements<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementsVisitor;

        impl<'de> Visitor<'de> for ElementsVisitor {
            type Value = Elements<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(PRESCRIBED)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Elements<'de>, A::Error> {
                let mut next =
                    |index| seq.next_element::<&'de RawValue>()?.ok_or_else(|| A::Error::invalid_length(index, &self));
                let elements = [next(0)?, next(1)?, next(2)?, next(3)?, next(4)?];
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Elements(elements))
            }
        }

        deserializer.deserialize_seq(ElementsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{Outgoing, Vsn, quote};

    #[test]
    fn reads_a_message() {
        let message = Vsn::V2.decode_text(r#" ["1", 2 ,"lobby:k:☃","e", {"z" : -0} ] "#).unwrap();
        assert_eq!(message.join_ref, r#""1""#);
        assert_eq!(message.r#ref, "2");
        assert_eq!(message.topic.text.as_deref(), Some("lobby:k:☃"));
        assert_eq!(message.event.text.as_deref(), Some("e"));
        assert_eq!(message.payload.json(), Some(r#"{"z" : -0}"#));
    }

    #[test]
    fn ignores_more_than_five_elements() {
        assert!(Vsn::V2.decode_text(r#"[null,"5","phoenix","heartbeat",{},"more",[[{}]]]"#).is_ok());
        assert!(Vsn::V2.decode_text(r#"[null,"5","phoenix","heartbeat",{},oops]"#).is_err());
    }

    #[test]
    fn refuses_what_is_no_message() {
        for text in [
            "",
            "hello",
            "1",
            r#""x""#,
            "{}",
            "[]",
            r#"["1","1","phoenix"]"#,
            r#"[null,"5","phoenix","heartbeat"]"#,
            r#"[null,"5","phoenix","heartbeat",{}"#,
            r#"[null,"5","phoenix","heartbeat",{}][]"#,
            r#"[null,"5","phoenix","heartbeat",{"a":"\udead"}]"#,
            r#"{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}"#,
        ] {
            assert!(Vsn::V2.decode_text(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_no_matter() {
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        let text = format!(r#"[1,2,{deep},{deep},{deep},{deep}]"#);
        assert_eq!(Vsn::V2.decode_text(&text).unwrap().payload.json(), Some(deep.as_str()));
    }

    #[test]
    fn writes_a_message() {
        let mut buffer = Vec::new();
        Vsn::V2.encode(&Outgoing::reply("3", r#""4""#, r#""t""#, crate::phoenix::reply::UNMATCHED_TOPIC), &mut buffer);
        let expected = r#"[3,"4","t","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#;
        assert_eq!(std::str::from_utf8(&buffer).unwrap(), expected);
    }

    proptest! {
        #[test]
        fn decodes_what_it_encodes(join_ref in any::<i64>(), topic in ".*", event in ".*", text in ".*") {
            let (topic, event, join_ref) = (quote(&topic), quote(&event), join_ref.to_string());
            let payload = quote(&text);
            let message = Outgoing { join_ref: &join_ref, r#ref: "null", topic: &topic, event: &event, payload: &payload };
            let mut buffer = Vec::new();
            Vsn::V2.encode(&message, &mut buffer);
            prop_assert_eq!(buffer.len(), Vsn::V2.encoded_len(&message));

            let decoded = Vsn::V2.decode_text(std::str::from_utf8(&buffer).unwrap()).unwrap();
            prop_assert_eq!(&decoded.join_ref, &join_ref);
            prop_assert_eq!(&decoded.topic.json, &topic);
            prop_assert_eq!(&decoded.event.json, &event);
            prop_assert_eq!(decoded.payload.json(), Some(payload.as_str()));
        }

        #[test]
        fn never_panics(text in ".*") {
            let _ = Vsn::V2.decode_text(&text);
        }
    }
}
