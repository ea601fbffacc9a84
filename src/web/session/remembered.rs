//! Browsers that stay signed in: their cookie has a permanent series, and a token that changes with each use. An old
//! token that comes back was copied: then no browser with the series stays signed in.
//!
//! The next token and the session that a token opens are computed from the token. So two tabs that are restored
//! together and send the same token get the same answer, whichever comes first, and forms of both work; a minute later
//! the token is an old one.

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    Origin,
    browser_session::{self, hash},
};
use crate::{
    auth::Signer,
    http::{Cookie, Request},
    operations::accounts::{self, Proof},
    store::{
        self, Db, Transaction, now,
        rememberables::{self, Rememberable},
        user_suspensions::{self, Standing},
        users::User,
    },
};

/// The cookie's name.
pub(super) const COOKIE: &str = "pusher_lite_remember";
/// Time for which a browser is remembered after its last use.
const LIFETIME: TimeDelta = TimeDelta::hours(48);
const MAX_AGE: Duration = Duration::from_secs(48 * 3600);
/// Time for which a token that was just used is accepted from a second tab, or after an answer that got lost.
const GRACE: TimeDelta = TimeDelta::minutes(1);

/// The purposes of signatures.
const SIGNED: &str = "remember";
const NEXT: &str = "remember: next token";
const SESSION: &str = "remember: session";

/// Contents of a browser's cookie.
#[derive(Debug)]
pub(super) struct Remembered {
    series: String,
    token: String,
}

/// Result of a browser's cookie.
#[derive(Debug)]
pub(super) enum Recall {
    /// It signs in: the id of the session, and what the browser keeps from now on.
    SignedIn(String, Remembered),
    /// The series has ended.
    Forgotten,
    /// It is a copy, or it was copied: all sessions of the user with this id have ended.
    Stolen,
}

impl Remembered {
    /// Returns the contents of the request's cookie, if this server signed it.
    pub(super) fn of(signer: &Signer, request: &Request) -> Option<Self> {
        let (series, token) = signer.verify(SIGNED, request.cookie(COOKIE)?)?.split_once('.')?;
        Some(Self { series: series.to_owned(), token: token.to_owned() })
    }

    pub(super) fn to_cookie(&self, signer: &Signer, secure: bool) -> Cookie {
        let text = format!("{}.{}", self.series, self.token);
        Cookie::new(COOKIE, signer.sign(SIGNED, &text), secure).lasting(MAX_AGE)
    }

    pub(super) fn removal(secure: bool) -> Cookie {
        Cookie::removal(COOKIE, secure)
    }

    /// Ends the series, in this browser and all copies.
    pub(super) async fn forget(&self, tx: &mut Transaction<'_>) -> store::Result<()> {
        rememberables::delete(tx, &hash(&self.series)).await
    }

    fn next(&self, signer: &Signer) -> Self {
        Self { series: self.series.clone(), token: signer.signature(NEXT, &self.token) }
    }
}

/// Remembers a browser. Also forgets those that have not come back in time.
pub(super) async fn begin(tx: &mut Transaction<'_>, user: &User) -> store::Result<Remembered> {
    let new = Remembered { series: browser_session::new_id(), token: browser_session::new_id() };
    let (series_hash, token_hash) = (hash(&new.series), hash(&new.token));
    rememberables::delete_older(tx, LIFETIME).await?;
    rememberables::create(tx, user.id, &series_hash, &token_hash).await?;
    Ok(new)
}

/// Signs in the user that a browser remembers.
pub(super) async fn recall(db: &Db, signer: &Signer, old: &Remembered, origin: &Origin) -> store::Result<Recall> {
    let next = old.next(signer);
    let session_id = signer.signature(SESSION, &old.token);
    db.record(async |tx| {
        let Some((row, user)) = find(tx, old).await? else { return Ok(Recall::Forgotten) };
        if rememberables::rotate(tx, row.id, &hash(&old.token), &hash(&next.token)).await? {
            browser_session::begin(tx, &session_id, &user, origin, Proof::Remembered).await?;
            return Ok(Recall::SignedIn(session_id, next));
        }
        // Read again: on Postgres the row may have changed while the update waited for another transaction.
        match find(tx, old).await? {
            None => Ok(Recall::Forgotten),
            Some((row, _)) if row.token_hash == Some(hash(&next.token)) && is_younger(&row, GRACE) => {
                Ok(Recall::SignedIn(session_id, next))
            }
            Some(_) => {
                accounts::end_every_browser(tx, &origin.actor(None), user.id).await?;
                Ok(Recall::Stolen)
            }
        }
    })
    .await
}

/// Returns the series and its user, who is active and whose address is confirmed, unless it has not been used in time.
async fn find(tx: &mut Transaction<'_>, remembered: &Remembered) -> store::Result<Option<(Rememberable, User)>> {
    let row = rememberables::find(tx, &hash(&remembered.series)).await?;
    let Some(row) = row.filter(|row| is_younger(row, LIFETIME)) else { return Ok(None) };
    let Some(user_id) = row.user_id else { return Ok(None) };
    match user_suspensions::standing(tx, user_id).await? {
        Standing::Active(user) if user.confirmed_at.is_some() => Ok(Some((row, user))),
        _ => Ok(None),
    }
}

fn is_younger(row: &Rememberable, age: TimeDelta) -> bool {
    row.token_created_at.is_some_and(|created_at| now() < created_at + age)
}
