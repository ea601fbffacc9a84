//! JWTs of others, and our own with invented claims.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_fuzz::jwt::check(input));
