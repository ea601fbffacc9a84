//! Events through REST: sent ones, refused ones, and those that only look like events (D1, D7, D19).

use serde_json::json;
use uuid::Uuid;

use super::{ADMIN, MEMBER, TEST_APP, client::Api};
use crate::support::database::TestDatabase;

fn path(event: &str) -> String {
    format!("/api/organizations/acme-inc/applications/{TEST_APP}/event/{event}")
}

db_test!(an_event_reaches_its_topic);
async fn an_event_reaches_its_topic(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let mut socket = api.connect(&api.jwt(MEMBER), TEST_APP, "me").await.unwrap();
    let topic = format!("lobby:{TEST_APP}:general");
    socket.join(&topic).await;
    let body = json!({"z": -0.0, "a": [1, null], "event": "x", "organization_id": "2", "application_id": "2"});
    assert_eq!(api.request(ADMIN, "POST", &path("new_message?q=%C3%A9"), body).await.status(), 204);
    assert_eq!(
        socket.message().await,
        json!([null, null, topic, "new_message", {"q": "é", "z": -0.0, "a": [1, null]}])
    );
    assert_eq!(api.request(ADMIN, "POST", &path("a%2Fb?topic=general"), json!([1, 2])).await.status(), 204);
    assert_eq!(socket.message().await, json!([null, null, topic, "a/b", {"_json": [1, 2]}]));
}

db_test!(topics_are_what_elixir_can_write_as_a_string);
async fn topics_are_what_elixir_can_write_as_a_string(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let mut socket = api.connect(&api.jwt(MEMBER), TEST_APP, "me").await.unwrap();
    for (topic, name) in [
        (json!("t"), "t"),
        (json!(5), "5"),
        (json!(null), "general"),
        (json!(false), "general"),
        (json!(true), "true"),
        (json!(["a"]), "a"),
        (json!([[], [["b"]]]), "b"),
    ] {
        let joined = format!("lobby:{TEST_APP}:{name}");
        socket.join(&joined).await;
        assert_eq!(api.request(ADMIN, "POST", &path("e"), json!({ "topic": topic })).await.status(), 204);
        assert_eq!(socket.message().await, json!([null, null, joined, "e", {}]), "{topic}");
        socket.send(json!(["1", "9", joined, "phx_leave", {}])).await;
        while socket.message().await[3] != "phx_close" {}
    }
    for topic in [json!(""), json!("*"), json!([])] {
        assert_eq!(api.request(ADMIN, "POST", &path("e"), json!({ "topic": topic })).await.status(), 204, "{topic}");
    }
}

db_test!(d31_several_topics_are_refused);
async fn d31_several_topics_are_refused(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for topic in [json!(["a", "b"]), json!([["a"], ["b"]]), json!([["a", "b"]]), json!(["a", null])] {
        let answer = api.request(ADMIN, "POST", &path("e"), json!({ "topic": topic })).await;
        assert_eq!(answer.status(), 422, "{topic}");
        assert!(answer.json()["errors"]["topic"][0].is_string(), "{topic}");
    }
    let answer = api.request(ADMIN, "POST", &path("e?topic[]=a&topic[]=b"), json!(null)).await;
    assert_eq!(answer.status(), 422);
    for query in ["topic=", "topic[]=a"] {
        assert_eq!(
            api.request(ADMIN, "POST", &path(&format!("e?{query}")), json!(null)).await.status(),
            204,
            "{query}"
        );
    }
}

db_test!(d1_a_topic_that_is_an_object_is_refused);
async fn d1_a_topic_that_is_an_object_is_refused(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let refused = json!({"errors": {"topic": ["is invalid"]}});
    let answer = api.request(ADMIN, "POST", &path("e"), json!({"topic": {}})).await;
    assert_eq!((answer.status(), answer.json()), (422, refused.clone()));
    let answer = api.request(ADMIN, "POST", &path("e?topic[a]=b"), json!(null)).await;
    assert_eq!((answer.status(), answer.json()), (422, refused));
}

db_test!(names_with_half_a_surrogate_pair_are_refused);
async fn names_with_half_a_surrogate_pair_are_refused(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for name in ["e%ED%A0%80", "e?topic=%ED%B0%80", "disconnect?topic=%ED%A0%80", "presence_list?topic=%ED%A0%80"] {
        assert_eq!(api.request(ADMIN, "POST", &path(name), json!({})).await.status(), 400, "{name}");
    }
}

