//! What one application may use, where that differs from the settings: fields of its form.

use super::{Cell, Differences, Draft, Fact, Refusal};
use crate::store::{
    self, DbConn, Transaction,
    application_limits::{self, ApplicationLimits},
};

/// What is said of the fields.
pub(super) const HINT: &str = "Leave it empty for what the settings say; 0 is no limit.";

/// The fields.
const SOCKETS: &str = "sockets";
const EVENTS: &str = "events_per_second";
const EVENTS_PER_SOCKET: &str = "events_per_socket";

/// The limits as they are, to be shown, and to be filled in.
pub(super) async fn show(
    conn: &mut DbConn,
    application_id: i32,
) -> store::Result<([Fact; 3], [(&'static str, String); 3])> {
    let limits = application_limits::find(conn, application_id).await?;
    let facts = named(&limits).map(|(_, label, limit)| Fact::new(label, Cell::Text { text: words(limit) }));
    let values = named(&limits).map(|(field, _, limit)| (field, typed(limit)));
    Ok((facts, values))
}

/// Changes the limits to what the draft says, and notes what that changes.
///
/// # Errors
///
/// [`Refusal::Invalid`] when a field holds no number.
pub(super) async fn save(
    tx: &mut Transaction<'_>,
    application_id: i32,
    draft: &mut Draft,
    differences: &mut Differences,
) -> Result<(), Refusal> {
    let limits = ApplicationLimits {
        sockets: read(draft, SOCKETS),
        events_per_second: read(draft, EVENTS),
        events_per_socket: read(draft, EVENTS_PER_SOCKET),
    };
    draft.check()?;
    let before = application_limits::find(tx, application_id).await?;
    if limits == before {
        return Ok(());
    }
    for ((field, _, old), (_, _, new)) in named(&before).into_iter().zip(named(&limits)) {
        let [old, new] = [old, new].map(|limit| limit.map(|limit| limit.to_string()));
        differences.column(field, old.as_deref(), new.as_deref());
    }
    Ok(application_limits::set(tx, application_id, &limits).await?)
}

fn named(limits: &ApplicationLimits) -> [(&'static str, &'static str, Option<i32>); 3] {
    [
        (SOCKETS, "Most sockets", limits.sockets),
        (EVENTS, "Most events per second", limits.events_per_second),
        (EVENTS_PER_SOCKET, "Most events per second and socket", limits.events_per_socket),
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

/// The number in a field; nothing in an empty one. Notes an error beside any other.
fn read(draft: &mut Draft, field: &'static str) -> Option<i32> {
    let typed = draft.form.value(field);
    let number = typed.parse().ok().filter(|number| *number >= 0);
    if number.is_none() && !typed.is_empty() {
        draft.form.error(field, format!("is no number between 0 and {}", i32::MAX));
    }
    number
}
