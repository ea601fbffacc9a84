//! The `Cookie` header, and the signed text in it.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_fuzz::cookies::check(input));
