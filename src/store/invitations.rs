//! The table `invitations`: addresses that were invited and have not accepted yet. A row goes when that is over.
//!
//! An address is invited once, whoever invites it: what it is invited to hangs on the row, in `invitation_enrollments`
//! (organizations) and `invitation_senders` (the server itself). Rows of the original have neither.

use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction,
    error::Optional as _,
    now,
    reference::is_storable,
    schema::{audit_entries, invitation_enrollments, invitation_senders, invitations},
};

diesel::define_sql_function! {
    /// In lower case: SQLite knows ASCII only.
    fn lower(text: diesel::sql_types::Nullable<diesel::sql_types::Text>) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// What invitations are called in the audit log.
pub const RESOURCE: &str = "invitations";
/// Somebody is invited.
pub const INVITE: &str = "invite";
/// The mail is sent again.
pub const RESEND: &str = "resend";

/// Somebody who is invited.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub struct Invitation {
    /// The primary key.
    pub id: i32,
    /// What to call them.
    pub name: Option<String>,
    /// Their address, unique.
    pub email: Option<String>,
    /// What is stored of the link's token: a hash, or one of the original's tokens as it is.
    pub token: Option<String>,
    /// Since when they are invited.
    pub inserted_at: NaiveDateTime,
}

/// Without the token, which may be a secret.
impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The invitation with this id.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Invitation>> {
    on_conn!(conn, |raw| invitations::table.find(id).select(Invitation::as_select()).first(raw)).optional()
}

/// The invitation whose token is stored in one of these forms.
pub async fn find_by_token(conn: &mut DbConn, forms: &[String]) -> Result<Option<Invitation>> {
    on_conn!(conn, |raw| invitations::table
        .filter(invitations::token.eq_any(forms))
        .select(Invitation::as_select())
        .first(raw))
    .optional()
}

/// The invitation of this address, in whatever upper and lower case.
pub async fn find_by_email(conn: &mut DbConn, email: &str) -> Result<Option<Invitation>> {
    if !is_storable(email) {
        return Ok(None);
    }
    on_conn!(conn, |raw| invitations::table
        .filter(lower(invitations::email).eq(lower(email)))
        .order(invitations::id)
        .select(Invitation::as_select())
        .first(raw))
    .optional()
}

/// The invitations that this user sent, to the server or into organizations, the newest first.
pub async fn list_by(conn: &mut DbConn, user_id: i32) -> Result<Vec<Invitation>> {
    on_conn!(conn, |raw| {
        let into_organizations = invitation_enrollments::table
            .filter(invitation_enrollments::inviter_id.eq(user_id))
            .select(invitation_enrollments::invitation_id);
        let to_the_server = invitation_senders::table
            .filter(invitation_senders::user_id.eq(user_id))
            .select(invitation_senders::invitation_id);
        invitations::table
            .filter(invitations::id.eq_any(into_organizations).or(invitations::id.eq_any(to_the_server)))
            .order(invitations::id.desc())
            .select(Invitation::as_select())
            .load(raw)
    })
}

/// Creates an invitation, still without a token.
///
/// # Errors
///
/// [`Error::Duplicate`](super::Error::Duplicate) when the address is invited already.
pub async fn create(tx: &mut Transaction<'_>, name: Option<&str>, email: &str) -> Result<Invitation> {
    let now = now();
    on_conn!(tx, |raw| diesel::insert_into(invitations::table)
        .values((
            invitations::name.eq(name),
            invitations::email.eq(email),
            invitations::inserted_at.eq(now),
            invitations::updated_at.eq(now),
        ))
        .returning(Invitation::as_returning())
        .get_result(raw))
}

/// Keeps what is to be stored of the link's token, in the place of an earlier one.
pub async fn keep_token(tx: &mut Transaction<'_>, id: i32, stored: &str) -> Result<()> {
    on_conn!(tx, |raw| diesel::update(invitations::table.find(id))
        .set((invitations::token.eq(stored), invitations::updated_at.eq(now())))
        .execute(raw))
    .map(drop)
}

/// Removes an invitation with everything that hangs on it; `false` when somebody else was faster.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<bool> {
    let deleted = on_conn!(tx, |raw| diesel::delete(invitations::table.find(id)).execute(raw))?;
    Ok(deleted > 0)
}

/// Removes an invitation to which nothing hangs any more; returns whether it did.
pub async fn delete_if_bare(tx: &mut Transaction<'_>, id: i32) -> Result<bool> {
    let deleted = on_conn!(tx, |raw| diesel::delete(
        invitations::table
            .find(id)
            .filter(diesel::dsl::not(diesel::dsl::exists(
                invitation_enrollments::table.filter(invitation_enrollments::invitation_id.eq(id))
            )))
            .filter(diesel::dsl::not(diesel::dsl::exists(
                invitation_senders::table.filter(invitation_senders::invitation_id.eq(id))
            )))
    )
    .execute(raw))?;
    Ok(deleted > 0)
}

/// How many mails with invitations this user caused since then. The audit log tells, from which nothing is ever removed.
pub async fn count_sent_by(conn: &mut DbConn, user_id: i32, since: NaiveDateTime) -> Result<i64> {
    on_conn!(conn, |raw| audit_entries::table
        .filter(audit_entries::actor_id.eq(user_id))
        .filter(audit_entries::resource.eq(RESOURCE))
        .filter(audit_entries::action.eq_any([INVITE, RESEND]))
        .filter(audit_entries::inserted_at.gt(since))
        .count()
        .get_result(raw))
}
