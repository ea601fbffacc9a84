//! The `pusher-lite` binary.

fn main() {}
