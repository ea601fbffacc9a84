//! Time and address of exchanges of tokens for JWTs, recorded in the background.

use std::{fmt, net::IpAddr, time::Duration};

use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::{
    store::{
        Db,
        audit::{self, Actor, Differences, NewEntry},
        user_token_uses,
        users::User,
    },
    tasks::Tasks,
};

/// Precision of the last use: it is recorded at most this often.
const PRECISION: Duration = Duration::from_secs(60);
/// Number of tokens for which the last record is remembered.
const REMEMBERED: usize = 10_000;

/// Records uses of tokens, each token at most once a minute.
pub struct TokenUses {
    tasks: Tasks,
    noted: Cache<i32, Instant>,
}

impl TokenUses {
    /// Nothing noted yet.
    pub(crate) fn new(tasks: Tasks) -> Self {
        Self { tasks, noted: Cache::new(REMEMBERED) }
    }

    /// Records that this user's token is used now from this address, in a task of its own. The audit log gets an entry
    /// once a day, and once an hour for another address. If the database fails, only the log reports it.
    pub fn note(&self, db: &Db, token_id: i32, user: &User, ip: IpAddr) {
        let now = Instant::now();
        if self.noted.get(&token_id).is_some_and(|noted| now.duration_since(noted) < PRECISION) {
            return;
        }
        self.noted.insert(token_id, now);
        let (db, ip) = (db.clone(), ip.to_string());
        let actor = Actor { id: Some(user.id), name: user.email.clone(), ip: Some(ip.clone()) };
        let noting = async move {
            let noted = db.record(async |tx| {
                if !user_token_uses::note(tx, token_id, &ip).await? {
                    return Ok(());
                }
                let (resource_id, details) = (Some(token_id), &Differences::words("for a JWT"));
                let entry = NewEntry { action: "exchange", resource: "user_tokens", resource_id, details };
                audit::record(tx, &actor, &entry).await
            });
            if let Err(error) = noted.await {
                tracing::warn!(%error, "Could not record the use of a token.");
            }
        };
        tokio::spawn(self.tasks.survive("note of a token's use", noting));
    }
}

impl fmt::Debug for TokenUses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenUses").finish_non_exhaustive()
    }
}
