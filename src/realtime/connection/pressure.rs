//! Closing of connections when all of them together use more memory than allowed.

use std::{cmp::Reverse, panic::resume_unwind, sync::Arc, time::Duration};

use tokio::{task::spawn_blocking, time::sleep};

use super::{budget::Budget, connection::Connection, sockets::Sockets};
use crate::realtime::close::Close;

/// Pause between two looks at all connections. The connections closed by the first have freed their memory by then.
const PAUSE: Duration = Duration::from_millis(50);

/// Closes the connections with most queued bytes, whenever `budget` is exceeded. Runs for ever.
pub(crate) async fn relieve_outgoing(sockets: Arc<Sockets>, budget: Arc<Budget>) {
    relieve(sockets, budget, evict_slow).await;
}

/// Closes connections with an incomplete message, the largest and slowest first, whenever `budget` is exceeded. Runs
/// for ever.
pub(crate) async fn relieve_incoming(sockets: Arc<Sockets>, budget: Arc<Budget>) {
    relieve(sockets, budget, evict_unfinished).await;
}

async fn relieve(sockets: Arc<Sockets>, budget: Arc<Budget>, evict: fn(&Sockets, &Budget) -> usize) {
    loop {
        budget.exceeded().await;
        while budget.used() > budget.limit() {
            let (all, shared) = (Arc::clone(&sockets), Arc::clone(&budget));
            // It looks at every connection, and must not hold up the threads that serve them.
            let evicted = spawn_blocking(move || evict(&all, &shared)).await;
            // A panic there is this task's, too. An error without a panic means that the runtime ends.
            let evicted =
                evicted.unwrap_or_else(|error| error.try_into_panic().map_or(0, |panic| resume_unwind(panic)));
            tracing::warn!(
                evicted,
                memory = budget.used(),
                limit = budget.limit(),
                "Sockets were closed, because too much memory is in use."
            );
            sleep(PAUSE).await;
        }
    }
}

/// Returns the memory that may stay in use: somewhat less than the limit, so that not every message starts a search for
/// connections to close.
fn wanted(budget: &Budget) -> usize {
    budget.limit() - budget.limit() / 8
}

/// Closes the connections with most queued bytes. Returns their number. Their memory is free by then.
fn evict_slow(sockets: &Sockets, budget: &Budget) -> usize {
    let mut waiting: Vec<(usize, Arc<Connection>)> = Vec::new();
    sockets.for_each(|connection| match connection.outbox.waiting() {
        0 => {}
        bytes => waiting.push((bytes, Arc::clone(connection))),
    });
    waiting.sort_unstable_by_key(|(bytes, connection)| Reverse((*bytes, connection.id)));
    let wanted = wanted(budget);
    let evicted = waiting.iter().take_while(|_| budget.used() > wanted);
    evicted.map(|(_, connection)| connection.outbox.evict()).count()
}

/// Asks connections with an incomplete message to close. Returns their number. Their memory is free once their tasks
/// have closed them.
fn evict_unfinished(sockets: &Sockets, budget: &Budget) -> usize {
    let uptime_ms = sockets.uptime_ms();
    let mut unfinished: Vec<(u128, usize, Arc<Connection>)> = Vec::new();
    let mut closing = 0;
    sockets.for_each(|connection| match connection.partial(uptime_ms) {
        (0, _) => {}
        (bytes, _) if connection.outbox.close_requested().is_some() => closing += bytes,
        (bytes, age) => unfinished.push((bytes as u128 * (1 + age.as_millis()), bytes, Arc::clone(connection))),
    });
    unfinished.sort_unstable_by_key(|(weight, _, connection)| Reverse((*weight, connection.id)));
    let mut excess = budget.used().saturating_sub(wanted(budget) + closing);
    let mut evicted = 0;
    for (_, bytes, connection) in unfinished {
        if excess == 0 {
            break;
        }
        connection.outbox.request_close(Close::Evicted);
        excess = excess.saturating_sub(bytes);
        evicted += 1;
    }
    evicted
}
