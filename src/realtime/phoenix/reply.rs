//! Replies in frames, and the refusals that they state.

use pusher_lite_protocol::{Outgoing, Vsn, phoenix::reply};

use crate::realtime::{
    connection::frame::{self, Gapped},
    usage::refusal::Refusal,
};

/// Appends a message in a text frame.
pub(crate) fn push_frame(vsn: Vsn, message: &Outgoing<'_>, frames: &mut Vec<u8>) {
    frame::text(vsn.encoded_len(message), frames, |buffer| vsn.encode(message, buffer));
}

/// Returns messages in text frames.
pub(crate) fn framed(vsn: Vsn, messages: &[Outgoing<'_>]) -> Vec<u8> {
    let mut frames = Vec::new();
    for message in messages {
        push_frame(vsn, message, &mut frames);
    }
    frames
}

/// Returns a message without its payload, which a room puts in.
pub(crate) fn without_payload(vsn: Vsn, message: &Outgoing<'_>) -> Gapped {
    let message = Outgoing { payload: "", ..*message };
    let mut text = Vec::with_capacity(vsn.encoded_len(&message));
    vsn.encode(&message, &mut text);
    Gapped { text, gap: vsn.payload_at(&message) }
}

/// Returns the refusal that the payload of a reply states, if it states one.
pub(crate) fn refusal(payload: &str) -> Option<Refusal> {
    match payload {
        reply::OK => None,
        reply::UNMATCHED_TOPIC => Some(Refusal::PushUnmatched),
        reply::INVALID => Some(Refusal::JoinInvalid),
        reply::UNAUTHORIZED => Some(Refusal::JoinUnauthorized),
        reply::TOPIC_NOT_IN_JWT => Some(Refusal::JoinNotInJwt),
        reply::TOO_MANY_CHANNELS => Some(Refusal::JoinTooMany),
        reply::TOPIC_TOO_LONG => Some(Refusal::JoinTooLong),
        reply::EVENT_TOO_LONG => Some(Refusal::PushTooLong),
        reply::RATE_LIMITED => Some(Refusal::PushRateLimited),
        reply::FORBIDDEN => Some(Refusal::PushForbidden),
        reply::SENDING_NOT_IN_JWT => Some(Refusal::PushNotInJwt),
        reply::RESERVED_EVENT => Some(Refusal::PushReserved),
        reply::PAYLOAD_NOT_OBJECT | reply::EVENT_NOT_STRING => Some(Refusal::PushMalformed),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_can_be_put_in_later() {
        let payload = format!(r#"{{"a":"{}"}}"#, "x".repeat(70_000));
        for payload in [&*payload, "{}"] {
            let message = Outgoing { join_ref: r#""1""#, ..Outgoing::broadcast(r#""t""#, r#""e""#, payload) };
            for vsn in [Vsn::V1, Vsn::V2] {
                let (mut whole, mut around) = (b"before".to_vec(), b"before".to_vec());
                push_frame(vsn, &message, &mut whole);
                let tail = without_payload(vsn, &message).around(payload.len(), &mut around);
                assert!(whole == [&around, payload.as_bytes(), &tail].concat());
            }
        }
    }

    #[test]
    fn messages_are_framed_whole() {
        let message = Outgoing::broadcast(r#""t""#, r#""e""#, "{}");
        assert_eq!(framed(Vsn::V2, &[message]), b"\x81\x16[null,null,\"t\",\"e\",{}]");
    }
}
