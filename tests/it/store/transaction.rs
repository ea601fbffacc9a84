//! A transaction happens completely, or not at all.

use std::time::Duration;

use pusher_lite::store::{
    DatabaseUrl, Db, Error, Options, Transaction,
    effects::{Effect, Revocation},
    user_tokens, users,
};
use tokio::sync::{mpsc, oneshot};

use crate::support::{
    database::{TestDatabase, on_postgres},
    proxy::{Proxy, Way},
};

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
    let (at_work, wait) = oneshot::channel();
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

/// A database whose effects come out of the channel.
fn with_effects(db: Db) -> (Db, mpsc::UnboundedReceiver<Vec<Effect>>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let db = db.with_effects(move |_, effects| {
        let _ = sender.send(effects);
        Box::pin(async {})
    });
    (db, receiver)
}

db_test!(dropping_it_when_its_work_is_done_takes_nothing_back_and_no_effect_away);
async fn dropping_it_when_its_work_is_done_takes_nothing_back_and_no_effect_away(database: TestDatabase) {
    let (db, mut effects) = with_effects(database.with_original_rows().await);
    let token = db.transaction(async |tx| user_tokens::create(tx, 3).await).await.unwrap();
    let (done, is_done) = oneshot::channel();
    let invalidating = db.transaction(async |tx: &mut Transaction<'_>| {
        user_tokens::invalidate(tx, token.id).await?;
        done.send(()).expect("the test waits for this");
        Ok::<_, Error>(())
    });
    tokio::select! {
        biased;
        _ = is_done => {}
        _ = invalidating => panic!("a commit waits for the database"),
    }
    assert_eq!(effects.recv().await.unwrap(), [Effect::Revoke(Revocation::Token(token.id))]);
    let conn = &mut db.conn().await.unwrap();
    assert!(user_tokens::find(conn, &token.token).await.unwrap().unwrap().invalidated_at.is_some());
}

db_test!(what_is_taken_back_has_no_effect);
async fn what_is_taken_back_has_no_effect(database: TestDatabase) {
    let (db, mut effects) = with_effects(database.with_original_rows().await);
    let token = db.transaction(async |tx| user_tokens::create(tx, 3).await).await.unwrap();
    let refused = db.transaction(async |tx: &mut Transaction<'_>| {
        user_tokens::invalidate(tx, token.id).await?;
        Err::<(), _>(Error::NotFound)
    });
    refused.await.unwrap_err();
    drop(db);
    assert_eq!(effects.recv().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_not_answered_has_its_effects_now_and_when_it_is_over() {
    on_postgres(unanswered).await;
}

async fn unanswered(database: TestDatabase) {
    let direct = database.with_original_rows().await;
    let DatabaseUrl::Postgres(url) = &database.url else { panic!("only Postgres is asked over a network") };
    let (proxy, url) = Proxy::before(url).await;
    let options = Options { pool_size: 2, timeout: Duration::from_secs(1) };
    let (db, mut effects) = with_effects(Db::connect(&url.parse().unwrap(), &options).await.unwrap());
    let token = direct.transaction(async |tx| user_tokens::create(tx, 3).await).await.unwrap();
    let is_valid = async || {
        let found = user_tokens::find(&mut direct.conn().await.unwrap(), &token.token).await.unwrap();
        found.unwrap().invalidated_at.is_none()
    };
    let outcome = db.transaction(async |tx: &mut Transaction<'_>| {
        user_tokens::invalidate(tx, token.id).await?;
        proxy.set(Way::Stalled);
        Ok::<_, Error>(())
    });
    let outcome = outcome.await;
    assert!(matches!(outcome, Err(Error::Uncertain(_))), "{outcome:?}");
    let ended = [Effect::Revoke(Revocation::Token(token.id))];
    assert_eq!(effects.recv().await.unwrap(), ended);
    assert!(is_valid().await, "the commit is under way");
    proxy.set(Way::Open);
    assert_eq!(effects.recv().await.unwrap(), ended, "once more, for who has come in between");
    assert!(!is_valid().await);
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
