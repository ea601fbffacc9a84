//! `pusher-lite serve`.

use std::{future::pending, time::Duration};

use futures_util::FutureExt;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{
    Outcome, clock, descriptors,
    mail_sending::{self, MailSending},
    metrics, open_database, output, seed, stop, welcome,
};
use crate::{
    config::{Config, Secrets, TlsFiles},
    http::Refusals,
    operations::application_settings,
    server::{self, Options, StopSignals, Tls, TlsError},
    store::{Db, demo, users},
    tasks::Tasks,
    web::{App, Endpoint, Redirect, Site, sweep},
};

/// Maximum connections to the port that redirects to https: each lasts for one answer.
const REDIRECTED: usize = 256;
/// Interval of checks for a replaced certificate; a signal has it read immediately.
const LOOK_AT_CERTIFICATE: Duration = Duration::from_secs(5);

/// Serves until it is told to stop, or a task has failed that the server cannot be without.
pub(super) async fn run(config: Config, secrets: &Secrets) -> Outcome {
    let tasks = Tasks::default();
    tokio::select! {
        Some(outcome) = tasks.guard("serving requests", serve(config, secrets, &tasks)) => outcome,
        task = tasks.failure() => {
            stop::do_not_wait_for_blocking_work(1);
            Err(format!("the server cannot go on without what has failed: {task}; its log says more").into())
        }
    }
}

async fn serve(config: Config, secrets: &Secrets, tasks: &Tasks) -> Outcome {
    let of_metrics = if config.metrics_listen.is_some() { metrics::CONNECTIONS } else { 0 };
    let of_redirect = if redirect_port(&config).is_some() { REDIRECTED } else { 0 };
    let (most, of_database) = (config.listen.max_connections, config.database.options.pool_size);
    let max_connections = descriptors::make_room(most, of_database, of_metrics + of_redirect);
    // Before the database is touched: of two servers started on one port, the second leaves everything alone.
    let options = options(&config, max_connections, tasks)?;
    let refusals = options.refusals.clone();
    let listener = server::bind(config.listen.host, config.listen.port)?;
    let port = listener.local_addr()?.port();
    start_redirecting(&config, port, &options)?;
    start_reloading(&options)?;
    let mut signals = StopSignals::listen()?;
    let db = tokio::select! {
        opened = open_database(&config) => opened?,
        // This can take a minute, when the database does not answer or another process migrates it.
        () = signals.next() => {
            tracing::info!("Stopped before the database was open");
            stop::do_not_wait_for_blocking_work(0);
            return Ok(());
        }
    };
    if config.demo && seed::demo_data(&db).await? {
        tracing::info!("Filled the empty database with demo data");
    }
    let public_url = config.public_url(port);
    mail_sending::announce(&config);
    welcome(&config, &public_url, &db, &listener).await?;

    let app = App::with_tasks(db, secrets, config.realtime, refusals, site(&config, public_url), tasks.clone());
    let app = app.with_body_limits(config.listen.body).with_user_limits(config.users).with_sign_up(config.sign_up);
    let app = app.with_signed_jwt_lifetime(config.signed_jwt_lifetime);
    if let Some(address) = config.metrics_listen {
        metrics::serve(address, app.clone())?;
    }
    tokio::spawn(tasks.watch("reading quotas", application_settings::watch(app.hub.clone(), app.db.clone())));
    tokio::spawn(tasks.watch("sweeping sockets", sweep::watch(app.clone())));
    tokio::spawn(tasks.watch("watching the clock", clock::watch()));
    let (gathered, db) = (app.accounts.gathered.clone(), app.db.clone());
    let mail = MailSending::start(&app, config.smtp);
    let stop = stop::on_signal(signals, app.clone(), config.stop);
    let endpoint = Endpoint::new(app).with_strict_transport(config.hsts);
    let answer = move |request, connection| endpoint.clone().answer(request, connection);
    let deadline = server::serve(listener, options, answer, stop).await;
    mail.ended(deadline).await;
    gathered.flush(&db).await;
    tracing::info!("Stopped");
    stop::do_not_wait_for_blocking_work(0);
    Ok(())
}

