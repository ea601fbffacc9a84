//! The live console: without its script, and the requests of the script.

use pusher_lite::auth::Permissions;
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

async fn jwt_of_console(visitor: &Visitor<'_>) -> String {
    let session = visitor.send_accepting(JSON, "post", &format!("{}/session", console()), &[]).await;
    assert_eq!(session.status(), 201, "{session:?}");
    session.json()["jwt"].as_str().unwrap().to_owned()
}

async fn open(server: &TestServer, jwt: &str) -> Result<Socket, u16> {
    Socket::open(server, jwt, TEST_APP, "console:me").await
}

async fn socket_of_console(server: &TestServer, user_id: i32) -> Socket {
    let jwt = jwt_of_console(&Visitor::sign_in(server, user_id).await).await;
    open(server, &jwt).await.unwrap()
}

/// A console whose socket is open, and the JWT that opened it.
async fn console_of(visitor: &Visitor<'_>, server: &TestServer) -> (String, Socket) {
    let jwt = jwt_of_console(visitor).await;
    let socket = open(server, &jwt).await.unwrap();
    (jwt, socket)
}

async fn assert_ended(server: &TestServer, (jwt, mut socket): (String, Socket), how: &str) {
    assert_eq!(socket.close_code().await, 1008, "{how}");
    assert_eq!(open(server, &jwt).await.err(), Some(403), "{how}");
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

db_test!(a_console_ends_with_its_session_and_no_other);
async fn a_console_ends_with_its_session_and_no_other(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let [here, elsewhere] = [Visitor::sign_in(&server, MEMBER).await, Visitor::sign_in(&server, MEMBER).await];
    let somebody_else = Visitor::sign_in(&server, ADMIN).await;
    let ended = console_of(&here, &server).await;
    let mut others = [console_of(&elsewhere, &server).await, console_of(&somebody_else, &server).await];
    let unnamed = server.jwt(MEMBER, Permissions::USER);
    let mut by_unnamed = open(&server, &unnamed).await.unwrap();
    assert_eq!(here.send("delete", "/sessions", &[]).await.status(), 303);
    assert_ended(&server, ended, "signed out").await;
    for (jwt, socket) in &mut others {
        socket.send(json!([null, "hb", "phoenix", "heartbeat", {}])).await;
        assert_eq!(socket.message().await[1], "hb");
        assert!(open(&server, jwt).await.is_ok());
    }
    // It may have come from the session, and may not.
    assert_eq!(by_unnamed.close_code().await, 1008);
    assert!(open(&server, &unnamed).await.is_ok());
    assert!(here.send_accepting(JSON, "post", &format!("{}/session", console()), &[]).await.status() == 303);
}

db_test!(whatever_ends_sessions_ends_consoles);
async fn whatever_ends_sessions_ends_consoles(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Visitor::sign_in(&server, ADMIN).await;
    let user = format!("/admin/users/{MEMBER}");
    let new_password =
        [("email", "member@example.com"), ("name", "Member"), ("confirmed", "true"), ("password", "another password")];
    let unconfirmed = [("email", "member@example.com"), ("name", "Member")];
    let undo = [unconfirmed[0], unconfirmed[1], ("confirmed", "true")];
    for (method, path, fields, back) in [
        ("put", user.clone(), &new_password[..], None),
        ("post", format!("{user}/suspend"), &[], Some(("post", format!("{user}/reinstate"), &[][..]))),
        ("put", user.clone(), &unconfirmed, Some(("put", user.clone(), &undo))),
    ] {
        let [one, two] = [Visitor::sign_in(&server, MEMBER).await, Visitor::sign_in(&server, MEMBER).await];
        let consoles = [console_of(&one, &server).await, console_of(&two, &server).await];
        let done = root.send(method, &path, fields).await;
        assert_eq!(done.status(), 303, "{path}: {done:?}");
        if let Some((method, path, fields)) = back {
            assert_eq!(root.send(method, &path, fields).await.status(), 303, "{path}");
        }
        // Also when the user is back: the session is not.
        for console in consoles {
            assert_ended(&server, console, &path).await;
        }
    }
    // The sign-in that a browser kept is used twice.
    let kept = [("email", "member@example.com"), ("password", "another password"), ("remember", "true")];
    let mut owner = Browser::new(&server);
    assert_eq!(owner.fill("/sessions/new", "/sessions", &kept).await.status(), 303);
    owner.forget("pusher_lite_session");
    let mut thief = owner.clone();
    let elsewhere = console_of(&Visitor::sign_in(&server, MEMBER).await, &server).await;
    owner.get("/account").await;
    let two_minutes_ago = (chrono::Utc::now() - chrono::TimeDelta::minutes(2)).format("%Y-%m-%d %H:%M:%S");
    database.execute(&format!("UPDATE rememberables SET token_created_at = '{two_minutes_ago}'")).await;
    thief.get("/account").await;
    assert_ended(&server, elsewhere, "a remembered sign-in was stolen").await;
}

db_test!(a_new_password_ends_consoles_and_no_client);
async fn a_new_password_ends_consoles_and_no_client(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let mut browser = Browser::signed_in(&server, "member@example.com").await;
    let token = r#"{"token":"889898ca-e6c9-11f1-9b3a-f2fc4c7451a7"}"#;
    let session = server.request("POST", "/api/sessions", &["content-type: application/json"], token).await;
    let jwt = session.json()["jwt"].as_str().unwrap().to_owned();
    let mut of_token = Socket::open(&server, &jwt, TEST_APP, "client").await.unwrap();
    let ended = console_of(&Visitor::sign_in(&server, MEMBER).await, &server).await;
    let path = format!("{}/session", console());
    browser.get(&console()).await;
    let jwt = browser.submit(&path, &[]).await.json()["jwt"].as_str().unwrap().to_owned();
    let own = (jwt.clone(), open(&server, &jwt).await.unwrap());
    let fields = [
        ("_method", "put"),
        ("name", "Member"),
        ("email", "member@example.com"),
        ("password", "correct horse"),
        ("password_confirmation", "correct horse"),
        ("current_password", "password"),
    ];
    assert_eq!(browser.fill("/registrations/3/edit", "/registrations/3", &fields).await.status(), 303);
    assert_ended(&server, ended, "elsewhere").await;
    assert_ended(&server, own, "where it was changed").await;

    // The browser that changed it has a new session.
    browser.get(&console()).await;
    let jwt = browser.submit(&path, &[]).await.json()["jwt"].as_str().unwrap().to_owned();
    let own = (jwt.clone(), open(&server, &jwt).await.unwrap());
    browser.sign_out().await;
    assert_ended(&server, own, "signed out").await;
    // Clients live by their token, not by anybody's session.
    of_token.join(&format!("lobby:{TEST_APP}:t")).await;
}

db_test!(what_cannot_be_published_is_said_beside_its_field);
async fn what_cannot_be_published_is_said_beside_its_field(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    for (field, topic, name, payload, message) in [
        ("name", "t", "", "{}", "can't be blank"),
        ("name", "t", "presence_diff", "{}", "is reserved for the server"),
        ("payload", "t", "e", "[1]", "must be an object: {…}"),
        (
            "payload",
            "t",
            "e",
            r#"{"a":"\ud800"}"#,
            r"has half a surrogate pair: write both halves, such as \ud83d\ude42",
        ),
        ("payload", "t", "e", "{\"a\": }", "is not valid JSON: expected value at line 1 column 7"),
        ("payload", "t", "e", "", "is not valid JSON: EOF while parsing a value at line 1 column 0"),
        ("topic", "*", "e", "{}", "is not a valid topic name"),
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
        page.body().contains("Only admins of this organization can publish.")
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