db_test!(d7_reserved_events_are_refused);
async fn d7_reserved_events_are_refused(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let mut socket = api.connect(&api.jwt(MEMBER), TEST_APP, "me").await.unwrap();
    socket.join(&format!("lobby:{TEST_APP}:general")).await;
    let reserved = ["phx_close", "phx_error", "phx_reply", "phx_join", "phx_x", "presence_state", "presence_diff"];
    for event in reserved.into_iter().chain(["chan_reply_1", "chan%5Freply_1", "%EF%BB%BFchan_reply_1"]) {
        for topic in ["general", "", "*"] {
            let answer = api.request(ADMIN, "POST", &path(&format!("{event}?topic={topic}")), json!({})).await;
            let refused = json!({"errors": {"event": ["reserved event"]}});
            assert_eq!((answer.status(), answer.json()), (422, refused), "{event} to {topic:?}");
        }
    }
    assert_eq!(api.request(ADMIN, "POST", &path("after"), json!({})).await.status(), 204);
    assert_eq!(socket.message().await[3], "after", "nothing came before");
}

db_test!(d7_disconnect_closes_the_sockets_of_one_user);
async fn d7_disconnect_closes_the_sockets_of_one_user(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let jwt = api.jwt(MEMBER);
    let mut kicked = api.connect(&jwt, TEST_APP, "alice").await.unwrap();
    let mut stays = api.connect(&jwt, TEST_APP, "bob").await.unwrap();
    stays.join(&format!("lobby:{TEST_APP}:general")).await;
    assert_eq!(api.request(ADMIN, "POST", &path("disconnect?topic=alice"), json!({})).await.status(), 204);
    assert_eq!(kicked.close_code().await, 1000);
    assert_eq!(api.request(ADMIN, "POST", &path("after"), json!({})).await.status(), 204);
    assert_eq!(stays.message().await[3], "after");
}

db_test!(presence_list_tells_who_is_there);
async fn presence_list_tells_who_is_there(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let mut socket = api.connect(&api.jwt(MEMBER), TEST_APP, "alice").await.unwrap();
    socket.join(&format!("lobby:{TEST_APP}:t")).await;
    let list = api.request(ADMIN, "POST", &path("presence_list?topic=t"), json!(null)).await;
    assert!(list.json()["data"]["alice"]["metas"][0]["online_at"].is_u64(), "{list:?}");
    for topic in ["general", "", "*"] {
        let list = api.request(ADMIN, "POST", &path(&format!("presence_list?topic={topic}")), json!(null)).await;
        assert_eq!((list.status(), list.json()), (200, json!({"data": {}})), "{topic:?}");
    }
}

db_test!(d6_who_may_only_join_sends_nothing);
async fn d6_who_may_only_join_sends_nothing(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    for (pem, sent) in [
        (json!({"default": 1}), false),
        (json!({"default": ["join_channel"]}), false),
        (json!({"default": 3}), true),
        (json!({"default": ["join_channel", "send_message"]}), true),
    ] {
        let jwt = api.mint(json!({"sub": "User:3", "pem": pem}));
        // A topic of its own, in which nobody leaves meanwhile.
        let topic = format!("lobby:{TEST_APP}:{}", Uuid::new_v4());
        let mut socket = api.connect(&jwt, TEST_APP, "me").await.unwrap();
        socket.join(&topic).await;
        socket.send(json!(["1", "2", topic, "hello", {}])).await;
        let refused = json!(["1", "2", topic, "phx_reply", {"status": "error", "response": {"reason": "forbidden"}}]);
        let expected = if sent { json!([null, null, topic, "hello", {}]) } else { refused };
        assert_eq!(socket.message().await, expected, "{pem}");
    }
    for pem in [json!({"default": 2}), json!({"admin": -1}), json!(null), json!({"default": "-1"})] {
        let jwt = api.mint(json!({"sub": "User:3", "pem": pem}));
        assert_eq!(api.connect(&jwt, TEST_APP, "me").await.unwrap_err(), 403, "{pem}");
    }
}
