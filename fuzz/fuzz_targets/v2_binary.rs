//! A binary frame of a client that speaks version 2.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_fuzz::binary::check(input));
