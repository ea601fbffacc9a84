//! The implementation of each table, one file per table, with the same few functions: `list`, `find`, `save`, `act`.

pub(super) mod applications;
pub(super) mod audit;
pub(super) mod enrollments;
mod limits;
pub(super) mod mails;
pub(super) mod organizations;
pub(super) mod ownerships;
pub(super) mod user_tokens;
pub(super) mod users;

use super::{
    Action, Cell, Column, Description, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line, Lines, On, Query,
    Record, Refusal, Relation, Saved, Table,
};

/// Returns a flag as checkboxes have it.
fn checked(value: bool) -> String {
    value.to_string()
}

/// Returns the refusal for a row that was deleted meanwhile.
fn gone() -> Refusal {
    Refusal::Store(crate::store::Error::NotFound)
}
