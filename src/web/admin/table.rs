//! All tables of the admin, and which file answers for which.

use super::{
    Action, Description, Draft, Error, Fact, Line, Query, Refusal, Saved,
    tables::{applications, audit, enrollments, mails, organizations, ownerships, user_tokens, users},
};
use crate::{
    http::Request,
    store::{self, DbConn, Transaction, admin::Slice},
};

/// A table of the admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    Users,
    UserTokens,
    Organizations,
    Enrollments,
    Applications,
    Ownerships,
    Mails,
    Audit,
}

/// Some rows of a table.
#[derive(Debug)]
pub(super) struct Lines {
    /// The rows.
    pub(super) lines: Vec<Line>,
    /// How many there are in all.
    pub(super) total: i64,
}

/// One row of a table.
#[derive(Debug)]
pub(super) struct Record {
    /// The primary key.
    pub(super) id: i32,
    /// What people call it.
    pub(super) label: String,
    /// All there is to know.
    pub(super) facts: Vec<Fact>,
    /// What the form to change it is filled in with.
    pub(super) values: Vec<(&'static str, String)>,
    /// What can be done to it as it is.
    pub(super) actions: Vec<Action>,
}

impl Table {
    const ALL: [Self; 8] = [
        Self::Users,
        Self::UserTokens,
        Self::Organizations,
        Self::Enrollments,
        Self::Applications,
        Self::Ownerships,
        Self::Mails,
        Self::Audit,
    ];

    /// The table that the path names.
    ///
    /// # Errors
    ///
    /// 404 when there is none.
    pub(super) fn of(request: &Request) -> Result<Self, Error> {
        let name = request.path_param("table");
        Self::ALL.into_iter().find(|table| table.description().path == name).ok_or(Error::NoRoute)
    }

    /// The id that the path names.
    ///
    /// # Errors
    ///
    /// 404 when no row can have it.
    pub(super) fn id_of(self, request: &Request) -> Result<i32, Error> {
        request.path_param("id").parse().map_err(|_| Error::NotFound(self.description().one))
    }

    pub(super) fn description(self) -> &'static Description {
        match self {
            Self::Users => &users::DESCRIPTION,
            Self::UserTokens => &user_tokens::DESCRIPTION,
            Self::Organizations => &organizations::DESCRIPTION,
            Self::Enrollments => &enrollments::DESCRIPTION,
            Self::Applications => &applications::DESCRIPTION,
            Self::Ownerships => &ownerships::DESCRIPTION,
            Self::Mails => &mails::DESCRIPTION,
            Self::Audit => &audit::DESCRIPTION,
        }
    }

    /// Some of the rows that the query asks for.
    pub(super) async fn list(self, conn: &mut DbConn, query: &Query, slice: Slice) -> store::Result<Lines> {
        match self {
            Self::Users => users::list(conn, query, slice).await,
            Self::UserTokens => user_tokens::list(conn, query, slice).await,
            Self::Organizations => organizations::list(conn, query, slice).await,
            Self::Enrollments => enrollments::list(conn, query, slice).await,
            Self::Applications => applications::list(conn, query, slice).await,
            Self::Ownerships => ownerships::list(conn, query, slice).await,
            Self::Mails => mails::list(conn, query, slice).await,
            Self::Audit => audit::list(conn, query, slice).await,
        }
    }

    /// What the filters of this name can be set to, where that depends on the rows.
    pub(super) async fn choices(self, conn: &mut DbConn, filter: &str) -> store::Result<Vec<String>> {
        match self {
            Self::Mails => Ok(mails::choices(filter)),
            Self::Audit => audit::choices(conn, filter).await,
            _ => Ok(Vec::new()),
        }
    }

    /// The row with this id.
    pub(super) async fn find(self, conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
        match self {
            Self::Users => users::find(conn, id).await,
            Self::UserTokens => user_tokens::find(conn, id).await,
            Self::Organizations => organizations::find(conn, id).await,
            Self::Enrollments => enrollments::find(conn, id).await,
            Self::Applications => applications::find(conn, id).await,
            Self::Ownerships => ownerships::find(conn, id).await,
            Self::Mails => mails::find(conn, id).await,
            Self::Audit => audit::find(conn, id).await,
        }
    }

    /// Changes the row with this id to what the draft says, or creates one.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; the transaction is to be rolled back then.
    pub(super) async fn save(
        self,
        tx: &mut Transaction<'_>,
        id: Option<i32>,
        draft: &mut Draft,
    ) -> Result<Saved, Refusal> {
        match self {
            Self::Users => users::save(tx, id, draft).await,
            Self::UserTokens => user_tokens::save(tx, id, draft).await,
            Self::Organizations => organizations::save(tx, id, draft).await,
            Self::Enrollments => enrollments::save(tx, id, draft).await,
            Self::Applications => applications::save(tx, id, draft).await,
            Self::Ownerships => ownerships::save(tx, id, draft).await,
            Self::Mails | Self::Audit => Err(Refusal::Because("This cannot be changed.")),
        }
    }

    /// Does something to the row with this id; `None` when that is how it is already.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; the transaction is to be rolled back then.
    pub(super) async fn act(
        self,
        tx: &mut Transaction<'_>,
        id: i32,
        action: Action,
        actor_id: i32,
    ) -> Result<Option<Saved>, Refusal> {
        match self {
            Self::Users => users::act(tx, id, action, actor_id).await,
            Self::UserTokens => user_tokens::act(tx, id, action).await,
            Self::Organizations => organizations::act(tx, id, action).await,
            Self::Enrollments => enrollments::act(tx, id, action).await,
            Self::Applications => applications::act(tx, id, action).await,
            Self::Ownerships => ownerships::act(tx, id, action).await,
            Self::Mails => mails::act(tx, id, action).await,
            Self::Audit => Err(Refusal::Because("Nothing can be done to the audit log.")),
        }
    }
}
