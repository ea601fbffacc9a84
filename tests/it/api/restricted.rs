//! JWTs of pages that are restricted to an application, a name, topics (D41): each claim admits what it names, and no way
//! around it.

use serde_json::{Value, json};

use super::{ADMIN_TOKEN, SECOND_APP, TEST_APP, client::Api};
use crate::support::{database::TestDatabase, socket::Socket};

/// A page's JWT with these restrictions.
async fn jwt(api: &Api, restrictions: Value) -> String {
    let mut body = json!({"token": ADMIN_TOKEN, "channel": true});
    body.as_object_mut().unwrap().extend(restrictions.as_object().unwrap().clone());
    let answer = api.anonymous("POST", "/api/sessions", body).await;
    assert_eq!(answer.status(), 201, "{restrictions}: {answer:?}");
    answer.json()["jwt"].as_str().unwrap().to_owned()
}

/// The reply to a message, among other messages.
async fn exchange(socket: &mut Socket, r#ref: &str, topic: &str, event: &str) -> Value {
    let topic = format!("lobby:{TEST_APP}:{topic}");
    socket.send(json!(["1", r#ref, topic, event, {}])).await;
    loop {
        let message = socket.message().await;
        if message[1] == r#ref {
            return message[4].clone();
        }
    }
}

web_test!(a_jwt_for_one_application_opens_sockets_of_no_other);
async fn a_jwt_for_one_application_opens_sockets_of_no_other(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let only = jwt(&api, json!({"app_key": TEST_APP})).await;
    assert!(api.connect(&only, TEST_APP, "alice").await.is_ok());
    for other in [SECOND_APP, &TEST_APP.to_uppercase(), &format!("{TEST_APP}%20"), &TEST_APP.replace('-', "%2D%2D")] {
        assert_eq!(api.connect(&only, other, "alice").await.unwrap_err(), 403, "{other}");
    }
    let any = jwt(&api, json!({})).await;
    assert!(api.connect(&any, SECOND_APP, "alice").await.is_ok(), "without the claim all of them");
    // Percent-encoding is the query's, and changes no name.
    let encoded = TEST_APP.replace('-', "%2d");
    assert!(api.connect(&only, &encoded, "alice").await.is_ok());
}

web_test!(a_jwt_for_one_name_opens_sockets_of_no_other);
async fn a_jwt_for_one_name_opens_sockets_of_no_other(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    // "é" as one character.
    let only = jwt(&api, json!({"unique_identifier": "Ren\u{e9}"})).await;
    assert!(api.connect(&only, TEST_APP, "Ren%C3%A9").await.is_ok());
    for other in ["ren%C3%A9", "Rene%CC%81", "Ren%C3%A9%20", "Ren%C3%A9%00", "*", "", "Ren"] {
        assert_eq!(api.connect(&only, TEST_APP, other).await.unwrap_err(), 403, "{other}");
    }
}

web_test!(a_jwt_for_some_topics_joins_no_other);
async fn a_jwt_for_some_topics_joins_no_other(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let topics = json!(["room-*", {"name": "news", "rights": ["join"]}, {"name": "*-log", "rights": ["send"]}, "a:b"]);
    let only = jwt(&api, json!({ "topics": topics })).await;
    let mut socket = api.connect(&only, TEST_APP, "alice").await.unwrap();
    let refused = json!({"status": "error", "response": {"reason": "topic not in JWT"}});
    for (number, (topic, is_admitted)) in [
        ("room-", true),
        ("room-1", true),
        ("room-*", true),
        ("news", true),
        ("a:b", true),
        ("room", false),
        ("Room-1", false),
        ("aroom-1", false),
        ("news ", false),
        ("New", false),
        ("n\u{435}ws", false),
        ("news\u{200d}", false),
        ("a:b:c", false),
        ("x-log", false),
        ("general", false),
    ]
    .into_iter()
    .enumerate()
    {
        let reply = exchange(&mut socket, &format!("{number}"), topic, "phx_join").await;
        match is_admitted {
            true => assert_eq!(reply["status"], "ok", "{topic}: {reply}"),
            false => assert_eq!(reply, refused, "{topic}"),
        }
    }
    let nothing = jwt(&api, json!({"topics": []})).await;
    let mut socket = api.connect(&nothing, TEST_APP, "alice").await.unwrap();
    assert_eq!(exchange(&mut socket, "1", "room-1", "phx_join").await, refused);
}

web_test!(rights_are_of_each_topic);
async fn rights_are_of_each_topic(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let topics = json!([
        "room", {"name": "quiet", "rights": ["join", "presence"]}, {"name": "hidden", "rights": ["join", "send"]},
        {"name": "both*", "rights": ["join"]}, {"name": "*both", "rights": ["send"]},
    ]);
    let only = jwt(&api, json!({ "topics": topics })).await;
    let mut socket = api.connect(&only, TEST_APP, "alice").await.unwrap();
    for (topic, may_send) in [("room", true), ("quiet", false), ("hidden", true), ("both", true)] {
        assert_eq!(exchange(&mut socket, "1", topic, "phx_join").await["status"], "ok", "{topic}");
        socket.send(json!(["1", "2", format!("lobby:{TEST_APP}:{topic}"), "said", {}])).await;
        let message = loop {
            let message = socket.message().await;
            if message[3] == "said" || message[1] == "2" {
                break message;
            }
        };
        let reply = json!({"status": "error", "response": {"reason": "sending not in JWT"}});
        assert_eq!(message[3] == "said", may_send, "{topic}: {message}");
        assert!(may_send || message[4] == reply, "{topic}: {message}");
    }
    let listed = async |topic: &str| {
        let path = format!("/api/organizations/acme-inc/applications/{TEST_APP}/event/presence_list?topic={topic}");
        api.request(super::ADMIN, "POST", &path, json!(null)).await.body().to_owned()
    };
    assert!(listed("quiet").await.contains("alice"));
    assert!(!listed("hidden").await.contains("alice"), "without the right, nobody sees it in presence");
}

web_test!(presence_data_comes_from_the_jwt);
async fn presence_data_comes_from_the_jwt(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let informed = jwt(&api, json!({"info": {"name": "Alice", "n": [1.50, null]}})).await;
    let mut socket = api.connect(&informed, TEST_APP, "alice").await.unwrap();
    assert_eq!(exchange(&mut socket, "1", "t", "phx_join").await["status"], "ok");
    let diff = loop {
        let message = socket.message().await;
        if message[3] == "presence_diff" {
            break message[4].clone();
        }
    };
    assert_eq!(diff["joins"]["alice"]["metas"][0]["info"], json!({"name": "Alice", "n": [1.5, null]}));
}

web_test!(a_lifetime_can_be_asked_for);
async fn a_lifetime_can_be_asked_for(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for (asked, lives) in [(json!(600), 600), (json!("1"), 1), (json!(864_000), 864_000), (json!(null), 864_000)] {
        let jwt = jwt(&api, json!({ "expires_in": asked })).await;
        let payload = jsonwebtoken::dangerous::insecure_decode::<Value>(&jwt).unwrap().claims;
        let lifetime = payload["exp"].as_i64().unwrap() - payload["iat"].as_i64().unwrap();
        assert_eq!(lifetime, lives, "{asked}");
    }
}

web_test!(restrictions_that_are_not_understood_give_no_jwt);
async fn restrictions_that_are_not_understood_give_no_jwt(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let long = vec!["\u{1}".repeat(1000); 10];
    for (field, value) in [
        ("app_key", json!(7)),
        ("unique_identifier", json!("")),
        ("topics", json!("room-*")),
        ("topics", json!([{"name": "news", "rights": ["read"]}])),
        ("topics", json!(long)),
        ("info", json!("x".repeat(2000))),
        ("expires_in", json!(0)),
        ("expires_in", json!(864_001)),
        ("expires_in", json!(1.5)),
        ("expires_in", json!("soon")),
    ] {
        let answer =
            api.anonymous("POST", "/api/sessions", json!({"token": ADMIN_TOKEN, "channel": true, field: value})).await;
        assert_eq!(answer.status(), 422, "{field}: {answer:?}");
        assert!(answer.json()["errors"][field].is_array(), "{field}: {answer:?}");
    }
    for (field, value) in [("topics", json!(["t"])), ("expires_in", json!(60))] {
        for channel in [json!({}), json!({"channel": false})] {
            let mut body = json!({"token": ADMIN_TOKEN, field: value});
            body.as_object_mut().unwrap().extend(channel.as_object().unwrap().clone());
            let answer = api.anonymous("POST", "/api/sessions", body).await;
            let expected = json!({"errors": {field: ["is for JWTs with channel=true alone"]}});
            assert_eq!((answer.status(), answer.json()), (422, expected), "no JWT that does more than was asked for");
        }
    }
}
