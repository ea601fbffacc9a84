//! When and from where tokens are exchanged for JWTs: written down without anybody waiting for it.

use std::{fmt, net::IpAddr, time::Duration};

use quick_cache::sync::Cache;
use tokio::time::Instant;

use crate::store::{Db, user_token_uses};

/// How exactly the last use is known: more often it is not written down.
const PRECISION: Duration = Duration::from_secs(60);
/// Of how many tokens it is remembered that they were noted a moment ago.
const REMEMBERED: usize = 10_000;

/// Notes uses of tokens, each token at most once a minute.
pub struct TokenUses {
    noted: Cache<i32, Instant>,
}

impl TokenUses {
    /// Nothing noted yet.
    pub(crate) fn new() -> Self {
        Self { noted: Cache::new(REMEMBERED) }
    }

    /// Notes that a token is used now from this address, in a task of its own. When the database does not take it, the
    /// log says so, and nobody else notices.
    pub(super) fn note(&self, db: &Db, token_id: i32, ip: IpAddr) {
        let now = Instant::now();
        if self.noted.get(&token_id).is_some_and(|noted| now.duration_since(noted) < PRECISION) {
            return;
        }
        self.noted.insert(token_id, now);
        let db = db.clone();
        tokio::spawn(async move {
            let ip = ip.to_string();
            if let Err(error) = db.record(async |tx| user_token_uses::note(tx, token_id, &ip).await).await {
                tracing::warn!(%error, "The use of a token could not be noted.");
            }
        });
    }
}

impl fmt::Debug for TokenUses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TokenUses").finish_non_exhaustive()
    }
}
