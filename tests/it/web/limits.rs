//! Refusals because a limit is reached.

use futures_util::{SinkExt, StreamExt};
use pusher_lite::{
    auth::Permissions,
    operations::application_settings,
    realtime::{ApplicationSettings, Limits, Quotas},
    store::application_limits::{self, OwnSettings},
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use crate::support::{
    database::TestDatabase,
    server::{Answer, TestServer},
};

/// Of the original's database: the id and the key of Test App, and one who administers it.
const APP_ID: i32 = 1;
const APP_KEY: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
const ADMIN: i32 = 1;

async fn start(database: TestDatabase, quotas: Quotas) -> TestServer {
    let limits = Limits { quotas: Quotas { limit_loopback: true, ..quotas }, ..Limits::default() };
    TestServer::with_limits(database.with_original_rows().await, limits)
}

fn query(server: &TestServer) -> String {
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    format!("app_key={APP_KEY}&guardian_token={jwt}&unique_identifier=a&vsn=2.0.0")
}

async fn publish(server: &TestServer, topic: &str, event: &str) -> Answer {
    let path = format!("/api/organizations/acme-inc/applications/{APP_KEY}/event/{event}?topic={topic}");
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    server.request("POST", &path, &[&format!("authorization: Bearer {jwt}")], "").await
}

async fn exchange(socket: &mut WebSocketStream<TcpStream>, message: Value) -> Value {
    socket.send(Message::text(message.to_string())).await.unwrap();
    loop {
        let received = receive(socket).await;
        if received[1] == message[1] {
            return received[4].clone();
        }
    }
}

async fn receive(socket: &mut WebSocketStream<TcpStream>) -> Value {
    let received = socket.next().await.unwrap().unwrap();
    serde_json::from_str(received.to_text().unwrap()).unwrap()
}

web_test!(sockets_beyond_a_limit_are_refused_until_one_is_closed);
async fn sockets_beyond_a_limit_are_refused_until_one_is_closed(database: TestDatabase) {
    let two_of_application = ApplicationSettings { sockets: 2, ..ApplicationSettings::default() };
    let (quotas, status) = (Quotas { application: two_of_application, ..Quotas::default() }, 429);
    let server = start(database, quotas).await;
    let query = query(&server);
    let first = server.socket(&query).await.unwrap();
    let polled = server.get(&format!("/socket/longpoll?{query}"), &[]).await;
    assert_eq!(polled.json()["status"], 410);
    assert_eq!(server.socket(&query).await.err(), Some(status));
    let refused = server.get(&format!("/socket/longpoll?{query}"), &[]).await;
    // 500 is what phoenix.js tries again after.
    assert_eq!(
        (refused.status(), refused.json(), refused.header("retry-after")),
        (status, json!({"status": 500}), Some("5"))
    );
    drop(first);
    while server.socket(&query).await.is_err() {
        tokio::task::yield_now().await;
    }
}

web_test!(an_address_that_opens_sockets_too_fast_is_refused_with_429);
async fn an_address_that_opens_sockets_too_fast_is_refused_with_429(database: TestDatabase) {
    let server = start(database, Quotas { connects_per_address: 1, ..Quotas::default() }).await;
    let query = query(&server);
    assert!(server.socket(&query).await.is_ok());
    // Five come at once, and however slow this machine is, not one a second from then on.
    let mut opened = 1;
    let refused = loop {
        let answer = server.get(&format!("/socket/longpoll?{query}"), &[]).await;
        if answer.status() != 200 {
            break answer;
        }
        opened += 1;
        assert!(opened < 100, "all came in");
    };
    assert!(opened >= 5, "only {opened} came in");
    assert_eq!((refused.status(), refused.header("retry-after")), (429, Some("5")));
}

web_test!(attempts_that_open_nothing_are_limited_as_others);
async fn attempts_that_open_nothing_are_limited_as_others(database: TestDatabase) {
    let server = start(database, Quotas { connects_per_address: 1, ..Quotas::default() }).await;
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    let mut statuses = Vec::new();
    // Each names another application, so that the database has to be asked.
    while statuses.last() != Some(&429) {
        let query = format!("app_key=unknown{}&guardian_token={jwt}&unique_identifier=a", statuses.len());
        statuses.push(server.socket(&query).await.unwrap_err());
        assert!(statuses.len() < 100, "{statuses:?}");
    }
    assert!(statuses.len() > 5 && statuses[..5] == [403; 5], "{statuses:?}");
}

web_test!(a_full_server_refuses_with_503_and_an_address_with_429);
async fn a_full_server_refuses_with_503_and_an_address_with_429(database: TestDatabase) {
    let server = start(database.clone(), Quotas { sockets: 1, ..Quotas::default() }).await;
    let query = query(&server);
    let _open = server.socket(&query).await.unwrap();
    assert_eq!(server.socket(&query).await.err(), Some(503));

    let limits = Limits {
        quotas: Quotas { limit_loopback: true, sockets_per_address: 1, ..Quotas::default() },
        ..Limits::default()
    };
    let server = TestServer::with_limits(database.connect().await, limits);
    let _open = server.socket(&query).await.unwrap();
    assert_eq!(server.socket(&query).await.err(), Some(429));
    // The tests' machine is a trusted proxy: behind it are others.
    let forwarded = server.get(&format!("/socket/longpoll?{query}"), &["x-forwarded-for: 203.0.113.7"]).await;
    assert_eq!(forwarded.json()["status"], 410);
    let refused = server.get(&format!("/socket/longpoll?{query}"), &["x-forwarded-for: 203.0.113.7"]).await;
    assert_eq!(refused.status(), 429);
}

web_test!(events_beyond_the_rate_are_refused_by_a_reply_and_by_429);
async fn events_beyond_the_rate_are_refused_by_a_reply_and_by_429(database: TestDatabase) {
    let application =
        ApplicationSettings { events_per_socket: 2, events_per_second: 4, ..ApplicationSettings::default() };
    let server = start(database, Quotas { application, ..Quotas::default() }).await;
    let mut socket = server.socket(&query(&server)).await.unwrap();
    let topic = format!("lobby:{APP_KEY}:t");
    exchange(&mut socket, json!(["1", "1", topic, "phx_join", {}])).await;
    // However slow this machine is, it does not take a minute for a hundred.
    for number in 0..100 {
        socket.send(Message::text(json!(["1", number.to_string(), topic, "e", {}]).to_string())).await.unwrap();
    }
    let limited = json!({"status": "error", "response": {"reason": "rate limited"}});
    let (mut events, mut refused) = (0, 0);
    while events < 2 || refused == 0 {
        let message = receive(&mut socket).await;
        events += usize::from(message[3] == "e");
        refused += usize::from(message[3] == "phx_reply" && message[4] == limited);
    }
    // A heartbeat is no event.
    assert_eq!(exchange(&mut socket, json!([null, "heartbeat", "phoenix", "heartbeat", {}])).await["status"], "ok");
    // The socket took at most half of what the application may send.
    let mut answer = publish(&server, "t", "e").await;
    assert_eq!(answer.status(), 204);
    while answer.status() == 204 {
        answer = publish(&server, "t", "e").await;
    }
    assert_eq!((answer.status(), answer.header("retry-after")), (429, Some("1")));
    assert_eq!(answer.json(), json!({"errors": {"detail": "rate limited"}}));
}

web_test!(what_rest_asks_for_counts_as_an_event);
async fn what_rest_asks_for_counts_as_an_event(database: TestDatabase) {
    let application = ApplicationSettings { events_per_second: 1, ..ApplicationSettings::default() };
    let server = start(database, Quotas { application, ..Quotas::default() }).await;
    for asked in ["disconnect", "presence_list"] {
        let mut answer = publish(&server, "nobody", asked).await;
        while answer.status() != 429 {
            answer = publish(&server, "nobody", asked).await;
        }
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
}

web_test!(names_have_a_longest_length);
async fn names_have_a_longest_length(database: TestDatabase) {
    let server = start(database, Quotas::default()).await;
    let (longest, longer) = ("n".repeat(1024), "n".repeat(1025));
    assert_eq!(publish(&server, &longest, &longest).await.status(), 204);
    let refused = publish(&server, &longer, "e").await;
    assert_eq!((refused.status(), refused.json()), (422, json!({"errors": {"topic": ["is too long"]}})));
    let refused = publish(&server, "t", &longer).await;
    assert_eq!((refused.status(), refused.json()), (422, json!({"errors": {"event": ["is too long"]}})));
    let query = query(&server).replace("unique_identifier=a", &format!("unique_identifier={longer}"));
    assert_eq!(server.socket(&query).await.err(), Some(403));

    let mut socket = server.socket(&self::query(&server)).await.unwrap();
    let topic = format!("lobby:{APP_KEY}:{longer}");
    let refused = exchange(&mut socket, json!(["1", "1", topic, "phx_join", {}])).await;
    assert_eq!(refused["response"]["reason"], "topic too long");
}

db_test!(an_application_may_have_limits_of_its_own_from_one_moment_to_the_next);
async fn an_application_may_have_limits_of_its_own_from_one_moment_to_the_next(database: TestDatabase) {
    let server = start(database.clone(), Quotas::default()).await;
    let (app, query) = (&server.app, query(&server));
    let set = async |limits: OwnSettings| {
        app.db.transaction(async |tx| application_limits::set(tx, APP_ID, &limits).await).await.unwrap();
        assert_eq!(application_limits::find(&mut app.db.conn().await.unwrap(), APP_ID).await.unwrap(), limits);
    };
    let _open = server.socket(&query).await.unwrap();
    set(OwnSettings { sockets: Some(1), ..OwnSettings::default() }).await;
    assert_eq!(server.socket(&query).await.err(), Some(429));

    // The server notices changes of other processes by itself.
    tokio::spawn(application_settings::watch(app.hub.clone(), app.db.clone()));
    database.execute("DELETE FROM application_limits").await;
    while server.socket(&query).await.is_err() {
        tokio::task::yield_now().await;
    }
    let nobody = app.db.transaction(async |tx| application_limits::set(tx, 999, &OwnSettings::default()).await).await;
    assert!(matches!(nobody, Err(pusher_lite::store::Error::NotFound)), "{nobody:?}");
}
