//! `pusher-lite serve`.

use std::time::Duration;

use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Outcome, mail::WITHOUT_SMTP, open_database, seed, welcome};
use crate::{
    app::{App, Site},
    config::Config,
    mail::{Sender, Smtp},
    server,
    store::{Db, demo},
    web::Endpoint,
};

pub(super) async fn run(config: Config) -> Outcome {
    // Each socket is a file descriptor, and most systems allow a process a thousand unless it asks.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "The number of file descriptors could not be raised; it limits how many sockets there can be");
    }
    // Before the database is touched: of two servers started on one port, the second leaves everything alone.
    let listener = server::bind(config.listen.host, config.listen.port)?;
    let stop = server::stop_signal()?;
    let db = open_database(&config).await?;
    if config.demo && seed::demo_data(&db).await? {
        tracing::info!("The database was empty; it has demo data now");
    }
    let public_url = config.public_url(listener.local_addr()?.port());
    say_how_mail_leaves(&config);
    welcome(&config, &public_url, &db, &listener).await?;

    let site = Site {
        public_url: config.public_url.clone(),
        base_url: public_url,
        demo: config.demo,
        mailbox: config.keeps_mails(),
    };
    let app = App::new(db, &config.secrets, config.realtime, site);
    let mail = Mail::start(&app, config.smtp);
    let hub = app.hub.clone();
    let endpoint = Endpoint::new(app);
    let answer = move |request, connection| endpoint.clone().answer(request, connection);
    let options = server::Options {
        max_connections: config.listen.max_connections,
        patience: config.listen.shutdown_timeout,
        trusted_proxies: config.listen.trusted_proxies,
    };
    let stop = async {
        stop.await;
        mail.stopping.cancel();
        tracing::info!("Stopping: sockets are closed, requests that run are finished");
        hub.shutdown().await;
    };
    let patience = options.patience;
    server::serve(listener, options, answer, stop).await;
    mail.stop(patience).await;
    tracing::info!("Stopped");
    Ok(())
}

/// Mails being sent in the background, where they can be.
struct Mail {
    stopping: CancellationToken,
    tasks: TaskTracker,
}

impl Mail {
    fn start(app: &App, smtp: Option<Smtp>) -> Self {
        let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
        if let Some(smtp) = smtp {
            let sender = Sender::new(app.db.clone(), app.accounts.postbox.clone(), smtp);
            tasks.spawn(sender.run(stopping.clone()));
        }
        tasks.close();
        Self { stopping, tasks }
    }

    /// Sends nothing new, and lets what is being sent end for at most `patience`; what does not is sent again later.
    async fn stop(self, patience: Duration) {
        self.stopping.cancel();
        if timeout(patience, self.tasks.wait()).await.is_err() {
            tracing::warn!("Stopped while a mail was being sent; it will be sent again.");
        }
    }
}

fn say_how_mail_leaves(config: &Config) {
    match &config.smtp {
        Some(smtp) => tracing::info!(server = %smtp, "Mails leave through a mail server"),
        None if config.keeps_mails() => tracing::info!("No mail leaves in demo mode; /dev/mailbox shows them"),
        None => tracing::warn!("{WITHOUT_SMTP}"),
    }
}

/// Says where to click. For people who read standard output; the log has the address too.
async fn welcome(config: &Config, public_url: &str, db: &Db, listener: &TcpListener) -> Outcome {
    let address = listener.local_addr()?;
    tracing::info!(%address, database = %config.database.url, "Listening");
    let demo = if config.demo { demo::find(&mut db.conn().await?).await? } else { None };
    if demo.is_some() && !address.ip().is_loopback() {
        tracing::warn!(
            "Demo data with a known password is served to the network; unset PUSHER_LITE_DEMO and use another database"
        );
    }
    println!("{}", welcome::text(public_url, demo.as_ref(), config.keeps_mails()));
    Ok(())
}
