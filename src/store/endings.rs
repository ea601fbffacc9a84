//! Ends what a user has open. Every reason to end something of a user goes through [`end`]: each reason is one `Scope`,
//! and no caller has a list of its own. API tokens end by [`user_tokens`](super::user_tokens): no reason ends them
//! together with anything else.

use super::{
    Result, Transaction,
    effects::Revocation,
    email_changes, rememberables, sessions,
    user_suspensions::{self, Cause},
};

/// Part of what a user has open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The sockets of pages: consoles, and all others that came from no token.
    Consoles,
    /// Every browser: sessions, remembered browsers, their consoles, and a pending change of address that may have been
    /// requested in one of them. For a new password.
    Browsers,
    /// Every socket, whatever its origin; for a user who loses root rights and continues as an ordinary user.
    Sockets,
    /// Every browser and every socket. Tokens stay as they are: whether they are valid is decided elsewhere, so that
    /// this can be undone. For a user who is suspended.
    Everything,
}

/// Ends what a user has open; the sockets close when the transaction is committed.
pub async fn end(tx: &mut Transaction<'_>, user_id: i32, scope: Scope) -> Result<()> {
    match scope {
        Scope::Consoles => tx.revoke(Revocation::Pages(user_id)),
        Scope::Browsers => end_browsers(tx, user_id).await?,
        Scope::Sockets => tx.revoke(Revocation::User(user_id)),
        Scope::Everything => {
            end_browsers(tx, user_id).await?;
            tx.revoke(Revocation::User(user_id));
        }
    }
    Ok(())
}

async fn end_browsers(tx: &mut Transaction<'_>, user_id: i32) -> Result<()> {
    sessions::delete_all_of(tx, user_id).await?;
    rememberables::delete_all_of(tx, user_id).await?;
    // An intruder in one of these browsers may have asked for another address.
    email_changes::delete(tx, user_id).await?;
    Ok(())
}

/// Suspends a user for this cause, and ends everything that is open.
///
/// # Errors
///
/// [`Error::NotFound`](super::Error::NotFound) when there is no such user.
pub async fn suspend(tx: &mut Transaction<'_>, user_id: i32, cause: Cause) -> Result<()> {
    user_suspensions::add(tx, user_id, cause).await?;
    end(tx, user_id, Scope::Everything).await
}
