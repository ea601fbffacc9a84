//! The `Cookie` header, and what is signed in it.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_protocol_fuzz::cookies::check(input));
