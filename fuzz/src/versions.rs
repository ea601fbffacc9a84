//! Messages of the server: in either version they can be read again, with the same result.

use std::borrow::Cow;

use pusher_lite_protocol::{Message, Outgoing, Vsn, quote};
use serde_json::Value;

/// Runs the target `versions`. The input is five lines: `join_ref`, `ref`, topic, event and payload. A line that is not
/// JSON stands for the JSON string of its text, and a missing line for `null`.
pub fn check(lines: &[u8]) {
    let Ok(lines) = std::str::from_utf8(lines) else { return };
    let mut lines = lines.splitn(5, '\n').map(json);
    let [join_ref, r#ref, topic, event, payload] =
        std::array::from_fn(|_| lines.next().unwrap_or(Cow::Borrowed("null")));
    check_message(&Outgoing { join_ref: &join_ref, r#ref: &r#ref, topic: &topic, event: &event, payload: &payload });
}

fn json(line: &str) -> Cow<'_, str> {
    match serde_json::from_str::<Value>(line) {
        Ok(_) => Cow::Borrowed(line.trim_ascii()),
        Err(_) => Cow::Owned(quote(line)),
    }
}

/// Writes a message in both versions and reads both again.
pub(crate) fn check_message(message: &Outgoing<'_>) {
    let (v1, v2) = (encode(Vsn::V1, message), encode(Vsn::V2, message));
    let v1 = Vsn::V1.decode_text(&v1).expect("version 1 reads what it writes");
    let v2 = Vsn::V2.decode_text(&v2).expect("version 2 reads what it writes");
    assert_eq!(v2.join_ref, message.join_ref);
    assert_eq!(v2.r#ref, message.r#ref);
    assert_eq!(v2.topic.json, message.topic);
    assert_eq!(v2.event.json, message.event);
    assert_eq!(v2.payload.json(), Some(message.payload));
    assert_eq!(v1.join_ref, "null");
    assert_eq!(Message { join_ref: v2.join_ref.clone(), ..v1 }, v2, "the versions differ");
}

/// Returns the text of a message, which is appended to a buffer that has contents already.
fn encode(vsn: Vsn, message: &Outgoing<'_>) -> String {
    const BEFORE: &[u8] = b"before";
    let mut buffer = BEFORE.to_vec();
    vsn.encode(message, &mut buffer);
    let text = buffer.strip_prefix(BEFORE).expect("encoding only appends");
    assert_eq!(text.len(), vsn.encoded_len(message));
    String::from_utf8(text.to_vec()).expect("messages are UTF-8")
}
