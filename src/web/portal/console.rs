//! The live console of an application: members watch a topic, admins publish to it.
//!
//! A script watches the topic as every client does: with a JWT and a socket. Without the script, the page shows the
//! users who were online when it was loaded, and its form publishes.

use std::time::Duration;

use minijinja::{Value, context};
use pusher_lite_protocol::{EventPayload, PayloadError};
use serde_json::{json, value::RawValue};

use super::organization_access::{OrganizationAccess, name_of};
use crate::{
    auth::{
        Permissions,
        jwt::{Grant, Restrictions, Scope, TopicGrant},
    },
    http::{Request, Response, StatusCode, accept},
    operations::gathered::Deed,
    realtime::{PublishError, Topic},
    store::{applications::Application, users::User},
    web::{
        App, Error, RecentRefusal,
        session::{Flash, Form, PageRequest},
    },
};

/// Lifetime of a console's JWT. The page gets a new one whenever it has expired. Signing out, or a new password, closes
/// the sockets; until the JWT expires, they could be opened again.
const JWT_LIFETIME: Duration = Duration::from_secs(600);
/// The topic of a console that was opened without one.
const DEFAULT_TOPIC: &str = "general";
/// Maximum number of online users that the page shows.
const SHOWN_PEOPLE: usize = 100;
/// Maximum length of a payload in the form, in characters. REST accepts more.
const MAX_PAYLOAD: usize = 100_000;

/// Shows the console, on the topic of the query.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let access = OrganizationAccess::of(&app, &page, &request).await?;
    let application = active(&app, &page, &access, &request).await?;
    let topic = request.params().text("topic").filter(|topic| !topic.is_empty());
    let topic = topic.unwrap_or_else(|| DEFAULT_TOPIC.to_owned());
    let form = Form::filled([("topic", Some(topic.as_str())), ("payload", Some("{}"))]);
    render(&app, &page, &access, &application, StatusCode::OK, &form)
}

/// Publishes an event. A script that asks for JSON gets an answer without a page.
pub(in crate::web) async fn publish(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let application = active(&app, &page, &access, &request).await?;
    let mut form = Form::read(request.params(), "event", &["topic", "name"]);
    form.read_long(request.params(), "payload", MAX_PAYLOAD);
    if form.value("name").is_empty() {
        form.error("name", "can't be blank");
    }
    send(&app, &application, &mut form)?;
    if form.is_valid() {
        let (user, text) = (page.require_user()?, format!("{} on {}", form.value("name"), form.value("topic")));
        app.accounts.gathered.note(&app.db, user.id, page.actor(), Deed::Publish, application.id, &text);
    }
    let for_script = accept::names_json(&request);
    if !form.is_valid() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return match for_script {
            true => Ok(Response::json(status, &json!({ "errors": form.errors() }))),
            false => render(&app, &page, &access, &application, status, &form),
        };
    }
    if for_script {
        return Ok(Response::no_content());
    }
    let topic = form_urlencoded::Serializer::new(String::new()).append_pair("topic", form.value("topic")).finish();
    let notice = Flash::notice(format!("{} is published.", form.value("name")));
    Ok(page.redirect(&format!("{}/console?{topic}", access.path_of(&application)), notice))
}

/// Answers with a JWT for the console's socket, which can join and send, and nothing else.
pub(in crate::web) async fn create_session(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::of(&app, &page, &request).await?;
    let application = active(&app, &page, &access, &request).await?;
    let grant = Grant {
        user_id: page.require_user()?.id,
        token_id: None,
        permissions: Permissions::CHANNEL,
        scope: Scope::Console(page.session()),
        lifetime: JWT_LIFETIME,
        not_after: None,
    };
    // Topics that have to be named are named.
    let topics = Some(vec![TopicGrant::everything()]);
    let restrictions = Restrictions { app_key: application.app_key, topics, ..Restrictions::default() };
    let jwt = app.jwt.issue_restricted(&grant, &restrictions);
    Ok(Response::json(StatusCode::CREATED, &json!({ "jwt": jwt })))
}

