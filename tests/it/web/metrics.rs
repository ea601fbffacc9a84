//! What Prometheus reads, and the dashboard that shows it.

use std::{collections::BTreeSet, time::Duration};

use pusher_lite::{auth::Permissions, http::BodyLimits};
use serde_json::Value;

use crate::support::{
    client::{Client, status},
    database::TestDatabase,
    server::{METRICS_TOKEN, TestServer},
};

/// Of the original's database: the key of Test App, and one who administers it.
const APP_KEY: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
const ADMIN: i32 = 1;

const DASHBOARD: &str = include_str!("../../../deploy/grafana-dashboard.json");

async fn metrics(server: &TestServer) -> String {
    let answer = server.get("/metrics", &[&format!("authorization: Bearer {METRICS_TOKEN}")]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    answer.body().to_owned()
}

/// The value of a series, written as in the text.
fn value(text: &str, series: &str) -> f64 {
    let mut lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    let found = lines.find(|(name, _)| *name == series).unwrap_or_else(|| panic!("no {series} in {text}"));
    found.1.parse().unwrap()
}

/// A server that had a socket, an event and a refusal.
async fn used(database: TestDatabase) -> TestServer {
    let server = TestServer::start(database.with_original_rows().await);
    let jwt = server.jwt(ADMIN, Permissions::ADMIN);
    let query = format!("app_key={APP_KEY}&guardian_token={jwt}&unique_identifier=a");
    assert_eq!(server.get(&format!("/socket/longpoll?{query}"), &[]).await.json()["status"], 410);
    assert_eq!(server.get("/socket/longpoll", &[]).await.json()["status"], 403);
    let path = format!("/api/organizations/acme-inc/applications/{APP_KEY}/event/e");
    let published = server.request("POST", &path, &[&format!("authorization: Bearer {jwt}")], "").await;
    assert_eq!(published.status(), 204);
    server
}

db_test!(what_happens_is_in_the_metrics);
async fn what_happens_is_in_the_metrics(database: TestDatabase) {
    let server = used(database).await;
    let text = metrics(&server).await;
    for (series, expected) in [
        (r#"pusher_lite_sockets{transport="longpoll",vsn="1"}"#, 1.0),
        ("pusher_lite_sockets_opened_total", 1.0),
        (r#"pusher_lite_events_in_total{source="rest"}"#, 1.0),
        (r#"pusher_lite_refusals_total{what="connect",reason="forbidden"}"#, 1.0),
        (&format!("pusher_lite_application_sockets{{app_key=\"{APP_KEY}\"}}"), 1.0),
        (&format!("pusher_lite_application_events_in_total{{app_key=\"{APP_KEY}\"}}"), 1.0),
        (r#"pusher_lite_sockets_closed_total{reason="too slow"}"#, 0.0),
        (r#"pusher_lite_http_request_duration_seconds_count{method="GET",route="/socket/longpoll",status="200"}"#, 2.0),
        (&format!("pusher_lite_build{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1.0),
    ] {
        assert_eq!(value(&text, series), expected, "{series}");
    }
    if cfg!(target_os = "linux") {
        assert!(value(&text, "process_resident_memory_bytes") > 1e6);
        assert!(value(&text, "process_open_fds") > 3.0);
    }
    assert!(value(&text, "pusher_lite_database_connections_max") >= 1.0);
    let types: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE ")).collect();
    assert_eq!(types.len(), types.iter().collect::<BTreeSet<_>>().len(), "each metric is named once");
}

db_test!(bodies_beyond_the_limits_are_in_the_metrics);
async fn bodies_beyond_the_limits_are_in_the_metrics(database: TestDatabase) {
    let body = BodyLimits { max_bytes: 100, time: Duration::from_millis(200) };
    let server = TestServer::with_body_limits(database.migrated().await, body);
    let large = format!("{{\"token\":\"{}\"}}", "x".repeat(100));
    let refused = server.request("POST", "/api/sessions", &["content-type: application/json"], &large).await;
    assert_eq!(
        (refused.status(), refused.json()["errors"]["detail"].as_str()),
        (413, Some("the body is larger than 100 bytes"))
    );
    let mut slow = Client::connect(server.address).await;
    slow.send("POST /api/sessions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n")
        .await;
    assert_eq!(status(&slow.answer().await), 408);
    let text = metrics(&server).await;
    assert_eq!(value(&text, r#"pusher_lite_refusals_total{what="request",reason="body too large"}"#), 1.0);
    assert_eq!(value(&text, r#"pusher_lite_refusals_total{what="request",reason="body too slow"}"#), 1.0);
    assert_eq!(value(&text, r#"pusher_lite_refusals_total{what="connection",reason="head too slow"}"#), 0.0);
}

db_test!(bodies_take_only_so_much_memory_together);
async fn bodies_take_only_so_much_memory_together(database: TestDatabase) {
    const LARGE: usize = 500_000;
    let limits = BodyLimits { max_bytes: LARGE, time: Duration::from_secs(600) };
    let server = TestServer::with_body_limits(database.migrated().await, limits);
    let json = ["content-type: application/json"];
    let head = format!("POST / HTTP/1.1\r\nhost: x\r\n{}\r\ncontent-length: {LARGE}\r\n\r\n", json[0]);
    let all_but_the_end = format!("{head}{}", " ".repeat(LARGE - 1));
    let large = " ".repeat(LARGE);
    let mut clients = Vec::new();
    let refused = loop {
        let mut client = Client::connect(server.address).await;
        client.send(&all_but_the_end).await;
        clients.push(client);
        let answer = server.request("POST", "/", &json, &large).await;
        if answer.status() == 503 {
            break answer;
        }
    };
    assert!(clients.len() > 32, "{}", clients.len());
    assert_eq!(refused.header("retry-after"), Some("5"));
    assert_eq!(server.request("POST", "/api/sessions", &json, "{\"token\":\"x\"}").await.status(), 422, "a small one");
    let text = metrics(&server).await;
    assert!(value(&text, r#"pusher_lite_refusals_total{what="request",reason="bodies full"}"#) >= 1.0);
    drop(clients);
    while server.request("POST", "/", &json, &large).await.status() == 503 {}
}

db_test!(only_those_with_the_token_read_metrics);
async fn only_those_with_the_token_read_metrics(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    for headers in [&[][..], &["authorization: Bearer wrong"], &["authorization: Bearer"]] {
        let answer = server.get("/metrics", headers).await;
        assert_eq!(answer.status(), 401);
        assert!(!answer.body().contains("pusher_lite_"));
    }
    let answer = server.get(&format!("/metrics?token={}", METRICS_TOKEN.replace(' ', "+")), &[]).await;
    assert_eq!(answer.status(), 401, "not in the URL, which proxies log");
}

db_test!(made_up_methods_and_paths_make_up_no_series);
async fn made_up_methods_and_paths_make_up_no_series(database: TestDatabase) {
    let server = TestServer::start(database.migrated().await);
    for number in 0..10 {
        server.request(&format!("METHOD{number}"), &format!("/path/{number}"), &[], "").await;
    }
    let text = metrics(&server).await;
    let count =
        |needle: &str| text.lines().filter(|line| line.contains("_seconds_count{") && line.contains(needle)).count();
    assert_eq!((count("METHOD"), count("/path"), count(r#"method="other",route="-""#)), (0, 0, 1));
}

db_test!(the_dashboard_shows_metrics_that_there_are);
async fn the_dashboard_shows_metrics_that_there_are(database: TestDatabase) {
    let text = metrics(&used(database).await).await;
    let known: BTreeSet<&str> = text.lines().filter_map(|line| line.split(['{', ' ']).next()).collect();
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut expressions = Vec::new();
    collect(&dashboard, &mut expressions);
    assert!(expressions.len() >= 20, "{}", expressions.len());
    for expression in expressions {
        let words = expression.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
        let names: Vec<_> =
            words.filter(|word| word.starts_with("pusher_lite_") || word.starts_with("process_")).collect();
        assert!(!names.is_empty(), "{expression} shows nothing of this server");
        for name in names {
            assert!(known.contains(name), "{name} of the dashboard is no metric");
        }
    }
}

/// Every `expr` in a dashboard, and the queries of its variables.
fn collect<'a>(value: &'a Value, expressions: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if name == "expr" => expressions.push(text),
                    other => collect(other, expressions),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, expressions)),
        _ => {}
    }
}
