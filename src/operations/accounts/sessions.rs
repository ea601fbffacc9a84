//! Browsers that are signed in.

use super::{ProvenUser, RESOURCE, record};
use crate::store::{
    Result, Transaction,
    audit::{Actor, Differences},
    credentials,
    endings::{self, Scope},
    sessions::{self, NewSession},
};

/// Proof of the identity of a visitor who signs in.
#[derive(Clone, Copy, Debug)]
pub enum Proof<'a> {
    /// The password, which the account still has. Wrong ones are forgotten, and a lock ends.
    Password(&'a ProvenUser),
    /// A mailed link. Wrong passwords are forgotten, and a lock ends.
    Link,
    /// A browser that is remembered. A lock stays: it protects against guessing of passwords, and ends no session.
    Remembered,
}

/// Begins a browser session, and records its address and time. Also removes idle sessions.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such user.
pub async fn sign_in(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    session: &NewSession<'_>,
    proof: Proof<'_>,
) -> Result<()> {
    let details = match proof {
        Proof::Password(_) | Proof::Link => {
            credentials::unlock(tx, session.user_id).await?;
            Differences::default()
        }
        Proof::Remembered => Differences::words("remembered"),
    };
    sessions::delete_idle(tx).await?;
    sessions::create(tx, session).await?;
    credentials::signed_in(tx, session.user_id, session.ip).await?;
    record(tx, actor, "sign_in", (RESOURCE, session.user_id), &details).await
}

/// Ends the browser session whose id has this hash.
///
/// # Errors
///
/// Database errors.
pub async fn sign_out(tx: &mut Transaction<'_>, actor: &Actor, user_id: i32, id_hash: &str) -> Result<()> {
    sessions::delete(tx, id_hash).await?;
    credentials::signed_out(tx, user_id).await?;
    record(tx, actor, "sign_out", (RESOURCE, user_id), &Differences::default()).await
}

/// Ends every browser session of a user, and forgets every remembered browser, since one of them was copied.
///
/// # Errors
///
/// Database errors.
pub async fn end_every_browser(tx: &mut Transaction<'_>, actor: &Actor, user_id: i32) -> Result<()> {
    endings::end(tx, user_id, Scope::Browsers).await?;
    let details = Differences::words("everywhere: a remembered sign-in was used twice");
    record(tx, actor, "sign_out", (RESOURCE, user_id), &details).await
}
