//! What the chat of `/demo` asks for: a JWT to connect with, and a message sent through REST.

use std::time::Duration;

use serde_json::{json, value::to_raw_value};

use super::{Error, pages::demo_data};
use crate::{
    app::App,
    auth::{Permissions, jwt::Grant},
    http::{Request, Response, StatusCode},
    realtime::Topic,
};

/// The topic of the chat, and the event of its messages.
const TOPIC: &str = "general";
const EVENT: &str = "new_message";

/// A JWT that can open sockets in the guest's name for an hour, and nothing else.
pub(super) async fn create_session(app: App, _request: Request) -> Result<Response, Error> {
    let demo = demo_data(&app).await?;
    let jwt = app.jwt.issue(&Grant {
        user_id: demo.guest_id,
        token_id: None,
        permissions: Permissions::CHANNEL,
        lifetime: Duration::from_secs(3600),
    });
    Ok(Response::json(StatusCode::CREATED, &json!({ "jwt": jwt, "app_key": demo.app_key })))
}

/// Publishes `name` and `message` to the chat, as `POST …/event/new_message` does for those who have a token.
pub(super) async fn create_message(app: App, request: Request) -> Result<Response, Error> {
    let demo = demo_data(&app).await?;
    let params = request.params();
    let message = json!({ "name": params.require_text("name")?, "message": params.require_text("message")? });
    let payload = to_raw_value(&message).expect("an object of strings is valid JSON");
    let topic = Topic::new(&demo.app_key, TOPIC).map_err(Error::internal)?;
    app.hub.publish(&topic, EVENT, &payload)?;
    Ok(Response::no_content())
}
