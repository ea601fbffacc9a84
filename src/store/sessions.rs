//! The table `sessions`: the browsers in which somebody is signed in.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction,
    error::Optional as _,
    now,
    reference::truncated,
    schema::{sessions, users},
    users::User,
};

/// A browser in which somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct Session {
    /// The hash of the id that the browser's cookie holds.
    pub id_hash: String,
    /// Who is signed in.
    pub user_id: i32,
    /// Where from, when the session began.
    pub ip: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    /// When it last asked for a page, to about a minute.
    pub last_seen_at: NaiveDateTime,
    /// When the session began.
    pub inserted_at: NaiveDateTime,
}

/// A session to begin. Texts that are too long for their columns are cut.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// The hash of the id that the browser's cookie holds.
    pub id_hash: &'a str,
    /// Who is signed in.
    pub user_id: i32,
    /// Where from.
    pub ip: &'a str,
    /// What the browser calls itself.
    pub user_agent: Option<&'a str>,
}

/// The session with this hash, and its user, if it has been seen within `idle`.
pub async fn find(conn: &mut DbConn, id_hash: &str, idle: TimeDelta) -> Result<Option<(Session, User)>> {
    let since = now() - idle;
    on_conn!(conn, |raw| sessions::table
        .inner_join(users::table)
        .filter(sessions::id_hash.eq(id_hash))
        .filter(sessions::last_seen_at.gt(since))
        .select((Session::as_select(), User::as_select()))
        .first(raw))
    .optional()
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

/// Notes that the session is used now.
pub async fn touch(tx: &mut Transaction<'_>, id_hash: &str) -> Result<()> {
    let session = sessions::table.find(id_hash);
    on_conn!(tx, |raw| diesel::update(session).set(sessions::last_seen_at.eq(now())).execute(raw)).map(drop)
}

/// Ends the session, if there is one.
pub async fn delete(tx: &mut Transaction<'_>, id_hash: &str) -> Result<()> {
    on_conn!(tx, |raw| diesel::delete(sessions::table.find(id_hash)).execute(raw)).map(drop)
}

/// Ends all sessions of the user: on sign-out everywhere, and when the password changes.
pub async fn delete_all_of(tx: &mut Transaction<'_>, user_id: i32) -> Result<()> {
    let of_user = sessions::table.filter(sessions::user_id.eq(user_id));
    on_conn!(tx, |raw| diesel::delete(of_user).execute(raw)).map(drop)
}

/// Removes the sessions that have not been seen within `idle`.
pub async fn delete_idle(tx: &mut Transaction<'_>, idle: TimeDelta) -> Result<()> {
    let idle = sessions::table.filter(sessions::last_seen_at.le(now() - idle));
    on_conn!(tx, |raw| diesel::delete(idle).execute(raw)).map(drop)
}
