//! Tokens of users. The token itself is on its own page only, folded up.

use std::collections::HashSet;

use super::{
    Action, Cell, Column, Description, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line, Lines, On, Query,
    Record, Refusal, Relation, Saved, checked, gone,
};
use crate::{
    operations::tokens as operations,
    store::{
        self, DbConn, Transaction,
        admin::{
            Slice,
            user_tokens::{self, Row, Search},
        },
        audit::Actor,
        user_token_settings::TokenSettings,
        user_tokens::active_among,
    },
    web::token_form,
};

pub(in crate::web::admin) const DESCRIPTION: Description = Description {
    path: "user_tokens",
    resource: "user_tokens",
    one: "user token",
    many: "User tokens",
    searches: "User's name or address, token's name, or id",
    columns: &[
        Column::new("id", "Id"),
        Column::new("user", "User"),
        Column::unsorted("Token"),
        Column::new("name", "Name"),
        Column::unsorted("Scope"),
        Column::new("invalidated_at", "State"),
        Column::new("expires_at", "Expires"),
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
        Field::new("name", "Name", FieldKind::Text, On::New).hint("What uses the token. At most 100 characters."),
        Field::new("scope", "Scope", FieldKind::Choice(&token_form::SCOPES), On::New).required(),
        Field::new(token_form::LAST_DAY, "Last day", FieldKind::Date, On::New)
            .hint("The token expires at the end of this day, in UTC. Leave it empty for no expiry."),
        Field::new("valid", "Valid", FieldKind::Checkbox, On::Edit)
            .hint("Invalidating a token closes the sockets that it opened. An expired token stays invalid."),
    ],
    actions: &[
        (Action::Invalidate, "The token no longer gives JWTs, and the sockets whose JWT came from it are closed."),
        (
            Action::Delete,
            "The token no longer gives JWTs, the sockets whose JWT came from it are closed, and the record of its last \
             use is deleted. This cannot be undone.",
        ),
    ],
    relations: &[] as &[Relation],
};

pub(in crate::web::admin) async fn list(conn: &mut DbConn, query: &Query, slice: Slice) -> store::Result<Lines> {
    let search = Search { text: query.text("q"), is_valid: query.flag("is_valid"), user_id: query.id("user_id") };
    let found = user_tokens::list(conn, &search, query.order(), slice).await?;
    let valid = valid_among(conn, &found.rows.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
    let lines = found.rows.iter().map(|row| line(row, valid.contains(&row.id)));
    Ok(Lines { lines: lines.collect(), total: found.total })
}

pub(in crate::web::admin) async fn find(conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
    let Some((row, token)) = user_tokens::find(conn, id).await? else { return Ok(None) };
    let is_valid = valid_among(conn, &[id]).await?.contains(&id);
    let is_invalidated = row.invalidated_at.is_some();
    let settings = settings(&row);
    let facts = vec![
        Fact::new("User", Cell::user(&row.user)),
        Fact::new("Token", Cell::Secret { label: "Token", text: token.token }),
        Fact::new("Name", Cell::text(settings.name.as_deref())),
        Fact::new("Scope", Cell::text(Some(token_form::label_of(settings.scope)))),
        Fact::new("Permits", Cell::text(Some(settings.scope.sentence()))),
        Fact::new("Expires", Cell::when(settings.expires_at)),
        Fact::new("State", state(&row, is_valid)),
        Fact::new("Invalidated", Cell::when(row.invalidated_at)),
        Fact::new("Last used", used_at(&row)),
        Fact::new("Last used from", used_from(&row)),
        Fact::new("Created", Cell::when(Some(row.inserted_at))),
    ];
    let values = vec![("valid", checked(!is_invalidated))];
    let invalidate = (!is_invalidated).then_some(Action::Invalidate);
    let actions = invalidate.into_iter().chain([Action::Delete]).collect();
    Ok(Some(Record { id, label: label(&row), facts, values, actions }))
}

pub(in crate::web::admin) async fn save(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: Option<i32>,
    draft: &mut Draft<'_>,
) -> Result<Saved, Refusal> {
    if let Some(id) = id {
        let has_changed = match draft.form.is_checked("valid") {
            true => operations::restore(tx, actor, id).await?,
            false => invalidate(tx, actor, id).await?,
        };
        return Ok(Saved { id, has_changed });
    }
    draft.form.require(&["user"]);
    let user_id = draft.user(tx, "user").await?;
    let expires_at = token_form::end_of_last_day(&mut draft.form);
    let new = token_form::read(&mut draft.form, expires_at);
    let (Some(user_id), Some(new)) = (user_id, new) else { return Err(Refusal::Invalid) };
    Ok(Saved::created(operations::create_for(tx, actor, user_id, &new).await?.id))
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: i32,
    action: Action,
) -> Result<bool, Refusal> {
    match action {
        Action::Invalidate => invalidate(tx, actor, id).await,
        Action::Delete => {
            operations::delete(tx, actor, id).await?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn line(row: &Row, is_valid: bool) -> Line {
    let settings = settings(row);
    let cells = vec![
        Cell::row("user_tokens", row.id, &row.id.to_string()),
        Cell::user(&row.user),
        Cell::Badge { text: "hidden", tone: "" },
        Cell::text(settings.name.as_deref()),
        Cell::text(Some(token_form::label_of(settings.scope))),
        state(row, is_valid),
        Cell::when(settings.expires_at),
        used_at(row),
        used_from(row),
        Cell::when(Some(row.inserted_at)),
    ];
    Line { id: row.id, cells }
}

fn state(row: &Row, is_valid: bool) -> Cell {
    match row.invalidated_at {
        _ if is_valid => Cell::Badge { text: "Valid", tone: "good" },
        None => Cell::Badge { text: "Expired", tone: "warn" },
        Some(_) => Cell::Badge { text: "Invalid", tone: "warn" },
    }
}

/// Returns the settings of a token, which has no row of them if it is as the original's are.
fn settings(row: &Row) -> TokenSettings {
    row.settings.clone().unwrap_or(TokenSettings::ABSENT)
}

async fn valid_among(conn: &mut DbConn, ids: &[i32]) -> store::Result<HashSet<i32>> {
    Ok(active_among(conn, ids).await?.into_iter().map(|(id, ..)| id).collect())
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

/// Invalidates a token; false when it is invalid already, so that it keeps the time.
async fn invalidate(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<bool, Refusal> {
    let (row, _) = user_tokens::find(tx, id).await?.ok_or_else(gone)?;
    if row.invalidated_at.is_some() {
        return Ok(false);
    }
    let (_, was_valid) = operations::invalidate(tx, actor, id).await?;
    Ok(was_valid)
}
