//! The database is gone, or hangs, and comes back.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use pusher_lite::{
    auth::Permissions,
    store::{DatabaseUrl, Db, Options},
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use crate::support::{
    browser::Browser,
    database::{TestDatabase, on_postgres},
    measured::assert_below,
    proxy::{Proxy, Way},
    server::{Answer, TestServer},
};

/// Of the original's database: the key of Test App, and one who administers it.
const APP_KEY: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
const ADMIN: i32 = 1;

/// Timeout of a query here.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Returns the minimum duration of the first of two outages: a minute in CI.
fn lasts() -> Duration {
    let seconds = std::env::var("OUTAGE_SECONDS").ok();
    Duration::from_secs(seconds.map_or(1, |seconds| seconds.parse().expect("OUTAGE_SECONDS is a number")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_hangs_holds_nobody_up() {
    on_postgres(|database| outage(database, Way::Stalled)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_gone_is_missed_by_those_alone_who_need_it() {
    on_postgres(|database| outage(database, Way::Gone)).await;
}

async fn outage(database: TestDatabase, way: Way) {
    database.with_original_rows().await;
    let DatabaseUrl::Postgres(url) = &database.url else { panic!("only Postgres is asked over a network") };
    let (proxy, url) = Proxy::before(url).await;
    let options = Options { pool_size: 3, timeout: TIMEOUT };
    let db = Db::connect(&url.parse().unwrap(), &options).await.unwrap();
    let server = TestServer::start(db);
    let mut browser = Browser::signed_in(&server, "admin@example.com").await;
    let mut socket = join(&server).await;
    assert_eq!(publish(&server).await.status(), 204);
    assert_eq!(received(&mut socket).await, "e");

    for lasts in [lasts(), Duration::ZERO] {
        proxy.set(way);
        let end = Instant::now() + lasts;
        // The first to ask finds out, which takes as long as a query may.
        let began = Instant::now();
        assert_eq!(organizations(&server).await.status(), 503);
        assert_below(began.elapsed(), TIMEOUT * 3, "the first answer in an outage");
        let began = Instant::now();
        for _ in 0..10 {
            let answer = organizations(&server).await;
            assert_eq!((answer.status(), answer.header("retry-after")), (503, Some("5")));
        }
        let page = browser.get("/account/tokens").await;
        assert_eq!((page.status(), page.header("retry-after")), (503, Some("5")));
        assert!(page.body().contains("try again soon"), "{page:?}");
        // Of eleven at most one or two had to try whether it works again.
        assert_below(began.elapsed(), TIMEOUT * 3, "eleven later answers in an outage");
        assert_eq!(server.get("/health/ready", &[]).await.status(), 503);
        assert_eq!(server.get("/health/live", &[]).await.status(), 200);

        // During the outage, users admitted a moment ago still are, and their events arrive.
        loop {
            socket.send(Message::text(json!([null, "0", "phoenix", "heartbeat", {}]).to_string())).await.unwrap();
            assert_eq!(publish(&server).await.status(), 204);
            assert_eq!(received(&mut socket).await, "e");
            assert_eq!(server.get("/health/ready", &[]).await.status(), 503);
            if Instant::now() > end {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let topic = format!("lobby:{APP_KEY}:general");
        socket.send(Message::text(json!(["1", "2", topic, "pushed", {}]).to_string())).await.unwrap();
        assert_eq!(received(&mut socket).await, "pushed");
        join(&server).await;

        proxy.set(Way::Open);
        until_ready(&server).await;
        // All of them, also those whose connection is one from before.
        for _ in 0..10 {
            assert_eq!(organizations(&server).await.status(), 200);
        }
        assert_eq!(browser.get("/account/tokens").await.status(), 200);
    }
}

async fn until_ready(server: &TestServer) {
    let began = Instant::now();
    while server.get("/health/ready", &[]).await.status() != 200 {
        assert!(began.elapsed() < Duration::from_secs(30), "it does not heal");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn organizations(server: &TestServer) -> Answer {
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    server.get("/api/organizations", &[&format!("authorization: Bearer {jwt}")]).await
}

async fn publish(server: &TestServer) -> Answer {
    let path = format!("/api/organizations/acme-inc/applications/{APP_KEY}/event/e");
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    server.request("POST", &path, &[&format!("authorization: Bearer {jwt}")], "").await
}

async fn join(server: &TestServer) -> WebSocketStream<TcpStream> {
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    let query = format!("app_key={APP_KEY}&guardian_token={jwt}&unique_identifier=a&vsn=2.0.0");
    let mut socket = server.socket(&query).await.unwrap();
    let topic = format!("lobby:{APP_KEY}:general");
    socket.send(Message::text(json!(["1", "1", topic, "phx_join", {}]).to_string())).await.unwrap();
    while next(&mut socket).await[3] != "presence_diff" {}
    socket
}

/// The next event that is not the server's own.
async fn received(socket: &mut WebSocketStream<TcpStream>) -> String {
    loop {
        let message = next(socket).await;
        match message[3].as_str().unwrap() {
            "presence_diff" | "presence_state" | "phx_reply" => {}
            event => return event.to_owned(),
        }
    }
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Value {
    let message = socket.next().await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}
