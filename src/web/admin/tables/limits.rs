//! Limits of one application that differ from the settings: fields of its form.

use super::{Cell, Draft, Fact, Refusal};
use crate::store::{
    self, DbConn,
    application_limits::{self, OwnSettings},
};

/// Hint of the fields.
pub(super) const HINT: &str = "Leave it empty to use the server's settings. 0 means no limit.";

/// Names of the fields.
const SOCKETS: &str = "sockets";
const EVENTS: &str = "events_per_second";
const EVENTS_PER_SOCKET: &str = "events_per_socket";

/// Returns the current limits, for the page and for the form.
pub(super) async fn show(
    conn: &mut DbConn,
    application_id: i32,
) -> store::Result<([Fact; 3], [(&'static str, String); 3])> {
    let limits = application_limits::find(conn, application_id).await?;
    let facts = named(&limits).map(|(_, label, limit)| Fact::new(label, Cell::Text { text: words(limit) }));
    let values = named(&limits).map(|(field, _, limit)| (field, typed(limit)));
    Ok((facts, values))
}

/// Returns the limits that the draft says.
///
/// # Errors
///
/// [`Refusal::Invalid`] when a field holds no number.
pub(super) fn read_all(draft: &mut Draft<'_>) -> Result<OwnSettings, Refusal> {
    let limits = OwnSettings {
        sockets: read(draft, SOCKETS),
        events_per_second: read(draft, EVENTS),
        events_per_socket: read(draft, EVENTS_PER_SOCKET),
    };
    draft.check()?;
    Ok(limits)
}

fn named(limits: &OwnSettings) -> [(&'static str, &'static str, Option<i32>); 3] {
    [
        (SOCKETS, "Maximum sockets", limits.sockets),
        (EVENTS, "Maximum events per second", limits.events_per_second),
        (EVENTS_PER_SOCKET, "Maximum events per second per socket", limits.events_per_socket),
    ]
}

fn words(limit: Option<i32>) -> String {
    match limit {
        None => "as the settings say".to_owned(),
        Some(0) => "no limit".to_owned(),
        Some(limit) => limit.to_string(),
    }
}

fn typed(limit: Option<i32>) -> String {
    limit.map(|limit| limit.to_string()).unwrap_or_default()
}

/// Returns the number in a field; nothing for an empty one. Records an error beside any other.
fn read(draft: &mut Draft<'_>, field: &'static str) -> Option<i32> {
    let typed = draft.form.value(field);
    let number = typed.parse().ok().filter(|number| *number >= 0);
    if number.is_none() && !typed.is_empty() {
        draft.form.error(field, format!("is no number between 0 and {}", i32::MAX));
    }
    number
}
