//! Trimming of the audit log.

use chrono::{Days, Utc};
use pusher_lite::store::{DatabaseUrl, audit_trim::KEPT};

use super::support::{Installation, text};
use crate::support::database::TestDatabase;

/// More rows than one query removes.
const MANY: usize = 10_005;

/// Adds entries of this time.
fn entries(count: usize, time: &str) -> String {
    let row = format!("('create', 'users', 'old', '{time}')");
    let rows = vec![row; count].join(", ");
    format!("INSERT INTO audit_entries (action, resource, details, inserted_at) VALUES {rows}")
}

db_test!(old_entries_are_removed_and_that_is_an_entry);
async fn old_entries_are_removed_and_that_is_an_entry(database: TestDatabase) {
    drop(database.migrated().await);
    database.execute(&entries(MANY, "2020-01-31 23:59:59")).await;
    database.execute(&entries(2, "2020-02-01 00:00:00")).await;
    // Of a clock that was set back.
    database.execute(&entries(1, "2019-01-01 00:00:00")).await;
    let url = match &database.url {
        DatabaseUrl::Sqlite(path) => format!("sqlite://{}", path.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    };
    let installation = Installation::new();
    let trim = |date: &str| installation.run(&["audit", "trim", "--before", date], &[("DATABASE_URL", &url)]);

    let tomorrow = Utc::now().date_naive() - Days::new(KEPT - 1);
    let refused = trim(&tomorrow.to_string());
    assert!(!refused.status.success() && text(&refused.stderr).contains("at least 30 days"), "{refused:?}");
    let refused = trim("yesterday");
    assert!(!refused.status.success() && text(&refused.stderr).contains("is no date"), "{refused:?}");
    assert_eq!(database.text("count(*)", "audit_entries").await, (MANY + 3).to_string());

    let trimmed = trim("2020-02-01");
    assert_eq!(text(&trimmed.stdout), "Removed 10006 entries from before 2020-02-01.\n", "{trimmed:?}");
    let entry = "coalesce(actor, '') || ': ' || action || ' ' || resource || ' ' || details";
    let left = [
        ": create users old",
        ": create users old",
        "command line: trim audit_entries before: \"2020-02-01\"; entries: 10006",
    ];
    assert_eq!(database.texts(entry, "audit_entries ORDER BY id").await, left);

    for change in ["DELETE FROM audit_entries", "UPDATE audit_entries SET details = 'other'"] {
        let reason = database.refusal(change).await;
        assert!(reason.contains("the audit log is only ever added to"), "{change}: {reason}");
    }
    // The triggers are as they were, so that it can be done again.
    let again = trim("2020-02-01");
    assert_eq!(text(&again.stdout), "Removed 0 entries from before 2020-02-01.\n", "{again:?}");
}

db_test!(a_trim_that_fails_leaves_everything_as_it_was);
async fn a_trim_that_fails_leaves_everything_as_it_was(database: TestDatabase) {
    use pusher_lite::store::{
        Error, Transaction,
        audit::Actor,
        audit_trim::{Horizon, trim},
    };

    let db = database.migrated().await;
    database.execute(&entries(3, "2020-01-01 00:00:00")).await;
    let horizon = Horizon::new("2020-02-01".parse().unwrap()).unwrap();
    let failed = db.record(async |tx: &mut Transaction<'_>| {
        assert_eq!(trim(tx, &Actor::command_line(), horizon).await?, 3);
        Err::<(), _>(Error::NotFound)
    });
    failed.await.unwrap_err();
    assert_eq!(database.texts("details", "audit_entries").await, ["old"; 3]);
    assert!(database.refusal("DELETE FROM audit_entries").await.contains("only ever added to"));
}
