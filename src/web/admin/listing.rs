//! Lists: searched, filtered, sorted, in pages of 30, and as a file.

use minijinja::{Value, context, value::Serde};

use super::{
    Action, Description, Error, FilterKind, Line, Lines, Query, Table, Visit, csv,
    query::{choices, pages},
};
use crate::{
    app::App,
    http::{
        Request, Response, StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue},
    },
    store::{self, DbConn, admin::Slice},
};

/// The most rows that a file has, which is made in memory. Where there are more, the button and the file's name say so.
const MAX_EXPORTED: i64 = 10_000;

/// A page of a list.
pub(in crate::web) async fn index(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    visit.require_root()?;
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
    visit.page(StatusCode::OK, "admin/list", description.path, context)
}

/// The list as CSV, without pages: its first 10,000 rows.
pub(in crate::web) async fn export(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    visit.require_root()?;
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

/// An action as the templates have it.
pub(super) fn button(action: Action) -> Value {
    context! {
        name => action.name(), label => action.label(), symbol => action.symbol(), asks => action.is_destructive(),
    }
}

/// The rows of the page, or else of the last one that there is.
async fn find_page(table: Table, conn: &mut DbConn, query: &mut Query) -> store::Result<Lines> {
    let found = table.list(conn, query, query.slice()).await?;
    if query.page <= pages(found.total) {
        return Ok(found);
    }
    query.page = pages(found.total);
    table.list(conn, query, query.slice()).await
}

/// The fields above the list, with what each can be set to.
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

/// A list that is part of another page: its first rows, and where the rest is.
pub(super) async fn related(
    table: Table,
    conn: &mut DbConn,
    query: &Query,
    limit: i64,
) -> store::Result<(Vec<Line>, i64, &'static Description)> {
    let found = table.list(conn, query, Slice { offset: 0, limit }).await?;
    Ok((found.lines, found.total, table.description()))
}
