//! The listener of those who read metrics.

use std::{net::SocketAddr, time::Duration};

use super::Outcome;
use crate::{
    app::App,
    http::{Refusals, TrustedProxies},
    server,
    web::MetricsEndpoint,
};

/// Most connections of those who read metrics.
pub(super) const CONNECTIONS: usize = 64;

/// How long they may be idle between two readings.
const HEAD_TIME: Duration = Duration::from_secs(120);

/// Serves metrics until the process ends, while it stops too.
pub(super) fn serve(address: SocketAddr, app: App) -> Outcome {
    let listener = server::bind(address.ip(), address.port());
    let listener = listener.map_err(|error| format!("PUSHER_LITE_METRICS_LISTEN: {error}"))?;
    tracing::info!(address = %listener.local_addr()?, "Listening for those who read metrics.");
    let endpoint = MetricsEndpoint::new(app);
    let answer = move |request, connection| endpoint.clone().answer(request, connection);
    let options = server::Options {
        max_connections: CONNECTIONS,
        head_time: HEAD_TIME,
        trusted_proxies: TrustedProxies::default(),
        tls: None,
        refusals: Refusals::default(),
    };
    tokio::spawn(server::serve(listener, options, answer, std::future::pending()));
    Ok(())
}
