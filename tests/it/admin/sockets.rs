//! Sockets close with the permission that they depend on (D5).

use pusher_lite::auth::Permissions;

use super::{ADMIN, Browser, LONE, MEMBER, PLAIN_ADMIN, TEST_APP};
use crate::support::{database::TestDatabase, server::TestServer, socket::Socket};

async fn connect(server: &TestServer, user_id: i32) -> Socket {
    let jwt = server.jwt(user_id, Permissions::USER);
    Socket::open(server, &jwt, TEST_APP, "me").await.unwrap()
}

db_test!(sockets_of_members_end_with_what_lets_them_in);
async fn sockets_of_members_end_with_what_lets_them_in(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let put = |flag| [("_method", "put"), ("value", flag)];
    for (path, fields, undo) in [
        ("/admin/applications/1/archive", &[][..], Some(("/admin/applications/1/restore", &[][..]))),
        (
            "/admin/applications/1",
            &[("_method", "put"), ("name", "Test App"), ("app_key", "another")],
            Some(("/admin/applications/1", &[("_method", "put"), ("name", "Test App"), ("app_key", TEST_APP)])),
        ),
        ("/admin/enrollments/3/delete", &[], Some(("/admin/enrollments", &[("user", "3"), ("organization", "1")]))),
        ("/admin/users/3/delete", &[], None),
    ] {
        let mut socket = connect(&server, MEMBER).await;
        assert_eq!(root.post(path, fields).await.status(), 303, "{path}");
        assert_eq!(socket.close_code().await, 1008, "{path}");
        if let Some((path, fields)) = undo {
            assert_eq!(root.post(path, fields).await.status(), 303, "{path}");
        }
    }
    let mut admin = connect(&server, ADMIN).await;
    assert_eq!(root.post("/admin/ownerships/1/is_owned", &put("false")).await.status(), 303);
    assert_eq!(admin.close_code().await, 1008, "nobody owns the application, so it is archived");
}

db_test!(an_ownership_takes_the_sockets_of_its_organization_only);
async fn an_ownership_takes_the_sockets_of_its_organization_only(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let fields = [("organization", "second-org"), ("application", TEST_APP)];
    assert_eq!(root.post("/admin/ownerships", &fields).await.status(), 303);
    let (mut member, mut other) = (connect(&server, MEMBER).await, connect(&server, PLAIN_ADMIN).await);
    assert_eq!(root.post("/admin/ownerships/1/delete", &[]).await.status(), 303);
    assert_eq!(member.close_code().await, 1008);
    other.join(&format!("lobby:{TEST_APP}:still-there")).await;
}

db_test!(who_is_root_no_more_loses_sockets_too);
async fn who_is_root_no_more_loses_sockets_too(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    let lone = [("_method", "put"), ("name", "L"), ("email", "lone@example.com"), ("confirmed", "true")];
    let as_root = [&lone[..], &[("is_root", "true"), ("confirm_root", "true")]].concat();
    assert_eq!(root.post("/admin/users/5", &as_root).await.status(), 303);
    let mut socket = connect(&server, LONE).await;
    assert_eq!(root.post("/admin/users/5", &lone).await.status(), 303);
    assert_eq!(socket.close_code().await, 1008);
}

db_test!(sockets_of_a_token_end_with_it);
async fn sockets_of_a_token_end_with_it(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let root = Browser::of(&server, ADMIN).await;
    for path in ["/admin/user_tokens/3/invalidate", "/admin/user_tokens/3/delete"] {
        let json = "content-type: application/json";
        let body = r#"{"token":"889898ca-e6c9-11f1-9b3a-f2fc4c7451a7"}"#;
        let session = server.request("POST", "/api/sessions", &[json], body).await;
        let jwt = session.json()["jwt"].as_str().unwrap().to_owned();
        let mut socket = Socket::open(&server, &jwt, TEST_APP, "me").await.unwrap();
        assert_eq!(root.post(path, &[]).await.status(), 303);
        assert_eq!(socket.close_code().await, 1008, "{path}");
        let valid = [("_method", "put"), ("value", "true")];
        root.post("/admin/user_tokens/3/valid", &valid).await;
    }
}
