//! Several messages in the body of a long-poll request.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_fuzz::batch::check(input));
