//! The stop of `pusher-lite serve`: in steps, so that clients notice as little as possible.

use std::{process, thread, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use crate::{config::Stop, server::StopSignals, web::App};

/// Time that the process outlives the server for work that cannot be interrupted, such as a query to SQLite.
const BLOCKING_WORK: Duration = Duration::from_secs(1);

/// Waits for a signal to stop, then takes the steps that come while requests are still served: it withdraws readiness,
/// gives balancers time to notice, and closes sockets little by little. Returns the time by which the rest has to end.
///
/// A second signal ends the process immediately.
pub(super) async fn on_signal(mut signals: StopSignals, app: App, stop: Stop) -> Instant {
    signals.next().await;
    app.stopping.cancel();
    tokio::spawn(app.tasks.watch("waiting for a second signal", end_at_once(signals)));
    if !stop.delay.is_zero() {
        tracing::info!(seconds = stop.delay.as_secs(), "Stopping: serving on until balancers have noticed");
        sleep(stop.delay).await;
    }
    let sockets = app.hub.socket_count();
    tracing::info!(sockets, "Stopping: closing sockets, finishing requests");
    let deadline = Instant::now() + stop.drain_window + stop.timeout;
    if timeout_at(deadline, app.hub.shutdown(stop.drain_window)).await.is_err() {
        tracing::warn!(open = app.hub.socket_count(), "Stopping without waiting longer for sockets to close");
    }
    deadline
}

async fn end_at_once(mut signals: StopSignals) {
    signals.next().await;
    tracing::warn!("Asked to stop a second time: ending immediately");
    process::exit(1);
}

/// Ends the process soon with this code, also when something blocks a thread, for which the runtime would wait without
/// limit.
pub(super) fn do_not_wait_for_blocking_work(code: i32) {
    thread::spawn(move || {
        thread::sleep(BLOCKING_WORK);
        process::exit(code);
    });
}
