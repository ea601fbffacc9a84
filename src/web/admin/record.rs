//! The page of one row, with the rows that belong to it.

use minijinja::{Value, context, value::Serde};

use super::{
    Error, PageRequest, Query, Record, Relation, Table,
    listing::{button, related},
};
use crate::{
    http::{Request, Response, StatusCode},
    store::{self, DbConn},
    web::App,
};

/// Number of rows of each relation on the page; the rest is a click away.
const SHOWN: i64 = 10;

/// Shows a row.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let actor_id = page.require_root()?.id;
    let table = Table::of(&request)?;
    let mut conn = app.db.conn().await?;
    let record = find(table, &request, &mut conn).await?;
    let description = table.description();
    let offered = record.actions.iter().filter(|action| table.refusal(record.id, **action, actor_id).is_none());
    let context = context! {
        title => format!("{} · Admin · pusher-lite", record.label),
        table => Serde(description),
        record => context! { id => record.id, label => &record.label },
        facts => Serde(&record.facts),
        can_edit => !record.values.is_empty(),
        actions => offered.map(|action| button(*action)).collect::<Value>(),
        relations => relations(description.relations, &mut conn, record.id, SHOWN).await?,
        history => history(description.resource, record.id),
    };
    page.render(StatusCode::OK, "admin/record", description.path, context)
}

/// Returns the row that the path names.
///
/// # Errors
///
/// 404 when it is not there.
pub(super) async fn find(table: Table, request: &Request, conn: &mut DbConn) -> Result<Record, Error> {
    let id = table.id_of(request)?;
    table.find(conn, id).await?.ok_or(Error::NotFound(table.description().one))
}

/// Returns the lists that belong to a row, with at most this many rows of each.
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

/// Returns the link to the entries of a row in the audit log; the log has none about itself.
fn history(resource: &str, id: i32) -> Option<String> {
    (resource != "audit_entries").then(|| format!("/admin/audit?resource={resource}&resource_id={id}"))
}
