//! Limits of one user; root users have none.

use pusher_lite::store::user_quotas::UserLimits;
use serde_json::json;

use super::{ADMIN, PLAIN_ADMIN, TEST_APP, client::Api};
use crate::support::{browser::Browser, database::TestDatabase};

const FEW: UserLimits = UserLimits { organizations: 3, tokens: 3, changes_per_hour: 0 };

fn organization(name: &str) -> serde_json::Value {
    json!({ "organization": { "name": name } })
}

db_test!(organizations_and_tokens_are_limited_also_for_requests_at_once);
async fn organizations_and_tokens_are_limited_also_for_requests_at_once(database: TestDatabase) {
    let api = Api::with_user_limits(database.with_original_rows().await, FEW);
    let tokens = format!("/api/users/{PLAIN_ADMIN}/tokens");
    let creating = (0..10).map(|number| {
        let (api, tokens) = (&api, &tokens);
        async move {
            let new = organization(&format!("New {number}"));
            let created = api.request(PLAIN_ADMIN, "POST", "/api/organizations", new).await.status();
            (created, api.request(PLAIN_ADMIN, "POST", tokens, json!({})).await.status())
        }
    });
    let answers = futures_util::future::join_all(creating).await;
    // One of each is there already.
    assert_eq!(answers.iter().filter(|(created, _)| *created == 201).count(), 2, "{answers:?}");
    assert_eq!(answers.iter().filter(|(_, created)| *created == 200).count(), 2, "{answers:?}");
    assert!(answers.iter().all(|(one, other)| [201, 422].contains(one) && [200, 422].contains(other)), "{answers:?}");

    let refused = api.request(PLAIN_ADMIN, "POST", "/api/organizations", organization("One more")).await;
    let message = refused.json()["errors"]["organization"][0].as_str().unwrap().to_owned();
    assert!(message.contains("at most 3 organizations") && message.contains("delete one"), "{message}");
    let refused = api.request(PLAIN_ADMIN, "POST", &tokens, json!({})).await;
    assert!(refused.json()["errors"]["token"][0].as_str().unwrap().contains("invalidate one"), "{refused:?}");

    // Pages have the same limits.
    let mut browser = Browser::signed_in(api.server(), "plainadmin@example.com").await;
    let page = browser.fill("/account/organizations", "/account/organizations", &[("name", "One more")]).await;
    assert!(page.status() == 422 && page.body().contains("At most 3 organizations"), "{page:?}");
    let fields = [("scope", "publish"), ("expires", "never")];
    let refused = browser.fill("/account/tokens", "/account/tokens", &fields).await;
    assert!(browser.follow(&refused).await.body().contains("At most 3 valid tokens"));

    for number in 0..5 {
        let new = organization(&format!("Root {number}"));
        assert_eq!(api.request(ADMIN, "POST", "/api/organizations", new).await.status(), 201);
        assert_eq!(api.request(ADMIN, "POST", &tokens, json!({})).await.status(), 200, "root users help");
    }
}

db_test!(changes_are_limited_and_reading_and_publishing_are_not);
async fn changes_are_limited_and_reading_and_publishing_are_not(database: TestDatabase) {
    let limits = UserLimits { changes_per_hour: 3, ..UserLimits::default() };
    let api = Api::with_user_limits(database.with_original_rows().await, limits);
    let change = json!({ "organization": { "name": "Renamed" } });
    let mut statuses = Vec::new();
    for _ in 0..5 {
        let answer = api.request(PLAIN_ADMIN, "PUT", "/api/organizations/2", change.clone()).await;
        statuses.push(answer.status());
        if answer.status() == 429 {
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            let said = answer.json()["errors"]["detail"].as_str().unwrap().to_owned();
            assert!(said.contains("PUSHER_LITE_CHANGES_PER_USER"), "{said}");
        }
    }
    assert_eq!(statuses, [200, 200, 200, 429, 429]);
    assert_eq!(api.request(PLAIN_ADMIN, "GET", "/api/organizations", json!(null)).await.status(), 200);
    let publish = "/api/organizations/second-org/applications/2/event/x";
    assert_eq!(api.request(PLAIN_ADMIN, "POST", publish, json!({})).await.status(), 204);
    for _ in 0..5 {
        let answer = api.request(ADMIN, "PUT", "/api/organizations/1", json!({"organization": {}})).await;
        assert_eq!(answer.status(), 200, "root users have no limit");
    }
}

db_test!(the_audit_log_tells_of_exchanges_and_kicks_and_no_text_breaks_out);
async fn the_audit_log_tells_of_exchanges_and_kicks_and_no_text_breaks_out(database: TestDatabase) {
    let api = Api::start(database.with_original_rows().await);
    let token = database.text("token", "user_tokens WHERE user_id = 1").await;
    for _ in 0..3 {
        let exchanged = api.anonymous("POST", "/api/sessions", json!({ "token": token })).await;
        assert_eq!(exchanged.status(), 201);
    }
    let evil = "x%0A2026%20admin@example.com%20update%20users%201%20is_root%3A%20false%20-%3E%20true";
    let kick = format!("/api/organizations/acme-inc/applications/{TEST_APP}/event/disconnect?topic={evil}");
    for _ in 0..3 {
        assert_eq!(api.request(ADMIN, "POST", &kick, json!({})).await.status(), 204);
    }
    // Repetitions within a minute are logged together with it.
    let entry = "actor || ' ' || resource || ' ' || resource_id || ' ' || details";
    let kicks = "audit_entries WHERE action = 'disconnect' ORDER BY id";
    let name = "\"x\\n2026 admin@example.com update users 1 is_root: false -> true\"";
    let first = format!("admin@example.com applications 1 of: {name}");
    while database.texts(entry, kicks).await.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(database.texts(entry, kicks).await, [first.as_str()]);
    api.app().accounts.gathered.flush(&api.app().db).await;
    let rest = format!("admin@example.com applications 1 times: 2; of: {name}");
    assert_eq!(database.texts(entry, kicks).await, [first, rest]);
    let exchanges = "audit_entries WHERE action = 'exchange'";
    while database.texts(entry, exchanges).await.is_empty() {
        tokio::task::yield_now().await;
    }
    let expected = format!(
        "admin@example.com user_tokens {} for a JWT",
        database.text("id", "user_tokens WHERE user_id = 1").await
    );
    assert_eq!(database.texts(entry, exchanges).await, [expected]);

    let name = "M\"; is_root: false -> true\n2026 admin@example.com \u{202e}";
    let renamed = api.request(ADMIN, "PUT", "/api/organizations/1", json!({"organization": {"name": name}})).await;
    assert_eq!(renamed.status(), 200);
    let told = database.text("details", "audit_entries WHERE action = 'update' AND resource = 'organizations'").await;
    assert_eq!(told, "name: \"Acme Inc.\" -> \"M\\\"; is_root: false -> true\\n2026 admin@example.com \\u{202e}\"");
}
