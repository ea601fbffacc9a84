//! Mails, from the table in the database to a mail server over the wire.

mod mailbox;
mod refusals;
mod sending;
mod settings;
mod sink;

use pusher_lite::{
    mail::{Letter, Postbox, Sender, Smtp, SmtpUrl},
    store::{
        Db, Transaction,
        mails::{self, Mail, State},
    },
};
use tokio_util::sync::CancellationToken;

use self::sink::Sink;

const URL: &str = "https://push.example.com";

fn postbox() -> Postbox {
    Postbox::new(URL, false)
}

/// Sends through the sink.
fn smtp(sink: &Sink) -> Smtp {
    smtp_at(&sink.url())
}

fn smtp_at(url: &str) -> Smtp {
    let url: SmtpUrl = url.parse().unwrap();
    Smtp::new(url, "pusher-lite <noreply@example.com>".parse().unwrap()).unwrap()
}

fn sender(db: &Db, smtp: Smtp) -> Sender {
    Sender::new(db.clone(), postbox(), smtp)
}

/// Sends what is due.
async fn send_due(db: &Db, smtp: Smtp) {
    sender(db, smtp).round(&CancellationToken::new()).await.unwrap();
}

async fn write(db: &Db, recipient: &str) {
    let letter = Letter::Reset { name: "Zoë", url: "https://push.example.com/passwords/s3cr3t/edit" };
    let writing = async |tx: &mut Transaction<'_>| postbox().write(tx, recipient, &letter).await;
    db.record(writing).await.unwrap();
}

async fn only_mail(db: &Db, state: State) -> Mail {
    let mut mails = mails::list(&mut db.conn().await.unwrap(), state, 0, 10).await.unwrap();
    assert_eq!(mails.len(), 1, "{state:?}");
    mails.remove(0)
}
