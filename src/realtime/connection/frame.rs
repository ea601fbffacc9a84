//! The WebSocket frames that the server sends (RFC 6455, section 5.2): final, unmasked, without extensions.
//!
//! Frames are made here, once for all receivers.

use bytes::Bytes;
use pusher_lite_protocol::{Encoding, Form};

use crate::realtime::close::Close;

const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PONG: u8 = 0x8a;

/// The length of the longest header.
const HEADER_MAX: usize = 10;

/// A text message with a gap, for something that many get and that is not copied for each of them.
#[derive(Debug)]
pub(crate) struct Gapped {
    /// The message without what belongs into the gap.
    pub(crate) text: Vec<u8>,
    /// The place of the gap.
    pub(crate) gap: usize,
}

impl Gapped {
    /// Returns the most bytes that [`Gapped::around`] appends.
    pub(crate) fn most_around(&self) -> usize {
        HEADER_MAX + self.gap
    }

    /// Appends the frame of the message with `len` bytes in the gap, as far as the gap, and returns the rest.
    pub(crate) fn around(&self, len: usize, buffer: &mut Vec<u8>) -> Vec<u8> {
        let (before, behind) = self.text.split_at(self.gap);
        header(TEXT, self.text.len() + len, buffer);
        buffer.extend_from_slice(before);
        behind.to_vec()
    }
}

/// Appends a text frame of `len` bytes, which `write` appends.
pub(crate) fn text(len: usize, buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    push(TEXT, len, buffer, write);
}

/// Appends a notice in a frame of its form.
pub(crate) fn notice(encoding: &Encoding<'_>, buffer: &mut Vec<u8>) {
    let opcode = match encoding.form() {
        Form::Text => TEXT,
        Form::Binary => BINARY,
    };
    push(opcode, encoding.written_len(), buffer, |buffer| encoding.write(buffer));
}

fn push(opcode: u8, len: usize, buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    buffer.reserve(len + HEADER_MAX);
    header(opcode, len, buffer);
    write(buffer);
}

/// Appends the answer to a ping.
pub(crate) fn pong(payload: &[u8], buffer: &mut Vec<u8>) {
    header(PONG, payload.len(), buffer);
    buffer.extend_from_slice(payload);
}

/// Makes a close frame. `reason` must not be longer than 123 bytes, and is sent only with a code.
pub(crate) fn close(code: Option<u16>, reason: &str) -> Bytes {
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

/// Returns the messages in text frames.
pub(crate) fn texts(frames: &[u8]) -> impl Iterator<Item = &str> {
    let texts = iterate(frames).filter(|frame| frame[0] == TEXT);
    texts.map(|frame| std::str::from_utf8(&frame[header_len(frame)..]).expect("text frames are made of text"))
}

/// Iterates over whole frames, header included.
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

/// Returns the length of the first frame, header included. Only the header has to be complete.
pub(crate) fn frame_len(frames: &[u8]) -> usize {
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

impl Close {
    /// Makes the close frame with this code and reason.
    pub(crate) fn frame(self) -> Bytes {
        let (code, reason) = self.code_and_reason();
        close(code, reason)
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
        text(2, &mut buffer, |buffer| buffer.extend_from_slice(b"{}"));
        assert_eq!(buffer, b"\x81\x02{}");
        assert_eq!(close(Some(1009), "big")[..], *b"\x88\x05\x03\xf1big");
        assert_eq!(close(None, "not sent")[..], *b"\x88\x00");
    }

    #[test]
    fn a_gap_is_filled_without_a_copy() {
        let message = Gapped { text: b"[1,]".to_vec(), gap: 3 };
        for (filling, header) in [("2".repeat(3), &[0x81, 7][..]), ("2".repeat(200), &[0x81, 126, 0, 204])] {
            let mut buffer = b"before".to_vec();
            let rest = message.around(filling.len(), &mut buffer);
            assert_eq!(
                [&buffer, filling.as_bytes(), &rest].concat(),
                [b"before", header, format!("[1,{filling}]").as_bytes()].concat()
            );
        }
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
        assert_eq!(texts(b"").count(), 0);
    }
}
