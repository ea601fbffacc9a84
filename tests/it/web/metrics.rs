//! Metrics for Prometheus, and the dashboard that shows them.

use std::{collections::BTreeSet, time::Duration};

use pusher_lite::{
    auth::{
        Permissions,
        jwt::{Grant, Restrictions, Scope},
    },
    http::BodyLimits,
    store::sessions::SessionHash,
};
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

web_test!(what_happens_is_in_the_metrics);
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

web_test!(bodies_beyond_the_limits_are_in_the_metrics);
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

web_test!(bodies_take_only_so_much_memory_together);
async fn bodies_take_only_so_much_memory_together(database: TestDatabase) {
    const LARGE: usize = 500_000;
    let limits = BodyLimits { max_bytes: LARGE, time: Duration::from_secs(600) };
    let server = TestServer::with_body_limits(database.migrated().await, limits);
    let json = ["content-type: application/json"];
    let head = format!("POST /api/sessions HTTP/1.1\r\nhost: x\r\n{}\r\ncontent-length: {LARGE}\r\n\r\n", json[0]);
    let all_but_the_end = format!("{head}{}", " ".repeat(LARGE - 1));
    let large = " ".repeat(LARGE);
    let mut clients = Vec::new();
    let refused = loop {
        let mut client = Client::connect(server.address).await;
        client.send(&all_but_the_end).await;
        clients.push(client);
        let answer = server.request("POST", "/api/sessions", &json, &large).await;
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
    while server.request("POST", "/api/sessions", &json, &large).await.status() == 503 {}
}

web_test!(a_refused_socket_leaves_its_reason);
async fn a_refused_socket_leaves_its_reason(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let jwt = server.jwt(3, pusher_lite::auth::Permissions::USER);
    let of_page = Grant {
        user_id: 3,
        token_id: None,
        permissions: Permissions::CHANNEL,
        scope: Scope::Channel,
        lifetime: Duration::from_secs(600),
        not_after: None,
    };
    let ended = Scope::Console(SessionHash::of("a session that never was"));
    let of_console = server.app.jwt.issue(&Grant { scope: ended, ..of_page });
    let restrictions = Restrictions {
        app_key: Some(APP_KEY.into()),
        unique_identifier: Some("only".into()),
        ..Restrictions::default()
    };
    let restricted = server.app.jwt.issue_restricted(&of_page, &restrictions);
    for (query, reason) in [
        ("", "parameter missing"),
        (&format!("app_key={APP_KEY}&unique_identifier=u&guardian_token={restricted}"), "other name in JWT"),
        (&format!("app_key=other&unique_identifier=only&guardian_token={restricted}"), "other application in JWT"),
        ("app_key=x&unique_identifier=u&guardian_token=garbage", "malformed JWT"),
        (&format!("app_key=unknown&unique_identifier=u&guardian_token={jwt}"), "unknown app_key"),
        (&format!("app_key={APP_KEY}&unique_identifier=u&guardian_token={of_console}"), "session ended"),
    ] {
        assert_eq!(server.socket(query).await.err(), Some(403), "{query}");
        let text = metrics(&server).await;
        assert_eq!(value(&text, &format!(r#"pusher_lite_sockets_forbidden_total{{reason="{reason}"}}"#)), 1.0);
    }
}

web_test!(only_those_with_the_token_read_metrics);
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

web_test!(made_up_methods_and_paths_make_up_no_series);
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

web_test!(the_dashboard_shows_metrics_that_there_are);
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
