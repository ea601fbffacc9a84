//! The payloads of events.

use pusher_lite_json_text::check_surrogates;
use serde_json::value::RawValue;

/// The payload of an event, in a form that every receiver can read: a JSON object without surrounding white space, and
/// without half surrogates. Only [`EventPayload::check`] and the decoders create one, so that nothing else can be
/// published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPayload<'a>(&'a str);

/// Reason why JSON cannot be the payload of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// It is not an object, which clients expect.
    #[error("payload must be an object")]
    NotObject,
    /// A `\u` escape in it names half of a surrogate pair.
    #[error("payload must not escape half a surrogate pair")]
    LoneSurrogate,
}

impl<'a> EventPayload<'a> {
    /// Checks JSON that did not come in a client's message.
    ///
    /// # Errors
    ///
    /// [`PayloadError`].
    ///
    /// ```
    /// use pusher_lite_protocol::{EventPayload, PayloadError};
    /// let check = |json| EventPayload::check(serde_json::from_str(json).unwrap()).map(|payload| payload.as_str().to_owned());
    /// assert_eq!(check(r#" {"a" : 1} "#).unwrap(), r#"{"a" : 1}"#);
    /// assert_eq!(check("[]"), Err(PayloadError::NotObject));
    /// assert_eq!(check(r#"{"a":"\ud800"}"#), Err(PayloadError::LoneSurrogate));
    /// ```
    pub fn check(json: &'a RawValue) -> Result<EventPayload<'a>, PayloadError> {
        if !json.get().starts_with('{') {
            return Err(PayloadError::NotObject);
        }
        check_surrogates(json.get()).map_err(|_| PayloadError::LoneSurrogate)?;
        Ok(EventPayload(json.get()))
    }

    /// Returns the payload in a message that was checked for half surrogates as a whole. `None` if it is no object.
    pub(crate) fn of_checked(json: &'a str) -> Option<EventPayload<'a>> {
        json.starts_with('{').then_some(EventPayload(json))
    }

    /// Returns the JSON text, with its spelling.
    pub fn as_str(self) -> &'a str {
        self.0
    }
}
