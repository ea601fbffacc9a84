//! Mails that arrive: once each, from whichever server.

use std::{collections::BTreeSet, sync::Arc};

use chrono::TimeDelta;
use pusher_lite::{
    mail::Letter,
    store::{
        Error, Transaction,
        mails::{self, Counts, State},
    },
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    only_mail, postbox, send_due, sender,
    sink::{Answer, Sink},
    smtp, write,
};
use crate::support::database::TestDatabase;

db_test!(a_mail_arrives_and_what_it_said_is_forgotten);
async fn a_mail_arrives_and_what_it_said_is_forgotten(database: TestDatabase) {
    let (db, mut sink) = (database.migrated().await, Sink::start().await);
    write(&db, "zoe@example.com").await;
    let waiting = only_mail(&db, State::Waiting).await;
    assert_eq!((waiting.kind.as_str(), waiting.recipient.as_str()), ("reset", "zoe@example.com"));
    send_due(&db, smtp(&sink)).await;

    let mail = sink.mails.recv().await.unwrap();
    assert_eq!(mail.recipient, "zoe@example.com");
    assert!(sink.heard("MAIL FROM:<noreply@example.com>"));
    for part in [
        "From: pusher-lite <noreply@example.com>",
        "To: zoe@example.com",
        "Subject: Set a new password",
        "text/plain",
        "text/html",
    ] {
        assert!(mail.message.contains(part), "{part}: {}", mail.message);
    }
    let sent = only_mail(&db, State::Sent).await;
    assert_eq!((sent.progress.attempts, sent.progress.next_attempt_at), (1, None));
    let conn = &mut db.conn().await.unwrap();
    let bodies = mails::find_bodies(conn, sent.id).await.unwrap().unwrap();
    assert_eq!((bodies.text_body, bodies.html_body), (None, None));
    assert_eq!(mails::counts(conn).await.unwrap(), Counts { waiting: 0, sent: 1, failed: 0 });
}

db_test!(what_is_rolled_back_is_not_mailed);
async fn what_is_rolled_back_is_not_mailed(database: TestDatabase) {
    let db = database.migrated().await;
    let letter = Letter::Test { url: "https://push.example.com" };
    let failing = async |tx: &mut Transaction<'_>| {
        postbox().write(tx, "zoe@example.com", &letter).await?;
        Err::<(), _>(Error::NotFound)
    };
    db.record(failing).await.unwrap_err();
    assert_eq!(mails::counts(&mut db.conn().await.unwrap()).await.unwrap(), Counts::default());
}

db_test!(two_senders_send_each_mail_once);
async fn two_senders_send_each_mail_once(database: TestDatabase) {
    let (db, mut sink) = (database.migrated().await, Sink::start().await);
    // As on another machine: with a pool of its own.
    let other = database.connect().await;
    for number in 0..24 {
        write(&db, &format!("person{number}@example.com")).await;
    }
    tokio::join!(send_due(&db, smtp(&sink)), send_due(&other, smtp(&sink)));

    let mut recipients = BTreeSet::new();
    while let Ok(mail) = sink.mails.try_recv() {
        assert!(recipients.insert(mail.recipient.clone()), "{} got two", mail.recipient);
    }
    assert_eq!(recipients.len(), 24);
    let counts = mails::counts(&mut db.conn().await.unwrap()).await.unwrap();
    assert_eq!(counts, Counts { waiting: 0, sent: 24, failed: 0 });
}

db_test!(a_mail_whose_sender_died_is_only_late);
async fn a_mail_whose_sender_died_is_only_late(database: TestDatabase) {
    let (db, mut sink) = (database.migrated().await, Sink::start().await);
    write(&db, "zoe@example.com").await;
    let claim = async |tx: &mut Transaction<'_>| mails::claim(tx, 10, TimeDelta::minutes(5)).await;
    assert_eq!(db.record(claim).await.unwrap().len(), 1);
    assert_eq!(db.record(claim).await.unwrap().len(), 0, "it is claimed");
    send_due(&db, smtp(&sink)).await;
    assert!(sink.mails.try_recv().is_err());

    database.execute("UPDATE mails SET next_attempt_at = '2026-01-01 00:00:00'").await;
    send_due(&db, smtp(&sink)).await;
    assert_eq!(sink.mails.recv().await.unwrap().recipient, "zoe@example.com");
}

