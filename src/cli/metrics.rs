//! The separate listener for metrics.

use std::{net::SocketAddr, time::Duration};

use futures_util::FutureExt;

use super::Outcome;
use crate::{
    http::{Refusals, Timeouts, TrustedProxies},
    server,
    web::{App, MetricsEndpoint},
};

/// Maximum connections to the listener for metrics.
pub(super) const CONNECTIONS: usize = 64;

/// Timeouts of the listener: its clients may be idle between two readings for longer than others.
const TIMEOUTS: Timeouts =
    Timeouts { head: Duration::from_secs(120), keep_alive: Duration::from_secs(120), send: Duration::from_secs(30) };

/// Serves metrics until the process ends, including the time in which the server stops.
pub(super) fn serve(address: SocketAddr, app: App) -> Outcome {
    let listener = server::bind(address.ip(), address.port());
    let listener = listener.map_err(|error| format!("PUSHER_LITE_METRICS_LISTEN: {error}"))?;
    tracing::info!(address = %listener.local_addr()?, "Listening for metrics.");
    let tasks = app.tasks.clone();
    let endpoint = MetricsEndpoint::new(app);
    let answer = move |request, connection| endpoint.clone().answer(request, connection);
    let options = server::Options {
        max_connections: CONNECTIONS,
        timeouts: TIMEOUTS,
        trusted_proxies: TrustedProxies::default(),
        tls: None,
        refusals: Refusals::default(),
        tasks: tasks.clone(),
    };
    let serving = server::serve(listener, options, answer, std::future::pending());
    tokio::spawn(tasks.watch("serving metrics", serving.map(drop)));
    Ok(())
}
