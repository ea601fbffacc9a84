//! Mails that are sent late, or never.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use pusher_lite::store::{
    Db, Transaction,
    mails::{self, Mail, State},
    now,
};

use super::{
    only_mail, send_due,
    sink::{Answer, Sink},
    smtp, smtp_at, write,
};
use crate::support::database::TestDatabase;

web_test!(a_refusal_of_the_recipient_or_the_mail_is_final);
async fn a_refusal_of_the_recipient_or_the_mail_is_final(database: TestDatabase) {
    let (db, mut sink) = (database.migrated().await, Sink::start().await);
    for (command, refusal) in
        [("RCPT", "550 5.1.1 no such user"), ("RCPT", "553 not that name"), ("DATA", "554 no"), (".", "552 too large")]
    {
        database.execute("DELETE FROM mails").await;
        sink.be_friendly();
        sink.answer(command, Answer::Say(refusal));
        write(&db, "zoe@example.com").await;
        send_due(&db, smtp(&sink)).await;
        let mail = only_mail(&db, State::Failed).await;
        let error = mail.progress.last_error.unwrap();
        assert!(error.contains(&refusal[..3]), "{refusal}: {error}");
    }

    sink.be_friendly();
    let failed = only_mail(&db, State::Failed).await;
    let retry = async |tx: &mut Transaction<'_>| mails::retry(tx, failed.id).await;
    assert!(db.record(retry).await.unwrap());
    send_due(&db, smtp(&sink)).await;
    assert_eq!(sink.mails.recv().await.unwrap().recipient, "zoe@example.com");
    assert!(!db.record(retry).await.unwrap(), "what was sent is not sent again");
}

web_test!(whatever_may_pass_is_tried_again_later);
async fn whatever_may_pass_is_tried_again_later(database: TestDatabase) {
    let (db, sink) = (database.migrated().await, Sink::start().await);
    for (command, answer) in [
        ("CONNECT", Answer::Say("421 too busy")),
        ("CONNECT", Answer::Say("554 not you")),
        ("CONNECT", Answer::Close),
        ("EHLO", Answer::Say("502 never heard of it")),
        ("MAIL", Answer::Say("550 not in this name")),
        ("MAIL", Answer::Say("530 authenticate first")),
        ("RCPT", Answer::Say("451 greylisted")),
        ("RCPT", Answer::Say("530 authenticate first")),
        ("RCPT", Answer::Close),
        (".", Answer::Say("452 no space")),
        (".", Answer::Close),
    ] {
        database.execute("DELETE FROM mails").await;
        sink.be_friendly();
        sink.answer(command, answer);
        let before = now();
        write(&db, "zoe@example.com").await;
        send_due(&db, smtp(&sink)).await;
        let mail = only_mail(&db, State::Waiting).await;
        assert_eq!(mail.progress.attempts, 1, "{command}");
        assert_waits(&mail, before, TimeDelta::seconds(45), TimeDelta::seconds(62));
        assert!(!mail.progress.last_error.unwrap().is_empty());
    }
}

db_test!(delays_grow_and_after_days_it_is_given_up);
async fn delays_grow_and_after_days_it_is_given_up(database: TestDatabase) {
    let db = database.migrated().await;
    write(&db, "zoe@example.com").await;
    for (before_it, least, most) in [(0, 45, 62), (1, 90, 122), (2, 180, 242), (10, 3 * 3600, 4 * 3600 + 2)] {
        let before = now();
        fail(&database, &db, before_it).await;
        let mail = only_mail(&db, State::Waiting).await;
        assert_eq!(mail.progress.attempts, before_it + 1);
        assert_waits(&mail, before, TimeDelta::seconds(least), TimeDelta::seconds(most));
    }
    fail(&database, &db, 24).await;
    let mail = only_mail(&db, State::Failed).await;
    assert!(mail.progress.last_error.unwrap().starts_with("The mail server cannot be reached"));
    assert_eq!(mails::next_due(&mut db.conn().await.unwrap()).await.unwrap(), None);
}

web_test!(a_server_that_hangs_is_left);
async fn a_server_that_hangs_is_left(database: TestDatabase) {
    let (db, sink) = (database.migrated().await, Sink::start().await);
    for command in ["CONNECT", "EHLO", "DATA", "."] {
        database.execute("DELETE FROM mails").await;
        sink.be_friendly();
        sink.answer(command, Answer::Hang);
        write(&db, "zoe@example.com").await;
        send_due(&db, smtp(&sink).with_patience(Duration::from_millis(200))).await;
        let error = only_mail(&db, State::Waiting).await.progress.last_error.unwrap();
        assert_eq!(error, "The mail server took too long to answer", "{command}");
    }
}

web_test!(an_address_that_is_none_is_given_up_at_once);
async fn an_address_that_is_none_is_given_up_at_once(database: TestDatabase) {
    let (db, sink) = (database.migrated().await, Sink::start().await);
    write(&db, "zoe@example.com>\r\nRCPT TO:<all@example.com").await;
    send_due(&db, smtp(&sink)).await;
    let error = only_mail(&db, State::Failed).await.progress.last_error.unwrap();
    assert!(error.contains("no address"), "{error}");
    assert!(!sink.heard("RCPT"));
}

/// One more attempt, after so many, on a port where nobody listens.
async fn fail(database: &TestDatabase, db: &Db, attempts: i32) {
    let sql = format!("UPDATE mails SET attempts = {attempts}, next_attempt_at = '2026-01-01 00:00:00'");
    database.execute(&sql).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    send_due(db, smtp_at(&format!("smtp://127.0.0.1:{port}"))).await;
}

fn assert_waits(mail: &Mail, since: NaiveDateTime, least: TimeDelta, most: TimeDelta) {
    let waits = mail.progress.next_attempt_at.unwrap() - since;
    assert!(waits >= least && waits <= most, "{waits}");
}
