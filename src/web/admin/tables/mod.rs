//! What each table has, one file a table, with the same few functions: `list`, `find`, `save`, `act`.

pub(super) mod applications;
pub(super) mod audit;
pub(super) mod enrollments;
mod limits;
pub(super) mod mails;
pub(super) mod organizations;
pub(super) mod ownerships;
mod roots;
pub(super) mod user_tokens;
pub(super) mod users;

use super::{
    Action, Cell, Closing, Column, Description, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line, Lines, On,
    Query, Record, Refusal, Relation, Saved, Table,
};
use crate::store::audit::Differences;

/// A flag as checkboxes have it.
fn checked(value: bool) -> String {
    value.to_string()
}

/// The row that a path named is not there any more.
fn gone() -> Refusal {
    Refusal::Store(crate::store::Error::NotFound)
}
