//! What can go wrong with the database, in the words of its callers.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};

/// Why a query, a transaction or a connection did not work out.
///
/// No variant carries a value that a client sent: the text may be logged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such row, or the row that one refers to is gone.
    #[error("there is no such row")]
    NotFound,
    /// Another row already has this value of a column that is unique.
    #[error("another row has the same {field}")]
    Duplicate {
        /// The column, as the wire names it: `slug`, `app_key`, `email`, `token`.
        field: &'static str,
    },
    /// The database cannot be reached, or has no connection to spare. Trying again later may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database URL, or the database it leads to, is not one that this server can run on.
    #[error("{0}")]
    Unusable(String),
    /// The database refused a query for a reason that is a bug here or damage there.
    #[error("the database refused a query")]
    Query(#[source] diesel::result::Error),
}

/// The unique indexes that a client can run into: the original's name of each, SQLite's words for it, the field.
const UNIQUE: [(&str, &str, &str); 9] = [
    ("organizations_slug_index", "organizations.slug", "slug"),
    ("applications_app_key_index", "applications.app_key", "app_key"),
    ("users_email_index", "users.email", "email"),
    ("invitations_email_index", "invitations.email", "email"),
    ("invitation_enrollments_pkey", "invitation_enrollments.invitation_id", "email"),
    ("invitation_senders_pkey", "invitation_senders.invitation_id", "email"),
    ("user_tokens_token_index", "user_tokens.token", "token"),
    ("enrollments_user_id_organization_id_index", "enrollments.user_id", "user_id"),
    ("ownerships_organization_id_application_id_index", "ownerships.organization_id", "application_id"),
];

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        use diesel::result::Error as Diesel;

        match error {
            Diesel::NotFound => Error::NotFound,
            Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, ref information) => {
                match unique_field(information.as_ref()) {
                    Some(field) => Error::Duplicate { field },
                    None => Error::Query(error),
                }
            }
            Diesel::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _) => Error::NotFound,
            Diesel::DatabaseError(DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand, _) => {
                Error::Unavailable("the connection was closed".to_owned())
            }
            Diesel::DatabaseError(_, ref information) => match passing(information.message()) {
                Some(reason) => Error::Unavailable(reason.to_owned()),
                None => Error::Query(error),
            },
            Diesel::BrokenTransactionManager => Error::Unavailable("the transaction was given up".to_owned()),
            other => Error::Query(other),
        }
    }
}

/// Troubles that pass, or that somebody has to see to before anything can be written: what the databases say of them, and
/// what we say.
const PASSING: [(&str, &str); 11] = [
    ("database is locked", "another process holds the database file for writing"),
    ("database or disk is full", "the disk is full"),
    ("No space left on device", "the disk is full"),
    ("disk I/O error", "the disk does not take what is written, or does not give what is there"),
    ("unable to open database file", "the database file cannot be opened"),
    ("attempt to write a readonly database", "the database file may not be written to"),
    ("read-only transaction", "the database may only be read right now"),
    ("terminating connection", "the database ended the connection"),
    ("database system is", "the database is starting, stopping or recovering"),
    ("too many clients already", "the database has no connection to spare"),
    ("remaining connection slots are reserved", "the database has no connection to spare"),
];

fn passing(message: &str) -> Option<&'static str> {
    PASSING.iter().find(|(said, _)| message.contains(said)).map(|entry| entry.1)
}

/// The field of a violated unique index. Postgres names the index, SQLite the columns.
fn unique_field(information: &dyn DatabaseErrorInformation) -> Option<&'static str> {
    let index = information.constraint_name();
    let message = information.message();
    UNIQUE.iter().find(|(name, columns, _)| index == Some(name) || message.contains(columns)).map(|entry| entry.2)
}

/// `Ok(None)` in place of [`Error::NotFound`].
pub(super) trait Optional<T> {
    fn optional(self) -> Result<Option<T>, Error>;
}

impl<T> Optional<T> for Result<T, Error> {
    fn optional(self) -> Result<Option<T>, Error> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(Error::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
