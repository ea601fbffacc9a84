//! Limits of what one user may have. They are far above normal use, and keep a single JWT from filling the database.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{
    Error, Result, Transaction,
    schema::{enrollments, user_tokens, users},
    user_tokens::valid,
    users::User,
};

/// Limits of one user; 0 is no limit. Root users have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserLimits {
    /// Maximum organizations of a user, counting those that the user administers; at the maximum, creating another one
    /// fails.
    pub organizations: u32,
    /// Maximum number of valid tokens.
    pub tokens: u32,
    /// Maximum changes an hour, by REST and by pages; a burst may use all of them. Each is a row of the audit log,
    /// which is never emptied.
    pub changes_per_hour: u32,
}

impl Default for UserLimits {
    fn default() -> Self {
        Self { organizations: 1000, tokens: 1000, changes_per_hour: 10_000 }
    }
}

impl UserLimits {
    /// Checks that the user may create another organization.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaUsedUp`].
    pub async fn check_organizations(&self, tx: &mut Transaction<'_>, user: &User) -> Result<()> {
        if user.is_root || self.organizations == 0 {
            return Ok(());
        }
        hold(tx, user).await?;
        let administered =
            enrollments::table.filter(enrollments::user_id.eq(user.id)).filter(enrollments::is_admin.eq(true)).count();
        let count: i64 = on_conn!(tx, |raw| administered.get_result(raw))?;
        check(count, self.organizations, "organization", "organizations that you administer; delete one")
    }

    /// Checks that this user, who is not root, may create another token. Root users may always, for themselves and for
    /// others.
    ///
    /// # Errors
    ///
    /// [`Error::QuotaUsedUp`].
    pub async fn check_tokens(&self, tx: &mut Transaction<'_>, by: &User) -> Result<()> {
        if by.is_root || self.tokens == 0 {
            return Ok(());
        }
        hold(tx, by).await?;
        let valid = user_tokens::table.filter(user_tokens::user_id.eq(by.id)).filter(valid!()).count();
        let count: i64 = on_conn!(tx, |raw| valid.get_result(raw))?;
        check(count, self.tokens, "token", "valid tokens of yours; invalidate one")
    }
}

/// Makes the user's other requests that count the same rows wait until the transaction ends: they would see the same
/// number.
async fn hold(tx: &mut Transaction<'_>, user: &User) -> Result<()> {
    let row = users::table.find(user.id);
    on_conn!(tx, |raw| diesel::update(row).set(users::updated_at.eq(users::updated_at)).execute(raw)).map(drop)
}

fn check(count: i64, most: u32, field: &'static str, advice: &'static str) -> Result<()> {
    if count < i64::from(most) { Ok(()) } else { Err(Error::QuotaUsedUp { field, most, advice }) }
}
