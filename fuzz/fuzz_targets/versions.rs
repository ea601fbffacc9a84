//! A message of the server, in both versions.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_fuzz::versions::check(input));
