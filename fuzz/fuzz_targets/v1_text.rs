//! A text or binary frame of a client that speaks version 1.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_fuzz::text::check_v1(input));
