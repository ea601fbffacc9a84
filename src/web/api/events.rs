//! Events that REST sends to the sockets of an application.

use pusher_lite_protocol::{EventPayload, name::is_reserved};
use serde_json::{Value, json};

use super::{Error, caller::Publisher, data};
use crate::{
    http::{Request, Response, StatusCode},
    operations::gathered::Deed,
    realtime::{PublishError, Topic},
    web::App,
};

/// The parameters that are not part of the payload.
const ROUTING: [&str; 4] = ["organization_id", "application_id", "event", "topic"];

/// Sends the event of the path to a topic (`general` unless given). All other members of the request are its payload,
/// with their spelling (D19).
///
/// Two events are not sent: `presence_list` answers with the users in the topic, and `disconnect` closes the sockets of
/// the user whose unique identifier is the topic. They count as events, too.
pub(in crate::web) async fn create(app: App, request: Request, publisher: Publisher) -> Result<Response, Error> {
    let app_key = publisher.app_key();
    let topic_name = topic_name(&request)?;
    let event = request.path_param("event");
    if event == "disconnect" {
        app.hub.disconnect_user(app_key, &topic_name)?;
        publisher.note(&app, Deed::Disconnect, &topic_name);
        return Ok(Response::no_content());
    }
    // No socket can be in a topic with such a name.
    let topic = Topic::new(app_key, &topic_name).ok();
    if event == "presence_list" {
        return Ok(match topic {
            Some(topic) => data(StatusCode::OK, app.hub.presence_list(&topic)?),
            None => data(StatusCode::OK, json!({})),
        });
    }
    match topic {
        Some(topic) => {
            let payload = request.params().object_without(&ROUTING);
            app.hub.publish(&topic, &event, EventPayload::check(&payload))?;
        }
        None if is_reserved(&event) => return Err(PublishError::ReservedEvent.into()),
        None => {}
    }
    Ok(Response::no_content())
}

/// Returns the topic as the original reads it: any value that Elixir can write as a string, which an object is not. A
/// list of several values is refused (D35): the original joins them to one name, which is never intended.
fn topic_name(request: &Request) -> Result<String, Error> {
    match request.params().value("topic")? {
        None | Some(Value::Null | Value::Bool(false)) => Ok("general".to_owned()),
        Some(Value::Object(_)) => Err(Error::invalid("topic", "is invalid")),
        Some(topics @ Value::Array(_)) if elements(&topics) > 1 => {
            Err(Error::invalid("topic", "must be one topic; publish to several with a request for each"))
        }
        Some(value) => {
            let mut name = String::new();
            write_text(&value, &mut name);
            Ok(name)
        }
    }
}

/// Counts the values in a list, and in the lists in it.
fn elements(value: &Value) -> usize {
    match value {
        Value::Array(elements_of_it) => elements_of_it.iter().map(elements).sum(),
        _ => 1,
    }
}

/// Writes a value as Elixir's `to_string` does: for a list, all elements in a row.
fn write_text(value: &Value, text: &mut String) {
    match value {
        Value::String(string) => text.push_str(string),
        Value::Array(elements) => elements.iter().for_each(|element| write_text(element, text)),
        other => text.push_str(&other.to_string()),
    }
}
