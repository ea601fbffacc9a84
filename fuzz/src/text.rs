//! Text messages: the server reads the same as a JSON program would, and passes it on unchanged.

use std::borrow::Cow;

use pusher_lite_protocol::{Message, Name, Outgoing, Vsn};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::expected::{self, Expected};
use crate::versions;

/// Runs the target `v1_text`: version 1 reads binary frames as text.
pub fn check_v1(frame: &[u8]) {
    let Ok(text) = std::str::from_utf8(frame) else {
        assert!(Vsn::V1.decode_binary(frame).is_err(), "took for a message what is not UTF-8");
        return;
    };
    assert_eq!(Vsn::V1.decode_text(text), Vsn::V1.decode_binary(frame));
    check(Vsn::V1, text);
    if let Some(mended) = Vsn::V1.mend_text(text) {
        assert!(Vsn::V1.decode_text(text).is_err(), "mended what is a message: {text}");
        assert_eq!(Vsn::V1.mend_text(&mended), None, "mended but in part");
        assert!(mended.len() <= 6 * text.len());
        check(Vsn::V1, &mended);
    }
}

/// Runs the target `v2_text`.
pub fn check_v2(frame: &[u8]) {
    if let Ok(text) = std::str::from_utf8(frame) {
        check(Vsn::V2, text);
    }
}

fn check(vsn: Vsn, text: &str) {
    let decoded = vsn.decode_text(text);
    match (expected::read(vsn, text), &decoded) {
        (Expected::Message(expected), Ok(message)) => assert_eq!(values(message), expected),
        (Expected::Message(expected), Err(error)) => panic!("refused the message {expected:?}: {error}"),
        (Expected::Refused, Ok(message)) => panic!("took for a message: {message:?}"),
        (Expected::Refused, Err(_)) | (Expected::Unknown, _) => {}
    }
    match decoded {
        Ok(message) => {
            check_passed_on(vsn, text, &message);
            check_sent_on(&message);
        }
        Err(error) => assert!(format!("{error} {error:?}").len() < 200, "an error that may quote the message: {error}"),
    }
}

fn values(message: &Message<'_>) -> [Value; 5] {
    [&message.join_ref, &message.r#ref, &message.topic.json, &message.event.json, payload(message)]
        .map(|json| serde_json::from_str(json).unwrap_or_else(|error| panic!("{json} is no JSON: {error}")))
}

fn payload<'a>(message: &Message<'a>) -> &'a str {
    message.payload.json().expect("a text message has no binary payload")
}

/// Checks that every part of the message is a part of the text, not a copy, and well-formed by itself.
fn check_passed_on(vsn: Vsn, text: &str, message: &Message<'_>) {
    match vsn {
        Vsn::V1 => assert_eq!(message.join_ref, "null"),
        Vsn::V2 => check_part(text, borrowed(&message.join_ref)),
    }
    check_part(text, borrowed(&message.r#ref));
    check_part(text, payload(message));
    for Name { json, text: name } in [&message.topic, &message.event] {
        check_part(text, borrowed(json));
        assert_eq!(name.as_deref(), serde_json::from_str::<String>(json).ok().as_deref());
    }
}

fn borrowed<'a>(json: &Cow<'a, str>) -> &'a str {
    match json {
        Cow::Borrowed(json) => json,
        Cow::Owned(json) => panic!("copied {json}"),
    }
}

fn check_part(text: &str, part: &str) {
    assert!(text.as_bytes().as_ptr_range().contains(&part.as_ptr()), "{part} comes from elsewhere");
    let value: &RawValue = serde_json::from_str(part).unwrap_or_else(|error| panic!("{part} is no JSON: {error}"));
    assert_eq!(value.get(), part, "white space around a part");
}

/// Checks that messages made of it can be read again: a broadcast of it, a reply to it, the close of a join with its
/// refs.
fn check_sent_on(message: &Message<'_>) {
    let Message { join_ref, r#ref, topic, event, .. } = message;
    versions::check_message(&Outgoing::broadcast(&topic.json, &event.json, payload(message)));
    versions::check_message(&Outgoing::reply(join_ref, r#ref, &topic.json, pusher_lite_protocol::phoenix::reply::OK));
    versions::check_message(&Outgoing::close(r#ref, &topic.json));
}
