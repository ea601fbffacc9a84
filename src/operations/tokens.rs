//! Tokens of users: created, invalidated, restored and deleted.

use super::{Quota, Refusal, Rule, record};
use crate::store::{
    Result, Transaction, admin,
    audit::{Actor, Differences},
    user_suspensions::{self, Standing},
    user_tokens::{self, UserToken},
    users,
};

const RESOURCE: &str = "user_tokens";

/// Creates a token for a user.
///
/// # Errors
///
/// [`Error::QuotaUsedUp`](crate::store::Error::QuotaUsedUp), and [`Error::NotFound`](crate::store::Error::NotFound) when
/// there is no such user.
pub async fn create(tx: &mut Transaction<'_>, actor: &Actor, user_id: i32, quota: Quota<'_>) -> Result<UserToken> {
    if let Quota::Of(user, limits) = quota {
        limits.check_tokens(tx, user).await?;
    }
    let token = user_tokens::create(tx, user_id).await?;
    record_token(tx, actor, "create", &token).await?;
    Ok(token)
}

/// Creates a token for another user, whom a root user or the operator names. No quota counts.
///
/// # Errors
///
/// [`Rule::SuspendedOwner`] and [`Rule::UnconfirmedOwner`]: such a token could not be used;
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such user.
pub async fn create_for(tx: &mut Transaction<'_>, actor: &Actor, user_id: i32) -> Result<UserToken, Refusal> {
    users::lock(tx, user_id).await?;
    if user_suspensions::standing(tx, user_id).await? == Standing::Ended {
        let is_suspended = user_suspensions::is_suspended(tx, user_id).await?;
        return Err(if is_suspended { Rule::SuspendedOwner } else { Rule::UnconfirmedOwner }.into());
    }
    Ok(create(tx, actor, user_id, Quota::Unlimited).await?)
}

/// Invalidates a token, and closes the sockets whose JWT came from it. Returns it, and whether it was valid; one that was
/// not gets a new time, as in the original.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such token.
pub async fn invalidate(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<(UserToken, bool)> {
    let was_valid = user_tokens::lock(tx, id).await?.invalidated_at.is_none();
    let token = user_tokens::invalidate(tx, id).await?;
    if was_valid {
        record_token(tx, actor, "invalidate", &token).await?;
    }
    Ok((token, was_valid))
}

/// Invalidates all valid tokens of a user, and closes the sockets whose JWT came from one of them.
///
/// # Errors
///
/// Database errors.
pub async fn invalidate_all(tx: &mut Transaction<'_>, actor: &Actor, user_id: i32) -> Result<()> {
    for token in user_tokens::invalidate_all_of(tx, user_id).await? {
        record_token(tx, actor, "invalidate", &token).await?;
    }
    Ok(())
}

/// Makes an invalid token valid again. Returns true if it was invalid.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such token.
pub async fn restore(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<bool> {
    let token = user_tokens::lock(tx, id).await?;
    let restored = admin::user_tokens::restore(tx, id).await?;
    if restored {
        record_token(tx, actor, "restore", &token).await?;
    }
    Ok(restored)
}

/// Deletes a token with the record of its last use, and closes the sockets whose JWT came from it.
///
/// # Errors
///
/// As [`restore`].
pub async fn delete(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<()> {
    let token = admin::user_tokens::delete(tx, id).await?;
    record_token(tx, actor, "delete", &token).await
}

/// Records what happened to a token. Its last characters are those by which its owner tells it from others.
async fn record_token(tx: &mut Transaction<'_>, actor: &Actor, action: &str, token: &UserToken) -> Result<()> {
    let mut details = Differences::default();
    details.note("user_id", token.user_id);
    if !token.ending().is_empty() {
        details.text("ends in", token.ending());
    }
    record(tx, actor, action, (RESOURCE, token.id), &details).await
}
