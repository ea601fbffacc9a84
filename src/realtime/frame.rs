//! The WebSocket frames that the server sends (RFC 6455, section 5.2): final, unmasked, without extensions.
//!
//! Frames are made here, once for all receivers, and not by tungstenite, which would copy them for each.

use bytes::Bytes;
use pusher_lite_protocol::{BinaryPush, Outgoing, Vsn};

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;

/// The length of the longest header.
const HEADER_MAX: usize = 10;

/// Appends a message in a text frame.
pub(super) fn text(vsn: Vsn, message: &Outgoing<'_>, buffer: &mut Vec<u8>) {
    let len = vsn.encoded_len(message);
    buffer.reserve(len + HEADER_MAX);
    header(TEXT, len, buffer);
    vsn.encode(message, buffer);
}

/// As [`text`], but for the payload, which is to be put between what is appended and what is returned.
pub(super) fn text_around(vsn: Vsn, message: &Outgoing<'_>, buffer: &mut Vec<u8>) -> Vec<u8> {
    header(TEXT, vsn.encoded_len(message), buffer);
    let payload = buffer.len() + vsn.payload_at(message);
    vsn.encode(&Outgoing { payload: "", ..*message }, buffer);
    buffer.split_off(payload)
}

/// Appends what becomes of a binary push in a binary frame.
pub(super) fn binary(push: &BinaryPush<'_>, buffer: &mut Vec<u8>) {
    let len = push.broadcast_len();
    buffer.reserve(len + HEADER_MAX);
    header(BINARY, len, buffer);
    push.encode_broadcast(buffer);
}

/// A close frame. `reason` must not be longer than 123 bytes, and goes with a code only.
pub(super) fn close(code: Option<u16>, reason: &str) -> Bytes {
    let mut payload = Vec::new();
    if let Some(code) = code {
        payload.extend_from_slice(&code.to_be_bytes());
        payload.extend_from_slice(reason.as_bytes());
    }
    let mut frame = Vec::with_capacity(2 + payload.len());
    header(CLOSE, payload.len(), &mut frame);
    frame.extend_from_slice(&payload);
    frame.into()
}

/// The same frames but for the binary ones, and how many those were.
pub(super) fn without_binary(frames: Bytes) -> (Bytes, u64) {
    let binary = iterate(&frames).filter(|frame| frame[0] == BINARY).count();
    if binary == 0 {
        return (frames, 0);
    }
    let others: Vec<u8> = iterate(&frames).filter(|frame| frame[0] != BINARY).flatten().copied().collect();
    (others.into(), binary as u64)
}

/// The messages in text frames.
pub(super) fn texts(frames: &[u8]) -> impl Iterator<Item = &str> {
    let texts = iterate(frames).filter(|frame| frame[0] == TEXT);
    texts.map(|frame| std::str::from_utf8(&frame[header_len(frame)..]).expect("text frames are made of text"))
}

/// Each of whole frames, header included.
fn iterate(mut frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (frame, rest) = frames.split_at((!frames.is_empty()).then(|| frame_len(frames))?);
        frames = rest;
        Some(frame)
    })
}

fn header(opcode: u8, len: usize, buffer: &mut Vec<u8>) {
    buffer.push(opcode);
    if let Ok(len) = u8::try_from(len)
        && len < 126
    {
        buffer.push(len);
    } else if let Ok(len) = u16::try_from(len) {
        buffer.push(126);
        buffer.extend_from_slice(&len.to_be_bytes());
    } else {
        buffer.push(127);
        buffer.extend_from_slice(&(len as u64).to_be_bytes());
    }
}

/// The length of the frame that stands first, header included. Only the header has to be there.
pub(super) fn frame_len(frames: &[u8]) -> usize {
    match frames {
        [_, 126, a, b, ..] => 4 + usize::from(u16::from_be_bytes([*a, *b])),
        [_, 127, a, b, c, d, e, f, g, h, ..] => 10 + u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]) as usize,
        [_, len, ..] => 2 + usize::from(*len),
        _ => unreachable!("frames are queued whole"),
    }
}

fn header_len(frame: &[u8]) -> usize {
    match frame[1] {
        126 => 4,
        127 => 10,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(len: usize) -> Vec<u8> {
        let mut buffer = Vec::new();
        header(TEXT, len, &mut buffer);
        buffer.resize(buffer.len() + len, b'x');
        buffer
    }

    #[test]
    fn headers_are_as_short_as_can_be() {
        for (len, expected) in [
            (0, &[0x81, 0][..]),
            (125, &[0x81, 125]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 255, 255]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = framed(len);
            assert_eq!(frame[..expected.len()], *expected);
            assert_eq!(frame.len(), expected.len() + len);
        }
    }

    #[test]
    fn messages_are_framed_whole() {
        let mut buffer = Vec::new();
        text(Vsn::V2, &Outgoing::broadcast(r#""t""#, r#""e""#, "{}"), &mut buffer);
        assert_eq!(buffer, b"\x81\x16[null,null,\"t\",\"e\",{}]");
        assert_eq!(close(Some(1009), "big")[..], *b"\x88\x05\x03\xf1big");
        assert_eq!(close(None, "not sent")[..], *b"\x88\x00");
    }

    #[test]
    fn frames_are_taken_apart() {
        let long = "x".repeat(70_000);
        let mut frames = Vec::new();
        for (opcode, payload) in
            [(TEXT, "a"), (BINARY, "b"), (TEXT, &long), (CLOSE, "c"), (TEXT, &long[..200]), (TEXT, "")]
        {
            header(opcode, payload.len(), &mut frames);
            frames.extend_from_slice(payload.as_bytes());
        }
        assert_eq!(texts(&frames).map(str::len).collect::<Vec<_>>(), [1, 70_000, 200, 0]);
        let frames = Bytes::from(frames);
        let (others, skipped) = without_binary(frames.clone());
        assert_eq!(skipped, 1);
        assert_eq!(others.len(), frames.len() - 3);
        assert!(texts(&others).eq(texts(&frames)));
        assert_eq!(without_binary(others.clone()), (others, 0));
        assert_eq!(texts(b"").count(), 0);
    }

    #[test]
    fn a_payload_can_be_left_out() {
        let payload = format!(r#"{{"a":"{}"}}"#, "x".repeat(70_000));
        let message = Outgoing { join_ref: r#""1""#, ..Outgoing::broadcast(r#""t""#, r#""e""#, &payload) };
        for vsn in [Vsn::V1, Vsn::V2] {
            let (mut whole, mut around) = (b"before".to_vec(), b"before".to_vec());
            text(vsn, &message, &mut whole);
            let tail = text_around(vsn, &message, &mut around);
            assert!(whole == [&around, payload.as_bytes(), &tail].concat());
        }
    }
}
