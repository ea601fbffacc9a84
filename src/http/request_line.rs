//! Raw bytes in the target of a request line that RFC 9112 forbids, but that servers of the original's time accepted.
//!
//! cowboy passed `"`, `<`, `>`, `` ` `` and bytes above 127 on; hyper refuses the request. This module percent-encodes
//! them before hyper reads them. It never touches bytes after the first line, so that no length and no boundary of a
//! message changes.

/// Position within a request line, kept from one read to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestLine {
    /// Before the first byte of the method; empty lines may come first.
    Start,
    Method,
    Target,
    /// After the target, or at an unknown position: bytes pass unchanged.
    Passed,
}

impl RequestLine {
    /// Rewrites the bytes that were read, if the target in them needs it. `None` when they can stay unchanged.
    pub(super) fn rewrite(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let (mut rewritten, mut copied): (Option<Vec<u8>>, usize) = (None, 0);
        let mut position = 0;
        while *self != Self::Passed {
            if *self == Self::Target {
                position += ordinary(&bytes[position..]);
            }
            let Some(byte) = bytes.get(position).copied() else { break };
            if *self == Self::Target && is_encoded(byte) {
                let rewritten = rewritten.get_or_insert_default();
                rewritten.extend_from_slice(&bytes[copied..position]);
                rewritten.push(b'%');
                rewritten.extend([byte >> 4, byte & 15].map(|digit| HEX[usize::from(digit)]));
                copied = position + 1;
            }
            *self = self.after(byte);
            position += 1;
        }
        let mut rewritten = rewritten?;
        rewritten.extend_from_slice(&bytes[copied..]);
        Some(rewritten)
    }

    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Start, b'\r' | b'\n') => Self::Start,
            (Self::Method, b' ') => Self::Target,
            (Self::Start | Self::Method, b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_') => Self::Method,
            (Self::Target, b' ' | b'\r' | b'\n') => Self::Passed,
            (Self::Target, _) => Self::Target,
            _ => Self::Passed,
        }
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Returns the number of bytes before the first one that ends a target or is encoded in it. Targets are long, since
/// they may hold a JWT, so this looks at sixteen bytes at a time where it can.
fn ordinary(bytes: &[u8]) -> usize {
    let (chunks, _) = bytes.as_chunks::<16>();
    let is_ordinary = |chunk: &&[u8; 16]| !chunk.iter().fold(false, |any, byte| any | is_special(*byte));
    let skipped = 16 * chunks.iter().take_while(is_ordinary).count();
    skipped + bytes[skipped..].iter().take_while(|byte| !is_special(**byte)).count()
}

fn is_special(byte: u8) -> bool {
    is_encoded(byte) | (byte == b' ') | (byte == b'\r') | (byte == b'\n')
}

fn is_encoded(byte: u8) -> bool {
    (byte == b'"') | (byte == b'<') | (byte == b'>') | (byte == b'`') | (byte >= 0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the result when the bytes arrive in parts of this size.
    fn rewritten(bytes: &[u8], part: usize) -> Vec<u8> {
        let mut line = RequestLine::Start;
        bytes.chunks(part).flat_map(|part| line.rewrite(part).unwrap_or_else(|| part.to_vec())).collect()
    }

    #[test]
    fn only_the_target_is_rewritten_however_it_arrives() {
        for (given, expected) in [
            (
                &b"GET /a?b=\"<>` HTTP/1.1\r\nx: \"<\xff\r\n\r\n\"<"[..],
                &b"GET /a?b=%22%3C%3E%60 HTTP/1.1\r\nx: \"<\xff\r\n\r\n\"<"[..],
            ),
            (b"\r\n\r\nPOST /\xe9?\xff HTTP/1.1\r\n", b"\r\n\r\nPOST /%E9?%FF HTTP/1.1\r\n"),
            (b"GET /a{}|\\^?'%22 HTTP/1.1\r\n\"", b"GET /a{}|\\^?'%22 HTTP/1.1\r\n\""),
            (b"GET /a \"b HTTP/1.1\r\n", b"GET /a \"b HTTP/1.1\r\n"),
            (b"G\"T /\" HTTP/1.1\r\n", b"G\"T /\" HTTP/1.1\r\n"),
            (b"GET /\"\nx: \"", b"GET /%22\nx: \""),
            (b"\x16\x03\x01 \xff\xff", b"\x16\x03\x01 \xff\xff"),
            (
                b"GET /a-long-path-that-is-fine?and=a-query-behind-it&with=\"&and=more-of-it-until-the-end HTTP/1.1\r\n",
                b"GET /a-long-path-that-is-fine?and=a-query-behind-it&with=%22&and=more-of-it-until-the-end HTTP/1.1\r\n",
            ),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff"),
        ] {
            for part in [1, 2, 3, 7, given.len()] {
                let came = rewritten(given, part);
                assert_eq!(came, expected, "{} by {part}", String::from_utf8_lossy(given));
            }
        }
    }

    #[test]
    fn what_is_proper_is_not_copied() {
        assert_eq!(RequestLine::Start.rewrite(b"GET /a?b=c HTTP/1.1\r\nhost: \"\r\n\r\n"), None);
        assert_eq!(RequestLine::Passed.rewrite(b"GET /\" HTTP/1.1\r\n"), None);
    }
}
