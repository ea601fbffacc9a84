//! Organizations.

use super::{
    Action, Cell, Closing, Column, Description, Differences, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line,
    Lines, On, Query, Record, Refusal, Relation, Saved, Table, gone,
};
use crate::{
    store::{
        self, DbConn, Reference, Transaction,
        admin::{
            Slice,
            organizations::{self, Row, Search, Sort},
        },
        now,
        organizations::{Changes, NewOrganization},
    },
    web::slug::slugify,
};

pub(in crate::web::admin) const DESCRIPTION: Description = Description {
    path: "organizations",
    resource: "organizations",
    one: "organization",
    many: "Organizations",
    searches: "Name, slug or id",
    columns: &[
        Column::new("id", "Id"),
        Column::new("name", "Name"),
        Column::new("slug", "Slug"),
        Column::new("archived_at", "State"),
        Column::new("inserted_at", "Created"),
    ],
    order: ("id", false),
    filters: &[Filter::new("is_archived", "Archived", FilterKind::YesNo)],
    fields: &[
        Field::new("name", "Name", FieldKind::Text, On::Both).required(),
        Field::new("slug", "Slug", FieldKind::Text, On::Both)
            .hint("The name in addresses. Leave it empty to have it made of the name."),
        Field::new("admin", "First admin", FieldKind::Text, On::New)
            .hint("A user's address or id. Leave it empty to be it yourself."),
    ],
    actions: &[
        (Action::Archive, "The organization is marked as archived. It is listed and used as before."),
        (Action::Restore, ""),
        (
            Action::Delete,
            "Its enrollments and ownerships are deleted along, applications that no other organization owns are \
             archived, and the sockets that lived by it are closed. This cannot be undone.",
        ),
    ],
    relations: &[
        Relation { table: Table::Enrollments, filter: "organization_id", field: Some("organization") },
        Relation { table: Table::Applications, filter: "organization_id", field: Some("organization") },
        Relation { table: Table::Ownerships, filter: "organization_id", field: Some("organization") },
    ],
};

pub(in crate::web::admin) async fn list(conn: &mut DbConn, query: &Query, slice: Slice) -> store::Result<Lines> {
    let search = Search { text: query.text("q"), is_archived: query.flag("is_archived") };
    let sort = match query.sort {
        "name" => Sort::Name,
        "slug" => Sort::Slug,
        "archived_at" => Sort::ArchivedAt,
        "inserted_at" => Sort::InsertedAt,
        _ => Sort::Id,
    };
    let found = organizations::list(conn, &search, query.order(sort), slice).await?;
    Ok(Lines { lines: found.rows.iter().map(line).collect(), total: found.total })
}

pub(in crate::web::admin) async fn find(conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
    let Some(row) = organizations::find(conn, Reference::Id(id)).await? else { return Ok(None) };
    let facts = vec![
        Fact::new("Name", Cell::text(row.name.as_deref())),
        Fact::new("Slug", Cell::code(row.slug.as_deref())),
        Fact::new("State", Cell::Archived { value: row.archived_at.is_some() }),
        Fact::new("Archived", Cell::when(row.archived_at)),
        Fact::new("Created", Cell::when(Some(row.inserted_at))),
    ];
    let values = vec![("name", row.name.clone().unwrap_or_default()), ("slug", row.slug.clone().unwrap_or_default())];
    let archive = if row.archived_at.is_some() { Action::Restore } else { Action::Archive };
    let label = row.name.or(row.slug).unwrap_or_else(|| format!("organization {id}"));
    Ok(Some(Record { id, label, facts, values, actions: vec![archive, Action::Delete] }))
}

pub(in crate::web::admin) async fn save(
    tx: &mut Transaction<'_>,
    id: Option<i32>,
    draft: &mut Draft,
) -> Result<Saved, Refusal> {
    draft.form.require(&["name"]);
    let name = draft.form.value("name").to_owned();
    let slug = match draft.form.value("slug") {
        "" => slugify(&name),
        slug => slug.to_owned(),
    };
    if slug.is_empty() && !name.is_empty() {
        draft.form.error("slug", "can't be blank: nothing of the name can be spelled in an address");
    }
    match id {
        Some(id) => {
            draft.check()?;
            update(tx, id, name, slug).await
        }
        None => create(tx, &name, &slug, draft).await,
    }
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    id: i32,
    action: Action,
) -> Result<Option<Saved>, Refusal> {
    let row = organizations::find(tx, Reference::Id(id)).await?.ok_or_else(gone)?;
    let is_archived = row.archived_at.is_some();
    match action {
        Action::Archive if !is_archived => set_archived(tx, &row, true).await.map(Some),
        Action::Restore if is_archived => set_archived(tx, &row, false).await.map(Some),
        Action::Delete => delete(tx, &row).await.map(Some),
        _ => Ok(None),
    }
}

fn line(row: &Row) -> Line {
    let cells = vec![
        Cell::number(row.id),
        Cell::row("organizations", row.id, row.name.as_deref().unwrap_or_default()),
        Cell::code(row.slug.as_deref()),
        Cell::Archived { value: row.archived_at.is_some() },
        Cell::when(Some(row.inserted_at)),
    ];
    Line { id: row.id, cells }
}

async fn create(tx: &mut Transaction<'_>, name: &str, slug: &str, draft: &mut Draft) -> Result<Saved, Refusal> {
    let admin_id = match draft.form.value("admin") {
        "" => Some(draft.actor_id),
        _ => draft.user(tx, "admin").await?,
    };
    draft.check()?;
    let admin_id = admin_id.ok_or(Refusal::Invalid)?;
    let new = NewOrganization { name, slug, archived_at: None };
    let organization = store::organizations::create(tx, &new, admin_id).await?;
    let mut differences = Differences::default();
    differences.column("name", None, Some(name));
    differences.column("slug", None, Some(slug));
    differences.note("admin_id", admin_id);
    Ok(Saved { id: organization.id, differences, ..Saved::default() })
}

async fn update(tx: &mut Transaction<'_>, id: i32, name: String, slug: String) -> Result<Saved, Refusal> {
    let row = organizations::find(tx, Reference::Id(id)).await?.ok_or_else(gone)?;
    let mut differences = Differences::default();
    differences.column("name", row.name.as_deref(), Some(&name));
    differences.column("slug", row.slug.as_deref(), Some(&slug));
    let changes = Changes { name: Some(name), slug: Some(slug), archived_at: None };
    store::organizations::update(tx, id, &changes).await?;
    Ok(Saved { id, differences, ..Saved::default() })
}

async fn set_archived(tx: &mut Transaction<'_>, row: &Row, is_archived: bool) -> Result<Saved, Refusal> {
    let changes = Changes { archived_at: Some(is_archived.then(now)), ..Changes::default() };
    store::organizations::update(tx, row.id, &changes).await?;
    let mut differences = Differences::default();
    differences.column("name", None, row.name.as_deref());
    Ok(Saved { id: row.id, differences, ..Saved::default() })
}

async fn delete(tx: &mut Transaction<'_>, row: &Row) -> Result<Saved, Refusal> {
    let deleted = store::organizations::delete(tx, row.id).await?;
    let differences = deleted.differences(row.name.as_deref());
    let mut closing = Closing::default();
    for user_id in deleted.user_ids {
        closing.enrollment(user_id, row.id);
    }
    for application in &deleted.archived {
        closing.application(application.app_key.as_deref());
    }
    Ok(Saved { id: row.id, differences, archived: deleted.archived, closing })
}
