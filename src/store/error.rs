//! Errors of the database, in the terms of its callers.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind};

/// Reason why a query, a transaction or a connection failed.
///
/// No variant carries a value that a client sent: the text may be logged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such row, or a row that it refers to is gone.
    #[error("there is no such row")]
    NotFound,
    /// Another row already has this value of a column that is unique.
    #[error("another row has the same {field}")]
    Duplicate {
        /// The column, as the wire names it: `slug`, `app_key`, `email`, `token`.
        field: &'static str,
    },
    /// The user has as many of something as the settings allow.
    #[error("at most {most} {advice}, or ask whoever runs this server to raise the limit")]
    QuotaUsedUp {
        /// The kind of row that is counted, as the field of a form.
        field: &'static str,
        /// Maximum number of rows.
        most: u32,
        /// The end of the message: rows of what kind, and what to do.
        advice: &'static str,
    },
    /// The database cannot be reached, or has no connection to spare. Trying again later may help.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// The database took the change back, because another one needed the same rows at the same time. Making it again may
    /// work.
    #[error("another change of the same rows was made at the same time")]
    Conflict,
    /// The database did not say whether it committed a change: check before you repeat it.
    #[error("the change may have been made: {0}")]
    Uncertain(String),
    /// The database URL, or the database it leads to, is not one that this server can run on.
    #[error("{0}")]
    Unusable(String),
    /// The database refused a query for a reason that is a bug here or damage there.
    #[error("the database refused a query")]
    Query(#[source] diesel::result::Error),
}

impl Error {
    /// Converts to the error of a commit: unless an error is definite, the change may have been made.
    pub(super) fn of_commit(self) -> Self {
        match self {
            Self::Unavailable(reason) => Self::Uncertain(reason),
            error => error,
        }
    }
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
            Diesel::DatabaseError(DatabaseErrorKind::ReadOnlyTransaction, _) => {
                Error::Unavailable("the database may only be read right now".to_owned())
            }
            Diesel::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Error::Conflict,
            Diesel::DatabaseError(_, ref information) if is_deadlock(information.as_ref()) => Error::Conflict,
            Diesel::DatabaseError(_, ref information) => match passing(information.message()) {
                Some(reason) => Error::Unavailable(reason.to_owned()),
                None => Error::Query(error),
            },
            Diesel::BrokenTransactionManager => Error::Unavailable("the transaction was given up".to_owned()),
            other => Error::Query(other),
        }
    }
}

/// SQLite's messages for temporary problems, and for those that an administrator has to solve before anything can be
/// written; with our wording of each. SQLite is built in and speaks English only.
const PASSING: [(&str, &str); 5] = [
    ("database is locked", "another process holds the database file for writing"),
    ("database or disk is full", "the disk is full"),
    ("disk I/O error", "the disk does not take what is written, or does not give what is there"),
    ("unable to open database file", "the database file cannot be opened"),
    ("attempt to write a readonly database", "the database file may not be written to"),
];

/// Files of Postgres's data folder, as its messages name them in every language. Only errors of the disk name them. No
/// value of a client is in a message of Postgres: values are sent apart from the query, in binary.
const DATA_FILES: [&str; 3] = ["base/", "pg_tblspc/", "pg_wal/"];

/// Returns our wording of a problem that will pass.
///
/// Postgres writes its messages in the language of its `lc_messages`, and diesel-async keeps the SQLSTATE to itself. So
/// errors of Postgres are recognized by their kind and by what no translation changes; and those that end the
/// connection by its end, in [`DbConn::judge`](super::DbConn).
fn passing(message: &str) -> Option<&'static str> {
    if DATA_FILES.iter().any(|folder| message.contains(folder)) {
        return Some("the disk of the database is full, or fails");
    }
    PASSING.iter().find(|(said, _)| message.contains(said)).map(|entry| entry.1)
}

