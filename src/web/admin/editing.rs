//! Rows created and changed by a form, or by one switch of it.

use std::collections::BTreeMap;

use minijinja::{Value, context, value::Serde};

use super::{Draft, Error, Flash, Form, Record, Refusal, Saved, Table, Visit, record};
use crate::{
    app::App,
    auth::password,
    http::{Request, Response, StatusCode},
    store::{
        self, Transaction,
        audit::{self, Actor, NewEntry},
    },
    web::quotas,
};

/// An empty form, but for what the query fills in: `?user=7`.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    visit.require_root()?;
    let table = with_form(&request)?;
    let form = read(table, &request, true);
    page(&visit, StatusCode::OK, table, None, &form)
}

/// Creates a row.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let actor_id = visit.require_root()?.id;
    let table = with_form(&request)?;
    let mut draft = draft(&app, read(table, &request, true), actor_id).await?;
    match save(&app, table, None, &mut draft, &visit.actor()).await? {
        Some(saved) => {
            let description = table.description();
            let notice = Flash::notice(format!("Created the {}.", description.one));
            Ok(visit.redirect(&format!("/admin/{}/{}", description.path, saved.id), notice))
        }
        None => page(&visit, StatusCode::UNPROCESSABLE_ENTITY, table, None, &draft.form),
    }
}

/// The form of a row.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    visit.require_root()?;
    let table = with_form(&request)?;
    let record = record::find(table, &request, &mut app.db.conn().await?).await?;
    page(&visit, StatusCode::OK, table, Some(&record), &filled(&record))
}

/// Changes a row.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let actor_id = visit.require_root()?.id;
    let table = with_form(&request)?;
    let record = record::find(table, &request, &mut app.db.conn().await?).await?;
    let mut draft = draft(&app, read(table, &request, false), actor_id).await?;
    match save(&app, table, Some(record.id), &mut draft, &visit.actor()).await? {
        Some(saved) => {
            let notice = if saved.differences.is_empty() { "Nothing was changed." } else { "Saved." };
            Ok(visit.redirect(&format!("/admin/{}/{}", table.description().path, record.id), Flash::notice(notice)))
        }
        None => page(&visit, StatusCode::UNPROCESSABLE_ENTITY, table, Some(&record), &draft.form),
    }
}

/// Sets one checkbox of a row, as a switch in a list does, to `value`.
pub(in crate::web) async fn toggle(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let actor_id = visit.require_root()?.id;
    let table = with_form(&request)?;
    let flag = request.path_param("what");
    let record = record::find(table, &request, &mut app.db.conn().await?).await?;
    let is_flag = |value: &str| matches!(value, "true" | "false");
    let flag = record.values.iter().find(|(name, value)| *name == flag && is_flag(value));
    let flag = flag.map(|(name, _)| *name).ok_or(Error::NoRoute)?;
    let mut form = filled(&record);
    form.set(flag, &request.params().text("value").unwrap_or_default());
    let mut draft = draft(&app, form, actor_id).await?;
    let saved = save(&app, table, Some(record.id), &mut draft, &visit.actor()).await?;
    let flash = match saved {
        Some(_) => Flash::notice(format!("Saved {}.", record.label)),
        None => Flash::error(draft.form.complaint()),
    };
    Ok(visit.redirect(&super::actions::back(&request, table), flash))
}

/// The table of the path, if its rows have a form.
fn with_form(request: &Request) -> Result<Table, Error> {
    let table = Table::of(request)?;
    if table.description().has_new() { Ok(table) } else { Err(Error::NoRoute) }
}

fn read(table: Table, request: &Request, is_new: bool) -> Form {
    let description = table.description();
    Form::read(request.params(), description.path, &description.field_names(is_new))
}

fn filled(record: &Record) -> Form {
    Form::filled(record.values.iter().map(|(name, value)| (*name, Some(value.as_str()))))
}

