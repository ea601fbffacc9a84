//! Two servers share a database: a permission that one revokes, or an outsider, closes the sockets at the other.

use std::time::Duration;

use pusher_lite::{
    auth::{
        Permissions,
        jwt::{Grant, Scope},
    },
    realtime::{Credentials, Identity, Principal},
    store::{
        sessions::{self, NewSession, SessionHash},
        user_tokens,
    },
    web::sweep::sweep,
};
use pusher_lite_protocol::Vsn;
use serde_json::json;

use crate::{
    api::{ADMIN, MEMBER, MIXED, TEST_APP},
    support::{database::TestDatabase, server::TestServer, socket::Socket},
};

/// A server of the original's rows, and another one on the same database.
async fn two(database: &TestDatabase) -> (TestServer, TestServer) {
    let first = TestServer::start(database.with_original_rows().await);
    (first, TestServer::start(database.connect().await))
}

async fn open(server: &TestServer, user_id: i32, token_id: Option<i32>) -> Socket {
    let lifetime = Duration::from_secs(600);
    let jwt = server.app.jwt.issue(&Grant {
        user_id,
        token_id,
        permissions: Permissions::ADMIN,
        scope: Scope::Full,
        lifetime,
        not_after: None,
    });
    Socket::open(server, &jwt, TEST_APP, "a").await.unwrap()
}

async fn is_open(socket: &mut Socket) -> bool {
    socket.send(json!([null, "hb", "phoenix", "heartbeat", {}])).await;
    socket.message().await[1] == "hb"
}

db_test!(a_revocation_by_one_server_closes_the_socket_at_the_other);
async fn a_revocation_by_one_server_closes_the_socket_at_the_other(database: TestDatabase) {
    let (here, there) = two(&database).await;
    let invalid = here.app.db.transaction(async |tx| user_tokens::create(tx, MEMBER).await).await.unwrap();
    let valid = here.app.db.transaction(async |tx| user_tokens::create(tx, MEMBER).await).await.unwrap();
    let mut closed = open(&there, MEMBER, Some(invalid.id)).await;
    let mut stays = open(&there, MEMBER, Some(valid.id)).await;
    sweep(&there.app).await.unwrap();
    assert!(is_open(&mut closed).await && is_open(&mut stays).await);

    let authorization = format!("authorization: Bearer {}", here.jwt(MEMBER, Permissions::ADMIN));
    let path = format!("/api/users/{MEMBER}/tokens/{}", invalid.token);
    assert_eq!(here.request("DELETE", &path, &[&authorization], "").await.status(), 200);
    sweep(&there.app).await.unwrap();
    assert_eq!(closed.close_code().await, 1008);
    assert!(is_open(&mut stays).await);
    let lifetime = Duration::from_secs(600);
    let grant = Grant {
        user_id: MEMBER,
        token_id: Some(invalid.id),
        permissions: Permissions::ADMIN,
        scope: Scope::Full,
        lifetime,
        not_after: None,
    };
    let again = Socket::open(&there, &there.app.jwt.issue(&grant), TEST_APP, "a").await;
    assert_eq!(again.err(), Some(403), "what was kept of it is forgotten");
}

db_test!(whatever_a_socket_lived_by_is_missed);
async fn whatever_a_socket_lived_by_is_missed(database: TestDatabase) {
    let (_here, server) = two(&database).await;
    // The last one ends them all.
    for (user_id, sql) in [
        (MEMBER, "DELETE FROM enrollments WHERE user_id = 3 AND organization_id = 1"),
        (MIXED, "UPDATE ownerships SET is_owned = false WHERE organization_id = 1 AND application_id = 1"),
        (ADMIN, "UPDATE users SET is_root = false WHERE id = 1"),
    ] {
        let mut socket = open(&server, user_id, None).await;
        sweep(&server.app).await.unwrap();
        assert!(is_open(&mut socket).await, "{sql}");
        database.execute(sql).await;
        sweep(&server.app).await.unwrap();
        assert_eq!(socket.close_code().await, 1008, "{sql}");
    }
}

