//! The live console, as it works without its script, and what the script asks for.

use serde_json::json;

use super::{
    test_app,
    visitor::{Visitor, unescaped},
};
use crate::{
    api::{ADMIN, MEMBER, PLAIN_ADMIN, SECOND_APP, TEST_APP},
    support::{browser::Browser, database::TestDatabase, server::TestServer, socket::Socket},
};

const JSON: &str = "application/json";

fn console() -> String {
    format!("{}/console", test_app())
}

async fn socket_of_console(server: &TestServer, user_id: i32) -> Socket {
    let visitor = Visitor::sign_in(server, user_id).await;
    let session = visitor.send_accepting(JSON, "post", &format!("{}/session", console()), &[]).await;
    assert_eq!(session.status(), 201, "{session:?}");
    Socket::open(server, session.json()["jwt"].as_str().unwrap(), TEST_APP, "console:me").await.unwrap()
}

db_test!(an_event_is_published_as_it_was_typed);
async fn an_event_is_published_as_it_was_typed(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut socket = socket_of_console(&server, MEMBER).await;
    let topic = format!("lobby:{TEST_APP}:a b&c");
    socket.join(&topic).await;
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let fields = [("topic", "a b&c"), ("name", "new_message"), ("payload", " {\"n\": 1e3, \"n\": -0}\n")];
    let published = admin.send("post", &console(), &fields).await;
    assert_eq!(published.header("location"), Some(format!("{}?topic=a+b%26c", console()).as_str()));
    let heard = format!("[null,null,\"{topic}\",\"new_message\",{{\"n\": 1e3, \"n\": -0}}]");
    assert_eq!(socket.text().await, heard);
    let page = admin.follow(&published).await;
    assert!(page.body().contains("new_message is published."));
    assert!(page.body().contains("console:me") && page.body().contains("class=\"count\">1<"), "who is there: {page:?}");

    let for_script = admin.send_accepting(JSON, "post", &console(), &fields).await;
    assert_eq!(for_script.status(), 204);
    assert_eq!(socket.text().await, heard);
}

db_test!(a_console_closes_when_its_session_ends);
async fn a_console_closes_when_its_session_ends(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::signed_in(&server, "member@example.com").await;
    let token = r#"{"token":"889898ca-e6c9-11f1-9b3a-f2fc4c7451a7"}"#;
    let session = server.request("POST", "/api/sessions", &["content-type: application/json"], token).await;
    let jwt = session.json()["jwt"].as_str().unwrap().to_owned();
    let mut of_token = Socket::open(&server, &jwt, TEST_APP, "client").await.unwrap();
    let mut console = socket_of_console(&server, MEMBER).await;
    let fields = [
        ("_method", "put"),
        ("name", "Member"),
        ("email", "member@example.com"),
        ("password", "correct horse"),
        ("password_confirmation", "correct horse"),
        ("current_password", "password"),
    ];
    assert_eq!(browser.fill("/registrations/3/edit", "/registrations/3", &fields).await.status(), 303);
    assert_eq!(console.close_code().await, 1008);

    let mut console = socket_of_console(&server, MEMBER).await;
    browser.get("/registrations/3").await;
    browser.sign_out().await;
    assert_eq!(console.close_code().await, 1008);
    // Clients live by their token, not by anybody's session.
    of_token.join(&format!("lobby:{TEST_APP}:t")).await;
}

db_test!(what_cannot_be_published_is_said_beside_its_field);
async fn what_cannot_be_published_is_said_beside_its_field(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    for (field, topic, name, payload, message) in [
        ("name", "t", "", "{}", "can't be blank"),
        ("name", "t", "presence_diff", "{}", "is a name that only the server uses"),
        ("payload", "t", "e", "[1]", "must be an object: {…}"),
        ("payload", "t", "e", "{\"a\": }", "is no JSON: expected value at line 1 column 7"),
        ("payload", "t", "e", "", "is no JSON: EOF while parsing a value at line 1 column 0"),
        ("topic", "*", "e", "{}", "is no name of a topic"),
    ] {
        let fields = [("topic", topic), ("name", name), ("payload", payload)];
        let answer = admin.send_accepting(JSON, "post", &console(), &fields).await;
        assert_eq!((answer.status(), answer.json()), (422, json!({"errors": {field: [message]}})));
        let page = admin.send("post", &console(), &fields).await;
        assert_eq!(page.status(), 422);
        let text = unescaped(&page);
        assert!(text.contains(message) && text.contains("aria-invalid=\"true\""), "{page:?}");
    }
}

db_test!(the_console_connects_with_a_jwt_that_opens_sockets_and_nothing_else);
async fn the_console_connects_with_a_jwt_that_opens_sockets_and_nothing_else(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let session = admin.send_accepting(JSON, "post", &format!("{}/session", console()), &[]).await;
    let jwt = session.json()["jwt"].as_str().unwrap().to_owned();
    assert!(Socket::open(&server, &jwt, TEST_APP, "console:me").await.is_ok());
    let path = format!("/api/organizations/acme-inc/applications/{TEST_APP}");
    let api = server.get(&path, &[&format!("authorization: Bearer {jwt}")]).await;
    assert_eq!(api.status(), 401);
    assert_eq!(admin.send_forged(&format!("{}/session", console())).await.status(), 403);
    assert_eq!(admin.send_forged(&console()).await.status(), 403);
}

db_test!(members_watch_and_do_not_publish);
async fn members_watch_and_do_not_publish(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let member = Visitor::sign_in(&server, MEMBER).await;
    let page = member.get(&format!("{}?topic=%3Cb%3E", console())).await;
    assert!(page.body().contains("&lt;b&gt;") && !page.body().contains("<b>"), "{page:?}");
    assert!(page.body().contains("data-identity=\"console:Member\""), "{page:?}");
    assert!(unescaped(&page).contains("src=\"/js/console.js?v="), "{page:?}");
    assert!(
        page.body().contains("Only the admins of this organization publish.")
            && !page.body().contains("id=\"publish\"")
    );
    let stranger = Visitor::sign_in(&server, PLAIN_ADMIN).await;
    assert_eq!(stranger.get(&console()).await.status(), 404);
    let jwt = stranger
        .send_accepting(
            JSON,
            "post",
            &format!("/account/organizations/2/applications/{SECOND_APP}/console/session"),
            &[],
        )
        .await
        .json();
    let refused = Socket::open(&server, jwt["jwt"].as_str().unwrap(), TEST_APP, "x").await;
    assert_eq!(refused.unwrap_err(), 403, "the JWT opens what its user may open");
}

db_test!(removed_members_are_disconnected_from_the_console);
async fn removed_members_are_disconnected_from_the_console(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut socket = socket_of_console(&server, MEMBER).await;
    let admin = Visitor::sign_in(&server, ADMIN).await;
    assert_eq!(admin.send("delete", &format!("{}/members/{MEMBER}", super::ACME), &[]).await.status(), 303);
    assert_eq!(socket.close_code().await, 1008);
}
