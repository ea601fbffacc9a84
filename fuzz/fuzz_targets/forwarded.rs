//! The headers in which proxies name their clients.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_fuzz::forwarded::check(input));