/// Reads the certificate and its key, if TLS is set up.
pub(super) fn load_tls(config: &Config) -> Result<Option<Tls>, TlsError> {
    let load = |files: &TlsFiles| Tls::load(&files.certificate, &files.key);
    config.tls.as_ref().map(load).transpose()
}

fn options(config: &Config, max_connections: usize, tasks: &Tasks) -> Result<Options, TlsError> {
    Ok(Options {
        max_connections,
        timeouts: config.listen.timeouts,
        trusted_proxies: config.listen.trusted_proxies.clone(),
        tls: load_tls(config)?,
        refusals: Refusals::default(),
        tasks: tasks.clone(),
    })
}

fn redirect_port(config: &Config) -> Option<u16> {
    config.tls.as_ref().and_then(|tls| tls.redirect_port)
}

/// Serves the port that redirects plain requests to https, if one is set.
fn start_redirecting(config: &Config, https_port: u16, options: &Options) -> Outcome {
    let Some(port) = redirect_port(config) else { return Ok(()) };
    let listener = server::bind(config.listen.host, port)?;
    let redirect = Redirect::to(config.public_url.clone(), https_port);
    let answer = move |request, connection| redirect.clone().answer(request, connection);
    let options = Options { tls: None, max_connections: REDIRECTED, ..options.clone() };
    let address = listener.local_addr()?;
    tracing::info!(%address, "Sending plain requests on to https");
    let tasks = options.tasks.clone();
    let serving = server::serve(listener, options, answer, pending());
    tokio::spawn(tasks.watch("redirecting to https", serving.map(drop)));
    Ok(())
}

/// Reads the certificate again when its files are replaced, and on SIGHUP. The signal is handled without a certificate
/// as well, since it would end the process.
fn start_reloading(options: &Options) -> std::io::Result<()> {
    let (tls, tasks) = (options.tls.clone(), &options.tasks);
    let mut hangups = signal(SignalKind::hangup())?;
    if let Some(tls) = tls.clone() {
        tokio::spawn(tasks.watch("looking at the certificate", tls.reload_when_replaced(LOOK_AT_CERTIFICATE)));
    }
    let on_hangup = async move {
        while hangups.recv().await.is_some() {
            match &tls {
                Some(tls) => tls.reload().await,
                None => tracing::info!("SIGHUP: there is no certificate to read again; settings are read at the start"),
            }
        }
    };
    tokio::spawn(tasks.watch("waiting for SIGHUP", on_hangup));
    Ok(())
}

fn site(config: &Config, public_url: String) -> Site {
    Site {
        public_url: config.public_url.clone(),
        base_url: public_url,
        demo: config.demo,
        mailbox: config.keeps_mails(),
        sends_mail: config.smtp.is_some(),
    }
}

/// Prints the link to open, for people who read standard output; the log has the address too.
async fn welcome(config: &Config, public_url: &str, db: &Db, listener: &TcpListener) -> Outcome {
    let address = listener.local_addr()?;
    tracing::info!(%address, database = %config.database.url, "Listening");
    let demo = if config.demo { demo::find(&mut db.conn().await?).await? } else { None };
    if demo.is_some() && !address.ip().is_loopback() {
        tracing::warn!(
            "Demo data with a known password is served to the network; unset PUSHER_LITE_DEMO and use another database"
        );
    }
    let has_users = users::any(&mut db.conn().await?).await?;
    let text = welcome::text(public_url, demo.as_ref(), config.keeps_mails(), has_users);
    if let Err(error) = output::try_print(&text) {
        tracing::warn!(%error, "Could not print the link to standard output; serving all the same.");
    }
    Ok(())
}
