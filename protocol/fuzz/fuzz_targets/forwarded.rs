//! The headers in which proxies say who asks.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_protocol_fuzz::forwarded::check(input));