/// A form to save, with the password hashed, which takes too long to be done within a transaction.
async fn draft(app: &App, mut form: Form, actor_id: i32) -> Result<Draft, Error> {
    let typed = form.value("password").to_owned();
    if !typed.is_empty() && typed.chars().count() < password::MIN_CHARACTERS {
        form.error("password", format!("should be at least {} characters", password::MIN_CHARACTERS));
    }
    if typed.len() > password::MAX_BYTES {
        form.error("password", format!("should be at most {} bytes", password::MAX_BYTES));
    }
    let password_hash = match typed.is_empty() || !form.is_valid() {
        true => None,
        false => Some(password::hash(&typed).await.map_err(Error::internal)?),
    };
    let (postbox, base_url) = (app.accounts.postbox.clone(), app.pages.site.base_url.clone());
    Ok(Draft { form, password_hash, actor_id, postbox, base_url })
}

/// Saves the draft and tells the audit log; `None` when its form says now what is wrong with it.
async fn save(
    app: &App,
    table: Table,
    id: Option<i32>,
    draft: &mut Draft,
    actor: &Actor,
) -> Result<Option<Saved>, Error> {
    let action = if id.is_some() { "update" } else { "create" };
    let saved = app
        .db
        .transaction(async |tx: &mut Transaction<'_>| {
            let saved = table.save(tx, id, draft).await?;
            record(tx, actor, action, table, &saved).await?;
            Ok::<_, Refusal>(saved)
        })
        .await;
    let mut saved = match saved {
        Ok(saved) => saved,
        Err(Refusal::Invalid) => return Ok(None),
        Err(Refusal::Because(reason)) => {
            draft.form.error("base", reason);
            return Ok(None);
        }
        Err(Refusal::Store(store::Error::Duplicate { field })) => {
            draft.form.error(form_field(field), "has already been taken");
            return Ok(None);
        }
        Err(Refusal::Store(store::Error::NotFound)) => return Err(Error::NotFound(table.description().one)),
        Err(Refusal::Store(error)) => return Err(error.into()),
    };
    std::mem::take(&mut saved.closing).close(&app.hub);
    app.accounts.postbox.wake();
    if table == Table::Applications {
        quotas::apply(app).await?;
    }
    Ok(Some(saved))
}

/// Tells the audit log of a change; that nothing changed is not worth telling.
pub(super) async fn record(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    action: &str,
    table: Table,
    saved: &Saved,
) -> store::Result<()> {
    if action == "update" && saved.differences.is_empty() {
        return Ok(());
    }
    let resource = table.description().resource;
    let details = saved.differences.as_str();
    audit::record(tx, actor, &NewEntry { action, resource, resource_id: Some(saved.id), details }).await?;
    audit::record_archived(tx, actor, &saved.archived).await
}

/// The field of a form that says which row a column refers to.
fn form_field(column: &'static str) -> &'static str {
    match column {
        "user_id" => "user",
        "application_id" => "application",
        column => column,
    }
}

fn page(
    visit: &Visit,
    status: StatusCode,
    table: Table,
    record: Option<&Record>,
    form: &Form,
) -> Result<Response, Error> {
    let description = table.description();
    let fields = description.fields.iter().filter(|field| field.is_on(record.is_none()));
    let labels: BTreeMap<_, _> = fields.clone().map(|field| (field.name, field.label)).collect();
    let fields: Vec<Value> = fields
        .map(|field| {
            let kind = Value::from(Serde(field.kind));
            context! { name => field.name, label => field.label, kind, hint => field.hint, required => field.required }
        })
        .collect();
    let heading = match record {
        Some(record) => format!("Edit {}", record.label),
        None => format!("New {}", description.one),
    };
    let context = context! {
        title => format!("{heading} · Admin · pusher-lite"),
        heading,
        table => Serde(description),
        record => record.map(|record| context! { id => record.id, label => &record.label }),
        fields,
        labels => Serde(labels),
        form => form.context(),
    };
    visit.page(status, "admin/form", description.path, context)
}
