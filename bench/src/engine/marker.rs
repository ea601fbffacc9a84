//! The marker of a published message: time, publisher, and sequence number.
use crate::proto::REF;
use crate::ws;
use memchr::memmem;

pub const MARK: usize = 31;

#[inline]
pub(super) fn hex(b: &[u8]) -> u64 {
    b.iter().fold(0, |a, c| a << 4 | ((c & 15) + 9 * (c >> 6)) as u64)
}

#[inline]
fn put_hex(b: &mut [u8], mut v: u64) {
    for x in b.iter_mut().rev() {
        *x = b"0123456789abcdef"[(v & 15) as usize];
        v >>= 4;
    }
}

pub(super) fn put_mark(b: &mut [u8], ts: u64, slot: u32, seq: u32) {
    put_hex(&mut b[2..18], ts);
    put_hex(&mut b[18..23], slot as u64);
    put_hex(&mut b[23..31], seq as u64);
}

/// Builds frames for the websocket, bodies for http, with the offsets of the marker and of the ref.
pub fn template(text: &str, websocket: bool) -> Result<(Vec<u8>, usize, usize), String> {
    let mut v = vec![];
    if websocket {
        ws::encode(&mut v, ws::TEXT, true, text.as_bytes());
    } else {
        v = text.as_bytes().to_vec();
    }
    let m = memmem::find(&v, b"~@").ok_or("the published message has no {m}")?;
    let r = if websocket { memmem::find(&v, format!("\"{REF}\"").as_bytes()).map_or(0, |i| i + 1) } else { 0 };
    Ok((v, m, r))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marker() {
        let mut b = *b"~@00000000000000000000000000000";
        put_mark(&mut b, 0x123456789abcdef0, 0xabcde, 0xfedcba98);
        assert_eq!((hex(&b[2..18]), hex(&b[18..23]), hex(&b[23..31])), (0x123456789abcdef0, 0xabcde, 0xfedcba98));
    }
}
