//! The table `invitations`: addresses that were invited and have not accepted yet. A row is deleted when the invitation
//! is over.
//!
//! An address has one invitation, however many users invite it. The targets are in tables that refer to the row:
//! `invitation_enrollments` (organizations) and `invitation_senders` (the server itself). Rows of the original have
//! neither.

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
    /// Converts to lower case; SQLite does that for ASCII letters only.
    fn lower(text: diesel::sql_types::Nullable<diesel::sql_types::Text>) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// Name of invitations in the audit log.
pub const RESOURCE: &str = "invitations";
/// Action: an address is invited.
pub const INVITE: &str = "invite";
/// Action: the mail is sent again.
pub const RESEND: &str = "resend";

/// An invited address.
#[derive(Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = invitations)]
pub struct Invitation {
    /// The primary key.
    pub id: i32,
    /// Name of the invitee.
    pub name: Option<String>,
    /// Address of the invitee, unique.
    pub email: Option<String>,
    /// Stored form of the link's token: a hash, or a token of the original as it is.
    pub token: Option<String>,
    /// Time of the invitation.
    pub inserted_at: NaiveDateTime,
}

/// Omits the token, which may be a secret.
impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Returns the invitation with this id.
pub async fn find(conn: &mut DbConn, id: i32) -> Result<Option<Invitation>> {
    on_conn!(conn, |raw| invitations::table.find(id).select(Invitation::as_select()).first(raw)).optional()
}

/// Returns the invitation whose token is stored in one of these forms.
pub async fn find_by_token(conn: &mut DbConn, forms: &[String]) -> Result<Option<Invitation>> {
    on_conn!(conn, |raw| invitations::table
        .filter(invitations::token.eq_any(forms))
        .select(Invitation::as_select())
        .first(raw))
    .optional()
}

/// Returns the invitation of this address, ignoring case.
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

/// Returns the invitations that this user sent, to the server or into organizations, the newest first.
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

/// Stores the link's token, in place of an earlier one.
pub async fn keep_token(tx: &mut Transaction<'_>, id: i32, stored: &str) -> Result<()> {
    on_conn!(tx, |raw| diesel::update(invitations::table.find(id))
        .set((invitations::token.eq(stored), invitations::updated_at.eq(now())))
        .execute(raw))
    .map(drop)
}

/// Deletes an invitation with all its enrollments and senders; `false` when another transaction was faster.
pub async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<bool> {
    let deleted = on_conn!(tx, |raw| diesel::delete(invitations::table.find(id)).execute(raw))?;
    Ok(deleted > 0)
}

/// Deletes an invitation that has neither enrollments nor senders; returns true if it did.
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

/// Returns the number of invitation mails that this user has caused since this time. Counts entries of the audit log,
/// which never loses any.
pub async fn count_sent_by(conn: &mut DbConn, user_id: i32, since: NaiveDateTime) -> Result<i64> {
    on_conn!(conn, |raw| audit_entries::table
        .filter(audit_entries::actor_id.eq(user_id))
        .filter(audit_entries::resource.eq(RESOURCE))
        .filter(audit_entries::action.eq_any([INVITE, RESEND]))
        .filter(audit_entries::inserted_at.gt(since))
        .count()
        .get_result(raw))
}
