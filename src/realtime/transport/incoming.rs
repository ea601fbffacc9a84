//! The WebSocket frames that clients send (RFC 6455, section 5): bytes in, messages out, no I/O.
//!
//! A frame that came whole is read where it lies. Only an incomplete one is kept: never more than the largest message,
//! with nothing reserved for a length that is merely announced, and nothing kept of a complete message.

use std::borrow::Cow;

use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// The longest header: that of a masked frame with eight bytes of length.
const HEADER_MAX: usize = 14;

/// The largest payload of a control frame.
const CONTROL_MAX: usize = 125;

/// A message or control frame of a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming<'a> {
    Text(Cow<'a, str>),
    Binary(Cow<'a, [u8]>),
    Ping(Cow<'a, [u8]>),
    Pong,
    /// The last frame, with its code. A code that no endpoint may send is reported as 1002.
    Close(Option<u16>),
}

/// Reason for which the server cannot read further bytes of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A frame or a message over the limit.
    TooBig,
    /// Text that is not UTF-8.
    Utf8,
    /// Anything else that clients must not send.
    Protocol,
}

/// Reads the frames of one client.
#[derive(Debug)]
pub(crate) struct Reader {
    /// The largest message, in bytes.
    longest: usize,
    /// `None` between messages.
    partial: Option<Box<Partial>>,
}

/// The received part of an incomplete message.
#[derive(Debug, Default)]
struct Partial {
    /// The beginning of a header.
    header: Vec<u8>,
    /// The current frame.
    frame: Option<Frame>,
    /// The current message: true if it is text. Control frames may come between its frames.
    message: Option<bool>,
    data: Vec<u8>,
    control: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    is_final: bool,
    mask: [u8; 4],
    len: usize,
    /// Received bytes of the payload.
    read: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opcode {
    Continue,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Reader {
    pub(crate) fn new(longest: usize) -> Reader {
        Reader { longest, partial: None }
    }

    /// Returns the next message in `input`, and takes its bytes away. Returns `None` when all bytes are taken and the
    /// next message is incomplete.
    pub(crate) fn next<'a>(&mut self, input: &mut &'a mut [u8]) -> Result<Option<Incoming<'a>>, Fault> {
        loop {
            let Some(mut frame) = self.frame(input)? else { return Ok(None) };
            let here = (frame.len - frame.read).min(input.len());
            let is_whole = frame.read == 0 && here == frame.len;
            let payload = take(input, here);
            unmask(payload, frame.mask, frame.read);
            frame.read += here;
            let read = if frame.opcode.is_control() {
                self.control(frame, payload, is_whole)?
            } else {
                self.data(frame, payload, is_whole)?
            };
            if frame.read < frame.len {
                self.partial.get_or_insert_default().frame = Some(frame);
                return Ok(None);
            }
            self.forget_frame();
            if read.is_some() {
                return Ok(read);
            }
        }
    }

    /// Returns the memory that is kept until the next bytes come.
    pub(crate) fn memory(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| size_of::<Partial>() + partial.data.capacity() + CONTROL_MAX)
    }

    /// Drops the incomplete message.
    pub(crate) fn clear(&mut self) {
        self.partial = None;
    }

    /// Returns the current frame, or the one that begins here; `None` if its header is incomplete.
    fn frame(&mut self, input: &mut &mut [u8]) -> Result<Option<Frame>, Fault> {
        let Some(partial) = &mut self.partial else {
            let found = header(input, self.longest)?;
            return Ok(match found {
                Some((frame, used)) => {
                    take(input, used);
                    Some(self.begin(frame)?)
                }
                None if input.is_empty() => None,
                None => {
                    let header = take(input, input.len()).to_vec();
                    self.partial = Some(Box::new(Partial { header, ..Partial::default() }));
                    None
                }
            });
        };
        if partial.frame.is_some() {
            // At the end of the input a frame is left alone, unless it has no payload.
            return Ok(partial.frame.filter(|_| !input.is_empty()));
        }
        let before = partial.header.len();
        let more = input.len().min(HEADER_MAX - before);
        partial.header.extend_from_slice(&input[..more]);
        let Some((frame, used)) = header(&partial.header, self.longest)? else {
            take(input, more);
            return Ok(None);
        };
        partial.header = Vec::new();
        take(input, used - before);
        Ok(Some(self.begin(frame)?))
    }

    /// Checks that a frame may come now.
    fn begin(&self, frame: Frame) -> Result<Frame, Fault> {
        let message = self.partial.as_ref().and_then(|partial| partial.message);
        let kept = self.partial.as_ref().map_or(0, |partial| partial.data.len());
        match frame.opcode {
            Opcode::Continue if message.is_none() => Err(Fault::Protocol),
            Opcode::Text | Opcode::Binary if message.is_some() => Err(Fault::Protocol),
            opcode if !opcode.is_control() && frame.len > self.longest - kept => Err(Fault::TooBig),
            _ => Ok(frame),
        }
    }

    fn control<'a>(
        &mut self,
        frame: Frame,
        payload: &'a mut [u8],
        is_whole: bool,
    ) -> Result<Option<Incoming<'a>>, Fault> {
        let payload = if is_whole {
            Cow::Borrowed(&*payload)
        } else {
            let control = &mut self.partial.get_or_insert_default().control;
            control.extend_from_slice(payload);
            if frame.read < frame.len {
                return Ok(None);
            }
            Cow::Owned(std::mem::take(control))
        };
        match frame.opcode {
            Opcode::Ping => Ok(Some(Incoming::Ping(payload))),
            Opcode::Close => closing(&payload).map(|code| Some(Incoming::Close(code))),
            _ => Ok(Some(Incoming::Pong)),
        }
    }

    fn data<'a>(&mut self, frame: Frame, payload: &'a mut [u8], is_whole: bool) -> Result<Option<Incoming<'a>>, Fault> {
        let is_text = frame.opcode == Opcode::Text;
        if is_whole && frame.is_final && frame.opcode != Opcode::Continue {
            return message(is_text, Cow::Borrowed(payload)).map(Some);
        }
        if payload.is_empty() && frame.read < frame.len {
            // Only its header has come.
            return Ok(None);
        }
        let longest = self.longest;
        let partial = self.partial.get_or_insert_default();
        partial.message.get_or_insert(is_text);
        let known = partial.data.len() + frame.len - (frame.read - payload.len());
        append(&mut partial.data, payload, if frame.is_final { known } else { longest });
        if frame.read < frame.len || !frame.is_final {
            return Ok(None);
        }
        let is_text = partial.message.take().expect("it was just set");
        message(is_text, Cow::Owned(std::mem::take(&mut partial.data))).map(Some)
    }

    fn forget_frame(&mut self) {
        if let Some(partial) = &mut self.partial {
            partial.frame = None;
            if partial.message.is_none() {
                self.partial = None;
            }
        }
    }
}

