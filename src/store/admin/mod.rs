//! What the admin asks of the tables: lists that are searched, filtered, sorted and cut into pages, and the changes that
//! nobody else makes.
//!
//! Each file has the `Search` of its table, the `Sort`s it can be ordered by, and `list`.

pub mod applications;
pub mod audit;
pub mod enrollments;
pub mod mails;
mod names;
pub mod organizations;
pub mod ownerships;
pub mod user_tokens;
pub mod users;

use diesel::sql_types::{Nullable, Text};

pub use self::names::{ApplicationName, OrganizationName, UserName};

/// What a list begins with, and how many rows it has at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Rows to leave out before.
    pub offset: i64,
    /// The most rows to give.
    pub limit: i64,
}

/// What a list is ordered by. Rows that have nothing there come last; those that are equal there are ordered by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<S> {
    /// The column.
    pub by: S,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// Some rows of all that were searched for.
#[derive(Debug)]
pub struct Found<R> {
    /// Those of the slice.
    pub rows: Vec<R>,
    /// How many there are in all.
    pub total: i64,
}

diesel::define_sql_function! {
    /// The text in lower case, as far as the database knows the letters: SQLite knows those of ASCII.
    fn lower(text: Nullable<Text>) -> Nullable<Text>;
}

/// A pattern of `LIKE` for texts that contain this one.
fn pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars().filter(|character| *character != '\0') {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// Whether a column contains what was typed, in upper or lower case. Both sides are turned into lower case by the
/// database, so that what is typed as it is written there is found, whatever letters the database knows.
macro_rules! contains {
    ($column:expr, $pattern:expr) => {
        $crate::store::admin::lower($column).like($crate::store::admin::lower($pattern)).escape('\\')
    };
}

/// Orders a boxed query by a column. The two databases disagree on where rows without a value come; here it is last.
macro_rules! ordered {
    ($query:expr, $descending:expr, $column:expr) => {
        if $descending {
            $query.order(($column.is_null().asc(), $column.desc()))
        } else {
            $query.order(($column.is_null().asc(), $column.asc()))
        }
    };
}

use {contains, ordered};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_looked_for_as_they_are() {
        assert_eq!(pattern("ann"), "%ann%");
        assert_eq!(pattern(r"50%_\"), r"%50\%\_\\%");
        assert_eq!(pattern("a\0b"), "%ab%", "Postgres has no NUL");
    }
}
