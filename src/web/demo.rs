//! Endpoints of the chat of `/demo`: a JWT to connect with, and a message sent through REST.

use std::time::Duration;

use pusher_lite_protocol::EventPayload;
use serde_json::{json, value::to_raw_value};

use super::{Error, pages::demo_data};
use crate::{
    auth::{
        Permissions,
        jwt::{Grant, Restrictions, Scope},
    },
    http::{Request, Response, StatusCode},
    realtime::Topic,
    web::App,
};

/// The topic of the chat, and the event of its messages.
const TOPIC: &str = "general";
const EVENT: &str = "new_message";

/// Answers with a JWT that opens sockets in the guest's name for an hour, and nothing else.
pub(super) async fn create_session(app: App, _request: Request) -> Result<Response, Error> {
    let demo = demo_data(&app).await?;
    let grant = Grant {
        user_id: demo.guest_id,
        token_id: None,
        permissions: Permissions::CHANNEL,
        scope: Scope::Demo,
        lifetime: Duration::from_secs(3600),
        not_after: None,
    };
    let restrictions = Restrictions { app_key: Some(demo.app_key.clone()), ..Restrictions::default() };
    let jwt = app.jwt.issue_restricted(&grant, &restrictions);
    Ok(Response::json(StatusCode::CREATED, &json!({ "jwt": jwt, "app_key": demo.app_key })))
}

/// Publishes `name` and `message` to the chat, as `POST …/event/new_message` does for clients with a token.
pub(super) async fn create_message(app: App, request: Request) -> Result<Response, Error> {
    let demo = demo_data(&app).await?;
    let params = request.params();
    let message = json!({ "name": params.require_text("name")?, "message": params.require_text("message")? });
    let payload = to_raw_value(&message).expect("an object of strings is valid JSON");
    let topic = Topic::new(&demo.app_key, TOPIC).map_err(Error::internal)?;
    app.hub.publish(&topic, EVENT, EventPayload::check(&payload))?;
    Ok(Response::no_content())
}
