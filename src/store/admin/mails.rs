//! Mails, without what they say.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Found, Order, Slice, contains, ordered, pattern};
use crate::store::{
    DbConn, Result,
    mails::{Mail, State},
    schema::mails,
};

/// Which mails to list; `None` lists all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Part of the address or subject.
    pub text: Option<String>,
    /// Those that stand there.
    pub state: Option<State>,
}

/// What mails can be ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are the columns")]
pub enum Sort {
    Id,
    Recipient,
    Kind,
    NextAttemptAt,
    InsertedAt,
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

/// The mails of a search.
pub async fn list(conn: &mut DbConn, search: &Search, order: Order<Sort>, slice: Slice) -> Result<Found<Mail>> {
    let total = on_conn!(conn, |raw| found!(search).count().get_result(raw))?;
    let descending = order.descending;
    let rows = on_conn!(conn, |raw| {
        let query = found!(search);
        let query = match order.by {
            Sort::Id => ordered!(query, descending, mails::id),
            Sort::Recipient => ordered!(query, descending, super::lower(mails::recipient.nullable())),
            Sort::Kind => ordered!(query, descending, mails::kind),
            Sort::NextAttemptAt => ordered!(query, descending, mails::next_attempt_at),
            Sort::InsertedAt => ordered!(query, descending, mails::inserted_at),
        };
        query.then_order_by(mails::id).offset(slice.offset).limit(slice.limit).select(Mail::as_select()).load(raw)
    })?;
    Ok(Found { rows, total })
}