db_test!(a_session_that_others_end_closes_its_sockets_and_no_others);
async fn a_session_that_others_end_closes_its_sockets_and_no_others(database: TestDatabase) {
    let (here, there) = two(&database).await;
    let [deleted, expired, goes_on] = ["deleted", "expired", "goes on"].map(SessionHash::of);
    let mut jwts = Vec::new();
    for session in [deleted, expired, goes_on] {
        let new = NewSession { id_hash: &session.to_string(), user_id: MEMBER, ip: "127.0.0.1", user_agent: None };
        here.app.db.record(async |tx| sessions::create(tx, &new).await).await.unwrap();
        jwts.push(there.app.jwt.issue(&Grant {
            user_id: MEMBER,
            token_id: None,
            permissions: Permissions::CHANNEL,
            scope: Scope::Console(session),
            lifetime: Duration::from_secs(600),
            not_after: None,
        }));
    }
    let mut sockets = Vec::new();
    for jwt in &jwts {
        sockets.push(Socket::open(&there, jwt, TEST_APP, "a").await.unwrap());
    }
    let mut unnamed = open(&there, MEMBER, None).await;
    sweep(&there.app).await.unwrap();
    for socket in &mut sockets {
        assert!(is_open(socket).await);
    }

    here.app.db.record(async |tx| sessions::delete(tx, &deleted.to_string()).await).await.unwrap();
    let past = "UPDATE sessions SET last_seen_at = '2026-01-01 00:00:00' WHERE id_hash =";
    database.execute(&format!("{past} '{expired}'")).await;
    sweep(&there.app).await.unwrap();
    for ended in 0..2 {
        assert_eq!(sockets[ended].close_code().await, 1008, "{ended}");
        let again = Socket::open(&there, &jwts[ended], TEST_APP, "a").await;
        assert_eq!(again.err(), Some(403), "{ended}: what was kept of it is forgotten");
    }
    assert!(is_open(&mut sockets[2]).await && is_open(&mut unnamed).await);
    assert!(Socket::open(&there, &jwts[2], TEST_APP, "a").await.is_ok());
}

db_test!(an_archived_application_is_missed_and_so_is_its_key);
async fn an_archived_application_is_missed_and_so_is_its_key(database: TestDatabase) {
    let (_here, server) = two(&database).await;
    for (sql, back) in [
        (
            "UPDATE applications SET archived_at = '2026-11-23 00:00:00' WHERE id = 1",
            "UPDATE applications SET archived_at = NULL WHERE id = 1".to_owned(),
        ),
        (
            "UPDATE applications SET app_key = 'another' WHERE id = 1",
            format!("UPDATE applications SET app_key = '{TEST_APP}' WHERE id = 1"),
        ),
    ] {
        let mut socket = open(&server, ADMIN, None).await;
        database.execute(sql).await;
        sweep(&server.app).await.unwrap();
        assert_eq!(socket.close_code().await, 1008, "{sql}");
        database.execute(&back).await;
    }
}

db_test!(a_query_that_fails_closes_nothing);
async fn a_query_that_fails_closes_nothing(database: TestDatabase) {
    let (_here, server) = two(&database).await;
    let mut socket = open(&server, ADMIN, None).await;
    database.execute("ALTER TABLE enrollments RENAME TO enrollments_elsewhere").await;
    database.execute("UPDATE users SET is_root = false WHERE id = 1").await;
    sweep(&server.app).await.unwrap_err();
    assert!(is_open(&mut socket).await);
    database.execute("ALTER TABLE enrollments_elsewhere RENAME TO enrollments").await;
    sweep(&server.app).await.unwrap();
    assert_eq!(socket.close_code().await, 1008);
}

db_test!(more_sockets_than_a_page_are_all_looked_at);
async fn more_sockets_than_a_page_are_all_looked_at(database: TestDatabase) {
    let (_here, server) = two(&database).await;
    let hub = &server.app.hub;
    let identity = |token_id| Identity {
        app_key: TEST_APP.into(),
        unique_identifier: "a".into(),
        principal: Principal::User(Credentials {
            user_id: ADMIN.into(),
            token_id: Some(token_id),
            session: None,
            organization_id: None,
        }),
        may_send: false,
        restrictions: None,
        expires_at: None,
    };
    let token = server.app.db.transaction(async |tx| user_tokens::create(tx, ADMIN).await).await.unwrap();
    // Each by a token of its own, of which only one exists.
    let first = i64::from(token.id);
    let many: Vec<_> =
        (first..first + 2500).map(|token_id| hub.open_longpoll(identity(token_id), Vsn::V2).unwrap()).collect();
    sweep(&server.app).await.unwrap();
    while hub.socket_count() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(hub.bases(), [identity(first).basis()]);
    drop(many);
}