impl Opcode {
    fn is_control(self) -> bool {
        matches!(self, Opcode::Close | Opcode::Ping | Opcode::Pong)
    }
}

/// Returns the header at the front of `bytes`, and its length; `None` if it is incomplete.
fn header(bytes: &[u8], longest: usize) -> Result<Option<(Frame, usize)>, Fault> {
    let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
    let (len, rest) = match second & 0x7f {
        126 => match rest {
            [a, b, rest @ ..] => (u64::from(u16::from_be_bytes([*a, *b])), rest),
            _ => return Ok(None),
        },
        127 => match rest {
            [a, b, c, d, e, f, g, h, rest @ ..] => (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), rest),
            _ => return Ok(None),
        },
        len => (u64::from(len), rest),
    };
    let opcode = match first & 0x0f {
        0 => Opcode::Continue,
        1 => Opcode::Text,
        2 => Opcode::Binary,
        8 => Opcode::Close,
        9 => Opcode::Ping,
        10 => Opcode::Pong,
        _ => return Err(Fault::Protocol),
    };
    let len = usize::try_from(len).ok().filter(|len| *len <= longest).ok_or(Fault::TooBig)?;
    let (is_final, is_masked) = (first & 0x80 != 0, second & 0x80 != 0);
    if !is_masked || first & 0x70 != 0 || opcode.is_control() && (!is_final || len > CONTROL_MAX) {
        return Err(Fault::Protocol);
    }
    let [a, b, c, d, rest @ ..] = rest else { return Ok(None) };
    let frame = Frame { opcode, is_final, mask: [*a, *b, *c, *d], len, read: 0 };
    Ok(Some((frame, bytes.len() - rest.len())))
}

/// Takes so many bytes off the front.
fn take<'a>(input: &mut &'a mut [u8], count: usize) -> &'a mut [u8] {
    let (taken, rest) = std::mem::take(input).split_at_mut(count);
    *input = rest;
    taken
}

/// Unmasks a part of a payload, which begins at `position` in it.
fn unmask(bytes: &mut [u8], mut mask: [u8; 4], position: usize) {
    mask.rotate_left(position % 4);
    let word = u32::from_ne_bytes(mask);
    let (words, rest) = bytes.as_chunks_mut::<4>();
    for bytes in words {
        *bytes = (u32::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(mask) {
        *byte ^= mask;
    }
}

/// Appends bytes. Memory doubles as they come, up to the message's largest possible size.
fn append(data: &mut Vec<u8>, bytes: &[u8], at_most: usize) {
    let needed = data.len() + bytes.len();
    if needed > data.capacity() {
        let capacity = needed.max((2 * data.capacity()).min(at_most));
        data.reserve_exact(capacity - data.len());
    }
    data.extend_from_slice(bytes);
}

fn message(is_text: bool, data: Cow<'_, [u8]>) -> Result<Incoming<'_>, Fault> {
    if !is_text {
        return Ok(Incoming::Binary(data));
    }
    Ok(Incoming::Text(match data {
        Cow::Borrowed(data) => Cow::Borrowed(std::str::from_utf8(data).map_err(|_| Fault::Utf8)?),
        Cow::Owned(data) => Cow::Owned(String::from_utf8(data).map_err(|_| Fault::Utf8)?),
    }))
}

/// Returns the code of a close frame.
fn closing(payload: &[u8]) -> Result<Option<u16>, Fault> {
    match payload {
        [] => Ok(None),
        [_] => Err(Fault::Protocol),
        [a, b, reason @ ..] => {
            std::str::from_utf8(reason).map_err(|_| Fault::Utf8)?;
            let code = u16::from_be_bytes([*a, *b]);
            Ok(Some(if CloseCode::from(code).is_allowed() { code } else { CloseCode::Protocol.into() }))
        }
    }
}

#[cfg(test)]
mod tests;