/// Returns the application; nothing can connect to it while it or the organization is archived.
async fn active(
    app: &App,
    page: &PageRequest,
    access: &OrganizationAccess,
    request: &Request,
) -> Result<Application, Error> {
    let application = access.application(&mut app.db.conn().await?, request).await?;
    let is_archived = application.archived_at.is_some() || application.app_key.is_none();
    let refusal = match access.organization.archived_at {
        None if !is_archived => return Ok(application),
        None => Flash::error("The application is archived. Restore it to open its console."),
        Some(_) => Flash::error(
            "The organization is archived and gives no access to its applications. Restore it with the API, or ask the \
             operator of this server to.",
        ),
    };
    Err(Error::elsewhere(page.redirect(&access.path_of(&application), refusal)))
}

/// Publishes the event of the form, or records the reasons against it beside its fields.
fn send(app: &App, application: &Application, form: &mut Form) -> Result<(), Error> {
    let topic = topic_of(application, form.value("topic"));
    if topic.is_none() {
        form.error("topic", "is not a valid topic name");
    }
    let payload = match serde_json::from_str::<Box<RawValue>>(form.value("payload").trim()) {
        Ok(payload) => Some(payload),
        Err(error) => {
            form.error("payload", format!("is not valid JSON: {error}"));
            None
        }
    };
    let (Some(topic), Some(payload), true) = (topic, payload, form.is_valid()) else { return Ok(()) };
    match app.hub.publish(&topic, form.value("name"), EventPayload::check(&payload)) {
        Ok(()) => {}
        Err(PublishError::ReservedEvent) => form.error("name", "is reserved for the server"),
        Err(PublishError::Payload(PayloadError::NotObject)) => form.error("payload", "must be an object: {…}"),
        Err(PublishError::Payload(PayloadError::LoneSurrogate)) => {
            form.error("payload", r"has half a surrogate pair: write both halves, such as \ud83d\ude42");
        }
        Err(PublishError::TopicTooLong) => form.error("topic", "is too long"),
        Err(PublishError::EventTooLong) => form.error("name", "is too long"),
        Err(error @ PublishError::TooLarge(_)) => form.error("payload", error.to_string()),
        Err(error @ (PublishError::RateLimited | PublishError::Overloaded)) => return Err(error.into()),
    }
    Ok(())
}

fn topic_of(application: &Application, name: &str) -> Option<Topic> {
    Topic::new(application.app_key.as_deref()?, name).ok()
}

fn render(
    app: &App,
    page: &PageRequest,
    access: &OrganizationAccess,
    application: &Application,
    status: StatusCode,
    form: &Form,
) -> Result<Response, Error> {
    let context = context! {
        title => format!("Console · {} · pusher-lite", name_of(application)),
        organization => access.context(),
        application => access.application_context(application),
        identity => identity(page.require_user()?),
        form => form.context(),
        refusals => app.recent_refusals.of(application.app_key.as_deref().unwrap_or_default()).iter().map(refusal).collect::<Vec<_>>(),
        ..people(app, topic_of(application, form.value("topic")).as_ref())
    };
    page.render(status, "portal/console", "organizations", context)
}

/// Returns the identity of the visitor that others on the topic see.
fn identity(user: &User) -> String {
    let name = user.name.as_deref().or(user.email.as_deref());
    name.map_or_else(|| format!("console:{}", user.id), |name| format!("console:{name}"))
}

/// Returns a refused connect for templates.
fn refusal(refusal: &RecentRefusal) -> Value {
    let RecentRefusal { at, reason, advice, ip, origin, unique_identifier } = refusal;
    context! { at => at.to_string(), reason, advice => *advice, ip, origin, unique_identifier }
}

/// Returns the users who are online on the topic: as many as fit as `people`, and their number as `people_count`.
fn people(app: &App, topic: Option<&Topic>) -> Value {
    // A busy application's list is left to the script, which gets it by its socket.
    let present = topic.and_then(|topic| app.hub.presence_list(topic).ok());
    let present: serde_json::Map<String, serde_json::Value> =
        present.and_then(|present| serde_json::from_str(present.get()).ok()).unwrap_or_default();
    let sockets = |entry: &serde_json::Value| entry["metas"].as_array().map_or(0, Vec::len);
    let row = |(name, entry): (&String, &serde_json::Value)| context! { name, sockets => sockets(entry) };
    context! {
        people_count => present.len(),
        people => present.iter().take(SHOWN_PEOPLE).map(row).collect::<Vec<_>>(),
    }
}
