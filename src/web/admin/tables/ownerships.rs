//! Ownerships.

use super::{
    Action, Cell, Closing, Column, Description, Differences, Draft, Fact, Field, FieldKind, Filter, FilterKind, Line,
    Lines, On, Query, Record, Refusal, Saved, checked, gone,
};
use crate::store::{
    self, DbConn, Transaction,
    admin::{
        Slice,
        ownerships::{self, Row, Search, Sort},
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
            .hint("An ownership that does not count gives the organization nothing."),
    ],
    actions: &[(
        Action::Delete,
        "The application does not belong to the organization any more, and the sockets that lived by that are closed. \
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
    let sort = match query.sort {
        "organization" => Sort::Organization,
        "application" => Sort::Application,
        "is_owned" => Sort::IsOwned,
        "inserted_at" => Sort::InsertedAt,
        _ => Sort::Id,
    };
    let found = ownerships::list(conn, &search, query.order(sort), slice).await?;
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
    id: Option<i32>,
    draft: &mut Draft,
) -> Result<Saved, Refusal> {
    if let Some(id) = id {
        draft.check()?;
        return set_owned(tx, id, draft.form.is_checked("is_owned")).await;
    }
    draft.form.require(&["organization", "application"]);
    let (organization_id, application_id) = (draft.organization(tx).await?, draft.application(tx).await?);
    draft.check()?;
    let (Some(organization_id), Some(application_id)) = (organization_id, application_id) else {
        return Err(Refusal::Invalid);
    };
    let id = ownerships::create(tx, organization_id, application_id).await?;
    let mut differences = Differences::default();
    differences.note("organization_id", organization_id);
    differences.note("application_id", application_id);
    Ok(Saved { id, differences, ..Saved::default() })
}

pub(in crate::web::admin) async fn act(
    tx: &mut Transaction<'_>,
    id: i32,
    action: Action,
) -> Result<Option<Saved>, Refusal> {
    if action != Action::Delete {
        return Ok(None);
    }
    let row = ownerships::find(tx, id).await?.ok_or_else(gone)?;
    let archived = ownerships::delete(tx, id).await?;
    let mut differences = Differences::default();
    differences.note("organization_id", row.organization.id);
    differences.note("application_id", row.application.id);
    note_archived(&mut differences, archived.is_some());
    let closing = closing(&row, archived.is_some());
    Ok(Some(Saved { id, differences, archived: archived.into_iter().collect(), closing }))
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

async fn set_owned(tx: &mut Transaction<'_>, id: i32, is_owned: bool) -> Result<Saved, Refusal> {
    let row = ownerships::find(tx, id).await?.ok_or_else(gone)?;
    let archived = ownerships::set_owned(tx, id, is_owned).await?;
    let mut differences = Differences::default();
    differences.flag("is_owned", Some(row.is_owned), is_owned);
    note_archived(&mut differences, archived.is_some());
    let closing = if row.is_owned && !is_owned { closing(&row, archived.is_some()) } else { Closing::default() };
    Ok(Saved { id, differences, archived: archived.into_iter().collect(), closing })
}

fn note_archived(differences: &mut Differences, is_archived: bool) {
    if is_archived {
        differences.note("archived applications", 1);
    }
}

/// The sockets of the organization's members are closed; all of them, when the application is archived.
fn closing(row: &Row, is_archived: bool) -> Closing {
    let mut closing = Closing::default();
    if is_archived {
        closing.application(row.application.app_key.as_deref());
    } else {
        closing.ownership(row.application.app_key.as_deref(), row.organization.id);
    }
    closing
}
