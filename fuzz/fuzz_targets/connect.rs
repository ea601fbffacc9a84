//! The parameters in the URL that opens a socket.

#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pusher_lite_fuzz::connect::check(input));
