//! Locks of accounts, after too many wrong passwords.

use super::{RESOURCE, record, record_user};
use crate::{
    auth::lock,
    operations::{Link, Mailing, Recipient},
    store::{
        Result, Transaction,
        audit::{Actor, Differences},
        credentials, now, users,
    },
};

/// Counts a wrong password of an account, unless it is locked already. The last one allowed locks the account, and its
/// owner is told by mail.
///
/// The audit log records locks and not each wrong password: a guesser could fill it with those.
///
/// # Errors
///
/// Database errors.
pub async fn count_wrong_password(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    id: i32,
) -> Result<()> {
    let locked_at = credentials::find(tx, id).await?.and_then(|before| before.locked_at);
    if lock::is_locked(locked_at, now()) {
        return Ok(());
    }
    let failures = credentials::count_failure(tx, id, lock::is_over(locked_at, now())).await?;
    // Read again: on Postgres the count may have waited for another attempt that locked the account.
    let current = credentials::find(tx, id).await?.filter(|current| !lock::is_locked(current.locked_at, now()));
    let Some(current) = current.filter(|_| failures >= lock::MAX_FAILURES) else { return Ok(()) };
    credentials::lock(tx, id).await?;
    Link::Unlock.send(tx, mailing, Recipient::of(&current)).await?;
    let mut details = Differences::words("too many wrong passwords");
    details.column("email", None, current.user.email.as_deref());
    record(tx, actor, "lock", (RESOURCE, id), &details).await
}

/// Does the work of [`count_wrong_password`] for an address without an account, so that the time does not tell that there
/// is none.
///
/// # Errors
///
/// Database errors.
pub async fn count_nobodys_failure(tx: &mut Transaction<'_>, mailing: Mailing<'_>, email: &str) -> Result<()> {
    Link::Unlock.send(tx, mailing, Recipient::nobody(email)).await
}

/// Unlocks an account. Returns false if it is not locked.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such user.
pub async fn unlock(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<bool> {
    let user = users::lock(tx, id).await?;
    let locked_at = credentials::find(tx, id).await?.and_then(|found| found.locked_at);
    if !lock::is_locked(locked_at, now()) {
        return Ok(false);
    }
    credentials::unlock(tx, id).await?;
    record_user(tx, actor, "unlock", &user).await?;
    Ok(true)
}
