//! Organizations.

use super::{
    Action, Cell, Column, Description, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line, Lines, On, Query,
    Record, Refusal, Relation, Saved, Table,
};
use crate::{
    operations::{Quota, organizations as operations},
    store::{
        self, DbConn, Reference, Transaction,
        admin::{
            Slice,
            organizations::{self, Row, Search},
        },
        audit::Actor,
        organizations::{Changes, NewOrganization},
    },
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
            .hint("Name in URLs. Leave it empty to derive it from the name."),
        Field::new("admin", "First admin", FieldKind::Text, On::New)
            .hint("A user's address or id. Leave it empty to become the admin yourself."),
    ],
    actions: &[
        (
            Action::Archive,
            "The organization stays listed, but gives no access to its applications, and its sockets are closed. \
             Applications that another organization owns as well keep working for that one. You can restore it.",
        ),
        (Action::Restore, ""),
        (
            Action::Delete,
            "Its enrollments and ownerships are deleted too, applications that no other organization owns are \
             archived, and its sockets are closed. This cannot be undone.",
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
    let found = organizations::list(conn, &search, query.order(), slice).await?;
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
    actor: &Actor,
    id: Option<i32>,
    draft: &mut Draft<'_>,
) -> Result<Saved, Refusal> {
    draft.form.require(&["name"]);
    let name = draft.form.value("name").to_owned();
    let slug = match draft.form.value("slug") {
        "" => operations::slug_of(&name).unwrap_or_default(),
        slug => slug.to_owned(),
    };
    if slug.is_empty() && !name.is_empty() {
        draft.form.error("slug", "can't be blank: nothing of the name can be spelled in an address");
    }
    match id {
        Some(id) => {
            draft.check()?;
            let changes = Changes { name: Some(name), slug: Some(slug), archived_at: None };
            let (_, has_changed) = operations::update(tx, actor, id, &changes).await?;
            Ok(Saved { id, has_changed })
        }
        None => create(tx, actor, (&name, &slug), draft).await,
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
        Cell::row("organizations", row.id, row.name.as_deref().unwrap_or_default()),
        Cell::code(row.slug.as_deref()),
        Cell::Archived { value: row.archived_at.is_some() },
        Cell::when(Some(row.inserted_at)),
    ];
    Line { id: row.id, cells }
}

async fn create(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    (name, slug): (&str, &str),
    draft: &mut Draft<'_>,
) -> Result<Saved, Refusal> {
    let admin_id = match draft.form.value("admin") {
        "" => actor.id,
        _ => draft.user(tx, "admin").await?,
    };
    draft.check()?;
    let admin_id = admin_id.ok_or(Refusal::Invalid)?;
    let new = NewOrganization { name, slug, archived_at: None };
    let organization = operations::create(tx, actor, &new, admin_id, Quota::Unlimited).await?;
    Ok(Saved::created(organization.id))
}
