//! Creation and editing of rows by a form, or by one switch of it.

use std::collections::BTreeMap;

use minijinja::{Value, context, value::Serde};

use super::{Draft, Error, FieldKind, Flash, Form, PageRequest, Record, Refusal, Saved, Table, record};
use crate::{
    http::{Request, Response, StatusCode},
    operations::Rule,
    store::{self, Transaction, audit::Actor},
    web::App,
};

/// Shows an empty form. The query may fill in fields: `?user=7`.
pub(in crate::web) async fn new(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    page.require_root()?;
    let table = with_form(&request)?;
    let form = read(table, &request, true);
    render(&page, StatusCode::OK, table, None, &form)
}

/// Creates a row.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    page.require_root()?;
    let table = with_form(&request)?;
    let mut draft = draft(&app, read(table, &request, true)).await?;
    match save(&app, table, None, &mut draft, &page.actor()).await? {
        Some(saved) => {
            let description = table.description();
            let notice = Flash::notice(format!("Created the {}.", description.one));
            Ok(page.redirect(&format!("/admin/{}/{}", description.path, saved.id), notice))
        }
        None => render(&page, StatusCode::UNPROCESSABLE_ENTITY, table, None, &draft.form),
    }
}

/// Shows the form of a row.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    page.require_root()?;
    let table = with_form(&request)?;
    let record = record::find(table, &request, &mut app.db.conn().await?).await?;
    render(&page, StatusCode::OK, table, Some(&record), &filled(&record))
}

/// Changes a row.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    page.require_root()?;
    let table = with_form(&request)?;
    let record = record::find(table, &request, &mut app.db.conn().await?).await?;
    let mut draft = draft(&app, read(table, &request, false)).await?;
    match save(&app, table, Some(record.id), &mut draft, &page.actor()).await? {
        Some(saved) => {
            let notice = if saved.has_changed { "Saved." } else { "Nothing was changed." };
            Ok(page.redirect(&format!("/admin/{}/{}", table.description().path, record.id), Flash::notice(notice)))
        }
        None => render(&page, StatusCode::UNPROCESSABLE_ENTITY, table, Some(&record), &draft.form),
    }
}

/// Sets one checkbox of a row to `value`, for a switch in a list.
pub(in crate::web) async fn toggle(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    page.require_root()?;
    let table = with_form(&request)?;
    let description = table.description();
    let switch = description.switch(&request.path_param("what")).ok_or(Error::NoRoute)?;
    let record = record::find(table, &request, &mut app.db.conn().await?).await?;
    let flag = record.values.iter().map(|(name, _)| *name).find(|name| *name == switch.name).ok_or(Error::NoRoute)?;
    if switch.only_in_form {
        let form = format!("/admin/{}/{}/edit", description.path, record.id);
        return Ok(page.redirect(&form, Flash::error(format!("{} is changed in this form.", switch.label))));
    }
    let mut form = filled(&record);
    form.set(flag, &request.params().text("value").unwrap_or_default());
    let mut draft = draft(&app, form).await?;
    let saved = save(&app, table, Some(record.id), &mut draft, &page.actor()).await?;
    let flash = match saved {
        Some(_) => Flash::notice(format!("Saved {}.", record.label)),
        None => Flash::error(draft.form.complaint()),
    };
    Ok(page.redirect(&super::actions::back(&request, table), flash))
}

/// Returns the table of the path, if its rows have a form.
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

/// Returns the form as a draft, with the password hashed: that takes too long to be done within a transaction.
async fn draft(app: &App, mut form: Form) -> Result<Draft<'_>, Error> {
    let password = match form.new_password().filter(|_| form.is_valid()) {
        Some(password) => Some(password.hash().await.map_err(Error::internal)?),
        None => None,
    };
    Ok(Draft { form, password, mailing: app.mailing() })
}

/// Saves the draft; `None` when its form now has errors.
async fn save(
    app: &App,
    table: Table,
    id: Option<i32>,
    draft: &mut Draft<'_>,
    actor: &Actor,
) -> Result<Option<Saved>, Error> {
    match app.db.transaction(async |tx: &mut Transaction<'_>| table.save(tx, actor, id, draft).await).await {
        Ok(saved) => Ok(Some(saved)),
        Err(Refusal::Invalid) => Ok(None),
        Err(Refusal::Because(reason)) => {
            draft.form.error("base", reason);
            Ok(None)
        }
        Err(Refusal::Rule(rule)) => {
            draft.form.error(field_of(rule), rule.message());
            Ok(None)
        }
        Err(Refusal::Store(store::Error::Duplicate { field })) => {
            draft.form.error(form_field(field), "has already been taken");
            Ok(None)
        }
        Err(Refusal::Store(store::Error::NotFound)) => Err(Error::NotFound(table.description().one)),
        Err(Refusal::Store(error)) => Err(error.into()),
    }
}

/// Returns the field of a form that a rule is about.
fn field_of(rule: Rule) -> &'static str {
    match rule {
        Rule::OwnRoot => "is_root",
        Rule::OwnConfirmation => "confirmed",
        Rule::SuspendedOwner | Rule::UnconfirmedOwner => "user",
        _ => "base",
    }
}

/// Returns the field of a form that holds a column's reference.
fn form_field(column: &'static str) -> &'static str {
    match column {
        "user_id" => "user",
        "application_id" => "application",
        column => column,
    }
}

fn render(
    page: &PageRequest,
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
            let (kind, options) = match field.kind {
                FieldKind::Choice(options) => (Value::from("choice"), Some(Serde(options))),
                kind => (Value::from(Serde(kind)), None),
            };
            let options = options.map(Value::from);
            let (name, label, hint, required) = (field.name, field.label, field.hint, field.required);
            context! { name, label, kind, options, hint, required }
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
    page.render(status, "admin/form", description.path, context)
}
