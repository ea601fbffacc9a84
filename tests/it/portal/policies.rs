//! Access rules of an application, on its page.

use super::{ACME, audit, test_app, visitor::Visitor};
use crate::{
    api::{ADMIN, MEMBER},
    support::{database::TestDatabase, server::TestServer},
};

/// The columns of the policy of an application, as text.
async fn policy(database: &TestDatabase, application_id: i32) -> Vec<String> {
    let columns = "accepts_signed || '|' || requires_restricted || '|' || named_topics || '|' || allowed_origins || '|' || ends_expired";
    let texts = database.texts(columns, &format!("application_policies WHERE application_id = {application_id}")).await;
    texts.into_iter().map(|text| text.replace("true", "1").replace("false", "0").replace('\n', ",")).collect()
}

db_test!(admins_change_the_access_rules);
async fn admins_change_the_access_rules(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let path = format!("{}/policy", test_app());
    let page = admin.get(&path).await;
    assert!(page.body().contains("The secret is too weak to sign JWTs"), "{page:?}");
    let fields = [
        ("accepts_signed", "true"),
        ("requires_restricted", "false"),
        ("named_topics", "private-*\r\n\r\nvip"),
        ("allowed_origins", "https://Example.com"),
        ("ends_expired", "true"),
    ];
    let changed = admin.send("put", &path, &fields).await;
    assert!(admin.follow(&changed).await.body().contains("The access rules are saved."));
    assert_eq!(policy(&database, 1).await, ["1|0|private-*,vip|https://example.com|1"]);
    let page = admin.get(&path).await;
    assert!(page.body().contains("private-*\nvip</textarea>"), "{page:?}");
    assert_eq!(page.body().matches(" checked").count(), 2, "{page:?}");
    assert_eq!(audit(&database).await, ["admin@example.com update applications 1"]);

    let refused = admin.send("put", &path, &[("allowed_origins", "example.com")]).await;
    assert_eq!(refused.status(), 422);
    assert!(refused.body().contains("has the entry") && refused.body().contains("example.com"), "{refused:?}");
    assert_eq!(policy(&database, 1).await, ["1|0|private-*,vip|https://example.com|1"]);

    let member = Visitor::sign_in(&server, MEMBER).await;
    for (method, fields) in [("get", &[][..]), ("put", &fields)] {
        let answer = if method == "get" { member.get(&path).await } else { member.send(method, &path, fields).await };
        assert_eq!(answer.header("location"), Some(ACME), "{method}");
    }
}

db_test!(a_new_application_demands_that_private_topics_are_named);
async fn a_new_application_demands_that_private_topics_are_named(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let path = format!("{ACME}/applications");
    database.execute("UPDATE installation SET is_new = true").await;
    assert_eq!(admin.send("post", &path, &[("name", "New")]).await.status(), 303);
    assert_eq!(policy(&database, 3).await, ["1|0|private-*,presence-*||0"]);
    database.execute("UPDATE installation SET is_new = false").await;
    assert_eq!(admin.send("post", &path, &[("name", "Upgraded")]).await.status(), 303);
    assert_eq!(policy(&database, 4).await, ["1|0|||0"], "an installation that was upgraded");
}

db_test!(a_rotated_secret_is_kept_until_it_is_ended);
async fn a_rotated_secret_is_kept_until_it_is_ended(database: TestDatabase) {
    let server = TestServer::start(database.with_original_rows().await);
    let admin = Visitor::sign_in(&server, ADMIN).await;
    let secret = format!("{}/secret", test_app());
    let previous = async || database.texts("coalesce(previous_secret, '')", "application_policies").await;
    for (rotation, note) in [("a weak one", false), ("a strong one", true)] {
        let rotated = admin.send("post", &secret, &[]).await;
        let page = admin.follow(&rotated).await;
        assert_eq!(page.body().contains("The previous secret still signs JWTs"), note, "{rotation}: {page:?}");
    }
    assert_eq!(previous().await[0].len(), 36);
    let ended = admin.send("delete", &secret, &[]).await;
    assert!(!admin.follow(&ended).await.body().contains("The previous secret still signs JWTs"));
    assert_eq!(previous().await, [""]);
}
