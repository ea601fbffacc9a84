//! Binary frames of version 2 that clients send: pushes.
//!
//! Lengths are single bytes, so that no name is longer than 255 bytes. The server itself sends only JSON, and replies
//! to binary pushes are text: so the binary forms of push and reply from server to client are missing here.

use std::borrow::Cow;

use pusher_lite_json_text::quote;

use super::{
    message::{Message, Name},
    payload::{BinaryPush, Payload},
};
use crate::DecodeError;

/// Client to server: kind, the lengths of `join_ref`, `ref`, topic and event, then those and the data.
const PUSH: u8 = 0;
const PUSH_HEADER: usize = 5;

/// Reads a push. The topic must be UTF-8, since topics are compared with those of text frames. An event that is not
/// UTF-8 is not a string and so matches no name. The refs may hold any bytes, since they are only repeated to the
/// client itself.
pub(crate) fn decode(frame: &[u8]) -> Result<Message<'_>, DecodeError> {
    let &[kind, join_ref_len, ref_len, topic_len, event_len] =
        frame.first_chunk::<PUSH_HEADER>().ok_or(match frame.first() {
            Some(&kind) if kind != PUSH => DecodeError::Kind(kind),
            _ => DecodeError::Truncated,
        })?;
    if kind != PUSH {
        return Err(DecodeError::Kind(kind));
    }
    let (join_ref, rest) = split(&frame[PUSH_HEADER..], join_ref_len)?;
    let (r#ref, names_and_data) = split(rest, ref_len)?;
    let (topic, rest) = split(names_and_data, topic_len)?;
    let (event, _data) = split(rest, event_len)?;
    Ok(Message {
        join_ref: Cow::Owned(quote(&String::from_utf8_lossy(join_ref))),
        r#ref: Cow::Owned(quote(&String::from_utf8_lossy(r#ref))),
        topic: Name::from_text(Cow::Borrowed(std::str::from_utf8(topic)?)),
        event: Name::from_bytes(event),
        payload: Payload::Binary(BinaryPush { topic_len, event_len, names_and_data }),
    })
}

fn split(bytes: &[u8], at: u8) -> Result<(&[u8], &[u8]), DecodeError> {
    bytes.split_at_checked(usize::from(at)).ok_or(DecodeError::Truncated)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Vsn;

    fn push(join_ref: &[u8], r#ref: &[u8], topic: &[u8], event: &[u8], data: &[u8]) -> Vec<u8> {
        let length = |name: &[u8]| u8::try_from(name.len()).unwrap();
        let header = [PUSH, length(join_ref), length(r#ref), length(topic), length(event)];
        [&header, join_ref, r#ref, topic, event, data].concat()
    }

    fn broadcast(message: &Message<'_>) -> Vec<u8> {
        let Payload::Binary(push) = message.payload else { panic!("{message:?} is not binary") };
        let mut buffer = Vec::new();
        push.encode_broadcast(&mut buffer);
        assert_eq!(buffer.len(), push.broadcast_len());
        buffer
    }

    #[test]
    fn a_push_becomes_a_broadcast_without_refs() {
        let frame = b"\x00\x01\x02\x09\x0612".iter().chain(b"3lobby:k:tupload\x00\xff").copied().collect::<Vec<u8>>();
        let message = Vsn::V2.decode_binary(&frame).unwrap();
        assert_eq!(message.join_ref, r#""1""#);
        assert_eq!(message.r#ref, r#""23""#);
        assert_eq!(message.topic.text.as_deref(), Some("lobby:k:t"));
        assert_eq!(message.event.json, r#""upload""#);
        assert_eq!(broadcast(&message), b"\x02\x09\x06lobby:k:tupload\x00\xff");
    }

    #[test]
    fn names_may_be_empty_or_long() {
        let message_bytes = push(b"", b"", b"", b"", b"");
        let message = Vsn::V2.decode_binary(&message_bytes).unwrap();
        assert_eq!((message.join_ref.as_ref(), message.topic.text.as_deref()), (r#""""#, Some("")));
        let long = [b'x'; 255];
        let message_bytes = push(&long, &long, &long, &long, &[7; 1000]);
        assert_eq!(broadcast(&Vsn::V2.decode_binary(&message_bytes).unwrap()).len(), 3 + 255 + 255 + 1000);
    }

    #[test]
    fn an_event_that_is_not_utf8_is_no_string() {
        for event in [&b"\xff\xfe"[..], b"e\xed\xa0\x80"] {
            let frame = push(b"1", b"2", b"t", event, b"x");
            assert_eq!(Vsn::V2.decode_binary(&frame).unwrap().event.text, None);
        }
        assert!(Vsn::V2.decode_binary(&push(b"1", b"2", b"\xff", b"e", b"")).is_err());
    }

    #[test]
    fn refuses_other_kinds_and_frames_cut_short() {
        let whole = push(b"1", b"2", b"lobby:k:t", b"e", b"");
        for cut in 0..whole.len() {
            assert!(matches!(Vsn::V2.decode_binary(&whole[..cut]), Err(DecodeError::Truncated)), "{cut}");
        }
        for kind in [1, 2, 255] {
            let mut frame = whole.clone();
            frame[0] = kind;
            for frame in [&frame[..], &frame[..1]] {
                assert!(matches!(Vsn::V2.decode_binary(frame), Err(DecodeError::Kind(k)) if k == kind));
            }
        }
        assert!(Vsn::V2.decode_binary(br#"[null,"hb","phoenix","heartbeat",{}]"#).is_err());
    }

    proptest! {
        #[test]
        fn decodes_every_push(join_ref in ".{0,60}", r#ref in ".{0,60}", topic in ".{0,60}", event in ".{0,60}", data: Vec<u8>) {
            let frame = push(join_ref.as_bytes(), r#ref.as_bytes(), topic.as_bytes(), event.as_bytes(), &data);
            let message = Vsn::V2.decode_binary(&frame).unwrap();
            prop_assert_eq!(&message.join_ref, &quote(&join_ref));
            prop_assert_eq!(&message.r#ref, &quote(&r#ref));
            prop_assert_eq!(message.topic.text.as_deref(), Some(topic.as_str()));
            prop_assert_eq!(message.event.text.as_deref(), Some(event.as_str()));
            prop_assert!(broadcast(&message).ends_with(&data));
        }

        #[test]
        fn never_panics(frame: Vec<u8>) {
            let _ = Vsn::V2.decode_binary(&frame);
        }
    }
}
