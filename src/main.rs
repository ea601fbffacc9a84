//! The `pusher-lite` binary.

use std::process::ExitCode;

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
