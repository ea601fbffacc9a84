//! Permission to open a socket.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use pusher_lite::auth::Permissions;

use crate::support::{database::TestDatabase, server::TestServer};

/// Of the original's database: the key of Test App, which belongs to Acme Inc.
const APP_KEY: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
const ADMIN: i32 = 1;
const PLAIN_ADMIN: i32 = 2;
const MEMBER: i32 = 3;
const LONE: i32 = 5;

db_test!(versions_and_parameters_open_a_socket_or_do_not);
async fn versions_and_parameters_open_a_socket_or_do_not(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let jwt = server.jwt(MEMBER, Permissions::USER);
    let (key, token) = (format!("app_key={APP_KEY}"), format!("guardian_token={jwt}"));
    for (query, refused) in [
        (format!("{key}&{token}&unique_identifier=a"), None),
        (format!("{key}&{token}&unique_identifier=a&vsn=1.0.0"), None),
        (format!("{key}&{token}&unique_identifier=a&vsn=2.0.0&"), None),
        (format!("{key}&{token}&unique_identifier="), None),
        (format!("{key}&{token}&unique_identifier=zo%C3%AB%20%2F"), None),
        (format!("{key}&{token}&unique_identifier=a&vsn=1.0"), Some(403)),
        (format!("{key}&{token}&unique_identifier=a&vsn=2.1.0"), Some(403)),
        (format!("{key}&{token}&unique_identifier=a&vsn="), Some(403)),
        (format!("{key}&{token}&unique_identifier=a&vsn[]=1.0.0"), Some(403)),
        (format!("{key}&{token}"), Some(403)),
        (format!("{key}&{token}&unique_identifier[]=a"), Some(403)),
        (format!("{key}&{token}&unique_identifier[a]=a"), Some(403)),
        (format!("{token}&unique_identifier=a"), Some(403)),
        (format!("app_key=&{token}&unique_identifier=a"), Some(403)),
        (format!("app_key=nope&{token}&unique_identifier=a"), Some(403)),
        (format!("app_key[]={APP_KEY}&{token}&unique_identifier=a"), Some(403)),
        (format!("{key}&unique_identifier=a"), Some(403)),
        (format!("{key}&guardian_token=a.b.c&unique_identifier=a"), Some(403)),
        (format!("{key}&guardian_token[]={jwt}&unique_identifier=a"), Some(403)),
        (format!("{key}&{token}&unique_identifier=%zz"), Some(400)),
        // Half a surrogate pair.
        (format!("{key}&{token}&unique_identifier=%ED%A0%80"), Some(400)),
    ] {
        assert_eq!(server.socket(&query).await.err(), refused, "{query}");
    }
}

db_test!(only_those_who_belong_to_the_application_open_a_socket);
async fn only_those_who_belong_to_the_application_open_a_socket(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    for (user, permissions, refused) in [
        (ADMIN, Permissions::ADMIN, None),
        (MEMBER, Permissions::CHANNEL, None),
        (MEMBER, Permissions::default(), Some(403)),
        (PLAIN_ADMIN, Permissions::ADMIN, Some(403)),
        (LONE, Permissions::USER, Some(403)),
        (999, Permissions::ADMIN, Some(403)),
    ] {
        let jwt = server.jwt(user, permissions);
        let query = format!("app_key={APP_KEY}&guardian_token={jwt}&unique_identifier=a");
        assert_eq!(server.socket(&query).await.err(), refused, "user {user}");
    }
}

db_test!(what_is_no_handshake_is_refused_with_one_answer);
async fn what_is_no_handshake_is_refused_with_one_answer(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    let path = format!("/socket/websocket?app_key={APP_KEY}&guardian_token={jwt}&unique_identifier=a");
    assert_eq!(server.get(&path, &[]).await.status(), 400);
    let posted = server.request("POST", &path, &[], "").await;
    assert_eq!((posted.status(), posted.header("allow")), (405, Some("GET")));
    let refused = server.get("/socket/websocket", &[]).await;
    assert_eq!((refused.status(), refused.body(), refused.header("content-length")), (403, "", Some("0")));
    assert_eq!(server.get("/socket/websocket/extra", &[]).await.status(), 404);
}

db_test!(the_jwt_may_come_as_a_subprotocol);
async fn the_jwt_may_come_as_a_subprotocol(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let [good, bad] = [MEMBER, LONE].map(|user| server.jwt(user, Permissions::USER));
    let offer = |jwt: &str| format!("phoenix, base64url.bearer.phx.{}", BASE64_STANDARD_NO_PAD.encode(jwt));
    for (parameter, offered, expected) in [
        ("", offer(&good), Ok(Some("phoenix"))),
        (&bad, offer(&good), Ok(Some("phoenix"))),
        (&good, offer(&bad), Err(403)),
        (&good, "phoenix, base64url.bearer.phx.!".to_owned(), Ok(Some("phoenix"))),
        (&good, "phoenix, base64url.bearer.phx.".to_owned(), Ok(Some("phoenix"))),
        (&good, "phoenix, base64url.bearer.phx._w".to_owned(), Ok(Some("phoenix"))),
        (&good, offer("no JWT"), Ok(Some("phoenix"))),
        (&good, offer(&format!("{good}=")), Ok(Some("phoenix"))),
        (&bad, "phoenix, base64url.bearer.phx.!".to_owned(), Err(403)),
        ("", "phoenix, base64url.bearer.phx.!".to_owned(), Err(403)),
        ("", offer("no JWT"), Err(403)),
        ("", offer(&format!("{good}=")), Err(403)),
        (&good, "phoenix".to_owned(), Ok(Some("phoenix"))),
        (&good, String::new(), Ok(None)),
    ] {
        let query = format!("app_key={APP_KEY}&guardian_token={parameter}&unique_identifier=a&vsn=2.0.0");
        let answered = server.handshake(&query, &offered).await;
        assert_eq!(answered, expected.map(|protocol| protocol.map(str::to_owned)), "{offered}");
    }
}

db_test!(a_server_that_stops_opens_no_sockets_and_says_that_it_is_not_ready);
async fn a_server_that_stops_opens_no_sockets_and_says_that_it_is_not_ready(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let jwt = server.jwt(MEMBER, Permissions::USER);
    let query = format!("app_key={APP_KEY}&guardian_token={jwt}&unique_identifier=a");
    server.app.stopping.cancel();
    assert_eq!(server.get("/health/ready", &[]).await.status(), 503);
    assert!(server.socket(&query).await.is_ok(), "others may not have noticed yet");
    server.app.hub.shutdown(Duration::ZERO).await;
    assert_eq!(server.socket(&query).await.err(), Some(503), "not 403, which would be a refusal");
    assert_eq!(server.get("/health/live", &[]).await.status(), 200);
}
