//! Opening of sessions, and assignment of requests to them.

use pusher_lite::{auth::Permissions, realtime::Limits};
use serde_json::json;

use super::{
    APP_KEY, LONE, MEMBER,
    client::{Poller, query},
};
use crate::support::{database::TestDatabase, server::TestServer};

const PATH: &str = "/socket/longpoll";

db_test!(a_session_is_opened_or_refused_in_the_body);
async fn a_session_is_opened_or_refused_in_the_body(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let jwt = server.jwt(MEMBER, Permissions::USER);
    let (key, token) = (format!("app_key={APP_KEY}"), format!("guardian_token={jwt}"));
    let lone = server.jwt(LONE, Permissions::USER);
    for (query, status, has_messages) in [
        (format!("{key}&{token}&unique_identifier=a"), 410, false),
        (format!("{key}&{token}&unique_identifier=a&vsn=1.2.3&"), 410, false),
        (format!("{key}&{token}&unique_identifier=a&vsn=2.0.0"), 410, true),
        (format!("{key}&{token}&unique_identifier=a&vsn=2.0.0&token=garbage"), 410, true),
        (format!("{key}&{token}&unique_identifier=a&vsn=2.0.0&token[]=1"), 410, true),
        (format!("{key}&{token}&unique_identifier=a&vsn=2.1.0"), 403, false),
        (format!("{key}&{token}&unique_identifier=a&vsn=1.0"), 403, false),
        (format!("{key}&{token}&unique_identifier[]=a"), 403, false),
        (format!("{key}&{token}"), 403, false),
        (format!("app_key=nope&{token}&unique_identifier=a"), 403, false),
        (format!("{key}&guardian_token=garbage&unique_identifier=a"), 403, false),
        (format!("{key}&guardian_token={lone}&unique_identifier=a"), 403, false),
        (String::new(), 403, false),
    ] {
        let answer = server.get(&format!("{PATH}?{query}"), &[]).await;
        assert_eq!(answer.status(), 200, "{query}");
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let answer = answer.json();
        assert_eq!(answer["status"], status, "{query}");
        assert_eq!(answer["token"].is_string(), status == 410, "{query}");
        assert_eq!(answer.get("messages"), has_messages.then_some(&json!([])), "{query}");
    }
}

web_test!(the_jwt_may_come_as_auth_token);
async fn the_jwt_may_come_as_auth_token(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let (good, bad) = (server.jwt(MEMBER, Permissions::USER), server.jwt(LONE, Permissions::USER));
    let path = format!("{PATH}?app_key={APP_KEY}&unique_identifier=a&vsn=2.0.0");
    for (parameter, header, status) in [
        (None, Some(&good), 410),
        (Some(&bad), Some(&good), 410),
        (Some(&good), Some(&bad), 403),
        (Some(&good), None, 410),
        (None, None, 403),
    ] {
        let path = parameter.map_or(path.clone(), |jwt| format!("{path}&guardian_token={jwt}"));
        let header = header.map(|jwt| format!("x-phoenix-authtoken: {jwt}"));
        let headers: Vec<&str> = header.iter().map(String::as_str).collect();
        assert_eq!(server.get(&path, &headers).await.json()["status"], status);
    }
}

web_test!(the_header_names_the_session_before_the_parameter);
async fn the_header_names_the_session_before_the_parameter(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let poller = Poller::open(&server, "alice", "2.0.0").await;
    let heartbeat = r#"[null,"1","phoenix","heartbeat",{}]"#;
    let header = format!("x-phoenix-longpoll-token: {}", poller.token);
    for path in [PATH, "/socket/longpoll?token=garbage", "//socket/longpoll/"] {
        assert_eq!(server.request("POST", path, &[&header], heartbeat).await.json()["status"], 200);
        let polled = server.get(path, &[&header]).await;
        assert_eq!(polled.header("cache-control"), Some("no-store"));
        assert_eq!(polled.json()["messages"].as_array().unwrap().len(), 1);
    }
    let garbage = "x-phoenix-longpoll-token: garbage";
    assert_eq!(server.request("POST", &poller.path(), &[garbage], heartbeat).await.json()["status"], 410);
}

web_test!(only_what_the_server_signed_names_a_session);
async fn only_what_the_server_signed_names_a_session(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let poller = Poller::open(&server, "alice", "1.0.0").await;
    let (body, signature) = poller.token.rsplit_once('.').unwrap();
    let swapped: String = signature.chars().rev().collect();
    for token in ["", "garbage", body, &format!("{body}.{swapped}"), &format!("{}x", poller.token)] {
        let path = format!("{PATH}?{}&token={token}", query(&server, "eve", "1.0.0"));
        assert_eq!(server.request("POST", &path, &[], "{}").await.json(), json!({"status": 410}), "{token}");
        let opened = server.get(&path, &[]).await.json();
        assert_eq!(opened["status"], 410, "{token}");
        assert_ne!(opened["token"], poller.token);
    }
    assert_eq!(server.request("POST", PATH, &[], "{}").await.json(), json!({"status": 410}));
}

web_test!(every_origin_may_ask_and_other_methods_are_refused);
async fn every_origin_may_ask_and_other_methods_are_refused(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let preflight = ["origin: http://example.com", "access-control-request-method: POST"];
    for (headers, allowed) in [
        (&[][..], ""),
        (&preflight[..], ""),
        (
            &[preflight[0], preflight[1], "access-control-request-headers: x-phoenix-authtoken,content-type"],
            "x-phoenix-authtoken,content-type",
        ),
    ] {
        let answer = server.request("OPTIONS", PATH, headers, "").await;
        assert_eq!((answer.status(), answer.body()), (200, ""));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        assert_eq!(answer.header("access-control-allow-headers"), Some(allowed));
        assert_eq!(answer.header("access-control-allow-methods"), Some("get, post, options"));
        assert_eq!(answer.header("access-control-max-age"), Some("3600"));
    }
    for method in ["HEAD", "PUT", "DELETE", "PATCH", "TRACE", "FOO"] {
        let answer = server.request(method, PATH, &[], "").await;
        assert_eq!((answer.status(), answer.body()), (400, ""), "{method}");
    }
}

web_test!(clients_come_back_later_when_there_are_too_many_sessions);
async fn clients_come_back_later_when_there_are_too_many_sessions(database: TestDatabase) {
    let limits = Limits { longpoll_sessions: 1, ..Limits::default() };
    let server = TestServer::with_limits(database.with_original_rows().await, limits);
    let _poller = Poller::open(&server, "alice", "1.0.0").await;
    let refused = server.get(&format!("{PATH}?{}", query(&server, "bob", "1.0.0")), &[]).await;
    // phoenix.js tries again after 500 and after nothing else.
    assert_eq!((refused.status(), refused.json()), (503, json!({"status": 500})));
}
