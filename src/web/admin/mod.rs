//! The pages of root users under `/admin`: a dashboard, and the tables.
//!
//! The common code of all tables is here, once: `listing` lists them, `record` shows a row, `editing` creates and
//! changes rows, `actions` handles all other actions. A file of `tables` holds the code of one table: its
//! [`Description`] and four functions, `list`, `find`, `save` and `act`, which [`Table`] chooses from.
//!
//! Every change is one transaction, which includes its entry in the audit log. The sockets that depended on removed
//! rows close when it is committed.

pub(super) mod actions;
mod cell;
mod chart;
mod csv;
pub(super) mod dashboard;
mod description;
mod draft;
pub(super) mod editing;
pub(super) mod listing;
mod memory;
mod query;
pub(super) mod record;
mod table;
mod tables;

use self::{
    cell::{Cell, Fact, Line},
    description::{Action, Column, Description, Field, FieldKind, Filter, FilterKind, On, Relation},
    draft::{Draft, Refusal, Saved},
    query::Query,
    table::{Lines, Record, Table},
};
use super::{
    Error,
    session::{Flash, Form, PageRequest},
};
