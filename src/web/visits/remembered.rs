//! Browsers in which somebody stays signed in: the cookie with a series, which stays, and a token, which is another one
//! after each use. An old token that comes back was copied: then nobody who knows the series stays signed in.
//!
//! The next token and the session that a token opens are computed from the token. So two tabs that are restored at once
//! and send the same token get the same answer, whichever comes first, and forms of both work; a minute later the token
//! is an old one.

use std::time::Duration;

use chrono::TimeDelta;

use super::{
    Origin,
    session::{self, hash},
};
use crate::{
    auth::Signer,
    http::{Cookie, Request},
    store::{
        self, Db, Transaction, audit, now,
        rememberables::{self, Rememberable},
        sessions,
        users::{self, User},
    },
};

/// The cookie's name.
pub(super) const COOKIE: &str = "pusher_lite_remember";
/// How long a browser is remembered after its last use.
const LIFETIME: TimeDelta = TimeDelta::hours(48);
const MAX_AGE: Duration = Duration::from_secs(48 * 3600);
/// How long a token that was just used is taken for that of a second tab, or of an answer that got lost.
const GRACE: TimeDelta = TimeDelta::minutes(1);

/// The purposes of signatures.
const SIGNED: &str = "remember";
const NEXT: &str = "remember: next token";
const SESSION: &str = "remember: session";

/// What a browser keeps.
#[derive(Debug)]
pub(super) struct Remembered {
    series: String,
    token: String,
}

/// What a browser's cookie is good for.
#[derive(Debug)]
pub(super) enum Recall {
    /// It signs in: the id of the session, and what the browser keeps from now on.
    SignedIn(String, Remembered),
    /// Nothing any more.
    Forgotten,
    /// It is a copy, or it was copied: everything of the user with this id has ended.
    Stolen(i32),
}

impl Remembered {
    /// What the request's cookie holds, if this server signed it.
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

    /// Ends the series, in this browser and wherever it was copied to.
    pub(super) async fn forget(&self, tx: &mut Transaction<'_>) -> store::Result<()> {
        rememberables::delete(tx, &hash(&self.series)).await
    }

    fn next(&self, signer: &Signer) -> Self {
        Self { series: self.series.clone(), token: signer.signature(NEXT, &self.token) }
    }
}

/// Remembers a browser. Those that have not come back in time are forgotten along the way.
pub(super) async fn begin(db: &Db, user: &User) -> store::Result<Remembered> {
    let new = Remembered { series: session::new_id(), token: session::new_id() };
    let (series_hash, token_hash) = (hash(&new.series), hash(&new.token));
    db.record(async |tx| {
        rememberables::delete_older(tx, LIFETIME).await?;
        rememberables::create(tx, user.id, &series_hash, &token_hash).await
    })
    .await?;
    Ok(new)
}

/// Signs in whoever is remembered in a browser. A lock is against guessing passwords: it stops nobody here, as it stops
/// no session, and stays as it is.
pub(super) async fn recall(db: &Db, signer: &Signer, old: &Remembered, origin: &Origin) -> store::Result<Recall> {
    let next = old.next(signer);
    let session_id = signer.signature(SESSION, &old.token);
    db.record(async |tx| {
        let Some((row, user)) = find(tx, old).await? else { return Ok(Recall::Forgotten) };
        if rememberables::rotate(tx, row.id, &hash(&old.token), &hash(&next.token)).await? {
            session::begin(tx, &session_id, &user, origin, "remembered").await?;
            return Ok(Recall::SignedIn(session_id, next));
        }
        // Read again: on Postgres the row may have changed while the update waited for another transaction.
        match find(tx, old).await? {
            None => Ok(Recall::Forgotten),
            Some((row, _)) if row.token_hash == Some(hash(&next.token)) && is_younger(&row, GRACE) => {
                Ok(Recall::SignedIn(session_id, next))
            }
            Some(_) => {
                end_all(tx, &user, origin).await?;
                Ok(Recall::Stolen(user.id))
            }
        }
    })
    .await
}

/// The series and its user, whose address is confirmed, unless it has not been used in time.
async fn find(tx: &mut Transaction<'_>, remembered: &Remembered) -> store::Result<Option<(Rememberable, User)>> {
    let row = rememberables::find(tx, &hash(&remembered.series)).await?;
    let Some(row) = row.filter(|row| is_younger(row, LIFETIME)) else { return Ok(None) };
    let Some(user_id) = row.user_id else { return Ok(None) };
    let user = users::find(tx, user_id).await?.filter(|user| user.confirmed_at.is_some());
    Ok(user.map(|user| (row, user)))
}

fn is_younger(row: &Rememberable, age: TimeDelta) -> bool {
    row.token_created_at.is_some_and(|created_at| now() < created_at + age)
}

async fn end_all(tx: &mut Transaction<'_>, user: &User, origin: &Origin) -> store::Result<()> {
    rememberables::delete_all_of(tx, user.id).await?;
    sessions::delete_all_of(tx, user.id).await?;
    let entry = audit::NewEntry {
        action: "sign_out",
        resource: "users",
        resource_id: Some(user.id),
        details: "everywhere: a remembered sign-in was used twice",
    };
    audit::record(tx, &origin.actor(None), &entry).await
}
