//! Queries of the admin pages: lists with search, filters, sorting and pages, and the changes that only the admin pages
//! make.
//!
//! Each file has the `Search` of its table, and a list by `listed!` of the columns that it can be sorted by.

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

/// Offset and maximum number of rows of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Number of rows to skip.
    pub offset: i64,
    /// Maximum number of rows.
    pub limit: i64,
}

/// Sort order of a list. Rows without a value in the column come last; rows with equal values are ordered by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order<S> {
    /// The column.
    pub by: S,
    /// True for descending order.
    pub descending: bool,
}

/// The columns that a table can be sorted by, with their keys in the query of a page.
pub trait SortKey: Copy + 'static {
    /// All columns, the usual order first.
    const ALL: &'static [(&'static str, Self)];
}

/// One page of the rows that a search found.
#[derive(Debug)]
pub struct Found<R> {
    /// The rows of the page.
    pub rows: Vec<R>,
    /// Number of rows on all pages.
    pub total: i64,
}

diesel::define_sql_function! {
    /// Converts the text to lower case. SQLite does that for ASCII letters only.
    fn lower(text: Nullable<Text>) -> Nullable<Text>;
}

/// Returns a pattern of `LIKE` for texts that contain this one.
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

/// Condition that a column contains the search text, ignoring case. The database converts both sides to lower case, so
/// that a text in its stored spelling is always found, whichever letters the database knows.
macro_rules! contains {
    ($column:expr, $pattern:expr) => {
        $crate::store::admin::lower($column).like($crate::store::admin::lower($pattern)).escape('\\')
    };
}

/// Orders a boxed query by a column. The two databases disagree on the position of rows without a value; here they come
/// last.
macro_rules! ordered {
    ($query:expr, $descending:expr, $column:expr) => {
        if $descending {
            $query.order(($column.is_null().asc(), $column.desc()))
        } else {
            $query.order(($column.is_null().asc(), $column.asc()))
        }
    };
}

/// Declares `Sort`, the columns that rows can be sorted by, and `list`, which returns a page of the rows of a `Search`. `$found`
/// is the macro that makes the query of a search: as a macro, both backends can infer its type.
macro_rules! listed {
    ($found:ident => $row:ident, then $last:expr, { $($key:literal => $name:ident: $column:expr,)+ }) => {
        /// Columns that the rows can be sorted by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Sort {
            $($name,)+
        }

        impl super::SortKey for Sort {
            const ALL: &'static [(&'static str, Self)] = &[$(($key, Self::$name)),+];
        }

        /// Returns one page of the rows of a search.
        pub async fn list(
            conn: &mut DbConn,
            search: &Search,
            order: super::Order<Sort>,
            slice: super::Slice,
        ) -> Result<super::Found<$row>> {
            let total = on_conn!(conn, |raw| $found!(search).count().get_result(raw))?;
            let rows = on_conn!(conn, |raw| {
                let query = $found!(search);
                let query = match order.by {
                    $(Sort::$name => super::ordered!(query, order.descending, $column),)+
                };
                let query = query.then_order_by($last).offset(slice.offset).limit(slice.limit);
                query.select($row::as_select()).load(raw)
            })?;
            Ok(super::Found { rows, total })
        }
    };
}

use {contains, listed, ordered};

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
