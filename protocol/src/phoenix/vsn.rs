//! The serializer version, negotiated by the connect parameter `vsn`.

use pusher_lite_json_text as json;

use super::{
    binary,
    message::{Message, Outgoing},
    v1, v2,
};
use crate::{DecodeError, VsnError};

/// Encoding of the messages on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vsn {
    /// Objects: `{"topic":…,"event":…,"payload":…,"ref":…}`.
    V1,
    /// Arrays: `[join_ref,ref,topic,event,payload]`, and binary pushes.
    V2,
}

impl Vsn {
    /// Reads the parameter `vsn`. A client that sends none is older than the second version.
    ///
    /// # Errors
    ///
    /// Anything but a stable version 1.x.y or 2.0.x.
    ///
    /// ```
    /// use pusher_lite_protocol::Vsn;
    /// assert_eq!(Vsn::negotiate(None), Ok(Vsn::V1));
    /// assert_eq!(Vsn::negotiate(Some("2.0.0")), Ok(Vsn::V2));
    /// assert!(Vsn::negotiate(Some("2.1.0")).is_err());
    /// ```
    pub fn negotiate(parameter: Option<&str>) -> Result<Vsn, VsnError> {
        let Some(version) = parameter else { return Ok(Vsn::V1) };
        match stable_version(version).ok_or(VsnError)? {
            ["1", _, _] => Ok(Vsn::V1),
            ["2", "0", _] => Ok(Vsn::V2),
            _ => Err(VsnError),
        }
    }

    /// Reads a message that came as text.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the text as a whole is not one well-formed message of this version, or a ref is too long.
    pub fn decode_text(self, text: &str) -> Result<Message<'_>, DecodeError> {
        json::check_surrogates(text)?;
        let message = match self {
            Vsn::V1 => v1::decode(text)?,
            Vsn::V2 => v2::decode(text)?,
        };
        message.with_short_refs()
    }

    /// Returns the text to read in place of one that [`Vsn::decode_text`] refuses: with version 1 the text with the
    /// control characters in its strings escaped, which the original accepts unescaped. `None` if that changes nothing.
    /// It may be up to six times as long.
    pub fn mend_text(self, text: &str) -> Option<String> {
        match self {
            Vsn::V1 => json::escape_controls(text),
            Vsn::V2 => None,
        }
    }

    /// Reads a message that came in a binary frame: with version 1 the same JSON as in a text frame, with version 2 a
    /// binary push.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] as for text, or if the frame is truncated or of a kind that clients do not send.
    pub fn decode_binary(self, frame: &[u8]) -> Result<Message<'_>, DecodeError> {
        match self {
            Vsn::V1 => self.decode_text(std::str::from_utf8(frame)?),
            Vsn::V2 => binary::decode(frame),
        }
    }

    /// Returns the number of bytes that [`Vsn::encode`] will append.
    pub fn encoded_len(self, message: &Outgoing<'_>) -> usize {
        match self {
            Vsn::V1 => v1::encoded_len(message),
            Vsn::V2 => v2::encoded_len(message),
        }
    }

    /// Returns the offset of the payload in a message's text.
    pub fn payload_at(self, message: &Outgoing<'_>) -> usize {
        match self {
            Vsn::V1 => v1::payload_at(message),
            Vsn::V2 => v2::payload_at(message),
        }
    }

    /// Appends the text of a message.
    pub fn encode(self, message: &Outgoing<'_>, buffer: &mut Vec<u8>) {
        match self {
            Vsn::V1 => v1::encode(message, buffer),
            Vsn::V2 => v2::encode(message, buffer),
        }
    }
}

/// Returns the three numbers of a version without a pre-release part; build metadata is ignored.
fn stable_version(version: &str) -> Option<[&str; 3]> {
    let (numbers, build) = version.split_once('+').unwrap_or((version, "0"));
    let is_identifier = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !build.split('.').all(is_identifier) {
        return None;
    }
    let mut parts = numbers.split('.');
    let numbers = [parts.next()?, parts.next()?, parts.next()?];
    let is_number = |part: &&str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) && (*part == "0" || !part.starts_with('0'))
    };
    (parts.next().is_none() && numbers.iter().all(is_number)).then_some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::REF_MAX;

    #[test]
    fn payloads_are_where_they_are_said_to_be() {
        let message =
            Outgoing { join_ref: "\"1\"", r#ref: "null", topic: "\"t\"", event: "\"e\"", payload: "{\"a\":1}" };
        for vsn in [Vsn::V1, Vsn::V2] {
            let mut text = Vec::new();
            vsn.encode(&message, &mut text);
            assert_eq!(text.len(), vsn.encoded_len(&message));
            assert!(text[vsn.payload_at(&message)..].starts_with(message.payload.as_bytes()));
        }
    }

    #[test]
    fn refs_have_a_longest_length() {
        let text = |vsn, join_ref: &str, r#ref: &str| match vsn {
            Vsn::V1 => format!(r#"{{"topic":"t","event":"e","payload":{{}},"ref":{ref}}}"#),
            Vsn::V2 => format!(r#"[{join_ref},{ref},"t","e",{{}}]"#),
        };
        let longest = format!("\"{}\"", "1".repeat(REF_MAX - 2));
        let too_long = format!("[{longest}]");
        for vsn in [Vsn::V1, Vsn::V2] {
            let message = text(vsn, &longest, &longest);
            assert_eq!(vsn.decode_text(&message).unwrap().r#ref, longest);
            let message = text(vsn, "1", &too_long);
            assert_eq!(vsn.decode_text(&message), Err(DecodeError::RefTooLong));
            assert_eq!(
                vsn.decode_text(&message).unwrap_err().to_string(),
                "the ref or join_ref is longer than 4096 bytes"
            );
        }
        assert_eq!(Vsn::V2.decode_text(&text(Vsn::V2, &too_long, "1")), Err(DecodeError::RefTooLong));
    }

    #[test]
    fn negotiates_what_the_recordings_show() {
        for (parameter, expected) in [
            (None, Ok(Vsn::V1)),
            (Some("1.0.0"), Ok(Vsn::V1)),
            (Some("1.2.3"), Ok(Vsn::V1)),
            (Some("1.0.0+build.5"), Ok(Vsn::V1)),
            (Some("1.0.0+a-b"), Ok(Vsn::V1)),
            (Some("1.0.0+a_b"), Err(VsnError)),
            (Some("1.x.0"), Err(VsnError)),
            (Some("2.0.0"), Ok(Vsn::V2)),
            (Some("2.0.99"), Ok(Vsn::V2)),
            (Some(""), Err(VsnError)),
            (Some("1"), Err(VsnError)),
            (Some("1.0"), Err(VsnError)),
            (Some("2.0"), Err(VsnError)),
            (Some("2.1.0"), Err(VsnError)),
            (Some("3.0.0"), Err(VsnError)),
            (Some("abc"), Err(VsnError)),
            (Some(" 1.0.0"), Err(VsnError)),
            (Some("1.0.0 "), Err(VsnError)),
            (Some("1.0.0.0"), Err(VsnError)),
            (Some("01.0.0"), Err(VsnError)),
            (Some("1.0.0-rc.1"), Err(VsnError)),
            (Some("1.0.0+"), Err(VsnError)),
            (Some("+1.0.0"), Err(VsnError)),
            (Some("2.0.99999999999999999999999999"), Ok(Vsn::V2)),
        ] {
            assert_eq!(Vsn::negotiate(parameter), expected, "{parameter:?}");
        }
    }
}
