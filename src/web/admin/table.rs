//! All tables of the admin, and the file that implements each.

use super::{
    Action, Description, Draft, Error, Fact, Line, Query, Refusal, Saved,
    tables::{applications, audit, enrollments, mails, organizations, ownerships, user_tokens, users},
};
use crate::{
    http::Request,
    store::{self, DbConn, Transaction, admin::Slice, audit::Actor},
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
    /// Number of rows on all pages.
    pub(super) total: i64,
}

/// One row of a table.
#[derive(Debug)]
pub(super) struct Record {
    /// The primary key.
    pub(super) id: i32,
    /// Name of the row, for people.
    pub(super) label: String,
    /// All facts about it.
    pub(super) facts: Vec<Fact>,
    /// Values of the form to change it.
    pub(super) values: Vec<(&'static str, String)>,
    /// Actions that are possible in its current state.
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

    /// Returns the table that the path names.
    ///
    /// # Errors
    ///
    /// 404 when there is none.
    pub(super) fn of(request: &Request) -> Result<Self, Error> {
        let name = request.path_param("table");
        Self::ALL.into_iter().find(|table| table.description().path == name).ok_or(Error::NoRoute)
    }

    /// Returns the id that the path names.
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

    /// Returns the slice of the rows that the query asks for.
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

    /// Returns the possible values of the filters of this name, where that depends on the rows.
    pub(super) async fn choices(self, conn: &mut DbConn, filter: &str) -> store::Result<Vec<String>> {
        match self {
            Self::Mails => Ok(mails::choices(filter)),
            Self::Audit => audit::choices(conn, filter).await,
            _ => Ok(Vec::new()),
        }
    }

    /// Returns the row with this id.
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
    /// [`Refusal`]; the caller must then roll the transaction back.
    pub(super) async fn save(
        self,
        tx: &mut Transaction<'_>,
        actor: &Actor,
        id: Option<i32>,
        draft: &mut Draft<'_>,
    ) -> Result<Saved, Refusal> {
        match self {
            Self::Users => users::save(tx, actor, id, draft).await,
            Self::UserTokens => user_tokens::save(tx, actor, id, draft).await,
            Self::Organizations => organizations::save(tx, actor, id, draft).await,
            Self::Enrollments => enrollments::save(tx, actor, id, draft).await,
            Self::Applications => applications::save(tx, actor, id, draft).await,
            Self::Ownerships => ownerships::save(tx, actor, id, draft).await,
            Self::Mails | Self::Audit => Err(Refusal::Because("This cannot be changed.")),
        }
    }

    /// Returns the reason why this actor cannot carry the action out on the row with this id, as far as it is known
    /// beforehand. Pages do not offer such an action, nor ask for its confirmation.
    pub(super) fn refusal(self, id: i32, action: Action, actor_id: i32) -> Option<&'static str> {
        match self {
            Self::Users => users::refusal(id, action, actor_id),
            _ => None,
        }
    }

    /// Carries an action out on the row with this id. Returns false if the row is already in that state.
    ///
    /// # Errors
    ///
    /// [`Refusal`]; the caller must then roll the transaction back.
    pub(super) async fn act(
        self,
        tx: &mut Transaction<'_>,
        actor: &Actor,
        id: i32,
        action: Action,
    ) -> Result<bool, Refusal> {
        match self {
            Self::Users => users::act(tx, actor, id, action).await,
            Self::UserTokens => user_tokens::act(tx, actor, id, action).await,
            Self::Organizations => organizations::act(tx, actor, id, action).await,
            Self::Enrollments => enrollments::act(tx, actor, id, action).await,
            Self::Applications => applications::act(tx, actor, id, action).await,
            Self::Ownerships => ownerships::act(tx, actor, id, action).await,
            Self::Mails => mails::act(tx, actor, id, action).await,
            Self::Audit => Err(Refusal::Because("The audit log cannot be changed.")),
        }
    }
}
