//! The `pusher-lite` binary.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use tikv_jemallocator::Jemalloc;

/// Allocator that returns the memory of bursts of connections to the system, which the one of glibc does not; see
/// docs/performance.md.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match pusher_lite::cli::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If nobody reads that either, the exit code says it.
            let _ = writeln!(io::stderr(), "pusher-lite: {error}");
            ExitCode::FAILURE
        }
    }
}
