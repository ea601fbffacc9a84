//! The table `application_policies`: demands of single applications on those who connect to them.

use std::fmt;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    DbConn, Result, Transaction,
    effects::Revocation,
    error::Optional as _,
    now,
    schema::{application_policies, applications},
    signing_secret::SigningSecret,
};

/// Demands of an application on those who connect to it. By default none, as in the original.
#[derive(Clone, Debug, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = application_policies)]
pub struct Policy {
    /// True if JWTs open sockets that are signed with the application's secret.
    pub accepts_signed: bool,
    /// True if JWTs open no socket that are not restricted to the application.
    pub requires_restricted: bool,
    /// Patterns of the topics that only a JWT opens that lists its topics, one on each line.
    pub named_topics: String,
    /// Origins of the pages that may connect, one on each line; empty for all.
    pub allowed_origins: String,
    /// True if sockets are closed when their JWT expires.
    pub ends_expired: bool,
}

impl Policy {
    /// No demands.
    pub const NONE: Self = Self {
        accepts_signed: false,
        requires_restricted: false,
        named_topics: String::new(),
        allowed_origins: String::new(),
        ends_expired: false,
    };

    /// Demands of a new application: none, and its secret signs.
    pub const OF_NEW: Self = Self {
        accepts_signed: true,
        requires_restricted: false,
        named_topics: String::new(),
        allowed_origins: String::new(),
        ends_expired: false,
    };

    /// Returns the names of the columns with their values.
    pub fn columns(&self) -> [(&'static str, String); 5] {
        [
            ("accepts_signed", self.accepts_signed.to_string()),
            ("requires_restricted", self.requires_restricted.to_string()),
            ("named_topics", self.named_topics.lines().collect::<Vec<_>>().join(", ")),
            ("allowed_origins", self.allowed_origins.lines().collect::<Vec<_>>().join(", ")),
            ("ends_expired", self.ends_expired.to_string()),
        ]
    }
}

/// A policy, and the secret that a rotation replaced.
#[derive(Clone, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = application_policies)]
pub struct WithSecret {
    #[diesel(embed)]
    pub policy: Policy,
    /// The secret that signs until the rotation is ended.
    pub previous_secret: Option<String>,
}

/// Omits the secret.
impl fmt::Debug for WithSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithSecret").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl WithSecret {
    /// Returns the secrets whose JWTs open sockets of the application.
    pub fn signing_secrets(&self, current: Option<&str>) -> Vec<SigningSecret> {
        if !self.policy.accepts_signed {
            return Vec::new();
        }
        [current, self.previous_secret.as_deref()].into_iter().flatten().filter_map(SigningSecret::of).collect()
    }
}

/// Returns the policy of an application, with the secret that a rotation replaced.
pub async fn find(conn: &mut DbConn, application_id: i32) -> Result<WithSecret> {
    let found = on_conn!(conn, |raw| application_policies::table
        .find(application_id)
        .select(WithSecret::as_select())
        .first(raw));
    Ok(found.optional()?.unwrap_or_default())
}

/// Returns the policies of these applications by id. An application without a row is not among them.
pub(super) async fn among(conn: &mut DbConn, application_ids: &[i32]) -> Result<Vec<(i32, WithSecret)>> {
    if application_ids.is_empty() {
        return Ok(Vec::new());
    }
    on_conn!(conn, |raw| application_policies::table
        .filter(application_policies::application_id.eq_any(application_ids))
        .select((application_policies::application_id, WithSecret::as_select()))
        .load(raw))
}

/// Replaces the policy of an application. If it does not accept signed JWTs, the sockets close that were opened with one.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn set(tx: &mut Transaction<'_>, application_id: i32, policy: &Policy) -> Result<()> {
    let now = now();
    let row = (
        application_policies::application_id.eq(application_id),
        policy,
        application_policies::inserted_at.eq(now),
        application_policies::updated_at.eq(now),
    );
    on_conn!(tx, |raw| diesel::insert_into(application_policies::table)
        .values(row)
        .on_conflict(application_policies::application_id)
        .do_update()
        .set((policy, application_policies::updated_at.eq(now)))
        .execute(raw))?;
    if policy.accepts_signed { Ok(()) } else { revoke_other_secrets(tx, application_id).await }
}

/// Sets the secret that signs beside the current one; `None` ends it. Its sockets close then.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such application.
pub async fn set_previous_secret(tx: &mut Transaction<'_>, application_id: i32, secret: Option<&str>) -> Result<()> {
    let now = now();
    let row = (
        application_policies::application_id.eq(application_id),
        Policy::default(),
        application_policies::previous_secret.eq(secret),
        application_policies::inserted_at.eq(now),
        application_policies::updated_at.eq(now),
    );
    on_conn!(tx, |raw| diesel::insert_into(application_policies::table)
        .values(row)
        .on_conflict(application_policies::application_id)
        .do_update()
        .set((application_policies::previous_secret.eq(secret), application_policies::updated_at.eq(now)))
        .execute(raw))?;
    revoke_other_secrets(tx, application_id).await
}

/// Closes the sockets of secrets that are no longer those of the application.
pub(super) async fn revoke_other_secrets(tx: &mut Transaction<'_>, application_id: i32) -> Result<()> {
    let (app_key, app_secret): (Option<String>, Option<String>) = on_conn!(tx, |raw| applications::table
        .find(application_id)
        .select((applications::app_key, applications::app_secret))
        .first(raw))?;
    let secrets = find(tx, application_id).await?.signing_secrets(app_secret.as_deref());
    if let Some(app_key) = app_key {
        tx.revoke(Revocation::Secrets { app_key, kept: secrets.iter().map(SigningSecret::id).collect() });
    }
    Ok(())
}
