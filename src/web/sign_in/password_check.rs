//! Check of an address and a password to sign in.

use crate::{
    auth::{ProvenPassword, lock, password},
    operations::accounts,
    store::{audit::Actor, credentials, now, user_suspensions, users::User},
    web::{App, Error, session::Trust},
};

/// Result of a check.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The user may sign in.
    Welcome(User, ProvenPassword),
    /// The password is right, but the address is not confirmed.
    Unconfirmed(ProvenPassword),
    /// The password is right, but a root user suspended the account.
    Suspended(ProvenPassword),
    /// There is no such account, or it has another password, or it is locked: the answer does not say which.
    Refused,
}

impl Outcome {
    /// Returns the password if it is right, whether or not the user may sign in.
    pub(super) fn proven(self) -> Option<ProvenPassword> {
        match self {
            Self::Welcome(_, password) | Self::Unconfirmed(password) | Self::Suspended(password) => Some(password),
            Self::Refused => None,
        }
    }
}

/// Checks a password. A wrong one is counted; the last one allowed locks the account, and its owner is told by mail.
///
/// A locked account refuses the right password too: otherwise it could still be guessed. That does not apply to places
/// from which the account was signed in before: there the budget of [`Trust::Known`] is the limit, so that strangers
/// cannot lock the owner out.
pub(super) async fn check(app: &App, email: &str, typed: &str, actor: &Actor, trust: Trust) -> Result<Outcome, Error> {
    let found = credentials::find_by_email(&mut app.db.conn().await?, email).await?;
    let hash = found.as_ref().and_then(|found| found.password_hash.as_deref());
    let (proven, id) = (password::prove(typed, hash).await, found.as_ref().map(|found| found.user.id));
    let (Some(proven), Some(id)) = (proven, id) else {
        let mailing = app.mailing();
        let counting = app.db.record(async |tx| match id {
            Some(id) => accounts::count_wrong_password(tx, actor, mailing, id).await,
            None => accounts::count_nobodys_failure(tx, mailing, email).await,
        });
        counting.await?;
        return Ok(Outcome::Refused);
    };
    // The row may have changed while the password was checked: other clients guess at the same time.
    let mut conn = app.db.conn().await?;
    let current = credentials::find(&mut conn, id).await?;
    let is_suspended = user_suspensions::is_suspended(&mut conn, id).await?;
    drop(conn);
    match current {
        Some(current) if !proven.is_of(current.password_hash.as_deref()) => Ok(Outcome::Refused),
        Some(current) if trust == Trust::Unknown && lock::is_locked(current.locked_at, now()) => Ok(Outcome::Refused),
        Some(_) if is_suspended => Ok(Outcome::Suspended(proven)),
        Some(current) if current.user.confirmed_at.is_none() => Ok(Outcome::Unconfirmed(proven)),
        Some(current) => {
            let proven = improve_hash(app, id, proven).await?;
            Ok(Outcome::Welcome(current.user, proven))
        }
        None => Ok(Outcome::Refused),
    }
}

/// Hashes a password again that the original hashed with less work. Returns it with the hash that it has now.
async fn improve_hash(app: &App, id: i32, old: ProvenPassword) -> Result<ProvenPassword, Error> {
    let Some(new) = old.improved().await.map_err(Error::internal)? else { return Ok(old) };
    app.db.record(async |tx| credentials::replace_hash(tx, id, old.hash(), new.hash()).await).await?;
    Ok(new)
}
