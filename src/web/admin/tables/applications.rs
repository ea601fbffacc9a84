//! Applications. The secret is on the application's own page only, folded up.

use super::{
    Action, Cell, Column, Description, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line, Lines, On, Query,
    Record, Refusal, Relation, Saved, Table, limits,
};
use crate::{
    operations::applications::{self as operations, MadeIn},
    store::{
        self, DbConn, Reference, Transaction,
        admin::{
            Slice,
            applications::{self, Row, Search},
        },
        applications::{Changes, NewApplication},
        audit::Actor,
    },
};

pub(in crate::web::admin) const DESCRIPTION: Description = Description {
    path: "applications",
    resource: "applications",
    one: "application",
    many: "Applications",
    searches: "Name, key or id",
    columns: &[
        Column::new("id", "Id"),
        Column::new("name", "Name"),
        Column::new("app_key", "Key"),
        Column::new("archived_at", "State"),
        Column::new("inserted_at", "Created"),
    ],
    order: ("id", false),
    filters: &[
        Filter::new("is_archived", "Archived", FilterKind::YesNo),
        Filter::new("organization_id", "Organization's id", FilterKind::Id),
    ],
    fields: &[
        Field::new("organization", "Organization", FieldKind::Text, On::New)
            .required()
            .hint("The slug or id of the organization that owns it."),
        Field::new("name", "Name", FieldKind::Text, On::Both).required(),
        Field::new("app_key", "Key", FieldKind::Text, On::Both).hint(
            "Public key that sockets connect with. Leave it empty to generate one. A new key closes all its sockets.",
        ),
        Field::new("new_secret", "Make a new secret", FieldKind::Checkbox, On::Edit),
        Field::new("sockets", "Maximum sockets", FieldKind::Number, On::Edit).hint(limits::HINT),
        Field::new("events_per_second", "Maximum events per second", FieldKind::Number, On::Edit).hint(limits::HINT),
        Field::new("events_per_socket", "Maximum events per second per socket", FieldKind::Number, On::Edit)
            .hint(limits::HINT),
    ],
    actions: &[
        (Action::Archive, "Clients can no longer connect to it or publish, and all its sockets are closed."),
        (Action::Restore, ""),
        (
            Action::Delete,
            "All organizations that own it lose it, and all its sockets are closed. This cannot be undone.",
        ),
    ],
    relations: &[Relation { table: Table::Ownerships, filter: "application_id", field: Some("application") }],
};

pub(in crate::web::admin) async fn list(conn: &mut DbConn, query: &Query, slice: Slice) -> store::Result<Lines> {
    let search = Search {
        text: query.text("q"),
        is_archived: query.flag("is_archived"),
        organization_id: query.id("organization_id"),
    };
    let found = applications::list(conn, &search, query.order(), slice).await?;
    Ok(Lines { lines: found.rows.iter().map(line).collect(), total: found.total })
}

pub(in crate::web::admin) async fn find(conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
    let Some((row, application)) = applications::find(conn, Reference::Id(id)).await? else { return Ok(None) };
    let secret = application.app_secret.unwrap_or_default();
    let (limits, limit_values) = limits::show(conn, id).await?;
    let mut facts = vec![
        Fact::new("Name", Cell::text(row.name.as_deref())),
        Fact::new("Key", Cell::code(row.app_key.as_deref())),
        Fact::new("Secret", Cell::Secret { label: "Secret", text: secret }),
        Fact::new("State", Cell::Archived { value: row.archived_at.is_some() }),
        Fact::new("Archived", Cell::when(row.archived_at)),
        Fact::new("Created", Cell::when(Some(row.inserted_at))),
    ];
    facts.extend(limits);
    let mut values =
        vec![("name", row.name.clone().unwrap_or_default()), ("app_key", row.app_key.clone().unwrap_or_default())];
    values.extend(limit_values);
    let archive = if row.archived_at.is_some() { Action::Restore } else { Action::Archive };
    let label = row.name.unwrap_or_else(|| format!("application {id}"));
    Ok(Some(Record { id, label, facts, values, actions: vec![archive, Action::Delete] }))
}

pub(in crate::web::admin) async fn save(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: Option<i32>,
    draft: &mut Draft<'_>,
) -> Result<Saved, Refusal> {
    draft.form.require(&["name"]);
    if !operations::is_key(draft.form.value("app_key")) {
        draft.form.error("app_key", "can't have a colon");
    }
    match id {
        Some(id) => {
            draft.check()?;
            update(tx, actor, id, draft).await
        }
        None => create(tx, actor, draft).await,
    }
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: i32,
    action: Action,
) -> Result<bool, Refusal> {
    match action {
        Action::Archive => Ok(operations::archive(tx, actor, id).await?.is_some()),
        Action::Restore => Ok(operations::restore(tx, actor, id).await?.is_some()),
        Action::Delete => {
            operations::delete(tx, actor, id).await?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

fn line(row: &Row) -> Line {
    let cells = vec![
        Cell::number(row.id),
        Cell::row("applications", row.id, row.name.as_deref().unwrap_or_default()),
        Cell::code(row.app_key.as_deref()),
        Cell::Archived { value: row.archived_at.is_some() },
        Cell::when(Some(row.inserted_at)),
    ];
    Line { id: row.id, cells }
}

/// Returns the typed key, or a new one.
fn app_key(draft: &Draft<'_>) -> String {
    match draft.form.value("app_key") {
        "" => store::applications::new_key(),
        app_key => app_key.to_owned(),
    }
}

async fn create(tx: &mut Transaction<'_>, actor: &Actor, draft: &mut Draft<'_>) -> Result<Saved, Refusal> {
    draft.form.require(&["organization"]);
    let organization_id = draft.organization(tx).await?;
    draft.check()?;
    let organization_id = organization_id.ok_or(Refusal::Invalid)?;
    let (name, app_key, app_secret) = (draft.form.value("name"), app_key(draft), store::applications::new_key());
    let new = NewApplication { name, app_key: &app_key, app_secret: &app_secret, archived_at: None };
    let application = operations::create(tx, actor, organization_id, &new, MadeIn::Elsewhere).await?;
    Ok(Saved::created(application.id))
}

async fn update(tx: &mut Transaction<'_>, actor: &Actor, id: i32, draft: &mut Draft<'_>) -> Result<Saved, Refusal> {
    let app_secret = draft.form.is_checked("new_secret").then(store::applications::new_key);
    let changes = Changes {
        name: Some(draft.form.value("name").to_owned()),
        app_key: Some(app_key(draft)),
        app_secret,
        archived_at: None,
    };
    let limits = limits::read_all(draft)?;
    let (_, has_changed) = operations::update(tx, actor, id, &changes, Some(&limits)).await?;
    Ok(Saved { id, has_changed })
}
