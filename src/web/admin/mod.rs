//! The pages of root users under `/admin`: a dashboard, and the tables.
//!
//! What all tables have in common is here, once: `listing` lists them, `record` shows a row, `editing` creates and changes
//! rows, `actions` does all else to them. A file of `tables` says what one table has: its [`Description`] and four
//! functions, `list`, `find`, `save` and `act`, which [`Table`] chooses from.
//!
//! Every change is one transaction, in which the audit log is told; the sockets that lived by what is no more are closed
//! when it is committed ([`Closing`]).

pub(super) mod actions;
mod cell;
mod chart;
mod closing;
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
    closing::Closing,
    description::{Action, Column, Description, Field, FieldKind, Filter, FilterKind, On, Relation},
    draft::{Draft, Refusal, Saved},
    query::Query,
    table::{Lines, Record, Table},
};
use super::{
    Error,
    visits::{Flash, Form, Visit},
};
