//! Actions on rows by buttons. Destructive ones ask for confirmation first; an action may apply to several rows
//! together.

use minijinja::{Value, context, value::Serde};

use super::{
    Action, Description, Error, Flash, PageRequest, Record, Refusal, Table,
    listing::button,
    record::{find, relations},
};
use crate::{
    http::{Request, Response, StatusCode, Uri, header::REFERER},
    store::{self, DbConn, Transaction, audit::Actor},
    web::App,
};

/// Maximum number of rows that are changed together: those of a page, and a few more.
const MAX_BATCH: usize = 100;

/// Asks for confirmation, and lists the consequences.
pub(in crate::web) async fn ask(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let actor_id = page.require_root()?.id;
    let table = Table::of(&request)?;
    let (action, consequences) = action_of(table.description(), &request.path_param("what"))?;
    let mut conn = app.db.conn().await?;
    let record = find(table, &request, &mut conn).await?;
    if let Some(reason) = table.refusal(record.id, action, actor_id) {
        let own_page = format!("/admin/{}/{}", table.description().path, record.id);
        return Ok(page.redirect(&own_page, Flash::error(reason)));
    }
    let relations = relations(table.description().relations, &mut conn, record.id, 0).await?;
    let path = format!("/admin/{}/{}/{}", table.description().path, record.id, action.name());
    let question = format!("{} {}?", action.label(), record.label);
    let context = context! {
        title => format!("{question} · Admin · pusher-lite"),
        question, consequences, path, relations,
        table => Serde(table.description()),
        action => button(action),
        ids => Vec::<i32>::new(),
        labels => Vec::<String>::new(),
        cancel => format!("/admin/{}/{}", table.description().path, record.id),
    };
    page.render(StatusCode::OK, "admin/confirm", table.description().path, context)
}

/// Carries the action out on one row.
pub(in crate::web) async fn act(app: App, request: Request) -> Result<Response, Error> {
    let name = request.path_param("what");
    act_on_one(app, request, &name).await
}

/// Deletes one row.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    act_on_one(app, request, Action::Delete.name()).await
}

async fn act_on_one(app: App, request: Request, name: &str) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    page.require_root()?;
    let table = Table::of(&request)?;
    let description = table.description();
    let (action, _) = action_of(description, name)?;
    let record = find(table, &request, &mut app.db.conn().await?).await?;
    let done = perform(&app, table, &[record.id], action, &page.actor()).await?;
    let own_page = format!("/admin/{}/{}", description.path, record.id);
    let (path, flash) = match done {
        Ok(0) => (own_page, Flash::notice("There was nothing to do.")),
        Ok(_) if action == Action::Delete => {
            (format!("/admin/{}", description.path), Flash::notice(format!("Deleted {}.", record.label)))
        }
        Ok(_) => (own_page, Flash::notice(format!("{} {}.", action.done(), record.label))),
        Err(reason) => (own_page, Flash::error(reason)),
    };
    Ok(page.redirect(&path, flash))
}

/// Carries the action out on the rows `ids[]`, all or none: immediately, or after a confirmation.
pub(in crate::web) async fn batch(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let actor_id = page.require_root()?.id;
    let table = Table::of(&request)?;
    let description = table.description();
    let back = back(&request, table);
    let name = request.params().text("action").unwrap_or_default();
    let Some((action, consequences)) = description.action(&name) else {
        return Ok(page.redirect(&back, Flash::error("Choose an action.")));
    };
    let ids = ids(&request)?;
    if ids.is_empty() {
        return Ok(page.redirect(&back, Flash::error("Select some rows first.")));
    }
    if let Some(reason) = ids.iter().find_map(|id| table.refusal(*id, action, actor_id)) {
        return Ok(page.redirect(&back, Flash::error(format!("{reason} Nothing was done."))));
    }
    if action.is_destructive() && request.params().text("confirmed").as_deref() != Some("true") {
        let labels = labels(table, &mut app.db.conn().await?, &ids).await?;
        return ask_for_all(&page, table, action, consequences, &ids, labels);
    }
    let flash = match perform(&app, table, &ids, action, &page.actor()).await? {
        Ok(count) => Flash::notice(format!("{} {count} of {}.", action.done(), ids.len())),
        Err(reason) => Flash::error(format!("{reason} Nothing was done.")),
    };
    Ok(page.redirect(&back, flash))
}

/// Returns the page that the browser came from, if that is a page of the admin; otherwise the table's list.
pub(super) fn back(request: &Request, table: Table) -> String {
    let list = format!("/admin/{}", table.description().path);
    let referer = request.header(REFERER).and_then(|url| url.parse::<Uri>().ok());
    let path = referer.as_ref().and_then(|url| url.path_and_query()).map(|path| path.as_str());
    match path {
        Some(path) if path.starts_with("/admin/") && !path.ends_with("/batch") => path.to_owned(),
        _ => list,
    }
}

fn action_of(description: &'static Description, name: &str) -> Result<(Action, &'static str), Error> {
    description.action(name).ok_or(Error::NoRoute)
}

/// Returns the ids in the parameter `ids`, without those that no row can have.
fn ids(request: &Request) -> Result<Vec<i32>, Error> {
    let given = request.params().value("ids")?;
    let given = given.as_ref().and_then(|ids| ids.as_array()).map(Vec::as_slice).unwrap_or_default();
    if given.len() > MAX_BATCH {
        return Err(Error::bad_request(format!("at most {MAX_BATCH} rows can be changed at once")));
    }
    let mut ids: Vec<i32> = given.iter().filter_map(|id| id.as_str()?.parse().ok()).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

async fn labels(table: Table, conn: &mut DbConn, ids: &[i32]) -> store::Result<Vec<String>> {
    let mut labels = Vec::with_capacity(ids.len());
    for id in ids {
        labels.extend(table.find(conn, *id).await?.map(|Record { label, .. }| label));
    }
    Ok(labels)
}

fn ask_for_all(
    page: &PageRequest,
    table: Table,
    action: Action,
    consequences: &str,
    ids: &[i32],
    labels: Vec<String>,
) -> Result<Response, Error> {
    let description = table.description();
    let question = format!("{} these {}?", action.label(), labels.len());
    let context = context! {
        title => format!("{question} · Admin · pusher-lite"),
        question, consequences, labels,
        ids => ids.to_vec(),
        path => format!("/admin/{}/batch", description.path),
        relations => Value::from(Vec::<Value>::new()),
        table => Serde(description),
        action => button(action),
        cancel => format!("/admin/{}", description.path),
    };
    page.render(StatusCode::OK, "admin/confirm", description.path, context)
}

/// Carries the action out in one transaction. Returns how many rows changed, or the reason why none did.
async fn perform(
    app: &App,
    table: Table,
    ids: &[i32],
    action: Action,
    actor: &Actor,
) -> Result<Result<usize, &'static str>, Error> {
    let done = app
        .db
        .transaction(async |tx: &mut Transaction<'_>| {
            let mut count = 0;
            for id in ids {
                let is_changed = match table.act(tx, actor, *id, action).await {
                    // Deleted meanwhile.
                    Err(Refusal::Store(store::Error::NotFound)) => false,
                    done => done?,
                };
                count += usize::from(is_changed);
            }
            Ok::<_, Refusal>(count)
        })
        .await;
    match done {
        Ok(count) => Ok(Ok(count)),
        Err(Refusal::Because(reason)) => Ok(Err(reason)),
        Err(Refusal::Rule(rule)) => Ok(Err(rule.message())),
        Err(Refusal::Invalid) => Ok(Err("That cannot be done.")),
        Err(Refusal::Store(error)) => Err(error.into()),
    }
}
