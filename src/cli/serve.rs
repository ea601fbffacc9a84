//! `pusher-lite serve`.

use std::{future::pending, time::Duration};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{
    Outcome, clock, descriptors,
    mail_sending::{self, MailSending},
    metrics, open_database, seed, stop, welcome,
};
use crate::{
    app::{App, Site},
    config::{Config, Secrets, TlsFiles},
    http::Refusals,
    server::{self, Options, StopSignals, Tls, TlsError},
    store::{Db, demo},
    web::{Endpoint, Redirect, quotas},
};

/// Connections at once to the port that sends on to https: each is there for one answer.
const REDIRECTED: usize = 256;
/// How soon a certificate that was replaced is noticed without a signal.
const LOOK_AT_CERTIFICATE: Duration = Duration::from_secs(5);

pub(super) async fn run(config: Config, secrets: &Secrets) -> Outcome {
    let of_metrics = if config.metrics_listen.is_some() { metrics::CONNECTIONS } else { 0 };
    let of_redirect = if redirect_port(&config).is_some() { REDIRECTED } else { 0 };
    let (most, of_database) = (config.listen.max_connections, config.database.options.pool_size);
    let max_connections = descriptors::make_room(most, of_database, of_metrics + of_redirect);
    // Before the database is touched: of two servers started on one port, the second leaves everything alone.
    let options = options(&config, max_connections)?;
    let refusals = options.refusals.clone();
    let listener = server::bind(config.listen.host, config.listen.port)?;
    let port = listener.local_addr()?.port();
    start_redirecting(&config, port, &options)?;
    start_reloading(&options)?;
    let mut signals = StopSignals::listen()?;
    let db = tokio::select! {
        opened = open_database(&config) => opened?,
        // It can take a minute, when the database does not answer or another process migrates it.
        () = signals.next() => {
            tracing::info!("Stopped before the database was open");
            stop::do_not_wait_for_blocking_work();
            return Ok(());
        }
    };
    if config.demo && seed::demo_data(&db).await? {
        tracing::info!("The database was empty; it has demo data now");
    }
    let public_url = config.public_url(port);
    mail_sending::announce(&config);
    welcome(&config, &public_url, &db, &listener).await?;

    let app = App::new(db, secrets, config.realtime, refusals, site(&config, public_url));
    let app = app.with_body_limits(config.listen.body);
    if let Some(address) = config.metrics_listen {
        metrics::serve(address, app.clone())?;
    }
    tokio::spawn(quotas::watch(app.clone()));
    tokio::spawn(clock::watch());
    let mail = MailSending::start(&app, config.smtp);
    let stop = stop::on_signal(signals, app.clone(), config.stop);
    let endpoint = Endpoint::new(app).with_strict_transport(config.hsts);
    let answer = move |request, connection| endpoint.clone().answer(request, connection);
    let deadline = server::serve(listener, options, answer, stop).await;
    mail.ended(deadline).await;
    tracing::info!("Stopped");
    stop::do_not_wait_for_blocking_work();
    Ok(())
}

fn options(config: &Config, max_connections: usize) -> Result<Options, TlsError> {
    let load = |files: &TlsFiles| Tls::load(&files.certificate, &files.key);
    Ok(Options {
        max_connections,
        head_time: config.listen.header_timeout,
        trusted_proxies: config.listen.trusted_proxies.clone(),
        tls: config.tls.as_ref().map(load).transpose()?,
        refusals: Refusals::default(),
    })
}

fn redirect_port(config: &Config) -> Option<u16> {
    config.tls.as_ref().and_then(|tls| tls.redirect_port)
}

/// Serves the port that sends plain requests on to https, if there is to be one.
fn start_redirecting(config: &Config, https_port: u16, options: &Options) -> Outcome {
    let Some(port) = redirect_port(config) else { return Ok(()) };
    let listener = server::bind(config.listen.host, port)?;
    let redirect = Redirect::to(config.public_url.clone(), https_port);
    let answer = move |request, connection| redirect.clone().answer(request, connection);
    let options = Options { tls: None, max_connections: REDIRECTED, ..options.clone() };
    let address = listener.local_addr()?;
    tracing::info!(%address, "Sending plain requests on to https");
    tokio::spawn(server::serve(listener, options, answer, pending()));
    Ok(())
}

/// Reads the certificate again when its files are replaced, and on SIGHUP. That signal is listened to without a certificate
/// as well, since it would end the process.
fn start_reloading(options: &Options) -> std::io::Result<()> {
    let tls = options.tls.clone();
    let mut hangups = signal(SignalKind::hangup())?;
    if let Some(tls) = tls.clone() {
        tokio::spawn(tls.reload_when_replaced(LOOK_AT_CERTIFICATE));
    }
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            match &tls {
                Some(tls) => tls.reload().await,
                None => tracing::info!("SIGHUP: there is no certificate to read again; settings are read at the start"),
            }
        }
    });
    Ok(())
}

fn site(config: &Config, public_url: String) -> Site {
    Site {
        public_url: config.public_url.clone(),
        base_url: public_url,
        demo: config.demo,
        mailbox: config.keeps_mails(),
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
