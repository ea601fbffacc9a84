//! The server knows the users and tokens that the commands create.

use pusher_lite::store::DatabaseUrl;

use super::support::{Installation, text};
use crate::support::database::TestDatabase;

#[test]
fn a_user_and_a_token_are_made() {
    let installation = Installation::new();
    let created = installation.stdout(&["user", "create", "--email", "me@example.com", "--root"]);
    assert!(created.contains("Created me@example.com") && created.contains("Password: "), "{created}");
    let create = ["token", "create", "--user", "me@example.com"];
    let settings = ["--name", "chat backend", "--scope", "publish", "--expires-in-days", "90"];
    for arguments in [&create[..], &[&create[..], &settings].concat()] {
        let token = installation.stdout(arguments);
        assert_eq!(token.trim().len(), 36, "only the token is printed: {token}");
    }
    let long = "x".repeat(101);
    for (flag, value, complaint) in [
        ("--scope", "everything", "[possible values: publish, read, manage, all]"),
        ("--scope", "unknown", "[possible values: publish, read, manage, all]"),
        ("--expires-in-days", "0", "0 is not in 1..=36500"),
        ("--name", long.as_str(), "the name should be at most 100 character(s)"),
    ] {
        let message = installation.failure(&[&create[..], &[flag, value]].concat(), &[]);
        assert!(message.contains(complaint), "{flag} {value}: {message}");
    }

    let message = installation.failure(&["user", "create", "--email", "me@example.com"], &[]);
    assert!(message.contains("there is a user with the address me@example.com already"), "{message}");
    let message = installation.failure(&["token", "create", "--user", "you@example.com"], &[]);
    assert!(message.contains("there is no user you@example.com"), "{message}");
}

db_test!(what_commands_make_is_told_and_made_once);
async fn what_commands_make_is_told_and_made_once(database: TestDatabase) {
    let url = match &database.url {
        DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    };
    let environment = [
        ("DATABASE_URL", url.as_str()),
        ("PUSHER_LITE_JWT_SECRET", "a secret that is long enough for anybody"),
        ("PUSHER_LITE_COOKIE_SECRET", "another secret that is long enough for all"),
    ];
    let installation = Installation::new();
    let create = |email| installation.run(&["user", "create", "--email", email, "--root"], &environment);
    let created = create("me@example.com");
    assert!(created.status.success(), "{created:?}");
    let refused = create("Me@Example.com");
    let message = text(&refused.stderr);
    assert!(message.contains("there is a user with the address Me@Example.com already"), "{refused:?}");
    let settings = ["--name", "chat", "--scope", "publish", "--expires-in-days", "90"];
    let create = ["token", "create", "--user", "me@example.com"];
    assert!(installation.run(&create, &environment).status.success());
    assert!(installation.run(&[&create[..], &settings].concat(), &environment).status.success());

    let ending = &database.text("token", "user_tokens WHERE id = 1").await[32..];
    let limited = &database.text("token", "user_tokens WHERE id = 2").await[32..];
    let expires_at = database.text("CAST(expires_at AS text)", "user_token_settings").await.replace(' ', "T");
    assert_eq!(
        database.texts("user_token_id || ' ' || name || ' ' || scope", "user_token_settings").await,
        ["2 chat publish"]
    );
    let entry = "actor || ': ' || action || ' ' || resource || ' ' || resource_id || ' ' || details";
    let entries = [
        "command line: create users 1 email: \"me@example.com\"; name: \"me\"; is_root: true; confirmed: true",
        &format!("command line: create user_tokens 1 user_id: 1; ends in: \"{ending}\"; scope: all"),
        &format!(
            "command line: create user_tokens 2 user_id: 1; ends in: \"{limited}\"; name: \"chat\"; scope: publish; \
             expires_at: \"{expires_at}\""
        ),
    ];
    assert_eq!(database.texts(entry, "audit_entries ORDER BY id").await, entries);
    assert_eq!(database.texts("id", "users").await, ["1"]);
}

db_test!(no_token_is_made_that_could_not_be_used);
async fn no_token_is_made_that_could_not_be_used(database: TestDatabase) {
    drop(database.with_original_rows().await);
    let url = match &database.url {
        DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    };
    let (installation, environment) = (Installation::new(), [("DATABASE_URL", url.as_str())]);
    let create = |email| installation.run(&["token", "create", "--user", email], &environment);
    let before = database.texts("id", "user_tokens").await;
    for (id, cause) in [(2, "unconfirmed"), (3, "suspended")] {
        database
            .execute(&format!("INSERT INTO user_suspensions VALUES ({id}, '{cause}', '2026-01-01 00:00:00')"))
            .await;
    }
    database.execute("UPDATE users SET confirmed_at = NULL WHERE id = 2").await;
    for (email, reason) in [
        ("plainadmin@example.com", "has an address that is no longer confirmed"),
        ("member@example.com", "is suspended, and a token could not be used; reinstate"),
    ] {
        let refused = create(email);
        let message = text(&refused.stderr);
        assert!(message.contains(&format!("{email} {reason}")) && refused.stdout.is_empty(), "{refused:?}");
    }
    assert_eq!(database.texts("id", "user_tokens").await, before);
    // Never confirmed, which the original's API does not ask for.
    let email = database.text("email", "users WHERE id = 5").await;
    assert!(create(&email).status.success());
}

#[test]
fn a_password_comes_from_standard_input_and_follows_the_rules() {
    let installation = Installation::new();
    let arguments = ["user", "create", "--email", "me@example.com", "--password-stdin"];
    for (typed, reason) in [("1234567", "at least 8 characters"), (&"ü".repeat(37), "at most 72 bytes")] {
        let refused = installation.run_with_input(&arguments, &format!("{typed}\n"));
        assert!(!refused.status.success() && text(&refused.stderr).contains(reason), "{refused:?}");
    }
    let created = installation.run_with_input(&arguments, "long enough\n");
    assert!(created.status.success() && !text(&created.stdout).contains("Password"), "{created:?}");
}

#[test]
fn demo_data_goes_into_an_empty_database_only() {
    let installation = Installation::new();
    let shown = installation.stdout(&["seed", "--demo"]);
    assert!(shown.contains("admin@example.com / password") && shown.contains("curl -X POST"), "{shown}");
    let message = installation.failure(&["seed", "--demo"], &[]);
    assert!(message.contains("the database is not empty"), "{message}");
    assert!(installation.failure(&["seed"], &[]).contains("--demo"));
}
