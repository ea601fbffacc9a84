//! Whether an address and a password sign somebody in.

use super::links::{Link, NOBODY, Recipient};
use crate::{
    app::App,
    auth::{lock, password},
    store::{
        self,
        audit::{self, Actor, NewEntry},
        credentials::{self, Credentials},
        now,
        users::User,
    },
    web::Error,
};

/// What comes of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The user may come in.
    Welcome(User),
    /// The password is right, but the address was never confirmed.
    Unconfirmed,
    /// There is no such account, or it has another password, or it is locked: which one is not said.
    Refused,
}

/// Checks a password. A wrong one is counted; the last one allowed locks the account, and its owner is told by mail.
///
/// The audit log tells of locks and not of each wrong password: whoever guesses could fill it with those.
///
/// A locked account refuses the right password too: otherwise it could still be guessed.
pub(super) async fn check(app: &App, email: &str, typed: &str, actor: &Actor) -> Result<Outcome, Error> {
    let found = credentials::find_by_email(&mut app.db.conn().await?, email).await?;
    let hash = found.as_ref().and_then(|found| found.password_hash.as_deref());
    let is_right = password::verify(typed, hash).await;
    let id = found.as_ref().map_or(NOBODY, |found| found.user.id);
    if !is_right && id == NOBODY {
        // There is nothing to count, but the time must not tell.
        app.db.record(async |tx| Link::Unlock.send(tx, app, Recipient::nobody(email)).await).await?;
    } else if !is_right {
        fail(app, id, actor).await?;
    }
    if !is_right {
        return Ok(Outcome::Refused);
    }
    // What was read before the password was checked may have changed: others guess at the same time.
    let current = credentials::find(&mut app.db.conn().await?, id).await?;
    match current {
        Some(current) if current.password_hash.as_deref() != hash => Ok(Outcome::Refused),
        Some(current) if lock::is_locked(current.locked_at, now()) => Ok(Outcome::Refused),
        Some(current) if current.user.confirmed_at.is_none() => Ok(Outcome::Unconfirmed),
        Some(current) => {
            improve_hash(app, &current, typed).await?;
            Ok(Outcome::Welcome(current.user))
        }
        None => Ok(Outcome::Refused),
    }
}

/// Counts a wrong password, unless the account is locked already.
async fn fail(app: &App, id: i32, actor: &Actor) -> Result<(), Error> {
    let locked = app
        .db
        .record(async |tx| {
            let locked_at = credentials::find(tx, id).await?.and_then(|before| before.locked_at);
            if lock::is_locked(locked_at, now()) {
                return Ok(false);
            }
            let failures = credentials::count_failure(tx, id, lock::is_over(locked_at, now())).await?;
            // Read again: on Postgres the count may have waited for another attempt that locked the account.
            let current = credentials::find(tx, id).await?.filter(|current| !lock::is_locked(current.locked_at, now()));
            let Some(current) = current.filter(|_| failures >= lock::MAX_FAILURES) else { return Ok(false) };
            credentials::lock(tx, id).await?;
            Link::Unlock.send(tx, app, Recipient::of(&current)).await?;
            let details = "too many wrong passwords";
            let entry = NewEntry { action: "lock", resource: "users", resource_id: Some(id), details };
            audit::record(tx, actor, &entry).await?;
            Ok::<_, store::Error>(true)
        })
        .await?;
    if locked {
        app.accounts.postbox.wake();
    }
    Ok(())
}

/// Hashes a password anew that the original hashed with less work. Its bytes beyond what bcrypt uses are no reason to
/// refuse it now.
async fn improve_hash(app: &App, credentials: &Credentials, typed: &str) -> Result<(), Error> {
    let Some(old) = credentials.password_hash.as_deref().filter(|hash| password::is_outdated(hash)) else {
        return Ok(());
    };
    let new = match password::hash(typed).await {
        Ok(new) => new,
        Err(password::Error::TooLong) => return Ok(()),
        Err(error) => return Err(Error::internal(error)),
    };
    let id = credentials.user.id;
    Ok(app.db.record(async |tx| credentials::replace_hash(tx, id, old, &new).await).await?)
}
