//! What is done to rows by a button: asked about first where somebody loses something by it, and done to several at once.

use minijinja::{Value, context, value::Serde};

use super::{
    Action, Closing, Description, Error, Flash, Record, Refusal, Saved, Table, Visit,
    editing::record as record_change,
    listing::button,
    record::{find, relations},
};
use crate::{
    app::App,
    http::{Request, Response, StatusCode, header::REFERER},
    store::{self, DbConn, Transaction, audit::Actor},
};

/// The most rows that are changed at once: those of a page, and a few more.
const MAX_BATCH: usize = 100;

/// Asks whether to do it, and says what goes along.
pub(in crate::web) async fn ask(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    visit.require_root()?;
    let table = Table::of(&request)?;
    let (action, consequences) = action_of(table.description(), &request.path_param("what"))?;
    let mut conn = app.db.conn().await?;
    let record = find(table, &request, &mut conn).await?;
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
    visit.page(StatusCode::OK, "admin/confirm", table.description().path, context)
}

/// Does it to one row.
pub(in crate::web) async fn act(app: App, request: Request) -> Result<Response, Error> {
    let name = request.path_param("what");
    act_on_one(app, request, &name).await
}

/// Deletes one row.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    act_on_one(app, request, Action::Delete.name()).await
}

async fn act_on_one(app: App, request: Request, name: &str) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let actor_id = visit.require_root()?.id;
    let table = Table::of(&request)?;
    let description = table.description();
    let (action, _) = action_of(description, name)?;
    let record = find(table, &request, &mut app.db.conn().await?).await?;
    let done = perform(&app, table, &[record.id], action, actor_id, &visit.actor()).await?;
    let own_page = format!("/admin/{}/{}", description.path, record.id);
    let (path, flash) = match done {
        Ok(0) => (own_page, Flash::notice("There was nothing to do.")),
        Ok(_) if action == Action::Delete => {
            (format!("/admin/{}", description.path), Flash::notice(format!("Deleted {}.", record.label)))
        }
        Ok(_) => (own_page, Flash::notice(format!("{} {}.", action.done(), record.label))),
        Err(reason) => (own_page, Flash::error(reason)),
    };
    Ok(visit.redirect(&path, flash))
}

/// Does it to the rows `ids[]`, all or none: at once, or after asking.
pub(in crate::web) async fn batch(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let actor_id = visit.require_root()?.id;
    let table = Table::of(&request)?;
    let description = table.description();
    let back = back(&request, table);
    let name = request.params().text("action").unwrap_or_default();
    let Some((action, consequences)) = description.action(&name) else {
        return Ok(visit.redirect(&back, Flash::error("Choose what to do.")));
    };
    let ids = ids(&request)?;
    if ids.is_empty() {
        return Ok(visit.redirect(&back, Flash::error("Select some rows first.")));
    }
    if action.is_destructive() && request.params().text("confirmed").as_deref() != Some("true") {
        let labels = labels(table, &mut app.db.conn().await?, &ids).await?;
        return ask_for_all(&visit, table, action, consequences, &ids, labels);
    }
    let flash = match perform(&app, table, &ids, action, actor_id, &visit.actor()).await? {
        Ok(count) => Flash::notice(format!("{} {count} of {}.", action.done(), ids.len())),
        Err(reason) => Flash::error(format!("{reason} Nothing was done.")),
    };
    Ok(visit.redirect(&back, flash))
}

/// Where the browser was, if that is a page of the admin; else the table's list.
pub(super) fn back(request: &Request, table: Table) -> String {
    let list = format!("/admin/{}", table.description().path);
    let referer = request.header(REFERER).and_then(|url| url.parse::<hyper::Uri>().ok());
    let path = referer.as_ref().and_then(|url| url.path_and_query()).map(|path| path.as_str());
    match path {
        Some(path) if path.starts_with("/admin/") && !path.ends_with("/batch") => path.to_owned(),
        _ => list,
    }
}

fn action_of(description: &'static Description, name: &str) -> Result<(Action, &'static str), Error> {
    description.action(name).ok_or(Error::NoRoute)
}

/// The ids in the parameter `ids`, without those that no row can have.
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
    visit: &Visit,
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
    visit.page(StatusCode::OK, "admin/confirm", description.path, context)
}

/// Does it in one transaction, tells the audit log, and closes the sockets that it ends. Gives how many rows changed, or
/// the reason why none did.
async fn perform(
    app: &App,
    table: Table,
    ids: &[i32],
    action: Action,
    actor_id: i32,
    actor: &Actor,
) -> Result<Result<usize, &'static str>, Error> {
    let done = app
        .db
        .transaction(async |tx: &mut Transaction<'_>| {
            let (mut count, mut closing) = (0, Closing::default());
            for id in ids {
                if let Some(saved) = act_and_record(tx, table, *id, action, actor_id, actor).await? {
                    count += 1;
                    closing.extend(saved.closing);
                }
            }
            Ok::<_, Refusal>((count, closing))
        })
        .await;
    match done {
        Ok((count, closing)) => {
            closing.close(&app.hub);
            app.accounts.postbox.wake();
            Ok(Ok(count))
        }
        Err(Refusal::Because(reason)) => Ok(Err(reason)),
        Err(Refusal::Invalid) => Ok(Err("That cannot be done.")),
        Err(Refusal::Store(error)) => Err(error.into()),
    }
}

/// A row that somebody else deleted meanwhile is passed over.
async fn act_and_record(
    tx: &mut Transaction<'_>,
    table: Table,
    id: i32,
    action: Action,
    actor_id: i32,
    actor: &Actor,
) -> Result<Option<Saved>, Refusal> {
    let saved = match table.act(tx, id, action, actor_id).await {
        Err(Refusal::Store(store::Error::NotFound)) => None,
        done => done?,
    };
    if let Some(saved) = &saved {
        record_change(tx, actor, action.name(), table, saved).await?;
    }
    Ok(saved)
}
