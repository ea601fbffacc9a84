//! All of a transaction happens, or nothing of it.

use pusher_lite::store::{Error, Transaction, user_tokens, users};

use crate::support::database::TestDatabase;

fn somebody(email: &str) -> users::NewUser<'_> {
    users::NewUser { name: "Somebody", email, password_hash: None, is_root: false, confirmed: false }
}

db_test!(an_error_takes_everything_back);
async fn an_error_takes_everything_back(database: TestDatabase) {
    let db = database.migrated().await;
    let refused = db
        .transaction(async |tx: &mut Transaction<'_>| {
            users::create(tx, &somebody("a@example.com")).await?;
            users::create(tx, &somebody("a@example.com")).await
        })
        .await;
    assert!(matches!(refused, Err(Error::Duplicate { field: "email" })), "{refused:?}");
    assert!(!users::any(&mut db.conn().await.unwrap()).await.unwrap());
}

db_test!(dropping_it_half_way_takes_everything_back);
async fn dropping_it_half_way_takes_everything_back(database: TestDatabase) {
    let db = database.migrated().await;
    let (at_work, wait) = tokio::sync::oneshot::channel();
    let writing = tokio::spawn({
        let db = db.clone();
        async move {
            db.transaction(async |tx: &mut Transaction<'_>| {
                users::create(tx, &somebody("a@example.com")).await?;
                at_work.send(()).expect("the test waits for this");
                std::future::pending::<Result<(), Error>>().await
            })
            .await
        }
    });
    wait.await.unwrap();
    writing.abort();
    assert!(writing.await.unwrap_err().is_cancelled());
    // Would fail on SQLite, where one writes at a time, if the transaction were still open.
    db.transaction(async |tx: &mut Transaction<'_>| users::create(tx, &somebody("b@example.com")).await).await.unwrap();
    let conn = &mut db.conn().await.unwrap();
    assert_eq!(users::find_by_email(conn, "a@example.com").await.unwrap(), None);
}

db_test!(many_that_read_and_then_write_all_succeed);
async fn many_that_read_and_then_write_all_succeed(database: TestDatabase) {
    let db = database.with_original_rows().await;
    let writing: Vec<_> = (0..20)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                db.transaction(async |tx: &mut Transaction<'_>| {
                    let user = users::find(tx, 3).await?.ok_or(Error::NotFound)?;
                    user_tokens::create(tx, user.id).await
                })
                .await
            })
        })
        .collect();
    for written in writing {
        written.await.unwrap().unwrap();
    }
}
