//! Events: what REST sends to the sockets of an application.

use pusher_lite_protocol::event::is_reserved;
use serde_json::{Value, json};

use super::{Error, caller, data};
use crate::{
    app::App,
    http::{Request, Response, StatusCode},
    realtime::{PublishError, Topic},
};

/// The parameters that are no part of the payload.
const ROUTING: [&str; 4] = ["organization_id", "application_id", "event", "topic"];

/// Sends the event of the path to a topic (`general` unless given): everything else that came with the request is its
/// payload, spelled as it came (D19).
///
/// Two events are not sent: `presence_list` answers who is in the topic, and `disconnect` closes the sockets of the one
/// whose unique identifier is the topic.
pub(in crate::web) async fn create(app: App, request: Request) -> Result<Response, Error> {
    let app_key = find_app_key(&app, &request).await?;
    let topic_name = topic_name(&request)?;
    let event = request.path_param("event");
    if event == "disconnect" {
        app.hub.disconnect_user(&app_key, &topic_name);
        return Ok(Response::no_content());
    }
    // Nobody can be in a topic with such a name.
    let topic = Topic::new(&app_key, &topic_name).ok();
    if event == "presence_list" {
        return Ok(match topic {
            Some(topic) => data(StatusCode::OK, app.hub.presence_list(&topic)),
            None => data(StatusCode::OK, json!({})),
        });
    }
    match topic {
        Some(topic) => app.hub.publish(&topic, &event, &request.params().object_without(&ROUTING))?,
        None if is_reserved(&event) => return Err(PublishError::ReservedEvent.into()),
        None => {}
    }
    Ok(Response::no_content())
}

/// The key of the application of the path, if the caller may publish there (D3). Asks the database only when nobody
/// asked for the same a moment ago.
async fn find_app_key(app: &App, request: &Request) -> Result<String, Error> {
    let claims = caller::claims(app, request)?;
    let user_id = claims.user_id?;
    let (organization, application) = (request.path_param("organization_id"), request.path_param("application_id"));
    let publisher = app.access.publisher(user_id, &organization, &application).await?;
    if !publisher.user_exists {
        return Err(Error::NotFound("user"));
    }
    if !claims.permissions.may_administer() || !publisher.is_admin {
        return Err(Error::Forbidden);
    }
    let app_key = publisher.application.as_ref().and_then(|application| application.app_key.clone());
    app_key.ok_or(Error::NotFound("application"))
}

/// The topic as the original reads it: it takes whatever Elixir can write as a string, which an object is not.
fn topic_name(request: &Request) -> Result<String, Error> {
    match request.params().value("topic")? {
        None | Some(Value::Null | Value::Bool(false)) => Ok("general".to_owned()),
        Some(Value::Object(_)) => Err(Error::invalid("topic", "is invalid")),
        Some(value) => {
            let mut name = String::new();
            write_text(&value, &mut name);
            Ok(name)
        }
    }
}

/// Writes a value as Elixir's `to_string` does: of a list all elements in a row.
fn write_text(value: &Value, text: &mut String) {
    match value {
        Value::String(string) => text.push_str(string),
        Value::Array(elements) => elements.iter().for_each(|element| write_text(element, text)),
        other => text.push_str(&other.to_string()),
    }
}
