//! How `pusher-lite serve` ends: in steps, so that nobody who is served notices more than they must.

use std::{process, thread, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use crate::{app::App, config::Stop, server::StopSignals};

/// How long the process outlives the server for work that cannot be interrupted, such as a query to SQLite.
const BLOCKING_WORK: Duration = Duration::from_secs(1);

/// Waits for a signal to stop and goes through with it, as far as that can be while requests are served: readiness is
/// withdrawn, balancers have time to notice, sockets are closed little by little. Returns by when the rest has to end.
///
/// A second signal ends the process at once.
pub(super) async fn on_signal(mut signals: StopSignals, app: App, stop: Stop) -> Instant {
    signals.next().await;
    app.stopping.cancel();
    tokio::spawn(end_at_once(signals));
    if !stop.delay.is_zero() {
        tracing::info!(seconds = stop.delay.as_secs(), "Stopping: serving on until balancers have noticed");
        sleep(stop.delay).await;
    }
    let sockets = app.hub.socket_count();
    tracing::info!(sockets, "Stopping: sockets are closed, requests that run are finished");
    let deadline = Instant::now() + stop.drain_window + stop.timeout;
    if timeout_at(deadline, app.hub.shutdown(stop.drain_window)).await.is_err() {
        tracing::warn!(open = app.hub.socket_count(), "Stopping without waiting longer for sockets to close");
    }
    deadline
}

async fn end_at_once(mut signals: StopSignals) {
    signals.next().await;
    tracing::warn!("Asked to stop a second time: ending at once");
    process::exit(1);
}

/// Ends the process soon, also when something blocks a thread, for which the runtime would wait without limit.
pub(super) fn do_not_wait_for_blocking_work() {
    thread::spawn(|| {
        thread::sleep(BLOCKING_WORK);
        process::exit(0);
    });
}
