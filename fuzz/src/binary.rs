//! Binary frames: only invalid ones are refused, and receivers get the names and the data byte for byte.

use pusher_lite_protocol::{BinaryPush, DecodeError, Message, Payload, Vsn};

const PUSH: u8 = 0;
const BROADCAST: u8 = 2;

/// Runs the target `v2_binary`.
pub fn check(frame: &[u8]) {
    match Vsn::V2.decode_binary(frame) {
        Ok(message) => check_push(frame, &message),
        Err(DecodeError::Kind(kind)) => assert!(kind != PUSH && frame.first() == Some(&kind)),
        Err(DecodeError::Truncated) => assert!(frame.is_empty() || frame[0] == PUSH && parts(frame).is_none()),
        Err(DecodeError::Utf8(_)) => {
            let [_, _, topic, _, _] = parts(frame).expect("the topic is looked at when the frame is whole");
            assert!(std::str::from_utf8(topic).is_err());
        }
        Err(error) => panic!("not an error of binary frames: {error}"),
    }
}

/// Returns `join_ref`, `ref`, topic, event and data of a push; `None` if it is truncated.
fn parts(frame: &[u8]) -> Option<[&[u8]; 5]> {
    let (header, mut rest) = frame.split_at_checked(5)?;
    let mut next = |len: u8| {
        let (part, behind) = rest.split_at_checked(usize::from(len))?;
        rest = behind;
        Some(part)
    };
    let [join_ref, r#ref, topic, event] = [next(header[1])?, next(header[2])?, next(header[3])?, next(header[4])?];
    Some([join_ref, r#ref, topic, event, rest])
}

fn check_push(frame: &[u8], message: &Message<'_>) {
    let [join_ref, r#ref, topic, event, data] = parts(frame).expect("a push that is whole");
    assert_eq!(frame[0], PUSH);
    for (json, bytes) in [
        (&message.join_ref, join_ref),
        (&message.r#ref, r#ref),
        (&message.topic.json, topic),
        (&message.event.json, event),
    ] {
        assert_eq!(serde_json::from_str::<String>(json).expect("a JSON string"), String::from_utf8_lossy(bytes));
    }
    assert_eq!(message.topic.text.as_deref().map(str::as_bytes), Some(topic));
    assert_eq!(message.event.text.as_deref(), std::str::from_utf8(event).ok());

    let broadcast = broadcast(message);
    let header = [BROADCAST, frame[3], frame[4]];
    assert_eq!(broadcast, [&header, topic, event, data].concat());
    check_round_trip(frame, &broadcast);
}

fn broadcast(message: &Message<'_>) -> Vec<u8> {
    let push: BinaryPush<'_> = match message.payload {
        Payload::Binary(push) => push,
        other => panic!("a JSON payload in a binary frame: {other:?}"),
    };
    let mut buffer = Vec::with_capacity(push.broadcast_len());
    push.encode_broadcast(&mut buffer);
    assert_eq!(buffer.len(), push.broadcast_len());
    buffer
}

/// Checks that a push made of the broadcast, with the refs of the original, is the original.
fn check_round_trip(frame: &[u8], broadcast: &[u8]) {
    let [join_ref, r#ref, ..] = parts(frame).expect("a push that is whole");
    let (lengths, names_and_data) = broadcast[1..].split_at(2);
    let header = [PUSH, frame[1], frame[2]];
    assert_eq!([&header, lengths, join_ref, r#ref, names_and_data].concat(), frame);
}
