//! Enrollments.

use super::{
    Action, Cell, Closing, Column, Description, Differences, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line,
    Lines, On, Query, Record, Refusal, Saved, checked, gone,
};
use crate::store::{
    self, DbConn, Transaction,
    admin::{
        Slice,
        enrollments::{self, Row, Search, Sort},
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
        "The user does not belong to the organization any more, and the sockets that lived by that are closed.",
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
    let sort = match query.sort {
        "user" => Sort::User,
        "organization" => Sort::Organization,
        "is_admin" => Sort::IsAdmin,
        "inserted_at" => Sort::InsertedAt,
        _ => Sort::Id,
    };
    let found = enrollments::list(conn, &search, query.order(sort), slice).await?;
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
    id: Option<i32>,
    draft: &mut Draft,
) -> Result<Saved, Refusal> {
    let is_admin = draft.form.is_checked("is_admin");
    if let Some(id) = id {
        draft.check()?;
        return set_admin(tx, id, is_admin).await;
    }
    draft.form.require(&["user", "organization"]);
    let (user_id, organization_id) = (draft.user(tx, "user").await?, draft.organization(tx).await?);
    draft.check()?;
    let (Some(user_id), Some(organization_id)) = (user_id, organization_id) else { return Err(Refusal::Invalid) };
    let enrollment = store::enrollments::create(tx, user_id, organization_id, is_admin).await?;
    let mut differences = Differences::default();
    differences.note("user_id", user_id);
    differences.note("organization_id", organization_id);
    differences.flag("is_admin", None, is_admin);
    Ok(Saved { id: enrollment.id, differences, ..Saved::default() })
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    id: i32,
    action: Action,
) -> Result<Option<Saved>, Refusal> {
    if action != Action::Delete {
        return Ok(None);
    }
    let row = enrollments::find(tx, id).await?.ok_or_else(gone)?;
    let (user_id, organization_id) = (row.user.id, row.organization.id);
    store::enrollments::delete(tx, user_id, organization_id).await?;
    let mut differences = Differences::default();
    differences.note("user_id", user_id);
    differences.note("organization_id", organization_id);
    let mut closing = Closing::default();
    closing.enrollment(user_id, organization_id);
    Ok(Some(Saved { id, differences, closing, ..Saved::default() }))
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

async fn set_admin(tx: &mut Transaction<'_>, id: i32, is_admin: bool) -> Result<Saved, Refusal> {
    let row = enrollments::find(tx, id).await?.ok_or_else(gone)?;
    enrollments::set_admin(tx, id, is_admin).await?;
    let mut differences = Differences::default();
    differences.flag("is_admin", Some(row.is_admin), is_admin);
    Ok(Saved { id, differences, ..Saved::default() })
}
