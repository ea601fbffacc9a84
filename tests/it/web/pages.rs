//! The home page and the demo.

use futures_util::{SinkExt, StreamExt};
use pusher_lite::store::demo;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{database::TestDatabase, server::TestServer};

const JSON: &str = "content-type: application/json";

web_test!(without_demo_data_there_is_no_demo);
async fn without_demo_data_there_is_no_demo(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    let home = server.get("/", &[]).await;
    assert_eq!(home.status(), 200);
    assert!(!home.body().contains("href=\"/demo\"") && home.body().contains("YOUR_APP_KEY"));
    assert_eq!(server.get("/demo", &[]).await.status(), 404);
    assert_eq!(server.request("POST", "/demo/session", &[], "").await.status(), 404);
    assert_eq!(server.request("POST", "/demo/messages", &[JSON], "{}").await.status(), 404);
}

web_test!(pages_show_the_address_and_are_safe);
async fn pages_show_the_address_and_are_safe(database: TestDatabase) {
    let db = database.migrated().await;
    demo::seed(&db, "hash").await.unwrap();
    let server = TestServer::start(db);
    for path in ["/", "/demo"] {
        let page = server.get(path, &[]).await;
        assert_eq!((page.status(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(page.body().contains("push.example.com:8443"), "{path}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe-inline"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert!(!page.body().contains(" style=\"") && !page.body().contains(" onclick="), "{path}");
    }
}

web_test!(visitors_of_the_demo_connect_and_send_through_rest);
async fn visitors_of_the_demo_connect_and_send_through_rest(database: TestDatabase) {
    let db = database.migrated().await;
    demo::seed(&db, "hash").await.unwrap();
    let server = TestServer::start(db);
    let session = server.request("POST", "/demo/session", &[], "").await;
    assert_eq!(session.status(), 201);
    let (jwt, app_key) = (session.json()["jwt"].clone(), session.json()["app_key"].clone());
    let (jwt, app_key) = (jwt.as_str().unwrap(), app_key.as_str().unwrap());

    let query = format!("app_key={app_key}&guardian_token={jwt}&unique_identifier=ann&vsn=2.0.0");
    let mut socket = server.socket(&query).await.unwrap();
    let topic = format!("lobby:{app_key}:general");
    socket.send(Message::text(json!(["1", "1", topic, "phx_join", {}]).to_string())).await.unwrap();
    for event in ["phx_reply", "presence_state", "presence_diff"] {
        assert_eq!(next(&mut socket).await[3], event);
    }
    let sent = server.request("POST", "/demo/messages", &[JSON], r#"{"name":"Ann","message":"Hello","x":1}"#).await;
    assert_eq!(sent.status(), 204);
    let heard = json!([null, null, topic, "new_message", {"name": "Ann", "message": "Hello"}]);
    assert_eq!(next(&mut socket).await, heard);
    assert_eq!(server.request("POST", "/demo/messages", &[JSON], r#"{"name":"Ann"}"#).await.status(), 400);
}

async fn next(
    socket: &mut (impl StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin),
) -> Value {
    serde_json::from_str(socket.next().await.unwrap().unwrap().to_text().unwrap()).unwrap()
}
