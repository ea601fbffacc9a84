//! Messages in the answer to a poll.

use pusher_lite_protocol::{Vsn, quote};
use serde_json::value::RawValue;

use crate::realtime::connection::{frame, frames::Frames};

/// Returns messages in a JSON array: in version 1 as objects, in version 2 as strings of JSON. `None` if there are none.
pub(crate) fn messages(vsn: Vsn, frames: &[Frames]) -> Option<Box<RawValue>> {
    let mut json = String::new();
    for frames in frames.iter().cloned().map(Frames::into_bytes) {
        for text in frame::texts(&frames) {
            json.push(if json.is_empty() { '[' } else { ',' });
            match vsn {
                Vsn::V1 => json.push_str(text),
                Vsn::V2 => json.push_str(&quote(text)),
            }
        }
    }
    if json.is_empty() {
        return None;
    }
    json.push(']');
    Some(RawValue::from_string(json).expect("messages are written as JSON"))
}
