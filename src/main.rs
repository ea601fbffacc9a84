//! The `pusher-lite` binary.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;

/// Gives back what storms of connections took, which glibc's allocator does not; see docs/performance.md.
#[global_allocator]
static ALLOCATOR: Jemalloc = Jemalloc;

#[tokio::main]
async fn main() -> ExitCode {
    match pusher_lite::cli::run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pusher-lite: {error}");
            ExitCode::FAILURE
        }
    }
}
