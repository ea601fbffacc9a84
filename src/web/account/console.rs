//! The live console of an application: members watch a topic, admins publish to it.
//!
//! A script does the watching, as every client does: with a JWT and a socket. Without it the page shows who is there
//! when it is loaded, and its form publishes.

use std::time::Duration;

use minijinja::{Value, context};
use serde_json::{json, value::RawValue};

use super::place::{Place, name_of};
use crate::{
    app::App,
    auth::{Permissions, jwt::Grant},
    http::{Request, Response, StatusCode, accept},
    realtime::{PublishError, Topic},
    store::{applications::Application, users::User},
    web::{
        Error,
        visits::{Flash, Form, Visit},
    },
};

/// How long the JWT of a console opens sockets. It is got anew whenever it has expired. Signing out, or a new password,
/// closes the sockets; so long they could still be opened again.
const JWT_LIFETIME: Duration = Duration::from_secs(600);
/// The topic of a console that was opened without one.
const DEFAULT_TOPIC: &str = "general";
/// How many of those who are there the page shows.
const SHOWN_PEOPLE: usize = 100;
/// The longest payload that the form takes, in characters. REST takes more.
const MAX_PAYLOAD: usize = 100_000;

/// The console, on the topic of the query.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    let place = Place::of(&app, &visit, &request).await?;
    let application = active(&app, &visit, &place, &request).await?;
    let topic = request.params().text("topic").filter(|topic| !topic.is_empty());
    let topic = topic.unwrap_or_else(|| DEFAULT_TOPIC.to_owned());
    let form = Form::filled([("topic", Some(topic.as_str())), ("payload", Some("{}"))]);
    page(&app, &visit, &place, &application, StatusCode::OK, &form)
}

/// Publishes an event. A script that asks for JSON is answered without a page.
pub(in crate::web) async fn publish(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::to_change(&app, &visit, &request).await?;
    let application = active(&app, &visit, &place, &request).await?;
    let mut form = Form::read(request.params(), "event", &["topic", "name"]);
    form.read_long(request.params(), "payload", MAX_PAYLOAD);
    if form.value("name").is_empty() {
        form.error("name", "can't be blank");
    }
    send(&app, &application, &mut form)?;
    let for_script = accept::names_json(&request);
    if !form.is_valid() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return match for_script {
            true => Ok(Response::json(status, &json!({ "errors": form.errors() }))),
            false => page(&app, &visit, &place, &application, status, &form),
        };
    }
    if for_script {
        return Ok(Response::no_content());
    }
    let topic = form_urlencoded::Serializer::new(String::new()).append_pair("topic", form.value("topic")).finish();
    let notice = Flash::notice(format!("{} is published.", form.value("name")));
    Ok(visit.redirect(&format!("{}/console?{topic}", place.path_of(&application)), notice))
}

/// A JWT for the console's socket, which can join and send, and nothing else.
pub(in crate::web) async fn create_session(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::of(&app, &visit, &request).await?;
    active(&app, &visit, &place, &request).await?;
    let jwt = app.jwt.issue(&Grant {
        user_id: visit.require_user()?.id,
        token_id: None,
        permissions: Permissions::CHANNEL,
        lifetime: JWT_LIFETIME,
    });
    Ok(Response::json(StatusCode::CREATED, &json!({ "jwt": jwt })))
}

/// The application, which nothing can connect to while it is archived.
async fn active(app: &App, visit: &Visit, place: &Place, request: &Request) -> Result<Application, Error> {
    let application = place.application(&mut app.db.conn().await?, request).await?;
    if application.archived_at.is_none() && application.app_key.is_some() {
        return Ok(application);
    }
    let refusal = Flash::error("The application is archived. Restore it to open its console.");
    Err(Error::elsewhere(visit.redirect(&place.path_of(&application), refusal)))
}

/// Publishes what the form says, or notes beside its fields why not.
fn send(app: &App, application: &Application, form: &mut Form) -> Result<(), Error> {
    let topic = topic_of(application, form.value("topic"));
    if topic.is_none() {
        form.error("topic", "is no name of a topic");
    }
    let payload = match serde_json::from_str::<Box<RawValue>>(form.value("payload").trim()) {
        Ok(payload) => Some(payload),
        Err(error) => {
            form.error("payload", format!("is no JSON: {error}"));
            None
        }
    };
    let (Some(topic), Some(payload), true) = (topic, payload, form.is_valid()) else { return Ok(()) };
    match app.hub.publish(&topic, form.value("name"), &payload) {
        Ok(()) => {}
        Err(PublishError::ReservedEvent) => form.error("name", "is a name that only the server uses"),
        Err(PublishError::PayloadNotObject) => form.error("payload", "must be an object: {…}"),
        Err(PublishError::TopicTooLong) => form.error("topic", "is too long"),
        Err(PublishError::EventTooLong) => form.error("name", "is too long"),
        Err(error @ (PublishError::RateLimited | PublishError::Overloaded)) => return Err(error.into()),
    }
    Ok(())
}

fn topic_of(application: &Application, name: &str) -> Option<Topic> {
    Topic::new(application.app_key.as_deref()?, name).ok()
}

fn page(
    app: &App,
    visit: &Visit,
    place: &Place,
    application: &Application,
    status: StatusCode,
    form: &Form,
) -> Result<Response, Error> {
    let context = context! {
        title => format!("Console · {} · pusher-lite", name_of(application)),
        organization => place.context(),
        application => place.application_context(application),
        identity => identity(visit.require_user()?),
        form => form.context(),
        ..people(app, topic_of(application, form.value("topic")).as_ref())
    };
    visit.page(status, "account/console", "organizations", context)
}

/// What others on the topic see that one is.
fn identity(user: &User) -> String {
    let name = user.name.as_deref().or(user.email.as_deref());
    name.map_or_else(|| format!("console:{}", user.id), |name| format!("console:{name}"))
}

/// Who is on the topic at this moment: as many as fit as `people`, and how many there are as `people_count`.
fn people(app: &App, topic: Option<&Topic>) -> Value {
    let present = topic.map(|topic| app.hub.presence_list(topic));
    let present: serde_json::Map<String, serde_json::Value> =
        present.and_then(|present| serde_json::from_str(present.get()).ok()).unwrap_or_default();
    let sockets = |entry: &serde_json::Value| entry["metas"].as_array().map_or(0, Vec::len);
    let row = |(name, entry): (&String, &serde_json::Value)| context! { name, sockets => sockets(entry) };
    context! {
        people_count => present.len(),
        people => present.iter().take(SHOWN_PEOPLE).map(row).collect::<Vec<_>>(),
    }
}
