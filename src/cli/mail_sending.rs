//! Mails being sent in the background of `pusher-lite serve`.

use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

use super::mail::WITHOUT_SMTP;
use crate::{
    app::App,
    config::Config,
    mail::{Sender, Smtp},
};

/// Says in the log how mails leave, or which features need that they do.
pub(super) fn announce(config: &Config) {
    match &config.smtp {
        Some(smtp) => tracing::info!(server = %smtp, "Mails leave through a mail server"),
        None if config.keeps_mails() => tracing::info!("No mail leaves in demo mode; /dev/mailbox shows them"),
        None => tracing::warn!("{WITHOUT_SMTP}"),
    }
}

/// Mails being sent, where they can be.
pub(super) struct MailSending {
    tasks: TaskTracker,
}

impl MailSending {
    /// Starts sending, until the server is asked to stop.
    pub(super) fn start(app: &App, smtp: Option<Smtp>) -> Self {
        let tasks = TaskTracker::new();
        if let Some(smtp) = smtp {
            let sender = Sender::new(app.db.clone(), app.accounts.postbox.clone(), smtp);
            tasks.spawn(sender.run(app.stopping.clone()));
        }
        tasks.close();
        Self { tasks }
    }

    /// Lets what is being sent when the server stops end, at the latest at `deadline`; what does not is sent again later.
    pub(super) async fn ended(self, deadline: Instant) {
        if timeout_at(deadline, self.tasks.wait()).await.is_err() {
            tracing::warn!("Stopped while a mail was being sent; it will be sent again.");
        }
    }
}
