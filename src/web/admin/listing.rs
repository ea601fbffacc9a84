//! Lists: searched, filtered, sorted, in pages of 30, and as a file.

use minijinja::{Value, context, value::Serde};

use super::{
    Action, Description, Error, FilterKind, Line, Lines, PageRequest, Query, Table, csv,
    query::{choices, pages},
};
use crate::{
    http::{
        Request, Response, StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue},
    },
    store::{self, DbConn, admin::Slice},
    web::App,
};

/// Maximum number of rows in a file, which is built in memory. If there are more, the button and the file's name say
/// so.
const MAX_EXPORTED: i64 = 10_000;

/// Shows a page of a list.
pub(in crate::web) async fn index(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    page.require_root()?;
    let table = Table::of(&request)?;
    let description = table.description();
    let mut query = Query::of(request.params(), description);
    let mut conn = app.db.conn().await?;
    let found = find_page(table, &mut conn, &mut query).await?;
    let context = context! {
        title => format!("{} · Admin · pusher-lite", description.many),
        table => Serde(description),
        has_new => description.has_new(),
        filters => filters(table, &mut conn).await?,
        actions => description.actions.iter().map(|(action, _)| button(*action)).collect::<Value>(),
        search => query.form(),
        is_everything => query.is_everything(),
        list => query.list(found.total),
        exported => MAX_EXPORTED,
        lines => Serde(&found.lines),
    };
    page.render(StatusCode::OK, "admin/list", description.path, context)
}

/// Answers with the list as CSV, without pages: its first 10,000 rows.
pub(in crate::web) async fn export(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    page.require_root()?;
    let table = Table::of(&request)?;
    let description = table.description();
    let query = Query::of(request.params(), description);
    let slice = Slice { offset: 0, limit: MAX_EXPORTED };
    let found = table.list(&mut app.db.conn().await?, &query, slice).await?;
    let file = csv::write(description.columns, &found.lines)?;
    let part = match found.total {
        total if total > MAX_EXPORTED => format!("-first-{MAX_EXPORTED}-of-{total}"),
        _ => String::new(),
    };
    let disposition = format!("attachment; filename=\"{}{part}.csv\"", description.path);
    Ok(Response::bytes(StatusCode::OK, file)
        .header(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"))
        .with_text(CONTENT_DISPOSITION, &disposition))
}

/// Returns an action for the templates.
pub(super) fn button(action: Action) -> Value {
    context! {
        name => action.name(), label => action.label(), symbol => action.symbol(), asks => action.is_destructive(),
    }
}

/// Returns the rows of the page, or of the last page if the number is too large.
async fn find_page(table: Table, conn: &mut DbConn, query: &mut Query) -> store::Result<Lines> {
    let found = table.list(conn, query, query.slice()).await?;
    if query.page <= pages(found.total) {
        return Ok(found);
    }
    query.page = pages(found.total);
    table.list(conn, query, query.slice()).await
}

/// Returns the fields above the list, with the possible values of each.
async fn filters(table: Table, conn: &mut DbConn) -> store::Result<Value> {
    let mut fields = Vec::new();
    for filter in table.description().filters {
        let found = table.choices(conn, filter.name).await?;
        let options = choices(filter.kind, &found);
        let input = match filter.kind {
            FilterKind::YesNo | FilterKind::Choice => "select",
            FilterKind::Id => "number",
            FilterKind::Text => "text",
            FilterKind::Day => "date",
        };
        fields.push(
            context! { name => filter.name, label => filter.label, input, options => Value::from(Serde(options)) },
        );
    }
    Ok(fields.into())
}

/// Returns a list that is part of another page: its first rows, and a link to the rest.
pub(super) async fn related(
    table: Table,
    conn: &mut DbConn,
    query: &Query,
    limit: i64,
) -> store::Result<(Vec<Line>, i64, &'static Description)> {
    let found = table.list(conn, query, Slice { offset: 0, limit }).await?;
    Ok((found.lines, found.total, table.description()))
}
