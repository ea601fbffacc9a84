//! Users' tokens. The token itself is on its own page only, folded up.

use super::{
    Action, Cell, Closing, Column, Description, Differences, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line,
    Lines, On, Query, Record, Refusal, Relation, Saved, checked, gone,
};
use crate::store::{
    self, DbConn, Transaction,
    admin::{
        Slice,
        user_tokens::{self, Row, Search, Sort},
    },
};

pub(in crate::web::admin) const DESCRIPTION: Description = Description {
    path: "user_tokens",
    resource: "user_tokens",
    one: "user token",
    many: "User tokens",
    searches: "User's name or address, or id",
    columns: &[
        Column::new("id", "Id"),
        Column::new("user", "User"),
        Column::unsorted("Token"),
        Column::new("invalidated_at", "State"),
        Column::new("used_at", "Last used"),
        Column::unsorted("From"),
        Column::new("inserted_at", "Created"),
    ],
    order: ("id", false),
    filters: &[
        Filter::new("is_valid", "Valid", FilterKind::YesNo),
        Filter::new("user_id", "User's id", FilterKind::Id),
    ],
    fields: &[
        Field::new("user", "User", FieldKind::Text, On::New).required().hint("The user's address or id."),
        Field::new("valid", "Valid", FieldKind::Checkbox, On::Edit)
            .hint("Sockets that live by a token are closed when it is valid no more."),
    ],
    actions: &[
        (
            Action::Invalidate,
            "Nobody gets a JWT for the token any more, and the sockets whose JWT came from it are closed.",
        ),
        (
            Action::Delete,
            "Nobody gets a JWT for the token any more, the sockets whose JWT came from it are closed, and when it was \
             last used is forgotten. This cannot be undone.",
        ),
    ],
    relations: &[] as &[Relation],
};

pub(in crate::web::admin) async fn list(conn: &mut DbConn, query: &Query, slice: Slice) -> store::Result<Lines> {
    let search = Search { text: query.text("q"), is_valid: query.flag("is_valid"), user_id: query.id("user_id") };
    let sort = match query.sort {
        "user" => Sort::User,
        "invalidated_at" => Sort::InvalidatedAt,
        "used_at" => Sort::UsedAt,
        "inserted_at" => Sort::InsertedAt,
        _ => Sort::Id,
    };
    let found = user_tokens::list(conn, &search, query.order(sort), slice).await?;
    Ok(Lines { lines: found.rows.iter().map(line).collect(), total: found.total })
}

pub(in crate::web::admin) async fn find(conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
    let Some((row, token)) = user_tokens::find(conn, id).await? else { return Ok(None) };
    let is_valid = row.invalidated_at.is_none();
    let facts = vec![
        Fact::new("User", Cell::user(&row.user)),
        Fact::new("Token", Cell::Secret { label: "Token", text: token.token }),
        Fact::new("State", state(&row)),
        Fact::new("Invalidated", Cell::when(row.invalidated_at)),
        Fact::new("Last used", used_at(&row)),
        Fact::new("Last used from", used_from(&row)),
        Fact::new("Created", Cell::when(Some(row.inserted_at))),
    ];
    let values = vec![("valid", checked(is_valid))];
    let invalidate = is_valid.then_some(Action::Invalidate);
    let actions = invalidate.into_iter().chain([Action::Delete]).collect();
    Ok(Some(Record { id, label: label(&row), facts, values, actions }))
}

pub(in crate::web::admin) async fn save(
    tx: &mut Transaction<'_>,
    id: Option<i32>,
    draft: &mut Draft,
) -> Result<Saved, Refusal> {
    if let Some(id) = id {
        let is_valid = draft.form.is_checked("valid");
        return Ok(set_valid(tx, id, is_valid).await?.unwrap_or(Saved { id, ..Saved::default() }));
    }
    draft.form.require(&["user"]);
    let user_id = draft.user(tx, "user").await?;
    draft.check()?;
    let token = store::user_tokens::create(tx, user_id.ok_or(Refusal::Invalid)?).await?;
    let mut differences = Differences::default();
    differences.note("user_id", token.user_id);
    Ok(Saved { id: token.id, differences, ..Saved::default() })
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    id: i32,
    action: Action,
) -> Result<Option<Saved>, Refusal> {
    match action {
        Action::Invalidate => set_valid(tx, id, false).await,
        Action::Delete => delete(tx, id).await.map(Some),
        _ => Ok(None),
    }
}

fn line(row: &Row) -> Line {
    let cells = vec![
        Cell::row("user_tokens", row.id, &row.id.to_string()),
        Cell::user(&row.user),
        Cell::Badge { text: "hidden", tone: "" },
        state(row),
        used_at(row),
        used_from(row),
        Cell::when(Some(row.inserted_at)),
    ];
    Line { id: row.id, cells }
}

fn state(row: &Row) -> Cell {
    match row.invalidated_at {
        None => Cell::Badge { text: "Valid", tone: "good" },
        Some(_) => Cell::Badge { text: "Invalid", tone: "warn" },
    }
}

fn used_at(row: &Row) -> Cell {
    Cell::when(row.last_use.as_ref().map(|last_use| last_use.used_at))
}

fn used_from(row: &Row) -> Cell {
    Cell::code(row.last_use.as_ref().and_then(|last_use| last_use.ip.as_deref()))
}

fn label(row: &Row) -> String {
    format!("token {} of {}", row.id, row.user.email.as_deref().unwrap_or("nobody"))
}

async fn set_valid(tx: &mut Transaction<'_>, id: i32, is_valid: bool) -> Result<Option<Saved>, Refusal> {
    let (row, _) = user_tokens::find(tx, id).await?.ok_or_else(gone)?;
    let was_valid = row.invalidated_at.is_none();
    if is_valid == was_valid {
        return Ok(None);
    }
    user_tokens::set_valid(tx, id, is_valid).await?;
    let mut differences = Differences::default();
    differences.flag("valid", Some(was_valid), is_valid);
    let mut closing = Closing::default();
    if !is_valid {
        closing.token(id);
    }
    Ok(Some(Saved { id, differences, closing, ..Saved::default() }))
}

async fn delete(tx: &mut Transaction<'_>, id: i32) -> Result<Saved, Refusal> {
    let (row, _) = user_tokens::find(tx, id).await?.ok_or_else(gone)?;
    user_tokens::delete(tx, id).await?;
    let mut differences = Differences::default();
    differences.note("user_id", row.user.id);
    let mut closing = Closing::default();
    closing.token(id);
    Ok(Saved { id, differences, closing, ..Saved::default() })
}
