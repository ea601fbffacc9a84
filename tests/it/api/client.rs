//! Requests and sockets in the name of the users of the dump.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use pusher_lite::{
    auth::Permissions,
    store::{Db, user_quotas::UserLimits},
    web::App,
};
use serde_json::{Value, json};

use super::TEST_APP;
use crate::support::{
    server::{Answer, JWT_SECRET, TestServer},
    socket::Socket,
};

/// A server, and requests to its API.
pub(super) struct Api {
    server: TestServer,
}

impl Api {
    /// Serves this database.
    pub(super) fn start(db: Db) -> Self {
        Self { server: TestServer::start(db) }
    }

    /// As [`Api::start`], with limits for users that a test can reach.
    pub(super) fn with_user_limits(db: Db, limits: UserLimits) -> Self {
        Self { server: TestServer::with_user_limits(db, limits) }
    }

    pub(super) fn server(&self) -> &TestServer {
        &self.server
    }

    pub(super) fn app(&self) -> &App {
        &self.server.app
    }

    /// A JWT with which this user may do everything that users may.
    pub(super) fn jwt(&self, user_id: i32) -> String {
        self.server.jwt(user_id, Permissions::ADMIN)
    }

    /// A JWT with these claims, whatever they are.
    pub(super) fn mint(&self, claims: Value) -> String {
        let key = EncodingKey::from_secret(JWT_SECRET.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS512), &claims, &key).unwrap()
    }

    /// A request without a JWT. The body, unless it is null, is sent as JSON.
    pub(super) async fn anonymous(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(method, path, &[], body).await
    }

    /// A request of this user, with [`Api::jwt`].
    pub(super) async fn request(&self, user_id: i32, method: &str, path: &str, body: Value) -> Answer {
        self.with_jwt(&self.jwt(user_id), method, path, body).await
    }

    /// A request with this JWT.
    pub(super) async fn with_jwt(&self, jwt: &str, method: &str, path: &str, body: Value) -> Answer {
        self.send(method, path, &[&format!("authorization: Bearer {jwt}")], body).await
    }

    /// A request with these headers.
    pub(super) async fn send(&self, method: &str, path: &str, headers: &[&str], body: Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = [headers, &["content-type: application/json"]].concat();
        self.server.request(method, path, &headers, &body).await
    }

    /// Opens a socket of vsn 2; `Err` with the status when it is refused.
    pub(super) async fn connect(&self, jwt: &str, app_key: &str, unique_identifier: &str) -> Result<Socket, u16> {
        Socket::open(&self.server, jwt, app_key, unique_identifier).await
    }
}

/// Joins a topic of Test App. Returns the reason why it is not joined, which is empty if it is.
pub(super) async fn join(socket: &mut Socket, topic: &str) -> String {
    socket.send(json!(["1", "join", format!("lobby:{TEST_APP}:{topic}"), "phx_join", {}])).await;
    loop {
        let message = socket.message().await;
        if message[1] == "join" {
            return message[4]["response"]["reason"].as_str().unwrap_or_default().to_owned();
        }
    }
}