db_test!(the_sender_wakes_and_a_stop_lets_it_finish);
async fn the_sender_wakes_and_a_stop_lets_it_finish(database: TestDatabase) {
    let (db, mut sink) = (database.migrated().await, Sink::start().await);
    let (postbox, stopping, hold) = (postbox(), CancellationToken::new(), Arc::new(Notify::new()));
    let sender = pusher_lite::mail::Sender::new(db.clone(), postbox.clone(), smtp(&sink));
    let running = tokio::spawn(sender.run(stopping.clone()));
    for number in 0..2 {
        write(&db, &format!("person{number}@example.com")).await;
        postbox.wake();
        assert_eq!(sink.mails.recv().await.unwrap().recipient, format!("person{number}@example.com"));
    }

    sink.answer(".", Answer::Hold(Arc::clone(&hold)));
    write(&db, "last@example.com").await;
    postbox.wake();
    while !sink.heard("RCPT TO:<last@example.com>") {
        tokio::task::yield_now().await;
    }
    stopping.cancel();
    write(&db, "too-late@example.com").await;
    postbox.wake();
    hold.notify_one();
    running.await.unwrap();
    assert_eq!(sink.mails.recv().await.unwrap().recipient, "last@example.com");
    assert_eq!(only_mail(&db, State::Waiting).await.recipient, "too-late@example.com");
}

db_test!(a_mail_that_left_is_noted_when_the_database_is_back);
async fn a_mail_that_left_is_noted_when_the_database_is_back(database: TestDatabase) {
    let (db, mut sink, hold) = (database.migrated().await, Sink::start().await, Arc::new(Notify::new()));
    sink.answer(".", Answer::Hold(Arc::clone(&hold)));
    write(&db, "zoe@example.com").await;
    let sender = sender(&db, smtp(&sink));
    let round = tokio::spawn(async move { sender.round(&CancellationToken::new()).await });
    while !sink.heard("RCPT TO:<zoe@example.com>") {
        tokio::task::yield_now().await;
    }
    database.execute("ALTER TABLE mails RENAME COLUMN sent_at TO gone").await;
    hold.notify_one();
    assert_eq!(sink.mails.recv().await.unwrap().recipient, "zoe@example.com");
    database.execute("ALTER TABLE mails RENAME COLUMN gone TO sent_at").await;
    round.await.unwrap().unwrap();
    only_mail(&db, State::Sent).await;
}

db_test!(a_server_that_vanishes_after_taking_a_mail_gets_it_once);
async fn a_server_that_vanishes_after_taking_a_mail_gets_it_once(database: TestDatabase) {
    let (db, mut sink) = (database.migrated().await, Sink::start().await);
    sink.answer("QUIT", Answer::Close);
    write(&db, "zoe@example.com").await;
    send_due(&db, smtp(&sink)).await;
    only_mail(&db, State::Sent).await;
    send_due(&db, smtp(&sink)).await;
    assert!(sink.mails.recv().await.is_some() && sink.mails.try_recv().is_err());
}

db_test!(old_mails_are_removed_and_those_that_wait_stay);
async fn old_mails_are_removed_and_those_that_wait_stay(database: TestDatabase) {
    let (db, mut sink) = (database.migrated().await, Sink::start().await);
    write(&db, "sent@example.com").await;
    send_due(&db, smtp(&sink)).await;
    sink.mails.recv().await.unwrap();
    write(&db, "waiting@example.com").await;
    database.execute("UPDATE mails SET inserted_at = '2026-01-01 00:00:00'").await;
    let delete_old = async |tx: &mut Transaction<'_>| mails::delete_old(tx, TimeDelta::days(30)).await;
    db.record(delete_old).await.unwrap();
    assert_eq!(only_mail(&db, State::Waiting).await.recipient, "waiting@example.com");
    assert_eq!(mails::counts(&mut db.conn().await.unwrap()).await.unwrap().sent, 0);
}

db_test!(no_line_of_a_mail_ends_it);
async fn no_line_of_a_mail_ends_it(database: TestDatabase) {
    let (db, mut sink) = (database.migrated().await, Sink::start().await);
    let name = "x\r\n.\r\nMAIL FROM:<evil@example.com>\r\n";
    let letter = Letter::Invitation { name, inviter: name, organization: Some(name), url: "https://push.example.com" };
    let writing = async |tx: &mut Transaction<'_>| postbox().write(tx, "zoe@example.com", &letter).await;
    db.record(writing).await.unwrap();
    sender(&db, smtp(&sink)).round(&CancellationToken::new()).await.unwrap();
    let mail = sink.mails.recv().await.unwrap();
    assert!(!sink.heard("MAIL FROM:<evil"), "{}", mail.message);
    assert!(!mail.message.lines().any(|line| line.starts_with("MAIL FROM")), "{}", mail.message);
}
