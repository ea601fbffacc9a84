//! Clients that take as much as they can and give nothing back. `STRESS_ROUNDS` is the number of rounds; 1 by default.

mod cancelled_requests;
mod join_floods;
mod parked_handshakes;
mod server;
mod slow_readers;
mod stalled_uploads;
mod zero_windows;

/// Returns the number of rounds of each test.
fn rounds() -> usize {
    std::env::var("STRESS_ROUNDS").ok().map_or(1, |rounds| rounds.parse().expect("STRESS_ROUNDS is a number"))
}
