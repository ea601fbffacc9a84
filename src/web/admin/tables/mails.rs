//! Mails: their state, never their bodies, which may hold links that open accounts.

use super::{Action, Cell, Column, Description, Fact, Filter, FilterKind, Line, Lines, Query, Record, Refusal};
use crate::{
    operations,
    store::{
        self, DbConn, Transaction,
        admin::{Slice, mails::Search},
        audit::Actor,
        mails::{self, Mail, State},
    },
};

pub(in crate::web::admin) const DESCRIPTION: Description = Description {
    path: "mails",
    resource: "mails",
    one: "mail",
    many: "Mails",
    searches: "Address or subject",
    columns: &[
        Column::new("id", "Id"),
        Column::new("recipient", "To"),
        Column::new("kind", "Kind"),
        Column::unsorted("Subject"),
        Column::unsorted("State"),
        Column::unsorted("Attempts"),
        Column::new("next_attempt_at", "Next attempt"),
        Column::unsorted("Last error"),
        Column::new("inserted_at", "Written"),
    ],
    order: ("id", true),
    filters: &[Filter::new("state", "State", FilterKind::Choice)],
    fields: &[],
    actions: &[(Action::Retry, "")],
    relations: &[],
};

const STATES: [(&str, State); 3] = [("waiting", State::Waiting), ("failed", State::Failed), ("sent", State::Sent)];

pub(in crate::web::admin) async fn list(conn: &mut DbConn, query: &Query, slice: Slice) -> store::Result<Lines> {
    let state = query.text("state");
    let state = STATES.iter().find(|(name, _)| state.as_deref() == Some(*name)).map(|(_, state)| *state);
    let search = Search { text: query.text("q"), state };
    let found = store::admin::mails::list(conn, &search, query.order(), slice).await?;
    Ok(Lines { lines: found.rows.iter().map(line).collect(), total: found.total })
}

pub(in crate::web::admin) fn choices(filter: &str) -> Vec<String> {
    let states = STATES.iter().map(|(name, _)| (*name).to_owned());
    if filter == "state" { states.collect() } else { Vec::new() }
}

pub(in crate::web::admin) async fn find(conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
    let Some(mail) = mails::find(conn, id).await? else { return Ok(None) };
    let facts = vec![
        Fact::new("To", Cell::text(Some(&mail.recipient))),
        Fact::new("Kind", Cell::Text { text: mail.kind.replace('_', " ") }),
        Fact::new("Subject", Cell::text(Some(&mail.subject))),
        Fact::new("State", state(&mail)),
        Fact::new("Attempts", Cell::number(mail.progress.attempts)),
        Fact::new("Next attempt", Cell::when(mail.progress.next_attempt_at)),
        Fact::new("Sent", Cell::when(mail.progress.sent_at)),
        Fact::new("Last error", Cell::text(mail.progress.last_error.as_deref())),
        Fact::new("Written", Cell::when(Some(mail.inserted_at))),
    ];
    let retry = (mail.state() != State::Sent).then_some(Action::Retry);
    let label = format!("mail to {}", mail.recipient);
    Ok(Some(Record { id, label, facts, values: Vec::new(), actions: retry.into_iter().collect() }))
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: i32,
    action: Action,
) -> Result<bool, Refusal> {
    if action != Action::Retry {
        return Ok(false);
    }
    Ok(operations::mails::retry(tx, actor, id).await?)
}

fn line(mail: &Mail) -> Line {
    let cells = vec![
        Cell::number(mail.id),
        Cell::row("mails", mail.id, &mail.recipient),
        Cell::Text { text: mail.kind.replace('_', " ") },
        Cell::text(Some(&mail.subject)),
        state(mail),
        Cell::number(mail.progress.attempts),
        Cell::when(mail.progress.next_attempt_at),
        Cell::text(mail.progress.last_error.as_deref()),
        Cell::when(Some(mail.inserted_at)),
    ];
    Line { id: mail.id, cells }
}

fn state(mail: &Mail) -> Cell {
    match mail.state() {
        State::Waiting => Cell::Badge { text: "Waiting", tone: "warn" },
        State::Sent => Cell::Badge { text: "Sent", tone: "good" },
        State::Failed => Cell::Badge { text: "Failed", tone: "bad" },
    }
}
