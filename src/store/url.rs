//! The database URL: the setting `DATABASE_URL`.

use std::{fmt, path::PathBuf, str::FromStr};

use super::{Error, postgres, sqlite_file};

/// A parsed database URL. Displayed without its password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `sqlite://data/pusher-lite.db` (below the working directory) or `sqlite:///var/lib/pusher-lite.db`.
    Sqlite(PathBuf),
    /// `postgres://user:password@host:5432/database?sslmode=prefer`, as `libpq` reads it; of `sslmode`, `disable`,
    /// `prefer`, `require` and `verify-full`, the last one also with `sslrootcert`.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self, Error> {
        let unusable = |reason| Err(unusable_url(reason));
        if let Some(path) = url.strip_prefix("sqlite://") {
            return match percent_encoding::percent_decode_str(path).decode_utf8() {
                Ok(path) if path.is_empty() || path.ends_with('/') => unusable("names no file after sqlite://"),
                Ok(path) if path.contains(['?', '\0']) => unusable("of a SQLite file takes no parameters"),
                Ok(path) => Ok(Self::Sqlite(PathBuf::from(path.into_owned()))),
                Err(_) => unusable("holds bytes that are no UTF-8"),
            };
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return match postgres::parse(url) {
                Ok(_) => Ok(Self::Postgres(url.to_owned())),
                Err(reason) => unusable(reason),
            };
        }
        unusable("must start with sqlite://, postgres:// or postgresql://")
    }
}

impl DatabaseUrl {
    /// Checks that the files of an SQLite database can be written, or created if missing, and creates none. Postgres
    /// has no such files.
    ///
    /// # Errors
    ///
    /// [`Error::Unusable`], which names the file or folder that cannot be written.
    pub fn check_files(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(path) => sqlite_file::check(path),
            Self::Postgres(_) => Ok(()),
        }
    }
}

/// Returns the error for a URL, with the reason as the end of a sentence.
pub(super) fn unusable_url(reason: &str) -> Error {
    Error::Unusable(format!("the database URL {reason}"))
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "SQLite file {}", path.display()),
            Self::Postgres(url) => match postgres::parse(url) {
                Ok(parsed) => f.write_str(&postgres::describe(&parsed.config)),
                Err(_) => f.write_str("Postgres database"),
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<DatabaseUrl, String> {
        url.parse().map_err(|error: Error| error.to_string())
    }

    #[test]
    fn sqlite_paths_are_relative_with_two_slashes_and_absolute_with_three() {
        assert_eq!(parse("sqlite://data/a.db"), Ok(DatabaseUrl::Sqlite("data/a.db".into())));
        assert_eq!(parse("sqlite:///var/my%20lib/a.db"), Ok(DatabaseUrl::Sqlite("/var/my lib/a.db".into())));
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_the_reason() {
        assert!(parse("sqlite://").unwrap_err().contains("names no file"));
        assert!(parse("sqlite://a.db?mode=ro").unwrap_err().contains("no parameters"));
        assert!(parse("mysql://localhost/a").unwrap_err().contains("must start with"));
        assert!(parse("postgres:///a").unwrap_err().contains("no host"));
    }

    #[test]
    fn a_password_never_shows() {
        let url = parse("postgresql://me:hunter2@localhost/app?sslmode=disable").unwrap();
        assert_eq!(format!("{url} {url:?}"), "Postgres database app on localhost Postgres database app on localhost");
        assert!(!parse("postgres://me:hunter2@localhost:port/app").unwrap_err().contains("hunter2"));
    }
}
