//! JWTs, of others and of our own with made-up claims.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_protocol_fuzz::jwt::check(input));
