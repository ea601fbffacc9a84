//! The names that no client may give to an event.

use crate::phoenix::event::{DISCONNECT, PRESENCE_DIFF, PRESENCE_STATE, REPLY_IN_CLIENT};

/// Reason why an event of this name cannot be published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Only the server sends events of this name.
    #[error("reserved event")]
    Reserved,
    /// The name is longer than the limit.
    #[error("the event is too long")]
    TooLong,
}

/// Checks that clients and REST may publish an event of this name. `longest` is the limit of its length in bytes.
///
/// # Errors
///
/// [`NameError`]; a reserved name is reserved whatever its length.
pub fn check(event: &str, longest: usize) -> Result<(), NameError> {
    if is_reserved(event) {
        return Err(NameError::Reserved);
    }
    if event.len() > longest { Err(NameError::TooLong) } else { Ok(()) }
}

/// Returns true if clients and REST may not publish an event of this name, because receivers take it for the server's
/// own.
///
/// ```
/// use pusher_lite_protocol::name;
/// assert!(name::is_reserved("phx_close"));
/// assert!(name::is_reserved("presence_diff"));
/// assert!(name::is_reserved("chan_reply_1")); // phoenix.js would take it for the answer to its message 1
/// assert!(!name::is_reserved("heartbeat")); // an ordinary name on an ordinary topic
/// assert!(name::is_reserved("\u{feff}phx_close")); // browsers drop the mark when they decode a binary push
/// ```
pub fn is_reserved(event: &str) -> bool {
    let event = event.trim_start_matches('\u{feff}');
    event.starts_with("phx_")
        || event.starts_with(REPLY_IN_CLIENT)
        || matches!(event, PRESENCE_STATE | PRESENCE_DIFF | DISCONNECT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_for_their_meaning_before_their_length() {
        for (event, expected) in [
            ("e", Ok(())),
            ("", Ok(())),
            ("eleven_long", Err(NameError::TooLong)),
            ("phx_x", Err(NameError::Reserved)),
            ("phx_anything_long", Err(NameError::Reserved)),
            ("\u{feff}disconnect", Err(NameError::Reserved)),
            ("chan_reply_", Err(NameError::Reserved)),
            ("\u{feff}chan_reply_1", Err(NameError::Reserved)),
            ("chan_reply", Ok(())),
            ("ten_bytes_", Ok(())),
        ] {
            assert_eq!(check(event, 10), expected, "{event}");
        }
    }
}
