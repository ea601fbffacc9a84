//! Suspensions of accounts by root users.
//!
//! A root user may suspend the only active admin of an organization, as in [`LastAdmin::MayGo`]: an account that is
//! misused has to be shut whatever it administers.
//!
//! [`LastAdmin::MayGo`]: crate::operations::members::LastAdmin::MayGo

use super::{record_user, roots::Roots};
use crate::{
    operations::{Refusal, Rule},
    store::{
        Result, Transaction,
        audit::Actor,
        endings,
        user_suspensions::{self, Cause},
        users,
    },
};

/// Suspends a user, and ends everything that is open. Returns false if the user is suspended already.
///
/// # Errors
///
/// [`Rule::OwnSuspension`], [`Rule::NoLongerRoot`], [`Rule::LastRoot`];
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such user.
pub async fn suspend(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<bool, Refusal> {
    if actor.id == Some(id) {
        return Err(Rule::OwnSuspension.into());
    }
    let roots = Roots::lock(tx).await?;
    let user = users::lock(tx, id).await?;
    if user_suspensions::is_suspended(tx, id).await? {
        return Ok(false);
    }
    roots.check_end_of(&user, actor)?;
    endings::suspend(tx, id, Cause::Suspended).await?;
    record_user(tx, actor, "suspend", &user).await?;
    Ok(true)
}

/// Lifts a suspension. Returns false if the user is not suspended.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such user.
pub async fn reinstate(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<bool> {
    let user = users::lock(tx, id).await?;
    if !user_suspensions::lift(tx, id, Cause::Suspended).await? {
        return Ok(false);
    }
    record_user(tx, actor, "reinstate", &user).await?;
    Ok(true)
}
