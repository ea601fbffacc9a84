//! One row on a page of its own, with what belongs to it.

use minijinja::{Value, context, value::Serde};

use super::{
    Error, Query, Record, Relation, Table, Visit,
    listing::{button, related},
};
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
    store::{self, DbConn},
};

/// How many rows of each relation are shown; the rest is a click away.
const SHOWN: i64 = 10;

/// A row.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    visit.require_root()?;
    let table = Table::of(&request)?;
    let mut conn = app.db.conn().await?;
    let record = find(table, &request, &mut conn).await?;
    let description = table.description();
    let context = context! {
        title => format!("{} · Admin · pusher-lite", record.label),
        table => Serde(description),
        record => context! { id => record.id, label => &record.label },
        facts => Serde(&record.facts),
        can_edit => !record.values.is_empty(),
        actions => record.actions.iter().map(|action| button(*action)).collect::<Value>(),
        relations => relations(description.relations, &mut conn, record.id, SHOWN).await?,
        history => history(description.resource, record.id),
    };
    visit.page(StatusCode::OK, "admin/record", description.path, context)
}

/// The row that the path names.
///
/// # Errors
///
/// 404 when it is not there.
pub(super) async fn find(table: Table, request: &Request, conn: &mut DbConn) -> Result<Record, Error> {
    let id = table.id_of(request)?;
    table.find(conn, id).await?.ok_or(Error::NotFound(table.description().one))
}

/// The lists that belong to a row, with so many rows of each.
pub(super) async fn relations(relations: &[Relation], conn: &mut DbConn, id: i32, limit: i64) -> store::Result<Value> {
    let mut lists = Vec::new();
    for relation in relations {
        let query = Query::related(relation.table.description(), relation.filter, id);
        let (lines, total, description) = related(relation.table, conn, &query, limit).await?;
        lists.push(context! {
            table => Serde(description),
            lines => Value::from(Serde(lines)),
            total,
            all => format!("/admin/{}?{}={id}", description.path, relation.filter),
            add => relation.field.map(|field| format!("/admin/{}/new?{field}={id}", description.path)),
        });
    }
    Ok(lists.into())
}

/// Where the audit log tells of a row; it has nothing to tell of itself.
fn history(resource: &str, id: i32) -> Option<String> {
    (resource != "audit_entries").then(|| format!("/admin/audit?resource={resource}&resource_id={id}"))
}
