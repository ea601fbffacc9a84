//! `pusher-lite serve`.

use tokio::net::TcpListener;

use super::{Outcome, open_database, seed, welcome};
use crate::{
    app::{App, Site},
    config::Config,
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
    welcome(&config, &public_url, &db, &listener).await?;

    let site = Site {
        public_url: config.public_url.clone(),
        base_url: public_url,
        demo: config.demo,
        mailbox: config.demo,
    };
    let app = App::new(db, &config.secrets, config.realtime, site);
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
        tracing::info!("Stopping: sockets are closed, requests that run are finished");
        hub.shutdown().await;
    };
    server::serve(listener, options, answer, stop).await;
    tracing::info!("Stopped");
    Ok(())
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
    println!("{}", welcome::text(public_url, demo.as_ref()));
    Ok(())
}
