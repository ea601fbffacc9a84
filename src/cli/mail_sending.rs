//! The mail sender in the background of `pusher-lite serve`.

use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

use super::mail::WITHOUT_SMTP;
use crate::{
    config::Config,
    mail::{Sender, Smtp},
    web::App,
};

/// Logs the mail server, or the features that need one.
pub(super) fn announce(config: &Config) {
    match &config.smtp {
        Some(smtp) => tracing::info!(server = %smtp, "Sending mails through a mail server"),
        None if config.keeps_mails() => tracing::info!("No mail leaves in demo mode; /dev/mailbox shows them"),
        None => tracing::warn!("{WITHOUT_SMTP}"),
    }
}

/// The running mail sender, if there is a mail server.
pub(super) struct MailSending {
    tasks: TaskTracker,
}

impl MailSending {
    /// Starts the sender, which runs until the server is asked to stop.
    pub(super) fn start(app: &App, smtp: Option<Smtp>) -> Self {
        let tasks = TaskTracker::new();
        if let Some(smtp) = smtp {
            let sender = Sender::new(app.db.clone(), app.accounts.postbox.clone(), smtp);
            tasks.spawn(app.tasks.watch("sending mail", sender.run(app.stopping.clone())));
        }
        tasks.close();
        Self { tasks }
    }

    /// Waits for mails that are being sent when the server stops, at most until `deadline`; mails that are not finished
    /// by then are sent again later.
    pub(super) async fn ended(self, deadline: Instant) {
        if timeout_at(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!("Stopped while a mail was being sent; it will be sent again.");
        }
    }
}
