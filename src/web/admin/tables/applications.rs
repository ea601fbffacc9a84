//! Applications. The secret is on the application's own page only, folded up.

use super::{
    Action, Cell, Closing, Column, Description, Differences, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line,
    Lines, On, Query, Record, Refusal, Relation, Saved, Table, gone, limits,
};
use crate::store::{
    self, DbConn, Reference, Transaction,
    admin::{
        Slice,
        applications::{self, Row, Search, Sort},
    },
    applications::{Application, Changes, NewApplication},
    now,
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
            "What sockets name it by. Leave it empty to have one made. With a new key all its sockets are closed.",
        ),
        Field::new("new_secret", "Make a new secret", FieldKind::Checkbox, On::Edit),
        Field::new("sockets", "Most sockets", FieldKind::Number, On::Edit).hint(limits::HINT),
        Field::new("events_per_second", "Most events per second", FieldKind::Number, On::Edit).hint(limits::HINT),
        Field::new("events_per_socket", "Most events per second and socket", FieldKind::Number, On::Edit)
            .hint(limits::HINT),
    ],
    actions: &[
        (Action::Archive, "Nobody can connect to it or publish any more, and all its sockets are closed."),
        (Action::Restore, ""),
        (
            Action::Delete,
            "It is taken from all organizations that own it, and all its sockets are closed. This cannot be undone.",
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
    let sort = match query.sort {
        "name" => Sort::Name,
        "app_key" => Sort::AppKey,
        "archived_at" => Sort::ArchivedAt,
        "inserted_at" => Sort::InsertedAt,
        _ => Sort::Id,
    };
    let found = applications::list(conn, &search, query.order(sort), slice).await?;
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
    id: Option<i32>,
    draft: &mut Draft,
) -> Result<Saved, Refusal> {
    draft.form.require(&["name"]);
    // Topics are `lobby:<app_key>:<topic>`, and those of `key:a` would be topics of the application `key`.
    if draft.form.value("app_key").contains(':') {
        draft.form.error("app_key", "can't have a colon");
    }
    match id {
        Some(id) => {
            draft.check()?;
            update(tx, id, draft).await
        }
        None => create(tx, draft).await,
    }
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    id: i32,
    action: Action,
) -> Result<Option<Saved>, Refusal> {
    let (row, _) = applications::find(tx, Reference::Id(id)).await?.ok_or_else(gone)?;
    let is_archived = row.archived_at.is_some();
    match action {
        Action::Archive if is_archived => return Ok(None),
        Action::Restore if !is_archived => return Ok(None),
        Action::Archive | Action::Restore => {
            let archived_at = (action == Action::Archive).then(now);
            let changes = Changes { archived_at: Some(archived_at), ..Changes::default() };
            store::applications::update(tx, id, &changes).await?;
        }
        Action::Delete => applications::delete(tx, id).await?,
        _ => return Ok(None),
    }
    let mut differences = Differences::default();
    differences.column("name", None, row.name.as_deref());
    let mut closing = Closing::default();
    if action != Action::Restore {
        closing.application(row.app_key.as_deref());
    }
    Ok(Some(Saved { id, differences, closing, ..Saved::default() }))
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

/// The key that was typed, or else a new one.
fn app_key(draft: &Draft) -> String {
    match draft.form.value("app_key") {
        "" => store::applications::new_key(),
        app_key => app_key.to_owned(),
    }
}

async fn create(tx: &mut Transaction<'_>, draft: &mut Draft) -> Result<Saved, Refusal> {
    draft.form.require(&["organization"]);
    let organization_id = draft.organization(tx).await?;
    draft.check()?;
    let organization_id = organization_id.ok_or(Refusal::Invalid)?;
    let (name, app_key, app_secret) = (draft.form.value("name"), app_key(draft), store::applications::new_key());
    let new = NewApplication { name, app_key: &app_key, app_secret: &app_secret, archived_at: None };
    let application = store::applications::create(tx, organization_id, &new).await?;
    let mut differences = Differences::default();
    differences.column("name", None, Some(name));
    differences.column("app_key", None, Some(&app_key));
    differences.note("organization_id", organization_id);
    Ok(Saved { id: application.id, differences, ..Saved::default() })
}

async fn update(tx: &mut Transaction<'_>, id: i32, draft: &mut Draft) -> Result<Saved, Refusal> {
    let (_, before) = applications::find(tx, Reference::Id(id)).await?.ok_or_else(gone)?;
    let app_secret = draft.form.is_checked("new_secret").then(store::applications::new_key);
    let changes = Changes {
        name: Some(draft.form.value("name").to_owned()),
        app_key: Some(app_key(draft)),
        app_secret,
        archived_at: None,
    };
    let mut differences = differences(&before, &changes);
    limits::save(tx, id, draft, &mut differences).await?;
    store::applications::update(tx, id, &changes).await?;
    let mut closing = Closing::default();
    if before.app_key != changes.app_key {
        closing.application(before.app_key.as_deref());
    }
    Ok(Saved { id, differences, closing, ..Saved::default() })
}

fn differences(before: &Application, changes: &Changes) -> Differences {
    let mut differences = Differences::default();
    differences.column("name", before.name.as_deref(), changes.name.as_deref());
    differences.column("app_key", before.app_key.as_deref(), changes.app_key.as_deref());
    if changes.app_secret.is_some() {
        differences.secret("app_secret");
    }
    differences
}