/// Returns true for Postgres's SQLSTATE 40P01, for which diesel has no kind. Each line of its details names a lock that
/// a process waits for; the names of locks, such as `ShareLock` and `AccessExclusiveLock`, are not translated.
fn is_deadlock(information: &dyn DatabaseErrorInformation) -> bool {
    let mut lines = information.details().unwrap_or_default().lines();
    let names_lock = |line: &str| line.contains("ShareLock") || line.contains("ExclusiveLock");
    lines.by_ref().take(2).filter(|line| names_lock(line)).count() == 2 && lines.all(names_lock)
}

/// Returns the field of a violated unique index. Postgres names the index, SQLite the columns.
fn unique_field(information: &dyn DatabaseErrorInformation) -> Option<&'static str> {
    let index = information.constraint_name();
    let message = information.message();
    UNIQUE.iter().find(|(name, columns, _)| index == Some(name) || message.contains(columns)).map(|entry| entry.2)
}

/// Conversion of [`Error::NotFound`] to `Ok(None)`.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// An error as a Postgres server reports it.
    struct Report(&'static str, Option<&'static str>);

    impl DatabaseErrorInformation for Report {
        fn message(&self) -> &str {
            self.0
        }

        fn details(&self) -> Option<&str> {
            self.1
        }

        fn hint(&self) -> Option<&str> {
            None
        }

        fn table_name(&self) -> Option<&str> {
            None
        }

        fn column_name(&self) -> Option<&str> {
            None
        }

        fn constraint_name(&self) -> Option<&str> {
            None
        }

        fn statement_position(&self) -> Option<i32> {
            None
        }
    }

    fn read(kind: DatabaseErrorKind, message: &'static str, details: Option<&'static str>) -> Error {
        Error::from(diesel::result::Error::DatabaseError(kind, Box::new(Report(message, details))))
    }

    #[test]
    fn errors_of_postgres_are_recognized_in_every_language() {
        use DatabaseErrorKind::{ReadOnlyTransaction, SerializationFailure, Unknown};

        for details in [
            "Process 7 waits for ShareLock on transaction 741; blocked by process 8.\n\
             Process 8 waits for ShareLock on transaction 740; blocked by process 7.",
            "Prozess 7 wartet auf ShareLock-Sperre auf Transaktion 741; blockiert von Prozess 8.\n\
             Prozess 8 wartet auf AccessExclusiveLock-Sperre auf Relation 5 der Datenbank 1; blockiert von Prozess 7.",
        ] {
            let found = read(Unknown, "Verklemmung (Deadlock) entdeckt", Some(details));
            assert!(matches!(found, Error::Conflict), "{details}: {found:?}");
        }
        let found = read(SerializationFailure, "konnte Zugriff nicht serialisieren", None);
        assert!(matches!(found, Error::Conflict), "{found:?}");
        let found = read(ReadOnlyTransaction, "kann nicht in einer Read-Only-Transaktion ausgef\u{fc}hrt werden", None);
        assert!(matches!(found, Error::Unavailable(_)), "{found:?}");
        let full =
            "konnte Datei \u{bb}base/16384/16390\u{ab} nicht erweitern: Auf dem Ger\u{e4}t ist kein Speicherplatz mehr";
        assert!(matches!(read(Unknown, full, None), Error::Unavailable(_)));
    }

    #[test]
    fn other_errors_of_postgres_are_bugs() {
        for (message, details) in [
            ("column \"a\" does not exist", None),
            ("the audit log is only ever added to", None),
            ("permission denied for table users", Some("One ShareLock")),
            ("permission denied for table users", Some("One ShareLock\nAnother ShareLock\nand no more")),
        ] {
            let found = read(DatabaseErrorKind::Unknown, message, details);
            assert!(matches!(found, Error::Query(_)), "{message}: {found:?}");
        }
    }

    #[test]
    fn a_commit_that_conflicts_is_certainly_not_made() {
        assert!(matches!(Error::Conflict.of_commit(), Error::Conflict));
        assert!(matches!(Error::Unavailable(String::new()).of_commit(), Error::Uncertain(_)));
    }
}
