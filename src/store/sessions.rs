//! The table `sessions`: the signed-in browsers.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

pub use super::session_hash::SessionHash;
use super::{
    DbConn, Result, Transaction,
    effects::Revocation,
    error::Optional as _,
    now,
    reference::truncated,
    schema::{sessions, users},
    user_suspensions::active,
    users::User,
};

/// A session that asks for nothing for this long is over, also in a browser that is never closed.
const IDLE: TimeDelta = TimeDelta::hours(12);

/// A browser in which somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct Session {
    /// The hash of the id that the browser's cookie holds.
    pub id_hash: String,
    /// The signed-in user.
    pub user_id: i32,
    /// IP address at the beginning of the session.
    pub ip: Option<String>,
    /// User agent of the browser.
    pub user_agent: Option<String>,
    /// Time of the last page request, to about a minute.
    pub last_seen_at: NaiveDateTime,
    /// Time at which the session began.
    pub inserted_at: NaiveDateTime,
}

/// A new session. Texts that are too long for their columns are cut.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// The hash of the id that the browser's cookie holds.
    pub id_hash: &'a str,
    /// The signed-in user.
    pub user_id: i32,
    /// IP address.
    pub ip: &'a str,
    /// User agent of the browser.
    pub user_agent: Option<&'a str>,
}

/// The session with this hash, and its user, if it is not over and the user is active.
pub async fn find(conn: &mut DbConn, id_hash: &str) -> Result<Option<(Session, User)>> {
    let since = now() - IDLE;
    on_conn!(conn, |raw| sessions::table
        .inner_join(users::table)
        .filter(sessions::id_hash.eq(id_hash))
        .filter(sessions::last_seen_at.gt(since))
        .filter(active!())
        .select((Session::as_select(), User::as_select()))
        .first(raw))
    .optional()
}

/// Those of these sessions that are not over, each with its user's id.
pub(super) async fn active_among(conn: &mut DbConn, names: &[SessionHash]) -> Result<Vec<(SessionHash, i32)>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let (since, names) = (now() - IDLE, names.iter().map(SessionHash::to_string));
    let of_names = sessions::table.filter(sessions::id_hash.eq_any(names.collect::<Vec<_>>()));
    let found: Vec<(String, i32)> = on_conn!(conn, |raw| of_names
        .filter(sessions::last_seen_at.gt(since))
        .select((sessions::id_hash, sessions::user_id))
        .load(raw))?;
    Ok(found.into_iter().filter_map(|(name, user_id)| Some((SessionHash::parse(&name)?, user_id))).collect())
}

/// Begins a session.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such user.
pub async fn create(tx: &mut Transaction<'_>, new: &NewSession<'_>) -> Result<Session> {
    let now = now();
    on_conn!(tx, |raw| diesel::insert_into(sessions::table)
        .values((
            sessions::id_hash.eq(new.id_hash),
            sessions::user_id.eq(new.user_id),
            sessions::ip.eq(truncated(new.ip)),
            sessions::user_agent.eq(new.user_agent.map(truncated)),
            sessions::last_seen_at.eq(now),
            sessions::inserted_at.eq(now),
        ))
        .returning(Session::as_returning())
        .get_result(raw))
}

/// Records that the session is used now.
pub async fn touch(tx: &mut Transaction<'_>, id_hash: &str) -> Result<()> {
    let session = sessions::table.find(id_hash);
    on_conn!(tx, |raw| diesel::update(session).set(sessions::last_seen_at.eq(now())).execute(raw)).map(drop)
}

/// Ends the session, if there is one, and closes the sockets of its user's pages. Sockets of the user's other browsers
/// reconnect.
pub async fn delete(tx: &mut Transaction<'_>, id_hash: &str) -> Result<()> {
    let user_id: Option<i32> =
        on_conn!(tx, |raw| diesel::delete(sessions::table.find(id_hash)).returning(sessions::user_id).get_result(raw))
            .optional()?;
    if let Some(user_id) = user_id {
        tx.revoke(Revocation::Session { user_id, id_hash: id_hash.to_owned() });
    }
    Ok(())
}

/// Ends all sessions of the user, and closes the sockets of the user's pages. For [`endings`](super::endings).
pub(super) async fn delete_all_of(tx: &mut Transaction<'_>, user_id: i32) -> Result<()> {
    tx.revoke(Revocation::Pages(user_id));
    let of_user = sessions::table.filter(sessions::user_id.eq(user_id));
    on_conn!(tx, |raw| diesel::delete(of_user).execute(raw)).map(drop)
}

/// Removes expired sessions. It revokes nothing: they ended when they expired, and the sweep that compares open sockets with the
/// database every few seconds closes theirs.
pub async fn delete_idle(tx: &mut Transaction<'_>) -> Result<()> {
    let idle = sessions::table.filter(sessions::last_seen_at.le(now() - IDLE));
    on_conn!(tx, |raw| diesel::delete(idle).execute(raw)).map(drop)
}
