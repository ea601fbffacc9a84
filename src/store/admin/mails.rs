//! Mails, without their bodies.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{contains, listed, pattern};
use crate::store::{
    DbConn, Result,
    mails::{Mail, State},
    schema::mails,
};

/// Filters for a list of mails; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the address or subject.
    pub text: Option<String>,
    /// Filter by state.
    pub state: Option<State>,
}

/// The rows of a search, for both backends to infer.
macro_rules! found {
    ($search:expr) => {{
        let mut query = mails::table.into_boxed();
        if let Some(text) = &$search.text {
            let pattern = pattern(text);
            let to = contains!(mails::recipient.nullable(), pattern.clone());
            query = query.filter(to.or(contains!(mails::subject.nullable(), pattern)));
        }
        if let Some(state) = $search.state {
            query = query.filter(mails::sent_at.is_not_null().eq(state == State::Sent));
            query = query.filter(mails::next_attempt_at.is_not_null().eq(state == State::Waiting));
        }
        query
    }};
}

listed!(found => Mail, then mails::id, {
    "id" => Id: mails::id,
    "recipient" => Recipient: super::lower(mails::recipient.nullable()),
    "kind" => Kind: mails::kind,
    "next_attempt_at" => NextAttemptAt: mails::next_attempt_at,
    "inserted_at" => InsertedAt: mails::inserted_at,
});
