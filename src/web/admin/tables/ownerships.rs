//! Ownerships.

use super::{
    Action, Cell, Column, Description, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line, Lines, On, Query,
    Record, Refusal, Saved, checked,
};
use crate::{
    operations::ownerships as operations,
    store::{
        self, DbConn, Transaction,
        admin::{
            Slice,
            ownerships::{self, Row, Search},
        },
        audit::Actor,
    },
};

pub(in crate::web::admin) const DESCRIPTION: Description = Description {
    path: "ownerships",
    resource: "ownerships",
    one: "ownership",
    many: "Ownerships",
    searches: "Organization or application",
    columns: &[
        Column::new("id", "Id"),
        Column::new("organization", "Organization"),
        Column::new("application", "Application"),
        Column::new("is_owned", "Counts"),
        Column::new("inserted_at", "Created"),
    ],
    order: ("id", false),
    filters: &[
        Filter::new("is_owned", "Counts", FilterKind::YesNo),
        Filter::new("organization_id", "Organization's id", FilterKind::Id),
        Filter::new("application_id", "Application's id", FilterKind::Id),
    ],
    fields: &[
        Field::new("organization", "Organization", FieldKind::Text, On::New)
            .required()
            .hint("The organization's slug or id."),
        Field::new("application", "Application", FieldKind::Text, On::New)
            .required()
            .hint("The application's key or id."),
        Field::new("is_owned", "Counts", FieldKind::Checkbox, On::Edit)
            .hint("An ownership that does not count gives the organization no access."),
    ],
    actions: &[(
        Action::Delete,
        "The application no longer belongs to the organization, and the sockets that needed the ownership are closed. \
         If no other organization owns the application, it is archived.",
    )],
    relations: &[],
};

pub(in crate::web::admin) async fn list(conn: &mut DbConn, query: &Query, slice: Slice) -> store::Result<Lines> {
    let search = Search {
        text: query.text("q"),
        is_owned: query.flag("is_owned"),
        organization_id: query.id("organization_id"),
        application_id: query.id("application_id"),
    };
    let found = ownerships::list(conn, &search, query.order(), slice).await?;
    Ok(Lines { lines: found.rows.iter().map(line).collect(), total: found.total })
}

pub(in crate::web::admin) async fn find(conn: &mut DbConn, id: i32) -> store::Result<Option<Record>> {
    let Some(row) = ownerships::find(conn, id).await? else { return Ok(None) };
    let facts = vec![
        Fact::new("Organization", Cell::organization(&row.organization)),
        Fact::new("Application", Cell::application(&row.application)),
        Fact::new("Counts", Cell::YesNo { value: row.is_owned }),
        Fact::new("Created", Cell::when(Some(row.inserted_at))),
    ];
    let values = vec![("is_owned", checked(row.is_owned))];
    Ok(Some(Record { id, label: label(&row), facts, values, actions: vec![Action::Delete] }))
}

pub(in crate::web::admin) async fn save(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: Option<i32>,
    draft: &mut Draft<'_>,
) -> Result<Saved, Refusal> {
    if let Some(id) = id {
        draft.check()?;
        let has_changed = operations::set_owned(tx, actor, id, draft.form.is_checked("is_owned")).await?;
        return Ok(Saved { id, has_changed });
    }
    draft.form.require(&["organization", "application"]);
    let (organization_id, application_id) = (draft.organization(tx).await?, draft.application(tx).await?);
    draft.check()?;
    let (Some(organization_id), Some(application_id)) = (organization_id, application_id) else {
        return Err(Refusal::Invalid);
    };
    Ok(Saved::created(operations::give(tx, actor, organization_id, application_id).await?))
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
    operations::delete(tx, actor, id).await?;
    Ok(true)
}

fn line(row: &Row) -> Line {
    let cells = vec![
        Cell::row("ownerships", row.id, &row.id.to_string()),
        Cell::organization(&row.organization),
        Cell::application(&row.application),
        Cell::toggle("ownerships", row.id, "is_owned", row.is_owned, format!("Counts: {}", label(row))),
        Cell::when(Some(row.inserted_at)),
    ];
    Line { id: row.id, cells }
}

fn label(row: &Row) -> String {
    let application = row.application.name.as_deref().unwrap_or("an application without name");
    format!("{application} of {}", row.organization.name.as_deref().unwrap_or("an organization without name"))
}
