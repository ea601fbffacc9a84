//! Enrollments.

use super::{
    Action, Cell, Column, Description, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line, Lines, On, Query,
    Record, Refusal, Saved, checked, gone,
};
use crate::{
    operations::members::{self as operations, LastAdmin},
    store::{
        self, DbConn, Transaction,
        admin::{
            Slice,
            enrollments::{self, Row, Search},
        },
        audit::Actor,
    },
};

pub(in crate::web::admin) const DESCRIPTION: Description = Description {
    path: "enrollments",
    resource: "enrollments",
    one: "enrollment",
    many: "Enrollments",
    searches: "User or organization",
    columns: &[
        Column::new("id", "Id"),
        Column::new("user", "User"),
        Column::new("organization", "Organization"),
        Column::new("is_admin", "Admin"),
        Column::new("inserted_at", "Created"),
    ],
    order: ("id", false),
    filters: &[
        Filter::new("is_admin", "Admin", FilterKind::YesNo),
        Filter::new("user_id", "User's id", FilterKind::Id),
        Filter::new("organization_id", "Organization's id", FilterKind::Id),
    ],
    fields: &[
        Field::new("user", "User", FieldKind::Text, On::New).required().hint("The user's address or id."),
        Field::new("organization", "Organization", FieldKind::Text, On::New)
            .required()
            .hint("The organization's slug or id."),
        Field::new("is_admin", "Admin", FieldKind::Checkbox, On::Both)
            .hint("Admins change the organization and its applications."),
    ],
    actions: &[(
        Action::Delete,
        "The user is no longer a member of the organization, and the sockets that needed the membership are closed.",
    )],
    relations: &[],
};

pub(in crate::web::admin) async fn list(conn: &mut DbConn, query: &Query, slice: Slice) -> store::Result<Lines> {
    let search = Search {
        text: query.text("q"),
        is_admin: query.flag("is_admin"),
        user_id: query.id("user_id"),
        organization_id: query.id("organization_id"),
    };
    let found = enrollments::list(conn, &search, query.order(), slice).await?;
    Ok(Lines { lines: found.rows.iter().map(line).collect(), total: found.total })
}

pub(in crate::web::admin) async fn find(conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
    let Some(row) = enrollments::find(conn, id).await? else { return Ok(None) };
    let facts = vec![
        Fact::new("User", Cell::user(&row.user)),
        Fact::new("Organization", Cell::organization(&row.organization)),
        Fact::new("Admin", Cell::YesNo { value: row.is_admin }),
        Fact::new("Created", Cell::when(Some(row.inserted_at))),
    ];
    let values = vec![("is_admin", checked(row.is_admin))];
    Ok(Some(Record { id, label: label(&row), facts, values, actions: vec![Action::Delete] }))
}

pub(in crate::web::admin) async fn save(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: Option<i32>,
    draft: &mut Draft<'_>,
) -> Result<Saved, Refusal> {
    let is_admin = draft.form.is_checked("is_admin");
    if let Some(id) = id {
        draft.check()?;
        let row = enrollments::find(tx, id).await?.ok_or_else(gone)?;
        let ids = (row.user.id, row.organization.id);
        let has_changed = operations::set_admin(tx, actor, ids, is_admin, LastAdmin::MayGo).await?;
        return Ok(Saved { id, has_changed });
    }
    draft.form.require(&["user", "organization"]);
    let (user_id, organization_id) = (draft.user(tx, "user").await?, draft.organization(tx).await?);
    draft.check()?;
    let (Some(user_id), Some(organization_id)) = (user_id, organization_id) else { return Err(Refusal::Invalid) };
    let enrollment = operations::enroll(tx, actor, user_id, organization_id, is_admin).await?;
    Ok(Saved::created(enrollment.id))
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: i32,
    action: Action,
) -> Result<bool, Refusal> {
    if action != Action::Delete {
        return Ok(false);
    }
    let row = enrollments::find(tx, id).await?.ok_or_else(gone)?;
    operations::remove(tx, actor, row.user.id, row.organization.id, LastAdmin::MayGo).await?;
    Ok(true)
}

fn line(row: &Row) -> Line {
    let cells = vec![
        Cell::row("enrollments", row.id, &row.id.to_string()),
        Cell::user(&row.user),
        Cell::organization(&row.organization),
        Cell::toggle("enrollments", row.id, "is_admin", row.is_admin, format!("Admin: {}", label(row))),
        Cell::when(Some(row.inserted_at)),
    ];
    Line { id: row.id, cells }
}

fn label(row: &Row) -> String {
    let user = row.user.email.as_deref().unwrap_or("a user without address");
    format!("{user} in {}", row.organization.name.as_deref().unwrap_or("an organization without name"))
}
